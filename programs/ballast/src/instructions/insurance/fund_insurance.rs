//! `fund_insurance`: anyone adds quote to the insurance fund.
use anchor_lang::prelude::*;
use anchor_spl::token::{transfer, Token, TokenAccount, Transfer};

use crate::error::{ensure, BallastError};
use crate::events::InsuranceFunded;
use crate::state::{Collateral, InsuranceFund};

/// Accounts of `fund_insurance`.
#[event_cpi]
#[derive(Accounts)]
pub struct FundInsurance<'info> {
    /// The quote asset.
    #[account(has_one = vault @ BallastError::WrongVault)]
    pub quote_collateral: AccountLoader<'info, Collateral>,
    /// Its vault.
    #[account(mut, dup)] // that it is not the other side is checked below, with a named error
    pub vault: Box<Account<'info, TokenAccount>>,
    /// The fund.
    #[account(mut)]
    pub insurance_fund: AccountLoader<'info, InsuranceFund>,
    /// Where the tokens come from.
    #[account(mut, dup, constraint = source.mint == vault.mint @ BallastError::WrongMint)]
    pub source: Box<Account<'info, TokenAccount>>,
    /// Authority over the source.
    pub contributor: Signer<'info>,
    /// SPL token program.
    pub token_program: Program<'info, Token>,
}

impl FundInsurance<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        ensure!(amount > 0, BallastError::ZeroAmount);
        let quote = self.quote_collateral.load()?;
        ensure!(quote.is_quote(), BallastError::WrongMint);
        ensure!(
            quote.exchange == self.insurance_fund.load()?.exchange,
            BallastError::WrongExchange
        );
        ensure!(self.source.key() != self.vault.key(), BallastError::DuplicateAccount);
        ensure!(
            self.source.amount >= amount && !self.source.is_frozen(),
            BallastError::TokenAccountUnusable
        );
        Ok(())
    }
}

/// Contributes `amount` quote units; a contribution is a gift and can't be taken back.
#[access_control(ctx.accounts.validate(amount))]
pub(crate) fn fund_insurance<'info>(ctx: Context<'info, FundInsurance<'info>>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (exchange, balance) = {
        let mut fund = accounts.insurance_fund.load_mut()?;
        fund.balance = fund.balance.checked_add(amount).ok_or(BallastError::MathOverflow)?;
        fund.contributed = fund.contributed.saturating_add(amount);
        (fund.exchange, fund.balance)
    };
    transfer(
        CpiContext::new(
            accounts.token_program.key(),
            Transfer {
                from: accounts.source.to_account_info(),
                to: accounts.vault.to_account_info(),
                authority: accounts.contributor.to_account_info(),
            },
        ),
        amount,
    )?;
    emit_cpi!(InsuranceFunded {
        exchange,
        contributor: ctx.accounts.contributor.key(),
        amount,
        balance,
    });
    Ok(())
}
