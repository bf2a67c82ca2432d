//! Choosing what the board gets to see: which source, which of several updates, when, and from which account.
use anchor_lang::prelude::{Clock, Pubkey};
use ballast::error::BallastError;
use ballast::state::QUOTE_ASSET;
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_oracle::Guard;
use ballast_sim::world::{PriceMessage, User, ValueMessage, World, BTC, ETH, RECEIVERS, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::sources::{switchboard, Sources};
use ballast_tests::{ok, world};
use solana_signer::Signer;

/// BTC at 100,000 from three sources whose prices may jump, each having said so a second ago.
fn three() -> (World, Sources) {
    let mut w = world();
    let sources = Sources::bind(&mut w, BTC, 3, |feed| {
        feed.sources.iter_mut().for_each(|s| s.max_step_ppm = 1_000_000);
    });
    sources.set(&mut w, &[100_000.0, 100_000.0, 100_000.0]);
    w.vm.advance(1);
    (w, sources)
}

fn index(w: &World, asset: u8) -> i64 {
    w.board().assets[usize::from(asset)].price.index
}

fn refused_by(w: &World, asset: u8, guard: Guard) -> u32 {
    w.board().assets[usize::from(asset)].sources.refused[guard as usize]
}

/// An account of the receiver's with this update, posted in this slot: anyone can make one.
fn posted(w: &mut World, update: &PriceMessage) -> Pubkey {
    let account = w.vm.keypair().pubkey();
    let data = update.account_data(w.vm.clock().slot);
    w.vm.put(account, RECEIVERS[0], data);
    account
}

/// Long 1 BTC with 10,100 of cash: a gain of 30,000 that comes with a refresh in the same transaction buys nothing and leaves nowhere.
#[test]
fn attack_refreshing_to_pass_ones_own_margin_check() {
    let mut w = world();
    let (attacker, maker) = pair(&mut w, 10_100);
    trade(&mut w, BTC_PERP, &attacker, &maker, 10_000, 100_000.0);
    w.vm.advance(10);
    w.post_price(BTC, 130_000.0);
    let refresh = instruction::refresh_prices(&w.exchange, &[(BTC, w.price_account(BTC))]);
    let withdraw = instruction::withdraw(
        &w.exchange,
        &attacker.account,
        &w.usd.mint,
        &attacker.usd,
        100 * USD,
        &[],
    );
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.vm.send(&[refresh.clone(), withdraw], &[&attacker.key])
    });
    let buy = instruction::block_trade(
        &w.exchange,
        &w.markets[ETH_PERP],
        &attacker.account,
        &maker.account,
        1_000,
        3_000 * PRICE,
    );
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.vm.send(&[refresh, buy], &[&attacker.key, &maker.key])
    });
}

/// Of two updates in one transaction the first stands, whichever it is: nobody buys at one price and sells at the next.
#[test]
fn attack_a_second_refresh_in_a_slot() {
    let mut w = world();
    let (attacker, maker) = pair(&mut w, 50_000);
    w.vm.advance(10);
    let now = w.vm.now();
    let update = |w: &World, price, time| PriceMessage::new(w.feed_id(BTC), price, time);
    let (low, high) = (update(&w, 99_000.0, now - 1), update(&w, 101_000.0, now));
    let accounts = [posted(&mut w, &low), posted(&mut w, &high)];
    let refresh = accounts.map(|account| instruction::refresh_prices(&w.exchange, &[(BTC, account)]));
    let [first, second] = refresh;
    // At 99,000 the price band ends at 100,980.
    let sell = btc_trade(&w, &attacker, &maker, -1_000, 101_000 * PRICE);
    refuses(&mut w, BallastError::PriceOutsideBand, |w| {
        w.vm.send(&[first.clone(), second.clone(), sell], &[&attacker.key, &maker.key])
    });
    let outcome = w.vm.send(&[first, second.clone()], &[]);
    ok(&w, outcome);
    assert_eq!(index(&w, BTC), 99_000 * PRICE);
    // In a later slot the newer one counts; the clock need not have moved.
    let mut clock: Clock = w.vm.clock();
    clock.slot += 1;
    w.vm.svm.set_sysvar(&clock);
    let outcome = w.vm.send(&[second], &[]);
    ok(&w, outcome);
    assert_eq!(index(&w, BTC), 101_000 * PRICE);
}

/// A move that is too fast for one update isn't made in several.
#[test]
fn attack_a_jump_in_small_steps() {
    let mut w = world();
    Sources::bind(&mut w, BTC, 1, |_| {}); // 0.25 % a second
    w.vm.advance(10);
    let now = w.vm.now();
    // Each is within the step from the one before, of which it comes a second later.
    let steps = [102_000.0, 102_255.0, 102_510.0];
    let named: Vec<_> = (0i64..)
        .zip(steps)
        .map(|(n, price)| {
            let update = PriceMessage::new(w.feed_id(BTC), price, now - 2 + n);
            (BTC, posted(&mut w, &update))
        })
        .collect();
    let outcome = w.vm.send(&[instruction::refresh_prices(&w.exchange, &named)], &[]);
    ok(&w, outcome);
    assert_eq!(index(&w, BTC), 102_000 * PRICE);
}

/// Three sources have risen to 100,400. Whichever of them are passed, the index is between what they said before and what they say now, and
/// two of them take it all the way.
#[test]
fn attack_choosing_which_source_to_leave_out() {
    for passed in 1u8..8 {
        let (mut w, s) = three();
        (0..3).for_each(|source| s.post(&mut w, source, 100_400.0));
        let sources: Vec<usize> = (0..3).filter(|source| passed >> source & 1 == 1).collect();
        let outcome = s.refresh(&mut w, &sources);
        ok(&w, outcome);
        let expected = if sources.len() >= 2 { 100_400 } else { 100_000 };
        assert_eq!(index(&w, BTC), expected * PRICE, "{sources:?}");
    }
}

/// One source is the attacker's. While the others are valid it is left out, and when they are not it does not stand alone.
#[test]
fn attack_choosing_the_fallback() {
    for mine in [0, 1, 2] {
        let (mut w, s) = three();
        s.post(&mut w, mine, 110_000.0);
        let outcome = s.refresh(&mut w, &[mine]);
        ok(&w, outcome);
        assert_eq!(index(&w, BTC), 100_000 * PRICE);
        assert_eq!(refused_by(&w, BTC, Guard::Sources), 1);
        w.vm.advance(60);
        s.post(&mut w, mine, 110_000.0);
        refuses(&mut w, BallastError::TooFewSources, |w| s.refresh(w, &[mine]));
    }
    // Where the primary may stand alone no other source does.
    let mut w = world();
    let s = Sources::bind(&mut w, BTC, 3, |feed| feed.limits.primary_alone = true);
    w.vm.advance(61);
    for (mine, price) in [(1, 100_100.0), (2, 99_900.0)] {
        s.post(&mut w, mine, price);
        refuses(&mut w, BallastError::TooFewSources, |w| s.refresh(w, &[mine]));
    }
    // And the primary's price moves no faster, and stays near the slow price, for being alone.
    s.post(&mut w, 0, 120_000.0);
    refuses(&mut w, BallastError::PriceTooFast, |w| s.refresh(w, &[0]));
    s.post(&mut w, 0, 110_000.0);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
}

/// The chain's clock stands still while slots go by: an update of 300 slots ago is as old as one may be.
#[test]
fn attack_a_clock_that_stalls() {
    let mut w = world();
    w.vm.advance(10);
    w.post_price(BTC, 101_000.0);
    let posted_in = w.vm.clock().slot;
    let at_slot = |w: &mut World, slot| {
        let mut clock: Clock = w.vm.clock();
        clock.slot = slot;
        w.vm.svm.set_sysvar(&clock);
    };
    at_slot(&mut w, posted_in + 301);
    refuses(&mut w, BallastError::PriceSlotTooOld, |w| w.refresh(&[BTC]));
    at_slot(&mut w, posted_in - 1);
    refuses(&mut w, BallastError::PriceFromFuture, |w| w.refresh(&[BTC]));
    at_slot(&mut w, posted_in + 300);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    // What a source said counts for the others no longer than that, either.
    let (mut w, s) = three();
    let said_in = w.vm.clock().slot - 2; // a second is two slots
    at_slot(&mut w, said_in + 301);
    s.post(&mut w, 0, 100_100.0);
    refuses(&mut w, BallastError::TooFewSources, |w| s.refresh(w, &[0]));
}

/// The clock jumps ahead and comes back: what was taken then is not replaced by what is older, and no older index is taken for new.
#[test]
fn attack_a_clock_that_jumps() {
    let mut w = world();
    w.vm.advance(100);
    w.post_price(BTC, 101_000.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    let back = |w: &mut World, seconds| {
        let mut clock: Clock = w.vm.clock();
        (clock.unix_timestamp, clock.slot) = (clock.unix_timestamp - seconds, clock.slot + 1);
        w.vm.svm.set_sysvar(&clock);
    };
    back(&mut w, 50);
    w.post_price(BTC, 90_000.0);
    refuses(&mut w, BallastError::PriceRegressed, |w| w.refresh(&[BTC]));
    assert_eq!(index(&w, BTC), 101_000 * PRICE);
    w.vm.advance(51);
    w.post_price(BTC, 100_500.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    assert_eq!(index(&w, BTC), 100_500 * PRICE);
}

/// An account that is good for one asset vouches for no other one in the batch.
#[test]
fn attack_a_verdict_used_for_another_feed() {
    let mut w = world();
    w.vm.advance(10);
    w.post_price(BTC, 101_000.0);
    let account = w.price_account(BTC);
    let named = [(BTC, account), (ETH, account), (SOL, account)];
    let outcome = w.vm.send(&[instruction::refresh_prices(&w.exchange, &named)], &[]);
    ok(&w, outcome);
    let prices = [BTC, ETH, SOL].map(|asset| index(&w, asset) / PRICE);
    assert_eq!(prices, [101_000, 3_000, 150]);
    let refused = [BTC, ETH, SOL].map(|asset| refused_by(&w, asset, Guard::Identity));
    assert_eq!(refused, [0, 1, 1]);
}

/// What a feed of Switchboard says is refused when others than the oracles that were bound have a hand in it.
#[test]
fn attack_a_feed_that_others_write() {
    let (mut w, s) = three();
    let (key, time) = (s.feeds[0], (w.vm.now(), w.vm.clock().slot));
    let good = ValueMessage::new(Pubkey::new_from_array([7; 32]), [8; 32], 100_100 * PRICE, time);
    let cases: [(ValueMessage, BallastError); 5] = [
        (
            ValueMessage {
                by_authority: true,
                ..good
            },
            BallastError::FeedNotIndependent,
        ),
        (
            ValueMessage {
                queue: Pubkey::new_from_array([9; 32]),
                ..good
            },
            BallastError::PriceWrongFeed,
        ),
        (ValueMessage { hash: [9; 32], ..good }, BallastError::PriceWrongFeed),
        (ValueMessage { min_samples: 4, ..good }, BallastError::TooFewSamples),
        (ValueMessage { samples: 0, ..good }, BallastError::TooFewSamples),
    ];
    for (message, error) in cases {
        w.post_value(key, &message);
        refuses(&mut w, error, |w| s.refresh(w, &[1]));
    }
    // The same bytes in the account of another feed, or of another program.
    let other = w.vm.keypair().pubkey();
    w.post_value(other, &good);
    let refresh = instruction::refresh_prices(&w.exchange, &[(BTC, other)]);
    refuses(&mut w, BallastError::PriceWrongFeed, |w| w.vm.send(&[refresh], &[]));
    w.vm.put(key, RECEIVERS[0], good.account_data());
    refuses(&mut w, BallastError::PriceWrongLayout, |w| s.refresh(w, &[1]));
    w.post_value(key, &good);
    let outcome = s.refresh(&mut w, &[1]);
    ok(&w, outcome);
}

/// An old update posted once more, into a new account, is as old as it was.
#[test]
fn attack_an_old_update_posted_again() {
    let mut w = world();
    w.vm.advance(10);
    let old = PriceMessage::new(w.feed_id(BTC), 90_000.0, w.vm.now());
    w.vm.advance(1);
    w.set_prices(&[(BTC, 101_000.0)]);
    let account = posted(&mut w, &old);
    let refresh = instruction::refresh_prices(&w.exchange, &[(BTC, account)]);
    refuses(&mut w, BallastError::PriceRegressed, |w| {
        w.vm.send(std::slice::from_ref(&refresh), &[])
    });
    w.vm.advance(60);
    refuses(&mut w, BallastError::StalePrice, |w| w.vm.send(&[refresh], &[]));
    assert_eq!(index(&w, BTC), 101_000 * PRICE);
}

/// A source of one asset is no other one's: not when it is bound, and not when it is passed.
#[test]
fn attack_a_source_posted_for_another_asset() {
    let (mut w, s) = three();
    let mut feed = config::feed(w.feed_id(ETH));
    feed.sources.push(switchboard(s.feeds[0]));
    refuses(&mut w, BallastError::AlreadyListed, |w| w.set_sources(ETH, feed));
    let feed = config::feed(w.feed_id(BTC));
    refuses(&mut w, BallastError::AlreadyListed, |w| w.set_sources(ETH, feed));
    let feeds = Sources::bind(&mut w, ETH, 3, |_| {}).feeds;
    s.post(&mut w, 1, 100_100.0);
    for (asset, account, error) in [
        (ETH, s.feeds[0], BallastError::PriceWrongFeed),
        (ETH, w.price_account(BTC), BallastError::PriceWrongFeed),
        (SOL, s.feeds[0], BallastError::PriceWrongOwner), // which has no feed of Switchboard at all
        (BTC, feeds[0], BallastError::PriceWrongOwner),   // which nobody has posted to
    ] {
        let refresh = instruction::refresh_prices(&w.exchange, &[(asset, account)]);
        refuses(&mut w, error, |w| w.vm.send(&[refresh], &[]));
    }
}

/// Two sources that agree take the index 45 % down at once, whatever the slow price; what it says still counts for whoever wants something.
#[test]
fn attack_a_split_that_two_sources_agree_on() {
    let mut w = world();
    let (attacker, maker) = pair(&mut w, 10_100);
    let sources = Sources::bind(&mut w, BTC, 2, |feed| {
        feed.sources.iter_mut().for_each(|s| s.max_step_ppm = 1_000_000);
    });
    let short: &User = &attacker;
    sources.set(&mut w, &[100_000.0, 100_000.0]);
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    trade(&mut w, BTC_PERP, short, &maker, -10_000, 100_000.0);
    sources.set(&mut w, &[55_000.0, 55_000.0]);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    let s = w.summary(&short.account.margin_account);
    // A gain of 45,000 by the index, none by the slow price; less fees and the lock.
    assert_eq!(s.unrealised, (45_000 - 50) * DOLLAR);
    assert_eq!(s.equity_initial, 10_048 * DOLLAR);
    let usd = w.usd;
    // 5,500 of margin at the index are held; the gain leaves nowhere.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(short, &usd, 4_548 * USD + 1)
    });
    let key = short.account.margin_account;
    refuses(&mut w, BallastError::NothingToSettle, |w| w.settle(&key, &[BTC_PERP]));
    let outcome = w.withdraw(short, &usd, 4_548 * USD);
    ok(&w, outcome);
}
