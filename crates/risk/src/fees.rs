//! Trading fees: tiers by what an account has traded in thirty days, and who gets what is paid.
use ballast_fixed::{Checked, Dollars, Overflow, QuoteAmount, Ratio};

use crate::RiskError;

/// Tiers over the base.
pub const MAX_TIERS: usize = 4;
/// Days of volume that count, the current one included.
pub const VOLUME_DAYS: usize = 30;
/// Highest fee and highest rebate, 10⁻⁶ of the notional.
pub const MAX_FEE_PPM: u32 = 10_000;

const MILLION: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;
/// Units of [`Dollars`] in a whole one.
const DOLLAR: i64 = 100_000_000;

/// What accounts from some volume on pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTier {
    /// Least volume of thirty days, whole dollars.
    pub min_volume: u64,
    /// What the taker pays, 10⁻⁶ of the notional.
    pub taker_ppm: u32,
    /// What the maker pays, 10⁻⁶ of the notional; a rebate when negative.
    pub maker_ppm: i32,
}

/// All fees of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTerms {
    /// What everybody pays at most; its volume is 0.
    pub base: FeeTier,
    /// Further tiers, the used ones first; the default where unused.
    pub tiers: [FeeTier; MAX_TIERS],
    /// The insurance fund's part of what both sides pay together, 10⁻⁶.
    pub insurance_share_ppm: u32,
    /// The referrer's part of what the taker pays, 10⁻⁶.
    pub referrer_share_ppm: u32,
}

/// What an account pays of a notional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRates {
    /// When it takes.
    pub taker: Ratio,
    /// When it makes; a rebate when negative.
    pub maker: Ratio,
}

/// Who gets what both sides of a fill pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeSplit {
    /// The insurance fund's part.
    pub insurance: QuoteAmount,
    /// The exchange's part, which the referrer is paid out of.
    pub exchange: QuoteAmount,
    /// What the taker's referrer may have of the exchange's part.
    pub referral: QuoteAmount,
}

impl FeeTerms {
    /// Checks the terms as a whole: tiers ascend in volume and fees don't rise with them, and whichever tiers meet, what the taker pays covers
    /// the maker's rebate, the insurance fund's part of the rest and the referrer's share. So nobody who trades with himself, through as many
    /// wallets as he likes, is ever paid for it.
    ///
    /// # Errors
    /// [`RiskError::InvalidParameter`].
    pub fn validate(&self) -> Result<(), RiskError> {
        let mut last = self.base;
        let mut ended = false;
        let mut sound = last.min_volume == 0;
        for tier in &self.tiers {
            if *tier == FeeTier::default() {
                ended = true;
                continue;
            }
            let ascends = tier.min_volume > last.min_volume;
            let cheaper = tier.taker_ppm <= last.taker_ppm && tier.maker_ppm <= last.maker_ppm;
            sound = sound && !ended && ascends && cheaper;
            last = *tier;
        }
        let bounded = [
            self.base.taker_ppm,
            self.base.maker_ppm.unsigned_abs(),
            last.maker_ppm.unsigned_abs(),
        ]
        .iter()
        .all(|ppm| *ppm <= MAX_FEE_PPM);
        let shares = i64::from(self.insurance_share_ppm) <= MILLION && i64::from(self.referrer_share_ppm) <= MILLION;
        // What is left over is linear in the taker's fee: if it is enough at both ends, it is in between.
        let covered =
            || self.covers(self.base.taker_ppm, last.maker_ppm) && self.covers(last.taker_ppm, last.maker_ppm);
        if sound && bounded && shares && covered() {
            Ok(())
        } else {
            Err(RiskError::InvalidParameter)
        }
    }

    /// (1 − insurance share) · (taker + maker) ≥ referrer share · taker.
    fn covers(&self, taker_ppm: u32, maker_ppm: i32) -> bool {
        // All factors are bounded by 2·10⁶: nothing wraps.
        let taker = i64::from(taker_ppm);
        let paid = taker.wrapping_add(maker_ppm.into());
        let kept = MILLION.wrapping_sub(self.insurance_share_ppm.into());
        paid >= 0 && kept.wrapping_mul(paid) >= i64::from(self.referrer_share_ppm).wrapping_mul(taker)
    }

    /// The rates of the highest tier that a volume of thirty days, whole dollars, reaches.
    pub fn rates(&self, volume: u64) -> FeeRates {
        let used = self.tiers.iter().take_while(|tier| tier.min_volume != 0);
        let tier = used.take_while(|tier| tier.min_volume <= volume).last();
        let tier = tier.unwrap_or(&self.base);
        FeeRates {
            taker: Ratio::from_ppm(i32::try_from(tier.taker_ppm).unwrap_or(i32::MAX)),
            maker: Ratio::from_ppm(tier.maker_ppm),
        }
    }

    /// Splits what the taker and the maker pay (the maker is paid, when negative). The shares round down, and the referrer's is never more than the
    /// exchange's part.
    ///
    /// # Errors
    /// [`Overflow`], also when more is paid out than in, which no terms that are valid allow.
    pub fn split(&self, taker: QuoteAmount, maker: QuoteAmount) -> Checked<FeeSplit> {
        let paid = taker.plus(maker)?;
        if paid.0 < 0 {
            return Err(Overflow);
        }
        let share = |ppm: u32| Ratio(i64::from(ppm).wrapping_mul(1_000)); // 2³² · 1,000 fits
        let insurance = paid.times_floor(share(self.insurance_share_ppm))?;
        let exchange = paid.minus(insurance)?;
        let referral = taker.times_floor(share(self.referrer_share_ppm))?.min(exchange);
        Ok(FeeSplit {
            insurance,
            exchange,
            referral,
        })
    }
}

/// What was traded in the last thirty days, by day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradedVolume {
    /// The last day traded, days since 1970.
    pub day: i64,
    /// Σ of `daily`, whole dollars.
    pub total: u64,
    /// Whole dollars of each day, at its number modulo thirty.
    pub daily: [u32; VOLUME_DAYS],
}

impl TradedVolume {
    /// The volume of the thirty days that end with the one of `now`, unix seconds; whole dollars.
    pub fn at(&self, now: i64) -> u64 {
        let mut past = *self;
        past.move_to(day(now));
        past.total
    }

    /// Counts a notional, rounded down to whole dollars. A day holds 2³² − 1 of them: what is over counts nothing.
    pub fn count(&mut self, notional: Dollars, now: i64) {
        self.move_to(day(now));
        let dollars = u32::try_from(notional.0.max(0) / DOLLAR).unwrap_or(u32::MAX);
        if let Some(slot) = self.daily.get_mut(slot(self.day)) {
            let before = *slot;
            *slot = before.saturating_add(dollars);
            self.total = self.total.saturating_add(u64::from(slot.saturating_sub(before)));
        }
    }

    /// Lets the days that are over thirty days old by `today` drop out. A day in the past changes nothing.
    fn move_to(&mut self, today: i64) {
        let gap = today.saturating_sub(self.day);
        if gap <= 0 {
            return;
        }
        if gap >= VOLUME_DAYS as i64 {
            (self.daily, self.total) = ([0; VOLUME_DAYS], 0);
        } else {
            for day in self.day.saturating_add(1)..=today {
                if let Some(slot) = self.daily.get_mut(slot(day)) {
                    self.total = self.total.saturating_sub(u64::from(*slot));
                    *slot = 0;
                }
            }
        }
        self.day = today;
    }
}

/// Days since 1970.
fn day(now: i64) -> i64 {
    now.div_euclid(SECONDS_A_DAY)
}

fn slot(day: i64) -> usize {
    day.rem_euclid(VOLUME_DAYS as i64) as usize
}

#[cfg(test)]
mod tests;
