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
    /// Unix seconds.
    pub updated_at: i64,
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
}

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
    ensure!(slot != 0 && samples >= least.max(1), BallastError::TooFewSamples);
    let feed = FeedValue {
        queue: Pubkey::new_from_array(bytes(data, QUEUE)?),
        hash: bytes(data, FEED_HASH)?,
        value: i128::from_le_bytes(bytes(data, VALUE)?),
        deviation: i128::from_le_bytes(bytes(data, DEVIATION)?),
        samples,
        updated_at: i64::from_le_bytes(bytes(data, UPDATED_AT)?),
    };
    ensure!(feed.deviation >= 0, BallastError::PriceNotPositive);
    Ok(feed)
}
