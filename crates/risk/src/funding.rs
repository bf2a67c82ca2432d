//! What a perpetual's book shows over its index, and the funding and the mark that follow from it (margin.md section 5).
//!
//! The market adds up P(t) = ∫ (impact mid − index) dt. When an hour of the clock is over, its mean premium S/3,600, an eighth of it and
//! at most a stated part of the hour's mean index, is what a unit held long pays over the next hour, evenly. So funding rests on what the
//! book and the index were and on nothing else: how often and when anybody looks changes no digit of it.
use ballast_fixed::{div_floor, div_rem_floor, mul_div_floor, Checked, Notional, Overflow, Price, Quantity, Ratio};

use crate::impact::ImpactMid;
use crate::index_history::{hour_of, start_of, IndexIntegral, HOUR};
use crate::slow_price::closed_by;

/// Whole hours that are settled exactly when nobody has looked for long; older ones count nothing.
pub const EXACT_HOURS: i64 = 23;
/// Over how many hours an hour's premium is paid.
pub const FUNDING_PERIODS: i64 = 8;
/// Farthest that a perpetual's mark lies from the index: 0.5 %.
pub const MAX_BASIS: Ratio = Ratio(5_000_000);
/// Least time between two updates of the mark, seconds.
pub const MARK_INTERVAL: i64 = 10;
/// e^(−1/300) in Q63: the mark follows the premium with a time constant of 300 s.
const MARK_DECAY: u64 = 9_192_678_647_467_371_953;

/// Funding of a perpetual: what a unit held long pays, 10⁻⁹ USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funding {
    /// Paid since the listing, up to the beginning of `hour`.
    pub index: i64,
    /// Paid over `hour`, evenly.
    pub rate: i64,
    /// Hours since 1970.
    pub hour: i64,
}

impl Funding {
    /// What has been paid up to `time`, rounded down; the hour counts at most whole, since what comes after it is not known.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn at(&self, time: i64) -> Checked<i64> {
        if self.rate == 0 {
            return Ok(self.index);
        }
        let elapsed = time.saturating_sub(start_of(self.hour)).clamp(0, HOUR);
        let paid = match self.rate.checked_mul(elapsed) {
            Some(product) => floor_hour(product),
            None => mul_div_floor(self.rate, elapsed, HOUR)?,
        };
        self.index.checked_add(paid).ok_or(Overflow)
    }
}

/// ⌊n / 3,600⌋ by one 64-bit division.
fn floor_hour(n: i64) -> i64 {
    const HOUR: u64 = super::index_history::HOUR as u64;
    let whole = (n.unsigned_abs() / HOUR) as i64;
    if n >= 0 {
        return whole;
    }
    let part = !n.unsigned_abs().is_multiple_of(HOUR);
    whole.wrapping_neg().wrapping_sub(i64::from(part)) // |whole| < 2⁵²
}

/// What a position has received in funding since its checkpoint and not yet been credited: −(funding index − checkpoint) · quantity. Exact.
///
/// # Errors
/// [`Overflow`] out of range.
pub fn pending(funding_index: i64, checkpoint: i64, quantity: Quantity) -> Checked<Notional> {
    let received = checkpoint.checked_sub(funding_index).ok_or(Overflow)?;
    if received == 0 {
        return Ok(Notional::ZERO);
    }
    // Two 64-bit factors fit.
    Ok(Notional(i128::from(received).wrapping_mul(i128::from(quantity.0))))
}

/// The index as the integral of it that is kept.
pub trait IndexSource {
    /// ∫ index dt up to `time`, which is no earlier than the last price.
    ///
    /// # Errors
    /// [`Overflow`] for an earlier time and out of range.
    fn at(&self, time: i64) -> Checked<i128>;

    /// The same up to the beginning of an hour; `None` for one that is no longer kept.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    fn at_hour(&self, hour: i64) -> Checked<Option<i128>>;
}

/// An integral with the index that stands and a look-up of the hours kept.
pub struct KeptIndex<F> {
    /// The integral.
    pub integral: IndexIntegral,
    /// The index that has stood since.
    pub index: Price,
    /// The integral at an hour that is kept.
    pub kept: F,
}

impl<F: Fn(i64) -> i128> IndexSource for KeptIndex<F> {
    fn at(&self, time: i64) -> Checked<i128> {
        self.integral.at(self.index, time)
    }

    fn at_hour(&self, hour: i64) -> Checked<Option<i128>> {
        self.integral.at_hour(self.index, hour, &self.kept)
    }
}

/// What a perpetual's book has shown, and the funding that follows from it. Sums in 10⁻⁹ USD · seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Premium {
    /// P: Σ (impact mid − index) · time since the listing.
    pub sum: i128,
    /// Up to when it stands, unix seconds.
    pub observed_at: i64,
    /// ∫ index dt at that time.
    pub observed_index_sum: i128,
    /// P when the current hour began.
    pub hour_sum: i128,
    /// The impact mid since then.
    pub mid: ImpactMid,
    /// Funding of the current hour.
    pub funding: Funding,
}

impl Premium {
    /// Of a book without orders, from `now` on.
    ///
    /// # Errors
    /// [`Overflow`] as [`IndexSource::at`].
    pub fn start(source: &impl IndexSource, now: i64) -> Checked<Premium> {
        Ok(Premium {
            observed_at: now,
            observed_index_sum: source.at(now)?,
            funding: Funding {
                hour: hour_of(now),
                ..Funding::default()
            },
            ..Premium::default()
        })
    }

    /// Adds what the book showed up to `now` and closes the hours that are over. `max_funding` is the largest funding of an hour as a part
    /// of the index. Where nobody has looked for longer than the kept hours of the index, what is older than they are counts nothing.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn observe(&mut self, source: &impl IndexSource, max_funding: Ratio, now: i64) -> Checked<()> {
        self.observe_hours(source, max_funding, now, i64::MAX).map(drop)
    }

    /// The same, closing `hours` hours at most; returns whether it came to `now`. Where it did not, asking again goes on, and all of it
    /// together does what [`Premium::observe`] does.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn observe_hours(
        &mut self,
        source: &impl IndexSource,
        max_funding: Ratio,
        now: i64,
        hours: i64,
    ) -> Checked<bool> {
        if now <= self.observed_at {
            return Ok(true);
        }
        let current = hour_of(now);
        if self.funding.hour < current.saturating_sub(EXACT_HOURS) {
            self.skip_to(current.saturating_sub(EXACT_HOURS), source)?;
        }
        let last = current.min(self.funding.hour.saturating_add(hours));
        while self.funding.hour < last {
            self.close_hour(source, max_funding)?;
        }
        if last < current {
            return Ok(false);
        }
        self.add_until(now, source.at(now)?)?;
        Ok(true)
    }

    /// Closes the hours before `hour`, which begins no later than now and after which nothing is paid any more: that of a delisting. Hours
    /// of which the index is not kept any more pay nothing, so that however late it is, the end is reached.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn finish(&mut self, source: &impl IndexSource, max_funding: Ratio, hour: i64) -> Checked<()> {
        self.finish_hours(source, max_funding, hour, i64::MAX).map(drop)
    }

    /// The same, closing `hours` hours at most; returns whether it came to `hour`. Asking again goes on.
    ///
    /// # Errors
    /// [`Overflow`] out of range.
    pub fn finish_hours(
        &mut self,
        source: &impl IndexSource,
        max_funding: Ratio,
        hour: i64,
        hours: i64,
    ) -> Checked<bool> {
        let first = hour.saturating_sub(EXACT_HOURS);
        if self.funding.hour < first {
            self.begin_hour(first, 0)?; // the hour that was known is paid for
            (self.observed_at, self.observed_index_sum) = (start_of(first), source.at_hour(first)?.unwrap_or(0));
        }
        let last = hour.min(self.funding.hour.saturating_add(hours));
        while self.funding.hour < last {
            let next = self.funding.hour.checked_add(1).ok_or(Overflow)?;
            match (source.at_hour(self.funding.hour)?, source.at_hour(next)?) {
                (Some(_), Some(_)) => self.close_hour(source, max_funding)?,
                (_, ends) => {
                    self.begin_hour(next, 0)?;
                    (self.observed_at, self.observed_index_sum) = (start_of(next), ends.unwrap_or(0));
                }
            }
        }
        Ok(last == hour)
    }

    /// The hour's mean premium becomes the rate of the next one.
    fn close_hour(&mut self, source: &impl IndexSource, max_funding: Ratio) -> Checked<()> {
        let next = self.funding.hour.checked_add(1).ok_or(Overflow)?;
        let ends = source.at_hour(next)?.ok_or(Overflow)?; // skip_to left only hours that are kept
        let began = source.at_hour(self.funding.hour)?.ok_or(Overflow)?;
        self.add_until(start_of(next), ends)?;
        let premium = self.sum.checked_sub(self.hour_sum).ok_or(Overflow)?;
        let rate = rate(premium, ends.checked_sub(began).ok_or(Overflow)?, max_funding)?;
        self.begin_hour(next, rate)
    }

    /// Ends the hour and every other one before `hour`: the hour is paid for, those after it are not known any more and count nothing.
    fn skip_to(&mut self, hour: i64, source: &impl IndexSource) -> Checked<()> {
        self.observed_at = start_of(hour);
        self.observed_index_sum = source.at_hour(hour)?.ok_or(Overflow)?;
        self.begin_hour(hour, 0)
    }

    fn begin_hour(&mut self, hour: i64, rate: i64) -> Checked<()> {
        self.hour_sum = self.sum;
        self.funding = Funding {
            index: self.funding.index.checked_add(self.funding.rate).ok_or(Overflow)?,
            rate,
            hour,
        };
        Ok(())
    }

    /// Adds what the book showed up to `time`, which lies in the current hour or ends it.
    fn add_until(&mut self, time: i64, index_sum: i128) -> Checked<()> {
        let stands = self.mid.price > 0 && self.observed_at < self.mid.until; // full hours: a part of one is never cut off
        if stands {
            let elapsed = time.checked_sub(self.observed_at).ok_or(Overflow)?;
            let mid = i128::from(self.mid.price).wrapping_mul(i128::from(elapsed)); // two 64-bit factors fit
            let index = index_sum.checked_sub(self.observed_index_sum).ok_or(Overflow)?;
            let premium = mid.checked_sub(index).ok_or(Overflow)?;
            self.sum = self.sum.checked_add(premium).ok_or(Overflow)?;
        }
        self.observed_at = time;
        self.observed_index_sum = index_sum;
        Ok(())
    }
}

/// Funding of an hour by the sum of the premium and of the index over the one before: an eighth of the mean premium, at most
/// `max_funding` of the mean index; rounded towards zero.
fn rate(premium: i128, index: i128, max_funding: Ratio) -> Checked<i64> {
    const PERIOD: i128 = (HOUR * FUNDING_PERIODS) as i128;
    const PER_HOUR: i128 = HOUR as i128 * Ratio::SCALE as i128;
    let size = div_floor(premium.checked_abs().ok_or(Overflow)?, PERIOD)?;
    let most = index.max(0).checked_mul(i128::from(max_funding.0)).ok_or(Overflow)?;
    let held = size.min(div_floor(most, PER_HOUR)?);
    let rate = i64::try_from(held).map_err(|_| Overflow)?;
    Ok(if premium < 0 { rate.wrapping_neg() } else { rate }) // 0 ≤ rate
}

/// Farthest from the index that a book's impact mid counts: eight times the largest funding, at least what a mark may lie from it.
pub fn mid_bound(max_funding: Ratio) -> Ratio {
    Ratio(max_funding.0.saturating_mul(FUNDING_PERIODS).max(MAX_BASIS.0))
}

/// The basis of a perpetual's mark after `elapsed` seconds over which P rose by `premium`: an exponential mean, with a time constant of
/// 300 s, of the mean premium as a part of the index, which is held within `bound` and 0.5 %. The step is rounded towards where it was.
///
/// # Errors
/// [`Overflow`] for an index or a time that is not positive.
pub fn next_basis(basis: Ratio, premium: i128, elapsed: i64, index: Price, bound: Ratio) -> Checked<Ratio> {
    let bound = bound.0.clamp(0, MAX_BASIS.0);
    if index.0 <= 0 {
        return Err(Overflow);
    }
    let (mean, _) = div_rem_floor(premium, i128::from(elapsed))?;
    // Held before the division: 0.5 % of a price times 10⁹ fits 128 bits many times over.
    let most = i128::from(index.0) >> 6;
    let mean = mean.clamp(most.wrapping_neg(), most);
    let part = div_floor(mean.wrapping_mul(i128::from(Ratio::SCALE)), i128::from(index.0))?;
    let part = i64::try_from(part)
        .map_err(|_| Overflow)?
        .clamp(bound.wrapping_neg(), bound);
    let gap = part.checked_sub(basis.0).ok_or(Overflow)?;
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
    let step = (u128::from(gap.unsigned_abs()).wrapping_mul(u128::from(closed_by(MARK_DECAY, elapsed))) >> 63) as i64; // ≤ |gap|
    let next = basis.0.saturating_add(if gap < 0 { step.wrapping_neg() } else { step });
    Ok(Ratio(next.clamp(bound.wrapping_neg(), bound)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: i64 = 1_000_000_000;
    /// 0.05 % an hour.
    const MOST: Ratio = Ratio(500_000);
    /// The beginning of some hour.
    const NINE: i64 = 450_009 * HOUR;

    /// An index that has stood at one price since long ago.
    struct Standing(i64);

    impl IndexSource for Standing {
        fn at(&self, time: i64) -> Checked<i128> {
            Ok(i128::from(self.0) * i128::from(time))
        }

        fn at_hour(&self, hour: i64) -> Checked<Option<i128>> {
            self.at(start_of(hour)).map(Some)
        }
    }

    fn market(index: i64, mid: i64) -> Premium {
        let mut premium = Premium::start(&Standing(index), NINE).unwrap();
        premium.mid = ImpactMid {
            price: mid,
            until: i64::MAX,
        };
        premium
    }

    #[test]
    fn an_hour_at_a_premium_pays_an_eighth_of_it_over_the_next() {
        // $8 over an index of $30,000 for an hour: a dollar a unit over the next one, 0.5 of it after half an hour.
        let source = Standing(30_000 * DOLLAR);
        let mut premium = market(30_000 * DOLLAR, 30_008 * DOLLAR);
        premium.observe(&source, MOST, NINE + HOUR).unwrap();
        let funding = premium.funding;
        assert_eq!(
            (funding.index, funding.rate, funding.hour),
            (0, DOLLAR, NINE / HOUR + 1)
        );
        assert_eq!(funding.at(NINE + HOUR + 1_800), Ok(DOLLAR / 2));
        assert_eq!(funding.at(NINE + 2 * HOUR), Ok(DOLLAR));
        // What follows is not known yet.
        assert_eq!(funding.at(NINE + 5 * HOUR), Ok(DOLLAR));
        premium.observe(&source, MOST, NINE + 3 * HOUR).unwrap();
        assert_eq!(premium.funding.index, 2 * DOLLAR);
    }

    #[test]
    fn a_discount_is_received_and_a_part_of_an_hour_counts_as_a_part() {
        // $6 under for 20 minutes and nothing for the rest: −2 on the mean of the hour, −0.25 over the next.
        let source = Standing(30_000 * DOLLAR);
        let mut premium = market(30_000 * DOLLAR, 29_994 * DOLLAR);
        premium.observe(&source, MOST, NINE + 1_200).unwrap();
        premium.mid = ImpactMid::default();
        premium.observe(&source, MOST, NINE + HOUR + 7).unwrap();
        assert_eq!(premium.funding.rate, -DOLLAR / 4);
        // 7 s of it: −0.25 · 7 / 3,600 = −486,111.1 units, rounded down.
        assert_eq!(premium.funding.at(NINE + HOUR + 7), Ok(-486_112));
    }

    #[test]
    fn funding_is_held_within_its_bound() {
        // 0.05 % of $30,000 is $15; the premium of $3,000 would be $375.
        let source = Standing(30_000 * DOLLAR);
        for (mid, rate) in [(33_000, 15 * DOLLAR), (27_000, -15 * DOLLAR)] {
            let mut premium = market(30_000 * DOLLAR, mid * DOLLAR);
            premium.observe(&source, MOST, NINE + HOUR).unwrap();
            assert_eq!(premium.funding.rate, rate);
        }
    }

    #[test]
    fn a_mid_counts_only_as_long_as_it_stands() {
        // Its orders expire in the next hour but one: one hour counts, two do not.
        let source = Standing(1_000 * DOLLAR);
        let mut premium = market(1_000 * DOLLAR, 1_001 * DOLLAR);
        premium.mid.until = NINE + HOUR;
        premium.observe(&source, MOST, NINE + 3 * HOUR).unwrap();
        assert_eq!(premium.sum, i128::from(DOLLAR) * i128::from(HOUR));
        assert_eq!((premium.funding.index, premium.funding.rate), (DOLLAR / 8, 0));
    }

    #[test]
    fn what_is_older_than_the_kept_hours_counts_nothing() {
        // A dollar over for 30 hours without a look: the last 23 whole ones count, and the first hour's rate, which was 0.
        let source = Standing(1_000 * DOLLAR);
        let mut premium = market(1_000 * DOLLAR, 1_001 * DOLLAR);
        premium.observe(&source, MOST, NINE + 30 * HOUR).unwrap();
        assert_eq!(premium.sum, i128::from(23 * HOUR) * i128::from(DOLLAR));
        // Those of 23 hours are paid over as many hours, the last of which has only begun.
        assert_eq!(
            (premium.funding.index, premium.funding.rate),
            (22 * DOLLAR / 8, DOLLAR / 8)
        );
    }

    #[test]
    fn the_same_second_and_a_clock_that_went_back_change_nothing() {
        let source = Standing(1_000 * DOLLAR);
        let mut premium = market(1_000 * DOLLAR, 1_001 * DOLLAR);
        premium.observe(&source, MOST, NINE + 5).unwrap();
        let before = premium;
        premium.mid.price = 5_000 * DOLLAR;
        premium.observe(&source, MOST, NINE + 5).unwrap();
        premium.observe(&source, MOST, NINE - 5).unwrap();
        assert_eq!(premium.sum, before.sum);
        assert_eq!(premium.observed_at, NINE + 5);
    }

    #[test]
    fn pending_is_what_a_position_gets() {
        // Longs of 2 units have paid 3 a unit since; shorts have received it.
        assert_eq!(pending(8, 5, Quantity(2)), Ok(Notional(-6)));
        assert_eq!(pending(8, 5, Quantity(-2)), Ok(Notional(6)));
        assert_eq!(pending(5, 5, Quantity(i64::MAX)), Ok(Notional::ZERO));
        assert_eq!(pending(i64::MAX, -2, Quantity(1)), Err(Overflow));
    }

    #[test]
    fn a_large_rate_is_divided_exactly_too() {
        let funding = |rate| Funding {
            index: 0,
            rate,
            hour: 0,
        };
        assert_eq!(funding(i64::MAX).at(1), Ok(i64::MAX / 3_600));
        assert_eq!(funding(-7).at(1_800), Ok(-4));
        assert_eq!(funding(-8).at(1_800), Ok(-4));
        assert_eq!(funding(-7).at(-5), Ok(0));
    }

    #[test]
    fn the_basis_closes_in_on_the_premium() {
        // 0.1 % over for 300 s: 1 − 1/e of the way from 0, 632,120.55 of 1,000,000.
        let index = Price(30_000 * DOLLAR);
        let premium = i128::from(30 * DOLLAR) * 300;
        let next = next_basis(Ratio::ZERO, premium, 300, index, Ratio(10_000_000)).unwrap();
        assert_eq!(next, Ratio(632_120));
        let back = next_basis(next, 0, 300, index, Ratio(10_000_000)).unwrap();
        // Back by 632,120 · (1 − 1/e) = 399,576.05, rounded down.
        assert_eq!(back, Ratio(632_120 - 399_576));
    }

    #[test]
    fn the_basis_is_held_within_half_a_percent_and_its_bound() {
        let index = Price(30_000 * DOLLAR);
        let long = 100_000;
        let premium = |dollars: i64| i128::from(dollars * DOLLAR) * i128::from(long);
        let next = |premium, bound| next_basis(Ratio::ZERO, premium, long, index, Ratio(bound)).unwrap();
        assert_eq!(next(premium(3_000), 10_000_000), Ratio(5_000_000));
        assert_eq!(next(premium(-3_000), 10_000_000), Ratio(-5_000_000));
        assert_eq!(next(premium(3_000), 2_000_000), Ratio(2_000_000));
        assert_eq!(next(i128::MAX, 10_000_000), Ratio(5_000_000));
        // A basis from before the bound was lowered comes within it at once.
        let low = next_basis(Ratio(5_000_000), premium(3_000), 10, index, Ratio(1_000_000)).unwrap();
        assert_eq!(low, Ratio(1_000_000));
    }

    #[test]
    fn a_short_while_moves_the_basis_by_its_part_of_the_time_constant_at_most() {
        // However far over the index a book was for 15 s, it moves the mark by no more than 15/300 of the bound.
        let index = Price(30_000 * DOLLAR);
        let next = next_basis(Ratio::ZERO, i128::from(29_000 * DOLLAR) * 15, 15, index, MAX_BASIS).unwrap();
        assert!(next.0 > 0 && next.0 <= MAX_BASIS.0 * 15 / 300, "{next:?}");
    }

    #[test]
    fn the_decay_is_the_time_constants() {
        // e^(−1/300): one 300th of a logarithm below one.
        let value = MARK_DECAY as f64 / (1u64 << 63) as f64;
        assert!((value.ln() + 1.0 / 300.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_to_measure_by_is_refused() {
        assert_eq!(next_basis(Ratio::ZERO, 1, 0, Price(1), MAX_BASIS), Err(Overflow));
        assert_eq!(next_basis(Ratio::ZERO, 1, 1, Price(0), MAX_BASIS), Err(Overflow));
    }
}
