//! `delist_instrument`: the authority ends a perpetual, which then settles as an expiry does.
use anchor_lang::prelude::*;

use super::list_instrument::{expiry_slot, MAX_TENOR};
use crate::error::{ensure, BallastError};
use crate::events::InstrumentDelisted;
use crate::state::{Exchange, InstrumentKind, RiskBoard};

/// Shortest notice of a delisting, seconds: a day.
const MIN_NOTICE: i64 = 86_400;

/// Accounts of `delist_instrument`.
#[derive(Accounts)]
pub struct DelistInstrument<'info> {
    /// The exchange.
    #[account(has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The exchange's authority.
    pub authority: Signer<'info>,
}

/// Ends trading and funding of a perpetual at `ends_at`, a day from now at the earliest; it is then settled at the mean index of the half
/// hour before (margin.md section 5). What has been announced is not changed any more.
///
/// # Errors
/// [`BallastError::InvalidParameter`] for what is no perpetual, [`BallastError::AlreadyDelisted`], [`BallastError::InvalidExpiry`] for a
/// time out of bounds, [`BallastError::BoardFull`] when the asset has no room for another expiry.
pub(crate) fn delist_instrument<'info>(
    ctx: Context<'info, DelistInstrument<'info>>,
    instrument: u16,
    ends_at: i64,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let mut board = ctx.accounts.board.load_mut()?;
    let listed = *board.instrument(instrument)?;
    ensure!(
        listed.kind == InstrumentKind::Perpetual as u8,
        BallastError::InvalidParameter
    );
    ensure!(listed.ends_at == 0, BallastError::AlreadyDelisted);
    let bounds = now.saturating_add(MIN_NOTICE)..=now.saturating_add(MAX_TENOR);
    ensure!(bounds.contains(&ends_at), BallastError::InvalidExpiry);
    let asset = board
        .assets
        .get_mut(usize::from(listed.asset))
        .ok_or(BallastError::AssetNotListed)?;
    let slot = expiry_slot(asset, ends_at, None, now)?;
    let listed = board
        .instruments
        .get_mut(usize::from(instrument))
        .ok_or(BallastError::InstrumentNotListed)?;
    (listed.ends_at, listed.expiry_slot) = (ends_at, slot);
    emit!(InstrumentDelisted {
        exchange: ctx.accounts.exchange.key(),
        instrument,
        ends_at,
    });
    Ok(())
}
