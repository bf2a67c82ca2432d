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
//! ```
//! use ballast_book::{init, size, Book, Order, Side};
//!
//! let mut words = vec![0_u64; size(64) / 8]; // aligned as an account's data are
//! let bytes = bytemuck::cast_slice_mut(&mut words);
//! init(bytes, 64)?;
//! let mut book = Book::load(bytes)?;
//! let sequence = book.next_sequence();
//! let order = Order { price: 60_000_000_000_000, lots: 5, sequence, ..Order::default() }; // $60,000
//! let handle = book.insert(Side::Bid, order)?;
//! assert_eq!(book.best(Side::Bid), Some(handle));
//! book.reduce(handle, 2)?;
//! assert_eq!(book.find(handle, sequence)?.lots, 3);
//! book.remove(handle)?;
//! assert!(book.is_empty());
//! # Ok::<(), ballast_book::BookError>(())
//! ```
//!
//! The orders of a side hang in a balanced tree, are threaded by priority, and never move while they rest, so a [`Handle`] stays valid.
//! Of the crates that keep a tree in bytes, lib-sokoban fixes its capacity at compile time, needs std and asserts; hypertree is under
//! the GPL and depends on Solana's SDK. Neither threads its nodes nor survives bytes that it did not write.
//!
//! The bytes, little-endian; a link is the number of a node, or 65,535 for none:
//!
//! | offset | header (32 bytes) |   | offset | node (104 bytes each, 2 · capacity of them) |
//! |---|---|---|---|---|
//! | 0 | next sequence number, u64 | | 0 | [`Order`] |
//! | 8 | capacity, u32 | | 88 | parent, u16 |
//! | 12 | nodes ever used, u16 | | 90 | better child, worse child, u16 each |
//! | 14 | first free node, u16 | | 94 | next better order, u16 |
//! | 16 | bids: root, best, worst, count, u16 each | | 96 | next worse order or free node, u16 |
//! | 24 | asks: likewise | | 98 | 0 free, 1 bid, 2 ask, u8 |
//! | | | | 99 | higher child: 0 better, 1 worse, 2 neither, u8; then four zeros |
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
