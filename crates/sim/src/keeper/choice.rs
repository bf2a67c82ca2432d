//! What a keeper should do with an account, decided off chain by the rules that the chain verifies (margin.md section 8).
use ballast::margin::evaluate;
use ballast::state::{Exchange, MarginAccount, Position, RiskBoard};
use ballast_fixed::{Dollars, Lots, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::liquidation::{
    bounty, carried, cost_rate, has_recovered, is_healthier, most_lots, reaches_target, step_cap, step_cost, FlagClock,
    LiquidationParams,
};
use ballast_risk::MarginReport;

/// Why a decision could not be made: the portfolio is too large, or what the board says is not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided(pub String);

macro_rules! undecided_from {
    ($($error:ty),*) => {$(
        impl From<$error> for Undecided {
            fn from(error: $error) -> Self {
                Undecided(format!("{error:?}"))
            }
        }
    )*};
}
undecided_from!(
    anchor_lang::error::Error,
    ballast_fixed::Overflow,
    ballast_risk::RiskError,
    std::num::TryFromIntError
);

/// What to do with an account now.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Nothing: it is healthy, or there is nothing that a liquidator could take over.
    Leave,
    /// Start, renew or confirm its auction clock.
    Flag,
    /// Liquidate.
    Step(Box<Proposal>),
    /// Nothing yet: the flag is of this very slot, or the window's cap is used up.
    Wait,
    /// Stop its clock: it has recovered.
    Unflag,
}

/// A step that the chain will accept, with what it will find.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// The leg.
    pub instrument: u16,
    /// How many lots of it.
    pub lots: u64,
    /// What they are worth at the mark.
    pub notional: Dollars,
    /// c(t): the part of the freed maintenance margin that the step may cost.
    pub rate: Ratio,
    /// The account before the step.
    pub before: MarginReport,
    /// The account after the step and its cost.
    pub after: MarginReport,
    /// What the step costs the account.
    pub cost: QuoteAmount,
    /// The liquidator's part of that.
    pub bounty: QuoteAmount,
    /// Whether the account is back at its target after.
    pub finishes: bool,
}

/// What decisions rest on: the exchange's parameters, its board and the clock.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its board.
    pub board: &'a RiskBoard,
    /// Unix seconds.
    pub now: i64,
    /// The slot.
    pub slot: u64,
}

/// One leg of a flagged account and the bounds of what may be taken of it.
struct Leg {
    at: usize,
    is_dust: bool,
    position: Position,
    mark: Price,
    /// What its size is measured by.
    size_price: Price,
    lot_size: Quantity,
    most: u64,
}

impl View<'_> {
    fn auction(&self) -> LiquidationParams {
        self.exchange.auction.risk()
    }

    fn margin(&self, account: &MarginAccount) -> Result<MarginReport, Undecided> {
        Ok(evaluate(self.board, account, self.now)?)
    }

    /// What a keeper with the account `liquidator` should do with `account`.
    ///
    /// # Errors
    /// [`Undecided`] when the margin can't be computed.
    pub fn intent(&self, account: &MarginAccount, liquidator: &MarginAccount) -> Result<Intent, Undecided> {
        let report = self.margin(account)?;
        let clock = account.flag.clock();
        if !report.is_liquidatable() {
            let recovered = clock.is_some() && has_recovered(&report)?;
            return Ok(if recovered { Intent::Unflag } else { Intent::Leave });
        }
        if account.positions().iter().all(|p| p.lots == 0) {
            return Ok(Intent::Leave);
        }
        let auction = self.auction();
        let Some(clock) = clock.filter(|c| !c.has_lapsed(self.now, &auction)) else {
            return Ok(Intent::Flag);
        };
        if self.slot <= account.flag.started_slot {
            return Ok(Intent::Wait);
        }
        if let Some(step) = self.propose(&report, account, liquidator, clock)? {
            return Ok(Intent::Step(Box::new(step)));
        }
        // Nothing can be taken now. The flag is kept alive, so that the clock goes on.
        let unconfirmed = self.now.saturating_sub(clock.confirmed_at);
        let is_old = unconfirmed >= i64::from(auction.flag_timeout_seconds) / 2;
        Ok(if is_old { Intent::Flag } else { Intent::Wait })
    }

    /// The best step: the finishing one of least notional, else the one that frees most maintenance margin for its notional.
    fn propose(
        &self,
        before: &MarginReport,
        account: &MarginAccount,
        liquidator: &MarginAccount,
        clock: FlagClock,
    ) -> Result<Option<Proposal>, Undecided> {
        let elapsed = clock.elapsed(self.now);
        let rate = cost_rate(&self.auction(), elapsed)?;
        let mut best: Option<Proposal> = None;
        for at in 0..account.positions().len() {
            let (account, before) = &self.touched(account, before, at)?;
            let Some(leg) = self.leg(before, account, at, rate, elapsed)? else {
                continue;
            };
            let mut step = self.smallest(before, account, &leg, rate)?;
            while let Some(refused) = step.filter(|s| !self.carries(liquidator, &leg, s).unwrap_or(false)) {
                // Too large for the keeper's own margin: half of it.
                step = match refused.lots / 2 {
                    0 => None,
                    half => self.helpful(before, account, &leg, rate, half)?,
                };
            }
            if let Some(step) = step.filter(|s| best.is_none_or(|b| is_better(s, &b))) {
                best = Some(step);
            }
        }
        Ok(best)
    }

    /// The account with the funding credited that the position at `at` has pending, as a step does first, and its margin.
    fn touched(
        &self,
        account: &MarginAccount,
        before: &MarginReport,
        at: usize,
    ) -> Result<(Box<MarginAccount>, MarginReport), Undecided> {
        let mut touched = Box::new(*account);
        let position = &mut touched.positions[at];
        position.realise_funding(self.board.instrument(position.instrument)?, self.now)?;
        if touched.positions[at] == account.positions[at] {
            return Ok((touched, *before));
        }
        let before = self.margin(&touched)?;
        Ok((touched, before))
    }

    /// The leg at `at` with the most that may be taken of it now; `None` where that is nothing.
    fn leg(
        &self,
        before: &MarginReport,
        account: &MarginAccount,
        at: usize,
        rate: Ratio,
        elapsed: u32,
    ) -> Result<Option<Leg>, Undecided> {
        let position = account.positions()[at];
        let instrument = self.board.instrument(position.instrument)?;
        let asset = self.board.asset(instrument.asset)?;
        let settled = asset.settled(instrument, self.now)?.is_some();
        if position.lots == 0 || settled || !asset.is_fresh(instrument, self.now)? {
            return Ok(None);
        }
        let mark = self.board.mark(instrument, self.now)?;
        let mut leg = Leg {
            at,
            is_dust: false,
            position,
            mark,
            size_price: self.board.size_price(instrument, mark)?,
            lot_size: instrument.lot_size(),
            most: position.lots.unsigned_abs(),
        };
        leg.is_dust = leg.notional(leg.most)?.ceil()? <= self.auction().dust;
        if !leg.is_dust {
            let whole = leg.taken_from(account, leg.most)?;
            let whole = self.margin(&whole)?;
            leg.most = most_lots(before, &whole, rate, leg.most)?;
        }
        if let Some(cap) = step_cap(before, elapsed, &self.auction())? {
            leg.most = leg.most.min(leg.lots_within(self.window_left(account, cap)?)?);
        }
        Ok((leg.most > 0).then_some(leg))
    }

    /// What the account's window still allows of a cap.
    fn window_left(&self, account: &MarginAccount, cap: Dollars) -> Result<Dollars, Undecided> {
        let elapsed = self.now.saturating_sub(account.flag.window_start);
        let taken = Dollars(account.flag.window_notional);
        let taken = carried(taken, elapsed, self.auction().step_window_seconds)?;
        Ok(cap.minus(taken)?.max(Dollars::ZERO))
    }

    /// The smallest step in a leg that reaches the target, else the largest one that helps. Dust goes whole.
    ///
    /// The requirement falls, and the surplus rises, with every lot of a leg that frees margin at all, so the least number that reaches
    /// the target is found by halving.
    fn smallest(
        &self,
        before: &MarginReport,
        account: &MarginAccount,
        leg: &Leg,
        rate: Ratio,
    ) -> Result<Option<Proposal>, Undecided> {
        let all = self.helpful(before, account, leg, rate, leg.most)?;
        let Some(mut found) = all.filter(|step| step.finishes && !leg.is_dust) else {
            return Ok(all);
        };
        let mut short = 0;
        while found.lots - short > 1 {
            let middle = short + (found.lots - short) / 2;
            let step = self.simulate(before, account, leg, rate, middle)?;
            if step.finishes {
                found = step;
            } else {
                short = middle;
            }
        }
        Ok(Some(found))
    }

    /// The step of `lots`, if it leaves the account healthier.
    fn helpful(
        &self,
        before: &MarginReport,
        account: &MarginAccount,
        leg: &Leg,
        rate: Ratio,
        lots: u64,
    ) -> Result<Option<Proposal>, Undecided> {
        let step = self.simulate(before, account, leg, rate, lots)?;
        Ok(is_healthier(before, &step.after)?.then_some(step))
    }

    fn simulate(
        &self,
        before: &MarginReport,
        account: &MarginAccount,
        leg: &Leg,
        rate: Ratio,
        lots: u64,
    ) -> Result<Proposal, Undecided> {
        let mut moved = leg.taken_from(account, lots)?;
        let cost = self.board.in_quote(step_cost(before, &self.margin(&moved)?, rate)?)?;
        moved.cash = QuoteAmount(moved.cash).minus(cost)?.0;
        let after = self.margin(&moved)?;
        Ok(Proposal {
            instrument: leg.position.instrument,
            lots,
            notional: leg.notional(lots)?.ceil()?,
            rate,
            before: *before,
            after,
            cost,
            bounty: bounty(cost.dollars()?, &self.auction())?.quote_floor(),
            finishes: reaches_target(&after)?,
        })
    }

    /// Whether the liquidator's account covers the initial margin of what it takes over.
    fn carries(&self, liquidator: &MarginAccount, leg: &Leg, step: &Proposal) -> Result<bool, Undecided> {
        let mut account = Box::new(*liquidator);
        let instrument = self.board.instrument(step.instrument)?;
        let at = account.open_position(step.instrument, instrument)?;
        let paid = leg.signed(step.lots)?.1.quote_ceil()?;
        let received = step.bounty.minus(paid)?;
        account.positions[at].realise_funding(instrument, self.now)?;
        account.positions[at].fill(leg.signed(step.lots)?.0, received)?;
        let report = self.margin(&account)?;
        let required = report.initial.plus(Dollars(account.order_reserve))?;
        Ok(report.equity_initial >= required)
    }
}

impl Leg {
    /// `lots` with the sign of the position, and their value at the mark.
    fn signed(&self, lots: u64) -> Result<(Lots, Notional), Undecided> {
        let lots = Lots(
            i64::try_from(lots)?
                .checked_mul(self.position.lots.signum())
                .unwrap_or(0),
        );
        Ok((lots, self.mark.times(lots.quantity(self.lot_size)?)))
    }

    /// The size of so many lots.
    fn notional(&self, lots: u64) -> Result<Notional, Undecided> {
        let quantity = self.signed(lots)?.0.quantity(self.lot_size)?;
        Ok(self.size_price.times(quantity).magnitude()?)
    }

    /// Most lots whose notional stays within `dollars`.
    fn lots_within(&self, dollars: Dollars) -> Result<u64, Undecided> {
        let one = self.notional(1)?.0.max(1);
        Ok(u64::try_from(Notional::from_dollars(dollars).0 / one)?)
    }

    /// The account without so many lots of the leg, closed at the mark.
    fn taken_from(&self, account: &MarginAccount, lots: u64) -> Result<Box<MarginAccount>, Undecided> {
        let (lots, notional) = self.signed(lots)?;
        let mut account = Box::new(*account);
        account.positions[self.at].fill(lots.negated()?, notional.quote_ceil()?)?;
        Ok(account)
    }
}

/// Whether `a` is the better choice.
fn is_better(a: &Proposal, b: &Proposal) -> bool {
    if a.finishes || b.finishes {
        return a.finishes && (!b.finishes || a.notional < b.notional);
    }
    let freed = |p: &Proposal| i128::from(p.before.maintenance.0) - i128::from(p.after.maintenance.0);
    // freed / notional, as products of 64-bit values
    freed(a) * i128::from(b.notional.0) > freed(b) * i128::from(a.notional.0)
}
