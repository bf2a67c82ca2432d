//! `reconcile_owner`: anyone has an owner's record forget orders that were filled or removed without it.
use anchor_lang::prelude::*;

use crate::error::BallastError;
use crate::state::{MarginAccount, OwnerRecord};

/// Accounts of `reconcile_owner`.
#[derive(Accounts)]
pub struct ReconcileOwner<'info> {
    /// The account whose orders they were.
    #[account(mut, has_one = owner @ BallastError::WrongOwnerRecord)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
}

/// Takes what the record counts for orders that are no more off it.
pub(crate) fn reconcile_owner<'info>(ctx: Context<'info, ReconcileOwner<'info>>) -> Result<()> {
    let mut owner = ctx.accounts.owner.load_mut()?;
    ctx.accounts.margin_account.load_mut()?.reconcile(&mut owner)
}
