//! One file an instruction, in a folder by actor and purpose: accounts with their identity checks, `validate`, and a short handler.
mod account;
mod governance;
mod insurance;
mod liquidation;
mod price;
mod quote;
mod settlement;
mod trade;
mod view;

pub use account::*;
pub use governance::*;
pub use insurance::*;
pub use liquidation::*;
pub use price::*;
pub use quote::*;
pub use settlement::*;
pub use trade::*;
pub use view::*;
