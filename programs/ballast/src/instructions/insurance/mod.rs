//! The insurance fund.
mod fund_insurance;

pub use fund_insurance::*;
