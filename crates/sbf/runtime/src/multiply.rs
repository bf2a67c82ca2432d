//! 128-bit multiplication that says whether it overflowed.

use crate::{is_negative, magnitude, multiply_high, negate};

/// Writes the low 128 bits of the unsigned product, returns 1 on overflow.
///
/// # Safety
/// `out` points to two words.
#[no_mangle]
pub unsafe extern "C" fn __sbf_umulo128(out: *mut u64, al: u64, ah: u64, bl: u64, bh: u64) -> u64 {
    let low = al.wrapping_mul(bl);
    let mut high = multiply_high(al, bl);
    let mut overflow = false;
    if ah | bh != 0 {
        overflow = ah != 0 && bh != 0;
        overflow |= multiply_high(ah, bl) | multiply_high(bh, al) != 0;
        let cross = ah.wrapping_mul(bl);
        let sum = cross.wrapping_add(bh.wrapping_mul(al));
        overflow |= sum < cross;
        high = high.wrapping_add(sum);
        overflow |= high < sum;
    }
    *out = low;
    *out.add(1) = high;
    u64::from(overflow)
}

/// Writes the low 128 bits of the signed product, returns 1 on overflow.
///
/// # Safety
/// `out` points to two words.
#[no_mangle]
pub unsafe extern "C" fn __sbf_smulo128(out: *mut u64, al: u64, ah: u64, bl: u64, bh: u64) -> u64 {
    let (a, b) = (magnitude((al, ah)), magnitude((bl, bh)));
    let overflow = __sbf_umulo128(out, a.0, a.1, b.0, b.1);
    let product = (*out, *out.add(1));
    let negative = is_negative(ah ^ bh);
    let result = if negative { negate(product) } else { product };
    *out = result.0;
    *out.add(1) = result.1;
    // The magnitude may be 2^127 - 1, or 2^127 when negative; a product of 0 never overflows.
    let too_large = if negative {
        !is_negative(result.1) && result.0 | result.1 != 0
    } else {
        is_negative(result.1)
    };
    overflow | u64::from(too_large)
}
