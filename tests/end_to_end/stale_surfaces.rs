//! A volatility surface that nobody publishes any more: marks stay on the last one, and its volatility shocks widen for new risk, not for
//! a liquidation.
//!
//! Calls on ETH at 3,000 struck there, with thirty days to go at the moment of the look and σ = 65 %: 222.705451 dollars a piece. An hour
//! old, the surface's shocks are twice as wide, half way there (2,250 seconds) one and a half times: 40 % up become 60 and 80 %, 25 % down
//! 37.5 and 50 %. The requirements are those of the reference implementation of the methodology with these shocks.
use ballast::instructions::Summary;
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_sim::world::{World, ETH};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// The account of somebody who holds ten calls (writes them, when negative) on a surface of this age, and of the same on a fresh one.
fn summaries(units: i64, age: i64) -> (Summary, Summary) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    let expiry = w.vm.now() + 30 * DAY + age;
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 3_000);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let price = (mark(&w, call) * 100.0).floor() / 100.0; // on a tick
    trade(&mut w, call, &user, &maker, units * 1_000, price);
    let published = w.vm.now();
    w.vm.advance(age - 1);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    assert_eq!(w.vm.now(), published + age);
    let key = user.account.margin_account;
    near(mark(&w, call), 222.705_451, 1e-6);
    let stale = w.summary(&key);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    near(mark(&w, call), 222.705_451, 1e-6);
    (stale, w.summary(&key))
}

fn mark(w: &World, instrument: usize) -> f64 {
    let board = w.board();
    let mark = board.mark(&board.instruments[instrument], w.vm.now());
    mark.expect("a mark").0 as f64 / 1e9
}

#[track_caller]
fn near(value: f64, expected: f64, within: f64) {
    assert!((value - expected).abs() <= within, "{value} is not {expected}");
}

fn dollars(units: i64) -> f64 {
    units as f64 / 1e8
}

/// (calls, age, IM, what a call may be worth after the worse shock).
const CASES: [(i64, i64, f64, f64); 6] = [
    (-10, 900, 3_436.764_018, 222.705_451),
    (-10, 2_250, 3_630.456_336, 355.526_979),
    (-10, 3_600, 4_067.636_193, 399.575_833),
    (10, 900, 1_976.730_226, 222.705_451),
    (10, 2_250, 2_134.936_097, 139.313_589),
    (10, 3_600, 2_258.515_471, 111.473_542),
];

#[test]
fn shocks_widen_with_age_for_new_risk() {
    for (units, age, required, shocked) in CASES {
        let (stale, _) = summaries(units, age);
        near(dollars(stale.initial_margin), required, 1e-3);
        // What the options may have lost since the surface stood counts as lost.
        let doubt = (shocked - 222.705_451).abs() * 10.0;
        near(dollars(stale.equity_maintenance - stale.equity_initial), doubt, 1e-3);
    }
}

#[test]
fn a_liquidation_is_judged_on_the_last_surface_as_it_stands() {
    for (units, age, ..) in CASES {
        let (stale, fresh) = summaries(units, age);
        assert_eq!(stale.maintenance_margin, fresh.maintenance_margin, "{units} {age}");
        assert_eq!(stale.equity_liquidation, fresh.equity_liquidation, "{units} {age}");
        assert_eq!(stale.equity_maintenance, fresh.equity_maintenance, "{units} {age}");
        assert_eq!(stale.unrealised, fresh.unrealised, "{units} {age}");
        near(
            dollars(fresh.initial_margin),
            if units < 0 { 3_436.764_018 } else { 1_976.730_226 },
            1e-3,
        );
    }
}

/// From an hour on they stay as wide as they are.
#[test]
fn shocks_widen_no_further_than_twice() {
    for units in [-10, 10] {
        let (hour, _) = summaries(units, 3_600);
        let (week, _) = summaries(units, 7 * DAY);
        assert_eq!(week.initial_margin, hour.initial_margin);
        assert_eq!(week.maintenance_margin, hour.maintenance_margin);
    }
}
