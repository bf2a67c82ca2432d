//! What one wallet has open and deposited over all its margin accounts.
use anchor_lang::prelude::*;

use super::{assert_layout, MAX_ASSETS, MAX_COLLATERALS};
use crate::error::BallastError;

/// A wallet's totals on one exchange: PDA of exchange and wallet.
#[account(zero_copy)]
#[derive(Debug)]
pub struct OwnerRecord {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub _padding: [u8; 2],
    /// Margin accounts open.
    pub margin_accounts: u32,
    /// The exchange.
    pub exchange: Pubkey,
    /// The wallet.
    pub wallet: Pubkey,
    /// Σ |quantity| per asset over all margin accounts, those of resting orders besides, 10⁻⁹ units.
    pub open_interest: [u64; MAX_ASSETS],
    /// Deposited less withdrawn per collateral, native units; never under 0.
    pub deposits: [u64; MAX_COLLATERALS],
    /// Highest event number of the margin accounts closed so far: one that is opened again goes on from here.
    pub closed_sequence: u64,
    /// A floor over every nonce that the quote ledgers closed so far could fill: one that is opened again goes on from here.
    pub closed_quote_floor: u64,
    /// Room to grow.
    pub _reserved: [u8; 176],
}
assert_layout!(
    OwnerRecord,
    648,
    version = 0,
    margin_accounts = 4,
    exchange = 8,
    wallet = 40,
    open_interest = 72,
    deposits = 328,
    closed_sequence = 456,
    closed_quote_floor = 464
);

impl OwnerRecord {
    /// Replaces the part `before` of the asset's open interest by `after`, both 10⁻⁹ units.
    pub fn change_open_interest(&mut self, asset: u8, before: u64, after: u64) -> Result<u64> {
        let total = self
            .open_interest
            .get_mut(usize::from(asset))
            .ok_or(BallastError::AssetNotListed)?;
        *total = total
            .checked_sub(before)
            .and_then(|rest| rest.checked_add(after))
            .ok_or(BallastError::MathOverflow)?;
        Ok(*total)
    }

    /// The deposits counter of a collateral.
    pub fn deposits_mut(&mut self, collateral: u8) -> Result<&mut u64> {
        Ok(self
            .deposits
            .get_mut(usize::from(collateral))
            .ok_or(BallastError::CollateralNotListed)?)
    }
}
