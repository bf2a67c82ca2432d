//! What accounts keep of a perpetual's funding, as the pure crate takes it.
use anchor_lang::prelude::*;
use ballast_fixed::{Notional, Price, Quantity, QuoteAmount};
use ballast_risk::funding::{self, pending, Funding, IndexSource, KeptIndex};
use ballast_risk::impact::ImpactMid;
use ballast_risk::index_history::{hour_of, place_of, IndexIntegral};

use super::{Asset, IndexHistory, Instrument, InstrumentKind, MarginAccount, Position, Premium, Wide};
use crate::error::{ensure, BallastError, OrError};

impl IndexHistory {
    /// Takes the index that has stood since the last time into account up to `now`. Fails on overflow.
    pub fn advance(&mut self, index: Price, now: i64) -> Result<()> {
        let hours = &mut self.hours;
        let next = integral(self.time, self.sum)
            .advanced(index, now, |hour, sum| {
                if let Some(place) = hours.get_mut(place_of(hour)) {
                    *place = sum.into();
                }
            })
            .or_error()?;
        (self.time, self.sum) = (next.time, next.sum.into());
        self.hour = hour_of(next.time);
        Ok(())
    }
}

fn integral(time: i64, sum: Wide) -> IndexIntegral {
    IndexIntegral { time, sum: sum.get() }
}

impl Asset {
    /// The index over time, as the pure crate takes it.
    pub fn index_source(&self) -> impl IndexSource + '_ {
        let history = &self.index_history;
        KeptIndex {
            integral: integral(history.time, history.sum),
            index: self.price.index(),
            kept: |hour| history.hours.get(place_of(hour)).map_or(0, |sum| sum.get()),
        }
    }
}

impl Premium {
    /// As the pure crate takes it.
    pub fn risk(&self) -> funding::Premium {
        funding::Premium {
            sum: self.sum.get(),
            observed_at: self.observed_at,
            observed_index_sum: self.observed_index_sum.get(),
            hour_sum: self.hour_sum.get(),
            mid: ImpactMid {
                price: self.mid,
                until: self.mid_until,
            },
            funding: Funding {
                index: self.funding_index,
                rate: self.funding_rate,
                hour: self.funding_hour,
            },
        }
    }

    /// Takes over what the pure crate made of it.
    pub fn set(&mut self, new: &funding::Premium) {
        *self = Premium {
            sum: new.sum.into(),
            observed_at: new.observed_at,
            observed_index_sum: new.observed_index_sum.into(),
            hour_sum: new.hour_sum.into(),
            marked_sum: self.marked_sum,
            marked_at: self.marked_at,
            mid: new.mid.price,
            mid_until: new.mid.until,
            funding_index: new.funding.index,
            funding_rate: new.funding.rate,
            funding_hour: new.funding.hour,
        };
    }
}

impl Instrument {
    /// Whether it is a perpetual.
    pub fn is_perpetual(&self) -> bool {
        self.kind == InstrumentKind::Perpetual as u8
    }

    /// The last time at `now` for which funding is paid: a delisting ends it.
    pub fn funded_until(&self, now: i64) -> i64 {
        if self.ends_at == 0 {
            return now;
        }
        now.min(self.ends_at)
    }

    /// What a unit held long has paid up to `now`, 10⁻⁹ USD: up to the end of the last hour that the board knows. 0 for what is no perpetual.
    pub fn funding_at(&self, now: i64) -> Result<i64> {
        let funding = Funding {
            index: self.funding_index,
            rate: self.funding_rate,
            hour: self.funding_hour,
        };
        funding.at(self.funded_until(now)).or_error()
    }

    /// Refuses a fill while what a perpetual pays over the current hour is not on the board: nobody trades against a payment that is known.
    ///
    /// # Errors
    /// [`BallastError::FundingDue`].
    pub fn check_funding(&self, now: i64) -> Result<()> {
        let current = !self.is_perpetual() || self.funding_hour >= hour_of(self.funded_until(now));
        ensure!(current, BallastError::FundingDue);
        Ok(())
    }

    /// The quote of a position of this size with its pending funding. Exact.
    pub fn funded_quote(&self, position: &Position, quantity: Quantity, now: i64) -> Result<Notional> {
        let quote = Notional::from_quote(QuoteAmount(position.quote));
        quote.plus(self.pending_funding(position, quantity, now)?).or_error()
    }

    /// The pending funding alone; nothing for what is no perpetual. Exact.
    #[inline(always)]
    pub fn pending_funding(&self, position: &Position, quantity: Quantity, now: i64) -> Result<Notional> {
        if !self.is_perpetual() {
            return Ok(Notional::ZERO);
        }
        pending(self.funding_at(now)?, position.funding_index, quantity).or_error()
    }
}

impl MarginAccount {
    /// Credits the funding that the position in an instrument has pending, where there is one; see [`Position::realise_funding`].
    pub fn realise_funding(&mut self, index: u16, instrument: &Instrument, now: i64) -> Result<u64> {
        let position = self.find(index).and_then(|at| self.positions.get_mut(at));
        position.map_or(Ok(0), |position| position.realise_funding(instrument, now))
    }
}

impl Position {
    /// Credits the funding pending at `now` to the quote, rounded down; returns what the rounding left, 10⁻¹⁸ USD, less than a quote unit.
    pub fn realise_funding(&mut self, instrument: &Instrument, now: i64) -> Result<u64> {
        if !instrument.is_perpetual() {
            return Ok(0);
        }
        let quantity = self.lots().quantity(instrument.lot_size()).or_error()?;
        let whole = instrument.funded_quote(self, quantity, now)?;
        let quote = whole.quote_floor().or_error()?;
        let left = whole.minus(Notional::from_quote(quote)).or_error()?;
        self.quote = quote.0;
        self.funding_index = instrument.funding_at(now)?;
        u64::try_from(left.0).map_err(|_| crate::error::fail(BallastError::MathOverflow))
    }
}
