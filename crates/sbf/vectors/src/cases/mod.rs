//! The vectors: named functions of two 128-bit integers, run on the chain and natively on the same inputs.
//!
//! This folder is compiled into the program and, by path, into the test that compares.

mod arithmetic;
mod calls;
mod floats;
mod limbs;

/// A result: the value, and a second word for a flag or another value.
pub type Outcome = (u128, u64);

/// One function and its name for messages.
pub type Case = (&'static str, fn(u128, u128) -> Outcome);

/// Every group of cases.
pub const GROUPS: [&[Case]; 4] = [arithmetic::CASES, calls::CASES, floats::CASES, limbs::CASES];

/// The number of cases.
pub fn count() -> u64 {
    GROUPS.iter().map(|group| group.len() as u64).sum()
}

/// The case of a number below [`count`].
pub fn case(number: u64) -> Case {
    let mut index = number as usize;
    for group in GROUPS {
        match group.get(index) {
            Some(case) => return *case,
            None => index -= group.len(),
        }
    }
    unreachable!("cases are numbered below count()")
}

/// A pseudo-random sequence (xorshift64*) of case numbers and operands.
pub struct Inputs(u64);

impl Inputs {
    /// The sequence of a seed; 0 would be constant.
    pub fn new(seed: u64) -> Self {
        Inputs(seed | 1)
    }

    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// An operand of a random length, often one at an end of a range.
    fn operand(&mut self) -> u128 {
        let bits = u128::from(self.word()) << 64 | u128::from(self.word());
        let shape = self.word();
        let at = (shape % 128) as u32;
        let value = bits >> at;
        match (shape >> 32) % 16 {
            0 => !value,
            1 => 1 << at,
            2 => (1u128 << at).wrapping_sub(1),
            3 => value & u128::from(u64::MAX),
            4 => value << 64,
            5 => (value as i128).wrapping_neg() as u128,
            6 => (1u128 << 127).wrapping_add(u128::from(shape >> 40 & 1)),
            7 => u128::MAX - u128::from(shape >> 40 & 3),
            _ => value,
        }
    }
}

impl Iterator for Inputs {
    type Item = (u64, u128, u128);

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.word() % count();
        Some((number, self.operand(), self.operand()))
    }
}

/// `None` as (0, 1), like an overflow flag.
fn flagged(value: Option<u128>) -> Outcome {
    match value {
        Some(value) => (value, 0),
        None => (0, 1),
    }
}

/// The same for signed values.
fn flagged_signed(value: Option<i128>) -> Outcome {
    flagged(value.map(|v| v as u128))
}
