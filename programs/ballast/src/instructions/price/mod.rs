//! Keepers and wallets: prices.
mod refresh_prices;
mod refresh_surface;

pub use refresh_prices::*;
pub use refresh_surface::*;
