//! `fill_quote`: a taker brings a quote that its maker signed off chain, and trades on it.
use anchor_lang::prelude::*;

use crate::clearing::{check_counterparties, check_legs, clear, load_markets, Deal, TradeLeg, Trader};
use crate::error::{ensure, BallastError};
use crate::events::QuoteFilled;
use crate::quote::{signed_message, Quote};
use crate::state::{Exchange, MarginAccount, Market, OwnerRecord, QuoteLedger, RiskBoard, VERSION};

/// Accounts of `fill_quote`. Behind them come the markets of the legs after the first, in their order.
#[event_cpi]
#[derive(Accounts)]
pub struct FillQuote<'info> {
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
    /// What the maker has filled and cancelled.
    #[account(mut, constraint = maker_quotes.load()?.margin_account == maker.key() @ BallastError::WrongQuoteLedger)]
    pub maker_quotes: AccountLoader<'info, QuoteLedger>,
    /// The sysvar of the transaction's instructions, the quote's proof among them.
    /// CHECK: read by Solana's own crate; the address is its only one.
    #[account(address = solana_instructions_sysvar::ID @ BallastError::QuoteNotProved)]
    pub instructions: UncheckedAccount<'info>,
}

impl FillQuote<'_> {
    /// Checks that the maker signed this quote, for this exchange and this taker, and that it stands.
    fn validate(&self, quote: &Quote, signer: &Pubkey, now: i64) -> Result<()> {
        ensure!(quote.exchange == self.exchange.key(), BallastError::WrongExchange);
        let for_taker = quote.taker == Pubkey::default() || quote.taker == self.taker.key();
        let named = quote.maker == self.maker.key() && for_taker;
        ensure!(named, BallastError::QuoteWrongAccount);
        ensure!(now < quote.expires_at, BallastError::QuoteExpired);
        check_counterparties(&self.taker, &self.maker)?;
        let (taker, maker) = (self.taker.load()?, self.maker.load()?);
        ensure!(taker.may_trade(self.taker_signer.key), BallastError::NotTrader);
        ensure!(maker.may_trade(signer), BallastError::NotTrader);
        let known = self.maker_quotes.load()?.version == VERSION;
        ensure!(known, BallastError::WrongVersion);
        Ok(())
    }
}

/// The taker buys `units` of the quote's package (sells, where a leg's lots are negative) at its prices. The instruction in front of this
/// one proves the maker's signature: see [`signed_message`].
///
/// # Errors
/// What is wrong with the proof, with the quote, with the ledger's view of its nonce, and the errors of [`clear`]. Nothing is used up by
/// what is refused.
pub(crate) fn fill_quote<'info>(ctx: Context<'info, FillQuote<'info>>, units: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    ensure!(units != 0, BallastError::ZeroAmount);
    let now = Clock::get()?.unix_timestamp;
    let signed = signed_message(&accounts.instructions)?;
    let quote = Quote::decode(&signed.message)?;
    accounts.validate(&quote, &signed.signer, now)?;
    let markets = load_markets(
        &*accounts.exchange.load()?,
        &accounts.market,
        ctx.remaining_accounts,
        quote.legs.len(),
    )?;
    check_instruments(&quote, &markets)?;
    let legs = legs(&quote, units)?;
    check_legs(&legs)?;
    let left = (accounts.maker_quotes.load_mut()?).fill(quote.nonce, units, quote.max_units, quote.expires_at, now)?;
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
    emit_cpi!(QuoteFilled {
        maker: quote.maker,
        taker: ctx.accounts.taker.key(),
        nonce: quote.nonce,
        units,
        left,
    });
    Ok(())
}

/// Checks that the markets are those of the instruments that the maker meant, in the order of the legs.
fn check_instruments(quote: &Quote, markets: &[AccountLoader<Market>]) -> Result<()> {
    for (leg, market) in quote.legs.iter().zip(markets) {
        let market = market.load()?;
        let same = (leg.instrument, leg.generation) == (market.instrument, market.generation);
        ensure!(same, BallastError::QuoteWrongInstrument);
    }
    Ok(())
}

/// The legs of so many units.
fn legs(quote: &Quote, units: u64) -> Result<Vec<TradeLeg>> {
    let units = i64::try_from(units).map_err(|_| BallastError::MathOverflow)?;
    let mut legs = Vec::with_capacity(quote.legs.len());
    for leg in &quote.legs {
        let lots = leg.lots.checked_mul(units).ok_or(BallastError::MathOverflow)?;
        legs.push(TradeLeg { lots, price: leg.price });
    }
    Ok(legs)
}
