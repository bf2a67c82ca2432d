//! Anyone: reading margin without signing.
mod distance;
mod greeks;
mod preview;
mod report;
mod what_if;

pub use preview::*;
pub use report::*;
pub use what_if::{PreviewChange, MAX_CHANGES};
