//! Ballast in an embedded Solana VM: the compiled program, real price accounts, wallets with tokens, and the invariants that must hold
//! after every step.
pub mod invariants;
pub mod snapshot;
pub mod vm;
pub mod world;
