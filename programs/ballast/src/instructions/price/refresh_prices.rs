//! `refresh_prices`: anyone puts new prices on the board.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::{PriceRefreshed, SettlementFixed};
use crate::oracle::{accept, pyth, Accepted};
use crate::state::{IndexHistory, PriceFeed, RiskBoard, QUOTE_ASSET};

/// Accounts of `refresh_prices`. Behind them comes one price account for each asset named, in the same order.
#[derive(Accounts)]
pub struct RefreshPrices<'info> {
    /// The board: feeds are bound on it, so nothing else has to be passed.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
}

/// Refreshes the prices of `assets`; [`QUOTE_ASSET`] names the quote asset's own feed.
///
/// An update that is older than what the board holds is passed over, so that nobody can make another's batch fail by posting a newer price
/// of one asset in it; a batch in which all are older is refused.
pub(crate) fn refresh_prices<'info>(ctx: Context<'info, RefreshPrices<'info>>, assets: Vec<u8>) -> Result<()> {
    ensure!(!assets.is_empty(), BallastError::ZeroAmount);
    ensure!(
        assets.len() == ctx.remaining_accounts.len(),
        BallastError::PriceAccountsMismatch
    );
    let now = Clock::get()?.unix_timestamp;
    let mut board = ctx.accounts.board.load_mut()?;
    let mut all_older = true;
    for (&asset, account) in assets.iter().zip(ctx.remaining_accounts) {
        let update = pyth::read(account)?;
        let (feed, history) = feed_mut(&mut board, asset)?;
        let stood = feed.index();
        let accepted = accept(feed, &update, now)?;
        all_older &= accepted == Accepted::Older;
        if accepted == Accepted::New {
            if let Some(history) = history {
                history.advance(stood, now)?;
            }
            emit!(PriceRefreshed {
                asset,
                index: feed.index,
                confidence: feed.confidence,
                slow: feed.slow,
                publish_time: feed.publish_time,
            });
            observe(&mut board, asset, now);
        }
    }
    ensure!(!all_older, BallastError::PriceRegressed);
    Ok(())
}

/// Takes an asset's new price into the settlement averages that are being taken.
fn observe(board: &mut RiskBoard, index: u8, now: i64) {
    if index == QUOTE_ASSET {
        return;
    }
    let Some(asset) = board.assets.get_mut(usize::from(index)) else {
        return;
    };
    if !asset.settles(now) {
        return;
    }
    for expiry in asset.observe_settlements(now) {
        emit!(SettlementFixed {
            asset: index,
            expiry: expiry.time,
            price: expiry.settlement.price,
            filled: expiry.settlement.filled,
        });
    }
}

/// The feed and, of an asset, the history of its index.
fn feed_mut(board: &mut RiskBoard, asset: u8) -> Result<(&mut PriceFeed, Option<&mut IndexHistory>)> {
    if asset == QUOTE_ASSET {
        return Ok((&mut board.quote, None));
    }
    board.asset(asset)?;
    let asset = board
        .assets
        .get_mut(usize::from(asset))
        .ok_or(BallastError::AssetNotListed)?;
    Ok((&mut asset.price, Some(&mut asset.index_history)))
}
