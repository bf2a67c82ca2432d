//! `claim_referral`: a referrer is paid its part of the fees of an account that it has brought.
use anchor_lang::prelude::*;
use ballast_fixed::QuoteAmount;

use crate::error::{ensure, BallastError, OrError};
use crate::events::ReferralClaimed;
use crate::state::{MarginAccount, QuotePool};

/// Accounts of `claim_referral`.
#[event_cpi]
#[derive(Accounts)]
pub struct ClaimReferral<'info> {
    /// Totals of the quote asset, and the collected fees.
    #[account(
        mut,
        constraint = quote_pool.load()?.exchange == margin_account.load()?.exchange @ BallastError::WrongExchange
    )]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// The account that has paid fees.
    #[account(mut, has_one = referrer @ BallastError::WrongReferrer)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// The account that it names as its referrer.
    /// CHECK: its address is the one that `set_referrer` has checked; it may have been closed since.
    #[account(mut)]
    pub referrer: UncheckedAccount<'info>,
}

/// Moves what is due to the account's referrer into its cash, as far as fees have been collected; the rest stays due. A referrer that was closed gets
/// nothing, and nothing is due to it any more: the account that it brought can be closed too.
pub(crate) fn claim_referral<'info>(ctx: Context<'info, ClaimReferral<'info>>) -> Result<()> {
    let accounts: &'info ClaimReferral<'info> = &*ctx.accounts;
    let mut account = accounts.margin_account.load_mut()?;
    ensure!(account.referral_due > 0, BallastError::NothingDue);
    let amount = if accounts.referrer.data_is_empty() {
        account.referral_due = 0;
        0
    } else {
        let amount = pay(accounts, account.referral_due)?;
        account.referral_due = account.referral_due.saturating_sub(amount); // at most what is due
        amount
    };
    let left = account.referral_due;
    drop(account);
    emit_cpi!(ReferralClaimed {
        margin_account: ctx.accounts.margin_account.key(),
        referrer: ctx.accounts.referrer.key(),
        amount,
        left,
    });
    Ok(())
}

/// Pays as much of `due` as there is; returns it.
fn pay<'info>(accounts: &'info ClaimReferral<'info>, due: u64) -> Result<u64> {
    let mut pool = accounts.quote_pool.load_mut()?;
    let amount = due.min(pool.collected_fees);
    ensure!(amount > 0, BallastError::NothingDue);
    // Discriminator and owner are checked here.
    let referrer = AccountLoader::<MarginAccount>::try_from(&accounts.referrer)?;
    let mut referrer = referrer.load_mut()?;
    let before = referrer.quote_balance().or_error()?;
    let paid = i64::try_from(amount).map_err(|_| BallastError::MathOverflow)?;
    referrer.cash = QuoteAmount(referrer.cash).plus(QuoteAmount(paid)).or_error()?.0;
    pool.rebalance(before, referrer.quote_balance().or_error()?)?;
    pool.collected_fees = pool.collected_fees.saturating_sub(amount); // at most what there is
    Ok(amount)
}
