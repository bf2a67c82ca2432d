//! Makers and takers of signed quotes.
mod cancel_quote;
mod close_quote_ledger;
mod fill_quote;
mod open_quote_ledger;
mod raise_quote_floor;

pub use cancel_quote::*;
pub use close_quote_ledger::*;
pub use fill_quote::*;
pub use open_quote_ledger::*;
pub(crate) use raise_quote_floor::*;
