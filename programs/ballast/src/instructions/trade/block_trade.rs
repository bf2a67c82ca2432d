//! `block_trade`: two margin accounts agree on the prices of up to eight legs; the clearing house margins both once, after all of them.
use anchor_lang::prelude::*;

use crate::clearing::{check_counterparties, check_legs, clear, load_markets, Deal, Trader};
use crate::error::{ensure, BallastError};
use crate::state::{Exchange, MarginAccount, Market, OwnerRecord, RiskBoard};

pub use crate::clearing::TradeLeg;

/// Accounts of `block_trade`. Behind them come the markets of the legs after the first, in their order.
#[event_cpi]
#[derive(Accounts)]
pub struct BlockTrade<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The market of the first leg.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub market: AccountLoader<'info, Market>,
    /// The taker's account.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange,
        constraint = taker.load()?.owner == taker_owner.key() @ BallastError::WrongOwnerRecord
    )]
    pub taker: AccountLoader<'info, MarginAccount>,
    /// The taker's record.
    #[account(mut)]
    pub taker_owner: AccountLoader<'info, OwnerRecord>,
    /// The taker's wallet or a delegate.
    pub taker_signer: Signer<'info>,
    /// The maker's account.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange,
        constraint = maker.load()?.owner == maker_owner.key() @ BallastError::WrongOwnerRecord
    )]
    pub maker: AccountLoader<'info, MarginAccount>,
    /// The maker's record.
    #[account(mut)]
    pub maker_owner: AccountLoader<'info, OwnerRecord>,
    /// The maker's wallet or a delegate.
    pub maker_signer: Signer<'info>,
}

impl BlockTrade<'_> {
    fn validate(&self, legs: &[TradeLeg]) -> Result<()> {
        check_legs(legs)?;
        check_counterparties(&self.taker, &self.maker)?;
        let (taker, maker) = (self.taker.load()?, self.maker.load()?);
        ensure!(taker.may_trade(self.taker_signer.key), BallastError::NotTrader);
        ensure!(maker.may_trade(self.maker_signer.key), BallastError::NotTrader);
        Ok(())
    }
}

/// The taker buys every leg's lots from the maker (sells, when negative) at the leg's price.
///
/// # Errors
/// Those of [`clear`].
#[access_control(ctx.accounts.validate(&legs))]
pub(crate) fn block_trade<'info>(ctx: Context<'info, BlockTrade<'info>>, legs: Vec<TradeLeg>) -> Result<()> {
    let accounts = &ctx.accounts;
    let markets = load_markets(
        &*accounts.exchange.load()?,
        &accounts.market,
        ctx.remaining_accounts,
        legs.len(),
    )?;
    let deal = Deal {
        exchange: &accounts.exchange,
        board: &accounts.board,
        taker: Trader {
            account: &accounts.taker,
            owner: &accounts.taker_owner,
        },
        maker: Trader {
            account: &accounts.maker,
            owner: &accounts.maker_owner,
        },
    };
    clear(&deal, &markets, &legs, &mut |event| {
        emit_cpi!(event);
        Ok(())
    })?;
    Ok(())
}
