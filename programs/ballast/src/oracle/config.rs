//! Where a price comes from, as governance binds it.
use anchor_lang::prelude::*;
use ballast_oracle::SourceKind;

use crate::error::{ensure, BallastError};
use crate::state::{PriceFeed, PriceSource, PriceSources, MAX_SOURCES, QUOTE_ASSET};

/// What a source is.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[borsh(use_discriminant = false)]
#[repr(u8)]
pub enum PriceSourceKind {
    /// `PriceUpdateV2` of Pyth's receivers.
    PythPull = 1,
    /// `PullFeedAccountData` of Switchboard On-Demand.
    SwitchboardOnDemand = 2,
    /// Pyth's price accounts of before, on other chains.
    PythPush = 3,
    /// Switchboard's aggregators of before, on other chains.
    SwitchboardV2 = 4,
    /// A stake pool, whose token is worth so many of the base asset.
    StakePool = 5,
}
const _: () = assert!(
    PriceSourceKind::PythPull as u8 == SourceKind::PythPull as u8
        && PriceSourceKind::SwitchboardOnDemand as u8 == SourceKind::SwitchboardOnDemand as u8
        && PriceSourceKind::PythPush as u8 == SourceKind::PythPush as u8
        && PriceSourceKind::SwitchboardV2 as u8 == SourceKind::SwitchboardV2 as u8
);

/// One source and what is asked of it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// What it is.
    pub kind: PriceSourceKind,
    /// Stake pool: index of the asset that its tokens are a claim on; else 0.
    pub base: u8,
    /// Weight in the median, 1 to 1,000. No source weighs more than the others together.
    pub weight: u16,
    /// Feed id of a Pyth pull update, else the account's key.
    pub id: [u8; 32],
    /// Switchboard: the oracle queue; else zeros.
    pub queue: [u8; 32],
    /// Switchboard: hash of the feed's jobs; else zeros.
    pub hash: [u8; 32],
    /// Oldest update that is taken, seconds: 1 to 3,600.
    pub max_age_seconds: u32,
    /// The same in slots: 1 to 36,000.
    pub max_age_slots: u32,
    /// Widest confidence that is taken, in 10⁻⁶ of the price: 1 to 100,000.
    pub max_confidence_ppm: u32,
    /// Farthest that it moves in a second, in 10⁻⁶ of the price: 1 to 10,000,000. Of a stake pool's rate the farthest that it rises in a day:
    /// 1 to 10,000.
    pub max_step_ppm: u32,
}

/// What is asked of an index.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLimits {
    /// Oldest index where risk is added, seconds: 1 to 3,600.
    pub max_age_seconds: u32,
    /// Width (confidence over index) up to which it is tight, 10⁻⁶: 1 to 100,000.
    pub tight_ppm: u32,
    /// Time constant of the slow price, seconds: 16 to 86,400.
    pub slow_seconds: u32,
    /// Fastest that the slow price moves, 10⁻⁶ an hour: 1,000 to 10,000,000.
    pub slow_speed_ppm: u32,
    /// Farthest that sources lie from their median without being left out, 10⁻⁶ of it: 1 to 100,000.
    pub max_deviation_ppm: u32,
    /// Farthest that an index of one source lies from the slow price, 10⁻⁶ of it: 1,000 to 10,000,000.
    pub max_slow_deviation_ppm: u32,
    /// Whether the primary may give the index alone.
    pub primary_alone: bool,
}

/// The sources of a price, the primary first, and what is asked of the index.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// One to three.
    pub sources: Vec<SourceConfig>,
    /// What is asked of the index.
    pub limits: PriceLimits,
}

impl SourceConfig {
    fn validate(&self) -> Result<()> {
        let switchboard = matches!(
            self.kind,
            PriceSourceKind::SwitchboardOnDemand | PriceSourceKind::SwitchboardV2
        );
        let staked = self.kind == PriceSourceKind::StakePool;
        let fastest = if staked { 10_000 } else { 10_000_000 };
        ensure!(
            self.id != [0; 32]
                && switchboard == (self.queue != [0; 32])
                && switchboard == (self.hash != [0; 32])
                && (staked || self.base == 0)
                && (1..=1_000).contains(&self.weight)
                && (1..=3_600).contains(&self.max_age_seconds)
                && (1..=36_000).contains(&self.max_age_slots)
                && (1..=100_000).contains(&self.max_confidence_ppm)
                && (1..=fastest).contains(&self.max_step_ppm),
            BallastError::InvalidParameter
        );
        Ok(())
    }

    fn bind(&self) -> PriceSource {
        PriceSource {
            kind: self.kind as u8,
            base: self.base,
            weight: self.weight,
            max_age_seconds: self.max_age_seconds,
            max_age_slots: self.max_age_slots,
            max_confidence_ppm: self.max_confidence_ppm,
            max_step_ppm: self.max_step_ppm,
            id: self.id,
            queue: self.queue,
            hash: self.hash,
            ..PriceSource::default()
        }
    }

    fn is_same(&self, bound: &PriceSource) -> bool {
        let same = self.kind as u8 == bound.kind && self.id == bound.id;
        same && self.queue == bound.queue && self.hash == bound.hash && self.base == bound.base
    }
}

impl FeedConfig {
    /// Checks every bound; `asset` is the index that the price is of, below which a stake pool's base asset has to be listed.
    ///
    /// # Errors
    /// [`BallastError::InvalidParameter`].
    pub fn validate(&self, asset: u8) -> Result<()> {
        let limits = &self.limits;
        ensure!(
            (1..=MAX_SOURCES).contains(&self.sources.len())
                && (1..=3_600).contains(&limits.max_age_seconds)
                && (1..=100_000).contains(&limits.tight_ppm)
                && (16..=86_400).contains(&limits.slow_seconds)
                && (1_000..=10_000_000).contains(&limits.slow_speed_ppm)
                && (1..=100_000).contains(&limits.max_deviation_ppm)
                && (1_000..=10_000_000).contains(&limits.max_slow_deviation_ppm)
                && (self.sources.len() > 1 || limits.primary_alone),
            BallastError::InvalidParameter
        );
        let total: u32 = self.sources.iter().map(|source| u32::from(source.weight)).sum();
        for (at, source) in self.sources.iter().enumerate() {
            source.validate()?;
            let twice = u32::from(source.weight).saturating_mul(2);
            let repeated = self.sources.iter().take(at).any(|other| other.id == source.id);
            let staked = source.kind == PriceSourceKind::StakePool;
            // Two claims on one base agree whatever it does: they corroborate nothing.
            let alone = self.sources.len() == 1;
            ensure!(
                (alone || twice <= total)
                    && !repeated
                    && (!staked || (alone && source.base < asset && asset != QUOTE_ASSET)),
                BallastError::InvalidParameter
            );
        }
        Ok(())
    }

    /// Whether one of its sources is bound already, among these.
    pub fn shares_a_source(&self, bound: &PriceSources) -> bool {
        let ids = bound
            .sources
            .iter()
            .filter(|source| source.kind != 0)
            .map(|source| source.id);
        ids.into_iter()
            .any(|id| self.sources.iter().any(|source| source.id == id))
    }

    /// The primary's id; zeros where no source is named.
    pub fn primary(&self) -> [u8; 32] {
        self.sources.first().map_or([0; 32], |source| source.id)
    }

    /// Writes the limits and the sources. A source that was bound before keeps what it last said, and the index stands until the next refresh.
    pub fn bind(&self, feed: &mut PriceFeed, sources: &mut PriceSources) {
        let limits = &self.limits;
        *feed = PriceFeed {
            max_age_seconds: limits.max_age_seconds,
            tight_ppm: limits.tight_ppm,
            slow_seconds: limits.slow_seconds,
            slow_speed_ppm: limits.slow_speed_ppm,
            max_deviation_ppm: limits.max_deviation_ppm,
            max_slow_deviation_ppm: limits.max_slow_deviation_ppm,
            primary_alone: u8::from(limits.primary_alone),
            ..*feed
        };
        let before = sources.sources;
        sources.sources = Default::default();
        for (slot, config) in sources.sources.iter_mut().zip(&self.sources) {
            *slot = config.bind();
            if let Some(known) = before.iter().find(|bound| config.is_same(bound)) {
                slot.price = known.price;
                slot.confidence = known.confidence;
                slot.publish_time = known.publish_time;
                slot.answer_slot = known.answer_slot;
                slot.slot = known.slot;
                slot.rate_time = known.rate_time;
            }
        }
    }
}
