//! Realised variance of one asset (margin.md section 4, "Dynamic parameters").
//!
//! Hourly log returns, exponentially weighted with a half-life of a day. An hour is one of the clock and its return that of the price
//! that stood at its end against the one that stood at its beginning, so the variance is a function of the price's path: how often anybody
//! looked changes nothing.
use crate::index_history::hour_of;
use ballast_fixed::kernel::{ln_price, Q48};
use ballast_fixed::{decay, Price};

/// 2^(−1/24) in Q63: what is left of an hour's weight after the next one.
const KEPT_PER_HOUR: u64 = 8_960_800_538_947_407_950;
/// ln 2. A variance v a day that has stood for long adds up to ∫ v·2^(−t) dt = v / ln 2.
const LN_2: Q48 = Q48(195_103_586_505_167);
/// Larger moves within an hour count as this one, e: any of them takes every scan range to its cap.
const LARGEST_RETURN: i64 = Q48::ONE.0;

/// What is known of an asset's variance. All zero before the first price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealisedVariance {
    /// The open hour, hours since 1970; 0 before the first price.
    pub hour: u32,
    /// ln of the price that stood when the hour began; of the first price in the very first hour. In units of 2⁻⁴⁸.
    pub anchor: i64,
    /// ln of the price that stands.
    pub last: i64,
    /// Σ r²·2^(−age / 24 hours) over the hours before, in units of 2⁻⁴⁸; at most 35.
    pub sum: i64,
}

impl RealisedVariance {
    /// Takes in a price that stands from `publish_time` on.
    ///
    /// Hours that have ended since are closed with the price that stood; those in which there was no price at all have a return of 0. A
    /// price that is not positive changes nothing, and one before the open hour (the guards let none pass) counts in it.
    pub fn observe(&mut self, price: Price, publish_time: i64) {
        let Ok(hour) = u32::try_from(hour_of(publish_time)) else {
            return;
        };
        if price.0 <= 0 {
            return;
        }
        let ln = ln_price(price).0;
        if self.hour == 0 {
            (self.hour, self.anchor) = (hour, ln);
        } else if hour > self.hour {
            self.close(hour);
        }
        self.last = ln;
    }

    /// Ends the open hour and opens `hour`, a later one.
    fn close(&mut self, hour: u32) {
        let ended = hour.saturating_sub(self.hour);
        let kept = decay(KEPT_PER_HOUR, ended);
        let sum = self.total().0.unsigned_abs(); // not negative
                                                 // At most 2⁵⁴ · 2⁶³.
        self.sum = (u128::from(sum).wrapping_mul(u128::from(kept)) >> 63) as i64;
        (self.hour, self.anchor) = (hour, self.last);
    }

    /// Σ r²·2^(−age / 24 hours), the open hour included with the price that stands.
    fn total(&self) -> Q48 {
        let moved = self.last.saturating_sub(self.anchor);
        let moved = Q48(moved.clamp(LARGEST_RETURN.wrapping_neg(), LARGEST_RETURN));
        Q48(self.sum.clamp(0, 36 * Q48::ONE.0)).plus(moved.times(moved).max(Q48::ZERO))
    }

    /// σ² of a day, at most 26.
    pub fn daily(&self) -> Q48 {
        self.total().times(LN_2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index_history::HOUR;
    use proptest::prelude::*;

    const DOLLAR: i64 = 1_000_000_000;
    const START: i64 = 1_800_000_000; // a full hour
    const UNIT: f64 = (1u64 << 48) as f64;

    fn observed(path: &[(i64, i64)]) -> RealisedVariance {
        let mut variance = RealisedVariance::default();
        for &(time, price) in path {
            variance.observe(Price(price), time);
        }
        variance
    }

    fn daily(path: &[(i64, i64)]) -> f64 {
        observed(path).daily().0 as f64 / UNIT
    }

    #[test]
    fn constants_are_what_they_are_called() {
        assert!((KEPT_PER_HOUR as f64 / (1u64 << 63) as f64 - 0.5f64.powf(1.0 / 24.0)).abs() < 1e-15);
        assert_eq!(LN_2.0, (core::f64::consts::LN_2 * UNIT) as i64);
        // A day's decay leaves a half.
        assert!(decay(KEPT_PER_HOUR, 24).abs_diff(1 << 62) < 50);
        assert_eq!(START % HOUR, 0);
    }

    #[test]
    fn a_first_price_has_no_variance() {
        assert_eq!(daily(&[(START + 5, 100 * DOLLAR)]), 0.0);
        assert_eq!(
            observed(&[(START, 0), (START, -1), (-5, 7)]),
            RealisedVariance::default()
        );
    }

    #[test]
    fn an_open_hour_counts_at_once_and_a_closed_one_decays() {
        // ln 1.01 = 0.00995033085316808; its square is 9.900908408750885e-05, times ln 2 = 6.862786748508e-05.
        let square = 1.01f64.ln().powi(2) * 2f64.ln();
        assert!((square - 6.862_786_748_508e-5).abs() < 1e-13);
        let path = [(START, 100 * DOLLAR), (START + 60, 101 * DOLLAR)];
        assert!((daily(&path) - square).abs() < 1e-13);
        // The next hour: 2^(−1/24) of it. A day on: half of it.
        let later = |hours| daily(&[path[0], path[1], (START + hours * HOUR, 101 * DOLLAR)]);
        assert!((later(1) - square * 0.5f64.powf(1.0 / 24.0)).abs() < 1e-13);
        assert!((later(24) - square / 2.0).abs() < 1e-13);
        // And back within the hour: nothing has happened.
        assert_eq!(daily(&[path[0], path[1], (START + 70, 100 * DOLLAR)]), 0.0);
    }

    #[test]
    fn the_price_that_stood_closes_the_hour() {
        // 100 to 102 in the first hour. What comes first in the second hour, 3:00 after, is a return of that hour.
        let path = [
            (START, 100 * DOLLAR),
            (START + HOUR - 1, 102 * DOLLAR),
            (START + 4 * HOUR, 101 * DOLLAR),
        ];
        let first = 1.02f64.ln().powi(2) * 0.5f64.powf(4.0 / 24.0);
        let open = (101.0f64 / 102.0).ln().powi(2);
        assert!((daily(&path) - (first + open) * 2f64.ln()).abs() < 1e-13);
    }

    /// Hourly returns of the same size for long: 24·r² a day within 1.5 %, by where in the hour one looks.
    #[test]
    fn a_steady_variance_is_found() {
        let mut variance = RealisedVariance::default();
        let price = |n: i64| if n % 2 == 0 { 100 * DOLLAR } else { 101 * DOLLAR };
        for hour in 0..24 * 20 {
            variance.observe(Price(price(hour)), START + hour * HOUR);
            variance.observe(Price(price(hour + 1)), START + hour * HOUR + 3_599);
        }
        let exact = 24.0 * 1.01f64.ln().powi(2);
        let at_end = variance.daily().0 as f64 / UNIT / exact;
        assert!((1.012..1.016).contains(&at_end), "{at_end}");
        variance.observe(Price(price(0)), START + 24 * 20 * HOUR);
        let at_start = variance.daily().0 as f64 / UNIT / exact;
        assert!((0.984..0.988).contains(&at_start), "{at_start}");
    }

    #[test]
    fn extremes_are_held() {
        let mut variance = RealisedVariance::default();
        for hour in 0..500 {
            variance.observe(Price(if hour % 2 == 0 { 1 } else { i64::MAX }), START + hour * HOUR);
        }
        let day = variance.daily().0 as f64 / UNIT;
        assert!((24.0..26.0).contains(&day), "{day}");
        variance.observe(Price(1), i64::MAX); // no hour of 32 bits
                                              // Long after: what is left is that of the open hour, held at 1.
        variance.observe(Price(1), START + 10_000 * HOUR);
        assert!((variance.daily().0 as f64 / UNIT - 2f64.ln()).abs() < 1e-9);
        // Whatever an account may hold.
        let broken = RealisedVariance {
            hour: u32::MAX,
            anchor: i64::MIN,
            last: i64::MAX,
            sum: i64::MIN,
        };
        assert!(broken.daily() > Q48::ZERO);
    }

    fn path() -> impl Strategy<Value = alloc::vec::Vec<(i64, i64)>> {
        let step = (prop_oneof![0i64..60, 0i64..3_600, 0i64..40_000], -300i64..300);
        proptest::collection::vec(step, 1..60).prop_map(|steps| {
            let (mut time, mut price) = (START + 1_000, 30_000 * DOLLAR);
            let each = steps.into_iter().map(|(elapsed, change)| {
                time += elapsed;
                price += price / 10_000 * change;
                (time, price)
            });
            each.collect()
        })
    }

    proptest! {
        /// The price that stands, looked at again at any times in between, changes nothing but the last digits.
        #[test]
        fn how_often_one_looks_changes_nothing(path in path(), every in 1i64..5_000) {
            let sparse = observed(&path);
            let mut variance = RealisedVariance::default();
            for pair in path.windows(2) {
                variance.observe(Price(pair[0].1), pair[0].0);
                for time in (pair[0].0..pair[1].0).step_by(every as usize) {
                    variance.observe(Price(pair[0].1), time);
                }
            }
            let &(time, price) = path.last().unwrap();
            variance.observe(Price(price), time);
            let apart = variance.daily().0.abs_diff(sparse.daily().0);
            prop_assert!(apart <= 1_000, "{apart} units of 3.6e-15");
        }

        /// Against floating point, hour by hour.
        #[test]
        fn it_is_the_sum_of_squares(path in path()) {
            let last = path.last().unwrap();
            let hours = hour_of(path[0].0)..=hour_of(last.0);
            let stood = |time: i64| path.iter().rev().find(|p| p.0 < time).unwrap_or(&path[0]).1 as f64;
            let mut sum = 0.0;
            for hour in hours {
                let end = if hour == hour_of(last.0) { last.1 as f64 } else { stood((hour + 1) * HOUR) };
                let r = (end / stood(hour * HOUR)).ln();
                sum = sum * 0.5f64.powf(1.0 / 24.0) + r * r;
            }
            let found = observed(&path).daily().0 as f64 / UNIT;
            prop_assert!((found - sum * 2f64.ln()).abs() < 1e-12 + 1e-9 * sum, "{found} {}", sum * 2f64.ln());
        }
    }
}
