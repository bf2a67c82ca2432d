//! `flag`: anyone starts, or confirms, the auction clock of an account under its maintenance margin.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::Flagged;
use crate::margin;
use crate::state::{Exchange, Flag, MarginAccount, RiskBoard};

/// Accounts of `flag` and `unflag`.
#[event_cpi]
#[derive(Accounts)]
pub struct FlagAccount<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The account.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
}

/// Starts the clock; confirms it when it runs; starts it anew when it has lapsed.
pub(crate) fn flag<'info>(ctx: Context<'info, FlagAccount<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = Clock::get()?;
    let now = clock.unix_timestamp;
    let event = {
        let board = accounts.board.load()?;
        let mut account = accounts.margin_account.load_mut()?;
        let report = margin::evaluate_for_liquidation(&board, &account, now)?;
        ensure!(report.is_liquidatable(), BallastError::AccountHealthy);
        let auction = accounts.exchange.load()?.auction.risk();
        match account.flag.clock() {
            Some(running) if !running.has_lapsed(now, &auction) => account.flag.confirmed_at = now,
            _ => {
                // What was taken in the current window stays counted.
                account.flag = Flag {
                    started_at: now,
                    started_slot: clock.slot,
                    confirmed_at: now,
                    ..account.flag
                };
            }
        }
        Flagged {
            margin_account: accounts.margin_account.key(),
            sequence: account.next_sequence(),
            started_at: account.flag.started_at,
            equity: report.equity_liquidation.0,
            maintenance: report.maintenance.0,
        }
    };
    emit_cpi!(event);
    Ok(())
}
