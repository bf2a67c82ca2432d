//! Both sides of the fills of an incoming order. The taker is judged by the caller, after all of them; every maker is judged here, fill by
//! fill, and a maker whose account can't carry its fill is put back as it was.
use anchor_lang::prelude::*;
use ballast_book::{Book, Handle, Makers, Order, Removal, Side as BookSide, Standing, Verdict};
use ballast_fixed::{Dollars, Lots, Price, Ratio};
use ballast_risk::trade::{judge, TradeFacts};

use super::{resting, Parties, Venue};
use crate::clearing::{
    check_last_funding, count_open_interest, count_positions, fee_rates, fill, fill_position, note_referral, release,
    share_fees, Change, Fill, Side,
};
use crate::error::{BallastError, OrError};
use crate::events::{OrderFill, RemovalReason, RemovedOrder};
use crate::margin::Revaluation;
use crate::state::{MarginAccount, Market, OwnerRecord};

/// The account whose order comes in.
pub struct Taker<'a> {
    /// Its key.
    pub key: Pubkey,
    /// The account.
    pub account: &'a mut MarginAccount,
    /// Its wallet's record.
    pub owner: &'a mut OwnerRecord,
    /// What it pays of a notional.
    pub rate: Ratio,
    /// Σ of what its fills have lost against the mark and paid in fees.
    pub cost: Dollars,
}

/// Lots of an order of `lots` lots that only reduce the account's position in an instrument.
pub fn reducible(account: &MarginAccount, instrument: u16, side: BookSide, lots: i64) -> i64 {
    let held = account.position(instrument).map_or(0, |position| position.lots);
    let open = held.saturating_mul(side.sign()).saturating_neg();
    open.clamp(0, lots)
}

/// Lots of the account's orders that rest on a side of an instrument's book and may only reduce its position.
pub fn reductions(account: &MarginAccount, book: &Book, instrument: u16, side: BookSide) -> Result<i64> {
    let mut lots = 0i64;
    for slot in account.orders_in(instrument).filter(|slot| slot.side == side as u8) {
        let order = resting(book, slot)?;
        if order.is_reduce_only() {
            lots = lots.saturating_add(order.lots);
        }
    }
    Ok(lots)
}

/// Everybody whom an incoming order meets.
pub struct Counterparties<'a, 'info> {
    /// Where.
    pub venue: &'a Venue<'a>,
    /// Totals of the market.
    pub market: &'a mut Market,
    /// Whose order comes in.
    pub taker: Taker<'a>,
    /// The makers' accounts.
    pub makers: &'a Parties<'info>,
    /// The taker's side.
    pub side: BookSide,
    /// Working memory, used for the makers one after the other.
    pub revaluation: Revaluation<'a>,
    /// A maker's account as it was before a fill, once there has been one.
    pub before: Option<Box<MarginAccount>>,
    /// Whether a maker who is here was taken for missing, as he would have to take on risk or his last funding is not known.
    pub held_back: bool,
    /// What has traded.
    pub fills: Vec<OrderFill>,
    /// What has left the book without a trade.
    pub removed: Vec<RemovedOrder>,
}

impl Makers for Counterparties<'_, '_> {
    type Error = Error;

    /// Where nobody may take on risk, a maker who would have to is taken for missing, and so is one whose last funding is not known: his order
    /// stays.
    fn present(&mut self, order: &Order) -> Result<Standing> {
        if self.is_takers(order) {
            return Ok(Standing::Own);
        }
        let Some(loader) = self.makers.owner_of(order) else {
            return Ok(Standing::Missing);
        };
        let account = loader.load()?;
        if account.wallet == self.taker.account.wallet {
            return Ok(Standing::Own);
        }
        let (venue, expired) = (self.venue, order.has_expired(self.venue.now));
        let any_risk = venue.takes_risk || order.is_reduce_only();
        let trades = (any_risk || self.reducible(&account, order) == order.lots)
            && check_last_funding(venue.board, &account, venue.now).is_ok();
        self.held_back = !expired && !trades;
        Ok(if self.held_back {
            Standing::Missing
        } else {
            Standing::Other
        })
    }

    fn voids(&self, order: &Order) -> Option<Removal> {
        let outside = self.venue.check_price(Price(order.price)).is_err();
        outside.then_some(Removal::OutsideBand)
    }

    #[inline(never)]
    fn fill(&mut self, order: &Order, _: Handle, asked: i64) -> Result<Verdict> {
        self.venue.instrument.check_funding(self.venue.now)?;
        let loader = self.makers.owner_of(order).ok_or(BallastError::MathOverflow)?;
        let mut account = loader.load_mut()?;
        let lots = match order.is_reduce_only() {
            true => asked.min(self.reducible(&account, order)),
            false => asked,
        };
        if lots <= 0 {
            return Ok(Verdict::Removed(Removal::NotCarried));
        }
        let was_held = account.position(self.venue.index).is_some();
        self.keep(&account);
        // Whatever keeps the maker from being filled and judged, its order is what has to go.
        let Ok(Some((made, fill))) = self.make(&mut account, order, lots) else {
            self.restore(&mut account);
            return Ok(Verdict::Removed(Removal::NotCarried));
        };
        let is_held = account.position(self.venue.index).is_some();
        count_positions(self.market, was_held, is_held)?;
        count_open_interest(self.market, &fill)?;
        self.market.keep_dust(fill.dust)?;
        drop(account);
        self.take(order, made, lots)?;
        Ok(Verdict::Filled(lots))
    }

    fn released(&mut self, order: &Order, _: Handle, lots: i64, why: Removal) -> Result<()> {
        self.release(order, self.side.opposite(), lots, why.into())
    }
}

impl Counterparties<'_, '_> {
    fn is_takers(&self, order: &Order) -> bool {
        order.owner == self.taker.key.to_bytes()
    }

    /// Lots of a maker's order that only reduce its position.
    fn reducible(&self, account: &MarginAccount, order: &Order) -> i64 {
        reducible(account, self.venue.index, self.side.opposite(), order.lots)
    }

    /// Takes `lots` lots of an order off its owner's account, which is at hand.
    pub fn release(&mut self, order: &Order, side: BookSide, lots: i64, reason: RemovalReason) -> Result<()> {
        let market = self.venue.orders();
        if self.is_takers(order) {
            self.taker.account.shrink_order(market, side, order, lots)?;
        } else {
            let loader = self.makers.owner_of(order).ok_or(BallastError::BookFull)?;
            loader.load_mut()?.shrink_order(market, side, order, lots)?;
        }
        self.removed.push(RemovedOrder::new(order, side, lots, reason));
        Ok(())
    }

    fn keep(&mut self, account: &MarginAccount) {
        let kept = self.before.get_or_insert_with(bytemuck::allocation::zeroed_box);
        bytemuck::bytes_of_mut(kept.as_mut()).copy_from_slice(bytemuck::bytes_of(account));
    }

    fn restore(&self, account: &mut MarginAccount) {
        if let Some(kept) = &self.before {
            bytemuck::bytes_of_mut(account).copy_from_slice(bytemuck::bytes_of(kept.as_ref()));
        }
    }

    /// Fills the maker's side and judges its account as any account is judged; `None` where it can't carry the fill.
    #[inline(never)]
    fn make(&mut self, account: &mut MarginAccount, order: &Order, lots: i64) -> Result<Option<(Side, Fill)>> {
        let (venue, side) = (self.venue, self.side.opposite());
        let rate = fee_rates(&venue.exchange.fees, &account.volume, venue.now).maker;
        let bought = Lots(lots.wrapping_mul(side.sign())); // ±1
        let made = Side::new(venue.instrument, bought, Price(order.price), rate)?;
        let dust = account.realise_funding(venue.index, venue.instrument, venue.now)?;
        self.revaluation.restart(account)?;
        let before = self.revaluation.evaluate(account)?;
        let change = Change {
            lots: made.lots,
            quote: made.received()?,
            now: venue.now,
        };
        let mut fill = fill_position(account, venue.index, venue.instrument, change)?;
        fill.dust = fill.dust.saturating_add(dust); // each is less than a quote unit
        account.drop_if_empty(fill.at)?;
        account.volume.count(made.notional, venue.now);
        account.fill_order(venue.orders(), side, order, lots, [fill.before, fill.after])?;
        let after = self.revaluation.evaluate(account)?;
        let facts = TradeFacts {
            reduces: fill.reduces(),
            cost: made.cost(venue.instrument, venue.mark)?,
            order_reserve: Dollars(account.order_reserve),
            quote_trusted: venue.board.quote_state(venue.now).1,
            reduces_on_book: order.is_reduce_only(),
        };
        let verdict = judge(&before, &after, &facts).or_error()?;
        Ok(verdict.is_ok().then_some((made, fill)))
    }

    /// The taker's side of a fill that the maker has carried. Both quotes and fees round against who pays; what is left goes to the market's
    /// residual.
    #[inline(never)]
    fn take(&mut self, order: &Order, made: Side, lots: i64) -> Result<()> {
        let (venue, taker) = (self.venue, &mut self.taker);
        let bought = Lots(lots.wrapping_mul(self.side.sign())); // ±1
        let taken = Side::new(venue.instrument, bought, Price(order.price), taker.rate)?;
        let change = Change {
            lots: taken.lots,
            quote: taken.received()?,
            now: venue.now,
        };
        let fill = fill(taker.account, taker.owner, self.market, venue.instrument, change)?;
        release(taker.account, self.market, fill.at)?;
        taker.cost = taker.cost.plus(taken.cost(venue.instrument, venue.mark)?).or_error()?;
        let residual = taken.quote.plus(made.quote).or_error()?;
        self.market.residual = self
            .market
            .residual
            .checked_sub(residual.0)
            .ok_or(BallastError::MathOverflow)?;
        let fees = &venue.exchange.fees;
        share_fees(fees, self.market, taken.fee, made.fee)?;
        note_referral(fees, taker.account, taken.fee, made.fee)?;
        taker.account.volume.count(taken.notional, venue.now);
        self.fills.push(OrderFill {
            maker: Pubkey::new_from_array(order.owner),
            order: order.sequence,
            client_order_id: order.client_order_id,
            lots: taken.lots.0,
            price: order.price,
            taker_fee: taken.fee.0,
            maker_fee: made.fee.0,
        });
        Ok(())
    }
}
