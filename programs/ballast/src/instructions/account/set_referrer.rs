//! `set_referrer`: a wallet names, once, the account that earns a part of what it pays as a taker.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::ReferrerSet;
use crate::state::MarginAccount;

/// Accounts of `set_referrer`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetReferrer<'info> {
    /// The account that pays fees.
    #[account(mut, has_one = wallet @ BallastError::NotOwner)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Another wallet's account of the same exchange.
    pub referrer: AccountLoader<'info, MarginAccount>,
    /// Owns the account.
    pub wallet: Signer<'info>,
}

impl SetReferrer<'_> {
    fn validate(&self) -> Result<()> {
        ensure!(
            self.margin_account.key() != self.referrer.key(),
            BallastError::SelfReferral
        );
        let (account, referrer) = (self.margin_account.load()?, self.referrer.load()?);
        ensure!(account.exchange == referrer.exchange, BallastError::WrongExchange);
        ensure!(account.wallet != referrer.wallet, BallastError::SelfReferral);
        let is_first = account.referrer == Pubkey::default();
        ensure!(is_first, BallastError::ReferrerAlreadySet);
        Ok(())
    }
}

/// Names the account's referrer, for good: else a taker could take from one what another has brought.
#[access_control(ctx.accounts.validate())]
pub(crate) fn set_referrer<'info>(ctx: Context<'info, SetReferrer<'info>>) -> Result<()> {
    let referrer = ctx.accounts.referrer.key();
    ctx.accounts.margin_account.load_mut()?.referrer = referrer;
    emit_cpi!(ReferrerSet {
        margin_account: ctx.accounts.margin_account.key(),
        referrer,
    });
    Ok(())
}
