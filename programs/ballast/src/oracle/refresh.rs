//! From price accounts to the board: each update through the guards of its source, then the index of what is valid.
use std::result::Result;

use anchor_lang::prelude::{AccountInfo, Clock};
use ballast_fixed::{mul_div_ceil, Ratio};
use ballast_oracle::stake_pool::{self, CappedRate};
use ballast_oracle::{
    check, combine, off_slow, Checked, Identity, Index, IndexPolicy, Last, Limits, SourceKind, Valid,
};
use ballast_risk::slow_price::{advance, SlowPriceParams};

use super::PriceSourceKind;
use crate::error::BallastError;
use crate::state::{ppm, PriceFeed, PriceSource, PriceSources};

/// What an update that passed the guards did to its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The source has taken it over.
    New,
    /// It is the one that the source has, or the source has taken another one in this slot.
    Known,
    /// The source has a newer one.
    Older,
}

/// Takes an account's update into the source of `asset` that it is of.
///
/// A source takes one update a slot: who could post two would choose the price twice in one transaction.
///
/// # Errors
/// [`BallastError::PriceWrongOwner`] and [`BallastError::PriceWrongFeed`] for an account that is no source of the asset, and one named error
/// a guard; nothing is changed then.
#[inline(never)]
pub fn take(sources: &mut PriceSources, account: &AccountInfo, clock: &Clock) -> Result<Accepted, BallastError> {
    let (owner, key) = (account.owner.to_bytes(), account.key.to_bytes());
    let data = account.try_borrow_data().map_err(|_| BallastError::PriceWrongLayout)?;
    if sources.is_staked() {
        let [pool, ..] = &mut sources.sources;
        return take_rate(pool, &owner, &key, &data, clock);
    }
    let kinds = sources
        .sources
        .iter()
        .filter_map(|source| SourceKind::from_u8(source.kind));
    let kind = kinds
        .into_iter()
        .find(|kind| kind.is_owner(&owner))
        .ok_or(BallastError::PriceWrongOwner)?;
    let reading = kind.read(&owner, &key, &data)?;
    let bound = |source: &&mut PriceSource| source.kind == kind as u8 && source.id == reading.id;
    let source = sources
        .sources
        .iter_mut()
        .find(bound)
        .ok_or(BallastError::PriceWrongFeed)?;
    let identity = Identity {
        id: &source.id,
        queue: &source.queue,
        hash: &source.hash,
    };
    let (last, limits) = (source.last(), source.limits());
    let quote = match check(&reading, &identity, &limits, &last, clock.unix_timestamp, clock.slot)? {
        Checked::Older => return Ok(Accepted::Older),
        Checked::Known(_) => return Ok(Accepted::Known),
        Checked::New(_) if source.slot == clock.slot => return Ok(Accepted::Known),
        Checked::New(quote) => quote,
    };
    source.price = quote.price;
    source.confidence = quote.confidence;
    source.publish_time = quote.publish_time;
    source.answer_slot = quote.first_slot;
    source.slot = clock.slot;
    Ok(Accepted::New)
}

/// The same for the rate of a stake pool, which rises only so fast.
fn take_rate(
    source: &mut PriceSource,
    owner: &[u8; 32],
    key: &[u8; 32],
    data: &[u8],
    clock: &Clock,
) -> Result<Accepted, BallastError> {
    if source.id != *key {
        return Err(BallastError::PriceWrongFeed);
    }
    let rate = stake_pool::read(owner, data)?.rate(clock.epoch)?;
    if source.slot == clock.slot {
        return Ok(Accepted::Known);
    }
    let now = clock.unix_timestamp;
    let last = CappedRate {
        rate: source.price,
        time: source.rate_time,
    };
    let capped = stake_pool::capped_rate(last, rate.rate, now, source.max_step_ppm);
    (source.price, source.rate_time) = (capped.rate, capped.time);
    source.publish_time = now;
    (source.answer_slot, source.slot) = (clock.slot, clock.slot);
    Ok(Accepted::New)
}

impl PriceSources {
    /// Whether the price is that of a stake pool's token.
    pub fn is_staked(&self) -> bool {
        self.sources[0].kind == PriceSourceKind::StakePool as u8
    }
}

impl PriceSource {
    fn last(&self) -> Last {
        Last {
            price: self.price,
            publish_time: self.publish_time,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            max_age_seconds: self.max_age_seconds,
            max_age_slots: self.max_age_slots,
            max_confidence_ppm: self.max_confidence_ppm,
            max_step_ppm: self.max_step_ppm,
        }
    }

    /// What it last said, while that is valid.
    fn valid(&self, clock: &Clock) -> Option<Valid> {
        let age = clock.unix_timestamp.saturating_sub(self.publish_time);
        let slots = clock.slot.saturating_sub(self.answer_slot);
        let valid = self.price > 0 && age <= i64::from(self.max_age_seconds) && slots <= u64::from(self.max_age_slots);
        valid.then_some(Valid {
            price: self.price,
            confidence: self.confidence,
            publish_time: self.publish_time,
            weight: self.weight,
        })
    }
}

/// The index of the asset's sources as they stand; `None` while it would be older than the board's.
///
/// # Errors
/// [`BallastError::TooFewSources`], [`BallastError::StalePrice`] of a staked token's base, and [`BallastError::PriceOffSlow`].
#[inline(never)]
pub fn index(
    feed: &PriceFeed,
    sources: &PriceSources,
    base: Option<&PriceFeed>,
    clock: &Clock,
) -> Result<Option<Index>, BallastError> {
    let index = match base {
        Some(base) => staked(&sources.sources[0], base, clock)?,
        None => {
            let valid = sources.sources.each_ref().map(|source| source.valid(clock));
            let policy = IndexPolicy {
                primary_alone: feed.primary_alone != 0,
                max_deviation_ppm: feed.max_deviation_ppm,
            };
            combine(&valid, &policy)?
        }
    };
    if index.publish_time < feed.publish_time {
        return Ok(None);
    }
    let elapsed = index.publish_time.saturating_sub(feed.publish_time);
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
    if base.is_none() && off_slow(&index, feed.slow, elapsed, feed.max_slow_deviation_ppm) {
        return Err(BallastError::PriceOffSlow);
    }
    Ok(Some(index))
}

/// The base asset's index times the pool's rate.
fn staked(source: &PriceSource, base: &PriceFeed, clock: &Clock) -> Result<Index, BallastError> {
    if source.valid(clock).is_none() || !base.is_fresh(clock.unix_timestamp) {
        return Err(BallastError::StalePrice);
    }
    let (price, confidence) = stake_pool::price(base.index, base.confidence, source.price)?;
    Ok(Index {
        price,
        confidence,
        publish_time: base.publish_time,
        outliers: 0,
        apart: false,
        sources: 1,
    })
}

impl PriceFeed {
    /// Takes over a newer index at `slot`.
    pub fn accept(&mut self, index: &Index, slot: u64) -> Result<(), BallastError> {
        self.slow = self.next_slow(index)?;
        self.index = index.price;
        self.confidence = index.confidence;
        self.publish_time = index.publish_time;
        self.slot = slot;
        self.width = mul_div_ceil(index.confidence, Ratio::SCALE, index.price)?.min(Ratio::SCALE);
        Ok(())
    }

    /// The slow price when the index is published: the index that stood until then has pulled it; the very first one is taken as it is.
    fn next_slow(&self, index: &Index) -> Result<i64, BallastError> {
        if self.index == 0 {
            return Ok(index.price);
        }
        let elapsed = index.publish_time.saturating_sub(self.publish_time);
        let params = SlowPriceParams {
            seconds: self.slow_seconds,
            speed_per_hour: ppm(self.slow_speed_ppm),
        };
        let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
        Ok(advance(self.slow(), self.index(), elapsed, &params)?.0)
    }
}
