//! Staked tokens: SOL at 150 times the rate of the stake pool, which starts at 1.1 and is let rise by 0.1 % a day.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::state::QUOTE_ASSET;
use ballast_client::instruction;
use ballast_oracle::stake_pool::PROGRAM;
use ballast_sim::world::{PriceMessage, World, SOL, TOKEN_PROGRAM};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::staked::{pool, set_epoch, terms, Staked, EPOCH};
use ballast_tests::{ok, world};
use solana_signer::Signer;

fn listed() -> (World, Staked) {
    let mut w = world();
    let staked = Staked::list(&mut w);
    (w, staked)
}

#[test]
fn a_staked_token_is_worth_its_rate_of_the_base() {
    let (mut w, s) = listed();
    assert_eq!(s.index(&w), 165 * PRICE);
    // The base's confidence and time come with it: 0.30 dollars are 0.33.
    w.vm.advance(10);
    let update = PriceMessage {
        confidence: 30_000_000,
        ..PriceMessage::new(w.feed_id(SOL), 160.0, w.vm.now())
    };
    w.post(SOL, &update);
    let both = [(SOL, w.price_account(SOL)), (s.asset, s.pool)];
    let refresh = instruction::refresh_prices(&w.exchange, &both);
    let outcome = w.vm.send(&[refresh], &[]);
    ok(&w, outcome);
    let feed = w.board().assets[usize::from(s.asset)].price;
    assert_eq!((feed.index, feed.confidence), (176 * PRICE, 330_000_000));
    assert_eq!(feed.publish_time, w.vm.now());
}

/// The base alone moves nothing, and the token named in front of its base has the base's price of before.
#[test]
fn a_staked_token_is_refreshed_behind_its_base() {
    let (mut w, s) = listed();
    w.set_prices(&[(SOL, 160.0)]);
    assert_eq!(s.index(&w), 165 * PRICE);
    let outcome = s.refresh(&mut w);
    ok(&w, outcome);
    assert_eq!(s.index(&w), 176 * PRICE);
    w.vm.advance(1);
    w.post_price(SOL, 170.0);
    let both = [(s.asset, s.pool), (SOL, w.price_account(SOL))];
    let refresh = instruction::refresh_prices(&w.exchange, &both);
    let outcome = w.vm.send(&[refresh], &[]);
    ok(&w, outcome);
    assert_eq!(s.index(&w), 176 * PRICE);
}

#[test]
fn a_rate_rises_by_its_cap_a_day_and_falls_at_once() {
    let (mut w, s) = listed();
    let first = w.vm.now();
    s.is(&mut w, 1_200, EPOCH);
    // 0.05 % of 1.1 in half a day, and 0.05 % of that in the other half.
    for (seconds, rate) in [(43_200, 1_100_550_000), (86_400, 1_101_100_275)] {
        w.vm.advance(first + seconds - 1 - w.vm.now());
        s.with_sol_at(&mut w, 150.0);
        assert_eq!(s.index(&w), 150 * rate);
    }
    // Looking every minute gains nothing. 0.1 % of 1.1011 a day is 764.65·10⁻⁹ a minute; whole units for whole seconds are 764.
    let from = w.vm.now();
    for minute in 1..=60 {
        w.vm.advance(from + 60 * minute - 1 - w.vm.now());
        s.with_sol_at(&mut w, 150.0);
    }
    assert_eq!(s.index(&w), 150 * (1_101_100_275 + 60 * 764));
    s.is(&mut w, 900, EPOCH);
    s.with_sol_at(&mut w, 150.0);
    assert_eq!(s.index(&w), 135 * PRICE);
    // And from there it rises by 0.1 % a day again, not back.
    s.is(&mut w, 1_100, EPOCH);
    w.vm.advance(86_399);
    s.with_sol_at(&mut w, 150.0);
    assert_eq!(s.index(&w), 150 * 900_900_000);
}

#[test]
fn a_pool_is_updated_in_this_epoch_or_the_last() {
    let (mut w, s) = listed();
    w.set_prices(&[(SOL, 160.0)]);
    for (now, updated) in [(EPOCH + 2, EPOCH), (EPOCH, EPOCH + 1), (EPOCH, 0)] {
        set_epoch(&mut w, now);
        s.is(&mut w, 1_100, updated);
        refuses(&mut w, BallastError::StakePoolStale, |w| s.refresh(w));
    }
    set_epoch(&mut w, EPOCH + 1);
    s.is(&mut w, 1_100, EPOCH);
    let outcome = s.refresh(&mut w);
    ok(&w, outcome);
    assert_eq!(s.index(&w), 176 * PRICE);
}

#[test]
fn attack_a_pool_that_is_not_the_one() {
    let (mut w, s) = listed();
    w.set_prices(&[(SOL, 160.0)]);
    let good = pool(1_100, EPOCH);
    let program = Pubkey::new_from_array(PROGRAM);
    let other = w.vm.keypair().pubkey();
    w.vm.put(other, program, pool(9_000, EPOCH));
    refuses(&mut w, BallastError::PriceWrongFeed, |w| s.refresh_from(w, &other));
    let sol = w.price_account(SOL);
    refuses(&mut w, BallastError::PriceWrongFeed, |w| s.refresh_from(w, &sol));
    let another_program = w.vm.keypair().pubkey();
    for owner in [another_program, ballast::ID, TOKEN_PROGRAM] {
        w.vm.put(s.pool, owner, good.clone());
        refuses(&mut w, BallastError::PriceWrongOwner, |w| s.refresh(w));
    }
    let list_of_validators = [&[2], &good[1..]].concat();
    let longer = [&good[..], &[0]].concat();
    for data in [vec![0; good.len()], list_of_validators, longer, vec![]] {
        w.vm.put(s.pool, program, data);
        refuses(&mut w, BallastError::PriceWrongLayout, |w| s.refresh(w));
    }
    for lamports in [0, 500, 10_000] {
        s.is(&mut w, lamports, EPOCH);
        refuses(&mut w, BallastError::StakePoolUnusable, |w| s.refresh(w));
    }
    s.is(&mut w, 1_100, EPOCH);
    let outcome = s.refresh(&mut w);
    ok(&w, outcome);
}

#[test]
fn the_base_has_to_be_fresh() {
    let (mut w, s) = listed();
    let published = w.board().assets[usize::from(SOL)].price.publish_time;
    w.vm.advance(published + 60 - w.vm.now());
    let outcome = s.refresh(&mut w);
    ok(&w, outcome);
    w.vm.advance(1);
    refuses(&mut w, BallastError::StalePrice, |w| s.refresh(w));
    // In a batch it fails nothing else.
    w.post_price(QUOTE_ASSET, 1.0);
    let both = [(s.asset, s.pool), (QUOTE_ASSET, w.price_account(QUOTE_ASSET))];
    let refresh = instruction::refresh_prices(&w.exchange, &both);
    let outcome = w.vm.send(&[refresh], &[]);
    ok(&w, outcome);
    assert!(w.board().quote.is_fresh(w.vm.now()) && s.index(&w) == 165 * PRICE);
}

/// 100 tokens are 16,500 dollars; haircuts of its own, 35 and 30 %, leave 10,725 and 11,550.
#[test]
fn a_staked_token_is_collateral() {
    let (mut w, s) = listed();
    let user = trader(&mut w, 0);
    s.deposit(&mut w, &user, 100 * SOL_UNIT);
    let key = user.account.margin_account;
    let summary = w.summary(&key);
    assert_eq!(summary.equity_initial, 10_725 * DOLLAR);
    assert_eq!(summary.equity_maintenance, 11_550 * DOLLAR);
    // When the pool loses a fifth so does the credit, at once.
    s.is(&mut w, 880, EPOCH);
    s.with_sol_at(&mut w, 150.0);
    let summary = w.summary(&key);
    assert_eq!(summary.equity_initial, 8_580 * DOLLAR);
    assert_eq!(summary.equity_maintenance, 9_240 * DOLLAR);
}

#[test]
fn a_listing_names_a_base_that_is_listed() {
    let mut w = world();
    let authority = w.authority.insecure_clone();
    let key = w.vm.keypair().pubkey();
    for (base, growth) in [(3, 1_000), (4, 1_000), (255, 1_000), (SOL, 0), (SOL, 10_001)] {
        let mut args = terms(&key);
        (args.feed.sources[0].base, args.feed.sources[0].max_step_ppm) = (base, growth);
        let list = instruction::list_asset(&w.exchange, &authority.pubkey(), args);
        refuses(&mut w, BallastError::InvalidParameter, |w| {
            w.vm.send(&[list], &[&authority])
        });
    }
}
