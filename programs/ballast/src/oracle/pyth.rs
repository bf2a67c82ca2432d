//! Pyth pull updates: `PriceUpdateV2` of the receiver program.
//!
//! The vendor's crate fixes one receiver at compile time and both are live, so the documented bytes are read here.
use anchor_lang::prelude::*;

use super::{bytes, PriceUpdate};
use crate::error::{ensure, fail, BallastError};

/// Programs whose price updates are accepted.
pub const RECEIVERS: [Pubkey; 2] = [
    pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
    pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
];

/// sha256("account:PriceUpdateV2")[..8]
pub const DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];
/// Size of the account.
pub const LEN: usize = 134;

/// Offset of the verification level: 0 partial (a count of signatures follows), 1 full.
const VERIFICATION: usize = 40;
const FULL: u8 = 1;
/// Offset of the message behind a full verification level.
const MESSAGE: usize = 41;

/// Reads a fully verified price update.
///
/// # Errors
/// [`BallastError::PriceWrongOwner`], [`BallastError::PriceWrongLayout`] and [`BallastError::PriceNotVerified`].
pub fn read(account: &AccountInfo) -> Result<PriceUpdate> {
    ensure!(RECEIVERS.contains(account.owner), BallastError::PriceWrongOwner);
    let data = account.try_borrow_data()?;
    parse(&data)
}

/// Reads the bytes of a `PriceUpdateV2`, discriminator included.
///
/// # Errors
/// As [`read`], the owner apart.
pub fn parse(data: &[u8]) -> Result<PriceUpdate> {
    ensure!(
        data.len() == LEN && data.starts_with(&DISCRIMINATOR),
        BallastError::PriceWrongLayout
    );
    match data.get(VERIFICATION) {
        Some(&FULL) => {}
        Some(0) => return Err(fail(BallastError::PriceNotVerified)),
        _ => return Err(fail(BallastError::PriceWrongLayout)),
    }
    Ok(PriceUpdate {
        feed_id: bytes(data, MESSAGE)?,
        price: i64::from_le_bytes(bytes(data, MESSAGE + 32)?),
        confidence: u64::from_le_bytes(bytes(data, MESSAGE + 40)?),
        exponent: i32::from_le_bytes(bytes(data, MESSAGE + 48)?),
        publish_time: i64::from_le_bytes(bytes(data, MESSAGE + 52)?),
        posted_slot: u64::from_le_bytes(bytes(data, MESSAGE + 84)?),
    })
}
