//! Integer operations of every width, checked, wrapping and saturating.

use super::{flagged, flagged_signed, Case};

pub const CASES: &[Case] = &[
    ("u128 wrapping_mul", |a, b| (a.wrapping_mul(b), 0)),
    ("u128 checked_mul", |a, b| flagged(a.checked_mul(b))),
    ("u128 checked_div", |a, b| flagged(a.checked_div(b))),
    ("u128 checked_rem", |a, b| flagged(a.checked_rem(b))),
    ("u128 checked_add", |a, b| flagged(a.checked_add(b))),
    ("u128 checked_next_multiple_of", |a, b| {
        flagged(a.checked_next_multiple_of(b))
    }),
    ("u128 checked_pow", |a, b| {
        flagged((a & 0xffff).checked_pow((b & 15) as u32))
    }),
    ("u128 saturating", |a, b| {
        (a.saturating_sub(b), a.saturating_mul(b) as u64)
    }),
    ("u128 abs_diff", |a, b| (a.abs_diff(b), (a as i64).abs_diff(b as i64))),
    ("i128 checked_mul", |a, b| {
        flagged_signed((a as i128).checked_mul(b as i128))
    }),
    ("i128 checked_div", |a, b| {
        flagged_signed((a as i128).checked_div(b as i128))
    }),
    ("i128 checked_rem", |a, b| {
        flagged_signed((a as i128).checked_rem(b as i128))
    }),
    ("i128 checked_sub", |a, b| {
        flagged_signed((a as i128).checked_sub(b as i128))
    }),
    ("i128 checked_neg", |a, _| flagged_signed((a as i128).checked_neg())),
    ("i128 saturating", |a, b| {
        let (a, b) = (a as i128, b as i128);
        (a.saturating_mul(b) as u128, a.saturating_add(b) as u64)
    }),
    ("i128 rem_euclid", |a, b| {
        let wide = (a as i128).wrapping_rem_euclid(b as i128 | 1);
        (wide as u128, (a as i64).wrapping_rem(b as i64 | 1) as u64)
    }),
    ("i128 unsigned_abs", |a, _| {
        ((a as i128).unsigned_abs(), (a as i64).signum() as u64)
    }),
    ("u128 wrapping_shl", |a, b| (a.wrapping_shl(b as u32), 0)),
    ("u128 wrapping_shr", |a, b| (a.wrapping_shr(b as u32), 0)),
    ("i128 wrapping_shr", |a, b| {
        ((a as i128).wrapping_shr(b as u32) as u128, 0)
    }),
    ("shifts by less and by more than a word", |a, b| {
        let n = b as u32;
        let wide = a.wrapping_shl(n & 63) ^ b.wrapping_shr(n | 64);
        (wide, (a as i64).wrapping_shr(n) as u64)
    }),
    ("rotations", |a, b| {
        (
            a.rotate_left(b as u32),
            (a as u64).rotate_left(b as u32) ^ (a as u64).rotate_right(b as u32),
        )
    }),
    ("bytes and bits reversed", |a, b| {
        (
            a.swap_bytes() ^ b.reverse_bits(),
            (a as u64).swap_bytes() ^ (b as u64).reverse_bits(),
        )
    }),
    ("zeros counted", |a, b| {
        let leading = u128::from(a.leading_zeros()) | u128::from(b.leading_zeros()) << 32;
        let word = u64::from((a as u64).leading_zeros()) | u64::from((a as u64).trailing_zeros()) << 32;
        (leading | u128::from(a.trailing_zeros()) << 64, word)
    }),
    ("ones counted", |a, b| {
        (u128::from(a.count_ones()), u64::from((b as u64).count_ones()))
    }),
    ("square roots", |a, _| (a.isqrt(), (a as u64).isqrt())),
    ("comparisons", |a, b| {
        let (signed_a, signed_b) = (a as i128, b as i128);
        let bits = u128::from(a < b) | u128::from(signed_a < signed_b) << 1 | u128::from(a == b) << 2;
        (bits | u128::from(signed_a.cmp(&signed_b) as u8) << 8, a.cmp(&b) as u64)
    }),
    ("u64 checked_mul", |a, b| {
        flagged((a as u64).checked_mul(b as u64).map(u128::from))
    }),
    ("i64 checked_mul", |a, b| {
        flagged_signed((a as i64).checked_mul(b as i64).map(i128::from))
    }),
    ("i64 checked_div", |a, b| {
        flagged_signed((a as i64).checked_div(b as i64).map(i128::from))
    }),
    ("i64 checked_rem", |a, b| {
        flagged_signed((a as i64).checked_rem(b as i64).map(i128::from))
    }),
    ("i64 checked_add", |a, b| {
        flagged_signed((a as i64).checked_add(b as i64).map(i128::from))
    }),
    ("u64 mul_div", |a, b| {
        flagged((u128::from(a as u64) * u128::from(b as u64)).checked_div(b >> 64))
    }),
    ("high words of products", |a, b| {
        let unsigned = u128::from(a as u64) * u128::from(b as u64);
        let signed = i128::from(a as i64) * i128::from(b as i64);
        (
            unsigned >> 64 << 64 | u128::from((a as u64).wrapping_mul(b as u64)),
            (signed >> 64) as u64,
        )
    }),
    ("u32 checked_mul", |a, b| {
        flagged((a as u32).checked_mul(b as u32).map(u128::from))
    }),
    ("i32 checked_mul", |a, b| {
        flagged_signed((a as i32).checked_mul(b as i32).map(i128::from))
    }),
    ("i32 checked_div", |a, b| {
        flagged_signed((a as i32).checked_div(b as i32).map(i128::from))
    }),
    ("i16 checked_mul", |a, b| {
        flagged_signed((a as i16).checked_mul(b as i16).map(i128::from))
    }),
    ("i8 division", |a, b| {
        (
            i128::from((a as i8).wrapping_div(b as i8 | 1)) as u128,
            u64::from(a as u8),
        )
    }),
    ("division by a constant prime", |a, b| {
        (a.wrapping_mul(b) / 1_000_000_007, a as u64 / 1_000_000_007)
    }),
    ("signed division by a constant", |a, _| {
        (((a as i128) / 1_000_000_000) as u128, ((a as i64) / 1_000) as u64)
    }),
    ("signed remainder by a constant", |a, _| {
        (((a as i128) % 10_000) as u128, ((a as i64) % 10_000) as u64)
    }),
    ("division by a power", |a, _| (a / 10_000, ((a as i64) / 8) as u64)),
];
