//! Whom and what `fill_quote` refuses. What is refused uses nothing up: every refusal leaves all accounts as they were.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::quote::ED25519_PROGRAM;
use ballast::state::{MarginAccount, QUOTE_ASSET};
use ballast_client::quote::{self, Quote, QuoteLeg};
use ballast_sim::world::{sign, Outcome, User, World};
use ballast_tests::refusal::{checks_accounts_behind, refuses, refuses_by_anchor};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::fill_quote::{leg, quoting};

/// Two legs that both sides can afford.
fn two_legs(w: &World, maker: &User) -> Quote {
    let legs = [leg(BTC_FUTURE, 100, 100_000), leg(ETH_FUTURE, -100, 3_000)];
    w.quote(maker, 5, &legs)
}

/// Proof and fill of a quote signed by the maker, with one unit.
fn pair_of(w: &World, quote: &Quote, taker: &User, maker: &User) -> [Instruction; 2] {
    let markets: Vec<Pubkey> = quote
        .legs
        .iter()
        .map(|l| w.markets[usize::from(l.instrument)])
        .collect();
    let signed = sign(quote, &maker.key);
    quote::fill_quote(&w.exchange, &signed, &markets, &taker.account, &maker.account, 1)
}

/// The fill behind a proof of these bytes.
fn with_message(w: &mut World, message: &[u8], key: &Keypair, taker: &User, maker: &User) -> Outcome {
    let right = two_legs(w, maker);
    let [_, fill] = pair_of(w, &right, taker, maker);
    let proof = quote::prove(message, &key.pubkey(), key.sign_message(message).as_array());
    w.vm.send(&[proof, fill], &[&taker.key])
}

#[test]
fn checks_accounts() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let quote = two_legs(&w, &maker);
    let [proof, fill] = pair_of(&w, &quote, &taker, &maker);
    let declared = fill.accounts.len() - 1;
    checks_accounts_behind(&mut w, std::slice::from_ref(&proof), &fill, declared, &[&taker.key]);
    let foreign = second_exchange(&mut w);
    let theirs = foreign.open(&mut w, &taker);
    let their_maker = foreign.open(&mut w, &maker);
    let stranger = trader(&mut w, 0);
    let outcome = w.open_quotes(&stranger);
    ok(&w, outcome);
    let wrong = |at: usize, key: Pubkey| {
        let mut wrong = fill.clone();
        wrong.accounts[at].pubkey = key;
        [proof.clone(), wrong]
    };
    let market = w.markets[BTC_FUTURE];
    let copied_market = copy_account(&mut w, &market);
    for (at, key, error) in [
        (1, foreign.exchange.board, BallastError::WrongBoard),
        (2, foreign.markets[0], BallastError::WrongExchange),
        (2, copied_market, BallastError::WrongMarket),
        (3, theirs.margin_account, BallastError::WrongExchange),
        (4, stranger.account.owner, BallastError::WrongOwnerRecord),
        (6, their_maker.margin_account, BallastError::WrongExchange),
        (7, stranger.account.owner, BallastError::WrongOwnerRecord),
        (
            8,
            w.exchange.quote_ledger(&stranger.account.margin_account),
            BallastError::WrongQuoteLedger,
        ),
        (9, stranger.account.owner, BallastError::QuoteNotProved),
    ] {
        let both = wrong(at, key);
        refuses(&mut w, error, |w| w.vm.send(&both, &[&taker.key]));
    }
    let outcome = w.vm.send(&[proof, fill], &[&taker.key]);
    ok(&w, outcome);
}

#[test]
fn a_maker_without_a_ledger_has_no_quotes() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 100_000);
    let quote = two_legs(&w, &maker);
    let both = pair_of(&w, &quote, &taker, &maker);
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.vm.send(&both, &[&taker.key])
    });
}

#[test]
fn the_proof_stands_right_in_front() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let quote = two_legs(&w, &maker);
    let [proof, fill] = pair_of(&w, &quote, &taker, &maker);
    let none = Instruction {
        data: vec![0, 0],
        ..proof.clone()
    };
    for wrong in [
        vec![fill.clone()],
        vec![fill.clone(), proof.clone()],
        vec![none.clone(), fill.clone()],
        vec![proof.clone(), none, fill.clone()],
    ] {
        refuses(&mut w, BallastError::QuoteNotProved, |w| {
            w.vm.send(&wrong, &[&taker.key])
        });
    }
    assert_eq!(proof.program_id, ED25519_PROGRAM);
    let outcome = w.vm.send(&[proof, fill], &[&taker.key]);
    ok(&w, outcome);
}

#[test]
fn only_a_whole_quote_is_a_quote() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let bytes = two_legs(&w, &maker).encode();
    let key = maker.key.insecure_clone();
    let mut longer = bytes.clone();
    longer.push(0);
    let mut other_version = bytes.clone();
    other_version[15] = b'2';
    for wrong in [&bytes[..bytes.len() - 1], &longer, &other_version, &[]] {
        refuses(&mut w, BallastError::QuoteMalformed, |w| {
            with_message(w, wrong, &key, &taker, &maker)
        });
    }
    let outcome = with_message(&mut w, &bytes, &key, &taker, &maker);
    ok(&w, outcome);
}

#[test]
fn refuses_other_parties() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let other = trader(&mut w, 100_000);
    let outcome = w.open_quotes(&other);
    ok(&w, outcome);
    let right = two_legs(&w, &maker);
    let fill = |w: &mut World, quote: &Quote, key: &Keypair, taker: &User, maker: &User| {
        w.fill_quote(&sign(quote, key), taker, &maker.account, 1)
    };
    let key = maker.key.insecure_clone();
    let elsewhere = Quote {
        exchange: second_exchange(&mut w).exchange.key,
        ..right.clone()
    };
    refuses(&mut w, BallastError::WrongExchange, |w| {
        fill(w, &elsewhere, &key, &taker, &maker)
    });
    // A quote of the maker's on another maker's account, and the other way round.
    refuses(&mut w, BallastError::QuoteWrongAccount, |w| {
        fill(w, &right, &key, &taker, &other)
    });
    let for_other = Quote {
        taker: other.account.margin_account,
        ..right.clone()
    };
    refuses(&mut w, BallastError::QuoteWrongAccount, |w| {
        fill(w, &for_other, &key, &taker, &maker)
    });
    // Signed by the taker, or by nobody's delegate.
    for stranger in [taker.key.insecure_clone(), w.vm.keypair()] {
        refuses(&mut w, BallastError::NotTrader, |w| {
            fill(w, &right, &stranger, &taker, &maker)
        });
    }
    // Sent by somebody who may not trade for the taker.
    let [proof, mut sent] = pair_of(&w, &right, &taker, &maker);
    sent.accounts[5] = AccountMeta::new_readonly(other.key.pubkey(), true);
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[proof, sent], &[&other.key])
    });
    // The maker itself, and another account of its wallet.
    refuses(&mut w, BallastError::SelfTrade, |w| {
        fill(w, &right, &key, &maker, &maker)
    });
    let outcome = w.open(&maker, 1);
    ok(&w, outcome);
    let mut second = maker.account;
    second.margin_account = w.exchange.margin_account(&maker.key.pubkey(), 1);
    let markets: Vec<Pubkey> = [BTC_FUTURE, ETH_FUTURE].iter().map(|i| w.markets[*i]).collect();
    let own = quote::fill_quote(&w.exchange, &sign(&right, &key), &markets, &second, &maker.account, 1);
    refuses(&mut w, BallastError::SelfTrade, |w| w.vm.send(&own, &[&maker.key]));
}

#[test]
fn refuses_other_instruments() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let right = two_legs(&w, &maker);
    let [proof, fill] = pair_of(&w, &right, &taker, &maker);
    let last = fill.accounts.len() - 1;
    let with = |change: &dyn Fn(&mut Vec<AccountMeta>)| {
        let mut wrong = fill.clone();
        change(&mut wrong.accounts);
        [proof.clone(), wrong]
    };
    let (btc, eth, sol) = (w.markets[BTC_FUTURE], w.markets[ETH_FUTURE], w.markets[SOL_FUTURE]);
    let forged = copy_account(&mut w, &eth);
    for (error, wrong) in [
        (
            BallastError::QuoteWrongInstrument,
            with(&|a| (a[2].pubkey, a[last].pubkey) = (eth, btc)),
        ),
        (BallastError::QuoteWrongInstrument, with(&|a| a[last].pubkey = sol)),
        (BallastError::QuoteWrongInstrument, with(&|a| a[2].pubkey = sol)),
        (BallastError::UnexpectedAccount, with(&|a| a[last].pubkey = btc)),
        (BallastError::WrongMarket, with(&|a| a[last].pubkey = forged)),
        (BallastError::WrongMarket, with(&|a| a[last].is_writable = false)),
        (BallastError::MarketMissing, with(&|a| a.truncate(last))),
        (
            BallastError::MarketMissing,
            with(&|a| a.push(AccountMeta::new(sol, false))),
        ),
    ] {
        refuses(&mut w, error, |w| w.vm.send(&wrong, &[&taker.key]));
    }
    // Every field of a leg counts.
    for change in [
        (|l: &mut QuoteLeg| l.generation += 1) as fn(&mut QuoteLeg),
        |l| l.generation -= 1,
        |l| l.instrument = 0,
    ] {
        let mut other = right.clone();
        change(&mut other.legs[1]);
        let [proof, _] = pair_of(&w, &other, &taker, &maker);
        let both = [proof, fill.clone()];
        refuses(&mut w, BallastError::QuoteWrongInstrument, |w| {
            w.vm.send(&both, &[&taker.key])
        });
    }
}

#[test]
fn refuses_amounts_that_can_not_be() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let right = two_legs(&w, &maker);
    let fill =
        |w: &mut World, quote: &Quote, units| w.fill_quote(&sign(quote, &maker.key), &taker, &maker.account, units);
    refuses(&mut w, BallastError::ZeroAmount, |w| fill(w, &right, 0));
    let mut empty_leg = right.clone();
    empty_leg.legs[1].lots = 0;
    refuses(&mut w, BallastError::ZeroAmount, |w| fill(w, &empty_leg, 1));
    refuses(&mut w, BallastError::QuoteTooLarge, |w| fill(w, &right, 2));
    let mut huge = right.clone();
    huge.max_units = u64::MAX;
    for units in [u64::MAX, i64::MAX.unsigned_abs(), i64::MAX.unsigned_abs() / 99] {
        refuses(&mut w, BallastError::MathOverflow, |w| fill(w, &huge, units));
    }
}

/// What a block trade of the same legs would be refused for.
#[test]
fn refuses_what_does_not_clear() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let at = |w: &World, lots, price| {
        let mut quote = w.quote(&maker, 5, &[leg(BTC_FUTURE, lots, 100_000)]);
        quote.legs[0].price = price;
        quote
    };
    let fill = |w: &mut World, quote: &Quote| w.fill_quote(&sign(quote, &maker.key), &taker, &maker.account, 1);
    let tick = w.board().instruments[BTC_FUTURE].tick_size;
    for (error, quote) in [
        (BallastError::OffTick, at(&w, 100, 100_000 * PRICE + tick / 2)),
        (BallastError::PriceOutsideBand, at(&w, 100, 102_000 * PRICE + tick)),
        (BallastError::PriceOutsideBand, at(&w, -100, 98_000 * PRICE - tick)),
        // 100,000 of cash carry ten times as much at most.
        (BallastError::InsufficientMargin, at(&w, 110_000, 100_000 * PRICE)),
        (BallastError::InsufficientMargin, at(&w, -110_000, 100_000 * PRICE)),
    ] {
        refuses(&mut w, error, |w| fill(w, &quote));
    }
    // The maker's margin counts as the taker's does.
    set_cash(&mut w, &maker, 50 * USD as i64);
    let quote = at(&w, 100, 100_000 * PRICE);
    refuses(&mut w, BallastError::InsufficientMargin, |w| fill(w, &quote));
    set_cash(&mut w, &maker, 1_000 * USD as i64);
    w.vm.advance(61);
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    let late = at(&w, 100, 100_000 * PRICE);
    refuses(&mut w, BallastError::StalePrice, |w| fill(w, &late));
}

/// Under the maintenance margin there is no signed quote, not even one that reduces.
#[test]
fn refuses_an_account_under_its_maintenance_margin() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 20_000);
    trade(&mut w, BTC_FUTURE, &taker, &maker, 10_000, 100_000.0);
    // MM is 7,150.
    edit::<MarginAccount>(&mut w, &taker.account.margin_account, |a| a.cash -= 13_000_000_000);
    edit::<MarginAccount>(&mut w, &maker.account.margin_account, |a| a.cash += 13_000_000_000);
    let quote = w.quote(&maker, 5, &[leg(BTC_FUTURE, -10_000, 100_000)]);
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 1)
    });
}
