//! `set_volatility_publisher`: who may publish volatility surfaces.
use anchor_lang::prelude::*;

use crate::error::BallastError;
use crate::events::VolatilityPublisherSet;
use crate::state::Exchange;

/// Accounts of `set_volatility_publisher`.
#[derive(Accounts)]
pub struct SetVolatilityPublisher<'info> {
    /// The exchange.
    #[account(mut, has_one = authority @ BallastError::NotAuthority)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The exchange's authority.
    pub authority: Signer<'info>,
}

/// Names the publisher; the default key names none.
pub(crate) fn set_volatility_publisher<'info>(
    ctx: Context<'info, SetVolatilityPublisher<'info>>,
    publisher: Pubkey,
) -> Result<()> {
    ctx.accounts.exchange.load_mut()?.volatility_publisher = publisher;
    emit!(VolatilityPublisherSet {
        exchange: ctx.accounts.exchange.key(),
        publisher,
    });
    Ok(())
}
