//! Black's formula for European options on a forward, undiscounted, in parts of the strike.
use super::functions::{leading_zeros, ln_price, sqrt};
use super::normal::tail;
use super::Q48;
use crate::Price;

/// The largest error of [`call`] and [`put`], relative to max(F/K, 1): 24 units, 8.5·10⁻¹⁴.
///
/// It covers all that lies between exact prices, volatility and time and the result: the rounding of F/K, ln F, ln K, σ and √T on the
/// way in, that of one shock between −95 % and +1,200 %, and the kernel's own. docs/fixed-point.md derives it.
pub const ERROR: Q48 = Q48(24);

/// Together with a probability it is within the bounds of a product.
const LARGEST_RATIO: Q48 = Q48(32_000 << 48);

/// √(seconds / 31,536,000), the root of a time in years of 365 days, within 0.6 units; 0 for none, and held
/// from 7 years on.
#[inline(never)]
pub fn root_years(seconds: i64) -> Q48 {
    const YEAR: i64 = 31_536_000;
    // With 2¹² years as the unit the quotient, to the nearest, has 12 bits more, its root 6: seconds · 2⁶⁰ / YEAR by two divisions.
    const UNITS: u64 = YEAR as u64;
    let seconds = seconds.clamp(0, YEAR * 7) as u64; // below 2²⁸
    let (high, rest) = ((seconds << 32) / UNITS, (seconds << 32) % UNITS); // rest < 2²⁵
    let (low, rest) = ((rest << 28) / UNITS, (rest << 28) % UNITS);
    let nearest = (high << 28 | low).wrapping_add((rest >= UNITS / 2) as u64);
    let root = sqrt(Q48(nearest as i64));
    Q48(root.0.wrapping_add(1 << 5) >> 6) // under 182
}

/// σ√T, the standard deviation of the forward's logarithm, and what prices at that deviation have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalVolatility {
    /// v = σ√T, 2⁻²⁰ to 16.
    pub(super) value: Q48,
    /// 1 / (v·2^shift).
    pub(super) inverse: Q48,
    /// Makes v·2^shift lie in [16, 32).
    pub(super) shift: u32,
    /// At least 8v + v²/2: with |ln(F/K)| beyond it the option is eight deviations from the money or more.
    pub(super) limit: Q48,
}

impl TotalVolatility {
    const SMALLEST: i64 = Q48::ONE.0 >> 20;
    const LARGEST: i64 = Q48::ONE.0 << 4;

    /// Volatility a year (1 is 100 %) and √T in root years. σ√T is held within 2⁻²⁰ to 16; negative factors count as zero.
    #[inline(never)]
    pub fn new(sigma: Q48, root_years: Q48) -> TotalVolatility {
        const LARGEST_SIGMA: i64 = Q48::ONE.0 << 7;
        const LARGEST_ROOT: i64 = Q48::ONE.0 << 3;
        // At most 128 · 8 = 1,024.
        let v = Q48(sigma.0.clamp(0, LARGEST_SIGMA)).times(Q48(root_years.0.clamp(0, LARGEST_ROOT)));
        TotalVolatility::of(v)
    }

    #[inline(always)]
    fn of(v: Q48) -> TotalVolatility {
        let v = Q48(v.0.clamp(TotalVolatility::SMALLEST, TotalVolatility::LARGEST));
        // 2²⁸ ≤ v ≤ 2⁵² and 2⁵² ≤ scaled < 2⁵³. 2⁹⁶/scaled: 31 bits of it by division, of 2⁶³ by 2³² or more; twice as many by a step
        // of Newton's.
        let shift = leading_zeros(v.0 as u64).wrapping_sub(11);
        let scaled = v.0.wrapping_shl(shift);
        let seed = (1u64 << 63).checked_div(scaled as u64 >> 20).unwrap_or(0) as i64;
        let seed = Q48(seed << 13);
        let rest = Q48::ONE.minus(Q48(scaled).times(seed));
        TotalVolatility {
            value: v,
            inverse: seed.plus(seed.times(rest)),
            shift,
            // 9v where v/2 is at most 1, 16v where it is at most 8: no product needed.
            limit: Q48(if v.0 <= Q48::ONE.0 << 1 {
                v.0.wrapping_mul(9)
            } else {
                v.0 << 4
            }),
        }
    }

    /// σ√T.
    pub fn value(&self) -> Q48 {
        self.value
    }
}

/// Where the forward stands to the strike: F/K and its logarithm, which must belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moneyness {
    /// F/K.
    pub ratio: Q48,
    /// ln(F/K).
    pub ln: Q48,
}

impl Moneyness {
    /// Of a forward and a strike, both positive.
    pub fn new(forward: Price, strike: Price) -> Moneyness {
        Moneyness {
            ratio: Q48::quotient(forward.0, strike.0).min(LARGEST_RATIO),
            ln: ln_price(forward).minus(ln_price(strike)),
        }
    }

    /// After the forward has moved: `ratio_factor` = 1 + δ (0 to 16), `ln_factor` = ln(1 + δ). Before it, F/K above 2,000 is held there.
    #[inline(always)]
    pub fn shocked(&self, ratio_factor: Q48, ln_factor: Q48) -> Moneyness {
        const LARGEST_BEFORE: i64 = 2_000 << 48; // of which the factor makes 32,000
        Moneyness {
            ratio: Q48(self.ratio.0.min(LARGEST_BEFORE)).times(ratio_factor),
            ln: self.ln.plus(ln_factor),
        }
    }
}

/// The distances of the strike, on the out-of-the-money side, in standard deviations: |ln(F/K)|/v ∓ v/2. `None` from eight or some
/// more on, where an option is worth its intrinsic value and under 10⁻¹⁵ more.
///
/// For F < K they are −d₁ and −d₂, for F ≥ K d₂ and d₁. Their difference is v to the last unit: what error the quotient has shifts both
/// alike, and a shift e changes the price by less than e²·v/5 only.
#[inline(always)]
pub(super) fn distances(ln: Q48, v: &TotalVolatility) -> Option<(i64, i64)> {
    let magnitude = ln.0.wrapping_abs();
    if magnitude >= v.limit.0 {
        return None;
    }
    // magnitude < 16v, so shifted it is under 32 · 16 = 512.
    let centre = Q48(magnitude.wrapping_shl(v.shift)).times(v.inverse).0;
    let near = centre.wrapping_sub(v.value.0 >> 1);
    Some((near, near.wrapping_add(v.value.0)))
}

/// A call, price / K: F/K·Φ(d₁) − Φ(d₂), within [`ERROR`]·max(F/K, 1). At least max(F/K − 1, 0) and, since tails are only taken off it,
/// at most F/K, for any logarithm and F/K from 0 to 32,000.
///
/// Computed is the option out of the money, which has no large amounts to cancel, from the tails of the distribution only.
///
/// It never falls as σ rises, by however little. It never falls as F rises by 10⁻¹¹ of itself or more; smaller moves are within the
/// rounding of F/K and ln F and may lower it by up to two units for each time the strike that the forward is. The same goes for a put
/// as F falls.
#[inline(never)]
pub fn call(moneyness: &Moneyness, volatility: &TotalVolatility) -> Q48 {
    let ratio = moneyness.ratio;
    let intrinsic = || ratio.0.wrapping_sub(Q48::ONE.0).max(0); // dearer to keep than to compute again
    let Some((near, far)) = distances(moneyness.ln, volatility) else {
        return Q48(intrinsic());
    };
    // ratio ≤ 32,000 and a tail's mantissa ≤ ½ are within the bounds of a product.
    let (a, b) = (tail(near.wrapping_abs()), tail(far));
    let below = moneyness.ln.0 < 0;
    let (spot, left, right) = if below {
        (ratio.0, ratio.times(Q48(a.mantissa)).0, b.mantissa)
    } else {
        (Q48::ONE.0, a.mantissa, ratio.times(Q48(b.mantissa)).0)
    };
    let value = if near < 0 {
        // The strike lies within half a deviation and the nearer tail counts from the other side: Φ(−near) = 1 − Φ(near).
        (spot.wrapping_sub(left.wrapping_shr(a.shift))).wrapping_sub(right.wrapping_shr(b.shift))
    } else {
        // far > near: b has at least a's scale, unless it is zero and has none.
        left.wrapping_sub(right.wrapping_shr(b.shift.wrapping_sub(a.shift)))
            .wrapping_shr(a.shift)
    };
    let value = if below {
        value
    } else {
        value.wrapping_add(ratio.0).wrapping_sub(Q48::ONE.0)
    };
    Q48(value.max(intrinsic()))
}

/// A put, price / K, by parity: call − (F/K − 1) to the last unit, and with the call's error.
#[inline(never)]
pub fn put(moneyness: &Moneyness, volatility: &TotalVolatility) -> Q48 {
    call(moneyness, volatility).minus(moneyness.ratio).plus(Q48::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x to the nearest unit; exact enough for the values below.
    fn q(x: f64) -> Q48 {
        Q48((x * (1u64 << 48) as f64).round() as i64)
    }

    fn usd(x: i64) -> Price {
        Price(x * 1_000_000_000)
    }

    fn near(a: Q48, b: f64, units: u64) {
        let error = a.0.abs_diff(q(b).0);
        assert!(error <= units, "{} against {b}: {error} units", a.0);
    }

    #[test]
    fn time_in_root_years() {
        assert_eq!(root_years(31_536_000), Q48::ONE);
        assert_eq!(root_years(31_536_000 / 4), q(0.5));
        // √(1 / 525,600) = 0.0013793431476706132, √2
        near(root_years(60), 0.0013793431476706132, 1);
        near(root_years(63_072_000), core::f64::consts::SQRT_2, 1);
        assert_eq!(root_years(0), Q48::ZERO);
        assert_eq!(root_years(i64::MIN), Q48::ZERO);
        assert_eq!(root_years(i64::MAX), root_years(7 * 31_536_000));
    }

    #[test]
    fn at_the_money_the_call_is_a_probability() {
        // F = K: C/K = Φ(v/2) − Φ(−v/2) = 2Φ(v/2) − 1. Φ(0.1) = 0.539827837277029, Φ(0.5) = 0.691462461274013.
        let atm = Moneyness::new(usd(3_000), usd(3_000));
        assert_eq!(
            atm,
            Moneyness {
                ratio: Q48::ONE,
                ln: Q48::ZERO
            }
        );
        near(
            call(&atm, &TotalVolatility::new(q(0.2), Q48::ONE)),
            0.079_655_674_554_058,
            3,
        );
        near(
            call(&atm, &TotalVolatility::new(Q48::ONE, Q48::ONE)),
            0.382_924_922_548_026,
            3,
        );
        near(
            call(&atm, &TotalVolatility::new(q(0.5), q(2.0))),
            0.382_924_922_548_026,
            3,
        );
    }

    #[test]
    fn far_from_the_strike_an_option_is_worth_its_intrinsic_value() {
        let v = TotalVolatility::new(q(0.5), root_years(3_600)); // 0.0053
        let deep = Moneyness::new(usd(2_000), usd(1_000));
        assert_eq!((call(&deep, &v), put(&deep, &v)), (Q48::ONE, Q48::ZERO));
        let far = Moneyness::new(usd(500), usd(1_000));
        assert_eq!((call(&far, &v), put(&far, &v)), (Q48::ZERO, q(0.5)));
    }

    #[test]
    fn a_shock_moves_the_forward() {
        let before = Moneyness::new(usd(1_000), usd(800));
        let after = before.shocked(q(0.5), super::super::ln(q(0.5)));
        let expected = Moneyness::new(usd(500), usd(800));
        assert!(after.ratio.0.abs_diff(expected.ratio.0) <= 2 && after.ln.0.abs_diff(expected.ln.0) <= 2);
    }

    #[test]
    fn deviations_beyond_the_domain_are_held() {
        assert_eq!(
            TotalVolatility::new(Q48::MIN, Q48::MIN).value().0,
            TotalVolatility::SMALLEST
        );
        assert_eq!(
            TotalVolatility::new(Q48::ZERO, Q48::ONE).value().0,
            TotalVolatility::SMALLEST
        );
        assert_eq!(
            TotalVolatility::new(Q48::MAX, Q48::MAX).value().0,
            TotalVolatility::LARGEST
        );
    }
}
