//! Keepers: flagging and taking over.
mod flag;
mod liquidate;
mod package;
mod unflag;

pub use flag::*;
pub use liquidate::*;
pub(crate) use unflag::*;
