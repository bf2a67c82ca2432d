//! What prices truly were: hourly rows of a day on which markets fell, or made-up ones where there are none.
use std::path::PathBuf;

use ballast_sim::prices::{builtin, date, parse, Series, HOUR};
use ballast_sim::world::START;

/// Assets: BTC, ETH and SOL.
pub const ASSETS: usize = 3;
const FILES: [&str; ASSETS] = ["btc-usd-1h.csv", "eth-usd-1h.csv", "sol-usd-1h.csv"];

/// True prices over a window.
pub struct Path {
    /// What it is a path of.
    pub name: String,
    /// Begin, unix seconds.
    pub from: i64,
    /// End, unix seconds.
    pub to: i64,
    series: [Series; ASSETS],
}

impl Path {
    /// `hours` from `hour` of a day on, out of the folder of prices beside the repository; `None` where there is no such folder.
    pub fn of_day(day: &str, hour: i64, hours: i64) -> Option<Path> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        let series = FILES.map(|file| {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            Some(parse(&text).expect("hourly prices"))
        });
        let [Some(btc), Some(eth), Some(sol)] = series else {
            return None;
        };
        let from = date::parse(day).expect("a day") + hour * HOUR;
        Some(Path {
            name: format!("{day} from {hour}:00 UTC"),
            from,
            to: from + hours * HOUR,
            series: [btc, eth, sol],
        })
    }

    /// The twelve hours that the demo replays.
    pub fn built_in() -> Path {
        let from = START;
        Path {
            name: "the built-in prices".into(),
            from,
            to: from + 12 * HOUR,
            series: [
                builtin(from, 100_000.0, 1.0),
                builtin(from, 3_000.0, 1.3),
                builtin(from, 150.0, 1.5),
            ],
        }
    }

    /// Its first hours.
    pub fn first(self, hours: i64) -> Path {
        Path {
            to: self.from + hours * HOUR,
            ..self
        }
    }

    /// The price in dollars. Before an asset's first hour it stands.
    pub fn at(&self, asset: usize, time: i64) -> f64 {
        self.series[asset].at(time)
    }

    /// The farthest that the price was at any second of the last `seconds` from where it is, dollars.
    pub fn drift(&self, asset: usize, time: i64, seconds: i64) -> f64 {
        let now = self.at(asset, time);
        let past = (time - seconds..=time).map(|t| (self.at(asset, t) - now).abs());
        past.fold(0.0, f64::max)
    }
}
