//! `refresh_surface`: the exchange's volatility publisher puts bases and volatility surfaces on the board.
use anchor_lang::prelude::*;
use ballast_risk::slow_surface;
use ballast_risk::surface::{check_calendar, Maturity};

use crate::error::{ensure, BallastError, OrError};
use crate::events::SurfaceRefreshed;
use crate::state::{Asset, Exchange, Expiry, RiskBoard, VolatilitySurface, MAX_EXPIRIES};

/// What is published of one expiry.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfaceUpdate {
    /// Which one: unix seconds.
    pub expiry: i64,
    /// Forward = index · (1 + basis), 10⁻⁹.
    pub basis: i64,
    /// The surface.
    pub surface: VolatilitySurface,
}

/// Accounts of `refresh_surface`.
#[derive(Accounts)]
pub struct RefreshSurface<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The exchange's volatility publisher.
    pub publisher: Signer<'info>,
}

impl RefreshSurface<'_> {
    fn validate(&self, updates: &[SurfaceUpdate]) -> Result<()> {
        ensure!(!updates.is_empty(), BallastError::ZeroAmount);
        // Nobody signs with the default key, which stands for no publisher.
        ensure!(
            self.exchange.load()?.volatility_publisher == self.publisher.key(),
            BallastError::NotPublisher
        );
        Ok(())
    }
}

/// Publishes expiries of one asset, as of now.
#[access_control(ctx.accounts.validate(&updates))]
pub(crate) fn refresh_surface<'info>(
    ctx: Context<'info, RefreshSurface<'info>>,
    asset: u8,
    updates: Vec<SurfaceUpdate>,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    publish_all(&mut *ctx.accounts.board.load_mut()?, asset, &updates, now, now)
}

/// Puts what stood at `time` on the board; total variance may not fall from any expiry of the asset to a later one after.
pub(super) fn publish_all(
    board: &mut RiskBoard,
    asset: u8,
    updates: &[SurfaceUpdate],
    time: i64,
    now: i64,
) -> Result<()> {
    board.asset(asset)?;
    let listed = board
        .assets
        .get_mut(usize::from(asset))
        .ok_or(BallastError::AssetNotListed)?;
    for update in updates {
        let expiry = publish(listed, update, time, now)?;
        emit!(SurfaceRefreshed {
            asset,
            expiry: expiry.time,
            basis: expiry.basis,
            surface: expiry.surface,
            slow_surface: expiry.slow_surface,
        });
    }
    check_maturities(listed, now)
}

/// Puts one expiry's basis and surface on the board if they are within their bounds and no faster than they may be.
fn publish<'a>(asset: &'a mut Asset, update: &SurfaceUpdate, time: i64, now: i64) -> Result<&'a mut Expiry> {
    ensure!(update.expiry > now, BallastError::InvalidExpiry);
    let slot = asset.expiries.iter_mut().find(|e| e.time == update.expiry);
    let expiry = slot.ok_or(BallastError::InvalidExpiry)?;
    let new = update.surface.risk();
    new.validate().or_error()?;
    let seconds = update.expiry.saturating_sub(now);
    let within = slow_surface::basis_bound(seconds).or_error()?;
    ensure!(
        update.basis.unsigned_abs() <= within.0.unsigned_abs(),
        BallastError::InvalidParameter
    );
    let since = |past: i64| u32::try_from(time.saturating_sub(past)).unwrap_or(0);
    // From the listing on, for futures are marked by the basis before any surface is published.
    let calm = slow_surface::is_basis_within_speed(expiry.basis, update.basis, since(expiry.basis_time));
    ensure!(calm, BallastError::SurfaceTooFast);
    if expiry.surface_time == 0 {
        expiry.slow_surface = update.surface;
    } else {
        let elapsed = since(expiry.surface_time);
        let old = expiry.surface.risk();
        let calm = slow_surface::is_within_speed(&old, &new, elapsed, seconds).or_error()?;
        ensure!(calm, BallastError::SurfaceTooFast);
        let slow = slow_surface::advance(&expiry.slow_surface.risk(), &old, elapsed).or_error()?;
        expiry.slow_surface = VolatilitySurface::from(&slow);
    }
    expiry.basis = update.basis;
    expiry.basis_time = expiry.basis_time.max(time); // feeds may be older than the listing
    expiry.surface = update.surface;
    expiry.surface_time = time;
    Ok(expiry)
}

/// Compares each published expiry with the next one.
fn check_maturities(asset: &Asset, now: i64) -> Result<()> {
    let mut published: Vec<&Expiry> = Vec::with_capacity(MAX_EXPIRIES);
    published.extend(asset.expiries.iter().filter(|e| e.surface_time > 0 && e.time > now));
    published.sort_unstable_by_key(|e| e.time);
    let maturity = |expiry: &Expiry| Maturity {
        surface: expiry.surface.risk(),
        seconds: expiry.time.saturating_sub(now),
    };
    for pair in published.windows(2) {
        if let [near, far] = pair {
            check_calendar(&maturity(near), &maturity(far)).or_error()?;
        }
    }
    Ok(())
}
