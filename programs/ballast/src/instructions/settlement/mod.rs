//! Keepers and wallets: profit and loss into cash, and the end of an instrument.
mod claim_referral;
mod close_instrument;
mod fix_settlement;
mod settle_expiry;
mod settle_pnl;
mod waive_claim;

pub use claim_referral::*;
pub use close_instrument::*;
pub use fix_settlement::*;
pub use settle_expiry::*;
pub use settle_pnl::*;
pub use waive_claim::*;
