//! `cancel_stale_orders`: anyone takes out of a market's book what can't trade any more, and is paid a little for it.
use anchor_lang::prelude::*;
use ballast_book::Book;
use ballast_fixed::{Dollars, QuoteAmount};

use crate::clearing::observe_book;
use crate::clearing::orders::{remove, resting};
use crate::error::{ensure, BallastError, OrError};
use crate::events::{OrdersRemoved, RemovalReason, RemovedOrder};
use crate::margin::{AssetSet, Revaluation};
use crate::state::{Exchange, MarginAccount, Market, OrderMarket, OrderSlot, QuotePool, RiskBoard, MAX_ORDERS};

/// What an order's removal pays, quote units: two cents.
pub const STALE_ORDER_BOUNTY: QuoteAmount = QuoteAmount(20_000);
/// Most orders that one call removes: they fit in one event.
const MAX_REMOVALS: usize = 2 * MAX_ORDERS;

/// Accounts of `cancel_stale_orders`. Behind them come the margin accounts whose orders are looked at, written.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelStaleOrders<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub market: AccountLoader<'info, Market>,
    /// Totals of the quote asset.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// Gets the bounties; without it, or for orders of its own wallet, nobody does.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub cranker: Option<AccountLoader<'info, MarginAccount>>,
}

impl CancelStaleOrders<'_> {
    fn validate(&self) -> Result<()> {
        let recorded = self.exchange.load()?.market(self.market.load()?.instrument)?;
        ensure!(recorded == self.market.key(), BallastError::WrongMarket);
        Ok(())
    }

    fn cranker_key(&self) -> Pubkey {
        self.cranker.as_ref().map_or(Pubkey::default(), |cranker| cranker.key())
    }
}

/// Removes, of the accounts passed, the market's orders that have expired, and all of them where the instrument has expired, where the account
/// is liquidatable, or where E_im is under its IM and order reserve by fresh prices.
#[access_control(ctx.accounts.validate())]
pub(crate) fn cancel_stale_orders<'info>(ctx: Context<'info, CancelStaleOrders<'info>>) -> Result<()> {
    let event = sweep(ctx.accounts, ctx.remaining_accounts)?;
    emit_cpi!(event);
    Ok(())
}

#[inline(never)]
fn sweep<'info>(accounts: &CancelStaleOrders<'info>, others: &'info [AccountInfo<'info>]) -> Result<OrdersRemoved> {
    let now = Clock::get()?.unix_timestamp;
    let board = accounts.board.load()?;
    let mut data = accounts.market.as_ref().try_borrow_mut_data()?;
    let (market, book) = Market::split(&mut data)?;
    let mut book = Book::load(book).or_error()?;
    let place = OrderMarket {
        index: market.instrument,
        instrument: board.instrument(market.instrument)?,
    };
    let mut removed = Vec::new();
    let mut bounty = QuoteAmount::ZERO;
    let params = board.portfolio_params();
    let assets = AssetSet::from_iter([place.instrument.asset]);
    let mut revaluation: Option<Revaluation> = None;
    for info in others {
        let loader = AccountLoader::<MarginAccount>::try_from(info)?;
        let mut account = loader.load_mut()?;
        ensure!(account.exchange == accounts.exchange.key(), BallastError::WrongExchange);
        let mut carries = |account: &MarginAccount| -> Result<bool> {
            let report = match &mut revaluation {
                Some(again) => {
                    again.restart(account)?;
                    again.evaluate(account)?
                }
                none => none
                    .insert(Revaluation::new(&board, &params, account, assets, now, None)?)
                    .evaluate(account)?,
            };
            let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
            let covered = report.equity_initial >= required || !is_priced(&board, account, now)?;
            Ok(covered && !report.is_liquidatable())
        };
        let all = place.instrument.is_expired(now);
        let reason = match all || carries(&account).unwrap_or(true) {
            true => RemovalReason::Expired,
            false => RemovalReason::NotCarried,
        };
        let slots = stale(
            &account,
            &book,
            place.index,
            now,
            all || reason == RemovalReason::NotCarried,
        )?;
        let slots = slots
            .get(..MAX_REMOVALS.saturating_sub(removed.len()))
            .unwrap_or(&slots);
        if slots.is_empty() {
            continue;
        }
        let paid = accounts.pay(&mut account, info.key, slots.len())?;
        bounty = bounty.plus(paid).or_error()?;
        for slot in slots {
            removed.push(remove(&mut account, info.key, &mut book, place, slot, reason)?);
        }
    }
    ensure!(!removed.is_empty(), BallastError::NothingToCancel);
    observe_book(&board, market, book.view(), now)?;
    let cranker = accounts.cranker_key();
    Ok(told(accounts.market.key(), market, removed, (cranker, bounty)))
}

fn told(key: Pubkey, market: &mut Market, removed: Vec<RemovedOrder>, paid: (Pubkey, QuoteAmount)) -> OrdersRemoved {
    OrdersRemoved {
        market: key,
        sequence: market.next_sequence(),
        instrument: market.instrument,
        removed,
        cranker: paid.0,
        bounty: paid.1 .0,
    }
}

/// Whether everything that the account holds has a fresh price: what a stale one may be off by lowers E_im, and is no reason to lose orders.
fn is_priced(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<bool> {
    for position in account.positions().iter().filter(|p| p.lots != 0) {
        let instrument = board.instrument(position.instrument)?;
        if !board.asset(position.asset)?.is_fresh(instrument, now)? {
            return Ok(false);
        }
    }
    for balance in account.balances.iter().filter(|b| b.amount != 0) {
        if !board.asset(balance.asset)?.price.is_fresh(now) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The account's orders in the market: all of them, or those that have expired.
fn stale(account: &MarginAccount, book: &Book, instrument: u16, now: i64, all: bool) -> Result<Vec<OrderSlot>> {
    let mut slots = Vec::with_capacity(account.order_count());
    for slot in account.orders_in(instrument) {
        if all || resting(book, slot)?.has_expired(now) {
            slots.push(*slot);
        }
    }
    Ok(slots)
}

impl CancelStaleOrders<'_> {
    /// Pays the bounty for `orders` orders out of the account's locked reserve, as far as that goes.
    fn pay(&self, account: &mut MarginAccount, key: &Pubkey, orders: usize) -> Result<QuoteAmount> {
        let Some(cranker) = self.cranker.as_ref().filter(|cranker| cranker.as_ref().key != key) else {
            return Ok(QuoteAmount::ZERO);
        };
        let mut cranker = cranker.load_mut()?;
        if cranker.wallet == account.wallet {
            return Ok(QuoteAmount::ZERO);
        }
        let count = i64::try_from(orders).map_err(|_| BallastError::MathOverflow)?;
        let due = STALE_ORDER_BOUNTY.0.saturating_mul(count).min(account.reserve).max(0);
        let mut pool = self.quote_pool.load_mut()?;
        let before = [account.quote_balance().or_error()?, cranker.quote_balance().or_error()?];
        account.reserve = account.reserve.saturating_sub(due); // due ≤ reserve
        cranker.cash = cranker.cash.checked_add(due).ok_or(BallastError::MathOverflow)?;
        let after = [account.quote_balance().or_error()?, cranker.quote_balance().or_error()?];
        for (before, after) in before.into_iter().zip(after) {
            pool.rebalance(before, after)?;
        }
        Ok(QuoteAmount(due))
    }
}
