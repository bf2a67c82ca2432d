//! The terms of a trade's leg: what its price and size must be, and what each side gets and pays. A what-if asks for the same.
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Lots, Notional, Price, Quantity, QuoteAmount, Ratio};

use crate::error::{ensure, BallastError, OrError};
use crate::state::{ppm, Instrument, Limits};

/// What one side gets of a leg.
#[derive(Clone, Copy)]
pub struct Side {
    /// Lots bought (sold, when negative).
    pub lots: Lots,
    /// What is received for them (paid, when negative), rounded down.
    pub quote: QuoteAmount,
    /// The fee on top, rounded up; a rebate, rounded down, when negative.
    pub fee: QuoteAmount,
    /// The notional that it is a part of, rounded down.
    pub notional: Dollars,
}

impl Side {
    /// The side that gets `lots` at a price, for a fee of `rate`. Fails on overflow.
    pub fn new(instrument: &Instrument, lots: Lots, price: Price, rate: Ratio) -> Result<Side> {
        let notional = price.times(lots.quantity(instrument.lot_size()).or_error()?);
        let size = notional.magnitude().or_error()?;
        let fee = size.times_ceil(rate).or_error()?.quote_ceil();
        let quote = notional.negated().or_error()?.quote_floor().or_error()?;
        let notional = size.floor().or_error()?;
        Ok(Side {
            lots,
            quote,
            fee,
            notional,
        })
    }

    /// Loss against the mark plus fees, rounded up; negative where a gain against the mark is larger than the fees. Fails on overflow.
    pub fn cost(&self, instrument: &Instrument, mark: Price) -> Result<Dollars> {
        let quantity = self.lots.quantity(instrument.lot_size()).or_error()?;
        let paid = Notional::from_quote(self.quote).negated().or_error()?;
        let loss = paid.minus(mark.times(quantity)).or_error()?.ceil().or_error()?;
        self.fee.dollars().and_then(|fee| fee.plus(loss)).or_error()
    }

    /// What the position receives: the quote less the fee. Fails on overflow.
    pub fn received(&self) -> Result<QuoteAmount> {
        self.quote.minus(self.fee).or_error()
    }
}

/// Checks that a price is a positive multiple of the tick within the band around the mark. An option's band is that of a tenth of the index
/// at least: what is worth little moves by many times its worth.
pub fn check_price(limits: &Limits, instrument: &Instrument, price: Price, mark: Price, index: Price) -> Result<()> {
    let on_tick = price.0 > 0 && price.0.checked_rem(instrument.tick_size) == Some(0);
    ensure!(on_tick, BallastError::OffTick);
    let gap = Quantity(price.0.checked_sub(mark.0).ok_or(BallastError::MathOverflow)?);
    let least = if instrument.is_option() { index.0 / 10 } else { 0 };
    let band = Quantity(mark.0.max(least))
        .times_floor(ppm(limits.price_band_ppm))
        .or_error()?;
    ensure!(gap.magnitude().or_error()? <= band, BallastError::PriceOutsideBand);
    Ok(())
}

/// Checks that what opens a position has the exchange's minimum size.
pub fn check_size(limits: &Limits, instrument: &Instrument, lots: Lots, price: Price, index: Price) -> Result<()> {
    // An option's premium says nothing of its size.
    let size = if instrument.is_option() { index } else { price };
    let notional = size
        .times(lots.quantity(instrument.lot_size()).or_error()?)
        .magnitude()
        .or_error()?
        .quote_floor()
        .or_error()?;
    ensure!(
        notional.0.unsigned_abs() >= limits.minimum_trade.max(1),
        BallastError::TradeTooSmall
    );
    Ok(())
}
