//! Attacks by packages: what one leg breaks no other leg hides.
use ballast::error::BallastError;
use ballast::state::MarginAccount;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{Outcome, User, World};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// A package of these (instrument, lots, dollars).
fn send(w: &mut World, legs: &[(usize, i64, i64)], taker: &User, maker: &User) -> Outcome {
    let leg = |(instrument, lots, dollars): &(usize, i64, i64)| Leg {
        instrument: *instrument,
        lots: *lots,
        price: dollars * PRICE,
    };
    let legs: Vec<_> = legs.iter().map(leg).collect();
    w.trade_package(taker, maker, &legs)
}

/// Moves quote units from one account to another, as a loss elsewhere would.
fn lose(w: &mut World, from: &User, to: &User, units: i64) {
    let (from, to) = (from.account.margin_account, to.account.margin_account);
    edit::<MarginAccount>(w, &from, |a| a.cash -= units);
    edit::<MarginAccount>(w, &to, |a| a.cash += units);
}

/// A package in which one leg adds is no reduction, whatever the others do.
#[test]
fn attack_new_risk_among_reductions() {
    let mut w = world();
    let (taker, maker) = (trader(&mut w, 10_152), trader(&mut w, 1_000_000));
    trade(&mut w, BTC_PERP, &taker, &maker, 10_000, 100_000.0);
    lose(&mut w, &taker, &maker, 1_100_000_000); // E 9,000 against an IM of 10,000 and an MM of 7,150
    let legs = [(BTC_PERP, -100, 100_000), (ETH_PERP, 100, 3_000)];
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        send(w, &legs, &taker, &maker)
    });
    // Nor is what turns a position over.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        send(w, &[(BTC_PERP, -19_999, 100_000)], &taker, &maker)
    });
    let outcome = send(&mut w, &legs[..1], &taker, &maker);
    ok(&w, outcome);
}

/// Each side's costs add up over the legs: what one of them loses off the mark another can't hide.
#[test]
fn attack_a_loss_off_the_mark_in_one_of_two_reductions() {
    let mut w = world();
    let (taker, maker) = (trader(&mut w, 22_702), trader(&mut w, 1_000_000));
    let open = [(BTC_PERP, 10_000, 100_000), (ETH_PERP, 33_000, 3_000)];
    let outcome = send(&mut w, &open, &taker, &maker);
    ok(&w, outcome);
    lose(&mut w, &taker, &maker, 5_600_500_000); // E 17,000, IM 22,375, MM 15,961
    let exchange = w.exchange.key;
    edit::<ballast::state::Exchange>(&mut w, &exchange, |e| e.limits.price_band_ppm = 100_000);
    // A fifth of both frees 3,192.20 of MM, of which 957.66 may be lost. The fee on ETH is 9.90, that on BTC 9.53.
    // At 95,308 the BTC leg loses 938.40, in all 957.83; at 95,309 it loses 938.20, in all 957.63.
    let close = |price| [(BTC_PERP, -2_000, price), (ETH_PERP, -6_600, 3_000)];
    refuses(&mut w, BallastError::ReductionTooCostly, |w| {
        send(w, &close(95_308), &taker, &maker)
    });
    let outcome = send(&mut w, &close(95_309), &taker, &maker);
    ok(&w, outcome);
}
