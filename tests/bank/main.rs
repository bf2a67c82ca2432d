//! The compiled program in a bank, as a validator runs it: the happy path of the demo, and what the embedded VM leaves out, which is
//! fees, rent, blockhashes, the size of a transaction, the default compute budget and account locks.
mod bank;
mod runtime;
mod story;
mod venue;
