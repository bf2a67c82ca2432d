//! Prices that can be trusted: what the accounts of price sources say, the guards that a price passes, and the index out of several.
//!
//! 1. An [`Adapter`] reads the documented bytes of one vendor's account into a [`Reading`], or refuses the account. The caller gives the
//!    owner, and [`SourceKind::read`] refuses every owner but the vendor's programs.
//! 2. [`check`] takes a reading through the guards against what governance bound for that source, in the order of [`Guard`].
//! 3. [`combine`] makes one [`Index`] of the sources that passed: their weighted median, with their spread in its confidence.
//! 4. [`off_slow`] holds an index that a single source gives against the slow price.
//! 5. [`stake_pool`] prices a staked token: the index of the asset × the rate of its pool.
//!
//! Prices and confidences are in 10⁻⁹ USD a whole unit of the asset ([`ballast_fixed::Price`]) behind [`check`]; a price rounds down, a
//! confidence up. Nothing here panics, uses floating point, allocates, or knows a type of Solana's.
#![no_std]
#![deny(missing_docs)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod bytes;
mod error;
mod guards;
mod index;
pub mod pyth_pull;
pub mod pyth_push;
mod reading;
mod scale;
mod source;
pub mod stake_pool;
pub mod switchboard_on_demand;
pub mod switchboard_v2;

pub use error::{Guard, OracleError};
pub use guards::{check, check_age, Checked, Identity, Last, Limits, Quote};
pub use index::{combine, off_slow, Index, IndexPolicy, Valid, SOURCES};
pub use reading::{Adapter, Reading};
pub use source::SourceKind;
