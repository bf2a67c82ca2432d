//! The compiled program in a bank, as a validator runs it: the happy path of the demo, and what the embedded VM leaves out, which is
//! fees, rent, blockhashes, the size of a transaction, the default compute budget, account locks and the Ed25519 program.
mod bank;
mod quotes;
mod runtime;
mod story;
mod venue;
