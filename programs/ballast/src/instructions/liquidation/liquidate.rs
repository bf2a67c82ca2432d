//! `liquidate`: anyone takes over stated numbers of lots of one position or of several at once, at the marks, and is paid for the margin that
//! this frees.
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, QuoteAmount, Ratio};
use ballast_risk::liquidation::{
    bounty, carried, cost_rate, is_healthier, is_past_ceiling, most_lots, reaches_target, step_cap, step_cost,
    LiquidationParams,
};
use ballast_risk::settlement::CashLimits;
use ballast_risk::{MarginReport, OptionBook};

use super::package::{Leg, Package};
use crate::clearing::{load_markets, MAX_LEGS};
use crate::error::{ensure, BallastError, OrError};
use crate::events::{Liquidated, LiquidatedLeg};
use crate::margin::{self, Revaluation};
use crate::state::{Exchange, Flag, InsuranceFund, MarginAccount, Market, OwnerRecord, QuotePool, RiskBoard};

/// Accounts of `liquidate`. Behind them come the markets of the legs after the first, in their order.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The market of the first leg.
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
    fn validate(&self, lots: &[u64]) -> Result<()> {
        ensure!(!lots.is_empty() && !lots.contains(&0), BallastError::ZeroAmount);
        ensure!(lots.len() <= MAX_LEGS, BallastError::TooManyLegs);
        ensure!(
            self.liquidator.key() != self.liquidatee.key(),
            BallastError::SelfLiquidation
        );
        let (liquidator, liquidatee) = (self.liquidator.load()?, self.liquidatee.load()?);
        ensure!(liquidator.wallet != liquidatee.wallet, BallastError::SelfLiquidation);
        ensure!(liquidator.may_trade(self.keeper.key), BallastError::NotTrader);
        ensure!(liquidatee.order_count() == 0, BallastError::OpenOrders);
        Ok(())
    }
}

/// Takes over lots (numbers, whatever the side) of the liquidatee's positions in the markets, one number a market. The account is judged by
/// its margin before and after all of them, so that a hedge need not be broken up.
#[access_control(ctx.accounts.validate(&lots))]
pub(crate) fn liquidate<'info>(ctx: Context<'info, Liquidate<'info>>, lots: Vec<u64>) -> Result<()> {
    let event = step(ctx.accounts, ctx.remaining_accounts, &lots)?;
    emit_cpi!(event);
    Ok(())
}

/// The step's surroundings.
struct Step<'a> {
    exchange: &'a Exchange,
    board: &'a RiskBoard,
    auction: LiquidationParams,
    rate: Ratio,
    elapsed: u32,
    now: i64,
}

#[inline(never)]
fn step<'info>(accounts: &Liquidate<'info>, others: &'info [AccountInfo<'info>], lots: &[u64]) -> Result<Liquidated> {
    let clock = Clock::get()?;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let loaders = load_markets(&exchange, &accounts.market, others, lots.len())?;
    let mut account = accounts.liquidatee.load_mut()?;
    let step = Step::new(&exchange, &board, &account.flag, &clock)?;
    let mut legs = Vec::with_capacity(loaders.len());
    for loader in &loaders {
        legs.push(Leg::new(&board, loader.load_mut()?, loader.key(), step.now)?);
    }
    let mut package = Package { legs, now: step.now };
    package.touch(&mut account)?;

    let params = board.portfolio_params();
    let assets = package.legs.iter().map(|leg| leg.instrument.asset).collect();
    let mut revaluation = Revaluation::for_liquidation(&board, &params, &account, assets, step.now)?;
    let before = revaluation.evaluate(&account)?;
    ensure!(before.is_liquidatable(), BallastError::AccountHealthy);
    package.find(&account, lots)?;
    step.check_amount(&mut revaluation, &before, &mut account, &package)?;
    step.count_against_cap(&before, &mut account.flag, package.size()?)?;

    package.leave(&mut account, &mut *accounts.liquidatee_owner.load_mut()?)?;
    let moved = revaluation.evaluate(&account)?;
    let cost = board.in_quote(step_cost(&before, &moved, step.rate).or_error()?)?;
    let first = package.legs.first_mut().ok_or(BallastError::ZeroAmount)?;
    let bounty = step.pay(accounts, &mut account, &mut first.market, cost)?;
    let after = revaluation.evaluate(&account)?;
    let floor = before.equity_liquidation.min(Dollars::ZERO);
    ensure!(
        is_healthier(&before, &after).or_error()? && after.equity_liquidation >= floor,
        BallastError::NotHealthier
    );
    step.check_not_too_much(&mut revaluation, &mut account, &package, &after)?;
    package.release(&mut account)?;
    account.flag.confirmed_at = step.now;
    if reaches_target(&after).or_error()? {
        account.flag = account.flag.stopped();
    }
    let unflagged = account.flag.clock().is_none();
    let sequence = account.next_sequence();
    drop(account);

    step.take_over(accounts, &mut package, &bounty, revaluation.into_options())?;
    Ok(Liquidated {
        liquidatee: accounts.liquidatee.key(),
        sequence,
        liquidator: accounts.liquidator.key(),
        legs: package.legs.iter_mut().map(told).collect(),
        cost: cost.0,
        bounty: bounty.total.0,
        maintenance_before: before.maintenance.0,
        maintenance_after: after.maintenance.0,
        equity_after: after.equity_liquidation.0,
        unflagged,
    })
}

fn told(leg: &mut Leg) -> LiquidatedLeg {
    LiquidatedLeg {
        market: leg.key,
        sequence: leg.market.next_sequence(),
        instrument: leg.market.instrument,
        lots: leg.taken.0,
        mark: leg.mark.0,
    }
}

/// What the liquidator is paid: from the insurance fund in cash, the rest as a better price.
struct Bounty {
    cash: QuoteAmount,
    quote: QuoteAmount,
    total: QuoteAmount,
}

impl<'a> Step<'a> {
    /// Checks the clock.
    fn new(exchange: &'a Exchange, board: &'a RiskBoard, flag: &Flag, clock: &Clock) -> Result<Self> {
        let now = clock.unix_timestamp;
        let auction = exchange.auction.risk();
        let running = flag.clock().ok_or(BallastError::NotFlagged)?;
        ensure!(clock.slot > flag.started_slot, BallastError::FlagTooYoung);
        ensure!(!running.has_lapsed(now, &auction), BallastError::FlagLapsed);
        let elapsed = running.elapsed(now);
        Ok(Step {
            exchange,
            board,
            auction,
            rate: cost_rate(&auction, elapsed).or_error()?,
            elapsed,
            now,
        })
    }

    /// At most 1.5 times what the chain's own secant says of the package.
    #[inline(never)]
    fn check_amount(
        &self,
        revaluation: &mut Revaluation,
        before: &MarginReport,
        account: &mut MarginAccount,
        package: &Package,
    ) -> Result<()> {
        let whole = package.evaluate_whole(revaluation, account)?;
        let scarcest = package.scarcest()?;
        let held = scarcest.held.0.unsigned_abs();
        let most = most_lots(before, &whole, self.rate, held).or_error()?;
        let within = scarcest.taken.0.unsigned_abs() <= most;
        ensure!(
            within || package.is_dust(self.auction.dust)?,
            BallastError::LiquidatesTooMuch
        );
        Ok(())
    }

    /// Counts what is taken in the account's window and refuses what exceeds the cap.
    fn count_against_cap(&self, before: &MarginReport, flag: &mut Flag, notional: Dollars) -> Result<()> {
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
    /// What the account can't pay in cash is charged to its position in `market`, where it becomes the fund's claim on the market. The fund pays in cash
    /// no more than it has just got in cash, so no step lowers it; the rest of the bounty the liquidator has of that claim.
    #[inline(never)]
    fn pay(
        &self,
        accounts: &Liquidate,
        account: &mut MarginAccount,
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
        let at = account.find(market.instrument).ok_or(BallastError::PositionMissing)?;
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

    /// Past the ceiling only what one lot less would not have done, or dust, is accepted. The package has left the account.
    #[inline(never)]
    fn check_not_too_much(
        &self,
        revaluation: &mut Revaluation,
        account: &mut MarginAccount,
        package: &Package,
        after: &MarginReport,
    ) -> Result<()> {
        if !is_past_ceiling(after).or_error()? || package.is_dust(self.auction.dust)? {
            return Ok(());
        }
        let less = package.evaluate_less(revaluation, account)?;
        ensure!(!reaches_target(&less).or_error()?, BallastError::LiquidatesTooMuch);
        Ok(())
    }

    /// Gives the lots and the bounty to the liquidator, who must carry them.
    #[inline(never)]
    fn take_over(
        &self,
        accounts: &Liquidate,
        package: &mut Package,
        bounty: &Bounty,
        options: Option<Box<OptionBook>>,
    ) -> Result<()> {
        let mut account = accounts.liquidator.load_mut()?;
        let mut owner = accounts.liquidator_owner.load_mut()?;
        package.arrive(self.board, &mut account, &mut owner, bounty.quote)?;
        let before = account.quote_balance().or_error()?;
        account.cash = QuoteAmount(account.cash).plus(bounty.cash).or_error()?.0;
        accounts
            .quote_pool
            .load_mut()?
            .rebalance(before, account.quote_balance().or_error()?)?;
        let report = margin::evaluate_after(self.board, &account, self.now, options)?;
        let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
        let carried = report.equity_initial >= required && !report.is_liquidatable();
        ensure!(carried, BallastError::LiquidatorMargin);
        Ok(())
    }
}
