//! Hourly prices from CSV: `unix_seconds,open,high,low,close`.
use super::{Candle, Series, HOUR};

/// The first line of a file; it may be left out.
pub const HEADER: &str = "unix_seconds,open,high,low,close";
/// What suits the ticks of genesis: a cent to ten million dollars.
const PRICES: std::ops::RangeInclusive<f64> = 0.01..=1e7;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvError {
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl std::fmt::Display for CsvError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for CsvError {}

/// Reads a series. Blank lines are passed over.
///
/// # Errors
/// The first line that is not an hour of prices, or not later than the one before it; a file without hours.
pub fn parse(text: &str) -> Result<Series, CsvError> {
    let mut candles: Vec<Candle> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (n == 0 && line == HEADER) {
            continue;
        }
        let here = |what: String| CsvError { line: n + 1, what };
        let candle = hour(line).map_err(here)?;
        if candles.last().is_some_and(|last| last.time >= candle.time) {
            return Err(here("the hours must ascend".into()));
        }
        candles.push(candle);
    }
    Series::new(candles).ok_or(CsvError {
        line: 0,
        what: "the file has no hours".into(),
    })
}

fn hour(line: &str) -> Result<Candle, String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, open, high, low, close] = fields[..] else {
        return Err(format!("{} fields where {HEADER} is expected", fields.len()));
    };
    let time: i64 = time.parse().map_err(|_| format!("{time:?} is not a unix time"))?;
    if time <= 0 || time % HOUR != 0 {
        return Err(format!("{time} is not the start of an hour"));
    }
    let candle = Candle {
        time,
        open: price(open)?,
        high: price(high)?,
        low: price(low)?,
        close: price(close)?,
    };
    let (least, most) = (candle.open.min(candle.close), candle.open.max(candle.close));
    if candle.low > least || candle.high < most {
        return Err("open and close must lie between low and high".into());
    }
    Ok(candle)
}

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if PRICES.contains(&price) => Ok(price),
        Ok(_) => Err(format!("{text} is not a price between a cent and ten million dollars")),
        Err(_) => Err(format!("{text:?} is not a price")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.line, error.what)
    }

    #[test]
    fn reads_hours_with_and_without_a_header() {
        let hours = "3600,1,3,0.5,2\r\n\n7200,2,2,2,2\n";
        let plain = parse(hours).unwrap();
        assert_eq!(parse(&format!("{HEADER}\n{hours}")).unwrap(), plain);
        assert_eq!((plain.start(), plain.end()), (3_600, 10_800));
        assert_eq!([3_600, 4_800, 6_000, 7_200].map(|t| plain.at(t)), [1.0, 0.5, 3.0, 2.0]);
    }

    #[test]
    fn names_the_line_that_is_malformed() {
        let cases = [
            ("3600,1,1,1,1\nx,1,1,1,1", 2, "not a unix time"),
            ("3600,1,1,1,1\n7200,1,1,1", 2, "4 fields"),
            ("3600,1,1,1,1,9", 1, "6 fields"),
            ("3600,1,abc,1,1", 1, "not a price"),
            ("3600,1,NaN,1,1", 1, "not a price between"),
            ("3600,0,1,0,1", 1, "not a price between"),
            ("3600,1,-1,1,1", 1, "not a price between"),
            ("3600,1,inf,1,1", 1, "not a price between"),
            ("3601,1,1,1,1", 1, "not the start of an hour"),
            ("-3600,1,1,1,1", 1, "not the start of an hour"),
            ("3600,5,4,1,2", 1, "between low and high"),
            ("3600,1,1,1,1\n3600,1,1,1,1", 2, "ascend"),
        ];
        for (text, line, what) in cases {
            let (at, said) = error(text);
            assert_eq!(at, line, "{text:?}: {said}");
            assert!(said.contains(what), "{text:?}: {said}");
        }
    }

    #[test]
    fn refuses_a_file_without_hours() {
        assert_eq!(error(""), (0, "the file has no hours".into()));
        assert_eq!(error(HEADER), (0, "the file has no hours".into()));
    }
}
