//! Attacks on the compiled program: each is refused by name, or ends with nothing gained.
mod accounts;
mod dead_collateral;
mod expiry;
mod extraction;
mod fees;
mod foreign;
mod funding;
mod liquidation;
mod margin;
mod oracle;
mod packages;
mod quotes;
mod rounding;
mod shields;
mod support;
mod surfaces;
mod tokens;
