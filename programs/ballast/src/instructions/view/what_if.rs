//! The account as it would be after trades, deposits and choices that have not happened.
use anchor_lang::prelude::*;
use ballast_fixed::{Lots, Price};

use super::Preview;
use crate::clearing::{check_price, check_size, fee_rates, fill_position, Change, Side};
use crate::error::{ensure, BallastError};
use crate::state::{Balance, Collateral, Exchange, MarginAccount, MarginMethod, RiskBoard};

/// Most changes of one preview.
pub const MAX_CHANGES: usize = 8;

/// One change of a what-if.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewChange {
    /// The account takes a trade of one leg, fees included. Refused as `block_trade` refuses the leg: zero lots, a price off the tick or
    /// outside the band, an opening trade that is too small, an expired instrument. Freshness, the hour's funding, open
    /// interest and the margin itself are not asked for.
    Leg {
        /// The instrument.
        instrument: u16,
        /// Lots bought (sold, when negative).
        lots: i64,
        /// 10⁻⁹ USD; 0 for the mark, on the tick or not.
        price: i64,
    },
    /// A deposit, or a withdrawal when negative. Cash may become a debt; nothing else may. Caps, and what would settle first, are not asked
    /// for.
    Collateral {
        /// Index on the exchange; 0 for the quote asset.
        collateral: u8,
        /// Native units.
        amount: i64,
    },
    /// Another margin method, whether or not the account could afford it.
    Method {
        /// The method.
        method: MarginMethod,
    },
}

/// A copy of the account after the changes, in their order.
#[inline(never)]
pub(super) fn apply<'info>(
    accounts: &Preview<'info>,
    collaterals: &'info [AccountInfo<'info>],
    changes: &[PreviewChange],
    now: i64,
) -> Result<Box<MarginAccount>> {
    ensure!(changes.len() <= MAX_CHANGES, BallastError::TooManyChanges);
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    // On the heap from the start: the account would fill a stack frame.
    let mut account: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
    bytemuck::bytes_of_mut(account.as_mut()).copy_from_slice(bytemuck::bytes_of(&*accounts.margin_account.load()?));
    for change in changes {
        match *change {
            PreviewChange::Leg {
                instrument,
                lots,
                price,
            } => trade(&exchange, &board, &mut account, instrument, (lots, price), now)?,
            PreviewChange::Method { method } => account.method = method as u8,
            PreviewChange::Collateral { collateral: 0, amount } => {
                ensure!(amount != 0, BallastError::ZeroAmount);
                account.cash = account.cash.checked_add(amount).ok_or(BallastError::MathOverflow)?;
            }
            PreviewChange::Collateral { collateral, amount } => {
                ensure!(amount != 0, BallastError::ZeroAmount);
                let size = amount.unsigned_abs();
                if amount < 0 {
                    account.take_balance(collateral, size)?;
                } else {
                    let kind = kind(accounts, collaterals, &account, collateral)?;
                    account.add_balance(Balance { amount: size, ..kind })?;
                }
            }
        }
    }
    Ok(account)
}

/// The taker's side of a `block_trade` of one leg.
fn trade(
    exchange: &Exchange,
    board: &RiskBoard,
    account: &mut MarginAccount,
    index: u16,
    (lots, price): (i64, i64),
    now: i64,
) -> Result<()> {
    ensure!(lots != 0, BallastError::ZeroAmount);
    let instrument = board.instrument(index)?;
    ensure!(!instrument.is_expired(now), BallastError::InstrumentExpired);
    let (mark, lots) = (board.mark(instrument, now)?, Lots(lots));
    let spot = board.asset(instrument.asset)?.price.index();
    let price = if price == 0 {
        mark
    } else {
        check_price(&exchange.limits, instrument, Price(price), mark, spot)?;
        Price(price)
    };
    let rate = fee_rates(&exchange.fees, &account.volume, now).taker;
    let side = Side::new(instrument, lots, price, rate)?;
    let change = Change {
        lots: side.lots,
        quote: side.received()?,
        now,
    };
    let fill = fill_position(account, index, instrument, change)?;
    if !fill.reduces() {
        check_size(&exchange.limits, instrument, lots, price, spot)?;
    }
    account.drop_if_empty(fill.at)?;
    Ok(())
}

/// A balance of this collateral: the account's own, or as its account among those passed describes it.
fn kind<'info>(
    accounts: &Preview<'info>,
    collaterals: &'info [AccountInfo<'info>],
    account: &MarginAccount,
    collateral: u8,
) -> Result<Balance> {
    if let Some(held) = account.balances.iter().find(|b| b.collateral == collateral) {
        return Ok(*held);
    }
    for info in collaterals {
        let loader = AccountLoader::<Collateral>::try_from(info)?;
        let listed = loader.load()?;
        ensure!(listed.exchange == accounts.exchange.key(), BallastError::WrongExchange);
        if listed.index == collateral {
            return Ok(Balance {
                collateral,
                asset: listed.asset,
                decimals: listed.decimals,
                ..Balance::default()
            });
        }
    }
    Err(crate::error::fail(BallastError::CollateralNotListed))
}
