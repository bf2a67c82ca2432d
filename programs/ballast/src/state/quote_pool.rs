//! The quote asset as a pool: what accounts have supplied and borrowed.
use anchor_lang::prelude::*;
use ballast_fixed::QuoteAmount;

use super::{assert_layout, Limits};
use crate::error::{ensure, BallastError};

/// Totals of the quote asset: PDA of the exchange.
///
/// An account's balance here is its cash plus its locked reserve. Positive balances are supplied, negative ones borrowed, so that
/// vault = supplied − borrowed + Σ market pools + insurance fund + collected fees.
#[account(zero_copy)]
#[derive(Debug)]
pub struct QuotePool {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// The exchange.
    pub exchange: Pubkey,
    /// Σ of positive balances, quote units.
    pub supplied: u64,
    /// Σ of negative balances, quote units.
    pub borrowed: u64,
    /// Trading fees realised for the exchange, quote units.
    pub collected_fees: u64,
    /// Room for the interest indices.
    pub _reserved: [u8; 192],
}
assert_layout!(
    QuotePool,
    256,
    version = 0,
    exchange = 8,
    supplied = 40,
    borrowed = 48,
    collected_fees = 56
);

impl QuotePool {
    /// Moves one account's balance (cash + reserve) from `before` to `after`.
    pub fn rebalance(&mut self, before: QuoteAmount, after: QuoteAmount) -> Result<()> {
        let (supplied_before, borrowed_before) = split(before);
        let (supplied_after, borrowed_after) = split(after);
        self.supplied = replace(self.supplied, supplied_before, supplied_after)?;
        self.borrowed = replace(self.borrowed, borrowed_before, borrowed_after)?;
        Ok(())
    }

    /// Quote units that an account at `balance` may still take out by going deeper into debt, within the caps.
    ///
    /// What it has supplied itself is not debt; past that, its own cap, the cap of all accounts and the utilisation bound hold.
    pub fn borrowing_room(&self, limits: &Limits, balance: QuoteAmount) -> Result<QuoteAmount> {
        let (supplied, borrowed) = split(balance);
        let own = limits.account_borrow_cap.saturating_sub(borrowed);
        let total = limits.total_borrow_cap.saturating_sub(self.borrowed);
        // What the account takes out of its own supply no longer backs a loan.
        let others = u128::from(self.supplied.saturating_sub(supplied));
        let lendable = others.saturating_mul(u128::from(limits.max_utilisation_ppm)) / 1_000_000;
        let lendable = u64::try_from(lendable)
            .unwrap_or(u64::MAX)
            .saturating_sub(self.borrowed);
        let room = supplied.saturating_add(own.min(total).min(lendable));
        Ok(QuoteAmount(i64::try_from(room).unwrap_or(i64::MAX)))
    }

    /// Takes in `fees` ≥ 0 of what a market's pool has paid out.
    pub fn collect(&mut self, fees: QuoteAmount) -> Result<()> {
        let fees = u64::try_from(fees.0).map_err(|_| BallastError::MathOverflow)?;
        self.collected_fees = self
            .collected_fees
            .checked_add(fees)
            .ok_or(BallastError::MathOverflow)?;
        Ok(())
    }

    /// Whether the vault still covers everything but supplied cash: loans never exceed what is supplied.
    pub fn invariant(&self) -> Result<()> {
        ensure!(self.borrowed <= self.supplied, BallastError::QuotePoolIlliquid);
        Ok(())
    }
}

fn split(balance: QuoteAmount) -> (u64, u64) {
    if balance.0 >= 0 {
        (balance.0.unsigned_abs(), 0)
    } else {
        (0, balance.0.unsigned_abs())
    }
}

fn replace(total: u64, before: u64, after: u64) -> Result<u64> {
    Ok(total
        .checked_sub(before)
        .and_then(|rest| rest.checked_add(after))
        .ok_or(BallastError::MathOverflow)?)
}
