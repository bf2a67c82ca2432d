//! Putting what is left of an order into the book.
use anchor_lang::prelude::*;
use ballast_book::{Book, Order, Side};
use ballast_fixed::{Dollars, Lots, Price};
use ballast_risk::order_reserve::reserve_per_lot;

use super::{Counterparties, Venue};
use crate::clearing::check_owner_open_interest;
use crate::error::{ensure, BallastError, OrError};
use crate::events::RemovalReason;
use crate::state::{MarginAccount, OpenOrders, OrderSlot, MAX_BOOKS, MAX_OPTION_POSITIONS, MAX_POSITIONS};

/// What is to rest.
#[derive(Clone, Copy)]
pub struct Rest {
    /// Its side.
    pub side: Side,
    /// 10⁻⁹ USD.
    pub price: i64,
    /// Positive.
    pub lots: i64,
    /// The client's own number.
    pub client_order_id: u64,
    /// Unix seconds; 0 for never.
    pub expires_at: i64,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
}

/// Puts an order of the taker's into the book and counts it on its account; returns its number. The worst order of a full side gives way to
/// a better one.
///
/// # Errors
/// [`BallastError::BookFull`] where the side is full and its worst order is not worse or its owner's account has not come,
/// [`BallastError::TooManyOrders`], [`BallastError::TooManyPositions`], [`BallastError::OwnerOpenInterestCapExceeded`].
#[inline(never)]
pub fn rest(parties: &mut Counterparties, book: &mut Book, rest: &Rest) -> Result<u64> {
    let venue = parties.venue;
    if let Some(worst) = book.would_evict(rest.side, rest.price) {
        let evicted = book.remove(worst).or_error()?;
        parties.release(&evicted, rest.side, evicted.lots, RemovalReason::Evicted)?;
    }
    let order = Order {
        owner: parties.taker.key.to_bytes(),
        client_order_id: rest.client_order_id,
        price: rest.price,
        lots: rest.lots,
        reserve_per_lot: per_lot(parties, rest)?.0,
        expires_at: rest.expires_at,
        sequence: book.next_sequence(),
        flags: if rest.reduce_only { Order::REDUCE_ONLY } else { 0 },
        ..Order::default()
    };
    let handle = book.insert(rest.side, order).or_error()?;
    let slot = OrderSlot {
        client_order_id: order.client_order_id,
        sequence: order.sequence,
        handle: handle.0,
        instrument: venue.index,
        side: rest.side as u8,
        ..OrderSlot::default()
    };
    let taker = &mut parties.taker;
    taker
        .account
        .open_order(taker.owner, venue.orders(), slot, rest.side, &order)?;
    if !rest.reduce_only {
        check_room(taker.account, venue)?;
        check_owner_open_interest(venue.board, venue.instrument, taker.owner)?;
    }
    Ok(order.sequence)
}

/// Checks that the account has room for a position in the market, and in every other one in which an order of it may open one.
fn check_room(account: &MarginAccount, venue: &Venue) -> Result<()> {
    let held = usize::from(account.position_count);
    if held.saturating_add(MAX_BOOKS) <= MAX_OPTION_POSITIONS || account.position(venue.index).is_some() {
        return Ok(());
    }
    let options = account.positions().iter().filter(|held| held.strike != 0).count();
    let (mut all, mut options) = (held, options);
    let opens = |book: &&OpenOrders| book.bid_lots > 0 || book.ask_lots > 0;
    for book in account.books.iter().filter(opens) {
        if account.position(book.instrument).is_none() {
            all = all.saturating_add(1);
            let is_option = venue.board.instrument(book.instrument)?.is_option();
            options = options.saturating_add(usize::from(is_option));
        }
    }
    let fits = all <= MAX_POSITIONS && (options <= MAX_OPTION_POSITIONS || !venue.instrument.is_option());
    ensure!(fits, BallastError::TooManyPositions);
    Ok(())
}

/// What each lot reserves; nothing where the order may only reduce.
fn per_lot(parties: &mut Counterparties, rest: &Rest) -> Result<Dollars> {
    if rest.reduce_only {
        return Ok(Dollars::ZERO);
    }
    let venue = parties.venue;
    let bought = Lots(rest.lots.wrapping_mul(rest.side.sign())); // ±1
    let isolated = parties
        .revaluation
        .isolated(parties.taker.account, venue.position(bought)?)?;
    let loss = venue.loss_of_a_lot(rest.side, Price(rest.price))?;
    reserve_per_lot(isolated, rest.lots, loss).or_error()
}

impl From<ballast_book::Removal> for RemovalReason {
    fn from(why: ballast_book::Removal) -> Self {
        use ballast_book::Removal;
        match why {
            Removal::Expired => RemovalReason::Expired,
            Removal::NotCarried => RemovalReason::NotCarried,
            Removal::SelfTrade => RemovalReason::SelfTrade,
            Removal::TooSmall => RemovalReason::TooSmall,
            Removal::OutsideBand => RemovalReason::OutsideBand,
        }
    }
}

const _: () = assert!(Side::Bid as u8 == 0 && Side::Ask as u8 == 1);
