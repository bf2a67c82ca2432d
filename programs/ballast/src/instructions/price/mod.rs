//! Keepers and wallets: prices.
mod refresh_prices;

pub use refresh_prices::*;
