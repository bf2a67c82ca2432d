//! Orders in a market's book: whom they meet, what they reserve, and how they leave.
//!
//! A fill settles at once on both accounts. The makers' accounts come with the instruction; what happens to them is in `counterparties`.
mod counterparties;
mod parties;
mod removal;
mod resting;
mod venue;

pub use counterparties::{reducible, reductions, Counterparties, Taker};
pub use parties::Parties;
pub use removal::{remove, remove_all, resting};
pub use resting::{rest, Rest};
pub use venue::Venue;
