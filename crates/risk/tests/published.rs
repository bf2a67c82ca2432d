//! Published cases: other exchanges' and textbooks' scans and charges, and whole portfolios margined by an independent
//! floating-point implementation.
#[path = "../examples/margin/compute.rs"]
mod compute;
#[path = "../examples/margin/decimal.rs"]
#[allow(dead_code)]
mod decimal;
#[path = "../examples/margin/input.rs"]
#[allow(dead_code)]
mod input;
#[path = "../examples/margin/options.rs"]
mod options;
#[path = "../examples/margin/output.rs"]
mod output;
#[path = "../examples/margin/parameters.rs"]
mod parameters;

use ballast_fixed::{Dollars, Notional, Ratio};
use ballast_risk::scenario::{worst_loss, worst_scenario, TABLE};
use ballast_risk::{defaults, AssetBook, AssetParams, AssetReport, Bucket, PortfolioParams, PriceState, SCENARIOS};
use serde_json::Value;

/// McMillan, Options as a Strategic Investment, chapter 34 (SPAN on S&P 500 futures): a covered write.
#[test]
fn span_scans_a_covered_write() {
    let future = [
        0, 0, 3_330, 3_330, -3_330, -3_330, 6_670, 6_670, -6_670, -6_670, 10_000, 10_000, -10_000, -10_000, 7_000,
        -7_000,
    ];
    let call = [
        460, -610, 2_640, 1_730, -1_270, -2_340, 5_210, 4_540, -2_540, -3_430, 8_060, 7_640, -3_380, -3_990, 3_130,
        -1_500,
    ];
    let mut pnl = [0; SCENARIOS];
    for ((sum, f), c) in pnl.iter_mut().zip(future).zip(call) {
        *sum = f - c;
    }
    assert_eq!(worst_loss(&pnl), Ok(Dollars(6_620)));
    assert_eq!(worst_scenario(&pnl), 12); // the book counts from 1
}

/// Paradex weighs a shock beyond the scan range by range / |shock|.
#[test]
fn extremes_weigh_as_on_paradex() {
    for row in &TABLE[14..20] {
        assert_eq!(i32::from(row.thirds.unsigned_abs()), 3 * i32::from(row.divisor));
    }
}

/// Deribit's 2019 edition: futures against each other keep a contingency of 1 % of the matched amount; 100 against 100 BTC, 1 BTC.
#[test]
fn matched_futures_keep_a_contingency() {
    let params = AssetParams {
        spread: Ratio::ZERO,
        basis: Ratio(10_000_000),
        ..defaults::BTC
    };
    let mut book = AssetBook::new(&params, &PortfolioParams::DEFAULT, PriceState::default());
    for (bucket, value) in [(Bucket::Expiry(0), 100), (Bucket::Expiry(1), -100)] {
        let value = Notional::from_dollars(Dollars(value * 100_000_000));
        book.add_linear(bucket, value, value, Notional::ZERO).unwrap();
    }
    let mut out = AssetReport::default();
    book.finish(&mut out).unwrap();
    assert_eq!(out.charge, Dollars(100_000_000));
}

fn engine(inputs: &Value) -> Value {
    let input = input::read(&inputs.to_string()).unwrap();
    let outcome = compute::compute(&input).unwrap();
    output::render(&outcome, input.levels).unwrap()
}

/// Quantities and prices of these have up to 17 digits, and the engine's end at 10⁻⁹.
fn compare(place: &str, ours: &Value, theirs: &Value, tolerance: f64) {
    match theirs {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            // Per asset: {"scan": {"BTC": …}}.
            compare(&format!("{place} {name}"), &ours[name], value, tolerance);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, value)| {
            compare(&format!("{place} {i}"), &ours[i], value, tolerance);
        }),
        value => {
            let number = |v: &Value| v.as_f64().unwrap_or_else(|| panic!("{place}: {v} is no number"));
            let (a, b) = (number(ours), number(value));
            assert!(
                (a - b).abs() <= tolerance * b.abs().max(1.0),
                "{place}: {a} against {b}"
            );
        }
    }
}

#[test]
fn the_reference_portfolios_come_out() {
    let vectors: Value = serde_json::from_str(include_str!("reference_portfolios.json")).unwrap();
    let mut checked = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let ours = engine(&vector["inputs"]);
        let by_asset = |field: &str| -> Value {
            let assets = ours["assets"].as_object().unwrap();
            assets
                .iter()
                .map(|(name, a)| (name.clone(), a[field].clone()))
                .collect()
        };
        let tolerance = vector["tolerance"].as_f64().unwrap();
        for (field, theirs) in vector["expected"].as_object().unwrap() {
            let place = format!("{} {field}", vector["name"]);
            let value = match (field.as_str(), theirs) {
                ("isolated", _) => ours["isolated_IM"].clone(),
                ("scan" | "pnl", Value::Object(_)) => by_asset(field),
                ("scan", _) => ours["R"].clone(),
                ("pnl", _) => ours["assets"]["ETH"]["pnl"].clone(),
                _ => ours[field].clone(),
            };
            compare(&place, &value, theirs, tolerance);
        }
        checked += 1;
    }
    assert_eq!(checked, 13);
}
