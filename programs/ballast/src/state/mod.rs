//! Accounts. Every size and every offset that a client reads is asserted at compile time.
//!
//! All of them are plain old data read in place; each starts, after Anchor's discriminator, with a version byte. Amounts are raw
//! integers here (the units are those of `ballast_fixed`) and become newtypes in the accessors.

mod board;
mod collateral;
mod exchange;
mod insurance_fund;
mod margin_account;
mod market;
mod owner_record;
mod quote_pool;
mod surface_source;

pub use board::*;
pub use collateral::*;
pub use exchange::*;
pub use insurance_fund::*;
pub use margin_account::*;
pub use market::*;
pub use owner_record::*;
pub use quote_pool::*;
pub use surface_source::*;

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
