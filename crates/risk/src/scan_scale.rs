//! ψ_eff: by how much the scan range in force exceeds the table's, and what follows from it (margin.md section 4, "Dynamic parameters").
//!
//! The scale rises at once to what realised variance asks for, 3σ of a day over ψ, and falls by at most a set rate. Maintenance margin takes
//! the lesser of the scale now and that of ten minutes ago, so that a rise alone gives ten minutes' grace.
use crate::index_history::{hour_of, start_of};
use crate::{AssetParams, PortfolioParams, RiskError};
use ballast_fixed::kernel::{sqrt, Q48};
use ballast_fixed::{mul_div_ceil, Ratio};

/// ψ itself, in the units of a scale, 10⁻⁶ of ψ.
pub const ONE: u32 = 1_000_000;
/// The widest cap that governance may set: two and a half times ψ.
pub const LARGEST_CAP: u32 = 2_500_000;
/// Minutes of which it is kept what stood at their beginning.
pub const KEPT_MINUTES: usize = 12;
const MINUTES: u32 = KEPT_MINUTES as u32;
/// Minutes of grace.
const GRACE: u32 = 10;
const MINUTE: i64 = 60;
/// Finer units, in which a fall of a whole number of 10⁻⁶ an hour is one of a whole number a second.
const FINE: u64 = 3_600;
/// A scale of 1 in those.
const FLOOR: u64 = ONE as u64 * FINE;
/// 2^(−1/48) in Q32, rounded up: what an hour without a move leaves of a standard deviation.
const KEPT_PER_HOUR: u64 = 4_233_391_204;
/// What is remembered of a variance beyond the cap: by so much the scale stays at the cap.
const LARGEST_TARGET: u32 = 16_000_000;
/// After so many hours without a move no target is above 1: 16·2^(−192/48) is 1.
const MOST_HOURS: i64 = 192;

/// Whether and how the scale of an asset follows its variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleLimits {
    /// ψ of the table.
    pub scan_range: Ratio,
    /// The largest scale, 10⁻⁶: [`ONE`] (off) to [`LARGEST_CAP`].
    pub cap: u32,
    /// The fastest fall, 10⁻⁶ of ψ an hour.
    pub fall_per_hour: u32,
}

/// The scale of one asset over time. All zero is a scale of 1 that has always stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanScale {
    /// Up to when the others stand, chain time in unix seconds.
    pub time: i64,
    /// The scale in 10⁻⁶ / 3,600; under 1 it counts as 1.
    pub level: u64,
    /// What variance asked for last, 10⁻⁶, be it above the cap; the level falls no further.
    pub target: u32,
    /// The minute of the last rise, minutes since 1970.
    pub risen: u32,
    /// The scale at the beginning of the last [`KEPT_MINUTES`] minutes up to `time`, 10⁻⁶, each at its minute modulo their number.
    pub minutes: [u32; KEPT_MINUTES],
}

/// 3σ/ψ for the variance of a day, 10⁻⁶, rounded up; between 1 and 16, and 1 without a ψ or where the cap is 1.
fn target(daily: Q48, limits: &ScaleLimits) -> u32 {
    let psi = Q48::from_ratio(limits.scan_range.max(Ratio::ZERO).min(Ratio::ONE));
    // A variance of a day is at most 26: nine times that is far from the bounds of the type.
    let nine = Q48(daily.0.clamp(0, 26 * Q48::ONE.0).wrapping_mul(9));
    if limits.cap <= ONE || psi == Q48::ZERO || nine <= psi.times(psi) {
        return ONE;
    }
    // 3σ and ψ in units of 2⁻⁴⁰, rounded against the account: at most 2⁴⁴ · 10⁶ < 2⁶⁴.
    let deviation = (sqrt(nine).0.unsigned_abs() >> 8).wrapping_add(1);
    let psi = (psi.0.unsigned_abs() >> 8).max(1);
    let scale = deviation.wrapping_mul(u64::from(ONE)).div_ceil(psi);
    u32::try_from(scale).unwrap_or(u32::MAX).clamp(ONE, LARGEST_TARGET)
}

/// What stands at a time.
#[derive(Clone, Copy)]
struct Standing {
    time: i64,
    level: u64,
    target: u64,
    cap: u64,
}

impl Standing {
    /// Moves on to `now`, which is no earlier, without a new price: hour by hour of the clock the level is no lower than the target, which
    /// decays as the variance does, and falls by the rate at most.
    fn advance(&mut self, limits: &ScaleLimits, now: i64) {
        if self.level == FLOOR {
            self.time = now;
            return; // at rest, the usual case: no target is above the level
        }
        let hours = hour_of(now).saturating_sub(hour_of(self.time));
        for _ in 0..hours.min(MOST_HOURS) {
            self.fall(limits, start_of(hour_of(self.time).saturating_add(1)));
            self.target = self.target.wrapping_mul(KEPT_PER_HOUR).div_ceil(1 << 32);
            // 32 bits each
        }
        self.fall(limits, now);
    }

    /// The same within an hour of the clock, or where no target is above 1 any more.
    fn fall(&mut self, limits: &ScaleLimits, now: i64) {
        let seconds = u32::try_from(now.saturating_sub(self.time)).unwrap_or(u32::MAX);
        let fall = u64::from(seconds).wrapping_mul(u64::from(limits.fall_per_hour));
        let least = self.target.wrapping_mul(FINE).clamp(FLOOR, self.cap);
        self.level = self.level.saturating_sub(fall).max(least);
        self.time = now;
    }
}

impl ScanScale {
    /// Takes in what the variance asks for from `now` on. A clock that went back counts as standing still.
    pub fn observe(&mut self, daily: Q48, limits: &ScaleLimits, now: i64) {
        let now = now.max(self.time);
        let minute = minute_of(now);
        let mut standing = self.standing(limits);
        if minute > minute_of(self.time) {
            self.keep_minutes(&mut standing, limits, minute);
        }
        standing.advance(limits, now);
        let wanted = target(daily, limits);
        let before = standing.level;
        standing.target = u64::from(wanted);
        standing.fall(limits, now); // to which it may rise
        if standing.level > before {
            self.risen = minute;
        }
        (self.time, self.level, self.target) = (now, standing.level, wanted);
    }

    /// What stood since the last price. A cap that was lowered since cuts it at once.
    fn standing(&self, limits: &ScaleLimits) -> Standing {
        let cap = u64::from(limits.cap.clamp(ONE, LARGEST_CAP)).wrapping_mul(FINE);
        Standing {
            time: self.time,
            level: self.level.clamp(FLOOR, cap),
            target: u64::from(self.target.min(LARGEST_TARGET)),
            cap,
        }
    }

    /// Notes what stood at the beginning of each minute since `time` up to `minute`, of the last ones.
    #[inline(never)]
    fn keep_minutes(&mut self, standing: &mut Standing, limits: &ScaleLimits, minute: u32) {
        let after = minute_of(self.time).saturating_add(1);
        let first = after.max(minute.saturating_sub(MINUTES.wrapping_sub(1)));
        for begun in first..=minute {
            standing.advance(limits, i64::from(begun).wrapping_mul(MINUTE));
            self.minutes[place_of(begun)] = rounded(standing.level);
        }
    }

    /// The scale for initial margin: that of the last price, 10⁻⁶.
    pub fn initial(&self) -> u32 {
        rounded(self.level)
    }

    /// The scale for maintenance margin: the lesser of the one now and the one that stood ten (to eleven) minutes ago, 10⁻⁶. Never more than
    /// [`ScanScale::initial`].
    pub fn maintenance(&self, now: i64) -> u32 {
        let scale = self.initial();
        let begun = minute_of(now).saturating_sub(GRACE);
        // Only a rise since then makes a difference.
        if scale == ONE || begun > self.risen {
            return scale;
        }
        let before = self.minutes[place_of(begun)].max(ONE);
        scale.min(before)
    }
}

fn minute_of(time: i64) -> u32 {
    u32::try_from(time.div_euclid(MINUTE).max(0)).unwrap_or(u32::MAX)
}

fn place_of(minute: u32) -> usize {
    minute.rem_euclid(MINUTES) as usize
}

/// A level in 10⁻⁶, rounded up.
fn rounded(level: u64) -> u32 {
    u32::try_from(level.div_ceil(FINE)).unwrap_or(u32::MAX).max(ONE)
}

impl AssetParams {
    /// The parameters in force at a scale of ψ (10⁻⁶, from [`ONE`] on) and a confidence relative to the price.
    ///
    /// ψ and v_u are multiplied, each rounded up and held within its bounds: ψ within the shock floor, where a fall can go no further. A
    /// haircut becomes h·scale + 2·confidence, rounded up and at most 1. All others are as they were.
    ///
    /// # Errors
    /// [`RiskError::Overflow`] for parameters outside their bounds.
    pub fn scaled(&self, scale: u32, confidence: Ratio, portfolio: &PortfolioParams) -> Result<AssetParams, RiskError> {
        let doubt = confidence.0.max(0).saturating_mul(2);
        if scale <= ONE && doubt == 0 {
            return Ok(*self);
        }
        let times = |x: Ratio, most: Ratio| -> Result<Ratio, RiskError> {
            if scale <= ONE {
                return Ok(x);
            }
            let scaled = Ratio(mul_div_ceil(x.0, i64::from(scale), i64::from(ONE))?);
            Ok(scaled.min(most.max(x)))
        };
        let haircut = |h: Ratio| -> Result<Ratio, RiskError> {
            let scaled = times(h, Ratio::ONE)?;
            Ok(Ratio(scaled.0.saturating_add(doubt)).min(Ratio::ONE))
        };
        Ok(AssetParams {
            scan_range: times(
                self.scan_range,
                portfolio.shock_floor.min(AssetParams::LARGEST_SCAN_RANGE),
            )?,
            vol_up: times(self.vol_up, AssetParams::LARGEST_VOL_UP)?,
            haircut_initial: haircut(self.haircut_initial)?,
            haircut_maintenance: haircut(self.haircut_maintenance)?,
            ..*self
        })
    }
}

#[cfg(test)]
mod tests;
