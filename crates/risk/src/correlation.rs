//! Realised correlation of a pair, and the level weights that it leaves (margin.md section 4, "Dynamic parameters").
//!
//! Returns are those of hourly means of the index, exponentially weighted. Means smooth variances and covariance by the same factor, so
//! what they leave of a correlation is the correlation; and feeds that print at different moments do not pull it to zero.
use crate::index_history::{hour_of, HOUR, KEPT_HOURS};
use crate::{AssetParams, RiskError, MAX_LEVELS};
use ballast_fixed::kernel::{ln_price, sqrt, Q48};
use ballast_fixed::{decay, div_floor, mul_div_floor, Price, Ratio};

/// Half-life of the weights, hours: docs/oracles.md has what this one is chosen by.
pub const HALF_LIFE_HOURS: u32 = 72;
/// 2^(−1/72) in Q63.
const KEPT_PER_HOUR: u64 = 9_135_004_269_511_071_858;
/// Returns that are seen before anything is said: a third of the half-life.
pub const LEAST_RETURNS: u16 = 24;
/// Larger moves of an hourly mean count as this one, e.
const LARGEST_RETURN: i64 = Q48::ONE.0;
/// What the weights of all hours add up to, and somewhat more: 1 / (1 − 2^(−1/72)) = 104.4.
const LARGEST_SUM: i64 = 105 << 48;

/// The index over time as a board keeps it, for one asset: the integral at full hours ([`crate::index_history::IndexIntegral::at_hour`]).
pub trait HourlyIntegral {
    /// ∫ index dt up to the beginning of an hour, in 10⁻⁹ USD · seconds; `None` for an hour that is not kept.
    ///
    /// # Errors
    /// [`RiskError::Overflow`] out of range.
    fn at_hour(&self, hour: i64) -> Result<Option<i128>, RiskError>;
}

impl<F: Fn(i64) -> Result<Option<i128>, RiskError>> HourlyIntegral for F {
    fn at_hour(&self, hour: i64) -> Result<Option<i128>, RiskError> {
        self(hour)
    }
}

/// ln of an asset's mean index in `hour`; `None` where the history does not cover the hour in full.
fn mean_logarithm(history: &impl HourlyIntegral, hour: i64) -> Result<Option<i64>, RiskError> {
    let (Some(begin), Some(end)) = (history.at_hour(hour)?, history.at_hour(hour.saturating_add(1))?) else {
        return Ok(None);
    };
    // Before its first price an integral is 0: an hour in which it began has no mean.
    if begin <= 0 || end <= begin {
        return Ok(None);
    }
    let sum = end.checked_sub(begin).ok_or(RiskError::Overflow)?;
    let mean = i64::try_from(div_floor(sum, i128::from(HOUR))?).map_err(|_| RiskError::Overflow)?;
    Ok(Some(ln_price(Price(mean)).0))
}

/// What is known of how two assets move together. All zero before the first return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correlation {
    /// The hours before this one are counted, hours since 1970.
    pub hour: u32,
    /// Returns counted, held at 65,535.
    pub returns: u16,
    /// Σ r_a·r_b·2^(−age / half-life), in units of 2⁻⁴⁸.
    pub covariance: i64,
    /// The same of r_a².
    pub variance_a: i64,
    /// The same of r_b².
    pub variance_b: i64,
}

impl Correlation {
    /// Counts the full hours up to `now`, at most `most` of them: what is left may be counted by another call. Returns whether all are.
    ///
    /// An hour for which either asset has no mean, or none of the hour before, only decays what is known.
    ///
    /// # Errors
    /// [`RiskError::Overflow`] where a history is out of range.
    pub fn advance(
        &mut self,
        a: &impl HourlyIntegral,
        b: &impl HourlyIntegral,
        now: i64,
        most: u32,
    ) -> Result<bool, RiskError> {
        let open = u32::try_from(hour_of(now)).map_err(|_| RiskError::Overflow)?;
        // Hours that no history reaches back to are passed at once.
        let kept = open.saturating_sub(KEPT_HOURS as u32);
        if self.hour < kept {
            self.decay(kept.saturating_sub(self.hour));
            self.hour = kept;
        }
        let end = open.min(self.hour.saturating_add(most));
        if end <= self.hour {
            return Ok(end >= open);
        }
        let mut before = means(a, b, i64::from(self.hour).saturating_sub(1))?;
        for hour in self.hour..end {
            let ended = means(a, b, i64::from(hour))?;
            self.decay(1);
            if let (Some(from), Some(to)) = (before, ended) {
                self.add(to.0.saturating_sub(from.0), to.1.saturating_sub(from.1));
            }
            before = ended;
        }
        self.hour = end;
        Ok(end >= open)
    }

    fn decay(&mut self, hours: u32) {
        let kept = u128::from(decay(KEPT_PER_HOUR, hours));
        for sum in [&mut self.covariance, &mut self.variance_a, &mut self.variance_b] {
            let size = u128::from(sum.unsigned_abs());
            let size = (size.wrapping_mul(kept) >> 63) as i64; // 2⁶³ · 2⁶³ >> 63, and kept < 1 but for no hours at all
            *sum = if *sum < 0 { size.wrapping_neg() } else { size };
        }
    }

    fn add(&mut self, a: i64, b: i64) {
        let held = |r: i64| Q48(r.clamp(LARGEST_RETURN.wrapping_neg(), LARGEST_RETURN));
        let (a, b) = (held(a), held(b));
        for (sum, product) in [
            (&mut self.covariance, a.times(b)),
            (&mut self.variance_a, a.times(a)),
            (&mut self.variance_b, b.times(b)),
        ] {
            *sum = sum
                .saturating_add(product.0)
                .clamp(LARGEST_SUM.wrapping_neg(), LARGEST_SUM);
        }
        self.returns = self.returns.saturating_add(1);
    }

    /// The correlation, −1 to 1, rounded down; `None` before [`LEAST_RETURNS`], and where one of them has not moved.
    pub fn value(&self) -> Option<Ratio> {
        if self.returns < LEAST_RETURNS || self.variance_a <= 0 || self.variance_b <= 0 {
            return None;
        }
        // Root by root: the product of two small variances would have no digits left. At most 10.3 each.
        let deviations = sqrt(Q48(self.variance_a)).times(sqrt(Q48(self.variance_b)));
        if deviations.0 <= 0 {
            return None;
        }
        let value = mul_div_floor(self.covariance, Ratio::SCALE, deviations.0).unwrap_or(0);
        Some(Ratio(value.clamp(Ratio::SCALE.wrapping_neg(), Ratio::SCALE)))
    }

    /// What the pair leaves of the weight of a level that joins it: clamp(correlation / reference, 0, 1), rounded down. 1 while nothing is
    /// known, and for a reference of 0.
    pub fn factor(&self, reference: Ratio) -> Ratio {
        let Some(value) = self.value() else {
            return Ratio::ONE;
        };
        if value >= reference || reference <= Ratio::ZERO {
            return Ratio::ONE;
        }
        let factor = mul_div_floor(value.0.max(0), Ratio::SCALE, reference.0).unwrap_or(0);
        Ratio(factor).min(Ratio::ONE)
    }
}

/// The means of an hour, where both assets have one.
fn means(a: &impl HourlyIntegral, b: &impl HourlyIntegral, hour: i64) -> Result<Option<(i64, i64)>, RiskError> {
    let Some(of_a) = mean_logarithm(a, hour)? else {
        return Ok(None);
    };
    Ok(mean_logarithm(b, hour)?.map(|of_b| (of_a, of_b)))
}

/// Two assets of a cluster, and what their correlation leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairFactor {
    /// The levels that join the pair, level k as bit k: [`AssetParams::joined_levels`].
    pub levels: u8,
    /// [`Correlation::factor`].
    pub factor: Ratio,
}

/// The level weights in force: each level from 1 on keeps w_k times the least factor of the pairs that it joins, rounded down. What they
/// lose goes to level 0, the one without netting, so that they add up to what they did, exactly.
///
/// # Errors
/// [`RiskError::Overflow`] for weights outside their bounds.
pub fn effective_weights(
    weights: &[Ratio; MAX_LEVELS],
    pairs: &[PairFactor],
) -> Result<[Ratio; MAX_LEVELS], RiskError> {
    let mut effective = *weights;
    let [unnetted, levels @ ..] = &mut effective;
    for (level, weight) in (1u32..).zip(levels) {
        let joined = pairs.iter().filter(|pair| u32::from(pair.levels) >> level & 1 == 1);
        let Some(factor) = joined.map(|pair| pair.factor).min() else {
            continue;
        };
        let kept = weight.times_floor(factor.max(Ratio::ZERO).min(Ratio::ONE))?;
        *unnetted = unnetted.plus(weight.minus(kept)?)?;
        *weight = kept;
    }
    Ok(effective)
}

impl AssetParams {
    /// The levels on which both assets are in the same cluster, level k as bit k.
    pub fn joined_levels(&self, other: &AssetParams) -> u8 {
        let mut levels = 0;
        for (level, (a, b)) in (0u32..).zip(self.clusters.iter().zip(&other.clusters)) {
            if *a != 0 && a == b {
                levels |= 1u8.wrapping_shl(level);
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests;
