//! `settle_expiry`: anyone turns an account's position in an ended instrument into money.
use anchor_lang::prelude::*;

use crate::clearing::{close_expired, touch, Settlement};
use crate::error::{ensure, BallastError};
use crate::events::ExpirySettled;
use crate::margin;
use crate::state::{Exchange, InsuranceFund, MarginAccount, Market, OwnerRecord, QuotePool, RiskBoard};

/// Accounts of `settle_expiry`.
#[event_cpi]
#[derive(Accounts)]
pub struct SettleExpiry<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// Totals of the quote asset.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// The insurance fund, which earns its part of what settles.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub insurance_fund: AccountLoader<'info, InsuranceFund>,
    /// The instrument's market.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub market: AccountLoader<'info, Market>,
    /// The account.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange, has_one = owner @ BallastError::WrongOwnerRecord
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
}

/// Takes the lots out of the position at what the instrument pays for good, and settles it as far as it goes: what the pool can't pay yet, or
/// the account can't, stays in the position.
///
/// # Errors
/// [`BallastError::SettlementPending`] before the settlement price stands, [`BallastError::FundingDue`] before the last hour of a delisted
/// perpetual is on the board, [`BallastError::PositionMissing`] without a position,
/// [`BallastError::NothingToSettle`] when there are no lots and no money moves.
pub(crate) fn settle_expiry<'info>(ctx: Context<'info, SettleExpiry<'info>>) -> Result<()> {
    let event = settle(ctx.accounts)?;
    emit_cpi!(event);
    Ok(())
}

#[inline(never)]
fn settle<'info>(accounts: &SettleExpiry<'info>) -> Result<ExpirySettled> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut market = accounts.market.load_mut()?;
    let index = market.instrument;
    ensure!(
        exchange.market(index)? == accounts.market.key(),
        BallastError::WrongMarket
    );
    let mut account = accounts.margin_account.load_mut()?;
    let (mut pool, mut fund) = (accounts.quote_pool.load_mut()?, accounts.insurance_fund.load_mut()?);

    let instrument = board.instrument(index)?;
    let price = board.asset(instrument.asset)?.settled(instrument, now)?;
    let price = price.ok_or(BallastError::SettlementPending)?;
    // What is pending must be final, or who settles later would pay for an hour that the others were not paid for.
    instrument.check_funding(now)?;
    let at = account.find(index).ok_or(BallastError::PositionMissing)?;
    touch(&mut account, &mut market, instrument, now)?;
    let closed = close_expired(
        &mut account,
        at,
        &mut *accounts.owner.load_mut()?,
        &mut market,
        instrument,
        price,
    )?;
    let mut settlement = Settlement {
        exchange: &exchange,
        board: &board,
        pool: &mut pool,
        fund: &mut fund,
        now,
        credit: margin::credit(&board, &account, now)?,
    };
    let settled = settlement.settle(&mut account, at, &mut market)?;
    let (settled, waiting) = settled.ok_or(BallastError::NothingToSettle)?; // a position without lots always settles
    ensure!(closed.lots.0 != 0 || settled.moves(), BallastError::NothingToSettle);
    Ok(ExpirySettled {
        margin_account: accounts.margin_account.key(),
        sequence: account.next_sequence(),
        lots: closed.lots.0,
        price: price.0,
        value: closed.value.0,
        settled,
        waiting,
    })
}
