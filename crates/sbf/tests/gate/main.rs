//! The gate: what the builder builds computes, behaves and fails as native code does, in Solana's own machine.
//!
//! Run it before a program is deployed that was built with other versions of rustc or LLVM than the proven ones.

mod arithmetic;
mod build;
mod failures;
mod machine;
mod program;
mod refusals;

#[path = "../../vectors/src/cases/mod.rs"]
#[allow(dead_code)]
mod cases;
