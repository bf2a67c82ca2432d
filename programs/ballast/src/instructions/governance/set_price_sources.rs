//! `set_price_sources`: the authority binds an asset's price to other sources, or asks other things of them.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::PriceSourcesSet;
use crate::oracle::FeedConfig;
use crate::state::{Exchange, RiskBoard, QUOTE_ASSET};

/// Accounts of `set_price_sources`.
#[derive(Accounts)]
pub struct SetPriceSources<'info> {
    /// The exchange.
    #[account(has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The exchange's authority.
    pub authority: Signer<'info>,
}

/// Binds the sources of an asset's price; [`QUOTE_ASSET`] names the quote asset's own. The index stands until the next refresh, and a source
/// that was bound before keeps what it last said.
///
/// # Errors
/// [`BallastError::AssetNotListed`], [`BallastError::InvalidParameter`] out of the hard bounds, and [`BallastError::AlreadyListed`] for a
/// source of another asset.
pub(crate) fn set_price_sources<'info>(
    ctx: Context<'info, SetPriceSources<'info>>,
    asset: u8,
    feed: FeedConfig,
) -> Result<()> {
    let mut board = ctx.accounts.board.load_mut()?;
    if asset != QUOTE_ASSET {
        board.asset(asset)?;
    }
    feed.validate(asset)?;
    let listed = usize::from(board.asset_count);
    for (index, other) in (0u8..).zip(board.assets.iter().take(listed)) {
        let taken = index != asset && feed.shares_a_source(&other.sources);
        ensure!(!taken, BallastError::AlreadyListed);
    }
    let (price, sources) = board.price_mut(asset)?;
    feed.bind(price, sources);
    emit!(PriceSourcesSet {
        exchange: ctx.accounts.exchange.key(),
        asset,
        sources: feed.sources,
        limits: feed.limits,
    });
    Ok(())
}
