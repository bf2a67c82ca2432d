//! `close_margin_account`: an empty account gives its rent back.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::MarginAccountClosed;
use crate::state::{MarginAccount, OwnerRecord};

/// Accounts of `close_margin_account`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseMarginAccount<'info> {
    /// The account.
    #[account(
        mut, close = wallet,
        has_one = wallet @ BallastError::NotOwner, has_one = owner @ BallastError::WrongOwnerRecord
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// The wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Its wallet, which gets the rent.
    #[account(mut)]
    pub wallet: Signer<'info>,
}

impl CloseMarginAccount<'_> {
    fn validate(&self) -> Result<()> {
        let account = self.margin_account.load()?;
        let empty = account.position_count == 0
            && account.cash == 0
            && account.reserve == 0
            && account.order_count() == 0
            && account.referral_due == 0
            && account.balances.iter().all(|b| b.amount == 0);
        ensure!(empty, BallastError::AccountNotEmpty);
        Ok(())
    }
}

/// Closes an empty account.
#[access_control(ctx.accounts.validate())]
pub(crate) fn close_margin_account<'info>(ctx: Context<'info, CloseMarginAccount<'info>>) -> Result<()> {
    let mut owner = ctx.accounts.owner.load_mut()?;
    let mut account = ctx.accounts.margin_account.load_mut()?;
    account.reconcile(&mut owner)?; // what was counted for its orders would stay counted for ever
    owner.closed_sequence = owner.closed_sequence.max(account.sequence);
    owner.margin_accounts = owner.margin_accounts.checked_sub(1).ok_or(BallastError::MathOverflow)?;
    drop((owner, account));
    emit_cpi!(MarginAccountClosed {
        margin_account: ctx.accounts.margin_account.key(),
        wallet: ctx.accounts.wallet.key(),
    });
    Ok(())
}
