//! Ratios in parts per billion and the divisions behind every rounding.
use crate::{Checked, Overflow};

/// A ratio in 10⁻⁹: margin parameters, haircuts, fees, prices of the quote asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(pub i64);

impl Ratio {
    /// Zero.
    pub const ZERO: Ratio = Ratio(0);
    /// One.
    pub const ONE: Ratio = Ratio(Ratio::SCALE);
    /// Units in one.
    pub const SCALE: i64 = 1_000_000_000;

    /// `value` / 1,000,000.
    pub const fn from_ppm(value: i32) -> Ratio {
        Ratio((value as i64).wrapping_mul(1_000)) // |i32| · 1,000 fits an i64
    }

    /// self + other. Fails on overflow.
    pub fn plus(self, other: Ratio) -> Checked<Ratio> {
        self.0.checked_add(other.0).map(Ratio).ok_or(Overflow)
    }

    /// self − other. Fails on overflow.
    pub fn minus(self, other: Ratio) -> Checked<Ratio> {
        self.0.checked_sub(other.0).map(Ratio).ok_or(Overflow)
    }

    /// self · other, rounded down.
    pub fn times_floor(self, other: Ratio) -> Checked<Ratio> {
        mul_div_floor(self.0, other.0, Ratio::SCALE).map(Ratio)
    }

    /// self · other, rounded up.
    pub fn times_ceil(self, other: Ratio) -> Checked<Ratio> {
        mul_div_ceil(self.0, other.0, Ratio::SCALE).map(Ratio)
    }
}

/// a · b, checked. Below 2⁹⁴ · 2³² nothing can overflow and the check, which is dear on chain, is not made.
#[inline(always)]
pub fn times_64(a: i128, b: i64) -> Checked<i128> {
    const SMALL: u128 = 1 << 94;
    if a.unsigned_abs() < SMALL && b.unsigned_abs() < 1 << 32 {
        return Ok(a.wrapping_mul(i128::from(b)));
    }
    a.checked_mul(i128::from(b)).ok_or(Overflow)
}

/// ⌊n / d⌋ and the remainder, 0 ≤ remainder < d, for d > 0; fails for d ≤ 0.
#[inline(always)]
pub fn div_rem_floor(n: i128, d: i128) -> Checked<(i128, i128)> {
    if d <= 0 {
        return Err(Overflow);
    }
    let (quotient, rest) = div_rem(n.unsigned_abs(), d.unsigned_abs());
    // |n| ≤ 2¹²⁷, so the quotient fits unless it is 2¹²⁷ itself: n the least integer and d = 1.
    let (quotient, rest) = (quotient as i128, rest as i128); // rest < d
    if n >= 0 {
        Ok((quotient, rest))
    } else if rest == 0 {
        Ok((quotient.wrapping_neg(), 0)) // −2¹²⁷ is its own negation
    } else {
        Ok((quotient.wrapping_neg().wrapping_sub(1), d.wrapping_sub(rest)))
    }
}

/// n / d and n mod d for d > 0.
///
/// A 128-bit division is the dearest operation on chain. Our divisors are nearly all constants 2ᵏ·5ᵏ: without its power of two one of up
/// to 10¹² fits 32 bits, where three hardware divisions do, and 10¹⁹ and 3·10¹⁹ are two such divisions. Inlined, so that the choice is
/// made by the compiler wherever `d` is a constant.
#[inline(always)]
fn div_rem(n: u128, d: u128) -> (u128, u128) {
    const STEP: u128 = 10_000_000_000;
    const TWO_STEPS: [u128; 2] = [STEP * 1_000_000_000, STEP * 3_000_000_000];
    if is_short(d) {
        return div_rem_short(n, d);
    }
    if d == TWO_STEPS[0] || d == TWO_STEPS[1] {
        let (first, low) = div_rem_short(n, STEP);
        let second = if d == TWO_STEPS[0] {
            1_000_000_000
        } else {
            3_000_000_000
        };
        let (quotient, high) = div_rem_short(first, second);
        return (quotient, high.wrapping_mul(STEP).wrapping_add(low)); // < d
    }
    let quotient = n.checked_div(d).unwrap_or(0);
    (quotient, n.wrapping_sub(quotient.wrapping_mul(d)))
}

/// Whether d is a power of two times a number of 32 bits.
#[inline(always)]
const fn is_short(d: u128) -> bool {
    d != 0 && d >> d.trailing_zeros() <= u32::MAX as u128
}

/// [`div_rem`] for such a d.
#[inline(always)]
fn div_rem_short(n: u128, d: u128) -> (u128, u128) {
    let shift = d.trailing_zeros();
    let (quotient, rest) = div_rem_32(n.wrapping_shr(shift), d.wrapping_shr(shift) as u32);
    let low = n & (1u128.wrapping_shl(shift).wrapping_sub(1));
    (quotient, u128::from(rest).wrapping_shl(shift) | low)
}

/// n / d and n mod d for d > 0, digit by digit of 32 bits.
#[inline(never)]
fn div_rem_32(n: u128, d: u32) -> (u128, u32) {
    const LOW: u64 = u32::MAX as u64;
    let d = u64::from(d);
    let step = |carry: u64, digit: u64| {
        let part = carry << 32 | digit; // carry < d < 2³²
        (part.checked_div(d).unwrap_or(0), part.checked_rem(d).unwrap_or(0))
    };
    let (high, low) = ((n >> 64) as u64, n as u64);
    let (top, carry) = (high.checked_div(d).unwrap_or(0), high.checked_rem(d).unwrap_or(0));
    let (middle, carry) = step(carry, low >> 32);
    let (bottom, rest) = step(carry, low & LOW);
    (u128::from(top) << 64 | u128::from(middle << 32 | bottom), rest as u32) // rest < d
}

/// ⌊n / d⌋ for d > 0; fails for d ≤ 0.
#[inline(always)]
pub fn div_floor(n: i128, d: i128) -> Checked<i128> {
    div_rem_floor(n, d).map(|(quotient, _)| quotient)
}

/// ⌈n / d⌉ for d > 0; fails for d ≤ 0.
#[inline(always)]
pub fn div_ceil(n: i128, d: i128) -> Checked<i128> {
    let q = div_floor(n.checked_neg().ok_or(Overflow)?, d)?;
    q.checked_neg().ok_or(Overflow)
}

/// ⌊a · b / d⌋ for d > 0, exact in between.
pub fn mul_div_floor(a: i64, b: i64, d: i64) -> Checked<i64> {
    let product = i128::from(a).wrapping_mul(i128::from(b)); // two 64-bit factors fit 128 bits
    i64::try_from(div_floor(product, i128::from(d))?).map_err(|_| Overflow)
}

/// ⌈a · b / d⌉ for d > 0, exact in between.
pub fn mul_div_ceil(a: i64, b: i64, d: i64) -> Checked<i64> {
    let product = i128::from(a).wrapping_mul(i128::from(b)); // two 64-bit factors fit 128 bits
    i64::try_from(div_ceil(product, i128::from(d))?).map_err(|_| Overflow)
}

/// base^exponent for 0 ≤ base ≤ 1 in Q63 (`1 << 63` is one), by squaring, each product rounded down.
///
/// An exponential mean that decays by `decay(f, a)` and then `decay(f, b)` ends within a few units of `decay(f, a + b)`:
/// what it says does not depend on how often it is updated.
pub fn decay(base: u64, mut exponent: u32) -> u64 {
    const ONE: u64 = 1 << 63;
    let mul = |a: u64, b: u64| (u128::from(a).wrapping_mul(u128::from(b)) >> 63) as u64;
    let (mut result, mut power) = (ONE, base.min(ONE));
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul(result, power);
        }
        exponent >>= 1;
        if exponent > 0 {
            power = mul(power, power);
        }
    }
    result
}

#[cfg(test)]
mod division_tests {
    use super::*;

    #[test]
    fn every_way_to_divide_agrees_with_the_hardware() {
        // Divisors of each kind: a power of two, 32 bits, 2ᵏ times 32 bits, the two-step constants, and others.
        let divisors = [
            1,
            8,
            3,
            u128::from(u32::MAX),
            1_000_000_000,
            10_000_000_000,
            1_000_000_000_000,
            10_000_000_000_000_000_000,
            30_000_000_000_000_000_000,
            u128::from(u64::MAX),
            u128::MAX / 3,
        ];
        let mut n = 1u128;
        for round in 0..2_000u32 {
            n = n
                .wrapping_mul(0x2d99_787a_926d_46b4_4cc0_2d8b_9f3b_17e5)
                .wrapping_add(u128::from(round));
            for d in divisors {
                for n in [
                    n,
                    n >> (round % 128),
                    d.wrapping_mul(n >> 100),
                    d.wrapping_mul(n >> 100).wrapping_sub(1),
                ] {
                    assert_eq!(div_rem(n, d), (n / d, n % d), "{n} / {d}");
                }
            }
        }
    }
}
