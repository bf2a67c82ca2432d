//! Where the volatility surface of an expiry comes from when no publisher signs for it.
use anchor_lang::prelude::borsh::{BorshDeserialize, BorshSerialize}; // the derives of the prelude clash with zero_copy in the IDL
use anchor_lang::prelude::*;

use super::assert_layout;

/// A value feed and what it computes.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ValueFeed {
    /// Its account.
    pub key: Pubkey,
    /// Hash of its jobs when it was bound: a feed that computes something else since is refused.
    pub hash: [u8; 32],
}

/// What a value of a feed must be, 10⁻⁹ where it is a ratio.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct ValueLimits {
    /// Widest standard deviation of the oracles' answers: 1 to a tenth.
    pub max_deviation: i64,
    /// Oldest value, seconds: 1 to 900.
    pub max_age_seconds: u32,
    /// Fewest oracles that must have answered, 1 to 32.
    pub min_samples: u32,
}

/// Feeds of one expiry's basis and surface: PDA of exchange, asset and expiry. The variance floor is no market value and has no feed.
#[account(zero_copy)]
#[derive(Debug)]
pub struct SurfaceSource {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Index of the asset on the board.
    pub asset: u8,
    /// Zero.
    pub _padding: [u8; 5],
    /// The exchange.
    pub exchange: Pubkey,
    /// The expiry, unix seconds.
    pub expiry: i64,
    /// The oracles that must answer for every feed.
    pub queue: Pubkey,
    /// What their values must be; zeros where no feeds are bound any more.
    pub limits: ValueLimits,
    /// Basis, σ_atm, skew, curvature.
    pub feeds: [ValueFeed; 4],
    /// Room to grow.
    pub _reserved: [u8; 128],
}

impl SurfaceSource {
    /// Whether feeds are bound.
    pub fn is_bound(&self) -> bool {
        self.limits.max_age_seconds > 0
    }
}

assert_layout!(ValueFeed, 64, key = 0, hash = 32);
assert_layout!(
    ValueLimits,
    16,
    max_deviation = 0,
    max_age_seconds = 8,
    min_samples = 12
);
assert_layout!(
    SurfaceSource,
    480,
    version = 0,
    bump = 1,
    asset = 2,
    exchange = 8,
    expiry = 40,
    queue = 48,
    limits = 80,
    feeds = 96,
);
