//! `set_surface_source`: value feeds that an expiry's basis and volatility surface may be refreshed from.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::SurfaceSourceSet;
use crate::oracle::read_value;
use crate::seeds;
use crate::state::{Exchange, RiskBoard, SurfaceSource, ValueFeed, ValueLimits, DISCRIMINATOR, VERSION};

/// Accounts of `set_surface_source`.
#[derive(Accounts)]
#[instruction(asset: u8, expiry: i64)]
pub struct SetSurfaceSource<'info> {
    /// The exchange.
    #[account(has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The source, made the first time.
    #[account(
        init_if_needed, payer = authority, space = DISCRIMINATOR + size_of::<SurfaceSource>(),
        seeds = [seeds::SURFACE_SOURCE, exchange.key().as_ref(), &[asset], &expiry.to_le_bytes()], bump
    )]
    pub source: AccountLoader<'info, SurfaceSource>,
    /// The basis.
    /// CHECK: read as a value feed, owner and layout checked.
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
    /// The exchange's authority.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

/// Binds four feeds of one queue, as they compute now, to a listed expiry; whatever was bound before is not any more. With limits of zeros
/// nothing is bound from then on, and the feeds are not looked at: one that has gone bad can always be taken off.
pub(crate) fn set_surface_source<'info>(
    ctx: Context<'info, SetSurfaceSource<'info>>,
    asset: u8,
    expiry: i64,
    limits: ValueLimits,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let board = accounts.board.load()?;
    let listed = board.asset(asset)?.expiries.iter().any(|e| e.time == expiry);
    ensure!(expiry != 0 && listed, BallastError::InvalidExpiry);
    let (queue, feeds) = if limits == ValueLimits::default() {
        (Pubkey::default(), [ValueFeed::default(); 4])
    } else {
        check(&limits)?;
        feeds_of_one_queue(accounts)?
    };
    write(accounts, ctx.bumps.source, |source| {
        (source.asset, source.expiry, source.queue) = (asset, expiry, queue);
        (source.limits, source.feeds) = (limits, feeds);
    })?;
    emit!(SurfaceSourceSet {
        exchange: ctx.accounts.exchange.key(),
        asset,
        expiry,
        queue,
        feeds: feeds.map(|feed| feed.key),
    });
    Ok(())
}

fn check(limits: &ValueLimits) -> Result<()> {
    let fine = (1..=100_000_000).contains(&limits.max_deviation)
        && (1..=900).contains(&limits.max_age_seconds)
        && (1..=32).contains(&limits.min_samples);
    ensure!(fine, BallastError::InvalidParameter);
    Ok(())
}

/// The four feeds as they are now, and their queue.
fn feeds_of_one_queue(accounts: &SetSurfaceSource) -> Result<(Pubkey, [ValueFeed; 4])> {
    let infos = [
        accounts.basis.as_ref(),
        accounts.at_the_money.as_ref(),
        accounts.skew.as_ref(),
        accounts.curvature.as_ref(),
    ];
    let queue = read_value(accounts.basis.as_ref())?.queue;
    let mut feeds = [ValueFeed::default(); 4];
    for (at, info) in infos.into_iter().enumerate() {
        let twice = feeds.iter().any(|feed| feed.key == info.key());
        ensure!(!twice, BallastError::DuplicateAccount);
        let read = read_value(info)?;
        ensure!(read.queue == queue, BallastError::PriceWrongFeed);
        let feed = feeds.get_mut(at).ok_or(BallastError::MathOverflow)?;
        *feed = ValueFeed {
            key: info.key(),
            hash: read.hash,
        };
    }
    Ok((Pubkey::new_from_array(queue), feeds))
}

/// Fills the source in, made just now or not.
fn write(accounts: &SetSurfaceSource, bump: u8, fill: impl FnOnce(&mut SurfaceSource)) -> Result<()> {
    let info = accounts.source.to_account_info();
    let is_new = info.try_borrow_data()?.starts_with(&[0; DISCRIMINATOR]);
    let mut source = if is_new {
        accounts.source.load_init()?
    } else {
        accounts.source.load_mut()?
    };
    source.version = VERSION;
    source.bump = bump;
    source.exchange = accounts.exchange.key();
    fill(&mut source);
    Ok(())
}
