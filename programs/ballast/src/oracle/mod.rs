//! Price sources. Each adapter is a view of an account's documented bytes; what makes a price acceptable is in `accept`.
mod accept;
pub mod pyth;
pub mod switchboard;

use anchor_lang::prelude::*;

use crate::error::{fail, BallastError};

pub use accept::{accept, Accepted, FeedConfig};

/// What a source says about one price: price · 10^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceUpdate {
    /// The feed.
    pub feed_id: [u8; 32],
    /// Mantissa.
    pub price: i64,
    /// Half width of the confidence interval, same exponent.
    pub confidence: u64,
    /// Decimal exponent.
    pub exponent: i32,
    /// Unix seconds.
    pub publish_time: i64,
    /// Slot in which it was posted.
    pub posted_slot: u64,
}

/// N bytes of an account at an offset.
fn bytes<const N: usize>(data: &[u8], offset: usize) -> Result<[u8; N]> {
    data.get(offset..offset.saturating_add(N))
        .and_then(|slice| slice.try_into().ok())
        .ok_or_else(|| fail(BallastError::PriceWrongLayout))
}
