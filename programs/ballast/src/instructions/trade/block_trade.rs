//! `block_trade`: two margin accounts agree on a price; the clearing house margins both.
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Lots, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::trade::{judge, TradeFacts};
use ballast_risk::MarginReport;

use crate::clearing::{check_market_open_interest, check_owner_open_interest, fill, release, Fill};
use crate::error::{ensure, BallastError, OrError};
use crate::events::Traded;
use crate::margin::Revaluation;
use crate::state::{ppm, Exchange, Instrument, MarginAccount, Market, OwnerRecord, RiskBoard};

/// Accounts of `block_trade`.
#[event_cpi]
#[derive(Accounts)]
pub struct BlockTrade<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The instrument's market.
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
    fn validate(&self, lots: i64) -> Result<()> {
        ensure!(lots != 0, BallastError::ZeroAmount);
        ensure!(self.taker.key() != self.maker.key(), BallastError::SelfTrade);
        let (taker, maker) = (self.taker.load()?, self.maker.load()?);
        ensure!(taker.wallet != maker.wallet, BallastError::SelfTrade);
        ensure!(taker.may_trade(self.taker_signer.key), BallastError::NotTrader);
        ensure!(maker.may_trade(self.maker_signer.key), BallastError::NotTrader);
        let recorded = self.exchange.load()?.market(self.market.load()?.instrument)?;
        ensure!(recorded == self.market.key(), BallastError::WrongMarket);
        Ok(())
    }
}

/// The agreed trade and what follows from it alone.
struct Terms<'a> {
    exchange: &'a Exchange,
    board: &'a RiskBoard,
    instrument: &'a Instrument,
    price: Price,
    mark: Price,
    now: i64,
}

/// What one side gets.
struct Side {
    lots: Lots,
    quote: QuoteAmount,
    fee: QuoteAmount,
}

/// The taker buys `lots` from the maker (sells, when negative) at `price`, 10⁻⁹ USD.
#[access_control(ctx.accounts.validate(lots))]
pub(crate) fn block_trade<'info>(ctx: Context<'info, BlockTrade<'info>>, lots: i64, price: i64) -> Result<()> {
    let event = clear(ctx.accounts, Lots(lots), Price(price))?;
    emit_cpi!(event);
    Ok(())
}

#[inline(never)]
fn clear(accounts: &BlockTrade, lots: Lots, price: Price) -> Result<Traded> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut market = accounts.market.load_mut()?;
    let instrument = board.instrument(market.instrument)?;
    let mark = board.mark(instrument)?;
    let terms = Terms {
        exchange: &exchange,
        board: &board,
        instrument,
        price,
        mark,
        now,
    };
    terms.check_price()?;

    let [taker_side, maker_side] = terms.sides(lots)?;
    let (taker_fee, maker_fee) = (taker_side.fee, maker_side.fee);
    let residual = taker_side.quote.plus(maker_side.quote).or_error()?;
    market.residual = market
        .residual
        .checked_sub(residual.0)
        .ok_or(BallastError::MathOverflow)?;
    let open_interest = market.open_interest;
    let taker_fill = terms.apply(&accounts.taker, &accounts.taker_owner, &mut market, taker_side)?;
    let maker_fill = terms.apply(&accounts.maker, &accounts.maker_owner, &mut market, maker_side)?;
    terms.check_freshness(&taker_fill, &maker_fill)?;
    for (fill, owner) in [(taker_fill, &accounts.taker_owner), (maker_fill, &accounts.maker_owner)] {
        if !fill.reduces() {
            terms.check_size(lots)?;
            check_owner_open_interest(&board, instrument, &*owner.load()?)?;
        }
    }
    if market.open_interest > open_interest {
        check_market_open_interest(&board, instrument, &market)?;
    }
    terms.share_fees(&mut market, taker_fee.plus(maker_fee).or_error()?)?;
    Ok(Traded {
        market: accounts.market.key(),
        sequence: market.next_sequence(),
        instrument: market.instrument,
        taker: accounts.taker.key(),
        maker: accounts.maker.key(),
        lots: lots.0,
        price: price.0,
        taker_fee: taker_fee.0,
        maker_fee: maker_fee.0,
    })
}

impl Terms<'_> {
    /// A positive multiple of the tick within the band around the mark.
    fn check_price(&self) -> Result<()> {
        let tick = self.instrument.tick_size;
        let on_tick = self.price.0 > 0 && self.price.0.checked_rem(tick) == Some(0);
        ensure!(on_tick, BallastError::OffTick);
        let gap = Quantity(
            self.price
                .0
                .checked_sub(self.mark.0)
                .ok_or(BallastError::MathOverflow)?,
        );
        let band = Quantity(self.mark.0)
            .times_floor(ppm(self.exchange.limits.price_band_ppm))
            .or_error()?;
        ensure!(gap.magnitude().or_error()? <= band, BallastError::PriceOutsideBand);
        Ok(())
    }

    /// A stale asset and an expired instrument may only be reduced, and by both.
    fn check_freshness(&self, taker: &Fill, maker: &Fill) -> Result<()> {
        let both_reduce = taker.reduces() && maker.reduces();
        let expired = self.instrument.is_expired(self.now);
        ensure!(!expired || both_reduce, BallastError::InstrumentExpired);
        let fresh = self.board.asset(self.instrument.asset)?.price.is_fresh(self.now);
        ensure!(fresh || both_reduce, BallastError::StalePrice);
        Ok(())
    }

    /// What opens a position has a minimum size.
    fn check_size(&self, lots: Lots) -> Result<()> {
        let notional = self.notional(lots)?.magnitude().or_error()?.quote_floor().or_error()?;
        ensure!(
            notional.0.unsigned_abs() >= self.exchange.limits.minimum_trade.max(1),
            BallastError::TradeTooSmall
        );
        Ok(())
    }

    fn notional(&self, lots: Lots) -> Result<Notional> {
        Ok(self.price.times(lots.quantity(self.instrument.lot_size()).or_error()?))
    }

    /// The taker's and the maker's side. Both quotes and fees round against who pays; what is left goes to the market's residual.
    fn sides(&self, lots: Lots) -> Result<[Side; 2]> {
        let fees = &self.exchange.fees;
        let side = |lots: Lots, rate: Ratio| -> Result<Side> {
            let notional = self.notional(lots)?;
            let fee = notional
                .magnitude()
                .or_error()?
                .times_ceil(rate)
                .or_error()?
                .quote_ceil();
            let quote = notional.negated().or_error()?.quote_floor().or_error()?;
            Ok(Side { lots, quote, fee })
        };
        Ok([
            side(lots, ppm(fees.taker_ppm))?,
            side(lots.negated().or_error()?, ppm(fees.maker_ppm))?,
        ])
    }

    /// Fills one side and judges the account by its margin before and after.
    #[inline(never)]
    fn apply<'info>(
        &self,
        account: &AccountLoader<'info, MarginAccount>,
        owner: &AccountLoader<'info, OwnerRecord>,
        market: &mut Market,
        side: Side,
    ) -> Result<Fill> {
        let mut account = account.load_mut()?;
        let mut owner = owner.load_mut()?;
        let params = self.board.portfolio_params();
        let mut revaluation = Revaluation::new(self.board, &params, &account, self.instrument.asset, self.now)?;
        let before = revaluation.evaluate(&account)?;
        let received = side.quote.minus(side.fee).or_error()?;
        let cash = account.cash;
        let fill = fill(&mut account, &mut owner, market, self.instrument, side.lots, received)?;
        release(&mut account, market, fill.at)?;
        let after = revaluation.evaluate(&account)?;
        let facts = TradeFacts {
            reduces: fill.reduces(),
            cost: self.cost(&side)?,
            order_reserve: Dollars(account.order_reserve),
            quote_trusted: self.board.quote_state(self.now).1,
        };
        judge(&before, &after, &facts).or_error()?.or_error()?;
        if account.cash < cash {
            check_cash(self.board, &account, &after)?;
        }
        Ok(fill)
    }

    /// Loss against the mark plus fees, rounded up; a gain against the mark is not a cost.
    fn cost(&self, side: &Side) -> Result<Dollars> {
        let quantity = side.lots.quantity(self.instrument.lot_size()).or_error()?;
        let paid = Notional::from_quote(side.quote).negated().or_error()?;
        let loss = paid.minus(self.mark.times(quantity)).or_error()?.ceil().or_error()?;
        side.fee.dollars().and_then(|fee| fee.plus(loss)).or_error()
    }

    fn share_fees(&self, market: &mut Market, fees: QuoteAmount) -> Result<()> {
        let insurance = fees
            .times_floor(ppm(self.exchange.fees.insurance_share_ppm))
            .or_error()?;
        let rest = fees.minus(insurance).or_error()?;
        market.insurance_due = market
            .insurance_due
            .checked_add(insurance.0)
            .ok_or(BallastError::MathOverflow)?;
        market.fees_due = market.fees_due.checked_add(rest.0).ok_or(BallastError::MathOverflow)?;
        Ok(())
    }
}

/// The reserve that a first position locks may not push cash under what the collateral backs.
fn check_cash(board: &RiskBoard, account: &MarginAccount, after: &MarginReport) -> Result<()> {
    let backing = board.in_quote(after.credit_initial)?;
    let covered = account.cash >= 0 || QuoteAmount(account.cash).plus(backing).or_error()?.0 >= 0;
    ensure!(covered, BallastError::CashUnderCredit);
    Ok(())
}
