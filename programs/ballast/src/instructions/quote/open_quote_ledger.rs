//! `open_quote_ledger`: a margin account becomes one that can quote.
use anchor_lang::prelude::*;

use crate::error::BallastError;
use crate::events::QuoteLedgerOpened;
use crate::seeds;
use crate::state::{MarginAccount, OwnerRecord, QuoteLedger, DISCRIMINATOR, VERSION};

/// Accounts of `open_quote_ledger`.
#[event_cpi]
#[derive(Accounts)]
pub struct OpenQuoteLedger<'info> {
    /// The margin account.
    #[account(has_one = wallet @ BallastError::NotOwner, has_one = owner @ BallastError::WrongOwnerRecord)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// The ledger to be.
    #[account(
        init, payer = wallet, space = DISCRIMINATOR + size_of::<QuoteLedger>(),
        seeds = [seeds::QUOTE_LEDGER, margin_account.key().as_ref()], bump
    )]
    pub quote_ledger: AccountLoader<'info, QuoteLedger>,
    /// Owns the margin account and pays the ledger's rent.
    #[account(mut)]
    pub wallet: Signer<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

/// Opens the account's quote ledger. Its floor lies over every nonce that a ledger of this wallet closed before could fill, so that nothing
/// signed for one of them lives again.
pub(crate) fn open_quote_ledger<'info>(ctx: Context<'info, OpenQuoteLedger<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (margin_account, floor) = (accounts.margin_account.key(), accounts.owner.load()?.closed_quote_floor);
    let mut ledger = accounts.quote_ledger.load_init()?;
    ledger.version = VERSION;
    ledger.bump = ctx.bumps.quote_ledger;
    ledger.margin_account = margin_account;
    ledger.floor = floor;
    drop(ledger);
    emit_cpi!(QuoteLedgerOpened { margin_account, floor });
    Ok(())
}
