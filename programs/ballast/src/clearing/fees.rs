//! Trading fees: what an account pays of a notional, and who gets it.
use anchor_lang::prelude::*;
use ballast_fixed::{QuoteAmount, Ratio};

use crate::error::{BallastError, OrError};
use crate::state::{ppm, FeeSchedule, Market, Volume};

/// What an account pays of a notional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRates {
    /// When it takes.
    pub taker: Ratio,
    /// When it makes.
    pub maker: Ratio,
}

/// The rates of an account that has traded `volume`, at `now`, unix seconds.
pub fn fee_rates(fees: &FeeSchedule, _volume: &Volume, _now: i64) -> FeeRates {
    FeeRates {
        taker: ppm(fees.taker_ppm),
        maker: ppm(fees.maker_ppm),
    }
}

/// Notes in the market what both sides of a fill pay: the insurance fund's share, rounded down, and the rest, which is the exchange's.
pub fn share_fees(
    fees: &FeeSchedule,
    market: &mut Market,
    taker_fee: QuoteAmount,
    maker_fee: QuoteAmount,
) -> Result<()> {
    let paid = taker_fee.plus(maker_fee).or_error()?;
    let insurance = paid.times_floor(ppm(fees.insurance_share_ppm)).or_error()?;
    let rest = paid.minus(insurance).or_error()?;
    market.insurance_due = market
        .insurance_due
        .checked_add(insurance.0)
        .ok_or(BallastError::MathOverflow)?;
    market.fees_due = market.fees_due.checked_add(rest.0).ok_or(BallastError::MathOverflow)?;
    Ok(())
}
