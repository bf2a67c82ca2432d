//! The guards that a price passes before it reaches the board, in the order of the design.
use std::cmp::Ordering;

use anchor_lang::prelude::*;
use ballast_fixed::{Price, Ratio};
use ballast_risk::slow_price::{advance, SlowPriceParams};

use super::PriceUpdate;
use crate::error::{ensure, BallastError, OrError};
use crate::state::{ppm, PriceFeed};

/// A price source and its limits, as governance lists it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// Pyth feed id.
    pub feed_id: [u8; 32],
    /// Oldest price where risk is added, seconds: 1 to 3,600.
    pub max_age_seconds: u32,
    /// Widest confidence in 10⁻⁶ of the price: 1 to 100,000.
    pub max_confidence_ppm: u32,
    /// Time constant of the slow price, seconds: 16 to 86,400.
    pub slow_seconds: u32,
    /// Fastest that the slow price moves, 10⁻⁶ an hour: 1,000 to 10,000,000.
    pub slow_speed_ppm: u32,
}

impl FeedConfig {
    /// An empty feed with these limits.
    ///
    /// # Errors
    /// [`BallastError::InvalidParameter`] outside the hard bounds.
    pub fn bind(&self) -> Result<PriceFeed> {
        ensure!(
            self.feed_id != [0; 32]
                && (1..=3_600).contains(&self.max_age_seconds)
                && (1..=100_000).contains(&self.max_confidence_ppm)
                && (16..=86_400).contains(&self.slow_seconds)
                && (1_000..=10_000_000).contains(&self.slow_speed_ppm),
            BallastError::InvalidParameter
        );
        Ok(PriceFeed {
            feed_id: self.feed_id,
            max_age_seconds: self.max_age_seconds,
            max_confidence_ppm: self.max_confidence_ppm,
            slow_seconds: self.slow_seconds,
            slow_speed_ppm: self.slow_speed_ppm,
            ..PriceFeed::default()
        })
    }
}

/// What an update that passed the guards did to its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The feed has taken it over.
    New,
    /// It is the one on the board already.
    Known,
    /// The board holds a newer one.
    Older,
}

/// Puts an update on the board if it passes every guard and is newer than what the board holds.
///
/// # Errors
/// One named error a guard; the feed is left as it was.
pub fn accept(feed: &mut PriceFeed, update: &PriceUpdate, now: i64) -> Result<Accepted> {
    ensure!(update.feed_id == feed.feed_id, BallastError::PriceWrongFeed);
    ensure!(update.publish_time <= now, BallastError::PriceFromFuture);
    ensure!(
        update.publish_time > 0 && now.saturating_sub(update.publish_time) <= i64::from(feed.max_age_seconds),
        BallastError::StalePrice
    );
    ensure!(update.price > 0, BallastError::PriceNotPositive);
    ensure!((-18..=0).contains(&update.exponent), BallastError::PriceBadExponent);
    // conf / price ≤ ppm / 10⁶, as products of 64-bit values.
    let wide = u128::from(update.confidence).saturating_mul(1_000_000)
        > u128::from(update.price.unsigned_abs()).saturating_mul(u128::from(feed.max_confidence_ppm));
    ensure!(!wide, BallastError::PriceTooUncertain);
    match update.publish_time.cmp(&feed.publish_time) {
        Ordering::Less => return Ok(Accepted::Older),
        Ordering::Equal => return Ok(Accepted::Known),
        Ordering::Greater => {}
    }
    let index = rescale(update.price, update.exponent, Rounding::Down)?;
    ensure!(index > 0, BallastError::PriceNotPositive);
    let confidence = i64::try_from(update.confidence).map_err(|_| BallastError::PriceTooUncertain)?;
    let confidence = rescale(confidence, update.exponent, Rounding::Up)?;
    feed.slow = next_slow(feed, Price(index), update.publish_time)?.0;
    feed.index = index;
    feed.confidence = confidence;
    feed.publish_time = update.publish_time;
    feed.posted_slot = update.posted_slot;
    Ok(Accepted::New)
}

/// The slow price at `publish_time`: the index that stood until then has pulled it; the very first price is taken as it is.
fn next_slow(feed: &PriceFeed, new_index: Price, publish_time: i64) -> Result<Price> {
    if feed.index == 0 {
        return Ok(new_index);
    }
    let elapsed = publish_time.saturating_sub(feed.publish_time);
    let params = SlowPriceParams {
        seconds: feed.slow_seconds,
        speed_per_hour: ppm(feed.slow_speed_ppm),
    };
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
    advance(feed.slow(), feed.index(), elapsed, &params).or_error()
}

enum Rounding {
    Up,
    Down,
}

/// mantissa · 10^exponent in 10⁻⁹.
fn rescale(mantissa: i64, exponent: i32, rounding: Rounding) -> Result<i64> {
    const DECIMALS: i32 = 9;
    let shift = exponent.saturating_add(DECIMALS);
    let power = 10i64
        .checked_pow(shift.unsigned_abs())
        .ok_or(BallastError::PriceBadExponent)?;
    let scaled = if shift >= 0 {
        mantissa.checked_mul(power)
    } else {
        match rounding {
            Rounding::Down => ballast_fixed::mul_div_floor(mantissa, 1, power).ok(),
            Rounding::Up => ballast_fixed::mul_div_ceil(mantissa, 1, power).ok(),
        }
    };
    // A price past nine billion dollars a unit needs another unit.
    Ok(scaled.ok_or(BallastError::MathOverflow)?)
}

/// A quote price in 10⁻⁹ USD is its ratio to the dollar.
const _: () = assert!(Ratio::SCALE == 1_000_000_000);
