//! The margin methodology: scenarios, charges, requirements and equities of an account, in integers.
//!
//! The caller walks an account asset by asset: an [`AssetBook`] takes the legs of one asset and gives an [`AssetReport`],
//! a [`Portfolio`] sums the reports over the correlation levels and gives a [`MarginReport`]. Sums are exact (10⁻¹⁸ USD) and
//! rounded once after; requirements and charges round up, P&L gains, credits and equities round down.
//! Nothing here panics, uses floating point or knows an account layout, and nothing allocates but the memory of option prices
//! ([`OptionBook::remember`]).
#![no_std]
#![deny(missing_docs)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

extern crate alloc;

mod asset;
mod collateral;
pub mod correlation;
mod deep_strike;
pub mod defaults;
pub mod distance;
mod error;
mod expiry;
pub mod fees;
pub mod funding;
pub mod impact;
pub mod index_history;
pub mod liquidation;
mod method;
mod mixed;
mod option_book;
mod option_mark;
pub mod order_reserve;
mod params;
mod portfolio;
mod price_memory;
pub mod price_use;
pub mod report;
pub mod scan_scale;
pub mod scenario;
pub mod settlement;
pub mod settlement_window;
mod shocks;
pub mod slow_price;
pub mod slow_surface;
pub mod surface;
pub mod trade;
pub mod variance;

pub use asset::{isolated_linear, AssetBook, AssetReport, Bucket, PriceState};
pub use collateral::{credit, credit_floor};
pub use error::RiskError;
pub use expiry::{Expiry, Volatilities};
pub use method::Method;
pub use option_book::{OptionBook, OptionLeg, MAX_STRIKES};
pub use option_mark::MarkBounds;
pub use params::{AssetParams, PortfolioParams, MAX_CLUSTERS, MAX_GROSS, MAX_LEVELS};
pub use portfolio::{Cash, MarginReport, Portfolio};
pub use scenario::{ScenarioPnl, SCENARIOS};
pub use shocks::{shock_logarithms, ShockTable, SHOCKS};
