//! The series of the demo when no files are given: made up, a slide in two waves, each with a jump.
use super::{Candle, Series, HOUR};

/// How each hour opens against the close before it, and how it closes against its open, in per mille.
const CHANGES: [(f64, f64); 12] = [
    (0.0, 2.0),
    (0.0, -6.0),
    (0.0, -14.0),
    (0.0, -28.0),
    (-28.0, -36.0), // a jump: liquidations come late and in capped steps
    (0.0, 24.0),
    (0.0, -11.0),
    (0.0, -48.0),
    (-15.0, -80.0),
    (0.0, 55.0),
    (0.0, 30.0),
    (0.0, 8.0),
];
/// How far an hour reaches past its open and close, in per mille.
const REACH: f64 = 6.0;

/// Twelve hours from `start` on, beginning at `first` dollars; `beta` scales the changes.
pub fn builtin(start: i64, first: f64, beta: f64) -> Series {
    let mut last = first;
    let candles = (0..).zip(CHANGES).map(|(hour, (jump, change))| {
        let open = last * (1.0 + beta * jump / 1_000.0);
        let close = open * (1.0 + beta * change / 1_000.0);
        let candle = Candle {
            time: start + hour * HOUR,
            open,
            high: open.max(close) * (1.0 + REACH / 1_000.0),
            low: open.min(close) * (1.0 - REACH / 1_000.0),
            close,
        };
        last = close;
        candle
    });
    Series::new(candles.collect()).expect("twelve hours that ascend")
}
