//! Hourly prices of an asset, and the path of a price within an hour.
mod builtin;
mod csv;
pub mod date;

pub use builtin::builtin;
pub use csv::{parse, CsvError, HEADER};

/// Seconds in an hour.
pub const HOUR: i64 = 3_600;
/// Seconds that each of the three legs of an hour's path takes.
const LEG: i64 = HOUR / 3;

/// One hour's prices, dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    /// Unix seconds at which the hour starts.
    pub time: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
}

impl Candle {
    /// The price `seconds` into the hour, dollars.
    ///
    /// Open → one extreme → the other → close in three straight legs of twenty minutes. The extreme on the far side of the close comes first
    /// (the low of a rising hour, the high of a falling one): that is the shortest path through the four prices, so the replay never adds
    /// movement that the data do not show.
    pub fn at(&self, seconds: i64) -> f64 {
        let (first, second) = if self.close < self.open {
            (self.high, self.low)
        } else {
            (self.low, self.high)
        };
        let points = [self.open, first, second, self.close];
        let seconds = seconds.clamp(0, HOUR);
        let leg = ((seconds / LEG) as usize).min(2);
        let part = (seconds - leg as i64 * LEG) as f64 / LEG as f64;
        points[leg] + (points[leg + 1] - points[leg]) * part
    }
}

/// An asset's hours in ascending order; there is at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    candles: Vec<Candle>,
}

/// What a series has of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Hours of the window that the series has.
    pub hours: i64,
    /// Hours of the window that it lacks.
    pub missing: i64,
}

impl Series {
    /// A series of hours that ascend; `None` when there are none or when they do not.
    pub fn new(candles: Vec<Candle>) -> Option<Series> {
        let ascend = candles.windows(2).all(|pair| pair[0].time < pair[1].time);
        (ascend && !candles.is_empty()).then_some(Series { candles })
    }

    /// Start of the first hour, unix seconds.
    pub fn start(&self) -> i64 {
        self.candles[0].time
    }

    /// End of the last hour, unix seconds.
    pub fn end(&self) -> i64 {
        self.candles[self.candles.len() - 1].time + HOUR
    }

    /// The price at `time`, dollars. Where the series has no hour the last close before it stands, and before the first hour its open.
    pub fn at(&self, time: i64) -> f64 {
        match self.candles.partition_point(|c| c.time <= time) {
            0 => self.candles[0].open,
            n => self.candles[n - 1].at(time - self.candles[n - 1].time),
        }
    }

    /// The lowest and the highest price of the hours that start in `from..to`, with the hour of each; `None` when there are none.
    pub fn range(&self, from: i64, to: i64) -> Option<(Candle, Candle)> {
        let hours = || self.candles.iter().filter(|c| (from..to).contains(&c.time)).copied();
        let lowest = hours().min_by(|a, b| a.low.total_cmp(&b.low))?;
        let highest = hours().max_by(|a, b| a.high.total_cmp(&b.high))?;
        Some((lowest, highest))
    }

    /// What the series has of the hours that start in `from..to`.
    pub fn coverage(&self, from: i64, to: i64) -> Coverage {
        let hours = self.candles.iter().filter(|c| (from..to).contains(&c.time)).count() as i64;
        Coverage {
            hours,
            missing: (to - from) / HOUR - hours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(time: i64, prices: [f64; 4]) -> Candle {
        let [open, high, low, close] = prices;
        Candle {
            time,
            open,
            high,
            low,
            close,
        }
    }

    #[test]
    fn a_falling_hour_visits_the_high_first() {
        let hour = candle(0, [100.0, 110.0, 80.0, 90.0]);
        let path = [0, 600, 1_200, 1_800, 2_400, 3_000, 3_600].map(|s| hour.at(s));
        assert_eq!(path, [100.0, 105.0, 110.0, 95.0, 80.0, 85.0, 90.0]);
    }

    #[test]
    fn a_rising_hour_visits_the_low_first() {
        let hour = candle(0, [90.0, 110.0, 80.0, 100.0]);
        let path = [0, 1_200, 2_400, 3_600, 4_000].map(|s| hour.at(s));
        assert_eq!(path, [90.0, 80.0, 110.0, 100.0, 100.0]);
    }

    #[test]
    fn a_gap_keeps_the_last_close_and_the_time_before_the_first_open() {
        let hours = vec![
            candle(3_600, [10.0, 10.0, 10.0, 12.0]),
            candle(14_400, [20.0, 20.0, 20.0, 20.0]),
        ];
        let series = Series::new(hours).unwrap();
        assert_eq!(
            [0, 7_200, 14_399, 14_400].map(|t| series.at(t)),
            [10.0, 12.0, 12.0, 20.0]
        );
        let whole = series.coverage(3_600, 18_000);
        assert_eq!((whole.hours, whole.missing), (2, 2));
        assert_eq!((series.start(), series.end()), (3_600, 18_000));
    }

    #[test]
    fn hours_must_ascend() {
        assert!(Series::new(vec![]).is_none());
        let hour = candle(3_600, [1.0; 4]);
        assert!(Series::new(vec![hour, hour]).is_none());
    }

    #[test]
    fn range_names_the_extremes_of_the_window_only() {
        let hours = (0..4)
            .map(|n| {
                let base = 100.0 - 10.0 * n as f64;
                candle(n * HOUR, [base, base + 1.0, base - 1.0, base])
            })
            .collect();
        let (lowest, highest) = Series::new(hours).unwrap().range(HOUR, 3 * HOUR).unwrap();
        assert_eq!((lowest.low, highest.high), (79.0, 91.0));
    }
}
