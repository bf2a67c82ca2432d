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

/// ⌊n / d⌋ and the remainder, 0 ≤ remainder < d, for d > 0; fails for d ≤ 0.
pub fn div_rem_floor(n: i128, d: i128) -> Checked<(i128, i128)> {
    if d <= 0 {
        return Err(Overflow);
    }
    // A 128-bit division by a value of 64 bits is cheap on chain; signs are taken apart so that it is unsigned.
    let (magnitude, divisor) = (n.unsigned_abs(), d.unsigned_abs());
    let quotient = magnitude.checked_div(divisor).ok_or(Overflow)?;
    let rest = magnitude.wrapping_sub(quotient.wrapping_mul(divisor));
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

/// ⌊n / d⌋ for d > 0; fails for d ≤ 0.
pub fn div_floor(n: i128, d: i128) -> Checked<i128> {
    div_rem_floor(n, d).map(|(quotient, _)| quotient)
}

/// ⌈n / d⌉ for d > 0; fails for d ≤ 0.
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
