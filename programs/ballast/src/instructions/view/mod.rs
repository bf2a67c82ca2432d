//! Anyone: reading margin without signing.
mod preview;

pub use preview::*;
