//! Prices never fall as volatility rises, and calls never fall, puts never rise, as the forward does.
use crate::sample::{Point, Random, WHOLE};
use ballast_fixed::kernel::{call, put, Q48};
use ballast_fixed::{Price, Ratio};

/// The call and the put.
fn prices(point: &Point) -> (Q48, Q48) {
    let (moneyness, volatility) = (point.moneyness(), point.volatility());
    (call(&moneyness, &volatility), put(&moneyness, &volatility))
}

fn with_sigma(point: &Point, step: i64) -> Point {
    let sigma = Ratio((point.sigma.0 + step).min(10_000_000_000));
    Point { sigma, ..*point }
}

fn with_forward(point: &Point, step: i64) -> Point {
    let forward = Price(point.forward.0 + step);
    Point { forward, ..*point }
}

/// Points near the money and at the joints of the table of Φ by turns.
fn points(seed: u64, count: usize) -> impl Iterator<Item = Point> {
    let mut random = Random(seed);
    (0..count).map(move |i| {
        if i % 2 == 0 {
            WHOLE.near_the_money(&mut random)
        } else {
            WHOLE.at_a_joint(&mut random)
        }
    })
}

#[test]
fn in_volatility_at_its_resolution_of_a_billionth_and_above() {
    for point in points(11, 400_000) {
        let before = prices(&point);
        for step in [1, 2, 10, 1_000, 1_000_000, 100_000_000] {
            let after = prices(&with_sigma(&point, step));
            assert!(after.0 >= before.0 && after.1 >= before.1, "{point:?} + {step}");
        }
    }
}

#[test]
fn in_volatility_over_hundreds_of_neighbours() {
    for point in points(12, 4_000) {
        let mut before = prices(&point);
        for step in 1..=200 {
            let after = prices(&with_sigma(&point, step));
            assert!(after.0 >= before.0 && after.1 >= before.1, "{point:?} + {step}");
            before = after;
        }
    }
}

#[test]
fn in_the_forward_for_moves_of_a_hundred_billionth_of_it_and_above() {
    for point in points(13, 400_000) {
        let before = prices(&point);
        for part in [1e-11, 1e-10, 1e-9, 1e-6, 1e-3] {
            // Where prices are small, at least one unit of them.
            let step = (point.forward.0 as f64 * part).ceil() as i64;
            let after = prices(&with_forward(&point, step));
            assert!(after.0 >= before.0 && after.1 <= before.1, "{point:?} + {step}");
        }
    }
}

#[test]
fn in_the_forward_for_smaller_moves_to_two_units() {
    for point in points(14, 400_000) {
        let before = prices(&point);
        // Two units for each time the strike that the forward is.
        let slack = 2 * (1 + point.forward.0 / point.strike.0);
        for step in [1, 10, 100, 1_000] {
            let after = prices(&with_forward(&point, step));
            let falls = before.0 .0 - after.0 .0;
            let rises = after.1 .0 - before.1 .0;
            assert!(falls <= slack && rises <= slack, "{point:?} + {step}: {falls}, {rises}");
        }
    }
}
