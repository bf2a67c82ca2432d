//! `ballast-oracle` against the crates of Switchboard On-Demand and of the SPL stake pool program.
#[path = "../common.rs"]
mod common;
mod on_demand;
mod pool;
