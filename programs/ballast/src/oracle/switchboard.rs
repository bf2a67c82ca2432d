//! Switchboard On-Demand value feeds: `PullFeedAccountData`.
//!
//! The vendor's crate brings a Solana SDK of its own, so the documented bytes are read here.
use anchor_lang::prelude::*;
use ballast_fixed::Ratio;

use super::bytes;
use crate::error::{ensure, fail, BallastError};

/// The program that owns the feeds.
pub const PROGRAM: Pubkey = pubkey!("SBondMDrcV3K4kxZR1HNVT7osZxAHVHgYXL5Ze1oMUv");
/// sha256("account:PullFeedAccountData")[..8]
pub const DISCRIMINATOR: [u8; 8] = [196, 27, 108, 196, 10, 215, 219, 40];
/// Size of the account.
pub const LEN: usize = 3_208;

const QUEUE: usize = 2_088;
const FEED_HASH: usize = 2_120;
const WRITABLE_BY_AUTHORITY: usize = 2_213;
const MIN_SAMPLES: usize = 2_215;
const UPDATED_AT: usize = 2_216;
const VALUE: usize = 2_264;
const DEVIATION: usize = 2_280;
const SAMPLES: usize = 2_360;
const SLOT: usize = 2_368;
const FIRST_SLOT: usize = 2_376;
const LAST_SLOT: usize = 2_384;
const MAX_STALENESS: usize = 2_392;

/// What a feed says, as its account has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedValue {
    /// The oracles that answer for it.
    pub queue: Pubkey,
    /// Hash of the jobs that compute it.
    pub hash: [u8; 32],
    /// 10⁻¹⁸.
    pub value: i128,
    /// Standard deviation of the oracles' answers, 10⁻¹⁸.
    pub deviation: i128,
    /// Oracles that answered.
    pub samples: u8,
    /// Unix seconds of the last write. One new answer dates a value anew that older ones are counted in: [`FeedValue::is_current`].
    pub updated_at: i64,
    /// Slot of the oldest answer in the value.
    pub first_slot: u64,
    /// Slot of the newest.
    pub last_slot: u64,
    /// Age in slots up to which its authority lets answers count; 0 for no limit.
    pub max_staleness: u32,
}

impl FeedValue {
    /// The value in 10⁻⁹, rounded down.
    ///
    /// # Errors
    /// [`BallastError::MathOverflow`] from 9.22 on: nothing that a surface is made of comes near it.
    pub fn ratio(&self) -> Result<Ratio> {
        Ok(Ratio(small(self.value)?.div_euclid(TO_RATIO)))
    }

    /// The deviation in 10⁻⁹, rounded up.
    ///
    /// # Errors
    /// As [`FeedValue::ratio`].
    pub fn deviation(&self) -> Result<Ratio> {
        let up = small(self.deviation)?.checked_add(TO_RATIO - 1);
        Ok(Ratio(up.ok_or(BallastError::MathOverflow)?.div_euclid(TO_RATIO)))
    }

    /// Refuses a value with an answer older than the feed's own limit, or than `max_age_seconds` where that is less.
    ///
    /// # Errors
    /// [`BallastError::PriceFromFuture`] for an answer of a later slot than `slot`; [`BallastError::StalePrice`].
    pub fn is_current(&self, slot: u64, max_age_seconds: u32) -> Result<()> {
        ensure!(self.last_slot <= slot, BallastError::PriceFromFuture);
        let age = slot.saturating_sub(self.first_slot);
        let most = u64::from(max_age_seconds).saturating_mul(SLOTS_IN_TWO_SECONDS) / 2;
        let most = match self.max_staleness {
            0 => most,
            own => most.min(u64::from(own)),
        };
        ensure!(age <= most, BallastError::StalePrice);
        Ok(())
    }
}

/// At 400 milliseconds.
const SLOTS_IN_TWO_SECONDS: u64 = 5;

/// 10⁻¹⁸ in 10⁻⁹.
const TO_RATIO: i64 = 1_000_000_000;

fn small(value: i128) -> Result<i64> {
    i64::try_from(value).map_err(|_| fail(BallastError::MathOverflow))
}

/// Reads a feed that its oracles alone write and that enough of them have answered.
///
/// # Errors
/// [`BallastError::PriceWrongOwner`], and those of [`parse`].
pub fn read(account: &AccountInfo) -> Result<FeedValue> {
    ensure!(*account.owner == PROGRAM, BallastError::PriceWrongOwner);
    parse(&account.try_borrow_data()?)
}

/// Reads the bytes of a `PullFeedAccountData`, discriminator included.
///
/// # Errors
/// [`BallastError::PriceWrongLayout`]; [`BallastError::FeedNotIndependent`] where its authority may write it;
/// [`BallastError::TooFewSamples`] with fewer answers than it asks for itself, or none; [`BallastError::PriceNotPositive`] for a negative deviation.
pub fn parse(data: &[u8]) -> Result<FeedValue> {
    ensure!(
        data.len() == LEN && data.starts_with(&DISCRIMINATOR),
        BallastError::PriceWrongLayout
    );
    let [by_authority] = bytes(data, WRITABLE_BY_AUTHORITY)?;
    ensure!(by_authority == 0, BallastError::FeedNotIndependent);
    let ([samples], [least]) = (bytes(data, SAMPLES)?, bytes(data, MIN_SAMPLES)?);
    let slot = u64::from_le_bytes(bytes(data, SLOT)?);
    let first = u64::from_le_bytes(bytes(data, FIRST_SLOT)?);
    let last = u64::from_le_bytes(bytes(data, LAST_SLOT)?);
    ensure!(slot != 0 && samples >= least.max(1), BallastError::TooFewSamples);
    let feed = FeedValue {
        queue: Pubkey::new_from_array(bytes(data, QUEUE)?),
        hash: bytes(data, FEED_HASH)?,
        value: i128::from_le_bytes(bytes(data, VALUE)?),
        deviation: i128::from_le_bytes(bytes(data, DEVIATION)?),
        samples,
        updated_at: i64::from_le_bytes(bytes(data, UPDATED_AT)?),
        first_slot: if first == 0 { slot } else { first.min(slot) },
        last_slot: last.max(slot),
        max_staleness: u32::from_le_bytes(bytes(data, MAX_STALENESS)?),
    };
    ensure!(feed.deviation >= 0, BallastError::PriceNotPositive);
    Ok(feed)
}
