//! Moving lots between margin accounts: position, open interest and market totals change together or not at all.
use anchor_lang::prelude::*;
use ballast_fixed::{Lots, Notional, Price, Quantity, QuoteAmount};

use crate::error::{ensure, BallastError, OrError};
use crate::state::{Asset, Instrument, MarginAccount, Market, OwnerRecord, Position, RiskBoard};

/// What a fill adds to a position, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Lots bought (sold, when negative).
    pub lots: Lots,
    /// What is received for them (paid, when negative).
    pub quote: QuoteAmount,
    /// Unix seconds.
    pub now: i64,
}

/// What a fill did to one account's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Where the position is.
    pub at: usize,
    /// Lots before.
    pub before: Lots,
    /// Lots after.
    pub after: Lots,
    /// What rounding the pending funding left, 10⁻¹⁸ USD; the market's.
    pub dust: u64,
}

impl Fill {
    /// Whether it only reduced |lots|.
    pub fn reduces(&self) -> bool {
        let same_side = (self.after.0 >= 0) == (self.before.0 >= 0) || self.after.0 == 0;
        self.before.0 != 0 && same_side && self.after.0.unsigned_abs() < self.before.0.unsigned_abs()
    }
}

/// Changes the account's position in the instrument at `index`: the account's part of [`fill`]. Funding that was pending is credited first.
pub fn fill_position(account: &mut MarginAccount, index: u16, instrument: &Instrument, change: Change) -> Result<Fill> {
    let at = account.open_position(index, instrument)?;
    let position = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
    let dust = position.realise_funding(instrument, change.now)?;
    let before = position.lots();
    position.fill(change.lots, change.quote).or_error()?;
    let after = position.lots();
    Ok(Fill {
        at,
        before,
        after,
        dust,
    })
}

/// Changes the account's position in the market's instrument.
///
/// The slot of the position is kept, empty or not, until [`release`].
pub fn fill(
    account: &mut MarginAccount,
    owner: &mut OwnerRecord,
    market: &mut Market,
    instrument: &Instrument,
    change: Change,
) -> Result<Fill> {
    let is_new = account.position(market.instrument).is_none();
    let fill = fill_position(account, market.instrument, instrument, change)?;
    market.keep_dust(fill.dust)?;
    let (before, after) = (fill.before, fill.after);
    count_positions(market, !is_new, true)?;
    count_open_interest(market, &fill)?;
    let size = |lots: Lots| lots.quantity(instrument.lot_size()).map(|q| q.0.unsigned_abs());
    owner.change_open_interest(instrument.asset, size(before).or_error()?, size(after).or_error()?)?;
    Ok(fill)
}

/// Counts in the market that an account has a position there, or has it no more.
pub fn count_positions(market: &mut Market, before: bool, after: bool) -> Result<()> {
    let positions = market.positions.checked_sub(u64::from(before));
    let positions = positions.and_then(|rest| rest.checked_add(u64::from(after)));
    market.positions = positions.ok_or(BallastError::MathOverflow)?;
    Ok(())
}

/// Counts in the market's open interest what a fill has done to one account's position.
pub fn count_open_interest(market: &mut Market, fill: &Fill) -> Result<()> {
    let long = |lots: Lots| lots.0.max(0);
    market.open_interest = market
        .open_interest
        .checked_sub(long(fill.before))
        .and_then(|rest| rest.checked_add(long(fill.after)))
        .ok_or(BallastError::MathOverflow)?;
    Ok(())
}

/// Frees the position's slot if nothing is left in it.
pub fn release(account: &mut MarginAccount, market: &mut Market, at: usize) -> Result<()> {
    match account.drop_if_empty(at)? {
        true => count_positions(market, true, false),
        false => Ok(()),
    }
}

/// Refuses open interest over the instrument's cap. Asked only when an instruction has raised it: a price that rises must stop no exit.
pub fn check_market_open_interest(board: &RiskBoard, instrument: &Instrument, market: &Market) -> Result<()> {
    let asset: &Asset = board.asset(instrument.asset)?;
    let quantity = Lots(market.open_interest).quantity(instrument.lot_size()).or_error()?;
    let notional = asset.price.index().times(quantity).ceil().or_error()?;
    ensure!(
        notional.0 <= asset.instrument_open_interest_cap,
        BallastError::OpenInterestCapExceeded
    );
    Ok(())
}

/// Refuses open interest over the owner's cap. Asked only of who added to a position.
pub fn check_owner_open_interest(board: &RiskBoard, instrument: &Instrument, owner: &OwnerRecord) -> Result<()> {
    let asset: &Asset = board.asset(instrument.asset)?;
    let held = owner
        .open_interest
        .get(usize::from(instrument.asset))
        .ok_or(BallastError::AssetNotListed)?;
    let held = Quantity(i64::try_from(*held).map_err(|_| BallastError::MathOverflow)?);
    let notional = asset.price.index().times(held).ceil().or_error()?;
    ensure!(
        notional.0 <= asset.owner_open_interest_cap,
        BallastError::OwnerOpenInterestCapExceeded
    );
    Ok(())
}

/// quote + lots · mark of a position, without pending funding. Exact.
pub fn position_value(position: &Position, instrument: &Instrument, mark: Price) -> Result<Notional> {
    let quantity = position.lots().quantity(instrument.lot_size()).or_error()?;
    Notional::from_quote(QuoteAmount(position.quote))
        .plus(mark.times(quantity))
        .or_error()
}
