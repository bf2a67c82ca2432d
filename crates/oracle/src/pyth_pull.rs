//! Pyth's pull updates: `PriceUpdateV2` of its receiver programs.
//!
//! The vendor's crate fixes one receiver at compile time and both are live, so the documented bytes are read here.
use crate::bytes::{address, byte, bytes, i32_at, i64_at, u64_at};
use crate::{Adapter, OracleError, Reading};

/// Reads `PriceUpdateV2`. Any account of a receiver's with the right feed id will do: whoever wants one may create it.
#[derive(Clone, Copy, Debug)]
pub struct PythPull;

/// sha256("account:PriceUpdateV2")[..8]
pub const DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];
/// Size of the account.
pub const LEN: usize = 134;

/// Offset of the verification level: 0 partial (a count of signatures follows), 1 full.
const VERIFICATION: usize = 40;
const PARTIAL: u8 = 0;
const FULL: u8 = 1;
/// Offset of the message behind a full verification level.
const MESSAGE: usize = 41;
const PRICE: usize = MESSAGE + 32;
const CONFIDENCE: usize = MESSAGE + 40;
const EXPONENT: usize = MESSAGE + 48;
const PUBLISH_TIME: usize = MESSAGE + 52;
const POSTED_SLOT: usize = MESSAGE + 84;

impl Adapter for PythPull {
    const PROGRAMS: &'static [[u8; 32]] = &[
        address("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
        address("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
    ];

    /// A fully verified update; its slot is that of its posting.
    ///
    /// # Errors
    /// [`OracleError::WrongLayout`]; [`OracleError::NotVerified`] for a partially verified update, whatever the number of signatures.
    fn read(_key: &[u8; 32], data: &[u8]) -> Result<Reading, OracleError> {
        if data.len() != LEN || !data.starts_with(&DISCRIMINATOR) {
            return Err(OracleError::WrongLayout);
        }
        match byte(data, VERIFICATION)? {
            FULL => {}
            PARTIAL => return Err(OracleError::NotVerified),
            _ => return Err(OracleError::WrongLayout),
        }
        let slot = u64_at(data, POSTED_SLOT)?;
        Ok(Reading {
            id: bytes(data, MESSAGE)?,
            queue: [0; 32],
            hash: [0; 32],
            price: i128::from(i64_at(data, PRICE)?),
            confidence: u128::from(u64_at(data, CONFIDENCE)?),
            exponent: i32_at(data, EXPONENT)?,
            publish_time: i64_at(data, PUBLISH_TIME)?,
            slot,
            first_slot: slot,
            own_max_slots: 0,
            samples: 0,
        })
    }
}
