//! What the command line asks for, and the prices that follow from it.
use std::path::{Path, PathBuf};

use clap::Parser;

use super::Failure;
use crate::prices::{self, date, Coverage, Series, HOUR};
use crate::world::START;

/// Longest window, days: the dated futures of genesis run for sixty.
const MAX_DAYS: i64 = 55;
/// Cheapest BTC at the start of a replay, dollars: an owner deposits 500 BTC at most, and the replay's accounts bring 100,000 dollars.
const LEAST_BTC: f64 = 250.0;
/// First prices of the built-in series: those of the documents' examples.
const FIRST: [f64; 3] = [100_000.0, 2_500.0, 150.0];
/// How much more than BTC each asset of the built-in series moves.
const BETAS: [f64; 3] = [1.0, 1.2, 1.5];
/// Symbols in the order of the board, and the stems of their files.
pub const SYMBOLS: [&str; 3] = ["BTC", "ETH", "SOL"];

/// The clearing house from nothing to a liquidation, in the Solana VM in process.
#[derive(Parser, Clone, Debug, Default, PartialEq, Eq)]
#[command(name = "demo", version)]
pub struct Options {
    /// Folder with btc-usd-1h.csv, eth-usd-1h.csv and sol-usd-1h.csv (unix_seconds,open,high,low,close) to replay instead of the built-in series
    #[arg(long, value_name = "DIR")]
    pub prices: Option<PathBuf>,
    /// First day of the replay, UTC, as YYYY-MM-DD; the start of btc-usd-1h.csv if left out
    #[arg(long, value_name = "DAY", requires = "prices")]
    pub from: Option<String>,
    /// Last day of the replay, included, UTC, as YYYY-MM-DD; the end of btc-usd-1h.csv if left out
    #[arg(long, value_name = "DAY", requires = "prices")]
    pub to: Option<String>,
    /// The compiled program
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/deploy/ballast.so"))]
    pub program: PathBuf,
}

/// Prices of BTC, ETH and SOL over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    /// By asset.
    pub series: [Series; 3],
    /// Start, unix seconds.
    pub from: i64,
    /// End, unix seconds, not included.
    pub to: i64,
    /// What must be said about them.
    pub notes: Vec<String>,
}

impl Prices {
    /// The prices of BTC, ETH and SOL at `time`, dollars.
    pub fn at(&self, time: i64) -> [f64; 3] {
        [0, 1, 2].map(|asset: usize| self.series[asset].at(time))
    }

    /// Whether the asset has hours in the window.
    pub fn has(&self, asset: u8) -> bool {
        self.series[usize::from(asset)].coverage(self.from, self.to).hours > 0
    }

    /// The built-in series, from six hours after the start of a world: the acts before it take five.
    pub fn builtin() -> Prices {
        let from = START + 6 * HOUR;
        let series = [0, 1, 2].map(|asset| prices::builtin(from, FIRST[asset], BETAS[asset]));
        Prices {
            to: series[0].end(),
            series,
            from,
            notes: vec!["Built-in series, made up. --prices DIR replays hourly CSV files.".into()],
        }
    }

    /// The series in a folder, over the window that the options name.
    ///
    /// # Errors
    /// [`Failure::Input`]: a missing or malformed file, a day that is none, an empty or too long window.
    pub fn load(folder: &Path, options: &Options) -> Result<Prices, Failure> {
        let [btc, eth, sol] = SYMBOLS.map(|symbol| read(folder, symbol));
        let series = [btc?, eth?, sol?];
        let (from, to) = window(&series[0], options.from.as_deref(), options.to.as_deref())?;
        let first = series[0].at(from);
        if first < LEAST_BTC {
            return Err(Failure::Input(format!(
                "BTC starts at {first} dollars; under {LEAST_BTC} the accounts of the replay exceed the deposit caps of genesis"
            )));
        }
        let mut notes = Vec::new();
        for (series, symbol) in series.iter().zip(SYMBOLS) {
            notes.extend(note(symbol, series, series.coverage(from, to), from));
        }
        Ok(Prices {
            series,
            from,
            to,
            notes,
        })
    }
}

fn read(folder: &Path, symbol: &str) -> Result<Series, Failure> {
    let path = folder.join(format!("{}-usd-1h.csv", symbol.to_lowercase()));
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Failure::Input(format!(
            "{}: {e}; --prices names a folder with this file",
            path.display()
        ))
    })?;
    prices::parse(&text).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))
}

/// The window in unix seconds, its end not included.
fn window(btc: &Series, from: Option<&str>, to: Option<&str>) -> Result<(i64, i64), Failure> {
    let day = |option: &str, text: Option<&str>| match text.map(date::parse) {
        None => Ok(None),
        Some(Ok(time)) => Ok(Some(time)),
        Some(Err(what)) => Err(Failure::Input(format!("--{option}: {what}"))),
    };
    let from = day("from", from)?.unwrap_or(btc.start());
    let to = day("to", to)?.map_or(btc.end(), |last| last + date::DAY);
    if from >= to {
        return Err(Failure::Input(format!(
            "the window from {} to {} is empty; --from must not lie after --to",
            date::format(from),
            date::format(to)
        )));
    }
    if to - from > MAX_DAYS * date::DAY {
        let days = (to - from) / date::DAY;
        return Err(Failure::Input(format!(
            "the window has {days} days and may have {MAX_DAYS}; choose one with --from and --to"
        )));
    }
    if btc.coverage(from, to).hours == 0 {
        return Err(Failure::Input(format!(
            "btc-usd-1h.csv has no hours in the window; it runs from {} to {}",
            date::format(btc.start()),
            date::format(btc.end())
        )));
    }
    Ok((from, to))
}

/// What must be said about an asset that lacks hours of the window.
fn note(symbol: &str, series: &Series, coverage: Coverage, from: i64) -> Option<String> {
    if coverage.missing == 0 {
        return None;
    }
    if coverage.hours == 0 {
        let price = series.at(from);
        return Some(format!(
            "{symbol} has no prices in this window: it stands at {price} dollars throughout, and nobody trades it."
        ));
    }
    Some(format!(
        "{symbol} lacks {} of {} hours: the price before each of them stands.",
        coverage.missing,
        coverage.missing + coverage.hours
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::Candle;

    /// `days` days of hours from 2020-03-01 on.
    fn series(days: i64) -> Series {
        let start = date::parse("2020-03-01").unwrap();
        let hours = (0..days * 24).map(|n| Candle {
            time: start + n * HOUR,
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
        });
        Series::new(hours.collect()).unwrap()
    }

    fn said(result: Result<(i64, i64), Failure>) -> String {
        match result.unwrap_err() {
            Failure::Input(what) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_window_includes_both_days() {
        let start = date::parse("2020-03-01").unwrap();
        let btc = series(10);
        let one_day = window(&btc, Some("2020-03-02"), Some("2020-03-02")).unwrap();
        assert_eq!(one_day, (start + date::DAY, start + 2 * date::DAY));
        assert_eq!(window(&btc, None, None).unwrap(), (start, start + 10 * date::DAY));
        let open_end = window(&btc, Some("2020-03-08"), None).unwrap();
        assert_eq!(open_end, (start + 7 * date::DAY, start + 10 * date::DAY));
    }

    #[test]
    fn windows_that_are_refused() {
        let btc = series(10);
        assert!(said(window(&btc, Some("2020-03-05"), Some("2020-03-04"))).contains("is empty"));
        assert!(said(window(&btc, Some("2020-05-01"), Some("2020-05-02"))).contains("no hours in the window"));
        assert!(said(window(&btc, Some("2020-05-01"), None)).contains("is empty"));
        assert!(said(window(&btc, Some("March"), None)).contains("--from: \"March\" is not a day"));
        assert!(said(window(&btc, None, Some("2020-02-30"))).contains("--to:"));
        assert!(said(window(&series(56), None, None)).contains("56 days and may have 55"));
    }

    #[test]
    fn an_asset_without_hours_stands_still_and_that_is_said() {
        let from = date::parse("2020-02-01").unwrap();
        let sol = series(1);
        let absent = note("SOL", &sol, sol.coverage(from, from + date::DAY), from).unwrap();
        assert!(absent.contains("stands at 1 dollars"), "{absent}");
        let part = note("SOL", &sol, sol.coverage(sol.start(), sol.end() + HOUR), from).unwrap();
        assert!(part.contains("lacks 1 of 25 hours"), "{part}");
        assert_eq!(note("SOL", &sol, sol.coverage(sol.start(), sol.end()), from), None);
    }

    #[test]
    fn the_built_in_series_is_a_slide() {
        let prices = Prices::builtin();
        let (lowest, highest) = prices.series[0].range(prices.from, prices.to).unwrap();
        assert!(lowest.low < 0.85 * highest.high);
        assert_eq!(prices.at(prices.from), FIRST);
        assert_eq!(prices.to - prices.from, 12 * HOUR);
    }
}
