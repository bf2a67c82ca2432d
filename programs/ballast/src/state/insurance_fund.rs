//! The common insurance fund.
use anchor_lang::prelude::*;
use ballast_fixed::QuoteAmount;

use super::assert_layout;
use crate::error::BallastError;

/// The insurance fund of one exchange: PDA of the exchange. Its money lies in the quote vault.
#[account(zero_copy)]
#[derive(Debug)]
pub struct InsuranceFund {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// The exchange.
    pub exchange: Pubkey,
    /// What it has, quote units.
    pub balance: u64,
    /// What was ever contributed by `fund_insurance`, quote units.
    pub contributed: u64,
    /// What it ever received from liquidations and fees, quote units.
    pub earned: u64,
    /// What it ever paid to liquidators, quote units.
    pub bounties_paid: u64,
    /// Room for shares and the unstaking queue.
    pub _reserved: [u8; 256],
}
assert_layout!(
    InsuranceFund,
    328,
    version = 0,
    exchange = 8,
    balance = 40,
    contributed = 48,
    earned = 56,
    bounties_paid = 64
);

impl InsuranceFund {
    /// Takes in `amount` ≥ 0 from fees or liquidations.
    pub fn earn(&mut self, amount: QuoteAmount) -> Result<()> {
        let amount = u64::try_from(amount.0).map_err(|_| BallastError::MathOverflow)?;
        self.balance = self.balance.checked_add(amount).ok_or(BallastError::MathOverflow)?;
        self.earned = self.earned.saturating_add(amount);
        Ok(())
    }

    /// Pays a bounty of up to `amount` ≥ 0 and returns what it paid.
    pub fn pay_bounty(&mut self, amount: QuoteAmount) -> Result<QuoteAmount> {
        let asked = u64::try_from(amount.0).map_err(|_| BallastError::MathOverflow)?;
        let paid = asked.min(self.balance);
        self.balance = self.balance.saturating_sub(paid);
        self.bounties_paid = self.bounties_paid.saturating_add(paid);
        Ok(QuoteAmount(
            i64::try_from(paid).map_err(|_| BallastError::MathOverflow)?,
        ))
    }
}
