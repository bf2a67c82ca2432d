//! A dead feed's last price as money: borrowed on, or used to carry what is taken over.
use ballast::error::BallastError;
use ballast::state::QUOTE_ASSET;
use ballast_sim::world::{World, BTC};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

use crate::support::*;

/// A day without a price of SOL.
fn a_day_without_sol(w: &mut World, btc: f64) {
    w.vm.advance(DAY);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, btc)]);
}

/// SOL was at 150 when its feed died a day ago: 1,000 of it may be worth anything now.
#[test]
fn attack_borrowing_on_a_dead_price() {
    let mut w = world();
    trader(&mut w, 1_000_000);
    let attacker = trader(&mut w, 0);
    let (usd, sol) = (w.usd, w.sol);
    a_day_without_sol(&mut w, 100_000.0);
    deposit(&mut w, &attacker, &sol, 1_000 * SOL_UNIT);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&attacker, &usd, 80_000 * USD)
    });
}

/// A loan on live and dead collateral: the live one may not leave.
#[test]
fn attack_leaving_a_debt_on_dead_collateral() {
    let mut w = world();
    trader(&mut w, 1_000_000);
    let attacker = trader(&mut w, 0);
    let (usd, btc, sol) = (w.usd, w.btc, w.sol);
    deposit(&mut w, &attacker, &btc, BTC_UNIT);
    let outcome = w.withdraw(&attacker, &usd, 70_000 * USD);
    ok(&w, outcome);
    deposit(&mut w, &attacker, &sol, 1_000 * SOL_UNIT);
    a_day_without_sol(&mut w, 100_000.0);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&attacker, &btc, BTC_UNIT)
    });
}

/// What a block trade refuses because only a dead price would carry it, a take-over refuses as well.
#[test]
fn attack_taking_over_on_a_dead_price() {
    let mut w = world();
    let d = distress(&mut w, 100_000.0);
    let attacker = trader(&mut w, 0);
    let sol = w.sol;
    deposit(&mut w, &attacker, &sol, 1_000 * SOL_UNIT);
    a_day_without_sol(&mut w, 93_000.0);
    flag(&mut w, &d.victim);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 93_000.0)]);
    w.update_due_funding([BTC_PERP]);
    refuses(&mut w, BallastError::ReduceOnly, |w| {
        w.trade(BTC_PERP, &attacker, &d.maker, 1_000, 93_000.0)
    });
    refuses(&mut w, BallastError::LiquidatorMargin, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &attacker, 1_000)
    });
}
