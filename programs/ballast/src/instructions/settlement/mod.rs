//! Keepers and wallets: profit and loss into cash.
mod settle_pnl;

pub use settle_pnl::*;
