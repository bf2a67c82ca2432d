//! Trading fees: what an account pays of a notional, and who gets it.
use anchor_lang::prelude::*;
use ballast_fixed::QuoteAmount;
use ballast_risk::fees::FeeRates;

use crate::error::{BallastError, OrError};
use crate::state::{FeeSchedule, MarginAccount, Market, Volume};

/// The rates of an account that has traded `volume`, at `now`, unix seconds.
pub fn fee_rates(fees: &FeeSchedule, volume: &Volume, now: i64) -> FeeRates {
    fees.terms().rates(volume.at(now))
}

/// Notes in the market what both sides of a fill pay (the maker is paid, when negative): the insurance fund's share, and the rest, which is
/// the exchange's.
pub fn share_fees(
    fees: &FeeSchedule,
    market: &mut Market,
    taker_fee: QuoteAmount,
    maker_fee: QuoteAmount,
) -> Result<()> {
    let split = fees.terms().split(taker_fee, maker_fee).or_error()?;
    let add = |due: i64, part: QuoteAmount| due.checked_add(part.0).ok_or(BallastError::MathOverflow);
    market.insurance_due = add(market.insurance_due, split.insurance)?;
    market.fees_due = add(market.fees_due, split.exchange)?;
    Ok(())
}

/// Notes in the taker's account what its referrer, if it has one, gets of a fill: a part of what [`share_fees`] left to the exchange, and paid
/// out of it once it is collected.
pub fn note_referral(
    fees: &FeeSchedule,
    taker: &mut MarginAccount,
    taker_fee: QuoteAmount,
    maker_fee: QuoteAmount,
) -> Result<()> {
    if taker.referrer == Pubkey::default() || fees.referrer_share_ppm == 0 {
        return Ok(());
    }
    let split = fees.terms().split(taker_fee, maker_fee).or_error()?;
    let referral = split.referral.0.unsigned_abs(); // never negative
    let due = taker.referral_due.checked_add(referral);
    taker.referral_due = due.ok_or(BallastError::MathOverflow)?;
    Ok(())
}
