//! `ballast-oracle` against the crates of Pyth's push accounts and of Switchboard V2.
#[path = "../common.rs"]
mod common;
mod pyth_push;
mod switchboard_v2;
