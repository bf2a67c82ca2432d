//! The kernel's number.
use super::functions::leading_zeros;
use crate::Ratio;

/// A number in units of 2⁻⁴⁸ (3.6·10⁻¹⁵), from −32,768 to just under 32,768.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Q48(pub i64);

/// Bits after the binary point.
const BITS: u32 = 48;
/// Both halves a factor is split into have 24 bits after the point.
const HALF: u32 = BITS / 2;
const LOW: i64 = (1 << HALF) - 1;

impl Q48 {
    /// Zero.
    pub const ZERO: Q48 = Q48(0);
    /// One.
    pub const ONE: Q48 = Q48(1 << BITS);
    /// The largest value.
    pub const MAX: Q48 = Q48(i64::MAX);
    /// The smallest value.
    pub const MIN: Q48 = Q48(i64::MIN);

    /// self · other, between the exact product and two units below it.
    ///
    /// For |self| + |other| < 32,768 and |self · other| < 32,767; beyond that the result means nothing. It never falls when a factor
    /// rises and the other one is not negative.
    // With a = a₁·2²⁴ + a₀: a·b = a₁b₁·2⁴⁸ + (a₁b₀ + a₀b₁)·2²⁴ + a₀b₀. The last term is under one unit and left out. The first is at most
    // |a·b|, the middle one at most (|a| + |b|)·2²⁴·2²⁴ < 2⁶³.
    #[inline(always)]
    pub const fn times(self, other: Q48) -> Q48 {
        let (a1, a0) = (self.0 >> HALF, self.0 & LOW);
        let (b1, b0) = (other.0 >> HALF, other.0 & LOW);
        let middle = a1.wrapping_mul(b0).wrapping_add(a0.wrapping_mul(b1)) >> HALF;
        Q48(a1.wrapping_mul(b1).wrapping_add(middle))
    }

    /// self + other, wrapping: for sums whose bounds are known.
    #[inline(always)]
    pub const fn plus(self, other: Q48) -> Q48 {
        Q48(self.0.wrapping_add(other.0))
    }

    /// self − other, wrapping: for differences whose bounds are known.
    #[inline(always)]
    pub const fn minus(self, other: Q48) -> Q48 {
        Q48(self.0.wrapping_sub(other.0))
    }

    /// The ratio to the nearest unit, held within the range.
    pub const fn from_ratio(ratio: Ratio) -> Q48 {
        // 10⁹ = 2⁹ · 5⁹: r/10⁹ in units of 2⁻⁴⁸ is r·2³⁹/5⁹.
        const DIVISOR: u64 = 1_953_125;
        const SHIFT: u32 = BITS - 9;
        let magnitude = ratio.0.unsigned_abs();
        let (whole, rest) = (magnitude / DIVISOR, magnitude % DIVISOR);
        let value = if whole >> (63 - SHIFT) > 0 {
            i64::MAX
        } else {
            // rest < 2²¹, so it fits 60 bits shifted. The divisor is odd: there are no ties.
            let fraction = (rest << SHIFT).wrapping_add(DIVISOR / 2) / DIVISOR;
            saturated((whole << SHIFT).wrapping_add(fraction))
        };
        Q48(if ratio.0 < 0 { value.wrapping_neg() } else { value })
    }

    /// a / b for positive a and b, to the nearest unit, held within the range. A b that is not positive counts as 1, such an a as 0.
    #[inline(never)]
    pub const fn quotient(a: i64, b: i64) -> Q48 {
        if a <= 0 {
            return Q48::ZERO;
        }
        let (a, b) = (a as u64, if b <= 0 { 1 } else { b as u64 });
        // a·2⁴⁸ as two digits. The quotient reaches 2⁶⁴ where the upper one reaches b.
        let (high, low) = (a >> (64 - BITS), a << BITS);
        if high >= b {
            return Q48::MAX;
        }
        let (quotient, rest) = divide(high, low, b);
        // Half a unit or more left: rest ≥ b − rest.
        let up = rest >= b.wrapping_sub(rest);
        Q48(saturated(quotient.saturating_add(up as u64)))
    }
}

/// Held within an `i64`.
const fn saturated(value: u64) -> i64 {
    if value > i64::MAX as u64 {
        i64::MAX
    } else {
        value as i64
    }
}

/// (high·2⁶⁴ + low) / b and the remainder, for high < b < 2⁶³: Knuth's algorithm D with two digits of 32 bits and hardware divisions.
const fn divide(high: u64, low: u64, b: u64) -> (u64, u64) {
    const DIGIT: u64 = u32::MAX as u64;
    let shift = leading_zeros(b); // at least 1, at most 63: b is 1 at least
    let b = b << shift;
    let high = high << shift | low >> 1 >> 63u32.wrapping_sub(shift);
    let low = low << shift;
    let (b1, b0) = (b >> 32, b & DIGIT);
    let (q1, rest) = digit(high, low >> 32, b, b1, b0);
    let (q0, rest) = digit(rest, low & DIGIT, b, b1, b0);
    (q1 << 32 | q0, rest >> shift)
}

/// One digit q of 32 bits of (carry·2³² + next) / b, and the remainder; carry < b, b1 ≥ 2³¹.
// q is estimated from b's upper half and is then at most 2 too large; the differences are exact modulo 2⁶⁴ and fit at the end.
const fn digit(carry: u64, next: u64, b: u64, b1: u64, b0: u64) -> (u64, u64) {
    // b1 ≥ 2³¹: not a division by zero.
    let mut q = match carry.checked_div(b1) {
        Some(q) => q,
        None => 0,
    };
    let mut rest = carry.wrapping_sub(q.wrapping_mul(b1));
    while q >> 32 > 0 || q.wrapping_mul(b0) > (rest << 32 | next) {
        q = q.wrapping_sub(1);
        rest = rest.wrapping_add(b1);
        if rest >> 32 > 0 {
            break;
        }
    }
    let product = q.wrapping_mul(b);
    (q, (carry << 32 | next).wrapping_sub(product))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_binary_fractions_are_exact() {
        let half = Q48(Q48::ONE.0 / 2);
        assert_eq!(half.times(half), Q48(Q48::ONE.0 / 4));
        assert_eq!(Q48(-half.0).times(half), Q48(-Q48::ONE.0 / 4));
        assert_eq!(
            Q48(Q48::ONE.0 * 181).times(Q48(Q48::ONE.0 * 181)),
            Q48(Q48::ONE.0 * 32_761)
        );
        assert_eq!(Q48::ONE.times(Q48(-1)), Q48(-1));
    }

    #[test]
    fn a_ratio_is_rounded_to_the_nearest() {
        assert_eq!(Q48::from_ratio(Ratio::ONE), Q48::ONE);
        assert_eq!(Q48::from_ratio(Ratio(500_000_000)), Q48(1 << 47));
        assert_eq!(Q48::from_ratio(Ratio(-500_000_000)), Q48(-(1 << 47)));
        // 2⁴⁸ / 10⁹ = 281474.976…
        assert_eq!(Q48::from_ratio(Ratio(1)), Q48(281_475));
        assert_eq!(Q48::from_ratio(Ratio(-1)), Q48(-281_475));
        // 0.65 · 2⁴⁸ = 182958734861926.4…
        assert_eq!(Q48::from_ratio(Ratio(650_000_000)), Q48(182_958_734_861_926));
        // 505274·2³⁹ = 142221987382·5⁹ + 976,562, just under half of 5⁹.
        assert_eq!(Q48::from_ratio(Ratio(505_274)), Q48(142_221_987_382));
        assert_eq!(Q48::from_ratio(Ratio(i64::MAX)), Q48::MAX);
        assert_eq!(Q48::from_ratio(Ratio(i64::MIN)), Q48(-i64::MAX));
        assert_eq!(Q48::from_ratio(Ratio(32_768_000_000_000)), Q48::MAX);
        assert_eq!(Q48::from_ratio(Ratio(32_767_000_000_000)), Q48(32_767 << 48));
    }

    #[test]
    fn a_quotient_is_rounded_to_the_nearest() {
        assert_eq!(Q48::quotient(1, 1), Q48::ONE);
        // 2⁴⁸ / 3 = 93824992236885.33…, twice that .67
        assert_eq!(Q48::quotient(1, 3), Q48(93_824_992_236_885));
        assert_eq!(Q48::quotient(2, 3), Q48(187_649_984_473_771));
        // Half a unit goes up: 1/2⁴⁹ and 3/2⁴⁹ are 0.5 and 1.5 units.
        assert_eq!(Q48::quotient(1, 1 << 49), Q48(1));
        assert_eq!(Q48::quotient(3, 1 << 49), Q48(2));
        assert_eq!(Q48::quotient(i64::MAX, i64::MAX), Q48::ONE);
        assert_eq!(Q48::quotient(i64::MAX, 1), Q48::MAX);
        assert_eq!(Q48::quotient(1, i64::MAX), Q48::ZERO);
        assert_eq!(Q48::quotient(32_767, 1), Q48(32_767 << 48));
        assert_eq!(Q48::quotient(0, 5), Q48::ZERO);
        assert_eq!(Q48::quotient(-3, 5), Q48::ZERO);
        assert_eq!(Q48::quotient(3, 0), Q48(3 << 48));
    }
}
