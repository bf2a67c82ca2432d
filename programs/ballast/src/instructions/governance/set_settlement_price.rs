//! `set_settlement_price`: the authority gives a settlement price to an expiry that found none in a day.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::SettlementFixed;
use crate::state::{is_near, Exchange, RiskBoard, MAX_PRICE};

/// Accounts of `set_settlement_price`.
#[derive(Accounts)]
pub struct SetSettlementPrice<'info> {
    /// The exchange.
    #[account(has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The exchange's authority.
    pub authority: Signer<'info>,
}

/// Sets the settlement price of an expiry, 10⁻⁹ USD, where the average has found none within a day of it (margin.md section 5). Positions
/// settle at it as at any other, so it may not be a thousand times over or under the last index.
///
/// # Errors
/// [`BallastError::SettlementStands`] when there is one, [`BallastError::SettlementNotOverdue`] before the day is over,
/// [`BallastError::InvalidParameter`] for a price out of bounds.
pub(crate) fn set_settlement_price<'info>(
    ctx: Context<'info, SetSettlementPrice<'info>>,
    asset: u8,
    expiry: i64,
    price: i64,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let mut board = ctx.accounts.board.load_mut()?;
    let index = board.asset(asset)?.price.index;
    let expiry = board.expiry_mut(asset, expiry)?;
    ensure!(expiry.settlement_price(now).is_none(), BallastError::SettlementStands);
    ensure!(expiry.is_overdue(now), BallastError::SettlementNotOverdue);
    let sound = (1..=MAX_PRICE).contains(&price) && (index == 0 || is_near(price, index));
    ensure!(sound, BallastError::InvalidParameter);
    expiry.settlement.price = price;
    emit!(SettlementFixed {
        asset,
        expiry: expiry.time,
        price,
        filled: 0,
    });
    Ok(())
}
