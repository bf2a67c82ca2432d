//! Staked tokens: price = index of the asset × rate of its stake pool, `StakePool` of the SPL stake pool program.
//!
//! The rate comes from the pool's own books, so it can't be traded away from its worth, but whoever controls the pool or its program could
//! write it. Hence the cap on its growth in time, and a haircut of the token's own.
use ballast_fixed::{mul_div_ceil, mul_div_floor, Ratio};

use crate::bytes::{address, byte, bytes, u64_at};
use crate::guards::PPM;
use crate::OracleError;

/// The program whose pools are read.
pub const PROGRAM: [u8; 32] = address("SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy");
/// Size of a pool's account.
pub const LEN: usize = 611;

/// `AccountType::StakePool`
const STAKE_POOL: u8 = 1;
const MINT: usize = 162;
const TOTAL_LAMPORTS: usize = 258;
const TOKEN_SUPPLY: usize = 266;
const LAST_UPDATE_EPOCH: usize = 274;
/// Behind a lockup of 48 bytes and a fee of 16; from here on the fields' places depend on those before.
const TAIL: usize = 346;

/// What a pool's account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StakePool {
    /// The staked token.
    pub mint: [u8; 32],
    /// What stands behind the tokens, 10⁻⁹ SOL.
    pub total_lamports: u64,
    /// Tokens, in their 10⁻⁹.
    pub token_supply: u64,
    /// Epoch in which the total was last brought up to date.
    pub last_update_epoch: u64,
}

/// What a staked token is worth in the asset that is staked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// 10⁻⁹, rounded down.
    pub rate: i64,
    /// Epoch of the pool's last update.
    pub epoch: u64,
}

/// The rate that is used, and the time up to which its growth is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CappedRate {
    /// 10⁻⁹; 0: none yet.
    pub rate: i64,
    /// Unix seconds.
    pub time: i64,
}

/// Rates from one half to ten, both excluded, 10⁻⁹.
const MIN_RATE: i64 = 500_000_000;
const MAX_RATE: i64 = 10_000_000_000;

/// Reads a pool's account.
///
/// # Errors
/// [`OracleError::WrongOwner`]; [`OracleError::WrongLayout`]; [`OracleError::PoolNotInitialized`] for an account that is no pool, or none yet.
pub fn read(owner: &[u8; 32], data: &[u8]) -> Result<StakePool, OracleError> {
    if *owner != PROGRAM {
        return Err(OracleError::WrongOwner);
    }
    if data.len() != LEN {
        return Err(OracleError::WrongLayout);
    }
    if byte(data, 0)? != STAKE_POOL {
        return Err(OracleError::PoolNotInitialized);
    }
    check_tail(data)?;
    Ok(StakePool {
        mint: bytes(data, MINT)?,
        total_lamports: u64_at(data, TOTAL_LAMPORTS)?,
        token_supply: u64_at(data, TOKEN_SUPPLY)?,
        last_update_epoch: u64_at(data, LAST_UPDATE_EPOCH)?,
    })
}

impl StakePool {
    /// Lamports a token in `epoch`. A pool is brought up to date in every epoch; the one before is good enough for the hours in which that
    /// is still to come, since its rewards are missing then and not too many.
    ///
    /// # Errors
    /// [`OracleError::PoolNotUpdated`], [`OracleError::PoolEmpty`] and [`OracleError::RateOutOfRange`].
    pub fn rate(&self, epoch: u64) -> Result<Rate, OracleError> {
        let updated = self.last_update_epoch;
        if updated > epoch || epoch.saturating_sub(updated) > 1 {
            return Err(OracleError::PoolNotUpdated);
        }
        if self.token_supply == 0 || self.total_lamports == 0 {
            return Err(OracleError::PoolEmpty);
        }
        let (Ok(total), Ok(supply)) = (i64::try_from(self.total_lamports), i64::try_from(self.token_supply)) else {
            return Err(OracleError::RateOutOfRange);
        };
        let rate = mul_div_floor(total, Ratio::SCALE, supply).map_err(|_| OracleError::RateOutOfRange)?;
        if rate <= MIN_RATE || rate >= MAX_RATE {
            return Err(OracleError::RateOutOfRange);
        }
        Ok(Rate { rate, epoch: updated })
    }
}

/// The rate to use from `now` on: falls at once, rises by `max_growth_ppm_per_day` (10⁻⁶ of itself a day) at most.
///
/// The growth is rounded down, and the time that it did not use is kept: who calls often can't keep a rate from rising.
pub fn capped_rate(last: CappedRate, new: i64, now: i64, max_growth_ppm_per_day: u32) -> CappedRate {
    const DAY: u128 = 86_400;
    if last.rate <= 0 || new <= last.rate || now <= last.time {
        // Time that runs backwards lets nothing grow.
        let rate = if last.rate <= 0 { new } else { new.min(last.rate) };
        return CappedRate {
            rate,
            time: now.max(last.time),
        };
    }
    // rate · ppm < 2⁹⁵, · seconds < 2¹⁵⁸ at most: saturated, it allows everything.
    let a_second = u128::from(last.rate.unsigned_abs()).saturating_mul(u128::from(max_growth_ppm_per_day));
    let unit = DAY.saturating_mul(u128::from(PPM));
    let seconds = u128::from(now.abs_diff(last.time));
    let growth = a_second.saturating_mul(seconds).checked_div(unit).unwrap_or(0);
    let wanted = u128::from(new.abs_diff(last.rate));
    if wanted <= growth {
        return CappedRate { rate: new, time: now };
    }
    // Less than what is wanted, so it fits. The seconds used: those that make up `growth`, rounded up.
    let used = match a_second {
        0 => seconds,
        _ => growth.saturating_mul(unit).div_ceil(a_second).min(seconds),
    };
    CappedRate {
        rate: last.rate.saturating_add(i64::try_from(growth).unwrap_or(0)),
        time: last.time.saturating_add(i64::try_from(used).unwrap_or(0)),
    }
}

/// Price and confidence of the staked token out of those of the asset, 10⁻⁹ USD: the price down, the confidence up.
///
/// # Errors
/// [`OracleError::OutOfRange`], and [`OracleError::NotPositive`] for a price that rounds to zero.
pub fn price(price: i64, confidence: i64, rate: i64) -> Result<(i64, i64), OracleError> {
    let price = mul_div_floor(price, rate, Ratio::SCALE).map_err(|_| OracleError::OutOfRange)?;
    let confidence = mul_div_ceil(confidence, rate, Ratio::SCALE).map_err(|_| OracleError::OutOfRange)?;
    if price <= 0 || confidence < 0 {
        return Err(OracleError::NotPositive);
    }
    Ok((price, confidence))
}

/// The fields behind the numbers: that the tags of those that may be missing are tags.
fn check_tail(data: &[u8]) -> Result<(), OracleError> {
    const KEY: usize = 32;
    const FEE: usize = 16;
    /// Largest tag of a field, its size when the tag is not zero, and the bytes behind it that are always there.
    const FIELDS: [(u8, usize, usize); 7] = [
        (2, FEE, 0),       // next epoch fee
        (1, KEY, 0),       // preferred validator of deposits
        (1, KEY, 2 * FEE), // of withdrawals; fees on deposits and withdrawals of stake
        (2, FEE, 1),       // next fee on withdrawals of stake; referral fee
        (1, KEY, FEE + 1), // authority over deposits of SOL; its fee and referral fee
        (1, KEY, FEE),     // over withdrawals of SOL; its fee
        (2, FEE, 2 * 8),   // next fee on withdrawals of SOL; supply and total of the last epoch
    ];
    let mut at = TAIL;
    for (largest, size, behind) in FIELDS {
        let tag = byte(data, at)?;
        if tag > largest {
            return Err(OracleError::WrongLayout);
        }
        let present = if tag == 0 { 0 } else { size };
        at = at.saturating_add(1).saturating_add(present).saturating_add(behind);
    }
    Ok(()) // with every field present they end with the account
}
