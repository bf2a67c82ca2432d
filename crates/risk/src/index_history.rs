//! The index over time, as an exact integral with what it was at each full hour (margin.md section 5).
//!
//! A market takes from it what the index was over any stretch that ends at a full hour or now, so that what its book showed against the
//! index comes out the same however often anybody looks.
use ballast_fixed::{Checked, Overflow, Price};

/// Seconds of an hour of the clock.
pub const HOUR: i64 = 3_600;
/// Full hours whose integral is kept.
pub const KEPT_HOURS: usize = 24;
/// How many hours the oldest of them lies before the last.
const OLDEST: i64 = 23;
const _: () = assert!(OLDEST + 1 == KEPT_HOURS as i64);

/// The hour of the clock that a time lies in, hours since 1970.
pub fn hour_of(time: i64) -> i64 {
    time.div_euclid(HOUR)
}

/// When an hour of the clock begins, unix seconds; held within the range of the number.
pub fn start_of(hour: i64) -> i64 {
    hour.saturating_mul(HOUR)
}

/// Where the integral at a full hour is kept.
pub fn place_of(hour: i64) -> usize {
    hour.rem_euclid(KEPT_HOURS as i64) as usize // 0 to 23
}

/// ∫ index dt since the first price, in 10⁻⁹ USD · seconds. Exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexIntegral {
    /// Up to when `sum` stands, unix seconds; 0 before the first price.
    pub time: i64,
    /// The integral.
    pub sum: i128,
}

impl IndexIntegral {
    /// The integral at `time`, which is no earlier than its own, with the index that has stood since.
    ///
    /// # Errors
    /// [`Overflow`] for an earlier time and out of range.
    pub fn at(&self, index: Price, time: i64) -> Checked<i128> {
        let elapsed = time
            .checked_sub(self.time)
            .filter(|elapsed| *elapsed >= 0)
            .ok_or(Overflow)?;
        if self.time == 0 {
            return Ok(0); // nothing to integrate before the first price
        }
        let added = i128::from(index.0).wrapping_mul(i128::from(elapsed)); // two 64-bit factors fit
        self.sum.checked_add(added).ok_or(Overflow)
    }

    /// The integral at `now`, up to when `index` has stood. `keep` is told what it was at each full hour on the way, the last 24 at most.
    /// The first price starts it at 0; a clock that went back leaves it as it is.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn advanced(&self, index: Price, now: i64, mut keep: impl FnMut(i64, i128)) -> Checked<IndexIntegral> {
        if self.time == 0 {
            return Ok(IndexIntegral { time: now, sum: 0 });
        }
        if now <= self.time {
            return Ok(*self);
        }
        let last = hour_of(now);
        let kept = last.saturating_sub(OLDEST);
        for hour in hour_of(self.time).saturating_add(1).max(kept)..=last {
            keep(hour, self.at(index, start_of(hour))?);
        }
        let sum = self.at(index, now)?;
        Ok(IndexIntegral { time: now, sum })
    }

    /// The integral at the beginning of an hour: one of those kept, or one that the index has reached since. `None` for an hour that is
    /// no longer kept.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn at_hour(&self, index: Price, hour: i64, kept: impl Fn(i64) -> i128) -> Checked<Option<i128>> {
        let time = start_of(hour);
        if time >= self.time {
            return self.at(index, time).map(Some);
        }
        let oldest = hour_of(self.time).saturating_sub(OLDEST);
        Ok((hour >= oldest).then(|| kept(hour)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: i64 = 1_000_000_000;

    /// A history as an account keeps it.
    #[derive(Default)]
    struct History {
        integral: IndexIntegral,
        hours: [i128; KEPT_HOURS],
    }

    impl History {
        fn advance(&mut self, index: i64, now: i64) {
            let hours = &mut self.hours;
            let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
            self.integral = self.integral.advanced(Price(index), now, keep).unwrap();
        }

        fn at_hour(&self, index: i64, hour: i64) -> Option<i128> {
            let kept = |hour: i64| self.hours[place_of(hour)];
            self.integral.at_hour(Price(index), hour, kept).unwrap()
        }
    }

    #[test]
    fn adds_up_the_index_that_stood() {
        // From 1,000 s: $100 for 50 s, then $200 for 25 s are 10,000 dollar seconds.
        let mut history = History::default();
        history.advance(0, 1_000);
        history.advance(100 * DOLLAR, 1_050);
        history.advance(200 * DOLLAR, 1_075);
        assert_eq!(history.integral.sum, 10_000 * i128::from(DOLLAR));
        // And $300 that have stood for 10 s since are 3,000 more.
        let later = history.integral.at(Price(300 * DOLLAR), 1_085).unwrap();
        assert_eq!(later, 13_000 * i128::from(DOLLAR));
    }

    #[test]
    fn keeps_what_it_was_at_full_hours() {
        // $10 from 1:50 to 3:10, then $20 to 3:20. At 2:00 600 s have passed, at 3:00 4,200 s; at 3:20 4,800 s at $10 and 600 s at $20.
        let mut history = History::default();
        history.advance(0, 2 * HOUR - 600);
        history.advance(10, 3 * HOUR + 600);
        history.advance(20, 3 * HOUR + 1_200);
        assert_eq!(history.at_hour(7, 2), Some(6_000));
        assert_eq!(history.at_hour(7, 3), Some(42_000));
        assert_eq!(history.integral.sum, 60_000);
        // 4:00 is yet to come for it: 2,400 s at the index that stands.
        assert_eq!(history.at_hour(7, 4), Some(60_000 + 2_400 * 7));
        // Before the first price it was nothing.
        assert_eq!(history.at_hour(7, 1), Some(0));
    }

    #[test]
    fn forgets_hours_before_the_last_day() {
        let mut history = History::default();
        history.advance(0, 100 * HOUR);
        history.advance(1, 130 * HOUR + 5);
        assert_eq!(history.at_hour(1, 106), None);
        assert_eq!(history.at_hour(1, 107), Some(i128::from(7 * HOUR)));
        assert_eq!(history.at_hour(1, 130), Some(i128::from(30 * HOUR)));
    }

    #[test]
    fn a_first_price_and_a_clock_that_went_back_add_nothing() {
        let mut history = History::default();
        history.advance(500, 1_000);
        assert_eq!(history.integral, IndexIntegral { time: 1_000, sum: 0 });
        history.advance(500, 999);
        assert_eq!(history.integral, IndexIntegral { time: 1_000, sum: 0 });
        assert_eq!(history.integral.at(Price(500), 999), Err(Overflow));
        assert_eq!(IndexIntegral::default().at(Price(500), 999), Ok(0));
    }
}
