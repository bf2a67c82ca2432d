//! `refresh_prices`: anyone puts new prices on the board.
use anchor_lang::prelude::*;

use ballast_fixed::Ratio;
use ballast_oracle::Index;
use ballast_risk::price_use::PriceUse;

use crate::error::{ensure, BallastError, OrError};
use crate::events::{PriceRefreshed, PriceRefused, SettlementFixed};
use crate::oracle::{self, Accepted};
use crate::state::{Asset, PriceSources, RiskBoard, QUOTE_ASSET};

/// Accounts of `refresh_prices`. Behind them comes one price account for each asset named, in the same order.
#[derive(Accounts)]
pub struct RefreshPrices<'info> {
    /// The board: sources are bound on it, so nothing else has to be passed.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
}

/// What a batch has done.
#[derive(Default)]
struct Batch {
    /// Whether anything was new, or on the board already.
    useful: bool,
    /// The first refusal.
    refusal: Option<BallastError>,
}

/// Refreshes the prices of `assets`; [`QUOTE_ASSET`] names the quote asset's own. An asset is named once for each of its sources that is
/// passed, one after the other; a source that is not passed counts with what it said last, while that is valid.
///
/// A bad account fails nothing but itself: its refusal is counted on the board and named in an event, and the others are refreshed. Older
/// updates than the board's are passed over, so that nobody makes another's batch fail by posting a newer one in it. A batch that brings
/// nothing is refused.
///
/// # Errors
/// [`BallastError::ZeroAmount`], [`BallastError::PriceAccountsMismatch`] and [`BallastError::AssetNotListed`] for the list as such. Where
/// nothing was refreshed, the first refusal, else [`BallastError::PriceRegressed`].
pub(crate) fn refresh_prices<'info>(ctx: Context<'info, RefreshPrices<'info>>, assets: Vec<u8>) -> Result<()> {
    ensure!(!assets.is_empty(), BallastError::ZeroAmount);
    ensure!(
        assets.len() == ctx.remaining_accounts.len(),
        BallastError::PriceAccountsMismatch
    );
    let clock = Clock::get()?;
    let mut board = ctx.accounts.board.load_mut()?;
    let mut batch = Batch::default();
    let mut accounts = ctx.remaining_accounts;
    for named in assets.chunk_by(|a, b| a == b) {
        let Some((&asset, (sources, rest))) = named.first().zip(accounts.split_at_checked(named.len())) else {
            break; // as many accounts as names
        };
        accounts = rest;
        refresh(&mut board, asset, sources, &clock, &mut batch)?;
    }
    let refusal = batch.refusal.unwrap_or(BallastError::PriceRegressed);
    ensure!(batch.useful, refusal);
    Ok(())
}

/// Takes the updates of one asset, and makes its index anew where one is new.
#[inline(never)]
fn refresh(board: &mut RiskBoard, asset: u8, accounts: &[AccountInfo], clock: &Clock, batch: &mut Batch) -> Result<()> {
    let (_, sources) = board.price_mut(asset)?;
    let mut is_new = false;
    for account in accounts {
        match oracle::take(sources, account, clock) {
            Ok(Accepted::New) => is_new = true,
            Ok(Accepted::Known) => {
                batch.useful = true;
                is_new |= sources.is_staked(); // its price moves with its base's
            }
            Ok(Accepted::Older) => {}
            Err(error) => refuse(sources, asset, account.key(), error, batch),
        }
    }
    if !is_new {
        return Ok(());
    }
    let base = board.base_of(asset)?;
    let (feed, sources) = board.price_mut(asset)?;
    match oracle::index(feed, sources, base.as_ref(), clock) {
        Ok(Some(index)) => {
            batch.useful = true;
            if index.apart || index.outliers != 0 {
                count(sources, asset, Pubkey::default(), BallastError::SourcesApart);
            }
            accept(board, asset, &index, clock)
        }
        Ok(None) => Ok(()),
        Err(error) => {
            refuse(sources, asset, Pubkey::default(), error, batch);
            Ok(())
        }
    }
}

/// Counts a refusal, names it and keeps it for the case that nothing else comes of the batch.
#[cold]
fn refuse(sources: &mut PriceSources, asset: u8, account: Pubkey, error: BallastError, batch: &mut Batch) {
    count(sources, asset, account, error);
    batch.refusal.get_or_insert(error);
}

/// Counts what a guard has refused, and names it.
#[cold]
#[inline(never)]
fn count(sources: &mut PriceSources, asset: u8, account: Pubkey, error: BallastError) {
    if let Some(counter) = error.guard().and_then(|guard| sources.refused.get_mut(guard as usize)) {
        *counter = counter.saturating_add(1);
    }
    emit!(PriceRefused {
        asset,
        account,
        error: error.into(),
    });
}

/// Puts a newer index on the board, and what follows from it.
#[inline(never)]
fn accept(board: &mut RiskBoard, index: u8, price: &Index, clock: &Clock) -> Result<()> {
    let now = clock.unix_timestamp;
    if index != QUOTE_ASSET {
        // Up to now the index that stood is what counts.
        let asset = board.asset_mut(index)?;
        asset.index_history.advance(asset.price.index(), now)?;
    }
    let (feed, _) = board.price_mut(index)?;
    feed.accept(price, clock.slot).or_error()?;
    emit!(PriceRefreshed {
        asset: index,
        index: feed.index,
        confidence: feed.confidence,
        slow: feed.slow,
        publish_time: feed.publish_time,
    });
    if index != QUOTE_ASSET {
        let asset = board.asset_mut(index)?;
        let (scan_range, price) = (Ratio(asset.params.scan_range), &asset.price);
        asset.scale.observe(price.index(), price.publish_time, scan_range, now);
        observe(asset, index, now);
    }
    Ok(())
}

/// Takes an asset's new price into the settlement averages that are being taken: one that is not fresh and tight is no print.
fn observe(asset: &mut Asset, index: u8, now: i64) {
    if !asset.settles(now) || !asset.price.permits(PriceUse::Settle, now) {
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
