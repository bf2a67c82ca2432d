//! Quotes that a maker signs off chain and a taker brings to the chain: their bytes, and the proof that they were signed.
mod message;
mod proof;

pub use message::{Quote, QuoteLeg, LEG_LEN, MAX_LEN, TAG};
pub use proof::{signed_message, Signed, ED25519_PROGRAM};
