//! `unflag`: anyone stops the clock of an account that has recovered to a health of 1.10.
use anchor_lang::prelude::*;
use ballast_risk::liquidation::has_recovered;

use super::FlagAccount;
use crate::error::{ensure, BallastError, OrError};
use crate::events::Unflagged;
use crate::margin;

/// Takes the flag off.
pub(crate) fn unflag<'info>(ctx: Context<'info, FlagAccount<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let event = {
        let board = accounts.board.load()?;
        let mut account = accounts.margin_account.load_mut()?;
        ensure!(account.flag.clock().is_some(), BallastError::NotFlagged);
        let report = margin::evaluate_for_liquidation(&board, &account, now)?;
        ensure!(has_recovered(&report).or_error()?, BallastError::NotRecovered);
        account.flag = account.flag.stopped();
        Unflagged {
            margin_account: accounts.margin_account.key(),
            sequence: account.next_sequence(),
            equity: report.equity_maintenance.0,
            maintenance: report.maintenance.0,
        }
    };
    emit_cpi!(event);
    Ok(())
}
