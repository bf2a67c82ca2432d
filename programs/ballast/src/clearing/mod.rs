//! Effects that instructions share: moving lots between accounts and turning profit and loss into cash.
mod fill;
mod markets;
mod settlement;

pub use fill::{check_market_open_interest, check_owner_open_interest, fill, position_value, release, Fill};
pub use markets::{load_market, load_markets, MAX_LEGS};
pub use settlement::Settlement;
