//! `fix_settlement`: anyone records the settlement price of an expiry whose average is complete.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::SettlementFixed;
use crate::state::RiskBoard;

/// Accounts of `fix_settlement`.
#[derive(Accounts)]
pub struct FixSettlement<'info> {
    /// The board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
}

/// Records the settlement price, which is what it is whether or not anybody does: the average decides alone (margin.md section 5).
///
/// # Errors
/// [`BallastError::InvalidExpiry`] where there is no such expiry, [`BallastError::SettlementPending`] before the average is complete,
/// [`BallastError::SettlementStands`] when the price is recorded already.
pub(crate) fn fix_settlement<'info>(ctx: Context<'info, FixSettlement<'info>>, asset: u8, expiry: i64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let mut board = ctx.accounts.board.load_mut()?;
    let expiry = board.expiry_mut(asset, expiry)?;
    ensure!(expiry.settlement.price == 0, BallastError::SettlementStands);
    ensure!(expiry.fix(now), BallastError::SettlementPending);
    emit!(SettlementFixed {
        asset,
        expiry: expiry.time,
        price: expiry.settlement.price,
        filled: expiry.settlement.filled,
    });
    Ok(())
}
