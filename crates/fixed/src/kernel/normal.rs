//! The standard normal distribution.
use super::functions::{exp_parts, shifted};
use super::tables::{LN_ROOT_TWO_PI, TAIL};
use super::Q48;

/// Φ(−x) = mantissa · 2⁻⁴⁸ · 2^-shift.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    pub mantissa: i64,
    pub shift: u32,
}

/// Intervals of x have a width of 1/16.
const WIDTH: u32 = 44;

/// Φ(−x) for x ≥ 0, within 1.5 units and, where that is less, 4·10⁻¹⁰ of itself; 0 from x = 9 on, where it is under 10⁻⁴ units.
///
/// In units of 2⁻⁴⁸ the tail has ever fewer digits, and prices made of it would not be monotone. Each interval therefore has a scale
/// 2^shift of its own, as large as the bounds of the polynomial allow.
#[inline(always)]
pub(super) fn tail(x: i64) -> Tail {
    // A negative x, which callers exclude, becomes a large number and counts as 9 or more.
    let Some(&[c0, c1, c2, c3, c4, c5, c6, shift]) = TAIL.get((x as u64 >> WIDTH) as usize) else {
        return Tail { mantissa: 0, shift: 0 };
    };
    // From the interval's centre: |t| ≤ 2⁴³.
    let t = (x & ((1 << WIDTH) - 1)).wrapping_sub(1 << (WIDTH - 1));
    // High powers need few bits: one product each with t in units of 2⁻³⁵ (|t| ≤ 2³⁰). The accumulators are under 2³³, which
    // scripts/kernel_tables.py sees to, so the products are under 2⁶³. Units: 2⁻²⁸, 2⁻²⁸, 2⁻²⁹, 2⁻⁴⁴.
    let short = t >> 13;
    let a5 = (c6.wrapping_mul(short) >> 35).wrapping_add(c5);
    let a4 = (a5.wrapping_mul(short) >> 34).wrapping_add(c4);
    let a3 = (a4.wrapping_mul(short) >> 20).wrapping_add(c3);
    // Units: 2⁻⁴⁶, 2⁻⁴⁸, 2⁻⁴⁸.
    let a2 = (product(t, a3) >> 19).wrapping_add(c2);
    let a1 = (product(t, a2) >> 19).wrapping_add(c1);
    let mantissa = (product(t, a1) >> 21).wrapping_add(c0);
    Tail {
        mantissa,
        shift: shift as u32,
    }
}

/// t·a / 2²⁷, less than 1.1 below it, for |t| ≤ 2⁴³ and |a| < 0.999·2⁴⁷.
// With a = h·2²⁷ + l: |t·h| < 2⁶³, and (t/2⁷)·l < 2³⁶·2²⁷ = 2⁶³.
#[inline(always)]
const fn product(t: i64, a: i64) -> i64 {
    let (h, l) = (a >> 27, a & ((1 << 27) - 1));
    t.wrapping_mul(h).wrapping_add((t >> 7).wrapping_mul(l) >> 20)
}

/// Φ(x), the probability that a standard normal variable is at most x; within 2 units. Φ(x) + Φ(−x) = 1 to the last unit.
#[inline(never)]
pub fn cdf(x: Q48) -> Q48 {
    let tail = tail(x.0.saturating_abs());
    let tail = tail.mantissa.wrapping_shr(tail.shift);
    Q48(if x.0 > 0 { Q48::ONE.0.wrapping_sub(tail) } else { tail })
}

/// φ(x) = e^(−x²/2)/√(2π), the density of the standard normal distribution; within a unit.
pub fn pdf(x: Q48) -> Q48 {
    let (mantissa, exponent) = pdf_parts(x, Q48::ZERO);
    shifted(mantissa, exponent.wrapping_sub(6))
}

/// φ(x)·e^y = mantissa·2⁻⁵⁴·2^exponent for |y| ≤ 32.
pub(super) fn pdf_parts(x: Q48, y: Q48) -> (i64, i32) {
    // Beyond ±10 the density is under 2⁻⁷³: nothing, whatever y. 10² = 100 is within the bounds of a product.
    const LIMIT: i64 = Q48::ONE.0 * 10;
    let x = Q48(x.0.clamp(-LIMIT, LIMIT));
    let half_square = Q48(x.times(x).0 >> 1);
    exp_parts(y.minus(half_square).minus(Q48(LN_ROOT_TWO_PI)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x to the nearest unit; exact enough for the values below.
    fn q(x: f64) -> Q48 {
        Q48((x * (1u64 << 48) as f64).round() as i64)
    }

    #[test]
    fn known_probabilities() {
        // Φ(0), Φ(1), Φ(1.96) and Φ(−3) as any table has them, to 16 digits.
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (1.96, 0.975_002_104_851_780),
            (-3.0, 0.001_349_898_031_630_094_6),
            (-7.0, 1.279_812_543_885_835e-12),
        ] {
            let error = cdf(q(x)).0.abs_diff(q(expected).0);
            assert!(error <= 3, "Φ({x}): {error} units");
        }
        assert_eq!(cdf(q(9.0)), Q48::ONE);
        assert_eq!(cdf(Q48::MAX), Q48::ONE);
        assert_eq!(cdf(Q48::MIN), Q48::ZERO);
    }

    #[test]
    fn both_sides_add_up_to_one() {
        for step in 1..4_000 {
            let x = step * 6_191_736_422_401;
            assert_eq!(cdf(Q48(x)).0 + cdf(Q48(-x)).0, Q48::ONE.0);
        }
    }

    #[test]
    fn neighbouring_intervals_meet() {
        // Their polynomials were made apart. Each is within 4·10⁻¹⁰ of the tail and a unit of its own scale.
        for joint in 1..TAIL.len() as i64 {
            let (left, right) = (tail((joint << WIDTH) - 1), tail(joint << WIDTH));
            let left = left.mantissa << (right.shift - left.shift);
            let apart = left.abs_diff(right.mantissa) as f64;
            assert!(apart <= right.mantissa as f64 * 8e-10 + 4.0, "{joint}: {apart} units");
        }
    }

    #[test]
    fn known_densities() {
        for (x, expected) in [
            (0.0, 0.398_942_280_401_432_7),
            (1.0, 0.241_970_724_519_143_37),
            (-2.0, 0.053_990_966_513_188_06),
            (6.0, 6.075_882_849_823_286e-9),
        ] {
            let error = pdf(q(x)).0.abs_diff(q(expected).0);
            assert!(error <= 2, "φ({x}): {error} units");
        }
        assert_eq!(pdf(Q48::MAX), Q48::ZERO);
        assert_eq!(pdf(Q48::MIN), Q48::ZERO);
    }
}
