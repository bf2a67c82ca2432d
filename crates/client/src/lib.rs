//! What an integrator needs to talk to Ballast: addresses, instructions, typed accounts and the preview's report.
//!
//! Nothing here does input or output: send the instructions with the transport of your choice.
pub mod account;
pub mod address;
pub mod instruction;
pub mod order;
pub mod preview;
pub mod quote;

pub use address::Exchange;
