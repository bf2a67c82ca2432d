//! Ballast in an embedded Solana VM: the compiled program, real price accounts, wallets with tokens, and the invariants that must hold
//! after every step.
pub mod demo;
pub mod invariants;
pub mod keeper;
pub mod precompile;
pub mod prices;
pub mod replay;
pub mod snapshot;
pub mod table;
pub mod vm;
pub mod world;
