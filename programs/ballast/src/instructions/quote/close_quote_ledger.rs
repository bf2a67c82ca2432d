//! `close_quote_ledger`: a margin account quotes no more and gets the ledger's rent back.
use anchor_lang::prelude::*;

use crate::error::BallastError;
use crate::events::QuoteLedgerClosed;
use crate::state::{MarginAccount, OwnerRecord, QuoteLedger, QUOTE_WINDOW};

/// Accounts of `close_quote_ledger`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseQuoteLedger<'info> {
    /// The margin account.
    #[account(has_one = wallet @ BallastError::NotOwner, has_one = owner @ BallastError::WrongOwnerRecord)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record, which remembers what was closed.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Its ledger.
    #[account(mut, close = wallet, has_one = margin_account @ BallastError::WrongQuoteLedger)]
    pub quote_ledger: AccountLoader<'info, QuoteLedger>,
    /// The margin account's wallet, which gets the rent.
    #[account(mut)]
    pub wallet: Signer<'info>,
}

/// Closes the account's quote ledger: every quote that it has signed is void.
pub(crate) fn close_quote_ledger<'info>(ctx: Context<'info, CloseQuoteLedger<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let end = accounts.quote_ledger.load()?.floor.checked_add(QUOTE_WINDOW);
    let end = end.ok_or(BallastError::MathOverflow)?;
    let mut owner = accounts.owner.load_mut()?;
    owner.closed_quote_floor = owner.closed_quote_floor.max(end);
    drop(owner);
    emit_cpi!(QuoteLedgerClosed {
        margin_account: ctx.accounts.margin_account.key(),
    });
    Ok(())
}
