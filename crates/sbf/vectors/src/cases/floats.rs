//! Floating point: std's formatting uses some, so it must be right even though the program has none.

use super::Case;

pub const CASES: &[Case] = &[
    ("f64 products and quotients", |a, b| {
        let product = (a as u64 >> 20) as f64 * (b as u64 >> 30) as f64;
        (u128::from(product.to_bits()), (a as f64 / (b | 1) as f64).to_bits())
    }),
    ("f64 conversions", |a, b| {
        let truncated = (a as u64 as f64 * 1.5) as u64;
        (u128::from(truncated), (a as i64 as f64 - b as i64 as f64).to_bits())
    }),
    ("f64 comparisons", |a, b| {
        let (x, y) = (a as u64 as f64, b as u64 as f64);
        (
            u128::from(x >= y) | u128::from(x < y) << 1,
            u64::from(a as f64 as u128 == a),
        )
    }),
    ("f64 to 128 bits", |a, b| {
        // Any bits, so that infinities and not-a-number come up; those saturate or are 0.
        let float = f64::from_bits(a as u64 ^ (b as u64) << 52);
        (float as u128, (float as i128 >> 63) as u64)
    }),
    ("f64 of signed 128 bits", |a, b| {
        (u128::from((a as i128 as f64).to_bits()), (b as i128 as f64).to_bits())
    }),
];
