//! A mint that the exchange holds.
use anchor_lang::prelude::*;
use ballast_fixed::{Checked, Overflow, Quantity};

use super::{assert_layout, QUOTE_ASSET};

/// A mint accepted by the exchange and the vault that holds it: PDA of exchange and mint.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Collateral {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Index among the exchange's collaterals; 0 is the quote asset.
    pub index: u8,
    /// Index of the asset on the board; [`QUOTE_ASSET`] for the quote asset.
    pub asset: u8,
    /// Decimals of the mint, at most 9.
    pub decimals: u8,
    /// Zero.
    pub _padding: [u8; 3],
    /// The exchange.
    pub exchange: Pubkey,
    /// The mint.
    pub mint: Pubkey,
    /// The token account that holds it; its authority is the exchange.
    pub vault: Pubkey,
    /// Σ of the balances of all margin accounts, native units; 0 for the quote asset, whose claims are cash.
    pub total_deposits: u64,
    /// Most that the exchange holds, native units.
    pub deposit_cap: u64,
    /// Most that one owner deposits, native units.
    pub owner_deposit_cap: u64,
    /// Room for the withdrawal window, the queue and the warm-up.
    pub _reserved: [u8; 256],
}
assert_layout!(
    Collateral,
    384,
    version = 0,
    index = 2,
    asset = 3,
    decimals = 4,
    exchange = 8,
    mint = 40,
    vault = 72,
    total_deposits = 104,
    deposit_cap = 112,
);

impl Collateral {
    /// Whether this is the quote asset.
    pub fn is_quote(&self) -> bool {
        self.asset == QUOTE_ASSET
    }
}

/// A native amount of a mint with `decimals` ≤ 9 as a quantity in 10⁻⁹. Exact; fails on overflow.
pub fn native_quantity(amount: u64, decimals: u8) -> Checked<Quantity> {
    let scale = 10i64
        .checked_pow(9u32.checked_sub(u32::from(decimals)).ok_or(Overflow)?)
        .ok_or(Overflow)?;
    let amount = i64::try_from(amount).map_err(|_| Overflow)?;
    amount.checked_mul(scale).map(Quantity).ok_or(Overflow)
}
