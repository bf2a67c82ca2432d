//! `cancel_order` and `cancel_all_orders`: an owner takes orders out of the books.
use anchor_lang::prelude::*;
use ballast_book::Book;

use crate::clearing::observe_book;
use crate::clearing::orders::{remove, remove_all};
use crate::error::{ensure, BallastError, OrError};
use crate::events::{OrdersRemoved, RemovalReason, RemovedOrder};
use crate::state::{Exchange, MarginAccount, Market, OrderId, OrderMarket, OwnerRecord, RiskBoard};

/// Accounts of `cancel_order` and `cancel_all_orders`. Behind them come the markets, written: the order's, or all whose orders are to go.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelOrders<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The account whose orders they are.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange, has_one = owner @ BallastError::WrongOwnerRecord
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Its wallet or a delegate.
    pub signer: Signer<'info>,
}

impl CancelOrders<'_> {
    fn validate(&self) -> Result<()> {
        let signer = self.signer.key;
        ensure!(self.margin_account.load()?.may_trade(signer), BallastError::NotTrader);
        Ok(())
    }
}

/// Cancels one order.
#[access_control(ctx.accounts.validate())]
pub(crate) fn cancel_order<'info>(ctx: Context<'info, CancelOrders<'info>>, id: OrderId) -> Result<()> {
    let [market] = ctx.remaining_accounts else {
        return Err(BallastError::MarketMissing.into());
    };
    let event = cancel(ctx.accounts, market, |account, key, book, market| {
        let slot = account.find_order(market.index, id).ok_or(BallastError::OrderMissing)?;
        let removed = remove(account, key, book, market, &slot, RemovalReason::Cancelled)?;
        Ok(vec![removed])
    })?;
    emit_cpi!(event);
    Ok(())
}

/// Cancels all orders of an account in the markets passed.
#[access_control(ctx.accounts.validate())]
pub(crate) fn cancel_all_orders<'info>(ctx: Context<'info, CancelOrders<'info>>) -> Result<()> {
    let mut any = false;
    for market in ctx.remaining_accounts {
        let event = cancel(ctx.accounts, market, remove_all)?;
        if !event.removed.is_empty() {
            any = true;
            emit_cpi!(event);
        }
    }
    ensure!(any, BallastError::NothingToCancel);
    Ok(())
}

/// Opens the market at `info` and has `take` take orders of the account out of its book.
#[inline(never)]
fn cancel<'info>(
    accounts: &CancelOrders<'info>,
    info: &'info AccountInfo<'info>,
    take: impl FnOnce(&mut MarginAccount, &Pubkey, &mut Book, OrderMarket) -> Result<Vec<RemovedOrder>>,
) -> Result<OrdersRemoved> {
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let index = AccountLoader::<Market>::try_from(info)?.load()?.instrument;
    let is_recorded = exchange.market(index)? == *info.key && info.is_writable;
    ensure!(is_recorded, BallastError::WrongMarket);
    let mut data = info.try_borrow_mut_data()?;
    let (market, book) = Market::split(&mut data)?;
    let mut book = Book::load(book).or_error()?;
    let mut account = accounts.margin_account.load_mut()?;
    let place = OrderMarket {
        index,
        instrument: board.instrument(index)?,
    };
    let removed = take(&mut account, &accounts.margin_account.key(), &mut book, place)?;
    observe_book(&board, market, book.view(), Clock::get()?.unix_timestamp)?;
    account.reconcile(&mut *accounts.owner.load_mut()?)?;
    Ok(OrdersRemoved {
        market: info.key(),
        sequence: market.next_sequence(),
        instrument: index,
        removed,
        cranker: Pubkey::default(),
        bounty: 0,
    })
}
