//! From accounts to the risk engine: what an account is worth and what it requires.
//!
//! No formulas here: this walks the account's sorted positions and hands exact products of prices and quantities to the engine.
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Notional, QuoteAmount};
use ballast_risk::{AssetBook, AssetReport, Bucket, Cash, MarginReport, Portfolio, PriceState};

use crate::error::{BallastError, OrError};
use crate::state::{native_quantity, Balance, MarginAccount, Position, RiskBoard};

/// How the quote asset is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteRule {
    /// As its feed says: untrusted cash counts nothing in a withdrawal.
    ByFeed,
    /// The quote asset itself leaves the account, so its price does not matter.
    Trusted,
}

/// The margin of an account at `now`.
#[inline(never)]
pub fn evaluate(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<MarginReport> {
    evaluate_with(board, account, now, QuoteRule::ByFeed)
}

/// The margin of an account at `now` under a rule for the quote asset.
#[inline(never)]
pub fn evaluate_with(board: &RiskBoard, account: &MarginAccount, now: i64, rule: QuoteRule) -> Result<MarginReport> {
    let params = board.portfolio_params();
    let mut portfolio = Box::new(Portfolio::new(&params));
    let mut report = Box::<AssetReport>::default();
    let mut positions = account.positions();
    for index in 0..board.asset_count {
        let count = positions.iter().take_while(|p| p.asset == index).count();
        let (legs, rest) = positions.split_at_checked(count).ok_or(BallastError::MathOverflow)?;
        positions = rest;
        if legs.is_empty() && !holds(account, index) {
            continue;
        }
        let clusters = board.asset(index)?.clusters;
        evaluate_asset(board, index, legs, &account.balances, now, &mut report)?;
        portfolio.add(&report, &clusters).or_error()?;
    }
    require!(positions.is_empty(), BallastError::AssetNotListed);
    let (quote_price, quote_trusted) = board.quote_state(now);
    let cash = Cash {
        amount: QuoteAmount(account.cash),
        quote_price,
        quote_trusted: quote_trusted || rule == QuoteRule::Trusted,
    };
    portfolio.finish(cash).or_error()
}

/// One asset of an account: its legs and collateral.
#[inline(never)]
pub fn evaluate_asset(
    board: &RiskBoard,
    index: u8,
    legs: &[Position],
    balances: &[Balance],
    now: i64,
    out: &mut AssetReport,
) -> Result<()> {
    let asset = board.asset(index)?;
    let portfolio = board.portfolio_params();
    let params = asset.params();
    let price: PriceState = asset.price_state(now)?;
    let mut book = AssetBook::new(&params, &portfolio, price);
    let (at_index, at_slow) = collateral_value(board, index, balances)?;
    if at_index != Notional::ZERO {
        book.set_collateral(at_index, at_slow).or_error()?;
    }
    let mut bucket = Bucket::Perpetual;
    let mut expiry = 0;
    for leg in legs {
        if leg.expiry != expiry {
            expiry = leg.expiry;
            bucket = next_bucket(bucket);
        }
        add_leg(board, leg, bucket, &mut book)?;
    }
    book.finish(out).or_error()
}

fn next_bucket(bucket: Bucket) -> Bucket {
    match bucket {
        Bucket::Perpetual => Bucket::Expiry(0),
        Bucket::Expiry(n) => Bucket::Expiry(n.saturating_add(1)), // at most 12 expiries an asset
    }
}

fn add_leg(board: &RiskBoard, leg: &Position, bucket: Bucket, book: &mut AssetBook) -> Result<()> {
    let instrument = board.instrument(leg.instrument)?;
    require!(instrument.generation == leg.generation, BallastError::StaleGeneration);
    let quantity = leg.lots().quantity(instrument.lot_size()).or_error()?;
    let mark = board.mark(instrument)?;
    let slow_mark = board.slow_mark(instrument)?;
    book.add_linear(
        bucket,
        mark.times(quantity),
        slow_mark.times(quantity),
        Notional::from_quote(QuoteAmount(leg.quote)),
    )
    .or_error()
}

fn holds(account: &MarginAccount, asset: u8) -> bool {
    account.balances.iter().any(|b| b.amount != 0 && b.asset == asset)
}

/// Σ of an asset's balances at the index and at the slow price.
fn collateral_value(board: &RiskBoard, index: u8, balances: &[Balance]) -> Result<(Notional, Notional)> {
    let price = &board.asset(index)?.price;
    let (mut at_index, mut at_slow) = (Notional::ZERO, Notional::ZERO);
    for balance in balances.iter().filter(|b| b.amount != 0 && b.asset == index) {
        let quantity = native_quantity(balance.amount, balance.decimals).or_error()?;
        at_index = at_index.plus(price.index().times(quantity)).or_error()?;
        at_slow = at_slow.plus(price.slow().times(quantity)).or_error()?;
    }
    Ok((at_index, at_slow))
}

/// Σ credit_im(V) of an account's collateral at the worse prices: what its cash may be lowered against.
#[inline(never)]
pub fn credit(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<Dollars> {
    let mut report = Box::<AssetReport>::default();
    let mut credit = Dollars::ZERO;
    for index in 0..board.asset_count {
        if holds(account, index) {
            evaluate_asset(board, index, &[], &account.balances, now, &mut report)?;
            credit = credit.plus(report.credit_floor).or_error()?;
        }
    }
    Ok(credit)
}
