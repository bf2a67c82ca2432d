//! The order book of one instrument, by price and then time, and the loop that matches an order against it.
//!
//! A book lies in a run of bytes, as behind the header of an account on chain: [`size`] gives its length for a capacity chosen at
//! listing, [`init`] writes an empty one, [`Book`] changes it in place and [`BookRef`] reads it. [`match_incoming`] takes what an
//! order crosses; what it asks of the accounts behind the resting orders is the trait [`Makers`].
//!
//! | operation | cost |
//! |---|---|
//! | [`Book::insert`], [`Book::remove`] | one path of an AVL tree: at most [`MAX_DEPTH`] orders of a side of [`MAX_CAPACITY`] |
//! | [`BookRef::best`], [`BookRef::worst`], [`BookRef::next`], [`BookRef::order`], [`BookRef::find`] | constant |
//! | [`BookRef::take_value`] | at most [`MAX_IMPACT_ORDERS`] orders |
//! | [`match_incoming`] | at most [`Incoming::max_matches`] orders |
//!
//! The orders of a side hang in a balanced tree, are threaded by priority, and never move while they rest, so a [`Handle`] stays valid.
//! Of the crates that keep a tree in bytes, lib-sokoban fixes its capacity at compile time, needs std and asserts; hypertree is under
//! the GPL and depends on Solana's SDK. Neither threads its nodes nor survives bytes that it did not write.
//!
//! Nothing here panics, allocates, uses floating point or knows an account layout. On bytes that no book wrote, operations end with
//! [`BookError::Corrupt`] or a wrong answer, within the same bounds.
#![no_std]
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod book;
mod check;
mod error;
mod layout;
mod matching;
mod order;
mod tree;
mod view;

pub use book::Book;
pub use error::BookError;
pub use layout::{init, size, MAX_CAPACITY, MIN_CAPACITY};
pub use matching::{
    match_incoming, Incoming, Kind, Makers, MatchError, Outcome, Removal, SelfTrade, Standing, Stop, Verdict,
};
pub use order::{Handle, Order, Side};
pub use tree::MAX_DEPTH;
pub use view::{BookRef, Orders, MAX_IMPACT_ORDERS};
