//! The calculator's output: JSON in dollars with the field names of the reference margin script.
use crate::compute::Outcome;
use ballast_fixed::Dollars;
use ballast_risk::{AssetReport, RiskError};
use serde_json::{json, Map, Number, Value};

/// The whole answer. `levels` is how many of the levels the input has.
pub fn render(outcome: &Outcome<'_>, levels: usize) -> Result<Value, RiskError> {
    let m = &outcome.margin;
    let assets: Map<String, Value> = (outcome.assets.iter())
        .map(|(asset, report)| (asset.name.clone(), render_asset(report)))
        .collect();
    Ok(json!({
        "IM": dollars(m.initial),
        "MM": dollars(m.maintenance),
        "R": dollars(m.scan),
        "levels": m.levels.iter().take(levels).map(|&l| dollars(l)).collect::<Vec<_>>(),
        "charge": dollars(m.charge),
        "som": dollars(m.short_option_minimum),
        "conc": dollars(m.concentration),
        "nov": dollars(m.net_option_value),
        "buffer": dollars(m.buffer),
        "assets": assets,
        "equity_im": dollars(m.equity_initial),
        "equity_mm": dollars(m.equity_maintenance),
        "equity_w": dollars(m.equity_withdrawal),
        "free": dollars(m.surplus_initial()?),
        "surplus_mm": dollars(m.surplus_maintenance()?),
        "health": m.health_ppb().map(|x| decimal(x, 9)),
        "health_im": m.health_initial_ppb().map(|x| decimal(x, 9)),
        "delta_var99": value_at_risk(outcome),
        "isolated_IM": dollars(outcome.isolated),
    }))
}

fn render_asset(a: &AssetReport) -> Value {
    json!({
        "scan": dollars(a.scan),
        "worst_scenario": a.worst_scenario,
        "bucket_sum": dollars(a.bucket_sum),
        "matched_d1": dollars(a.matched_linear),
        "matched_all": dollars(a.matched_all),
        "spread": dollars(a.spread),
        "vega": dollars(a.vega),
        "charge": dollars(a.charge),
        "som": dollars(a.short_option_minimum),
        "nov": dollars(a.net_option_value),
        "conc": dollars(a.concentration),
        "buffer": dollars(a.buffer),
        "net_delta": dollars(a.net_delta),
        "pnl": a.pnl.iter().map(|&x| dollars(Dollars(x))).collect::<Vec<_>>(),
    })
}

fn dollars(amount: Dollars) -> Value {
    decimal(amount.0, 8)
}

/// value / 10^places, exact, without trailing zeros.
pub fn decimal(value: i64, places: u32) -> Value {
    let unit = 10u64.pow(places);
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let sign = if value < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{fraction:0width$}", width = places as usize);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    // A decimal text is always a JSON number.
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// The one-day 99 % delta-normal value at risk: a report, in floating point, and no part of the requirement (section 4).
fn value_at_risk(outcome: &Outcome<'_>) -> f64 {
    let terms: Vec<(&str, f64)> = (outcome.assets.iter())
        .map(|(asset, report)| {
            (
                asset.name.as_str(),
                report.net_delta.0 as f64 / 1e8 * asset.daily_volatility,
            )
        })
        .collect();
    let mut variance = 0.0;
    for (a, x) in &terms {
        for (b, y) in &terms {
            let correlation = match (*a, *b) {
                (a, b) if a == b => 1.0,
                ("BTC", "ETH") | ("ETH", "BTC") => 0.85,
                _ => 0.8,
            };
            variance += correlation * x * y;
        }
    }
    2.326_347_874 * variance.max(0.0).sqrt()
}
