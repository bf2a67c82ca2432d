//! The authority: creating the exchange and listing.
mod create_exchange;
mod delist_instrument;
mod list_asset;
mod list_collateral;
mod list_instrument;
mod set_price_sources;
mod set_settlement_price;
mod set_surface_source;
mod set_volatility_publisher;

pub use create_exchange::*;
pub use delist_instrument::*;
pub use list_asset::*;
pub use list_collateral::*;
pub use list_instrument::*;
pub use set_price_sources::*;
pub use set_settlement_price::*;
pub use set_surface_source::*;
pub use set_volatility_publisher::*;
