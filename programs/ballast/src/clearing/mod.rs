//! Effects that instructions share: moving lots between accounts and turning profit and loss into cash.
mod fill;
mod settlement;

pub use fill::{check_market_open_interest, check_owner_open_interest, fill, position_value, release, Fill};
pub use settlement::{load_market, Settlement};
