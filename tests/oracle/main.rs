//! `ballast-oracle` against the crate of Pyth's pull updates.
//!
//! The vendor's crate is linked here alone: it fixes one receiver program at compile time and both are live, so the adapter reads the
//! documented bytes. Where the two differ, on purpose, is stated in [`pyth::vendor_accepts_and_we_refuse`]. The other vendors' crates are
//! of other lines of Solana's SDK, so they are compared in workspaces of their own: tests/vendors.
mod pyth;
mod real;
