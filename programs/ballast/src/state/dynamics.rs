//! How an asset's scan range follows its realised variance.
use anchor_lang::prelude::borsh::{BorshDeserialize, BorshSerialize}; // the derives of the prelude clash with zero_copy in the IDL
use anchor_lang::prelude::*;
use ballast_fixed::{Price, Ratio};
use ballast_risk::scan_scale::{ScaleLimits, ScanScale, KEPT_MINUTES, LARGEST_CAP, ONE};
use ballast_risk::variance::RealisedVariance;

use super::assert_layout;
use crate::error::{ensure, BallastError};

/// How an asset's scan range follows its realised variance, as governance sets it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleConfig {
    /// The largest multiple of ψ, 10⁻⁶: 1,000,000 (it stands as it is) to 2,500,000.
    pub scan_range_cap_ppm: u32,
    /// The fastest that the multiple falls, 10⁻⁶ of ψ an hour: 1,000 to 2,500,000.
    pub scan_range_fall_ppm: u32,
}

impl ScaleConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`BallastError::InvalidParameter`].
    pub fn validate(&self) -> Result<()> {
        ensure!(
            (ONE..=LARGEST_CAP).contains(&self.scan_range_cap_ppm)
                && (1_000..=LARGEST_CAP).contains(&self.scan_range_fall_ppm),
            BallastError::InvalidParameter
        );
        Ok(())
    }
}

/// Realised variance of an asset's index and the multiple of ψ that is in force by it (margin.md section 4).
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct ScanRangeScale {
    /// The largest multiple of ψ, 10⁻⁶.
    pub cap: u32,
    /// The fastest fall, 10⁻⁶ of ψ an hour.
    pub fall_per_hour: u32,
    /// The open hour of the variance, hours since 1970; 0 before the first price.
    pub hour: u32,
    /// The minute of the last rise, minutes since 1970.
    pub risen: u32,
    /// ln of the index when the hour began, in units of 2⁻⁴⁸.
    pub anchor: i64,
    /// ln of the index that stands.
    pub last: i64,
    /// Σ r²·2^(−age / 24 hours) over the hours before, in units of 2⁻⁴⁸.
    pub sum: i64,
    /// Up to when the level stands, unix seconds.
    pub time: i64,
    /// The multiple in 10⁻⁶ / 3,600; under 1 it counts as 1.
    pub level: u64,
    /// What the variance asked for last, 10⁻⁶.
    pub target: u32,
    /// Zero.
    pub _padding: [u8; 4],
    /// The multiple at the beginning of each of the last minutes, 10⁻⁶, at the minute's number modulo theirs.
    pub minutes: [u32; KEPT_MINUTES],
}
assert_layout!(
    ScanRangeScale,
    112,
    cap = 0,
    hour = 8,
    sum = 32,
    level = 48,
    minutes = 64
);

/// A multiple of 1 in units of a level.
const AT_REST: u64 = ONE as u64 * 3_600;

impl ScanRangeScale {
    /// A scale that has seen nothing.
    pub fn new(config: &ScaleConfig) -> ScanRangeScale {
        ScanRangeScale {
            cap: config.scan_range_cap_ppm,
            fall_per_hour: config.scan_range_fall_ppm,
            ..ScanRangeScale::default()
        }
    }

    /// Takes in an index published at `publish_time` for an asset whose ψ by the table is `scan_range`.
    #[inline(never)]
    pub fn observe(&mut self, index: Price, publish_time: i64, scan_range: Ratio, now: i64) {
        let mut variance = RealisedVariance {
            hour: self.hour,
            anchor: self.anchor,
            last: self.last,
            sum: self.sum,
        };
        variance.observe(index, publish_time);
        (self.hour, self.anchor) = (variance.hour, variance.anchor);
        (self.last, self.sum) = (variance.last, variance.sum);
        let limits = ScaleLimits {
            scan_range,
            cap: self.cap,
            fall_per_hour: self.fall_per_hour,
        };
        let mut scale = self.scale();
        scale.observe(variance.daily(), &limits, now);
        (self.time, self.level) = (scale.time, scale.level);
        (self.target, self.risen, self.minutes) = (scale.target, scale.risen, scale.minutes);
    }

    fn scale(&self) -> ScanScale {
        ScanScale {
            time: self.time,
            level: self.level,
            target: self.target,
            risen: self.risen,
            minutes: self.minutes,
        }
    }

    /// Whether ψ is the table's.
    pub fn is_at_rest(&self) -> bool {
        self.level <= AT_REST
    }

    /// The multiples of ψ for initial and for maintenance margin at `now`, 10⁻⁶; the second is never the larger.
    pub fn multiples(&self, now: i64) -> (u32, u32) {
        if self.is_at_rest() {
            return (ONE, ONE);
        }
        let scale = self.scale();
        (scale.initial(), scale.maintenance(now))
    }
}
