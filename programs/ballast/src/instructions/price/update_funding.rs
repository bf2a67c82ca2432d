//! `update_funding`: anyone puts what a perpetual's book has shown over the index on the board, as its mark and its funding.
use anchor_lang::prelude::*;

use crate::clearing::{observe, update_basis};
use crate::error::{ensure, BallastError};
use crate::events::FundingUpdated;
use crate::state::{Market, RiskBoard};

/// Hours that one call closes at most, so that what it costs does not depend on how late it comes.
pub const HOURS_A_CALL: i64 = 4;

/// Accounts of `update_funding`.
#[derive(Accounts)]
pub struct UpdateFunding<'info> {
    /// The board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The perpetual's market. There is one of an instrument and generation, so the exchange need not be asked.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Closes the hours that are over, the last 23 of them exactly, and moves the mark. It closes [`HOURS_A_CALL`] of them at most and goes on
/// when it is called again: the mark moves with the last of such calls, and until then the board's hour is behind and fills are refused.
/// Nothing that is paid depends on when it is called: the mark alone does, which follows the book with a time constant of 300 s.
///
/// # Errors
/// [`BallastError::NotPerpetual`] for another instrument.
pub(crate) fn update_funding<'info>(ctx: Context<'info, UpdateFunding<'info>>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let mut board = ctx.accounts.board.load_mut()?;
    let mut market = ctx.accounts.market.load_mut()?;
    ensure!(market.exchange == board.exchange, BallastError::WrongExchange);
    let index = market.instrument;
    let mut instrument = *board.instrument(index)?;
    ensure!(
        instrument.generation == market.generation,
        BallastError::StaleGeneration
    );
    ensure!(instrument.is_perpetual(), BallastError::NotPerpetual);
    let now = instrument.funded_until(now);
    let is_done = observe(&board, &instrument, &mut market, now, HOURS_A_CALL)?;
    // What has ended keeps its last basis: a mark of the extension must not hang on when somebody calls this.
    if is_done && !instrument.is_expired(now) {
        let asset = board.asset(instrument.asset)?;
        update_basis(asset, &mut instrument, &mut market.premium, now)?;
    }
    let premium = &market.premium;
    let is_new = premium.funding_hour != instrument.funding_hour;
    instrument.funding_index = premium.funding_index;
    instrument.funding_rate = premium.funding_rate;
    instrument.funding_hour = premium.funding_hour;
    let listed = board.instruments.get_mut(usize::from(index));
    *listed.ok_or(BallastError::InstrumentNotListed)? = instrument;
    if is_new {
        emit!(FundingUpdated {
            market: ctx.accounts.market.key(),
            instrument: index,
            hour: instrument.funding_hour,
            index: instrument.funding_index,
            rate: instrument.funding_rate,
        });
    }
    Ok(())
}
