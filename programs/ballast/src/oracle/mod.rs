//! Prices from accounts to the board. What the bytes say and which guards they pass is `ballast_oracle`'s; here is what is bound and kept.
mod config;
mod refresh;

use anchor_lang::prelude::*;
use ballast_oracle::{Reading, SourceKind};

use crate::error::OrError;

pub use config::{FeedConfig, PriceLimits, PriceSourceKind, SourceConfig};
pub use refresh::{index, take, Accepted};

/// Reads a value feed of Switchboard On-Demand, which can carry any number.
///
/// # Errors
/// Those of the adapter.
pub fn read_value(account: &AccountInfo) -> Result<Reading> {
    let data = account.try_borrow_data()?;
    let (owner, key) = (account.owner.to_bytes(), account.key.to_bytes());
    SourceKind::SwitchboardOnDemand.read(&owner, &key, &data).or_error()
}
