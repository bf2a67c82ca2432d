//! Pyth's push accounts: `SolanaPriceAccount` of its oracle program. They have ended on Solana's mainnet and live on elsewhere.
//!
//! The vendor's crate brings an old Solana SDK, so the documented bytes are read here.
use crate::bytes::{address, byte, i32_at, i64_at, u32_at, u64_at};
use crate::{Adapter, OracleError, Reading};

/// Reads a price account of the oracle program.
#[derive(Clone, Copy, Debug)]
pub struct PythPush;

/// Leads every account of the oracle program.
pub const MAGIC: u32 = 0xa1b2_c3d4;
/// Size of a price account: 240 bytes and 32 publishers of 96.
pub const LEN: usize = 3_312;

const VERSION: (usize, u32) = (4, 2);
/// 1 is a mapping, 2 a product.
const ACCOUNT_TYPE: (usize, u32) = (8, 3);
/// Bytes in use; the aggregate ends at 240.
const SIZE: usize = 12;
const AGGREGATE_END: u32 = 240;
/// The only one that is a price.
const PRICE_TYPE: (usize, u8) = (16, 1);
const EXPONENT: usize = 20;
const TIMESTAMP: usize = 96;
const PRICE: usize = 208;
const CONFIDENCE: usize = 216;
/// 0 unknown, 1 trading, 2 halted, 3 auction, 4 ignored; a corporate action in the next byte.
const STATUS: usize = 224;
const TRADING: u32 = 1;
const PUBLISH_SLOT: usize = 232;

impl Adapter for PythPush {
    const PROGRAMS: &'static [[u8; 32]] = &[address("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH")];

    /// The aggregate of an account that is trading. Unlike the vendor's crate, never the previous one in its place.
    ///
    /// # Errors
    /// [`OracleError::WrongLayout`]; [`OracleError::NotTrading`] for every other status, and while a corporate action is under way.
    fn read(key: &[u8; 32], data: &[u8]) -> Result<Reading, OracleError> {
        let is_price = data.len() == LEN
            && u32_at(data, 0)? == MAGIC
            && u32_at(data, VERSION.0)? == VERSION.1
            && u32_at(data, ACCOUNT_TYPE.0)? == ACCOUNT_TYPE.1
            && (AGGREGATE_END..=LEN as u32).contains(&u32_at(data, SIZE)?)
            && byte(data, PRICE_TYPE.0)? == PRICE_TYPE.1;
        if !is_price {
            return Err(OracleError::WrongLayout);
        }
        if u32_at(data, STATUS)? != TRADING {
            return Err(OracleError::NotTrading);
        }
        let slot = u64_at(data, PUBLISH_SLOT)?;
        Ok(Reading {
            id: *key,
            queue: [0; 32],
            hash: [0; 32],
            price: i128::from(i64_at(data, PRICE)?),
            confidence: u128::from(u64_at(data, CONFIDENCE)?),
            exponent: i32_at(data, EXPONENT)?,
            publish_time: i64_at(data, TIMESTAMP)?,
            slot,
            first_slot: slot,
            own_max_slots: 0,
            samples: 0,
        })
    }
}
