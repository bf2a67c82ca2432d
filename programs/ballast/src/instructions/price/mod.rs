//! Keepers and wallets: prices.
mod refresh_prices;
mod refresh_surface;
mod refresh_surface_from_feeds;

pub use refresh_prices::*;
pub use refresh_surface::*;
pub use refresh_surface_from_feeds::*;
