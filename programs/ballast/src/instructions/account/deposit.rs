//! `deposit`: collateral or cash into a margin account.
use anchor_lang::prelude::*;
use anchor_spl::token::{transfer, Token, TokenAccount, Transfer};
use ballast_fixed::QuoteAmount;

use crate::error::{ensure, BallastError, OrError};
use crate::events::Deposited;
use crate::state::{Balance, Collateral, MarginAccount, OwnerRecord, QuotePool};

/// Accounts of `deposit`.
#[event_cpi]
#[derive(Accounts)]
pub struct Deposit<'info> {
    /// The collateral.
    #[account(mut, has_one = vault @ BallastError::WrongVault)]
    pub collateral: AccountLoader<'info, Collateral>,
    /// Its vault.
    #[account(mut, dup)] // that it is not the other side is checked below, with a named error
    pub vault: Box<Account<'info, TokenAccount>>,
    /// Totals of the quote asset.
    #[account(mut)]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// The account that is credited.
    #[account(mut, has_one = owner @ BallastError::WrongOwnerRecord)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Where the tokens come from.
    #[account(mut, dup, constraint = source.mint == vault.mint @ BallastError::WrongMint)]
    pub source: Box<Account<'info, TokenAccount>>,
    /// The account's wallet or a delegate; authority over the source.
    pub depositor: Signer<'info>,
    /// SPL token program.
    pub token_program: Program<'info, Token>,
}

impl Deposit<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        ensure!(amount > 0, BallastError::ZeroAmount);
        let account = self.margin_account.load()?;
        ensure!(account.may_trade(self.depositor.key), BallastError::NotTrader);
        ensure!(
            self.collateral.load()?.exchange == account.exchange,
            BallastError::WrongExchange
        );
        ensure!(
            self.quote_pool.load()?.exchange == account.exchange,
            BallastError::WrongExchange
        );
        ensure!(
            self.source.amount >= amount && !self.source.is_frozen(),
            BallastError::TokenAccountUnusable
        );
        // The vault as a source would credit tokens that are already somebody's.
        ensure!(self.source.key() != self.vault.key(), BallastError::DuplicateAccount);
        Ok(())
    }
}

/// Deposits `amount` native units of the collateral's mint.
#[access_control(ctx.accounts.validate(amount))]
pub(crate) fn deposit<'info>(ctx: Context<'info, Deposit<'info>>, amount: u64) -> Result<()> {
    credit(ctx.accounts, amount)?;
    let accounts = &ctx.accounts;
    transfer(
        CpiContext::new(
            accounts.token_program.key(),
            Transfer {
                from: accounts.source.to_account_info(),
                to: accounts.vault.to_account_info(),
                authority: accounts.depositor.to_account_info(),
            },
        ),
        amount,
    )?;
    let sequence = accounts.margin_account.load_mut()?.next_sequence();
    let event = Deposited {
        margin_account: accounts.margin_account.key(),
        sequence,
        mint: accounts.vault.mint,
        amount,
    };
    emit_cpi!(event);
    Ok(())
}

/// Credits the account within the caps. What repays a debt passes both: an account can always be rescued.
fn credit(accounts: &Deposit, amount: u64) -> Result<()> {
    let mut collateral = accounts.collateral.load_mut()?;
    let mut account = accounts.margin_account.load_mut()?;
    let mut owner = accounts.owner.load_mut()?;
    let debt = if collateral.is_quote() {
        account.cash.min(0).unsigned_abs()
    } else {
        0
    };
    let deposits = owner.deposits_mut(collateral.index)?;
    *deposits = deposits.checked_add(amount).ok_or(BallastError::MathOverflow)?;
    if amount > debt {
        let held = accounts
            .vault
            .amount
            .checked_add(amount)
            .ok_or(BallastError::MathOverflow)?;
        ensure!(held <= collateral.deposit_cap, BallastError::DepositCapExceeded);
        ensure!(
            *deposits <= collateral.owner_deposit_cap,
            BallastError::OwnerDepositCapExceeded
        );
    }
    if collateral.is_quote() {
        let amount = QuoteAmount(i64::try_from(amount).map_err(|_| BallastError::MathOverflow)?);
        let before = account.quote_balance().or_error()?;
        account.cash = QuoteAmount(account.cash).plus(amount).or_error()?.0;
        let after = account.quote_balance().or_error()?;
        return accounts.quote_pool.load_mut()?.rebalance(before, after);
    }
    collateral.total_deposits = collateral
        .total_deposits
        .checked_add(amount)
        .ok_or(BallastError::MathOverflow)?;
    account.add_balance(Balance {
        collateral: collateral.index,
        asset: collateral.asset,
        decimals: collateral.decimals,
        amount,
        ..Balance::default()
    })
}
