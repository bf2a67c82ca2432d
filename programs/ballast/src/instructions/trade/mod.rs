//! Wallets: trades and orders.
mod block_trade;
mod cancel_order;
mod cancel_stale_orders;
mod place_order;
mod reconcile_owner;

pub use block_trade::*;
pub use cancel_order::*;
pub use cancel_stale_orders::*;
pub use place_order::*;
pub use reconcile_owner::*;
