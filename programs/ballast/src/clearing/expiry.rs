//! Closing a position at what its instrument pays for good.
use anchor_lang::prelude::*;
use ballast_fixed::{Lots, Price, QuoteAmount};

use crate::error::{ensure, BallastError, OrError};
use crate::state::{Instrument, MarginAccount, Market, OwnerRecord};

/// What a position gave up and received for it.
pub struct Closed {
    /// Its lots.
    pub lots: Lots,
    /// What it received (paid, when negative), rounded down.
    pub value: QuoteAmount,
}

/// Turns the lots of the position at `at` into quote, at `price` a unit. Its slot is kept, and so is what is left in it; funding that was
/// pending has been credited.
pub fn close_expired(
    account: &mut MarginAccount,
    at: usize,
    owner: &mut OwnerRecord,
    market: &mut Market,
    instrument: &Instrument,
    price: Price,
) -> Result<Closed> {
    let position = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
    ensure!(
        position.generation == instrument.generation,
        BallastError::StaleGeneration
    );
    let lots = position.lots();
    let quantity = lots.quantity(instrument.lot_size()).or_error()?;
    let value = price.times(quantity).quote_floor().or_error()?;
    market.settle_lots(lots, instrument.lot_size(), price, value)?;
    owner.change_open_interest(instrument.asset, quantity.0.unsigned_abs(), 0)?;
    position.quote = QuoteAmount(position.quote).plus(value).or_error()?.0;
    (position.lots, position.entry_quote) = (0, 0);
    Ok(Closed { lots, value })
}
