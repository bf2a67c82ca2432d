//! What a margin account counts of its resting orders: their number, their reserve, and what its owner's record holds for them.
use anchor_lang::prelude::*;
use ballast_book::{Order, Side};
use ballast_fixed::{Checked, Dollars, Lots, Overflow, QuoteAmount};
use ballast_risk::order_reserve::{larger_side, reserve};

use super::{Instrument, MarginAccount, OpenOrders, OrderSlot, OwnerRecord, POSITION_RESERVE};
use crate::error::{ensure, BallastError, OrError};

/// Names one of an account's orders in a market.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderId {
    /// By the client's own number: the first slot that has it.
    Client(u64),
    /// By its number in the book.
    Sequence(u64),
}

/// The market whose orders are counted.
#[derive(Clone, Copy)]
pub struct OrderMarket<'a> {
    /// Index of the instrument on the board.
    pub index: u16,
    /// The instrument.
    pub instrument: &'a Instrument,
}

impl OrderMarket<'_> {
    /// Size of `lots` lots, 10⁻⁹ units; fails on overflow.
    fn quantity(&self, lots: i64) -> Result<u64> {
        let quantity = Lots(lots).quantity(self.instrument.lot_size()).or_error()?;
        u64::try_from(quantity.0).map_err(|_| BallastError::MathOverflow.into())
    }
}

impl OpenOrders {
    /// Whether nothing rests any more and the owner's record counts nothing more than it should.
    fn is_free(&self) -> bool {
        self.count == 0 && self.excess == 0
    }

    /// What both sides reserve together.
    fn reserved(&self) -> Dollars {
        larger_side(Dollars(self.bid_reserve), Dollars(self.ask_reserve))
    }

    /// Adds lots (takes them off, when negative) to a side, with what they reserve.
    fn change(&mut self, side: Side, lots: i64, reserved: Dollars) -> Checked<()> {
        let (count, held) = match side {
            Side::Bid => (&mut self.bid_lots, &mut self.bid_reserve),
            Side::Ask => (&mut self.ask_lots, &mut self.ask_reserve),
        };
        let lots = count.checked_add(lots).filter(|lots| *lots >= 0).ok_or(Overflow)?;
        let reserved = held.checked_add(reserved.0).filter(|held| *held >= 0).ok_or(Overflow)?;
        (*count, *held) = (lots, reserved);
        Ok(())
    }
}

impl MarginAccount {
    /// Orders that rest.
    pub fn order_count(&self) -> usize {
        self.books.iter().map(|book| usize::from(book.count)).sum()
    }

    /// Whether there is neither a position nor an order, so that nothing needs the locked reserve.
    pub fn is_idle(&self) -> bool {
        self.position_count == 0 && self.order_count() == 0
    }

    /// Locks the reserve for what is about to be the first position or order.
    pub(super) fn lock_reserve(&mut self) -> Result<()> {
        if self.is_idle() {
            self.move_reserve(POSITION_RESERVE).or_error()?;
        }
        Ok(())
    }

    /// Gives back what is left of the reserve once there is neither a position nor an order.
    pub(super) fn free_reserve(&mut self) -> Result<()> {
        if self.is_idle() {
            self.move_reserve(QuoteAmount(self.reserve.wrapping_neg())) // 0 ≤ reserve
                .or_error()?;
        }
        Ok(())
    }

    /// Moves `amount` out of the reserve into cash to pay the last of a loss on the position at `at`, where that ends it: it has no lots, no
    /// other position and no order needs the reserve, and the reserve covers it. Returns whether it did.
    pub fn reserve_pays(&mut self, at: usize, amount: QuoteAmount) -> Result<bool> {
        let position = self.positions().get(at).ok_or(BallastError::PositionMissing)?;
        let is_last = position.lots == 0 && self.position_count == 1 && self.order_count() == 0;
        let pays = is_last && (0..=self.reserve).contains(&amount.0);
        if pays {
            self.move_reserve(amount.negated().or_error()?).or_error()?;
        }
        Ok(pays)
    }

    /// One of the account's orders in an instrument.
    pub fn find_order(&self, instrument: u16, id: OrderId) -> Option<OrderSlot> {
        let is = |slot: &&OrderSlot| match id {
            OrderId::Client(number) => slot.client_order_id == number,
            OrderId::Sequence(number) => slot.sequence == number,
        };
        let mut orders = self.orders_in(instrument);
        orders.find(is).copied()
    }

    /// The account's orders in an instrument.
    pub fn orders_in(&self, instrument: u16) -> impl Iterator<Item = &OrderSlot> + '_ {
        let is = move |slot: &&OrderSlot| slot.sequence != 0 && slot.instrument == instrument;
        self.orders.iter().filter(is)
    }

    /// Counts an order that has just been put into the book. `slot` says where; `owner` is the record of the account's wallet. Only an order
    /// that may add to a position reserves and is counted as open interest.
    ///
    /// # Errors
    /// [`BallastError::TooManyOrders`] for the 33rd order, and for orders in a ninth market.
    pub fn open_order(
        &mut self,
        owner: &mut OwnerRecord,
        market: OrderMarket,
        slot: OrderSlot,
        side: Side,
        order: &Order,
    ) -> Result<()> {
        self.reconcile(owner)?; // frees slots of markets in which nothing rests any more
        let free = self.orders.iter().position(|held| held.sequence == 0);
        let free = free.ok_or(BallastError::TooManyOrders)?;
        let at = self.open_book(market)?;
        self.lock_reserve()?;
        let book = self.books.get_mut(at).ok_or(BallastError::TooManyOrders)?;
        book.count = book.count.saturating_add(1); // at most 32
        if !order.is_reduce_only() {
            let before = book.reserved();
            let reserved = reserve(Dollars(order.reserve_per_lot), order.lots).or_error()?;
            book.change(side, order.lots, reserved).or_error()?;
            let after = book.reserved();
            self.change_reserve(before, after)?;
            owner.change_open_interest(market.instrument.asset, 0, market.quantity(order.lots)?)?;
        }
        *self.orders.get_mut(free).ok_or(BallastError::TooManyOrders)? = slot;
        Ok(())
    }

    /// Takes `lots` lots off one of the account's orders, which is as it rests before; the last ones take its slot. Frees exactly what they
    /// reserved.
    ///
    /// The owner's record still counts them: that is noted, and taken off it by [`MarginAccount::reconcile`].
    pub fn shrink_order(&mut self, market: OrderMarket, side: Side, order: &Order, lots: i64) -> Result<()> {
        self.fill_order(market, side, order, lots, [Lots(0); 2])
    }

    /// The same where the lots have traded and taken the position from the first number of lots to the second, without the owner's record at
    /// hand: what the record counts in all does not change.
    pub fn fill_order(
        &mut self,
        market: OrderMarket,
        side: Side,
        order: &Order,
        lots: i64,
        [before, after]: [Lots; 2],
    ) -> Result<()> {
        let at = self.find_book(market.index).ok_or(BallastError::OrderMissing)?;
        let book = self.books.get_mut(at).ok_or(BallastError::OrderMissing)?;
        if lots == order.lots {
            book.count = book.count.checked_sub(1).ok_or(BallastError::MathOverflow)?;
            let is = |slot: &&mut OrderSlot| slot.sequence == order.sequence && slot.instrument == market.index;
            let slot = self.orders.iter_mut().find(is).ok_or(BallastError::OrderMissing)?;
            *slot = OrderSlot::default();
        }
        let mut counted = 0;
        let reserved = book.reserved();
        if !order.is_reduce_only() {
            counted = market.quantity(lots)?;
            let freed = reserve(Dollars(order.reserve_per_lot), lots).or_error()?;
            let less = lots.checked_neg().ok_or(BallastError::MathOverflow)?;
            book.change(side, less, freed.negated().or_error()?).or_error()?;
        }
        let size = |lots: Lots| market.quantity(lots.magnitude().or_error()?.0);
        let (before, after) = (size(before)?, size(after)?);
        let excess = book.excess.checked_add(counted).and_then(|sum| sum.checked_add(before));
        book.excess = excess
            .and_then(|sum| sum.checked_sub(after))
            .ok_or(BallastError::MathOverflow)?;
        let rest = book.reserved();
        if book.is_free() {
            *book = OpenOrders::default();
        }
        self.change_reserve(reserved, rest)?;
        self.free_reserve()
    }

    /// Takes off the owner's record what it counts for orders that are no more.
    pub fn reconcile(&mut self, owner: &mut OwnerRecord) -> Result<()> {
        for book in self.books.iter_mut().filter(|book| book.excess != 0) {
            owner.change_open_interest(book.asset, book.excess, 0)?;
            book.excess = 0;
            if book.is_free() {
                *book = OpenOrders::default();
            }
        }
        Ok(())
    }

    /// Whether the owner's record counts something for orders that are no more.
    pub fn has_excess(&self) -> bool {
        self.books.iter().any(|book| book.excess != 0)
    }

    fn find_book(&self, instrument: u16) -> Option<usize> {
        let is = |book: &OpenOrders| book.generation != 0 && book.instrument == instrument;
        self.books.iter().position(is)
    }

    fn open_book(&mut self, market: OrderMarket) -> Result<usize> {
        let instrument = market.instrument;
        if let Some(at) = self.find_book(market.index) {
            return Ok(at);
        }
        let free = self.books.iter().position(|book| book.generation == 0);
        let at = free.ok_or(BallastError::TooManyOrders)?;
        let slot = self.books.get_mut(at).ok_or(BallastError::TooManyOrders)?;
        *slot = OpenOrders {
            instrument: market.index,
            asset: instrument.asset,
            generation: instrument.generation,
            ..OpenOrders::default()
        };
        Ok(at)
    }

    fn change_reserve(&mut self, before: Dollars, after: Dollars) -> Result<()> {
        let reserve = Dollars(self.order_reserve).plus(after).or_error()?;
        self.order_reserve = reserve.minus(before).or_error()?.0;
        ensure!(self.order_reserve >= 0, BallastError::MathOverflow);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
