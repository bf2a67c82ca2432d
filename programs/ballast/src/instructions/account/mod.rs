//! Wallets: opening, funding and closing margin accounts.
mod close_margin_account;
mod deposit;
mod open_margin_account;
mod withdraw;

pub use close_margin_account::*;
pub use deposit::*;
pub use open_margin_account::*;
pub use withdraw::*;
