//! The kernel's error against 50-digit arithmetic. `cargo test -p ballast-fixed --test kernel accuracy -- --nocapture` prints it.
use crate::reference::{exact, Exact};
use crate::sample::{edges, Point, Random, STATED, WHOLE};
use crate::wide::Wide;
use ballast_fixed::kernel::{call, greeks, put, ERROR, Q48};

/// What the methodology asks for, of max(F, K); the kernel promises [`ERROR`], which is less.
const PRICE_LIMIT: f64 = 1e-12;
const GREEK_LIMIT: f64 = 1e-9;
const NAMES: [&str; 6] = ["call", "put", "delta", "gamma", "vega", "theta"];

fn wide(x: Q48) -> Wide {
    Wide::scaled(x.0, 48)
}

/// The errors of all results. Prices: of max(F, K). Delta: absolute. Gamma: of 1/(v·max(F, K)), vega: of K·√T, theta: of K·v/2T; all
/// three are errors of the density φ, whose largest value is 0.4.
pub fn errors(point: &Point, expected: &Exact) -> [f64; 6] {
    let (moneyness, volatility) = (point.moneyness(), point.volatility());
    let found = greeks(&moneyness, &volatility, point.years());
    let one = Wide::from(1);
    let larger = if (expected.ratio - one).is_negative() {
        one
    } else {
        expected.ratio
    };
    let error = |a: Q48, b: Wide| (wide(a) - b).abs();
    let v = expected.deviation;
    let gamma = error(found.gamma, expected.gamma) * v * larger;
    let theta = error(found.theta, expected.theta) * (expected.years + expected.years) / v;
    [
        error(call(&moneyness, &volatility), expected.call) / larger,
        error(put(&moneyness, &volatility), expected.put) / larger,
        error(found.delta, expected.delta),
        gamma,
        error(found.vega, expected.vega) / expected.years.sqrt(),
        theta,
    ]
    .map(Wide::to_f64)
}

/// Checks every point and prints the worst of each result.
fn measure(name: &str, points: impl Iterator<Item = Point>) -> usize {
    let bound = ERROR.0 as f64 * 2f64.powi(-48);
    let mut worst: [(f64, Option<Point>); 6] = [(0.0, None); 6];
    let mut count = 0;
    for point in points {
        count += 1;
        for (i, error) in errors(&point, &exact(&point)).into_iter().enumerate() {
            let limit = if i < 2 { bound.min(PRICE_LIMIT) } else { GREEK_LIMIT };
            assert!(error <= limit, "{}: {error:e} at {point:?}", NAMES[i]);
            if error >= worst[i].0 {
                worst[i] = (error, Some(point));
            }
        }
    }
    for (name, (error, point)) in NAMES.iter().zip(worst) {
        println!("  {name}: {error:.2e} at {point:?}");
    }
    println!("{name}: {count} points");
    count
}

#[test]
fn prices_and_greeks_over_the_stated_domain() {
    let mut random = Random(1);
    measure("log-uniform", (0..100_000).map(|_| STATED.anywhere(&mut random)));
}

#[test]
fn prices_and_greeks_where_options_have_time_value() {
    let mut random = Random(2);
    measure(
        "within nine deviations",
        (0..100_000).map(|_| STATED.near_the_money(&mut random)),
    );
}

#[test]
fn prices_and_greeks_after_a_shock() {
    let mut random = Random(3);
    measure("shocked", (0..20_000).map(|_| STATED.shocked(&mut random)));
}

#[test]
fn prices_and_greeks_at_the_edges_and_the_joints_of_the_table() {
    let mut random = Random(4);
    let joints = (0..10_000).map(|_| STATED.at_a_joint(&mut random));
    measure("edges and joints", edges().into_iter().chain(joints));
}

#[test]
fn prices_and_greeks_in_the_last_hour_and_at_low_volatility() {
    let mut random = Random(5);
    measure("whole domain", (0..20_000).map(|_| WHOLE.near_the_money(&mut random)));
}
