//! Accounts. Every size and every offset that a client reads is asserted at compile time.
//!
//! All of them are plain old data read in place; each starts, after Anchor's discriminator, with a version byte. Amounts are raw
//! integers here (the units are those of `ballast_fixed`) and become newtypes in the accessors.

use anchor_lang::prelude::*;

mod board;
mod collateral;
mod correlation;
mod dynamics;
mod exchange;
mod funding;
mod insurance_fund;
mod margin_account;
mod market;
mod owner_record;
mod price;
mod quote_ledger;
mod quote_pool;
mod resting;
mod settlement;
mod surface_source;
mod terms;

pub use board::*;
pub use collateral::*;
pub use correlation::*;
pub use dynamics::*;
pub use exchange::*;
pub use insurance_fund::*;
pub use margin_account::*;
pub use market::*;
pub use owner_record::*;
pub use price::*;
pub use quote_ledger::*;
pub use quote_pool::*;
pub use resting::*;
pub use surface_source::*;
pub use terms::*;

/// The version that this program writes and reads.
pub const VERSION: u8 = 1;

/// Bytes in front of every account: Anchor's discriminator.
pub const DISCRIMINATOR: usize = 8;

/// Asserts an account's size and the offsets (discriminator not counted) that clients rely on.
macro_rules! assert_layout {
    ($t:ty, $size:expr, $($field:ident = $offset:expr),+ $(,)?) => {
        const _: () = assert!(core::mem::size_of::<$t>() == $size);
        $(const _: () = assert!(core::mem::offset_of!($t, $field) == $offset);)+
    };
}
pub(crate) use assert_layout;

/// A signed 128-bit integer in an account, as two words: the chain and its clients align such integers differently.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wide {
    /// The lower 64 bits.
    pub low: u64,
    /// The upper 64 bits, the sign included.
    pub high: u64,
}
assert_layout!(Wide, 16, low = 0, high = 8);

impl Wide {
    /// The integer.
    pub fn get(self) -> i128 {
        (i128::from(self.high as i64) << 64) | i128::from(self.low)
    }
}

impl From<i128> for Wide {
    fn from(value: i128) -> Self {
        Wide {
            low: value as u64,
            high: (value >> 64) as u64,
        }
    }
}
