//! `liquidate`: anyone takes over a stated number of lots of one position, at the mark, and is paid for the margin that this frees.
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Lots, Notional, Price, QuoteAmount, Ratio};
use ballast_risk::liquidation::{
    bounty, carried, cost_rate, is_healthier, is_past_ceiling, most_lots, reaches_target, step_cap, step_cost,
    LiquidationParams,
};
use ballast_risk::settlement::CashLimits;
use ballast_risk::MarginReport;

use crate::clearing::{check_owner_open_interest, fill, release};
use crate::error::{ensure, BallastError, OrError};
use crate::events::Liquidated;
use crate::margin::{self, Revaluation};
use crate::state::{
    Exchange, Flag, Instrument, InsuranceFund, MarginAccount, Market, OwnerRecord, QuotePool, RiskBoard,
};

/// Accounts of `liquidate`.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The instrument's market.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub market: AccountLoader<'info, Market>,
    /// Totals of the quote asset.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// Pays the bounty and takes in the cost.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub insurance_fund: AccountLoader<'info, InsuranceFund>,
    /// The account under its maintenance margin.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange,
        constraint = liquidatee.load()?.owner == liquidatee_owner.key() @ BallastError::WrongOwnerRecord
    )]
    pub liquidatee: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub liquidatee_owner: AccountLoader<'info, OwnerRecord>,
    /// The account that takes over.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange,
        constraint = liquidator.load()?.owner == liquidator_owner.key() @ BallastError::WrongOwnerRecord
    )]
    pub liquidator: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub liquidator_owner: AccountLoader<'info, OwnerRecord>,
    /// The liquidator's wallet or a delegate.
    pub keeper: Signer<'info>,
}

impl Liquidate<'_> {
    fn validate(&self, lots: u64) -> Result<()> {
        ensure!(lots > 0, BallastError::ZeroAmount);
        ensure!(
            self.liquidator.key() != self.liquidatee.key(),
            BallastError::SelfLiquidation
        );
        let (liquidator, liquidatee) = (self.liquidator.load()?, self.liquidatee.load()?);
        ensure!(liquidator.wallet != liquidatee.wallet, BallastError::SelfLiquidation);
        ensure!(liquidator.may_trade(self.keeper.key), BallastError::NotTrader);
        ensure!(liquidatee.order_reserve == 0, BallastError::OpenOrders);
        let recorded = self.exchange.load()?.market(self.market.load()?.instrument)?;
        ensure!(recorded == self.market.key(), BallastError::WrongMarket);
        Ok(())
    }
}

/// Takes over `lots` lots (a number, whatever the side) of the liquidatee's position in the market's instrument.
#[access_control(ctx.accounts.validate(lots))]
pub(crate) fn liquidate<'info>(ctx: Context<'info, Liquidate<'info>>, lots: u64) -> Result<()> {
    let event = step(ctx.accounts, lots)?;
    emit_cpi!(event);
    Ok(())
}

/// The step's surroundings.
struct Step<'a> {
    exchange: &'a Exchange,
    board: &'a RiskBoard,
    instrument: &'a Instrument,
    auction: LiquidationParams,
    mark: Price,
    /// What the leg's size is measured by.
    size_price: Price,
    rate: Ratio,
    elapsed: u32,
    now: i64,
}

#[inline(never)]
fn step(accounts: &Liquidate, lots: u64) -> Result<Liquidated> {
    let clock = Clock::get()?;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut market = accounts.market.load_mut()?;
    let mut account = accounts.liquidatee.load_mut()?;
    let step = Step::new(&exchange, &board, &market, &account.flag, &clock)?;

    let params = board.portfolio_params();
    let assets = std::iter::once(step.instrument.asset).collect();
    let mut revaluation = Revaluation::new(&board, &params, &account, assets, step.now)?;
    let before = revaluation.evaluate(&account)?;
    ensure!(before.is_liquidatable(), BallastError::AccountHealthy);
    let at = account.find(market.instrument).ok_or(BallastError::PositionMissing)?;
    let held = account.positions().get(at).ok_or(BallastError::PositionMissing)?.lots();
    step.check_amount(&mut revaluation, &before, &mut account, at, lots)?;
    let taken = signed(lots, held)?;
    let notional = step.mark.times(taken.quantity(step.instrument.lot_size()).or_error()?);
    step.count_against_cap(&before, &mut account.flag, taken)?;

    // At the mark; what a fraction of a quote unit leaves is the liquidator's to bear.
    let received = notional.quote_ceil().or_error()?;
    let mut owner = accounts.liquidatee_owner.load_mut()?;
    fill(
        &mut account,
        &mut owner,
        &mut market,
        step.instrument,
        taken.negated().or_error()?,
        received,
    )?;
    let moved = revaluation.evaluate(&account)?;
    let cost = board.in_quote(step_cost(&before, &moved, step.rate).or_error()?)?;
    let bounty = step.pay(accounts, &mut account, at, &mut market, cost)?;
    let after = revaluation.evaluate(&account)?;
    let floor = before.equity_liquidation.min(Dollars::ZERO);
    ensure!(
        is_healthier(&before, &after).or_error()? && after.equity_liquidation >= floor,
        BallastError::NotHealthier
    );
    step.check_not_too_much(&mut revaluation, &mut account, at, &after, taken)?;
    release(&mut account, &mut market, at)?;
    account.flag.confirmed_at = step.now;
    if reaches_target(&after).or_error()? {
        account.flag = account.flag.stopped();
    }
    let unflagged = account.flag.clock().is_none();
    drop(account);

    step.take_over(accounts, &mut market, taken, received, &bounty)?;
    Ok(Liquidated {
        market: accounts.market.key(),
        sequence: market.next_sequence(),
        liquidatee: accounts.liquidatee.key(),
        liquidator: accounts.liquidator.key(),
        instrument: market.instrument,
        lots: taken.0,
        mark: step.mark.0,
        cost: cost.0,
        bounty: bounty.total.0,
        maintenance_before: before.maintenance.0,
        maintenance_after: after.maintenance.0,
        equity_after: after.equity_liquidation.0,
        unflagged,
    })
}

/// `lots` with the sign of what is held; never more than is held.
fn signed(lots: u64, held: Lots) -> Result<Lots> {
    ensure!(lots <= held.0.unsigned_abs(), BallastError::LiquidatesTooMuch);
    let lots = Lots(i64::try_from(lots).map_err(|_| BallastError::MathOverflow)?);
    if held.0 < 0 {
        return lots.negated().or_error();
    }
    Ok(lots)
}

/// What the liquidator is paid: from the insurance fund in cash, the rest as a better price.
struct Bounty {
    cash: QuoteAmount,
    quote: QuoteAmount,
    total: QuoteAmount,
}

impl<'a> Step<'a> {
    /// Checks the clock and that the leg's price is fresh.
    fn new(exchange: &'a Exchange, board: &'a RiskBoard, market: &Market, flag: &Flag, clock: &Clock) -> Result<Self> {
        let now = clock.unix_timestamp;
        let auction = exchange.auction.risk();
        let running = flag.clock().ok_or(BallastError::NotFlagged)?;
        ensure!(clock.slot > flag.started_slot, BallastError::FlagTooYoung);
        ensure!(!running.has_lapsed(now, &auction), BallastError::FlagLapsed);
        let instrument = board.instrument(market.instrument)?;
        ensure!(
            board.asset(instrument.asset)?.price.is_fresh(now),
            BallastError::StalePrice
        );
        ensure!(
            board.asset(instrument.asset)?.is_fresh(instrument, now)?,
            BallastError::SurfaceStale
        );
        let elapsed = running.elapsed(now);
        let mark = board.mark(instrument, now)?;
        Ok(Step {
            exchange,
            board,
            instrument,
            auction,
            mark,
            size_price: board.size_price(instrument, mark)?,
            rate: cost_rate(&auction, elapsed).or_error()?,
            elapsed,
            now,
        })
    }

    /// At most 1.5 times what the chain's own secant says.
    #[inline(never)]
    fn check_amount(
        &self,
        revaluation: &mut Revaluation,
        before: &MarginReport,
        account: &mut MarginAccount,
        at: usize,
        lots: u64,
    ) -> Result<()> {
        let held = account.positions().get(at).ok_or(BallastError::PositionMissing)?.lots();
        let size = held.0.unsigned_abs();
        ensure!(lots <= size, BallastError::LiquidatesTooMuch);
        let whole = self.evaluate_after(revaluation, account, at, held)?;
        let most = most_lots(before, &whole, self.rate, size).or_error()?;
        ensure!(lots <= most || self.is_dust(held)?, BallastError::LiquidatesTooMuch);
        Ok(())
    }

    /// The account's margin if `lots` left the position at the mark. The account is left as it was.
    fn evaluate_after(
        &self,
        revaluation: &mut Revaluation,
        account: &mut MarginAccount,
        at: usize,
        lots: Lots,
    ) -> Result<MarginReport> {
        let notional = self.mark.times(lots.quantity(self.instrument.lot_size()).or_error()?);
        let received = notional.quote_ceil().or_error()?;
        let position = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
        let saved = *position;
        position.fill(lots.negated().or_error()?, received).or_error()?;
        let report = revaluation.evaluate(account)?;
        *account.positions.get_mut(at).ok_or(BallastError::PositionMissing)? = saved;
        Ok(report)
    }

    /// Whether the whole leg is so small that it may be closed at once.
    fn is_dust(&self, held: Lots) -> Result<bool> {
        Ok(self.size(held)? <= self.auction.dust)
    }

    /// The size of so many lots, dollars.
    fn size(&self, lots: Lots) -> Result<Dollars> {
        let quantity = lots.quantity(self.instrument.lot_size()).or_error()?;
        let notional: Notional = self.size_price.times(quantity);
        notional.magnitude().or_error()?.ceil().or_error()
    }

    /// Counts what is taken in the account's window and refuses what exceeds the cap.
    fn count_against_cap(&self, before: &MarginReport, flag: &mut Flag, taken: Lots) -> Result<()> {
        let notional = self.size(taken)?;
        let elapsed = self.now.saturating_sub(flag.window_start);
        if elapsed >= i64::from(self.auction.step_window_seconds) {
            let taken = Dollars(flag.window_notional);
            flag.window_notional = carried(taken, elapsed, self.auction.step_window_seconds).or_error()?.0;
            flag.window_start = self.now;
        }
        let total = Dollars(flag.window_notional).plus(notional).or_error()?;
        if let Some(cap) = step_cap(before, self.elapsed, &self.auction).or_error()? {
            ensure!(total <= cap, BallastError::StepCapExceeded);
        }
        flag.window_notional = total.0;
        Ok(())
    }

    /// Charges the cost to the account and pays the liquidator's part out of the fund that it feeds.
    ///
    /// What the account can't pay in cash is charged to the position, where it becomes the fund's claim on the market. The fund pays in cash
    /// no more than it has just got in cash, so no step lowers it; the rest of the bounty the liquidator has of that claim.
    #[inline(never)]
    fn pay(
        &self,
        accounts: &Liquidate,
        account: &mut MarginAccount,
        at: usize,
        market: &mut Market,
        cost: QuoteAmount,
    ) -> Result<Bounty> {
        let mut pool = accounts.quote_pool.load_mut()?;
        let mut fund = accounts.insurance_fund.load_mut()?;
        let balance = account.quote_balance().or_error()?;
        let limits = CashLimits {
            credit: self.board.in_quote(margin::credit(self.board, account, self.now)?)?,
            borrowing_room: pool.borrowing_room(&self.exchange.limits, balance)?,
        };
        let in_cash = QuoteAmount(limits.payable(QuoteAmount(account.cash)).or_error()?.0.min(cost.0));
        let in_quote = cost.minus(in_cash).or_error()?;
        account.cash = QuoteAmount(account.cash).minus(in_cash).or_error()?.0;
        pool.rebalance(balance, account.quote_balance().or_error()?)?;
        fund.earn(in_cash)?;
        let position = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
        position.quote = QuoteAmount(position.quote).minus(in_quote).or_error()?.0;

        let total = bounty(cost.dollars().or_error()?, &self.auction)
            .or_error()?
            .quote_floor();
        let cash = fund.pay_bounty(QuoteAmount(total.0.min(in_cash.0)))?;
        let quote = total.minus(cash).or_error()?;
        let due = in_quote.minus(quote).or_error()?;
        market.insurance_due = market
            .insurance_due
            .checked_add(due.0)
            .ok_or(BallastError::MathOverflow)?;
        Ok(Bounty { cash, quote, total })
    }

    /// Past the ceiling only what one lot less would not have done, or dust, is accepted. `at` is the position that `taken` has left.
    #[inline(never)]
    fn check_not_too_much(
        &self,
        revaluation: &mut Revaluation,
        account: &mut MarginAccount,
        at: usize,
        after: &MarginReport,
        taken: Lots,
    ) -> Result<()> {
        if !is_past_ceiling(after).or_error()? {
            return Ok(());
        }
        let left = account.positions().get(at).ok_or(BallastError::PositionMissing)?.lots();
        if self.is_dust(left.plus(taken).or_error()?)? {
            return Ok(());
        }
        let one_back = Lots(taken.0.signum().wrapping_neg());
        let less = self.evaluate_after(revaluation, account, at, one_back)?;
        ensure!(!reaches_target(&less).or_error()?, BallastError::LiquidatesTooMuch);
        Ok(())
    }

    /// Gives the lots and the bounty to the liquidator, who must carry them.
    #[inline(never)]
    fn take_over(
        &self,
        accounts: &Liquidate,
        market: &mut Market,
        taken: Lots,
        paid: QuoteAmount,
        bounty: &Bounty,
    ) -> Result<()> {
        let mut account = accounts.liquidator.load_mut()?;
        let mut owner = accounts.liquidator_owner.load_mut()?;
        let quote = bounty.quote.minus(paid).or_error()?;
        let fill = fill(&mut account, &mut owner, market, self.instrument, taken, quote)?;
        if !fill.reduces() {
            check_owner_open_interest(self.board, self.instrument, &owner)?;
        }
        release(&mut account, market, fill.at)?;
        let before = account.quote_balance().or_error()?;
        account.cash = QuoteAmount(account.cash).plus(bounty.cash).or_error()?.0;
        accounts
            .quote_pool
            .load_mut()?
            .rebalance(before, account.quote_balance().or_error()?)?;
        let report = margin::evaluate(self.board, &account, self.now)?;
        let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
        let carried = report.equity_initial >= required && !report.is_liquidatable();
        ensure!(carried, BallastError::LiquidatorMargin);
        Ok(())
    }
}
