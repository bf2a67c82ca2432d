//! How an expiry comes to its settlement price, and what its instruments are marked at on the way there (margin.md section 5).
use anchor_lang::prelude::*;
use ballast_fixed::{Price, Ratio};
use ballast_risk::settlement_window::{SettlementAverage, WINDOW_SECONDS};

use super::{mark, Asset, Expiry, Instrument, InstrumentKind, PriceFeed, SettlementRecord};
use crate::error::{ensure, BallastError, OrError};

impl SettlementRecord {
    fn average(&self) -> SettlementAverage {
        SettlementAverage {
            sum: self.sum,
            print: self.print,
            price: self.price,
            bucket: self.bucket,
            filled: self.filled,
        }
    }
}

impl From<SettlementAverage> for SettlementRecord {
    fn from(average: SettlementAverage) -> Self {
        SettlementRecord {
            sum: average.sum,
            print: average.print,
            price: average.price,
            bucket: average.bucket,
            filled: average.filled,
            ..SettlementRecord::default()
        }
    }
}

impl Expiry {
    /// Whether its settlement window has begun at `now`.
    pub fn is_settling(&self, now: i64) -> bool {
        self.time != 0 && now >= self.time.saturating_sub(WINDOW_SECONDS)
    }

    /// The settlement average as it stands at `now`, whether or not anybody has told the board.
    pub fn average(&self, now: i64) -> SettlementAverage {
        self.settlement.average().at(self.time, now)
    }

    /// The settlement price, once it stands.
    pub fn settlement_price(&self, now: i64) -> Option<Price> {
        self.average(now).settled()
    }

    /// Whether at `now` only governance can give it a settlement price.
    pub fn is_overdue(&self, now: i64) -> bool {
        self.settlement.average().has_failed(self.time, now)
    }

    /// Takes in what the asset's price is since its last update, accepted at `now`.
    pub fn observe(&mut self, price: &PriceFeed, now: i64) {
        if self.is_settling(now) {
            let mut average = self.settlement.average();
            average.observe(self.time, price.index(), price.publish_time, now);
            self.settlement = average.into();
        }
    }

    /// Records the settlement price if it stands at `now`; returns whether it does only since then.
    pub fn fix(&mut self, now: i64) -> bool {
        let stood = self.settlement.price != 0;
        self.settlement = self.average(now).into();
        !stood && self.settlement.price != 0
    }

    /// As the risk engine takes it, with forwards on the asset's index and on its slow price.
    ///
    /// # Errors
    /// [`BallastError::SurfaceMissing`] before a surface was published, [`BallastError::PriceMissing`] before a price was.
    pub fn risk(&self, price: &PriceFeed, now: i64) -> Result<ballast_risk::Expiry> {
        ensure!(self.surface_time > 0, BallastError::SurfaceMissing);
        self.linear_risk(price, Ratio(self.basis), now)
    }

    /// The same where only linear instruments of this basis are held, for which no surface is needed.
    ///
    /// # Errors
    /// [`BallastError::PriceMissing`] before a price was published.
    #[inline(always)]
    pub fn linear_risk(&self, price: &PriceFeed, basis: Ratio, now: i64) -> Result<ballast_risk::Expiry> {
        let (mut forward, mut slow_forward) = (mark(price.index(), basis)?, mark(price.slow(), basis)?);
        let (mut fixed, mut moving) = (Ratio::ZERO, Ratio::ONE);
        if self.is_settling(now) {
            let average = self.average(now);
            fixed = average.fixed();
            moving = average.moving(forward).or_error()?;
            forward = average.forward(forward).or_error()?;
            slow_forward = average.forward(slow_forward).or_error()?;
        }
        Ok(ballast_risk::Expiry {
            forward,
            slow_forward,
            seconds: self.time.saturating_sub(now),
            fixed,
            moving,
            surface: self.surface.risk(),
            slow_surface: self.slow_surface.risk(),
        })
    }
}

impl Asset {
    /// Whether an expiry of the asset is in its settlement window or past it.
    pub fn settles(&self, now: i64) -> bool {
        now >= self.settles_from
    }

    /// Notes when the first settlement window begins; called after every change of the expiries.
    pub fn note_settlements(&mut self) {
        let times = self.expiries.iter().filter(|e| e.time != 0).map(|e| e.time);
        self.settles_from = times
            .min()
            .map_or(i64::MAX, |first| first.saturating_sub(WINDOW_SECONDS));
    }

    /// What a unit of an instrument of the asset is worth for good: the settlement price, or what an option pays; `None` until it stands.
    pub fn settled(&self, instrument: &Instrument, now: i64) -> Result<Option<Price>> {
        if !instrument.is_expired(now) {
            return Ok(None);
        }
        let settled = self.expiry(instrument)?.settlement_price(now);
        Ok(settled.map(|price| instrument.payoff(price)))
    }

    /// Mark of a linear instrument of the asset where its index is `price`: price · (1 + basis), in the settlement window averaged with what
    /// is fixed already, and the settlement price once it stands. Rounded down.
    pub fn linear_mark(&self, instrument: &Instrument, price: Price, now: i64) -> Result<Price> {
        if !instrument.is_settling(now) {
            return mark(price, self.basis(instrument)?);
        }
        let average = self.expiry(instrument)?.average(now);
        if let Some(price) = average.settled() {
            return Ok(price);
        }
        average.forward(mark(price, self.basis(instrument)?)?).or_error()
    }

    /// Takes a new price into the averages that are being taken; returns which of the expiries have a settlement price only since then.
    pub fn observe_settlements(&mut self, now: i64) -> impl Iterator<Item = &Expiry> {
        let price = self.price;
        self.expiries.iter_mut().filter_map(move |expiry| {
            if !expiry.is_settling(now) || expiry.settlement.price != 0 {
                return None;
            }
            expiry.observe(&price, now);
            (expiry.settlement.price != 0).then_some(&*expiry)
        })
    }
}

impl Instrument {
    /// What a unit pays at a settlement price.
    pub fn payoff(&self, price: Price) -> Price {
        const CALL: u8 = InstrumentKind::Call as u8;
        const PUT: u8 = InstrumentKind::Put as u8;
        match self.kind {
            CALL => Price(price.0.saturating_sub(self.strike).max(0)),
            PUT => Price(self.strike.saturating_sub(price.0).max(0)),
            _ => price,
        }
    }
}
