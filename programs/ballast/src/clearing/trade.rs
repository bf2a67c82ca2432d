//! Clearing a trade between two margin accounts: every leg is filled on both sides, and both accounts are judged once, after all of them.
use std::cell::RefMut;

use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Lots, Price, QuoteAmount, Ratio};
use ballast_risk::price_use::PriceUse;
use ballast_risk::trade::{judge, TradeFacts};
use ballast_risk::{MarginReport, PortfolioParams};

use super::{
    check_last_funding, check_market_open_interest, check_owner_open_interest, check_price, check_size, fee_rates,
    fill, note_referral, release, share_fees, touch, Change, Fill, Side, MAX_LEGS,
};
use crate::error::{ensure, BallastError, OrError};
use crate::events::Traded;
use crate::margin::{AssetSet, Revaluation};
use crate::state::{Exchange, Instrument, MarginAccount, Market, OwnerRecord, RiskBoard};

/// One leg of a trade, as the taker sees it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeLeg {
    /// Lots bought (sold, when negative).
    pub lots: i64,
    /// 10⁻⁹ USD.
    pub price: i64,
}

/// One side's accounts.
pub struct Trader<'a, 'info> {
    /// The margin account.
    pub account: &'a AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    pub owner: &'a AccountLoader<'info, OwnerRecord>,
}

/// Who trades with whom, and where. Both have agreed to it; the accounts are of the exchange.
pub struct Deal<'a, 'info> {
    /// The exchange.
    pub exchange: &'a AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: &'a AccountLoader<'info, RiskBoard>,
    /// Buys the legs.
    pub taker: Trader<'a, 'info>,
    /// Sells them.
    pub maker: Trader<'a, 'info>,
}

/// Checks the number of legs and that each has lots.
pub fn check_legs(legs: &[TradeLeg]) -> Result<()> {
    let filled = !legs.is_empty() && legs.iter().all(|leg| leg.lots != 0);
    ensure!(filled, BallastError::ZeroAmount);
    ensure!(legs.len() <= MAX_LEGS, BallastError::TooManyLegs);
    Ok(())
}

/// Checks that the sides are two accounts of two wallets.
pub fn check_counterparties(taker: &AccountLoader<MarginAccount>, maker: &AccountLoader<MarginAccount>) -> Result<()> {
    ensure!(taker.key() != maker.key(), BallastError::SelfTrade);
    ensure!(taker.load()?.wallet != maker.load()?.wallet, BallastError::SelfTrade);
    Ok(())
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

/// The taker buys every leg's lots from the maker (sells, when negative) at the leg's price; tells what happened, leg by leg, once all of it
/// stands. `markets` are those of the legs, in their order.
///
/// # Errors
/// Those of each leg, named after what it breaks, and those of the margin of both sides after all legs; a trade goes through whole or not
/// at all.
#[inline(never)]
pub fn clear(
    deal: &Deal,
    markets: &[AccountLoader<Market>],
    legs: &[TradeLeg],
    tell: &mut dyn FnMut(Traded) -> Result<()>,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (deal.exchange.load()?, deal.board.load()?);
    let mut terms = Vec::with_capacity(legs.len());
    for (leg, market) in legs.iter().zip(markets) {
        terms.push(Terms::new(&exchange, &board, market.load_mut()?, leg, now)?);
    }
    let rates = deal.rates(&exchange, now)?;
    let mut sides = Vec::with_capacity(legs.len());
    for leg in &mut terms {
        sides.push(leg.sides(rates)?);
    }
    let params = board.portfolio_params();
    let mut judges = Judges {
        board: &board,
        params: &params,
        assets: terms.iter().map(|leg| leg.instrument.asset).collect(),
        revaluation: None,
        now,
    };
    let (taker, maker) = (sides.iter().map(|s| s[0]), sides.iter().map(|s| s[1]));
    let taker = judges.apply(&deal.taker, &mut terms, taker)?;
    let maker = judges.apply(&deal.maker, &mut terms, maker)?;
    for (leg, (taker, maker)) in terms.iter().zip(taker.iter().zip(&maker)) {
        leg.check_freshness(taker, maker)?;
        for (fill, side) in [(taker, &deal.taker), (maker, &deal.maker)] {
            if !fill.reduces() {
                check_size(&leg.exchange.limits, leg.instrument, leg.lots, leg.price, leg.index)?;
                check_owner_open_interest(&board, leg.instrument, &*side.owner.load()?)?;
            }
        }
    }
    let mut account = deal.taker.account.load_mut()?;
    for ((leg, [taker, maker]), market) in terms.iter_mut().zip(&sides).zip(markets) {
        leg.check_open_interest()?;
        share_fees(&exchange.fees, &mut leg.market, taker.fee, maker.fee)?;
        note_referral(&exchange.fees, &mut account, taker.fee, maker.fee)?;
        tell(Traded {
            market: market.key(),
            sequence: leg.market.next_sequence(),
            instrument: leg.market.instrument,
            taker: deal.taker.account.key(),
            maker: deal.maker.account.key(),
            lots: leg.lots.0,
            price: leg.price.0,
            taker_fee: taker.fee.0,
            maker_fee: maker.fee.0,
        })?;
    }
    Ok(())
}

impl Deal<'_, '_> {
    /// What the taker and the maker pay of a notional.
    fn rates(&self, exchange: &Exchange, now: i64) -> Result<[Ratio; 2]> {
        let rates = |side: &Trader| Ok::<_, Error>(fee_rates(&exchange.fees, &side.account.load()?.volume, now));
        Ok([rates(&self.taker)?.taker, rates(&self.maker)?.maker])
    }
}

/// Judges both sides, one after the other in the same working memory: nothing of the 32 KB that an instruction has is ever freed.
struct Judges<'a> {
    board: &'a RiskBoard,
    params: &'a PortfolioParams,
    /// Assets of the legs.
    assets: AssetSet,
    /// The memory, once a side has been judged.
    revaluation: Option<Revaluation<'a>>,
    now: i64,
}

impl<'a> Judges<'a> {
    /// The working memory, about this account.
    fn revaluation(&mut self, account: &MarginAccount) -> Result<&mut Revaluation<'a>> {
        match &mut self.revaluation {
            Some(again) => {
                again.restart(account)?;
                Ok(again)
            }
            none => {
                let new = Revaluation::new(self.board, self.params, account, self.assets, self.now, None)?;
                Ok(none.insert(new))
            }
        }
    }

    /// Fills one side of every leg and judges the account by its margin before and after all of them.
    #[inline(never)]
    fn apply(&mut self, trader: &Trader, legs: &mut [Terms], sides: impl Iterator<Item = Side>) -> Result<Vec<Fill>> {
        let (board, now) = (self.board, self.now);
        let mut account = trader.account.load_mut()?;
        let mut owner = trader.owner.load_mut()?;
        check_last_funding(board, &account, now)?;
        for leg in legs.iter_mut() {
            touch(&mut account, &mut leg.market, leg.instrument, now)?;
        }
        let revaluation = self.revaluation(&account)?;
        let before = revaluation.evaluate(&account)?;
        let cash = account.cash;
        let mut cost = Dollars::ZERO;
        let mut fills = Vec::with_capacity(legs.len());
        for (leg, side) in legs.iter_mut().zip(sides) {
            let change = Change {
                lots: side.lots,
                quote: side.received()?,
                now,
            };
            let fill = fill(&mut account, &mut owner, &mut leg.market, leg.instrument, change)?;
            release(&mut account, &mut leg.market, fill.at)?;
            account.volume.count(side.notional, now);
            cost = cost.plus(side.cost(leg.instrument, leg.mark)?).or_error()?;
            fills.push(fill);
        }
        let after = revaluation.evaluate(&account)?;
        let facts = TradeFacts {
            reduces: fills.iter().all(Fill::reduces),
            cost,
            order_reserve: Dollars(account.order_reserve),
            quote_trusted: board.quote_state(now).1,
            reduces_on_book: false,
        };
        judge(&before, &after, &facts).or_error()?.or_error()?;
        if account.cash < cash {
            check_cash(board, &account, &after)?;
        }
        Ok(fills)
    }
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
        ensure!(!instrument.is_expired(now), BallastError::InstrumentExpired);
        instrument.check_funding(now)?;
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

    /// A stale asset or surface may only be reduced, and by both.
    fn check_freshness(&self, taker: &Fill, maker: &Fill) -> Result<()> {
        let both_reduce = taker.reduces() && maker.reduces();
        let asset = self.board.asset(self.instrument.asset)?;
        let traded = both_reduce || asset.price.permits(PriceUse::Trade, self.now);
        ensure!(traded, BallastError::StalePrice);
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

    /// The taker's and the maker's side at their fee rates. Both quotes and fees round against who pays; what is left goes to the market's
    /// residual.
    fn sides(&mut self, [taker, maker]: [Ratio; 2]) -> Result<[Side; 2]> {
        let side = |lots: Lots, rate: Ratio| Side::new(self.instrument, lots, self.price, rate);
        let taker = side(self.lots, taker)?;
        let maker = side(self.lots.negated().or_error()?, maker)?;
        let residual = taker.quote.plus(maker.quote).or_error()?;
        self.market.residual = self
            .market
            .residual
            .checked_sub(residual.0)
            .ok_or(BallastError::MathOverflow)?;
        Ok([taker, maker])
    }
}

/// The reserve that a first position or order locks may not push cash under what the collateral backs.
pub fn check_cash(board: &RiskBoard, account: &MarginAccount, after: &MarginReport) -> Result<()> {
    let backing = board.in_quote(after.credit_initial)?;
    let covered = account.cash >= 0 || QuoteAmount(account.cash).plus(backing).or_error()?.0 >= 0;
    ensure!(covered, BallastError::CashUnderCredit);
    Ok(())
}
