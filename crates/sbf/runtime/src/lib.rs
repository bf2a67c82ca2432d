//! Functions that the builder links into every program: memory functions over the memory syscalls, 128-bit
//! arithmetic, and the host functions that std's platform layer asks for.
//!
//! No 128-bit division and no overflow check in here: the builder turns those into calls of this crate.
#![no_std]
#![feature(core_intrinsics)]
#![allow(internal_features)]

mod convert;
mod divide;
mod memory;
mod multiply;
mod platform;

/// A 128-bit integer as its low and high word.
type Wide = (u64, u64);

#[inline(always)]
fn subtract(a: Wide, b: Wide) -> Wide {
    let borrow = u64::from(a.0 < b.0);
    (a.0.wrapping_sub(b.0), a.1.wrapping_sub(b.1).wrapping_sub(borrow))
}

#[inline(always)]
fn negate(a: Wide) -> Wide {
    subtract((0, 0), a)
}

#[inline(always)]
fn is_negative(high: u64) -> bool {
    (high as i64) < 0
}

/// The magnitude of a signed integer; that of the lowest one is 2^127.
#[inline(always)]
fn magnitude(a: Wide) -> Wide {
    if is_negative(a.1) {
        negate(a)
    } else {
        a
    }
}

#[inline(always)]
fn at_least(a: Wide, b: Wide) -> bool {
    a.1 > b.1 || (a.1 == b.1 && a.0 >= b.0)
}

/// The high word of a product.
#[inline(always)]
fn multiply_high(a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> 64) as u64
}

/// The number of leading zeros of a word that is not 0, by halves: the machine has no instruction for it.
#[inline(always)]
fn leading_zeros(mut x: u64) -> u32 {
    let mut count = 0;
    if x >> 32 == 0 {
        count += 32;
        x <<= 32;
    }
    if x >> 48 == 0 {
        count += 16;
        x <<= 16;
    }
    if x >> 56 == 0 {
        count += 8;
        x <<= 8;
    }
    if x >> 60 == 0 {
        count += 4;
        x <<= 4;
    }
    if x >> 62 == 0 {
        count += 2;
        x <<= 2;
    }
    if x >> 63 == 0 {
        count += 1;
    }
    count
}
