//! `cancel_stale_orders`: anyone takes out of a market's book what can't trade any more, and is paid a little for it.
use anchor_lang::prelude::*;
use ballast_book::{Book, Order, Side};
use ballast_fixed::{Dollars, QuoteAmount};
use ballast_risk::price_use::Quality;
use ballast_risk::MarginReport;

use crate::clearing::observe_book;
use crate::clearing::orders::{reducible, remove, resting, Venue};
use crate::error::{ensure, BallastError, OrError};
use crate::events::{OrdersRemoved, RemovalReason, RemovedOrder};
use crate::margin::{AssetSet, Revaluation};
use crate::state::{
    Exchange, MarginAccount, Market, OrderMarket, OrderSlot, QuotePool, RiskBoard, MAX_ORDERS, POSITION_RESERVE,
};

/// What an order's removal pays, quote units: two cents.
pub const STALE_ORDER_BOUNTY: QuoteAmount = QuoteAmount(20_000);
/// Most orders that one call removes, as many as an account can have: they and their event fit in the 32 KB of memory of an instruction.
const MAX_REMOVALS: usize = MAX_ORDERS;

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

/// Removes, of the accounts passed, the market's orders that
///
/// * have expired, or whose instrument has ended
/// * are of an account that is liquidatable
/// * may add to a position, where E_im by fresh prices is under IM and order reserve
/// * may only reduce, and more than what is left of the position rests on their side
/// * nobody can trade with: by a fresh price they are out of the band around the mark, on the side that blocks the book
#[access_control(ctx.accounts.validate())]
pub(crate) fn cancel_stale_orders<'info>(ctx: Context<'info, CancelStaleOrders<'info>>) -> Result<()> {
    let event = sweep(ctx.accounts, ctx.remaining_accounts)?;
    emit_cpi!(event);
    Ok(())
}

#[inline(never)]
fn sweep<'info>(accounts: &CancelStaleOrders<'info>, others: &'info [AccountInfo<'info>]) -> Result<OrdersRemoved> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut data = accounts.market.as_ref().try_borrow_mut_data()?;
    let (market, book) = Market::split(&mut data)?;
    let mut book = Book::load(book).or_error()?;
    let place = OrderMarket {
        index: market.instrument,
        instrument: board.instrument(market.instrument)?,
    };
    let broom = Broom {
        place,
        venue: Venue::new(&exchange, &board, market, now).ok(),
        now,
    };
    let mut removed = Vec::with_capacity(MAX_REMOVALS);
    let mut stale = Vec::with_capacity(MAX_REMOVALS);
    let mut bounty = QuoteAmount::ZERO;
    let params = board.portfolio_params();
    let assets = AssetSet::from_iter([place.instrument.asset]);
    let mut revaluation: Option<Revaluation> = None;
    for info in others {
        let loader = AccountLoader::<MarginAccount>::try_from(info)?;
        let mut account = loader.load_mut()?;
        ensure!(account.exchange == accounts.exchange.key(), BallastError::WrongExchange);
        let mut carry = |account: &MarginAccount| -> Result<Carry> {
            let report = match &mut revaluation {
                Some(again) => {
                    again.restart(account)?;
                    again.evaluate(account)?
                }
                none => none
                    .insert(Revaluation::new(&board, &params, account, assets, now, None)?)
                    .evaluate(account)?,
            };
            Carry::new(&report, &board, account, now)
        };
        // Whose margin can't be computed can't be liquidated either: what has not expired stays.
        let carried = match broom.has_ended() {
            true => Carry::All,
            false => carry(&account).unwrap_or(Carry::All),
        };
        let room = MAX_REMOVALS.saturating_sub(removed.len());
        broom.gather(&account, &book, carried, &mut stale)?;
        stale.truncate(room);
        if stale.is_empty() {
            continue;
        }
        let paid = accounts.pay(&mut account, info.key, stale.len())?;
        bounty = bounty.plus(paid).or_error()?;
        for (slot, reason) in &stale {
            removed.push(remove(&mut account, info.key, &mut book, place, slot, *reason)?);
        }
    }
    ensure!(!removed.is_empty(), BallastError::NothingToCancel);
    observe_book(&board, market, book.view(), now)?;
    let cranker = accounts.cranker_key();
    Ok(told(accounts.market.key(), market, removed, (cranker, bounty)))
}

/// Which of its orders an account carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carry {
    /// All.
    All,
    /// Those that may only reduce: E_im is under IM and order reserve.
    Reductions,
    /// None: it is liquidatable, and its liquidation starts when no order rests.
    None,
}

impl Carry {
    fn new(report: &MarginReport, board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<Carry> {
        if report.is_liquidatable() {
            return Ok(Carry::None);
        }
        let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
        let covered = report.equity_initial >= required || !is_priced(board, account, now)?;
        Ok(if covered { Carry::All } else { Carry::Reductions })
    }
}

/// Finds the orders of a market that have to go.
struct Broom<'a> {
    place: OrderMarket<'a>,
    /// The market's prices; none once the instrument has ended.
    venue: Option<Venue<'a>>,
    now: i64,
}

impl Broom<'_> {
    fn has_ended(&self) -> bool {
        self.place.instrument.is_expired(self.now)
    }

    /// Puts the account's orders that have to go into `stale`, each with the reason.
    fn gather(
        &self,
        account: &MarginAccount,
        book: &Book,
        carried: Carry,
        stale: &mut Vec<(OrderSlot, RemovalReason)>,
    ) -> Result<()> {
        stale.clear();
        let mut open = [Side::Bid, Side::Ask].map(|side| reducible(account, self.place.index, side, i64::MAX));
        for slot in account.orders_in(self.place.index) {
            let order = resting(book, slot)?;
            let [bids, asks] = &mut open;
            let (side, open) = match slot.side == Side::Bid as u8 {
                true => (Side::Bid, bids),
                false => (Side::Ask, asks),
            };
            if let Some(reason) = self.reason(order, side, carried, open) {
                stale.push((*slot, reason));
            }
        }
        Ok(())
    }

    /// Why an order has to go, if it has to. `open` are the lots that orders of its side may still reduce.
    fn reason(&self, order: &Order, side: Side, carried: Carry, open: &mut i64) -> Option<RemovalReason> {
        if order.has_expired(self.now) {
            return Some(RemovalReason::Expired);
        }
        if self.has_ended() {
            return Some(RemovalReason::Ended);
        }
        let is_carried = match order.is_reduce_only() {
            true => {
                let reduces = *open > 0;
                *open = open.saturating_sub(order.lots);
                reduces && carried != Carry::None
            }
            false => carried == Carry::All,
        };
        if !is_carried {
            return Some(RemovalReason::NotCarried);
        }
        let blocks = self.venue.as_ref().is_some_and(|venue| venue.blocks(side, order));
        blocks.then_some(RemovalReason::OutsideBand)
    }
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

/// Whether everything that the account holds has a fresh and tight price: what another may be off by lowers E_im, and is no reason to lose
/// orders.
fn is_priced(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<bool> {
    for position in account.positions().iter().filter(|p| p.lots != 0) {
        let instrument = board.instrument(position.instrument)?;
        let asset = board.asset(position.asset)?;
        let is_settled = asset.settled(instrument, now)?.is_some();
        let is_priced = asset.price.quality(now) == Quality::Tight && asset.is_fresh(instrument, now)?;
        if !is_settled && !is_priced {
            return Ok(false);
        }
    }
    for balance in account.balances.iter().filter(|b| b.amount != 0) {
        if board.asset(balance.asset)?.price.quality(now) != Quality::Tight {
            return Ok(false);
        }
    }
    Ok(true)
}

impl CancelStaleOrders<'_> {
    /// Pays the bounty for `orders` orders out of the account's locked reserve, as far as that goes. While a position is open half of it stays
    /// for whoever liquidates the account.
    fn pay(&self, account: &mut MarginAccount, key: &Pubkey, orders: usize) -> Result<QuoteAmount> {
        let Some(cranker) = self.cranker.as_ref().filter(|cranker| cranker.as_ref().key != key) else {
            return Ok(QuoteAmount::ZERO);
        };
        let mut cranker = cranker.load_mut()?;
        if cranker.wallet == account.wallet {
            return Ok(QuoteAmount::ZERO);
        }
        let count = i64::try_from(orders).map_err(|_| BallastError::MathOverflow)?;
        let kept = if account.position_count > 0 {
            POSITION_RESERVE.0 / 2
        } else {
            0
        };
        let left = account.reserve.saturating_sub(kept);
        let due = STALE_ORDER_BOUNTY.0.saturating_mul(count).min(left).max(0);
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
