//! Ways to fail. Each must abort the transaction; a builder that let one through would lose money.

use std::hint::black_box;

use anchor_lang::prelude::*;

use crate::VectorsError;

/// The way to fail.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub enum Failure {
    IndexOutOfBounds,
    AddOverflow,
    MultiplyOverflow,
    SignedSubtractOverflow,
    WideMultiplyOverflow,
    DivideByZero,
    Requirement,
    KeysDiffer,
    UnwrapNone,
    Panic,
    NullPointer,
    DeepRecursion,
    FailedConversion,
    OutOfMemory,
    SliceIndex,
    #[cfg(feature = "large-frame")]
    LargeFrame,
    #[cfg(feature = "writable-static")]
    WritableStatic,
}

/// Fails or not, depending on `value`.
pub fn run(failure: Failure, value: u64) -> Result<()> {
    let numbers = [1u64, 2, 3];
    let result = match failure {
        Failure::IndexOutOfBounds => numbers[value as usize],
        Failure::AddOverflow => value + u64::MAX,
        Failure::MultiplyOverflow => value * (u64::MAX / 2),
        Failure::SignedSubtractOverflow => (value as i128 - i128::MAX - 100) as u64,
        Failure::WideMultiplyOverflow => (u128::from(value) * u128::MAX) as u64,
        Failure::DivideByZero => 1_000 / value,
        Failure::Requirement => {
            require!(value == 42, VectorsError::Condition);
            0
        }
        Failure::KeysDiffer => {
            require_keys_eq!(crate::ID, System::id(), VectorsError::Overflow);
            0
        }
        Failure::UnwrapNone => (value > 5).then_some(value).unwrap(),
        Failure::Panic => panic!("boom {value}"),
        // SAFETY: there is none, on purpose: nothing is mapped at this address.
        Failure::NullPointer => unsafe { *black_box(std::ptr::dangling::<u64>()) },
        Failure::DeepRecursion => recurse(value),
        Failure::FailedConversion => u64::from(u32::try_from(value).unwrap()),
        Failure::OutOfMemory => u64::from(vec![1u8; value as usize][value as usize - 1]),
        Failure::SliceIndex => numbers[..value as usize].iter().sum(),
        #[cfg(feature = "large-frame")]
        Failure::LargeFrame => large_frame(value),
        #[cfg(feature = "writable-static")]
        Failure::WritableStatic => u64::from(COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
    };
    require!(result != 999_999, VectorsError::Condition);
    Ok(())
}

fn recurse(depth: u64) -> u64 {
    if depth == 0 {
        0
    } else {
        black_box(recurse(depth - 1)) + depth
    }
}

/// Its locals alone are larger than the 4,096 bytes of a stack frame.
#[cfg(feature = "large-frame")]
#[inline(never)]
fn large_frame(value: u64) -> u64 {
    let mut bytes = [0u8; 5_000];
    for i in 0..value as usize {
        bytes[i * 7 % 5_000] = i as u8;
    }
    u64::from(black_box(&mut bytes)[value as usize])
}

#[cfg(feature = "writable-static")]
static COUNTER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
