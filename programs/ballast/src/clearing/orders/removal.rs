//! Taking orders out of the book without a trade.
use anchor_lang::prelude::*;
use ballast_book::{Book, Handle, Order, Side};

use crate::error::{ensure, BallastError, OrError};
use crate::events::{RemovalReason, RemovedOrder};
use crate::state::{MarginAccount, OrderMarket, OrderSlot};

/// The order that an account's slot names, in the book of its market.
pub fn resting<'a>(book: &'a Book, slot: &OrderSlot) -> Result<&'a Order> {
    book.find(Handle(slot.handle), slot.sequence).or_error()
}

/// Takes an account's order out of the book and frees what it reserved. `key` is the account's.
pub fn remove(
    account: &mut MarginAccount,
    key: &Pubkey,
    book: &mut Book,
    market: OrderMarket,
    slot: &OrderSlot,
    reason: RemovalReason,
) -> Result<RemovedOrder> {
    let order = *resting(book, slot)?;
    ensure!(order.owner == key.to_bytes(), BallastError::BookCorrupt);
    let handle = Handle(slot.handle);
    let side = book.side_of(handle).ok_or(BallastError::BookCorrupt)?;
    book.remove(handle).or_error()?;
    account.shrink_order(market, side, &order, order.lots)?;
    Ok(RemovedOrder::new(&order, side, order.lots, reason))
}

/// Takes all of an account's orders out of a market's book.
pub fn remove_all(
    account: &mut MarginAccount,
    key: &Pubkey,
    book: &mut Book,
    market: OrderMarket,
) -> Result<Vec<RemovedOrder>> {
    let slots: Vec<OrderSlot> = account.orders_in(market.index).copied().collect();
    let mut removed = Vec::with_capacity(slots.len());
    for slot in &slots {
        removed.push(remove(account, key, book, market, slot, RemovalReason::Cancelled)?);
    }
    Ok(removed)
}

impl RemovedOrder {
    /// `lots` lots of an order.
    pub fn new(order: &Order, side: Side, lots: i64, reason: RemovalReason) -> RemovedOrder {
        RemovedOrder {
            margin_account: Pubkey::new_from_array(order.owner),
            order: order.sequence,
            client_order_id: order.client_order_id,
            side: side as u8,
            price: order.price,
            lots,
            reason,
        }
    }
}
