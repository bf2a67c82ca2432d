//! The guards that a source's reading passes, in the order of [`crate::Guard`].
use core::cmp::Ordering;

use crate::reading::check_slots;
use crate::scale::{product_exceeds, rescale, Rounding};
use crate::{OracleError, Reading};

/// What governance bound for a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// See [`Reading::id`].
    pub id: &'a [u8; 32],
    /// See [`Reading::queue`].
    pub queue: &'a [u8; 32],
    /// See [`Reading::hash`].
    pub hash: &'a [u8; 32],
}

/// How old, wide and fast a source's price may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Oldest publish time, seconds.
    pub max_age_seconds: u32,
    /// Oldest answer, slots. A feed's own limit applies where it is less.
    pub max_age_slots: u32,
    /// Widest confidence, 10⁻⁶ of the price.
    pub max_confidence_ppm: u32,
    /// Largest step, 10⁻⁶ of the source's last price for each second since; the first second counts whole.
    pub max_step_ppm: u32,
}

/// The last price that was taken from a source; zeros: none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Last {
    /// 10⁻⁹ USD.
    pub price: i64,
    /// Unix seconds.
    pub publish_time: i64,
}

/// A source's price that passed its guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// 10⁻⁹ USD, rounded down, above zero.
    pub price: i64,
    /// Half width of the confidence interval, 10⁻⁹ USD, rounded up.
    pub confidence: i64,
    /// Unix seconds.
    pub publish_time: i64,
    /// Slot of the newest answer in it.
    pub slot: u64,
    /// Slot of the oldest.
    pub first_slot: u64,
}

/// A sound price against the last one of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Newer.
    New(Quote),
    /// Of the same second. The one that was taken first stands: sources publish more than once a second, and none of these may be chosen.
    Known(Quote),
    /// Older: publish times never go back.
    Older,
}

/// Takes a reading through the guards at `now` (unix seconds) in `slot`.
///
/// Identity; age in seconds, then in slots; confidence; sign; exponent; monotone time; step. That the vendor stands behind the value is
/// the adapter's to see. A feed that was silent for long may have moved far: the step allowed grows with the time since the last price, so
/// that a true move is always taken in the end.
///
/// # Errors
/// One error a guard, see [`OracleError::guard`].
pub fn check(
    reading: &Reading,
    bound: &Identity,
    limits: &Limits,
    last: &Last,
    now: i64,
    slot: u64,
) -> Result<Checked, OracleError> {
    check_identity(reading, bound)?;
    check_seconds(reading.publish_time, now, limits.max_age_seconds)?;
    reading.check_slots(slot, u64::from(limits.max_age_slots))?;
    check_confidence(reading, limits.max_confidence_ppm)?;
    if reading.price <= 0 {
        return Err(OracleError::NotPositive);
    }
    let quote = Quote {
        price: rescale(reading.price, reading.exponent, Rounding::Down)?,
        confidence: rescale(signed(reading.confidence)?, reading.exponent, Rounding::Up)?,
        publish_time: reading.publish_time,
        slot: reading.slot,
        first_slot: reading.first_slot,
    };
    if quote.price == 0 {
        return Err(OracleError::NotPositive);
    }
    let order = quote.publish_time.cmp(&last.publish_time);
    if order == Ordering::Less {
        return Ok(Checked::Older);
    }
    check_step(&quote, last, limits.max_step_ppm)?;
    Ok(if order == Ordering::Equal {
        Checked::Known(quote)
    } else {
        Checked::New(quote)
    })
}

/// The two guards of age, for a quote that was taken before.
///
/// # Errors
/// [`OracleError::FromFuture`], [`OracleError::TooOld`], [`OracleError::SlotFromFuture`] and [`OracleError::TooManySlotsOld`].
pub fn check_age(publish_time: i64, first_slot: u64, limits: &Limits, now: i64, slot: u64) -> Result<(), OracleError> {
    check_seconds(publish_time, now, limits.max_age_seconds)?;
    check_slots(first_slot, first_slot, slot, u64::from(limits.max_age_slots))
}

fn check_identity(reading: &Reading, bound: &Identity) -> Result<(), OracleError> {
    if reading.id != *bound.id {
        return Err(OracleError::WrongFeed);
    }
    if reading.queue != *bound.queue {
        return Err(OracleError::WrongQueue);
    }
    if reading.hash != *bound.hash {
        return Err(OracleError::WrongJobs);
    }
    Ok(())
}

fn check_seconds(publish_time: i64, now: i64, max_age_seconds: u32) -> Result<(), OracleError> {
    if publish_time > now {
        return Err(OracleError::FromFuture);
    }
    // A time of zero is that of an account which holds no price yet.
    if publish_time <= 0 || now.saturating_sub(publish_time) > i64::from(max_age_seconds) {
        return Err(OracleError::TooOld);
    }
    Ok(())
}

/// confidence / |price| ≤ max_ppm / 10⁶, as products.
fn check_confidence(reading: &Reading, max_ppm: u32) -> Result<(), OracleError> {
    let price = reading.price.unsigned_abs();
    if product_exceeds(reading.confidence, PPM, price, u64::from(max_ppm)) {
        return Err(OracleError::TooUncertain);
    }
    Ok(())
}

/// |new − last| ≤ last · max_ppm / 10⁶ · seconds since, one at least.
fn check_step(quote: &Quote, last: &Last, max_ppm: u32) -> Result<(), OracleError> {
    if last.price <= 0 {
        return Ok(());
    }
    let step = u128::from(quote.price.abs_diff(last.price));
    let seconds = quote.publish_time.abs_diff(last.publish_time).max(1);
    let per_second = u128::from(last.price.unsigned_abs()).saturating_mul(u128::from(max_ppm));
    if product_exceeds(step, PPM, per_second, seconds) {
        return Err(OracleError::TooFast);
    }
    Ok(())
}

fn signed(value: u128) -> Result<i128, OracleError> {
    i128::try_from(value).map_err(|_| OracleError::OutOfRange)
}

/// A part in 10⁶.
pub(crate) const PPM: u64 = 1_000_000;
