//! What the board keeps of an asset's price: the index that margin is computed with, and the sources that it is taken from.
use anchor_lang::prelude::*;
use ballast_fixed::{Price, Ratio};

use super::assert_layout;
use crate::error::OrError;

/// Sources of one price: a primary and two further ones.
pub const MAX_SOURCES: usize = 3;
/// Reasons for which an update is refused, each with a counter of its own: [`ballast_oracle::Guard`], and room.
pub const GUARDS: usize = 12;
const _: () = assert!(ballast_oracle::Guard::COUNT <= GUARDS);

/// The index of an asset, or of the quote asset, and what is asked of it.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PriceFeed {
    /// Median of the valid sources, 10⁻⁹ USD; 0 before the first.
    pub index: i64,
    /// Its confidence interval, what the sources are apart included; 10⁻⁹ USD.
    pub confidence: i64,
    /// Slow price, 10⁻⁹ USD.
    pub slow: i64,
    /// When the newest of its sources published it, unix seconds.
    pub publish_time: i64,
    /// Slot in which the board took it.
    pub slot: u64,
    /// confidence / index, 10⁻⁹, rounded up; at most one.
    pub width: i64,
    /// Oldest that it may be where risk is added, seconds.
    pub max_age_seconds: u32,
    /// Width in 10⁻⁶ up to which it is tight.
    pub tight_ppm: u32,
    /// Time constant of the slow price, seconds.
    pub slow_seconds: u32,
    /// Fastest that the slow price moves, in 10⁻⁶ an hour.
    pub slow_speed_ppm: u32,
    /// Farthest that sources lie from their median without being left out, in 10⁻⁶ of it.
    pub max_deviation_ppm: u32,
    /// Farthest that an index of one source lies from the slow price, in 10⁻⁶ of it.
    pub max_slow_deviation_ppm: u32,
    /// Whether the primary may give the index alone: 1, else 0.
    pub primary_alone: u8,
    /// Zero.
    pub _padding: [u8; 7],
    /// Room to grow.
    pub _reserved: [u64; 2],
}
assert_layout!(
    PriceFeed,
    96,
    index = 0,
    confidence = 8,
    slow = 16,
    publish_time = 24,
    slot = 32,
    width = 40,
    max_age_seconds = 48,
    tight_ppm = 52
);

impl PriceFeed {
    /// Whether the price is younger than its maximum age at `now`. A feed without a price is not.
    pub fn is_fresh(&self, now: i64) -> bool {
        self.index > 0 && now.saturating_sub(self.publish_time) <= i64::from(self.max_age_seconds)
    }

    /// Whether its confidence interval is no wider than that of a price which is taken at its word.
    pub fn is_tight(&self) -> bool {
        self.width <= self.tight()
    }

    /// The widest that a tight price is, 10⁻⁹.
    pub fn tight(&self) -> i64 {
        i64::from(self.tight_ppm).saturating_mul(1_000)
    }

    /// The index.
    pub fn index(&self) -> Price {
        Price(self.index)
    }

    /// The slow price.
    pub fn slow(&self) -> Price {
        Price(self.slow)
    }

    /// The feed with all its prices moved by a part of them, its confidence as wide as before in relation; rounded down. No price falls
    /// below ten units: a forward with the lowest basis there is, −60.5 %, is then still above nothing. Fails on overflow.
    pub fn moved(&self, by: Ratio) -> Result<PriceFeed> {
        const LEAST: i64 = 10;
        let moved = |price: i64| Price(price).scaled_floor(by).map(|p| p.0).or_error();
        Ok(PriceFeed {
            index: moved(self.index)?.max(LEAST.min(self.index)),
            slow: moved(self.slow)?.max(LEAST.min(self.slow)),
            confidence: moved(self.confidence)?,
            ..*self
        })
    }
}

/// A source of a price: what is bound, and what it last said.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PriceSource {
    /// [`ballast_oracle::SourceKind`] as a number; 0 where there is none.
    pub kind: u8,
    /// Stake pool: index of the asset that its tokens are a claim on; else 0.
    pub base: u8,
    /// Weight in the median.
    pub weight: u16,
    /// Oldest update that is taken, seconds.
    pub max_age_seconds: u32,
    /// The same in slots.
    pub max_age_slots: u32,
    /// Widest confidence that is taken, in 10⁻⁶ of the price.
    pub max_confidence_ppm: u32,
    /// Farthest that it moves in a second, in 10⁻⁶ of the price; of a stake pool's rate the farthest that it rises in a day.
    pub max_step_ppm: u32,
    /// Zero.
    pub _padding: [u8; 4],
    /// Feed id of a Pyth pull update, else the account's key.
    pub id: [u8; 32],
    /// Switchboard: the oracle queue; else zeros.
    pub queue: [u8; 32],
    /// Switchboard: hash of the feed's jobs when it was bound; else zeros.
    pub hash: [u8; 32],
    /// Its last price, 10⁻⁹ USD, or a stake pool's rate in 10⁻⁹; 0 before the first.
    pub price: i64,
    /// Its confidence, 10⁻⁹ USD.
    pub confidence: i64,
    /// When it was published, unix seconds.
    pub publish_time: i64,
    /// Slot of the oldest answer in it.
    pub answer_slot: u64,
    /// Slot in which the board took it.
    pub slot: u64,
    /// Stake pool: up to when the growth of its rate is used up, unix seconds; else 0.
    pub rate_time: i64,
}
assert_layout!(
    PriceSource,
    168,
    kind = 0,
    id = 24,
    queue = 56,
    hash = 88,
    price = 120,
    confidence = 128,
    publish_time = 136
);

/// The sources of one price and how often each guard has refused something of theirs.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PriceSources {
    /// The primary first.
    pub sources: [PriceSource; MAX_SOURCES],
    /// Updates refused, by [`ballast_oracle::Guard`]: those of instructions that refreshed something else, as the others leave no trace.
    pub refused: [u32; GUARDS],
}
assert_layout!(PriceSources, 552, sources = 0, refused = 504);
