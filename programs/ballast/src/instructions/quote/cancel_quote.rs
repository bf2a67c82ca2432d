//! `cancel_quote`: a maker takes one of its signed quotes back.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::QuoteCancelled;
use crate::state::{MarginAccount, QuoteLedger};

/// Accounts of `cancel_quote` and `raise_quote_floor`.
#[event_cpi]
#[derive(Accounts)]
pub struct ManageQuotes<'info> {
    /// The maker's margin account.
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its ledger.
    #[account(mut, has_one = margin_account @ BallastError::WrongQuoteLedger)]
    pub quote_ledger: AccountLoader<'info, QuoteLedger>,
    /// The maker's wallet or a delegate.
    pub trader: Signer<'info>,
}

impl ManageQuotes<'_> {
    pub(super) fn validate(&self) -> Result<()> {
        let may_trade = self.margin_account.load()?.may_trade(self.trader.key);
        ensure!(may_trade, BallastError::NotTrader);
        Ok(())
    }
}

/// Makes a nonce one that can't be filled, or not any further. Nobody needs to have seen a quote of it.
#[access_control(ctx.accounts.validate())]
pub(crate) fn cancel_quote<'info>(ctx: Context<'info, ManageQuotes<'info>>, nonce: u64) -> Result<()> {
    ctx.accounts.quote_ledger.load_mut()?.cancel(nonce)?;
    emit_cpi!(QuoteCancelled {
        margin_account: ctx.accounts.margin_account.key(),
        nonce,
    });
    Ok(())
}
