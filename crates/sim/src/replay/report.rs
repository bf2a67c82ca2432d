//! What a replay prints: the market, the accounts at the start, the liquidations, the settlement, the outcome and the insurance fund.
use std::collections::BTreeMap;

use ballast_fixed::Dollars;

use super::{Fund, Replay, Step};
use crate::demo::{Failure, Prices, Stage, SYMBOLS};
use crate::keeper::choice::Proposal;
use crate::prices::{date, Candle, HOUR};
use crate::table::{decimal, dollars, grouped, health, price, quote, Table};

/// Instruments in the order of genesis.
const INSTRUMENTS: [&str; 6] = ["BTC perp", "BTC fut", "ETH perp", "ETH fut", "SOL perp", "SOL fut"];

/// The market that is replayed.
pub(super) fn opening(stage: &mut Stage, prices: &Prices) -> Result<(), Failure> {
    let (from, to) = (date::format(prices.from), date::format(prices.to));
    stage.say(format!(
        "Act 7. A keeper through falling prices, from {from} to {to} UTC\n"
    ))?;
    for note in &prices.notes {
        stage.say(format!("  {note}"))?;
    }
    let mut table = Table::new(&[
        "market",
        "first",
        "lowest",
        "in the hour of",
        "highest",
        "in the hour of",
        "last",
    ]);
    for (symbol, series) in SYMBOLS.iter().zip(&prices.series) {
        let Some((lowest, highest)) = series.range(prices.from, prices.to) else {
            continue;
        };
        let hour = |candle: &Candle| date::format(candle.time)[5..16].to_owned();
        table.row([
            (*symbol).into(),
            cents(series.at(prices.from)),
            cents(lowest.low),
            hour(&lowest),
            cents(highest.high),
            hour(&highest),
            cents(series.at(prices.to)),
        ]);
    }
    stage.say(table)
}

/// Dollars with cents.
fn cents(dollars: f64) -> String {
    decimal((dollars * 100.0).round() as i128, 2, 2)
}

impl Replay<'_, '_> {
    pub(super) fn report_cast(&mut self) -> Result<(), Failure> {
        let mut table = Table::new(&["account", "gross", "equity", "IM", "MM", "health"]);
        for member in &self.cast {
            let report = self.stage.margin(&member.user.account.margin_account)?;
            table.row([
                member.name.into(),
                dollars(report.gross.0),
                dollars(report.equity_unhaircut.0),
                dollars(report.initial.0),
                dollars(report.maintenance.0),
                health(report.health_ppb()),
            ]);
        }
        self.stage.say("  Accounts at the start\n")?;
        self.stage.say(table)
    }

    /// The first liquidation step by step, then all of them by hour, account and leg.
    pub(super) fn report_steps(&mut self) -> Result<(), Failure> {
        if self.steps.is_empty() {
            return self.stage.say("  No account fell under its maintenance margin.\n");
        }
        let (first, all) = (self.first_liquidation(), self.all_liquidations());
        self.stage
            .say("  The first liquidation that took several steps, or else the first\n")?;
        self.stage.say(first)?;
        self.stage.say("  All liquidations by hour, account and leg\n")?;
        self.stage.say(all)?;
        self.stage.say(format!(
            "  {} steps, {} flags and confirmations, {} flags taken off by hand. Every step came out as the keeper's engine foresaw.\n",
            self.steps.len(),
            self.flags,
            self.unflags
        ))
    }

    /// The steps of one member under one flag: they follow each other within the flag's timeout and end at the target.
    fn first_liquidation(&self) -> Table {
        let mut table = Table::new(&[
            "step (UTC)",
            "account",
            "leg",
            "lots",
            "notional",
            "cost rate",
            "equity",
            "MM",
            "health",
            "after",
            "cost",
            "bounty",
            "compute units",
        ]);
        for step in longest_first(&self.steps) {
            let Proposal { before, after, .. } = step.proposal;
            table.row([
                date::format(step.time)[5..].into(),
                self.cast[step.member].name.into(),
                INSTRUMENTS[usize::from(step.proposal.instrument)].into(),
                grouped(step.proposal.lots.into()),
                dollars(step.proposal.notional.0),
                format!("{} %", decimal(step.proposal.rate.0.into(), 7, 1)),
                dollars(before.equity_liquidation.0),
                dollars(before.maintenance.0),
                health(before.health_ppb()),
                health(after.health_ppb()),
                quote(step.proposal.cost.0),
                quote(step.proposal.bounty.0),
                grouped(step.compute_units.into()),
            ]);
        }
        table
    }

    fn all_liquidations(&self) -> Table {
        let mut groups: BTreeMap<(i64, usize, u16), Vec<&Step>> = BTreeMap::new();
        for step in &self.steps {
            let key = (step.time / HOUR, step.member, step.proposal.instrument);
            groups.entry(key).or_default().push(step);
        }
        let mut table = Table::new(&[
            "hour (UTC)",
            "account",
            "leg",
            "steps",
            "lots",
            "first mark",
            "last mark",
            "lowest health",
            "health after",
            "cost",
            "bounty",
        ]);
        for ((hour, member, instrument), steps) in groups {
            let (first, last) = (steps[0], steps[steps.len() - 1]);
            let lowest = steps.iter().filter_map(|s| s.proposal.before.health_ppb()).min();
            let sum = |of: fn(&Step) -> i64| steps.iter().map(|s| of(s)).sum::<i64>();
            table.row([
                date::format(hour * HOUR)[5..16].into(),
                self.cast[member].name.into(),
                INSTRUMENTS[usize::from(instrument)].into(),
                steps.len().to_string(),
                grouped(steps.iter().map(|s| i128::from(s.proposal.lots)).sum()),
                price(first.mark),
                price(last.mark),
                health(lowest),
                health(last.proposal.after.health_ppb()),
                quote(sum(|s| s.proposal.cost.0)),
                quote(sum(|s| s.proposal.bounty.0)),
            ]);
        }
        table
    }

    /// Settles all there is and says what it moved.
    pub(super) fn report_settlement(&mut self) -> Result<(), Failure> {
        let everyone: Vec<_> = {
            let maker = ("dealer", self.maker.account.margin_account);
            let keeper = ("keeper", self.keeper.user.account.margin_account);
            let members = self.cast.iter().map(|m| (m.name, m.user.account.margin_account));
            members.chain([maker, keeper]).collect()
        };
        let cash = |replay: &Self, key| replay.stage.world.margin_account(key).cash;
        let before: Vec<i64> = everyone.iter().map(|(_, key)| cash(self, key)).collect();
        self.settle()?;
        let mut table = Table::new(&[
            "settlement",
            "cash before",
            "settles",
            "cash after",
            "left in positions",
        ]);
        for ((name, key), before) in everyone.iter().zip(before) {
            let after = cash(self, key);
            let unrealised = self.stage.margin(key)?.unrealised;
            table.row([
                (*name).into(),
                quote(before),
                quote(after - before),
                quote(after),
                dollars(unrealised.0),
            ]);
        }
        self.stage.say(table)?;
        let settlements = self.settlements;
        self.stage.say(format!(
            "  {settlements} settlements in all. What is left is the gap between index and slow price, a gain that its pool can't pay yet, or a loss that its account can't.\n"
        ))
    }

    pub(super) fn report_outcome(&mut self) -> Result<(), Failure> {
        let mut table = Table::new(&["outcome", "start", "end", "result", "steps", "cost", "gross", "health"]);
        for member in &self.cast {
            let report = self.stage.margin(&member.user.account.margin_account)?;
            table.row([
                member.name.into(),
                dollars(member.start.0),
                dollars(report.equity_unhaircut.0),
                dollars(report.equity_unhaircut.0 - member.start.0),
                member.steps.to_string(),
                quote(member.cost),
                dollars(report.gross.0),
                health(report.health_ppb()),
            ]);
        }
        self.stage.say(table)
    }

    pub(super) fn report_insurance(&mut self, before: Fund) -> Result<(), Failure> {
        let after = self.fund();
        let (earned, paid) = (after.earned - before.earned, after.bounties - before.bounties);
        let expected = before.balance + earned - paid;
        self.stage
            .expect("insurance fund", after.balance as i64, expected as i64)?;
        let liquidated = self.cast.iter().filter(|m| m.steps > 0).count();
        let bounties: i64 = self.cast.iter().map(|m| m.bounty).sum();
        let (bankrupt, debt) = self.bad_debt()?;
        let (stuck, shortfall) = self.stuck()?;
        let mut table = Table::new(&["insurance fund and losses", "USD"]);
        table.row(["fund before".into(), quote(before.balance)]);
        table.row(["+ its part of fees and liquidations".into(), quote(earned)]);
        table.row(["- bounties paid (insurance used)".into(), quote(paid)]);
        table.row(["fund after".into(), quote(after.balance)]);
        table.row([
            "bounties, from the fund's cash and as a better price".into(),
            quote(bounties),
        ]);
        table.row([
            format!("bad debt: equity under zero without haircuts, {bankrupt} accounts"),
            dollars(debt.0),
        ]);
        table.row([
            format!("short of MM with nothing but collateral left to take, {stuck} accounts"),
            dollars(shortfall.0),
        ]);
        self.stage.say(table)?;
        self.stage.say(format!(
            "  {liquidated} of {} accounts were liquidated, in {} steps.",
            self.cast.len(),
            self.steps.len()
        ))
    }

    /// Accounts whose equity without haircuts is negative, and the sum of it.
    fn bad_debt(&self) -> Result<(usize, Dollars), Failure> {
        let mut debts = Vec::new();
        for key in &self.stage.world.accounts {
            debts.push(self.stage.margin(key)?.equity_unhaircut.0.min(0));
        }
        Ok(count_and_sum(&debts))
    }

    /// Accounts under their maintenance margin that hold no lots any more, and what they lack.
    fn stuck(&self) -> Result<(usize, Dollars), Failure> {
        let mut shortfalls = Vec::new();
        for key in &self.stage.world.accounts {
            let account = self.stage.world.margin_account(key);
            let report = self.stage.margin(key)?;
            if report.is_liquidatable() && account.positions().iter().all(|p| p.lots == 0) {
                shortfalls.push(report.equity_liquidation.0 - report.maintenance.0);
            }
        }
        Ok(count_and_sum(&shortfalls))
    }
}

fn count_and_sum(values: &[i64]) -> (usize, Dollars) {
    let count = values.iter().filter(|v| **v != 0).count();
    (count, Dollars(values.iter().sum()))
}

/// The steps under the first flag that saw more than one of them; the very first step where there is none.
fn longest_first(steps: &[Step]) -> Vec<&Step> {
    for first in steps {
        let mut run: Vec<&Step> = Vec::new();
        let own = steps
            .iter()
            .filter(|s| s.member == first.member && s.time >= first.time);
        for step in own {
            run.push(step);
            if step.proposal.finishes {
                break;
            }
        }
        if run.len() > 1 {
            return run;
        }
    }
    steps.first().into_iter().collect()
}
