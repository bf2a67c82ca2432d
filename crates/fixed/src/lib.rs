//! Money in fixed point: one newtype a unit, every conversion named, every rounding chosen.
//!
//! | type | unit | stored as |
//! |---|---|---|
//! | [`Price`] | 10⁻⁹ USD a whole unit of the asset | `i64`, not negative |
//! | [`Quantity`] | 10⁻⁹ of a whole unit, signed | `i64` |
//! | [`Lots`] | an instrument's lot, signed | `i64` |
//! | [`Notional`] | 10⁻¹⁸ USD: price × quantity without rounding | `i128` |
//! | [`Dollars`] | 10⁻⁸ USD, what margin is computed in | `i64` |
//! | [`QuoteAmount`] | 10⁻⁶ of the quote asset, what accounts are kept in | `i64` |
//! | [`Ratio`] | 10⁻⁹ | `i64` |
//!
//! No operator is overloaded: `+` on money is either checked here by name or does not compile.
//! Nothing in this crate panics or uses floating point.
#![no_std]
#![deny(missing_docs)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod amount;
pub mod kernel;
mod notional;
mod ratio;

pub use amount::{Dollars, Lots, Price, Quantity, QuoteAmount};
pub use notional::Notional;
pub use ratio::{decay, div_ceil, div_floor, div_rem_floor, mul_div_ceil, mul_div_floor, times_64, Ratio};

/// A result that does not fit its type. The caller names the cause; the operation has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// Result of checked arithmetic.
pub type Checked<T> = Result<T, Overflow>;
