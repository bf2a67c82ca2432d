//! Amounts of nothing and of one unit, over and over.
use ballast::error::BallastError;
use ballast_client::instruction;
use ballast_sim::world::{BTC, ETH, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::support::*;

#[test]
fn attack_amounts_of_nothing() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    let (usd, btc) = (w.usd, w.btc);
    refuses(&mut w, BallastError::ZeroAmount, |w| w.deposit(&user, &usd, 0));
    refuses(&mut w, BallastError::ZeroAmount, |w| w.withdraw(&user, &usd, 0));
    refuses(&mut w, BallastError::ZeroAmount, |w| w.withdraw(&user, &btc, 0));
    refuses(&mut w, BallastError::ZeroAmount, |w| {
        w.trade(BTC_PERP, &user, &maker, 0, 100_000.0)
    });
    refuses(&mut w, BallastError::ZeroAmount, |w| w.refresh(&[]));
    let fund = instruction::fund_insurance(&w.exchange, &user.key.pubkey(), &user.usd, 0);
    refuses(&mut w, BallastError::ZeroAmount, |w| w.vm.send(&[fund], &[&user.key]));
    // Dust: a lot of SOL at 15 cents is under a dollar.
    w.set_prices(&[(SOL, 15.0)]);
    refuses(&mut w, BallastError::TradeTooSmall, |w| {
        w.trade(SOL_PERP, &user, &maker, 6, 15.0)
    });
    trade(&mut w, SOL_PERP, &user, &maker, 7, 15.0);
}

/// Numbers at the ends of their range name an error; none wraps around.
#[test]
fn attack_numbers_at_the_ends_of_their_range() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    let (exchange, market, usd) = (w.exchange, w.markets[BTC_PERP], w.usd);
    for lots in [i64::MAX, i64::MIN, i64::MIN + 1, i64::MAX / 100_000] {
        refuses(&mut w, BallastError::MathOverflow, |w| {
            w.trade(BTC_PERP, &user, &maker, lots, 100_000.0)
        });
    }
    for price in [0, -1, i64::MIN, i64::MAX] {
        let trade = instruction::block_trade(&exchange, &market, &user.account, &maker.account, 1, price);
        let code = w.vm.send(&[trade], &[&user.key, &maker.key]).expect_err("refused").code;
        let named = [
            BallastError::OffTick,
            BallastError::PriceOutsideBand,
            BallastError::MathOverflow,
        ];
        assert!(named.iter().any(|e| Some(u32::from(*e)) == code), "{price}: {code:?}");
    }
    for amount in [u64::MAX, i64::MAX as u64 + 1] {
        let code = w.withdraw(&user, &usd, amount).expect_err("refused").code;
        assert_eq!(code, Some(u32::from(BallastError::MathOverflow)));
        refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
            w.deposit(&user, &usd, amount)
        });
    }
}

#[test]
fn attack_one_unit_at_a_time() {
    let mut w = world();
    let (attacker, _) = pair(&mut w, 0);
    let (usd, btc) = (w.usd, w.btc);
    w.give(&attacker, &usd, 100);
    w.give(&attacker, &btc, 100);
    let before = wealth(&w, &[&attacker]);
    for _ in 0..50 {
        for token in [usd, btc] {
            let outcome = w.deposit(&attacker, &token, 1);
            ok(&w, outcome);
            let outcome = w.deposit(&attacker, &token, 1);
            ok(&w, outcome);
            let outcome = w.withdraw(&attacker, &token, 1);
            ok(&w, outcome);
        }
    }
    assert_eq!(wealth(&w, &[&attacker]), before);
    // One unit of BTC backs no unit of cash: 85 % of 0.001 dollars less 7 % are 780 quote units a unit.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&attacker, &usd, 50 + 50 * 780 + 1)
    });
}

/// Hundreds of the smallest trades and settlements at crooked prices: what the group owns never rises.
#[test]
fn attack_rounding_gains_by_many_tiny_trades() {
    let mut w = world();
    let (a, b) = (trader(&mut w, 5_000), trader(&mut w, 5_000));
    w.set_prices(&[(BTC, 99_999.987_654_32), (ETH, 3_000.123_456_78), (SOL, 150.001_234_56)]);
    wait(&mut w, 777); // slow prices between index and index
    let group = [&a, &b];
    let mut last = wealth(&w, &group);
    let ticks = [
        (BTC_PERP, 99_999.9, 0.1),
        (ETH_PERP, 3_000.12, 0.01),
        (SOL_PERP, 150.001, 0.001),
    ];
    for n in 0..300i64 {
        let (instrument, price, tick) = ticks[(n % 3) as usize];
        let lots = 1 + (n * 7) % 3;
        let side = if n / 3 % 2 == 0 { lots } else { -lots };
        let price = price + tick * ((n * 13) % 11 - 5) as f64;
        let (taker, maker) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let outcome = w.trade(instrument, taker, maker, side, price);
        ok(&w, outcome);
        if n % 5 == 0 {
            for user in group {
                let outcome = w.settle(&user.account.margin_account, &[instrument]);
                went_through(&w, outcome);
            }
        }
        let now = wealth(&w, &group);
        assert!(now <= last, "trade {n}: {now} is more than {last}");
        last = now;
    }
    let residual: i64 = (0..w.markets.len()).map(|i| w.market(i).residual).sum();
    assert!(residual >= 0);
}
