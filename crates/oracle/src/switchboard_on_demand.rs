//! Switchboard On-Demand's pull feeds: `PullFeedAccountData`.
//!
//! The vendor's crate brings a Solana SDK of its own, so the documented bytes are read here.
use crate::bytes::{address, byte, bytes, i128_at, i64_at, u32_at, u64_at};
use crate::scale::{MANTISSA_END, VALUE_EXPONENT};
use crate::{Adapter, OracleError, Reading};

/// Reads `PullFeedAccountData`.
#[derive(Clone, Copy, Debug)]
pub struct SwitchboardOnDemand;

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

impl Adapter for SwitchboardOnDemand {
    const PROGRAMS: &'static [[u8; 32]] = &[address("SBondMDrcV3K4kxZR1HNVT7osZxAHVHgYXL5Ze1oMUv")];

    /// The current result of a feed that its oracles alone write and that enough of them have answered. The confidence is the standard
    /// deviation of their answers; the publish time that of the last write, so the age of the answers is to be held by slots.
    ///
    /// # Errors
    /// [`OracleError::WrongLayout`]; [`OracleError::AuthorityCanWrite`]; [`OracleError::TooFewSamples`] with fewer answers than the feed
    /// asks for itself, or none; [`OracleError::OutOfRange`] for a number that the vendor's decimals have no room for;
    /// [`OracleError::NegativeDeviation`].
    fn read(key: &[u8; 32], data: &[u8]) -> Result<Reading, OracleError> {
        if data.len() != LEN || !data.starts_with(&DISCRIMINATOR) {
            return Err(OracleError::WrongLayout);
        }
        if byte(data, WRITABLE_BY_AUTHORITY)? != 0 {
            return Err(OracleError::AuthorityCanWrite);
        }
        let (samples, least) = (byte(data, SAMPLES)?, byte(data, MIN_SAMPLES)?);
        let slot = u64_at(data, SLOT)?;
        if slot == 0 || samples < least.max(1) {
            return Err(OracleError::TooFewSamples);
        }
        let (first, last) = (u64_at(data, FIRST_SLOT)?, u64_at(data, LAST_SLOT)?);
        let (value, deviation) = (i128_at(data, VALUE)?, i128_at(data, DEVIATION)?);
        if value.unsigned_abs() >= MANTISSA_END || deviation.unsigned_abs() >= MANTISSA_END {
            return Err(OracleError::OutOfRange);
        }
        Ok(Reading {
            id: *key,
            queue: bytes(data, QUEUE)?,
            hash: bytes(data, FEED_HASH)?,
            price: value,
            confidence: u128::try_from(deviation).map_err(|_| OracleError::NegativeDeviation)?,
            exponent: VALUE_EXPONENT,
            publish_time: i64_at(data, UPDATED_AT)?,
            slot: last.max(slot),
            first_slot: if first == 0 { slot } else { first.min(slot) },
            own_max_slots: u32_at(data, MAX_STALENESS)?,
            samples: u32::from(samples),
        })
    }
}
