//! Switchboard V2's aggregators: `AggregatorAccountData`. They have ended on Solana's mainnet and live on elsewhere.
//!
//! The vendor's crate brings an old Solana SDK, so the documented bytes are read here.
use ballast_fixed::{div_ceil, div_floor};

use crate::bytes::{address, byte, bytes, i128_at, i64_at, u32_at, u64_at};
use crate::scale::{Rounding, MANTISSA_END};
use crate::{Adapter, OracleError, Reading};

/// Reads the latest confirmed round of an aggregator.
#[derive(Clone, Copy, Debug)]
pub struct SwitchboardV2;

/// sha256("account:AggregatorAccountData")[..8]
pub const DISCRIMINATOR: [u8; 8] = [0xd9, 0xe6, 0x41, 0x65, 0xc9, 0xa2, 0x1b, 0x7d];
/// Size of the account.
pub const LEN: usize = 3_851;

const QUEUE: usize = 200;
const MIN_ORACLE_RESULTS: usize = 236;
/// The latest confirmed round begins with the count of answers. Whether it is closed says only whether another one has begun.
const SAMPLES: usize = 341;
const ROUND_OPEN_SLOT: usize = 350;
const ROUND_OPEN_TIMESTAMP: usize = 358;
const RESULT: usize = 366;
const DEVIATION: usize = 386;
const JOBS_CHECKSUM: usize = 3_563;
/// 0: the result of a round; 1: of a sliding window.
const RESOLUTION_MODE: usize = 3_712;

/// Most decimals that the vendor's numbers have, and ours.
const MAX_SCALE: u32 = 28;
const MAX_DECIMALS: u32 = 18;

impl Adapter for SwitchboardV2 {
    const PROGRAMS: &'static [[u8; 32]] = &[address("SW1TCH7qEPTdLsDHRgPuMQjbQxKdH2aBStViMFnt64f")];

    /// The latest confirmed round, dated by its opening. The hash is the checksum of the jobs, the confidence the standard deviation of
    /// the answers. Decimals past the eighteenth are cut off: the price's down, the deviation's up.
    ///
    /// # Errors
    /// [`OracleError::WrongLayout`], also for a decimal number that the vendor does not have; [`OracleError::TooFewSamples`] with fewer
    /// answers than the aggregator asks for itself, or none; [`OracleError::AgesUnknown`] where it resolves by a sliding window, which
    /// lies in another account; [`OracleError::NegativeDeviation`].
    fn read(key: &[u8; 32], data: &[u8]) -> Result<Reading, OracleError> {
        if data.len() != LEN || !data.starts_with(&DISCRIMINATOR) {
            return Err(OracleError::WrongLayout);
        }
        match byte(data, RESOLUTION_MODE)? {
            0 => {}
            1 => return Err(OracleError::AgesUnknown),
            _ => return Err(OracleError::WrongLayout),
        }
        let (samples, least) = (u32_at(data, SAMPLES)?, u32_at(data, MIN_ORACLE_RESULTS)?);
        let slot = u64_at(data, ROUND_OPEN_SLOT)?;
        if slot == 0 || samples < least.max(1) {
            return Err(OracleError::TooFewSamples);
        }
        let (result, scale) = decimal(data, RESULT)?;
        let (deviation, deviation_scale) = decimal(data, DEVIATION)?;
        if deviation < 0 {
            return Err(OracleError::NegativeDeviation);
        }
        let decimals = scale.min(MAX_DECIMALS);
        let price = with_decimals(result, scale, decimals, Rounding::Down);
        let confidence = with_decimals(deviation, deviation_scale, decimals, Rounding::Up);
        Ok(Reading {
            id: *key,
            queue: bytes(data, QUEUE)?,
            hash: bytes(data, JOBS_CHECKSUM)?,
            price,
            confidence: confidence.unsigned_abs(),
            exponent: 0i32.saturating_sub_unsigned(decimals),
            publish_time: i64_at(data, ROUND_OPEN_TIMESTAMP)?,
            slot,
            first_slot: slot,
            own_max_slots: 0,
            samples,
        })
    }
}

/// A `SwitchboardDecimal`: mantissa and decimals.
fn decimal(data: &[u8], offset: usize) -> Result<(i128, u32), OracleError> {
    let mantissa = i128_at(data, offset)?;
    let scale = u32_at(data, offset.saturating_add(16))?;
    if mantissa.unsigned_abs() >= MANTISSA_END || scale > MAX_SCALE {
        return Err(OracleError::WrongLayout);
    }
    Ok((mantissa, scale))
}

/// A mantissa with `from` decimals as one with `to`, both up to 28; the largest there is where it does not fit.
fn with_decimals(mantissa: i128, from: u32, to: u32, rounding: Rounding) -> i128 {
    let factor = 10i128.checked_pow(from.abs_diff(to)).unwrap_or(i128::MAX);
    if to >= from {
        return mantissa.saturating_mul(factor);
    }
    let divided = match rounding {
        Rounding::Down => div_floor(mantissa, factor),
        Rounding::Up => div_ceil(mantissa, factor),
    };
    divided.unwrap_or(i128::MAX) // the divisor is positive
}
