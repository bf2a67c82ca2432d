//! Keepers and wallets: profit and loss into cash.
mod claim_referral;
mod settle_pnl;

pub use claim_referral::*;
pub use settle_pnl::*;
