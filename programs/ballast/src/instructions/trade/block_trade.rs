//! `block_trade`: two margin accounts agree on the prices of up to eight legs; the clearing house margins both once, after all of them.
use std::cell::RefMut;

use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Lots, Notional, Price, QuoteAmount, Ratio};
use ballast_risk::trade::{judge, TradeFacts};
use ballast_risk::{MarginReport, OptionBook};

use crate::clearing::{
    check_market_open_interest, check_owner_open_interest, check_price, check_size, fill, load_markets, release, Fill,
    Side, MAX_LEGS,
};
use crate::error::{ensure, BallastError, OrError};
use crate::events::Traded;
use crate::margin::Revaluation;
use crate::state::{ppm, Exchange, Instrument, MarginAccount, Market, OwnerRecord, RiskBoard};

/// One leg of a trade, as the taker sees it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeLeg {
    /// Lots bought (sold, when negative).
    pub lots: i64,
    /// 10⁻⁹ USD.
    pub price: i64,
}

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
        ensure!(
            !legs.is_empty() && legs.iter().all(|leg| leg.lots != 0),
            BallastError::ZeroAmount
        );
        ensure!(legs.len() <= MAX_LEGS, BallastError::TooManyLegs);
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

/// One leg with its market, and what follows from it alone.
struct Terms<'a> {
    exchange: &'a Exchange,
    board: &'a RiskBoard,
    market: RefMut<'a, Market>,
    instrument: &'a Instrument,
    lots: Lots,
    price: Price,
    mark: Price,
    index: Price,
    /// Open interest of the market before, lots.
    open_interest: i64,
    now: i64,
}

/// The taker buys every leg's lots from the maker (sells, when negative) at the leg's price.
///
/// # Errors
/// Those of each leg, named after what it breaks, and those of the margin of both sides after all legs; a trade goes through whole or not
/// at all.
#[access_control(ctx.accounts.validate(&legs))]
pub(crate) fn block_trade<'info>(ctx: Context<'info, BlockTrade<'info>>, legs: Vec<TradeLeg>) -> Result<()> {
    let events = clear(ctx.accounts, ctx.remaining_accounts, &legs)?;
    for event in events {
        emit_cpi!(event);
    }
    Ok(())
}

#[inline(never)]
fn clear<'info>(
    accounts: &BlockTrade<'info>,
    others: &'info [AccountInfo<'info>],
    legs: &[TradeLeg],
) -> Result<Vec<Traded>> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let loaders = load_markets(&exchange, &accounts.market, others, legs.len())?;
    let mut terms = Vec::with_capacity(legs.len());
    for (leg, loader) in legs.iter().zip(&loaders) {
        terms.push(Terms::new(&exchange, &board, loader.load_mut()?, leg, now)?);
    }
    let mut sides = Vec::with_capacity(legs.len());
    for leg in &mut terms {
        sides.push(leg.sides()?);
    }
    let mut options = None;
    let (taker, maker) = (sides.iter().map(|s| s[0]), sides.iter().map(|s| s[1]));
    let taker = apply(&accounts.taker, &accounts.taker_owner, &mut terms, taker, &mut options)?;
    let maker = apply(&accounts.maker, &accounts.maker_owner, &mut terms, maker, &mut options)?;
    for (leg, (taker, maker)) in terms.iter().zip(taker.iter().zip(&maker)) {
        leg.check_freshness(taker, maker)?;
        for (fill, owner) in [(taker, &accounts.taker_owner), (maker, &accounts.maker_owner)] {
            if !fill.reduces() {
                check_size(&leg.exchange.limits, leg.instrument, leg.lots, leg.price, leg.index)?;
                check_owner_open_interest(&board, leg.instrument, &*owner.load()?)?;
            }
        }
    }
    let mut events = Vec::with_capacity(legs.len());
    for ((leg, [taker, maker]), loader) in terms.iter_mut().zip(&sides).zip(&loaders) {
        leg.check_open_interest()?;
        leg.share_fees(taker.fee.plus(maker.fee).or_error()?)?;
        events.push(Traded {
            market: loader.key(),
            sequence: leg.market.next_sequence(),
            instrument: leg.market.instrument,
            taker: accounts.taker.key(),
            maker: accounts.maker.key(),
            lots: leg.lots.0,
            price: leg.price.0,
            taker_fee: taker.fee.0,
            maker_fee: maker.fee.0,
        });
    }
    Ok(events)
}

/// Fills one side of every leg and judges the account by its margin before and after all of them. `options` is working memory for both
/// sides, who have the legs in common.
#[inline(never)]
fn apply<'info>(
    account: &AccountLoader<'info, MarginAccount>,
    owner: &AccountLoader<'info, OwnerRecord>,
    legs: &mut [Terms],
    sides: impl Iterator<Item = Side>,
    options: &mut Option<Box<OptionBook>>,
) -> Result<Vec<Fill>> {
    let first = legs.first().ok_or(BallastError::ZeroAmount)?;
    let (board, now) = (first.board, first.now);
    let mut account = account.load_mut()?;
    let mut owner = owner.load_mut()?;
    let params = board.portfolio_params();
    let assets = legs.iter().map(|leg| leg.instrument.asset).collect();
    let mut revaluation = Revaluation::new(board, &params, &account, assets, now, options.take())?;
    let before = revaluation.evaluate(&account)?;
    let cash = account.cash;
    let mut cost = Dollars::ZERO;
    let mut fills = Vec::with_capacity(legs.len());
    for (leg, side) in legs.iter_mut().zip(sides) {
        let received = side.received()?;
        let fill = fill(
            &mut account,
            &mut owner,
            &mut leg.market,
            leg.instrument,
            side.lots,
            received,
        )?;
        release(&mut account, &mut leg.market, fill.at)?;
        cost = cost.plus(leg.cost(&side)?).or_error()?;
        fills.push(fill);
    }
    let after = revaluation.evaluate(&account)?;
    *options = revaluation.into_options();
    let facts = TradeFacts {
        reduces: fills.iter().all(Fill::reduces),
        cost,
        order_reserve: Dollars(account.order_reserve),
        quote_trusted: board.quote_state(now).1,
    };
    judge(&before, &after, &facts).or_error()?.or_error()?;
    if account.cash < cash {
        check_cash(board, &account, &after)?;
    }
    Ok(fills)
}

impl<'a> Terms<'a> {
    /// The leg on its market; the price is checked.
    fn new(
        exchange: &'a Exchange,
        board: &'a RiskBoard,
        market: RefMut<'a, Market>,
        leg: &TradeLeg,
        now: i64,
    ) -> Result<Self> {
        let instrument = board.instrument(market.instrument)?;
        let mark = board.mark(instrument, now)?;
        let terms = Terms {
            exchange,
            board,
            instrument,
            lots: Lots(leg.lots),
            price: Price(leg.price),
            mark,
            index: board.asset(instrument.asset)?.price.index(),
            open_interest: market.open_interest,
            market,
            now,
        };
        check_price(&exchange.limits, instrument, terms.price, mark, terms.index)?;
        Ok(terms)
    }

    /// A stale asset or surface and an expired instrument may only be reduced, and by both.
    fn check_freshness(&self, taker: &Fill, maker: &Fill) -> Result<()> {
        let both_reduce = taker.reduces() && maker.reduces();
        let expired = self.instrument.is_expired(self.now);
        ensure!(!expired || both_reduce, BallastError::InstrumentExpired);
        let asset = self.board.asset(self.instrument.asset)?;
        ensure!(asset.price.is_fresh(self.now) || both_reduce, BallastError::StalePrice);
        let fresh = asset.is_fresh(self.instrument, self.now)?;
        ensure!(fresh || both_reduce, BallastError::SurfaceStale);
        Ok(())
    }

    /// What raises the market's open interest stays under its cap.
    fn check_open_interest(&self) -> Result<()> {
        if self.market.open_interest > self.open_interest {
            check_market_open_interest(self.board, self.instrument, &self.market)?;
        }
        Ok(())
    }

    /// The taker's and the maker's side. Both quotes and fees round against who pays; what is left goes to the market's residual.
    fn sides(&mut self) -> Result<[Side; 2]> {
        let fees = &self.exchange.fees;
        let side = |lots: Lots, rate: Ratio| Side::new(self.instrument, lots, self.price, rate);
        let taker = side(self.lots, ppm(fees.taker_ppm))?;
        let maker = side(self.lots.negated().or_error()?, ppm(fees.maker_ppm))?;
        let residual = taker.quote.plus(maker.quote).or_error()?;
        self.market.residual = self
            .market
            .residual
            .checked_sub(residual.0)
            .ok_or(BallastError::MathOverflow)?;
        Ok([taker, maker])
    }

    /// Loss against the mark plus fees, rounded up; a gain against the mark is not a cost.
    fn cost(&self, side: &Side) -> Result<Dollars> {
        let quantity = side.lots.quantity(self.instrument.lot_size()).or_error()?;
        let paid = Notional::from_quote(side.quote).negated().or_error()?;
        let loss = paid.minus(self.mark.times(quantity)).or_error()?.ceil().or_error()?;
        side.fee.dollars().and_then(|fee| fee.plus(loss)).or_error()
    }

    fn share_fees(&mut self, fees: QuoteAmount) -> Result<()> {
        let market = &mut self.market;
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
