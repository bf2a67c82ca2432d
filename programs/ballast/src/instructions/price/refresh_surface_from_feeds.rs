//! `refresh_surface_from_feeds`: anyone puts an expiry's basis and volatility surface on the board from the value feeds bound to it.
use anchor_lang::prelude::*;
use ballast_fixed::Ratio;

use super::refresh_surface::{publish_all, SurfaceUpdate};
use crate::error::{ensure, BallastError, OrError};
use crate::oracle::read_value;
use crate::state::{Exchange, RiskBoard, SurfaceSource, ValueFeed, VolatilitySurface};

/// Accounts of `refresh_surface_from_feeds`.
#[derive(Accounts)]
pub struct RefreshSurfaceFromFeeds<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// Which feeds they are.
    #[account(has_one = exchange @ BallastError::WrongExchange)]
    pub source: AccountLoader<'info, SurfaceSource>,
    /// The basis.
    /// CHECK: the account that `source` names, its owner, layout, queue and jobs.
    pub basis: UncheckedAccount<'info>,
    /// σ_atm.
    /// CHECK: as `basis`.
    pub at_the_money: UncheckedAccount<'info>,
    /// The skew.
    /// CHECK: as `basis`.
    pub skew: UncheckedAccount<'info>,
    /// The curvature.
    /// CHECK: as `basis`.
    pub curvature: UncheckedAccount<'info>,
}

/// Publishes what the feeds say, as of the oldest of them. The bounds and speeds are those of the publisher; the variance floor stays.
pub(crate) fn refresh_surface_from_feeds<'info>(ctx: Context<'info, RefreshSurfaceFromFeeds<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = Clock::get()?;
    let now = clock.unix_timestamp;
    let source = accounts.source.load()?;
    ensure!(source.is_bound(), BallastError::SourceUnbound);
    let infos = [
        accounts.basis.as_ref(),
        accounts.at_the_money.as_ref(),
        accounts.skew.as_ref(),
        accounts.curvature.as_ref(),
    ];
    let mut values = [Ratio::ZERO; 4];
    let mut oldest = now;
    for ((value, feed), info) in values.iter_mut().zip(&source.feeds).zip(infos) {
        let time;
        (*value, time) = read(&source, feed, info, &clock)?;
        oldest = oldest.min(time);
    }
    let [basis, at_the_money, skew, curvature] = values.map(|value| value.0);
    let mut board = accounts.board.load_mut()?;
    let mut expiries = board.asset(source.asset)?.expiries.iter();
    let known = expiries.find(|e| e.time == source.expiry);
    let known = known.ok_or(BallastError::InvalidExpiry)?;
    ensure!(oldest > known.surface_time, BallastError::SurfaceNotNewer);
    let update = SurfaceUpdate {
        expiry: source.expiry,
        basis,
        surface: VolatilitySurface {
            at_the_money,
            skew,
            curvature,
            variance_floor: known.surface.variance_floor,
        },
    };
    publish_all(&mut board, source.asset, &[update], oldest, now)
}

/// A feed's value and its time, if it is the one that was bound, fresh, and its oracles agree.
fn read(source: &SurfaceSource, feed: &ValueFeed, info: &AccountInfo, clock: &Clock) -> Result<(Ratio, i64)> {
    ensure!(info.key() == feed.key, BallastError::PriceWrongFeed);
    let read = read_value(info)?;
    let same = read.queue == source.queue.to_bytes() && read.hash == feed.hash;
    ensure!(same, BallastError::PriceWrongFeed);
    let now = clock.unix_timestamp;
    ensure!(read.publish_time <= now, BallastError::PriceFromFuture);
    let age = now.saturating_sub(read.publish_time);
    ensure!(
        age <= i64::from(source.limits.max_age_seconds),
        BallastError::StalePrice
    );
    read.is_current(clock.slot, source.limits.max_age_seconds).or_error()?;
    ensure!(read.samples >= source.limits.min_samples, BallastError::TooFewSamples);
    let agreed = read.deviation().or_error()?.0 <= source.limits.max_deviation;
    ensure!(agreed, BallastError::PriceTooUncertain);
    Ok((read.ratio().or_error()?, read.publish_time))
}
