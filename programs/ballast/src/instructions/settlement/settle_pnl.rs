//! `settle_pnl`: anyone turns an account's profit and loss into cash.
use anchor_lang::prelude::*;

use crate::clearing::{load_market, Settlement};
use crate::error::{ensure, BallastError};
use crate::events::Settled;
use crate::margin;
use crate::state::{Exchange, InsuranceFund, MarginAccount, Market, QuotePool, RiskBoard};

/// Accounts of `settle_pnl`. Behind them come the markets of the positions to settle, each once.
#[event_cpi]
#[derive(Accounts)]
pub struct SettlePnl<'info> {
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
    /// The account.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
}

/// Settles the positions whose markets are passed, in that order, each as far as it goes.
///
/// # Errors
/// [`BallastError::NothingToSettle`] when none of them moves anything; the positions that can't settle are otherwise left as they are.
/// [`BallastError::FundingDue`] for lots of a delisted perpetual that has ended, before its last hour is on the board.
pub(crate) fn settle_pnl<'info>(ctx: Context<'info, SettlePnl<'info>>) -> Result<()> {
    ensure!(!ctx.remaining_accounts.is_empty(), BallastError::MarketMissing);
    let events = settle_all(ctx.accounts, ctx.remaining_accounts)?;
    ensure!(!events.is_empty(), BallastError::NothingToSettle);
    for event in events {
        emit_cpi!(event);
    }
    Ok(())
}

/// Settles each market's position; returns what moved.
#[inline(never)]
fn settle_all<'info>(accounts: &SettlePnl<'info>, markets: &'info [AccountInfo<'info>]) -> Result<Vec<Settled>> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut account = accounts.margin_account.load_mut()?;
    let (mut pool, mut fund) = (accounts.quote_pool.load_mut()?, accounts.insurance_fund.load_mut()?);
    let mut settlement = Settlement {
        exchange: &exchange,
        board: &board,
        pool: &mut pool,
        fund: &mut fund,
        now,
        credit: margin::credit(&board, &account, now)?,
    };
    let mut events = Vec::with_capacity(markets.len());
    for (n, info) in markets.iter().enumerate() {
        let is_new = markets.iter().take(n).all(|other| other.key != info.key);
        ensure!(is_new, BallastError::UnexpectedAccount);
        let instrument = AccountLoader::<Market>::try_from(info)?.load()?.instrument;
        let loader = load_market(&exchange, instrument, info)?;
        let mut market = loader.load_mut()?;
        let at = account.find(instrument).ok_or(BallastError::PositionMissing)?;
        let settled = settlement.settle(&mut account, at, &mut market)?;
        if let Some((settled, waiting)) = settled.filter(|(settled, _)| settled.moves()) {
            events.push(Settled {
                margin_account: accounts.margin_account.key(),
                sequence: account.next_sequence(),
                settled,
                waiting,
            });
        }
    }
    Ok(events)
}
