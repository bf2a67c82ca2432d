//! Turning a position's profit or loss into cash, for `settle_pnl` and for a withdrawal.
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::price_use::PriceUse;
use ballast_risk::settlement::{gain, loss, prices_agree, CashLimits};

use super::{position_value, release};
use crate::error::{ensure, BallastError, OrError};
use crate::events::SettledPosition;
use crate::state::{Exchange, Instrument, InsuranceFund, MarginAccount, Market, Position, QuotePool, RiskBoard};

/// What every settlement of one instruction shares.
pub struct Settlement<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its board.
    pub board: &'a RiskBoard,
    /// Totals of the quote asset.
    pub pool: &'a mut QuotePool,
    /// The insurance fund.
    pub fund: &'a mut InsuranceFund,
    /// Unix seconds.
    pub now: i64,
    /// Σ credit_im(V) of the account: settling changes no collateral, so it is computed once.
    pub credit: Dollars,
}

impl Settlement<'_> {
    /// The position with its pending funding credited, as it settles.
    ///
    /// # Errors
    /// [`BallastError::FundingDue`] for lots of a perpetual that has ended, before its last hour is on the board.
    pub fn funded(&self, position: &Position) -> Result<Position> {
        let mut funded = *position;
        let instrument = self.board.instrument(position.instrument)?;
        self.check_final(position, instrument)?;
        funded.realise_funding(instrument, self.now)?;
        Ok(funded)
    }

    /// Nothing ties down who holds what has ended, so nobody settles before the last of its payments is known: he would be gone by then.
    fn check_final(&self, position: &Position, instrument: &Instrument) -> Result<()> {
        ensure!(
            position.generation == instrument.generation,
            BallastError::StaleGeneration
        );
        if position.lots != 0 && instrument.is_expired(self.now) {
            instrument.check_funding(self.now)?;
        }
        Ok(())
    }

    /// What the position could settle: quote + lots · slow mark towards zero, or `None` while its price is stale or index and slow price
    /// are more than 1 % apart. A position without lots always settles, and so does an option, each its quote alone; and what has a
    /// settlement price, at that.
    pub fn settleable(&self, position: &Position) -> Result<Option<QuoteAmount>> {
        if position.lots == 0 {
            return Ok(Some(QuoteAmount(position.quote)));
        }
        let instrument = self.board.instrument(position.instrument)?;
        let asset = self.board.asset(instrument.asset)?;
        let value = if let Some(price) = asset.settled(instrument, self.now)? {
            position_value(position, instrument, price)?
        } else if instrument.is_option() {
            // The premium is paid; what an open option is worth never becomes cash.
            return Ok(Some(QuoteAmount(position.quote)));
        } else {
            let price = &asset.price;
            if !price.permits(PriceUse::Settle, self.now) || !prices_agree(price.index(), price.slow()).or_error()? {
                return Ok(None);
            }
            position_value(position, instrument, self.board.slow_mark(instrument, self.now)?)?
        };
        let rounded = if value > Notional::ZERO {
            value.quote_floor()
        } else {
            value.quote_ceil()
        };
        rounded.or_error().map(Some)
    }

    /// What the account owes on a position: its loss at the worst of the marks built on the index, on the slow price and, while the
    /// price is stale, on both ends of what it may be off by; rounded up. At its settlement price, once that stands.
    pub fn owed(&self, position: &Position) -> Result<QuoteAmount> {
        let mut worst = Notional::from_quote(QuoteAmount(position.quote));
        if position.lots != 0 {
            let instrument = self.board.instrument(position.instrument)?;
            let settled = self.board.asset(instrument.asset)?.settled(instrument, self.now)?;
            worst = match settled {
                Some(price) => position_value(position, instrument, price)?,
                None if instrument.is_option() => return self.owed_on_option(position, instrument),
                None => self.worst_value(position, instrument)?,
            };
        }
        let loss = worst.min(Notional::ZERO).negated().or_error()?;
        loss.quote_ceil().or_error()
    }

    /// The least value of a linear position at any of those marks.
    fn worst_value(&self, position: &Position, instrument: &Instrument) -> Result<Notional> {
        let mark = self.board.mark(instrument, self.now)?;
        let at_slow = position_value(position, instrument, self.board.slow_mark(instrument, self.now)?)?;
        let mut worst = at_slow.min(position_value(position, instrument, mark)?);
        let doubt = self.board.asset(instrument.asset)?.doubt(self.now)?;
        if doubt > Ratio::ZERO {
            for shift in [doubt, Ratio::ZERO.minus(doubt).or_error()?] {
                let moved = mark.scaled_floor(shift).or_error()?;
                worst = worst.min(position_value(position, instrument, moved)?);
            }
        }
        Ok(worst)
    }

    /// The same of an option: at the worst of its surface and the slow one, on the same prices.
    fn owed_on_option(&self, position: &Position, instrument: &Instrument) -> Result<QuoteAmount> {
        let asset = self.board.asset(instrument.asset)?;
        let expiry = asset.expiry(instrument)?.risk(&asset.price, self.now)?;
        let doubt = asset.doubt(self.now)?;
        let shifted = |by: Ratio| expiry.forward.scaled_floor(by).or_error();
        let all = [
            expiry.forward,
            expiry.slow_forward,
            shifted(doubt)?,
            Price(shifted(Ratio::ZERO.minus(doubt).or_error()?)?.0.max(1)),
        ];
        let forwards = if doubt > Ratio::ZERO { &all[..] } else { &all[..2] };
        let leg = instrument.option_leg(Quantity(0), QuoteAmount::ZERO);
        let bounds = expiry.option_bounds(&leg, forwards).or_error()?;
        let worst = if position.lots > 0 { bounds.least } else { bounds.most };
        let value = position_value(position, instrument, worst)?;
        let loss = value.min(Notional::ZERO).negated().or_error()?;
        loss.quote_ceil().or_error()
    }

    /// Settles the position at `at` as far as it goes, and says what of it waits, quote units (negative, where it is owed); `None` where it
    /// can't settle now. Frees the slot if nothing is left.
    pub fn settle(
        &mut self,
        account: &mut MarginAccount,
        at: usize,
        market: &mut Market,
    ) -> Result<Option<(SettledPosition, i64)>> {
        let position = self.credit_funding(account, at, market)?;
        let Some(value) = self.settleable(position)? else {
            return Ok(None);
        };
        let settled = self.settle_value(account, at, market, value)?;
        let waiting = value.minus(QuoteAmount(settled.amount)).or_error()?;
        Ok(Some((settled, waiting.0)))
    }

    /// Credits the funding that the position at `at` has pending. Fails as [`Settlement::funded`] does.
    pub fn credit_funding<'p>(
        &self,
        account: &'p mut MarginAccount,
        at: usize,
        market: &mut Market,
    ) -> Result<&'p Position> {
        let position = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
        let instrument = self.board.instrument(position.instrument)?;
        self.check_final(position, instrument)?;
        ensure!(position.generation == market.generation, BallastError::StaleGeneration);
        let left = position.realise_funding(instrument, self.now)?;
        market.keep_dust(left)?;
        Ok(position)
    }

    /// As [`Settlement::settle`], where what is [`Settlement::settleable`] is known already and its funding credited.
    pub fn settle_value(
        &mut self,
        account: &mut MarginAccount,
        at: usize,
        market: &mut Market,
        value: QuoteAmount,
    ) -> Result<SettledPosition> {
        let settled = if value.0 < 0 {
            let lost = value.negated().or_error()?;
            if lost.0 <= account.cash {
                value // paid out of cash: no limit binds
            } else {
                self.pay(account, at, lost)?.negated().or_error()?
            }
        } else {
            gain(value, QuoteAmount(market.pool))
        };
        let before = account.quote_balance().or_error()?;
        account.cash = QuoteAmount(account.cash).plus(settled).or_error()?.0;
        let after = account.quote_balance().or_error()?;
        self.pool.rebalance(before, after)?;
        market.move_pool(settled.negated().or_error()?)?;
        let held = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
        held.quote = QuoteAmount(held.quote).minus(settled).or_error()?.0;
        let (fees, insurance) = market.realise_dues()?;
        self.collect(fees, insurance)?;
        release(account, market, at)?;
        Ok(SettledPosition {
            instrument: market.instrument,
            amount: settled.0,
            fees: fees.0,
            insurance: insurance.0,
            pool: market.pool,
        })
    }

    /// What an account pays of a loss on the position at `at`: out of cash and credit, and where the locked reserve covers the rest and
    /// nothing else needs it, out of that, which is moved into cash for it.
    #[inline(never)]
    fn pay(&self, account: &mut MarginAccount, at: usize, lost: QuoteAmount) -> Result<QuoteAmount> {
        let limits = self.cash_limits(account)?;
        let paid = loss(lost, QuoteAmount(account.cash), &limits).or_error()?;
        if lost.0 <= limits.borrowing_room.0 && account.reserve_pays(at, lost.minus(paid).or_error()?)? {
            return Ok(lost);
        }
        Ok(paid)
    }

    /// What the account's cash may fall to.
    pub fn cash_limits(&self, account: &MarginAccount) -> Result<CashLimits> {
        Ok(CashLimits {
            credit: self.board.in_quote(self.credit)?,
            borrowing_room: self
                .pool
                .borrowing_room(&self.exchange.limits, account.quote_balance().or_error()?)?,
        })
    }

    fn collect(&mut self, fees: QuoteAmount, insurance: QuoteAmount) -> Result<()> {
        self.pool.collect(fees)?;
        self.fund.earn(insurance)
    }
}
