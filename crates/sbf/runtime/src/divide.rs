//! 128-bit division over the machine's unsigned 64-bit one.

use crate::{at_least, is_negative, leading_zeros, magnitude, multiply_high, negate, subtract, Wide};

/// The low half of a word.
const HALF: u64 = 0xffff_ffff;

/// The quotient of two words, without rustc's check for a divisor of 0: callers have checked it.
///
/// # Safety
/// `b` is not 0.
#[inline(always)]
unsafe fn quotient(a: u64, b: u64) -> u64 {
    core::intrinsics::unchecked_div(a, b)
}

/// Quotient and remainder of `high:low` by `d`, for `high < d` and `d` with its top bit set: Knuth's algorithm D
/// with two digits of 32 bits.
///
/// # Safety
/// As stated.
#[inline(always)]
unsafe fn divide_normalised(high: u64, low: u64, d: u64) -> (u64, u64) {
    let (d1, d0) = (d >> 32, d & HALF);
    let digit = |rest: u64, next: u64| {
        let mut q = quotient(rest, d1);
        let mut r = rest.wrapping_sub(q.wrapping_mul(d1));
        while q > HALF || q.wrapping_mul(d0) > (r << 32 | next) {
            q = q.wrapping_sub(1);
            r = r.wrapping_add(d1);
            if r > HALF {
                break;
            }
        }
        (q, (rest << 32 | next).wrapping_sub(q.wrapping_mul(d)))
    };
    let (q1, rest) = digit(high, low >> 32);
    let (q0, rest) = digit(rest, low & HALF);
    (q1 << 32 | q0, rest)
}

/// Quotient and remainder of `high:low` by `d`, for `high < d`.
///
/// # Safety
/// As stated.
#[inline(always)]
unsafe fn divide_two_words(high: u64, low: u64, d: u64) -> (u64, u64) {
    let shift = leading_zeros(d);
    if shift == 0 {
        return divide_normalised(high, low, d);
    }
    let (q, r) = divide_normalised(high << shift | low >> (64 - shift), low << shift, d << shift);
    (q, r >> shift)
}

/// Quotient and remainder by a divisor of one word.
///
/// # Safety
/// `d` is not 0.
#[inline(always)]
unsafe fn divide_by_word(n: Wide, d: u64) -> (Wide, Wide) {
    if n.1 == 0 {
        let q = quotient(n.0, d);
        return ((q, 0), (n.0.wrapping_sub(q.wrapping_mul(d)), 0));
    }
    let q1 = quotient(n.1, d);
    let rest = n.1.wrapping_sub(q1.wrapping_mul(d));
    if d > HALF {
        let (q0, rest) = divide_two_words(rest, n.0, d);
        return ((q0, q1), (rest, 0));
    }
    // Two plain divisions by half a word.
    let upper = rest << 32 | n.0 >> 32;
    let qa = quotient(upper, d);
    let lower = upper.wrapping_sub(qa.wrapping_mul(d)) << 32 | n.0 & HALF;
    let qb = quotient(lower, d);
    ((qa << 32 | qb, q1), (lower.wrapping_sub(qb.wrapping_mul(d)), 0))
}

/// Quotient and remainder.
///
/// # Safety
/// `d` is not 0.
#[inline(always)]
unsafe fn divide(n: Wide, d: Wide) -> (Wide, Wide) {
    if d.1 == 0 {
        return divide_by_word(n, d.0);
    }
    if !at_least(n, d) {
        return ((0, 0), n);
    }
    let shift = leading_zeros(d.1);
    if shift == 0 {
        return ((1, 0), subtract(n, d));
    }
    // An estimate with the top word of the divisor is at most one too large; one less is at most one too small.
    let top = d.1 << shift | d.0 >> (64 - shift);
    let (estimate, _) = divide_normalised(n.1 >> 1, n.1 << 63 | n.0 >> 1, top);
    let mut q = estimate >> (63 - shift);
    if q != 0 {
        q = q.wrapping_sub(1);
    }
    let product = (
        q.wrapping_mul(d.0),
        multiply_high(q, d.0).wrapping_add(q.wrapping_mul(d.1)),
    );
    let rest = subtract(n, product);
    if at_least(rest, d) {
        ((q.wrapping_add(1), 0), subtract(rest, d))
    } else {
        ((q, 0), rest)
    }
}

/// The unsigned quotient: returns the low word and writes the high one.
///
/// # Safety
/// `high` can be written to; the divisor is not 0.
#[no_mangle]
pub unsafe extern "C" fn __sbf_udiv128(high: *mut u64, al: u64, ah: u64, bl: u64, bh: u64) -> u64 {
    let q = divide((al, ah), (bl, bh)).0;
    *high = q.1;
    q.0
}

/// The unsigned remainder: returns the low word and writes the high one.
///
/// # Safety
/// `high` can be written to; the divisor is not 0.
#[no_mangle]
pub unsafe extern "C" fn __sbf_urem128(high: *mut u64, al: u64, ah: u64, bl: u64, bh: u64) -> u64 {
    let r = divide((al, ah), (bl, bh)).1;
    *high = r.1;
    r.0
}

/// The signed quotient, rounded towards 0: returns the low word and writes the high one.
///
/// # Safety
/// `high` can be written to; the divisor is not 0.
#[no_mangle]
pub unsafe extern "C" fn __sbf_sdiv128(high: *mut u64, al: u64, ah: u64, bl: u64, bh: u64) -> u64 {
    let (a, b) = (magnitude((al, ah)), magnitude((bl, bh)));
    let mut q_high = 0;
    let q_low = __sbf_udiv128(&mut q_high, a.0, a.1, b.0, b.1);
    let q = if is_negative(ah ^ bh) {
        negate((q_low, q_high))
    } else {
        (q_low, q_high)
    };
    *high = q.1;
    q.0
}

/// The signed remainder, with the dividend's sign: returns the low word and writes the high one.
///
/// # Safety
/// `high` can be written to; the divisor is not 0.
#[no_mangle]
pub unsafe extern "C" fn __sbf_srem128(high: *mut u64, al: u64, ah: u64, bl: u64, bh: u64) -> u64 {
    let (a, b) = (magnitude((al, ah)), magnitude((bl, bh)));
    let mut r_high = 0;
    let r_low = __sbf_urem128(&mut r_high, a.0, a.1, b.0, b.1);
    let r = if is_negative(ah) {
        negate((r_low, r_high))
    } else {
        (r_low, r_high)
    };
    *high = r.1;
    r.0
}
