//! Keepers and wallets: prices and what follows from them.
mod refresh_prices;
mod refresh_surface;
mod refresh_surface_from_feeds;
mod update_correlations;
mod update_funding;

pub use refresh_prices::*;
pub use refresh_surface::*;
pub use refresh_surface_from_feeds::*;
pub use update_correlations::*;
pub use update_funding::*;
