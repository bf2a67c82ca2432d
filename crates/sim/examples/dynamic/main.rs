//! Dynamic parameters over hourly prices: `cargo run -q -p ballast-sim --example dynamic -- DIR`.
//!
//! `DIR` holds `btc-usd-1h.csv`, `eth-usd-1h.csv` and `sol-usd-1h.csv` with the columns `unix_seconds,open,high,low,close`. Every minute the
//! board's computation takes in an index. Printed is on which days ψ_eff rises over ψ, which one-day moves lie beyond either, on which days
//! a correlation falls below its reference, and what other parameters would have done: the figures of docs/oracles.md.
mod correlations;
mod scales;

use ballast_fixed::Price;
use ballast_risk::{defaults, AssetParams};
use ballast_sim::prices::{date, parse, Series, HOUR};
use std::path::Path;
use std::process::ExitCode;

/// An asset and its prices.
pub struct Asset {
    /// As it is printed.
    pub name: &'static str,
    /// The table's parameters.
    pub params: AssetParams,
    /// Hour by hour.
    pub series: Series,
}

/// Where the index is within an hour. The highs and lows are those of one exchange, some of them alone, where the median of several sources
/// would have left them out: what an oracle showed lies between the two.
#[derive(Clone, Copy)]
pub enum Within {
    /// On the straight line from open to close.
    Closes,
    /// On the shortest path through all four prices.
    Extremes,
}

impl Asset {
    /// The index at a time.
    pub fn index(&self, within: Within, time: i64) -> Price {
        let dollars = match within {
            Within::Extremes => self.series.at(time),
            Within::Closes => {
                let begin = time - time.rem_euclid(HOUR);
                let (open, close) = (self.series.at(begin), self.series.at(begin + HOUR - 1));
                open + (close - open) * (time - begin) as f64 / HOUR as f64
            }
        };
        Price((dollars * 1e9) as i64)
    }
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("name the folder of the prices: dynamic -- DIR");
        return ExitCode::FAILURE;
    };
    match load(Path::new(&folder)) {
        Ok(assets) => {
            scales::print(&assets);
            correlations::print(&assets);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn load(folder: &Path) -> Result<[Asset; 3], String> {
    let load = |name, file: &str, params| {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let series = parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok::<_, String>(Asset { name, params, series })
    };
    Ok([
        load("BTC", "btc-usd-1h.csv", defaults::BTC)?,
        load("ETH", "eth-usd-1h.csv", defaults::ETH)?,
        load("SOL", "sol-usd-1h.csv", defaults::SOL)?,
    ])
}

/// `YYYY-MM-DD` of unix seconds.
pub fn day(time: i64) -> String {
    date::format(time)[..10].to_owned()
}

/// Days in a row with the largest value of each, as runs: "first to last value".
pub fn runs(days: &[(i64, f64)]) -> Vec<(i64, i64, f64)> {
    let mut runs: Vec<(i64, i64, f64)> = Vec::new();
    for &(time, value) in days {
        match runs.last_mut() {
            Some((_, last, largest)) if time - *last == date::DAY => (*last, *largest) = (time, largest.max(value)),
            _ => runs.push((time, time, value)),
        }
    }
    runs
}
