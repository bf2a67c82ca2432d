//! Decimal exponents.
use ballast_fixed::{div_ceil, div_floor, times_64, Ratio};

use crate::OracleError;

/// Exponent of On-Demand's values, and the least that a price may have.
pub(crate) const VALUE_EXPONENT: i32 = -18;

/// Switchboard's decimal numbers have mantissas of 96 bits.
pub(crate) const MANTISSA_END: u128 = 1 << 96;

/// Exponent of a [`ballast_fixed::Price`].
const PRICE_EXPONENT: i32 = -9;
const _: () = assert!(Ratio::SCALE == 1_000_000_000, "prices count in the same unit");

/// Which way a division rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Up,
    Down,
}

/// 10⁰ to 10⁹.
const POWERS: [i64; 10] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// mantissa · 10^exponent in 10⁻⁹ for an exponent of −18 to 0.
///
/// # Errors
/// [`OracleError::BadExponent`], and [`OracleError::OutOfRange`] where it does not fit 64 bits.
pub(crate) fn rescale(mantissa: i128, exponent: i32, rounding: Rounding) -> Result<i64, OracleError> {
    if !(VALUE_EXPONENT..=0).contains(&exponent) {
        return Err(OracleError::BadExponent);
    }
    let shift = exponent.saturating_sub(PRICE_EXPONENT);
    let power = POWERS
        .get(shift.unsigned_abs() as usize)
        .ok_or(OracleError::BadExponent)?;
    let scaled = match (shift >= 0, rounding) {
        (true, _) => times_64(mantissa, *power),
        (false, Rounding::Down) => div_floor(mantissa, i128::from(*power)),
        (false, Rounding::Up) => div_ceil(mantissa, i128::from(*power)),
    };
    scaled
        .ok()
        .and_then(|value| i64::try_from(value).ok())
        .ok_or(OracleError::OutOfRange)
}

/// Whether `a · b > c · d`, exactly.
pub(crate) fn product_exceeds(a: u128, b: u64, c: u128, d: u64) -> bool {
    wide(a, b) > wide(c, d)
}

/// a · b as (high, low 64 bits).
fn wide(a: u128, b: u64) -> (u128, u64) {
    const LOW: u128 = u64::MAX as u128;
    let low = (a & LOW).wrapping_mul(u128::from(b)); // two 64-bit factors fit 128 bits
    let high = (a >> 64).wrapping_mul(u128::from(b)).wrapping_add(low >> 64); // ≤ (2⁶⁴−1)² + 2⁶⁴ − 1 < 2¹²⁸
    (high, low as u64)
}
