//! 256-bit integers as four words: long carry chains, arrays by value and loops over them.

use super::{Case, Outcome};

type Limbs = [u64; 4];

pub const CASES: &[Case] = &[
    ("256-bit product", |a, b| outcome(product(a, b))),
    ("256-bit sum and difference", |a, b| {
        let (x, y) = (product(a, b), product(a ^ b, b));
        let (sum, carry) = add(x, y);
        let (difference, borrow) = subtract(x, y);
        let (low, high) = outcome(sum);
        let (other, rest) = outcome(difference);
        (
            low ^ other.rotate_left(5),
            high ^ rest.rotate_left(9) ^ u64::from(carry) << 1 ^ u64::from(borrow),
        )
    }),
    ("32 steps of a 256-bit division", |a, b| {
        let divisor = product(b | 1, a >> 96 | 1);
        outcome(divide(product(a, b ^ a), divisor))
    }),
];

fn outcome(limbs: Limbs) -> Outcome {
    (
        u128::from(limbs[0]) | u128::from(limbs[1]) << 64,
        limbs[2] ^ limbs[3].rotate_left(17),
    )
}

fn product(a: u128, b: u128) -> Limbs {
    let (a, b) = ([a as u64, (a >> 64) as u64], [b as u64, (b >> 64) as u64]);
    let mut out = [0; 4];
    for (i, x) in a.into_iter().enumerate() {
        let mut carry = 0;
        for (j, y) in b.into_iter().enumerate() {
            let sum = u128::from(x) * u128::from(y) + u128::from(out[i + j]) + carry;
            out[i + j] = sum as u64;
            carry = sum >> 64;
        }
        out[i + 2] = carry as u64;
    }
    out
}

fn add(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut out = [0; 4];
    let mut carry = false;
    for k in 0..4 {
        let (sum, first) = a[k].overflowing_add(b[k]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        out[k] = sum;
        carry = first | second;
    }
    (out, carry)
}

fn subtract(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut out = [0; 4];
    let mut borrow = false;
    for k in 0..4 {
        let (difference, first) = a[k].overflowing_sub(b[k]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        out[k] = difference;
        borrow = first | second;
    }
    (out, borrow)
}

/// The remainder after the first 32 bits of the low word: all of them would take too many compute units.
fn divide(a: Limbs, divisor: Limbs) -> Limbs {
    let mut rest = [0, a[1], a[2], a[3]];
    for bit in (32..64).rev() {
        let (twice, overflow) = add(rest, rest);
        rest = twice;
        rest[0] |= a[0] >> bit & 1;
        let (reduced, borrow) = subtract(rest, divisor);
        if overflow || !borrow {
            rest = reduced;
        }
    }
    rest
}
