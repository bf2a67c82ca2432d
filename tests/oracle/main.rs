//! The program's views of price accounts against the vendors' own crates.
//!
//! The vendor's crate is linked here alone: the program reads the documented bytes, because the crate fixes one receiver program at
//! compile time and both are live. Where the two differ, on purpose, is stated in [`pyth::vendor_accepts_and_we_refuse`].
mod pyth;
mod real;
