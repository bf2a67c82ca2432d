//! `update_correlations`: anyone counts the hours that are over of how pairs of assets have moved together.
use anchor_lang::prelude::*;

use crate::events::CorrelationsUpdated;
use crate::state::RiskBoard;

/// Hours of each pair that one call counts at most, so that what it costs does not depend on how late it comes.
pub const PAIR_HOURS_A_CALL: u32 = 4;

/// Accounts of `update_correlations`.
#[derive(Accounts)]
pub struct UpdateCorrelations<'info> {
    /// The board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
}

/// Counts full hours, [`PAIR_HOURS_A_CALL`] of them a pair at most, and takes the level weights that the correlations leave: where a pair
/// correlates less than its reference, the levels that join it weigh less, and the level without netting that much more. Nothing depends on
/// when it is called within a day; hours that are longer ago only make what is known older.
pub(crate) fn update_correlations<'info>(ctx: Context<'info, UpdateCorrelations<'info>>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let mut board = ctx.accounts.board.load_mut()?;
    board.update_correlations(PAIR_HOURS_A_CALL, now)?;
    emit!(CorrelationsUpdated {
        board: ctx.accounts.board.key(),
        level_weights: board.effective_weights,
    });
    Ok(())
}
