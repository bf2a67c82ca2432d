//! The volatility surface of one expiry: at-the-money volatility, skew and curvature in standardised moneyness.
//!
//! With z = ln(K/F)/(σ_atm·√T), held within ±3: σ(K) = σ_atm·(1 + skew·z + curvature·z²), never below √(variance floor / T) and always
//! within 5 % to 400 %. Beyond three standard deviations a surface says nothing that a market would have told it, so it stays flat.
use crate::option_book::quotient;
use crate::RiskError;
use ballast_fixed::kernel::{root_years, sqrt, Q48};
use ballast_fixed::Ratio;

/// The least volatility an option is priced at: 5 %, the floor of section 1.
pub const LEAST_VOLATILITY: Q48 = Q48::from_ratio(Ratio(50_000_000));
/// The largest: 400 %. With v_u = 0.50 and a day to expiry σ↑ is then 954 %, inside the kernel's stated domain.
pub const LARGEST_VOLATILITY: Q48 = Q48::from_ratio(Ratio(4_000_000_000));
/// |z| beyond which the surface is flat.
const WIDTH: i64 = 3;

/// One expiry's surface, as the board keeps it: now, or its slow mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surface {
    /// σ_atm, a year; 5 % to 300 %.
    pub at_the_money: Ratio,
    /// The change of σ/σ_atm for each standard deviation the strike lies above the forward; −0.25 to 0.25.
    pub skew: Ratio,
    /// The same for each squared one; 0 to 0.10.
    pub curvature: Ratio,
    /// The least total variance σ²T; 0 to 1.
    pub variance_floor: Ratio,
}

impl Surface {
    /// A surface of one volatility.
    pub const fn flat(volatility: Ratio) -> Surface {
        Surface {
            at_the_money: volatility,
            skew: Ratio::ZERO,
            curvature: Ratio::ZERO,
            variance_floor: Ratio::ZERO,
        }
    }

    /// Checks every field against its hard bounds. Within them σ(K) is positive and at most 2.65 times σ_atm.
    ///
    /// Fails with [`RiskError::InvalidParameter`].
    #[inline(never)]
    pub fn validate(&self) -> Result<(), RiskError> {
        let Surface {
            at_the_money,
            skew,
            curvature,
            variance_floor,
        } = *self;
        let sound = (50_000_000..=3_000_000_000).contains(&at_the_money.0)
            && (-250_000_000..=250_000_000).contains(&skew.0)
            && (0..=100_000_000).contains(&curvature.0)
            && (0..=Ratio::SCALE).contains(&variance_floor.0);
        if sound {
            Ok(())
        } else {
            Err(RiskError::InvalidParameter)
        }
    }

    /// σ of the strike with this ln(K/F), at √T in root years ([`root_years`]). To the kernel's precision.
    #[inline(never)]
    pub fn sigma(&self, log_moneyness: Q48, root_years: Q48) -> Q48 {
        Smile::new(self, root_years).sigma(log_moneyness)
    }
}

/// A surface at its time to expiry: what all strikes share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Smile {
    at_the_money: Q48,
    skew: Q48,
    curvature: Q48,
    /// 3·σ_atm√T and 1/(σ_atm√T).
    limit: Q48,
    inverse: Q48,
    floor: Q48,
}

impl Smile {
    /// Of a surface within its bounds; others are held within them where a product needs it.
    pub fn new(surface: &Surface, root_years: Q48) -> Smile {
        let at_the_money = Q48::from_ratio(surface.at_the_money)
            .max(LEAST_VOLATILITY)
            .min(LARGEST_VOLATILITY);
        let root = Q48(root_years.0.clamp(1 << 38, 1 << 51)); // 9·10⁻⁴, under a minute, to 8, sixty years
        let total = at_the_money.times(root); // 2³³ to 2⁵³
                                              // Where the floor is below that of every volatility, the usual case, it needs no root.
        let least = LEAST_VOLATILITY.times(root);
        let variance = Q48::from_ratio(surface.variance_floor);
        let floor = if surface.variance_floor == Ratio::ZERO || variance <= least.times(least) {
            Q48::ZERO
        } else {
            floor_volatility(variance, root)
        };
        Smile {
            at_the_money,
            skew: Q48::from_ratio(surface.skew),
            curvature: Q48::from_ratio(surface.curvature),
            limit: Q48(total.0.wrapping_mul(WIDTH)),
            inverse: quotient(Q48::ONE.0, total.0),
            floor,
        }
    }

    /// σ at ln(K/F).
    pub fn sigma(&self, log_moneyness: Q48) -> Q48 {
        let z = if log_moneyness >= self.limit {
            Q48(Q48::ONE.0.wrapping_mul(WIDTH))
        } else if log_moneyness.0 <= self.limit.0.wrapping_neg() {
            Q48(Q48::ONE.0.wrapping_mul(WIDTH).wrapping_neg())
        } else {
            // |ln| < 32 and the inverse at most 16,384: within the bounds of a product, whose size is under 3.
            log_moneyness.times(self.inverse)
        };
        let relative = Q48::ONE.plus(self.skew.plus(self.curvature.times(z)).times(z));
        let sigma = self.at_the_money.times(relative);
        sigma.max(self.floor).max(LEAST_VOLATILITY).min(LARGEST_VOLATILITY)
    }

    /// σ√T at ln(K/F).
    fn total(&self, log_moneyness: Q48, root: Q48) -> Q48 {
        self.sigma(log_moneyness).times(root)
    }
}

/// √(variance / T), the volatility that a floor of total variance stands for at √T.
pub(crate) fn floor_volatility(variance: Q48, root_years: Q48) -> Q48 {
    Q48::quotient(sqrt(variance).0, root_years.0)
}

/// A surface and the seconds to its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maturity {
    /// Its surface.
    pub surface: Surface,
    /// Seconds to expiry; under an hour they count as one, as in pricing.
    pub seconds: i64,
}

/// Fails with [`RiskError::CalendarArbitrage`] where total variance falls from the earlier expiry to the later one at the same forward
/// log-moneyness ln(K/F).
///
/// Checked is σ²T at 26 points: z = −3, −2.5, … 3 of either expiry. Between two neighbouring points both are smooth (a quadratic, or flat).
#[inline(never)]
pub fn check_calendar(near: &Maturity, far: &Maturity) -> Result<(), RiskError> {
    let at = |maturity: &Maturity| {
        let root = root_years(maturity.seconds.max(LEAST_SECONDS));
        (Smile::new(&maturity.surface, root), root)
    };
    if near.seconds > far.seconds {
        return check_calendar(far, near);
    }
    let ((near, near_root), (far, far_root)) = (at(near), at(far));
    for limit in [near.limit, far.limit] {
        for step in -6i64..=6 {
            // A sixth of three deviations each; the limit is below 2⁵⁶.
            let point = Q48(limit.0.wrapping_mul(step).wrapping_div(6));
            if near.total(point, near_root) > far.total(point, far_root) {
                return Err(RiskError::CalendarArbitrage);
            }
        }
    }
    Ok(())
}

/// The least time to expiry before the settlement window: one hour.
pub const LEAST_SECONDS: i64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(x: Q48) -> f64 {
        x.0 as f64 / (1u64 << 48) as f64
    }

    fn q(x: f64) -> Q48 {
        Q48((x * (1u64 << 48) as f64) as i64)
    }

    const SMIRK: Surface = Surface {
        at_the_money: Ratio(600_000_000),
        skew: Ratio(-100_000_000),
        curvature: Ratio(50_000_000),
        variance_floor: Ratio::ZERO,
    };

    const MONTH: i64 = 2_592_000;

    #[test]
    fn the_smile_is_a_parabola_in_standard_deviations() {
        let root = root_years(31_536_000 / 4); // ½: a deviation is 0.3
        let sigma = |k: f64| value(SMIRK.sigma(q(k), root));
        // 0.6·(1 − 0.1z + 0.05z²) at z = 0, 1, −2, and flat beyond ±3: 0.6·1.15, 0.6·1.75.
        for (k, expected) in [
            (0.0, 0.6),
            (0.3, 0.57),
            (-0.6, 0.84),
            (0.9, 0.69),
            (5.0, 0.69),
            (-0.9, 1.05),
            (-33.0, 1.05),
        ] {
            assert!((sigma(k) - expected).abs() < 1e-12, "{k}: {}", sigma(k));
        }
    }

    #[test]
    fn volatility_is_held_within_its_bounds() {
        let root = root_years(3_600);
        let floored = Surface {
            variance_floor: Ratio(10_000_000),
            ..Surface::flat(Ratio(50_000_000))
        };
        // √(0.01 / (1/8,760)) = 9.36, over the 400 %.
        assert_eq!(floored.sigma(Q48::ZERO, root), LARGEST_VOLATILITY);
        let year = root_years(31_536_000);
        assert!((value(floored.sigma(Q48::ZERO, year)) - 0.1).abs() < 1e-12); // √0.01
        assert_eq!(Surface::flat(Ratio::ZERO).sigma(Q48::ZERO, year), LEAST_VOLATILITY);
    }

    #[test]
    fn each_field_has_its_bound() {
        assert_eq!(SMIRK.validate(), Ok(()));
        let refused = |change: fn(&mut Surface)| {
            let mut surface = SMIRK;
            change(&mut surface);
            assert_eq!(surface.validate(), Err(RiskError::InvalidParameter));
        };
        refused(|s| s.at_the_money = Ratio(49_999_999));
        refused(|s| s.at_the_money = Ratio(3_000_000_001));
        refused(|s| s.skew = Ratio(250_000_001));
        refused(|s| s.skew = Ratio(-250_000_001));
        refused(|s| s.curvature = Ratio(-1));
        refused(|s| s.curvature = Ratio(100_000_001));
        refused(|s| s.variance_floor = Ratio(-1));
        refused(|s| s.variance_floor = Ratio(1_000_000_001));
    }

    #[test]
    fn total_variance_may_not_fall() {
        let at = |surface, seconds| Maturity { surface, seconds };
        let flat = |percent: i64| Surface::flat(Ratio(percent * 10_000_000));
        // 0.60²·30 = 10.8 against 0.42²·60 = 10.584 and 0.43²·60 = 11.094.
        let near = at(flat(60), MONTH);
        assert_eq!(check_calendar(&near, &at(flat(43), 2 * MONTH)), Ok(()));
        let cheap = at(flat(42), 2 * MONTH);
        assert_eq!(check_calendar(&near, &cheap), Err(RiskError::CalendarArbitrage));
        assert_eq!(
            check_calendar(&cheap, &near),
            Err(RiskError::CalendarArbitrage),
            "in either order"
        );
        // At the money the later one is dearer, but the earlier one's wing is not: 0.6·1.75 at z = −3, k = −0.516.
        assert_eq!(
            check_calendar(&at(SMIRK, MONTH), &at(flat(62), 2 * MONTH)),
            Err(RiskError::CalendarArbitrage)
        );
        assert_eq!(check_calendar(&at(SMIRK, MONTH), &at(SMIRK, 2 * MONTH)), Ok(()));
    }
}
