//! `close_instrument`: anyone frees the slot of an instrument that has ended and settled.
use anchor_lang::prelude::*;
use ballast_book::BookRef;

use crate::error::{ensure, BallastError, OrError};
use crate::events::InstrumentClosed;
use crate::state::{Exchange, InsuranceFund, Market, QuotePool, RiskBoard};

/// Accounts of `close_instrument`.
#[derive(Accounts)]
pub struct CloseInstrument<'info> {
    /// The exchange.
    #[account(
        mut, has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard
    )]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// Totals of the quote asset.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// The insurance fund, which gets what rounding has left.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub insurance_fund: AccountLoader<'info, InsuranceFund>,
    /// The market, which is closed.
    #[account(mut, close = authority, has_one = exchange @ BallastError::WrongExchange)]
    pub market: AccountLoader<'info, Market>,
    /// The exchange's authority, who gets the market's rent. It need not sign.
    /// CHECK: compared with the exchange's.
    #[account(mut)]
    pub authority: UncheckedAccount<'info>,
}

impl CloseInstrument<'_> {
    fn has_empty_book(&self) -> Result<bool> {
        let mut data = self.market.as_ref().try_borrow_mut_data()?;
        let (_, book) = Market::split(&mut data)?;
        Ok(BookRef::load(book).or_error()?.is_empty())
    }
}

/// Pays out what the market's pool owes, frees the instrument's slot for the next generation, and the expiry's with its last instrument.
///
/// # Errors
/// [`BallastError::InstrumentOpen`] before it has ended, [`BallastError::MarketInUse`] with positions or orders.
pub(crate) fn close_instrument<'info>(ctx: Context<'info, CloseInstrument<'info>>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    ensure!(accounts.has_empty_book()?, BallastError::MarketInUse);
    let (mut exchange, mut board) = (accounts.exchange.load_mut()?, accounts.board.load_mut()?);
    let mut market = accounts.market.load_mut()?;
    let index = market.instrument;
    ensure!(
        exchange.market(index)? == accounts.market.key(),
        BallastError::WrongMarket
    );
    ensure!(board.instrument(index)?.is_expired(now), BallastError::InstrumentOpen);
    let (fees, insurance) = market.empty()?;
    accounts.quote_pool.load_mut()?.collect(fees)?;
    accounts.insurance_fund.load_mut()?.earn(insurance)?;
    board.free_instrument(index)?;
    *exchange
        .markets
        .get_mut(usize::from(index))
        .ok_or(BallastError::InstrumentNotListed)? = Pubkey::default();
    emit!(InstrumentClosed {
        exchange: accounts.exchange.key(),
        instrument: index,
        generation: market.generation,
        market: accounts.market.key(),
        insurance: insurance.0,
        fees: fees.0,
    });
    Ok(())
}
