//! What a source's account says, before any guard.
use ballast_fixed::{div_ceil, div_floor, Ratio};

use crate::scale::VALUE_EXPONENT;
use crate::OracleError;

/// A view of one vendor's accounts.
pub trait Adapter {
    /// The programs whose accounts these are.
    const PROGRAMS: &'static [[u8; 32]];

    /// Reads the account `key` of one of [`Adapter::PROGRAMS`], discriminator included.
    ///
    /// # Errors
    /// [`OracleError::WrongLayout`], and what the vendor's own account says against itself; each adapter names its own.
    fn read(key: &[u8; 32], data: &[u8]) -> Result<Reading, OracleError>;
}

/// What a source says: price · 10^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which feed: the feed id of a Pyth pull update, the account's key for all others.
    pub id: [u8; 32],
    /// The oracles that answer for the feed; zeros where the vendor has no such choice.
    pub queue: [u8; 32],
    /// Hash of the jobs that compute it; zeros where the vendor has none.
    pub hash: [u8; 32],
    /// Mantissa.
    pub price: i128,
    /// Half width of the confidence interval, or the standard deviation of the answers; same exponent.
    pub confidence: u128,
    /// Decimal exponent.
    pub exponent: i32,
    /// Unix seconds.
    pub publish_time: i64,
    /// Slot of the newest answer in it.
    pub slot: u64,
    /// Slot of the oldest. One new answer dates a value anew that older ones are counted in.
    pub first_slot: u64,
    /// Age in slots up to which the feed's own authority lets answers count; 0 for no limit.
    pub own_max_slots: u32,
    /// Oracles that answered; 0 where the vendor does not say.
    pub samples: u32,
}

impl Reading {
    /// The value in 10⁻⁹, rounded down: what a volatility surface is made of, of a feed with 18 decimals.
    ///
    /// # Errors
    /// [`OracleError::OutOfRange`] from 9.22 on: nothing that a surface is made of comes near it. [`OracleError::BadExponent`] for a feed
    /// of another vendor than Switchboard On-Demand.
    pub fn ratio(&self) -> Result<Ratio, OracleError> {
        let value = div_floor(small(self.price, self.exponent)?, TO_RATIO).map_err(|_| OracleError::OutOfRange)?;
        i64::try_from(value).map(Ratio).map_err(|_| OracleError::OutOfRange)
    }

    /// The deviation of the answers in 10⁻⁹, rounded up.
    ///
    /// # Errors
    /// As [`Reading::ratio`].
    pub fn deviation(&self) -> Result<Ratio, OracleError> {
        let deviation = i128::try_from(self.confidence).map_err(|_| OracleError::OutOfRange)?;
        let value = div_ceil(small(deviation, self.exponent)?, TO_RATIO).map_err(|_| OracleError::OutOfRange)?;
        i64::try_from(value).map(Ratio).map_err(|_| OracleError::OutOfRange)
    }

    /// Refuses a value with an answer older than the feed's own limit, or than `max_age_seconds` in slots of 400 ms where that is less.
    ///
    /// # Errors
    /// [`OracleError::SlotFromFuture`] for an answer of a later slot than `slot`; [`OracleError::TooManySlotsOld`].
    pub fn is_current(&self, slot: u64, max_age_seconds: u32) -> Result<(), OracleError> {
        const SLOTS_IN_TWO_SECONDS: u64 = 5;
        let most = u64::from(max_age_seconds).saturating_mul(SLOTS_IN_TWO_SECONDS) / 2;
        self.check_slots(slot, most)
    }

    /// Refuses answers of later slots than `slot`, and older ones than `max_slots` and the feed's own limit.
    pub(crate) fn check_slots(&self, slot: u64, max_slots: u64) -> Result<(), OracleError> {
        let most = match self.own_max_slots {
            0 => max_slots,
            own => max_slots.min(u64::from(own)),
        };
        check_slots(self.slot, self.first_slot, slot, most)
    }
}

/// Refuses what is of later slots than `slot`, or has an answer more than `max_slots` old.
pub(crate) fn check_slots(newest: u64, oldest: u64, slot: u64, max_slots: u64) -> Result<(), OracleError> {
    if newest > slot || oldest > slot {
        return Err(OracleError::SlotFromFuture);
    }
    if slot.saturating_sub(oldest) > max_slots {
        return Err(OracleError::TooManySlotsOld);
    }
    Ok(())
}

/// 10⁻¹⁸ in 10⁻⁹.
const TO_RATIO: i128 = 1_000_000_000;

/// A value in 10⁻¹⁸ that fits 64 bits.
fn small(value: i128, exponent: i32) -> Result<i128, OracleError> {
    if exponent != VALUE_EXPONENT {
        return Err(OracleError::BadExponent);
    }
    let value = i64::try_from(value).map_err(|_| OracleError::OutOfRange)?;
    Ok(i128::from(value))
}
