//! Wallets: trades.
mod block_trade;

pub use block_trade::*;
