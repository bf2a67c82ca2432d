//! Wallets: opening, funding and closing margin accounts.
mod close_margin_account;
mod deposit;
mod open_margin_account;
mod set_margin_method;
mod set_referrer;
mod withdraw;

pub use close_margin_account::*;
pub use deposit::*;
pub use open_margin_account::*;
pub use set_margin_method::*;
pub use set_referrer::*;
pub use withdraw::*;
