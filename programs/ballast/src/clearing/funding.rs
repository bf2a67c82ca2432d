//! Perpetuals: what their books show over the index, and the funding that positions have pending.
use anchor_lang::prelude::*;
use ballast_book::{BookRef, Side};
use ballast_fixed::{Dollars, Notional, Price, Ratio};
use ballast_risk::funding::{self, mid_bound, next_basis, MARK_INTERVAL};
use ballast_risk::impact::{impact, impact_lots, impact_mid, ImpactMid, Quote};
use ballast_risk::index_history::hour_of;

use crate::error::{BallastError, OrError};
use crate::state::{ppm, Asset, Instrument, MarginAccount, Market, Position, Premium, RiskBoard};

/// Takes what a perpetual's book has shown up to `now` into account and remembers what it shows from here on. To be called after each change
/// of the book; nothing for other instruments.
///
/// The mid is measured when the book changes and at no other time, so that it does not matter when anybody looks.
pub fn observe_book(board: &RiskBoard, market: &mut Market, book: BookRef, now: i64) -> Result<()> {
    let instrument = board.instrument(market.instrument)?;
    if !instrument.is_perpetual() {
        return Ok(());
    }
    observe(board, instrument, market, now, i64::MAX)?;
    let asset = board.asset(instrument.asset)?;
    let mid = measure(asset, instrument, market, book, now)?;
    (market.premium.mid, market.premium.mid_until) = (mid.price, mid.until);
    Ok(())
}

/// Takes what a perpetual's book has shown up to `now` into account, and closes the hours that are over, `hours` of them at most; returns
/// whether that was all.
pub fn observe(board: &RiskBoard, instrument: &Instrument, market: &mut Market, now: i64, hours: i64) -> Result<bool> {
    let now = instrument.funded_until(now);
    if now <= market.premium.observed_at {
        return Ok(true);
    }
    let source = board.asset(instrument.asset)?.index_source();
    let mut premium = market.premium.risk();
    let most = ppm(market.max_funding_ppm);
    let is_done = if instrument.is_expired(now) {
        premium.finish_hours(&source, most, hour_of(now), hours)
    } else {
        premium.observe_hours(&source, most, now, hours)
    }
    .or_error()?;
    market.premium.set(&premium);
    Ok(is_done)
}

/// The book's impact mid; none without a price of the asset or without depth on both sides.
fn measure(asset: &Asset, instrument: &Instrument, market: &Market, book: BookRef, now: i64) -> Result<ImpactMid> {
    let index = asset.price.index();
    if index.0 <= 0 {
        return Ok(ImpactMid::default());
    }
    let notional = Dollars(market.impact_notional);
    let lots = impact_lots(notional, index, instrument.lot_size()).or_error()?;
    let side = |side: Side| {
        // One that may only reduce reserves nothing: many of them may show the same few lots.
        let standing = book.orders(side).filter(|(_, order)| !order.is_reduce_only());
        let orders = standing.map(|(_, order)| Quote {
            price: Price(order.price),
            lots: order.lots,
            expires_at: order.expires_at,
        });
        impact(orders, lots, now).or_error()
    };
    let Some(bid) = side(Side::Bid)? else {
        return Ok(ImpactMid::default());
    };
    let Some(ask) = side(Side::Ask)? else {
        return Ok(ImpactMid::default());
    };
    let bound = mid_bound(ppm(market.max_funding_ppm));
    impact_mid(bid, ask, lots, index, bound).or_error()
}

/// Moves the board's mark of a perpetual by what its book has shown since the last time, where that is long enough ago. Against a stale
/// price a book shows nothing: the mark stays, and what was shown meanwhile is left out.
pub fn update_basis(asset: &Asset, instrument: &mut Instrument, premium: &mut Premium, now: i64) -> Result<()> {
    let elapsed = now.saturating_sub(premium.marked_at);
    if elapsed < MARK_INTERVAL || asset.price.index <= 0 {
        return Ok(());
    }
    let sum = premium.sum.get();
    let shown = sum
        .checked_sub(premium.marked_sum.get())
        .ok_or(BallastError::MathOverflow)?;
    if asset.price.is_fresh(now) {
        let (basis, bound) = (instrument.basis(), Ratio(asset.params.buffer));
        let next = next_basis(basis, shown, elapsed, asset.price.index(), bound).or_error()?;
        instrument.basis = next.0;
    }
    (premium.marked_sum, premium.marked_at) = (sum.into(), now);
    Ok(())
}

/// A new perpetual's: nothing has been shown and nothing paid.
pub fn start_premium(asset: &Asset, now: i64) -> Result<Premium> {
    let mut premium = Premium {
        marked_at: now,
        ..Premium::default()
    };
    premium.set(&funding::Premium::start(&asset.index_source(), now).or_error()?);
    Ok(premium)
}

/// Refuses trades of an account that holds a delisted perpetual which has ended, before the last of its payments is known: no margin holds the
/// account to them any more, and by losses elsewhere it could hand over all that it is about to owe.
///
/// # Errors
/// [`BallastError::FundingDue`].
pub fn check_last_funding(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<()> {
    let perpetual = |position: &&Position| position.expiry == 0 && position.lots != 0;
    for position in account.positions().iter().filter(perpetual) {
        let instrument = board.instrument(position.instrument)?;
        if instrument.is_expired(now) {
            instrument.check_funding(now)?;
        }
    }
    Ok(())
}

/// Credits the funding that the account's position in the market has pending, so that what follows judges whole quote units. What the
/// rounding leaves is the market's.
pub fn touch(account: &mut MarginAccount, market: &mut Market, instrument: &Instrument, now: i64) -> Result<()> {
    let left = account.realise_funding(market.instrument, instrument, now)?;
    market.keep_dust(left)
}

impl Market {
    /// Adds what a rounding of funding left, 10⁻¹⁸ USD; whole quote units of it are the residual's.
    pub fn keep_dust(&mut self, left: u64) -> Result<()> {
        const UNIT: u64 = Notional::PER_QUOTE_UNIT as u64;
        let dust = self.funding_dust.checked_add(left).ok_or(BallastError::MathOverflow)?;
        if dust < UNIT {
            self.funding_dust = dust;
            return Ok(());
        }
        let whole = i64::try_from(dust / UNIT).map_err(|_| BallastError::MathOverflow)?;
        self.residual = self.residual.checked_add(whole).ok_or(BallastError::MathOverflow)?;
        self.funding_dust = dust % UNIT;
        Ok(())
    }
}
