//! Attacks on what a portfolio requires: books that look riskless to a simpler rule, or that change after their margin was granted.
//!
//! Every expected requirement is that of the methodology's reference script, or computed by hand beside it. ETH stands at 3,000: ψ = 12 %,
//! b = 0.5 %, β = 2 %, λ = 1, λ_o = 0.2, and a floor of 1 % of 3,000 for each short option.
mod bounds;
pub mod compute;
mod shorts;
mod spreads;
mod withdrawals;
