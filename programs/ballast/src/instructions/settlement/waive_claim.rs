//! `waive_claim`: an owner gives up what nobody has paid of a settled position, so that its slot comes free.
use anchor_lang::prelude::*;
use ballast_fixed::Dollars;

use crate::clearing::{release, Settlement};
use crate::error::{ensure, BallastError, OrError};
use crate::events::ClaimWaived;
use crate::margin;
use crate::state::{Exchange, InsuranceFund, MarginAccount, Market, QuotePool, RiskBoard};

/// Accounts of `waive_claim`.
#[event_cpi]
#[derive(Accounts)]
pub struct WaiveClaim<'info> {
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
        mut, has_one = exchange @ BallastError::WrongExchange, has_one = wallet @ BallastError::NotOwner
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet; a delegate can't give anything up.
    pub wallet: Signer<'info>,
}

/// Settles a position without lots in an ended instrument as far as the pool goes and waives the rest, which becomes the market's residual
/// (margin.md section 9). What backs other positions can't be given up: they have to be covered without it.
///
/// # Errors
/// [`BallastError::SettlementPending`] before the settlement price stands, [`BallastError::PositionMissing`] without a position,
/// [`BallastError::NoClaim`] for one with lots or without a positive quote, [`BallastError::InsufficientMargin`] when the account needs it.
pub(crate) fn waive_claim<'info>(ctx: Context<'info, WaiveClaim<'info>>) -> Result<()> {
    let event = waive(ctx.accounts)?;
    emit_cpi!(event);
    Ok(())
}

#[inline(never)]
fn waive<'info>(accounts: &WaiveClaim<'info>) -> Result<ClaimWaived> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut market = accounts.market.load_mut()?;
    let index = market.instrument;
    ensure!(
        exchange.market(index)? == accounts.market.key(),
        BallastError::WrongMarket
    );
    let instrument = board.instrument(index)?;
    let price = board.asset(instrument.asset)?.settled(instrument, now)?;
    ensure!(price.is_some(), BallastError::SettlementPending);
    let mut account = accounts.margin_account.load_mut()?;
    let position = *account.position(index).ok_or(BallastError::PositionMissing)?;
    ensure!(position.lots == 0 && position.quote > 0, BallastError::NoClaim);
    let at = account.find(index).ok_or(BallastError::PositionMissing)?;

    let (mut pool, mut fund) = (accounts.quote_pool.load_mut()?, accounts.insurance_fund.load_mut()?);
    let mut settlement = Settlement {
        exchange: &exchange,
        board: &board,
        pool: &mut pool,
        fund: &mut fund,
        now,
        credit: Dollars::ZERO, // a gain asks for none
    };
    let settled = settlement.settle(&mut account, at, &mut market)?;
    let (settled, _) = settled.ok_or(BallastError::NoClaim)?; // a position without lots always settles
    let mut waived = 0;
    if account.find(index).is_some() {
        let held = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
        waived = std::mem::take(&mut held.quote);
        market.residual = market.residual.checked_add(waived).ok_or(BallastError::MathOverflow)?;
        release(&mut account, &mut market, at)?;
    }
    let report = margin::evaluate(&board, &account, now)?;
    let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
    let covered = report.equity_initial >= required && !report.is_liquidatable();
    ensure!(covered, BallastError::InsufficientMargin);
    Ok(ClaimWaived {
        margin_account: accounts.margin_account.key(),
        sequence: account.next_sequence(),
        settled,
        waived,
    })
}
