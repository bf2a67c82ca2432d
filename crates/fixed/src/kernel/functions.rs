//! Natural logarithm, exponential and square root.
use super::tables::{EXP, EXP_POLYNOMIAL, EXP_STEP, EXP_STEPS, EXP_STEP_REST, LN, LN_2, LN_BILLION, LN_POLYNOMIAL};
use super::Q48;
use crate::Price;

/// ln x to the nearest unit or the one beside it; for x ≤ 0 that of the smallest positive number.
#[inline(never)]
pub fn ln(x: Q48) -> Q48 {
    rounded(ln_integer(x.0).wrapping_sub(LN_2.wrapping_mul(48))) // 48·ln 2 < 34 and |ln| < 44: both under 2⁶⁰
}

/// The natural logarithm of a price in USD to the nearest unit or the one beside it; that of 10⁻⁹ for prices under it.
#[inline(never)]
pub fn ln_price(price: Price) -> Q48 {
    rounded(ln_integer(price.0).wrapping_sub(LN_BILLION))
}

/// Leading zeros of n; 63 of 0 and of 1.
#[inline(always)]
pub(super) const fn leading_zeros(n: u64) -> u32 {
    if cfg!(target_os = "solana") {
        leading_zeros_by_table(n)
    } else {
        (n | 1).leading_zeros()
    }
}

/// A de Bruijn sequence: its 64 windows of six bits, at each shift, all differ.
const SEQUENCE: u64 = 0x03f7_9d71_b4cb_0a89;

/// Leading zeros by the upper six bits of [`SEQUENCE`] times a number whose bits from its highest one down are all set.
static ZEROS: [u8; 64] = {
    let mut table = [0; 64];
    let mut bit = 0usize;
    while bit < 64 {
        table[((u64::MAX >> bit).wrapping_mul(SEQUENCE) >> 58) as usize] = bit as u8;
        bit = bit.wrapping_add(1);
    }
    table
};

/// The same where the machine has no instruction for it, at half the cost of what the compiler makes of it.
#[inline(always)]
const fn leading_zeros_by_table(n: u64) -> u32 {
    let n = n | n >> 1 | 1;
    let n = n | n >> 2;
    let n = n | n >> 4;
    let n = n | n >> 8;
    let n = n | n >> 16;
    let n = n | n >> 32;
    ZEROS[(n.wrapping_mul(SEQUENCE) >> 58) as usize] as u32
}

/// Units of 2⁻⁵⁴ to those of 2⁻⁴⁸, to the nearest.
#[inline(always)]
const fn rounded(x: i64) -> Q48 {
    Q48(x.wrapping_add(1 << 5) >> 6) // |x| < 2⁶¹
}

/// ln n in units of 2⁻⁵⁴ for n ≥ 1 (a lesser n counts as 1), with an error of a few of them.
///
/// n = 2ᵉ·m with 1 ≤ m < 2. The table has an r near 1/m of few bits, so that m·r = 1 + u is exact, |u| < 0.0081:
/// ln n = e·ln 2 − ln r + ln(1 + u).
fn ln_integer(n: i64) -> i64 {
    let n = n.max(1) as u64;
    let zeros = leading_zeros(n); // 1 to 63
    let mantissa = n << zeros; // m in units of 2⁻⁶³
    let [r, minus_ln_r] = LN[(mantissa >> 57 & 63) as usize];
    // m in units of 2⁻⁵² (53 bits), r in units of 2⁻¹⁰ (10 bits).
    let product = ((mantissa >> 11) as i64).wrapping_mul(r);
    // u in units of 2⁻⁶² is w = 64·u in units of 2⁻⁵⁶.
    let w = Q48(product.wrapping_sub(1 << 62) >> 8);
    // In units of 2⁻⁴⁸ of 64·ln(1 + u) = 2⁻⁵⁴ of ln(1 + u).
    let fraction = w.times(polynomial(&LN_POLYNOMIAL, w)).0;
    let exponent = 63i64.wrapping_sub(i64::from(zeros));
    // At most 63 · 0.69 + 0.7 < 45 < 2⁹ in units of 2⁻⁵⁴.
    exponent
        .wrapping_mul(LN_2)
        .wrapping_add(minus_ln_r)
        .wrapping_add(fraction)
}

/// Σ c_k·wᵏ for |w| < 1 and coefficients whose sum is under 2.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[i64; N], w: Q48) -> Q48 {
    let mut sum = Q48::ZERO;
    for &c in coefficients.iter().rev() {
        sum = sum.times(w).plus(Q48(c));
    }
    sum
}

/// e^x within a unit or 2⁻⁵⁰ of itself, whichever is more; held at the range's end from ln 32,768 on.
#[inline(never)]
pub fn exp(x: Q48) -> Q48 {
    let (mantissa, exponent) = exp_parts(x);
    shifted(mantissa, exponent.wrapping_sub(6))
}

/// mantissa · 2^exponent, to the nearest integer and held within the range, for a mantissa from 0 to 2⁵⁶.
#[inline(always)]
pub(super) fn shifted(mantissa: i64, exponent: i32) -> Q48 {
    if exponent < 0 {
        let down = exponent.unsigned_abs().min(60);
        let half = 1i64.wrapping_shl(down.wrapping_sub(1));
        return Q48(mantissa.wrapping_add(half).wrapping_shr(down));
    }
    let up = exponent.unsigned_abs().min(63);
    if mantissa > i64::MAX.wrapping_shr(up) {
        return Q48::MAX;
    }
    Q48(mantissa.wrapping_shl(up))
}

/// e^x = mantissa·2⁻⁵⁴·2^exponent with a mantissa in [0.99, 2.01), relative error 2⁻⁵¹; x is held within ±60.
///
/// x = (n/64)·ln 2 + r with |r| ≤ ln 2 / 128: e^x = 2^(n div 64) · 2^((n mod 64)/64) · e^r.
pub(super) fn exp_parts(x: Q48) -> (i64, i32) {
    const LIMIT: i64 = Q48::ONE.0 * 60;
    let x = Q48(x.0.clamp(-LIMIT, LIMIT));
    // |x|·92.4 < 5,600: within the bounds of a product. n to the nearest.
    let n = x.times(Q48(EXP_STEPS)).0.wrapping_add(1 << 47) >> 48;
    // n·(ln 2 / 64) in units of 2⁻⁵⁷: at most 60·2⁵⁷ < 2⁶³.
    let steps = n
        .wrapping_mul(EXP_STEP)
        .wrapping_add(n.wrapping_mul(EXP_STEP_REST) >> 24);
    // r in units of 2⁻⁵⁴ is w = 64·r in units of 2⁻⁴⁸; the polynomial gives e^r − 1 in units of 2⁻⁵⁴.
    let w = Q48((x.0 << 6).wrapping_sub(steps.wrapping_add(1 << 2) >> 3));
    let growth = w.times(polynomial(&EXP_POLYNOMIAL, w));
    let root = EXP[(n & 63) as usize];
    (root.wrapping_add(Q48(root >> 6).times(growth).0), (n >> 6) as i32)
}

/// √x to the nearest unit or the one beside it; 0 for x ≤ 0.
#[inline(never)]
pub fn sqrt(x: Q48) -> Q48 {
    if x.0 <= 0 {
        return Q48::ZERO;
    }
    let n = x.0 as u64;
    let shift = leading_zeros(n) & !1; // at most 62
    let m = n << shift; // 2⁶² ≤ m < 2⁶⁴
    let s = root_floor(m);
    // √m = s + rest/2s − (rest/2s)²/2s + …, where the last two are under 2⁻³²: 30 further bits from one division. 2³¹ ≤ s < 2³², and
    // rest ≤ 2s.
    let rest = m.wrapping_sub(s.wrapping_mul(s));
    let fraction = (rest << 30).checked_div(s << 1).unwrap_or(0);
    // √m in units of 2⁻³⁰, under 2⁶²·1.01. The result is √(n·2⁴⁸) = √m · 2²⁴⁻ˢʰⁱᶠᵗᐟ², to the nearest.
    let root = (s << 30).wrapping_add(fraction);
    let down = (shift >> 1).wrapping_add(6);
    Q48(root
        .wrapping_add(1u64.wrapping_shl(down.wrapping_sub(1)))
        .wrapping_shr(down) as i64)
}

/// ⌊√m⌋ for 2⁶² ≤ m < 2⁶⁴. The standard library's multiplies in 128 bits.
#[inline(always)]
fn root_floor(m: u64) -> u64 {
    // The chord from 4³¹ to 4³² is under 6 % low. Three steps of Newton's leave less than 0.01, and at most one by rounding.
    let mut s = (m >> 31).wrapping_add(1 << 32) / 3;
    for _ in 0..3 {
        s = s.wrapping_add(m.checked_div(s).unwrap_or(0)) >> 1; // both under 2³³
    }
    let s = s.min(u64::from(u32::MAX));
    s.wrapping_sub(u64::from(s.wrapping_mul(s) > m))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x to the nearest unit; exact enough for the values below, which have at most 17 digits.
    fn q(x: f64) -> Q48 {
        Q48((x * (1u64 << 48) as f64).round() as i64)
    }

    fn near(a: Q48, b: Q48, units: u64) {
        assert!(
            a.0.abs_diff(b.0) <= units,
            "{} against {}: {} units",
            a.0,
            b.0,
            a.0.abs_diff(b.0)
        );
    }

    #[test]
    fn both_ways_to_count_zeros_agree() {
        for bit in 0..64 {
            for n in [1u64 << bit, (1 << bit) | 1, u64::MAX >> bit] {
                assert_eq!(leading_zeros_by_table(n), n.leading_zeros(), "{n}");
                assert_eq!(leading_zeros(n), n.leading_zeros(), "{n}");
            }
        }
        assert_eq!((leading_zeros_by_table(0), leading_zeros(0)), (63, 63));
    }

    #[test]
    fn logarithms_of_known_numbers() {
        assert_eq!(ln(Q48::ONE), Q48::ZERO);
        near(ln(q(2.0)), q(core::f64::consts::LN_2), 1);
        near(ln(q(10.0)), q(core::f64::consts::LN_10), 1);
        near(ln(q(0.5)), q(-core::f64::consts::LN_2), 1);
        // ln 2⁻⁴⁸ = −48·ln 2
        near(ln(Q48(1)), q(-48.0 * core::f64::consts::LN_2), 2);
        assert_eq!(ln(Q48::ZERO), ln(Q48(1)));
        assert_eq!(ln(Q48::MIN), ln(Q48(1)));
    }

    #[test]
    fn logarithms_of_prices() {
        assert_eq!(ln_price(Price(1_000_000_000)), Q48::ZERO);
        // ln 100,000 = 11.512925464970229
        near(ln_price(Price(100_000_000_000_000)), q(11.512925464970229), 2);
        // ln 10⁻⁹ = −20.723265836946414
        near(ln_price(Price(1)), q(-20.723265836946414), 2);
        assert_eq!(ln_price(Price(0)), ln_price(Price(1)));
    }

    #[test]
    fn exponentials_of_known_numbers() {
        assert_eq!(exp(Q48::ZERO), Q48::ONE);
        near(exp(Q48::ONE), q(core::f64::consts::E), 2);
        near(exp(q(-1.0)), q(0.36787944117144233), 1);
        near(exp(q(-20.0)), q(2.061153622438558e-9), 1);
        assert_eq!(exp(q(-40.0)), Q48::ZERO);
        assert_eq!(exp(Q48::MIN), Q48::ZERO);
        assert_eq!(exp(q(10.4)), Q48::MAX);
        assert_eq!(exp(Q48::MAX), Q48::MAX);
    }

    #[test]
    fn whole_roots_are_rounded_down() {
        let (low, high) = (1u64 << 31, u64::from(u32::MAX));
        for s in [low, low + 1, 0x9000_0001, 0xb504_f333, 0xb504_f334, 0xffff_fffe, high] {
            let next = s.wrapping_mul(s).wrapping_add(2 * s); // (s + 1)² − 1
            assert_eq!((root_floor(s * s), root_floor(next)), (s, s));
            assert!(s == low || root_floor(s * s - 1) == s - 1);
        }
    }

    #[test]
    fn roots_of_squares_are_exact() {
        for n in 0..=181 {
            assert_eq!(sqrt(Q48(n * n * Q48::ONE.0)), Q48(n * Q48::ONE.0));
        }
        assert_eq!(sqrt(Q48(Q48::ONE.0 / 4)), Q48(Q48::ONE.0 / 2));
        near(sqrt(q(2.0)), q(core::f64::consts::SQRT_2), 1);
        assert_eq!(sqrt(Q48(1)), Q48(1 << 24));
        assert_eq!(sqrt(Q48(-1)), Q48::ZERO);
    }
}
