//! Conversions between 128-bit integers and f64; those of at most 64 bits are compiler-builtins'.

use crate::{is_negative, leading_zeros, magnitude, negate, Wide};

const SIGN: u64 = 1 << 63;
const MANTISSA_BITS: u32 = 52;
const EXPONENT_MASK: u64 = 0x7ff;

/// The nearest float of an unsigned integer.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn __sbf_floatuntidf(low: u64, high: u64) -> f64 {
    if high == 0 {
        return low as f64;
    }
    let shift = leading_zeros(high);
    let (top, rest) = if shift == 0 {
        (high, low)
    } else {
        (high << shift | low >> (64 - shift), low << shift)
    };
    // The bits below count for rounding as one sticky bit; the exponent is adjusted afterwards.
    let float = (top | u64::from(rest != 0)) as f64;
    f64::from_bits(float.to_bits().wrapping_add(u64::from(64 - shift) << MANTISSA_BITS))
}

/// The nearest float of a signed integer.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn __sbf_floattidf(low: u64, high: u64) -> f64 {
    let value = magnitude((low, high));
    let float = __sbf_floatuntidf(value.0, value.1).to_bits();
    f64::from_bits(float | high & SIGN)
}

/// The integer part of a positive float, or nothing when it needs more than 128 bits.
#[inline(always)]
fn integer_part(bits: u64) -> Option<Wide> {
    // The value is mantissa * 2^exponent.
    let exponent = (bits >> MANTISSA_BITS & EXPONENT_MASK) as i64 - 1075;
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1) | 1 << MANTISSA_BITS;
    Some(match exponent {
        ..=-53 => (0, 0),
        -52..=-1 => (mantissa >> -exponent as u32, 0),
        0..=10 => (mantissa << exponent as u32, 0),
        11..=63 => (mantissa << exponent as u32, mantissa >> (64 - exponent) as u32),
        64..=75 => (0, mantissa << (exponent - 64) as u32),
        _ => return None,
    })
}

fn is_nan(bits: u64) -> bool {
    bits << 1 > EXPONENT_MASK << (MANTISSA_BITS + 1)
}

/// Rust's `as u128`: saturates, and not-a-number is 0. Returns the low word and writes the high one.
///
/// # Safety
/// `high` can be written to.
#[no_mangle]
pub unsafe extern "C" fn __sbf_fixunsdfti(float: f64, high: *mut u64) -> u64 {
    let bits = float.to_bits();
    let value = if bits & SIGN != 0 || is_nan(bits) {
        (0, 0)
    } else {
        integer_part(bits).unwrap_or((u64::MAX, u64::MAX))
    };
    *high = value.1;
    value.0
}

/// Rust's `as i128`: saturates, and not-a-number is 0. Returns the low word and writes the high one.
///
/// # Safety
/// `high` can be written to.
#[no_mangle]
pub unsafe extern "C" fn __sbf_fixdfti(float: f64, high: *mut u64) -> u64 {
    let bits = float.to_bits();
    let negative = bits & SIGN != 0;
    let value = match integer_part(bits & !SIGN) {
        _ if is_nan(bits) => (0, 0),
        Some(part) if !is_negative(part.1) && negative => negate(part),
        Some(part) if !is_negative(part.1) => part,
        _ if negative => (0, SIGN),
        _ => (u64::MAX, !SIGN),
    };
    *high = value.1;
    value.0
}
