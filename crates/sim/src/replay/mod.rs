//! Act 7: a series of prices runs through the program, accounts fall under their maintenance margin, a keeper liquidates them.
//!
//! The VM's clock follows the series: prices are refreshed once a minute, so that no price is ever older than the board accepts and the
//! slow price moves as it would; between two refreshes the keeper acts every two seconds as long as there is anything to do. Losses and
//! gains settle at every full hour.
mod cast;
mod report;

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::state::QUOTE_ASSET;
use ballast_risk::settlement::prices_agree;

use crate::demo::{Failure, Prices, Stage};
use crate::keeper::choice::{Intent, Proposal};
use crate::keeper::{Keeper, KeeperError};
use crate::prices::HOUR;
use crate::vm::Receipt;
use crate::world::{User, BTC, ETH, SOL};
use cast::Member;

/// Seconds between two refreshes: the longest that the genesis feeds accept.
const REFRESH: i64 = 60;
/// Seconds between two looks of a keeper that waits.
const PULSE: i64 = 2;
/// Seconds after which an account that is still under its maintenance margin should have been dealt with: the step cap allows a fifth of
/// an account every ten seconds, so its whole book within a minute, after the flag.
const PATIENCE: i64 = 120;
/// Longest that the last price is held until the slow price has caught up and everything settles.
const CALM: i64 = 24 * HOUR;
/// What the market maker and the keeper bring, and what the insurance fund starts with, quote units.
const MAKER: u64 = 20_000_000_000_000;
const KEEPER: u64 = 5_000_000_000_000;
const INSURANCE: u64 = 250_000_000_000;

/// One step of a liquidation.
struct Step {
    time: i64,
    member: usize,
    proposal: Proposal,
    mark: i64,
    compute_units: u64,
}

/// The insurance fund, quote units.
#[derive(Clone, Copy, Default)]
struct Fund {
    balance: u64,
    earned: u64,
    bounties: u64,
}

struct Replay<'s, 'o> {
    stage: &'s mut Stage<'o>,
    prices: &'s Prices,
    keeper: Keeper,
    maker: User,
    cast: Vec<Member>,
    steps: Vec<Step>,
    /// Accounts under their maintenance margin with positions, and since when.
    late: BTreeMap<Pubkey, i64>,
    flags: u32,
    unflags: u32,
    settlements: u32,
}

/// Who is liquidated by the built-in series, in the order of the accounts. BTC falls by 22 %, SOL by 32 %. An account that is long L times
/// its capital falls under a maintenance margin of m at a fall of (1 − m·L) / (L·(1 − m)): with m = 7.15 % for BTC that is 46 % at 2x, 28 %
/// at 3x, 13.8 % at 5x, 5.8 % at 8x; with m = 14.3 % for SOL 22 % at 3x. The trend trader is long 3.3 times its capital in BTC and 3.3 times
/// in ETH, which falls more. Hedged accounts keep their equity.
const BUILTIN: [&str; 4] = ["trend trader", "long BTC 5x", "long BTC 8x", "long SOL 3x"];

/// Plays the act with those who hold positions already. `is_builtin` asks for the liquidations that the built-in series brings, and for no
/// others.
///
/// # Errors
/// [`Failure::Deviation`] when a transaction that should go through is refused, an invariant is broken, a step differs from what the engine
/// foresaw, or a liquidation does not come.
pub fn play(
    stage: &mut Stage,
    prices: &Prices,
    residents: Vec<(&'static str, User)>,
    is_builtin: bool,
) -> Result<(), Failure> {
    let start = prices.from.max(stage.world.vm.now() + 1);
    report::opening(stage, prices)?;
    advance(stage, prices, start)?;
    let mut replay = Replay::open(stage, prices, residents)?;
    replay.report_cast()?;
    let before = replay.fund();
    replay.run(start)?;
    replay.calm_down()?;
    replay.report_steps()?;
    if is_builtin {
        replay.expect_liquidations(&BUILTIN)?;
    }
    replay.report_settlement()?;
    replay.report_outcome()?;
    replay.report_insurance(before)
}

fn keeper_failed(error: KeeperError) -> Failure {
    Failure::Deviation(format!("keeper: {error}"))
}

/// Moves the clock to `time` and refreshes every price.
fn advance(stage: &mut Stage, prices: &Prices, time: i64) -> Result<(), Failure> {
    let elapsed = time - stage.world.vm.now();
    stage.world.vm.advance(elapsed);
    let [btc, eth, sol] = prices.at(time.min(prices.to - 1));
    stage.refresh(&[(QUOTE_ASSET, 1.0), (BTC, btc), (ETH, eth), (SOL, sol)])?;
    Ok(())
}

impl<'s, 'o> Replay<'s, 'o> {
    fn open(
        stage: &'s mut Stage<'o>,
        prices: &'s Prices,
        residents: Vec<(&'static str, User)>,
    ) -> Result<Self, Failure> {
        let (maker, keeper, founder) = (stage.world.user(), stage.world.user(), stage.world.user());
        let usd = stage.world.usd;
        for (user, amount) in [(&maker, MAKER), (&keeper, KEEPER)] {
            let outcome = stage.world.fund(user, &usd, amount);
            stage.done("deposit", outcome)?;
        }
        let outcome = stage.world.fund_insurance(&founder, INSURANCE);
        stage.done("fund_insurance", outcome)?;
        let mut cast = Vec::new();
        for (name, user) in residents {
            cast.push(Member::new(stage, name, user)?);
        }
        cast.extend(cast::open(stage, &maker, prices)?);
        Ok(Replay {
            stage,
            prices,
            keeper: Keeper { user: keeper },
            maker,
            cast,
            steps: Vec::new(),
            late: BTreeMap::new(),
            flags: 0,
            unflags: 0,
            settlements: 0,
        })
    }

    /// Every minute of the window.
    fn run(&mut self, start: i64) -> Result<(), Failure> {
        let mut time = start + REFRESH;
        while time <= self.prices.to {
            self.minute(time)?;
            time += REFRESH;
        }
        Ok(())
    }

    /// Holds the last price until everything can settle.
    fn calm_down(&mut self) -> Result<(), Failure> {
        let end = self.stage.world.vm.now() + CALM;
        while !self.prices_agree() && self.stage.world.vm.now() < end {
            let next = self.stage.world.vm.now() / REFRESH * REFRESH + REFRESH;
            self.minute(next)?;
        }
        Ok(())
    }

    fn minute(&mut self, time: i64) -> Result<(), Failure> {
        advance(self.stage, self.prices, time)?;
        self.attend(time + REFRESH - PULSE)?;
        self.check_late()?;
        if time % HOUR == 0 {
            self.settle()?;
        }
        Ok(())
    }

    /// The keeper looks at every account, again and again while there is something left to do and the prices are fresh.
    fn attend(&mut self, until: i64) -> Result<(), Failure> {
        let accounts = self.stage.world.accounts.clone();
        loop {
            let mut is_pending = false;
            for (key, intent) in self.survey(&accounts)? {
                is_pending |= self.look_after(&key, intent)?;
            }
            if !is_pending || self.stage.world.vm.now() + PULSE > until {
                return Ok(());
            }
            self.stage.world.vm.advance(PULSE);
        }
    }

    fn survey(&self, accounts: &[Pubkey]) -> Result<Vec<(Pubkey, Intent)>, Failure> {
        self.keeper.survey(&self.stage.world, accounts).map_err(keeper_failed)
    }

    /// Does what an account calls for, as long as that is a step; whether more is to come in a later slot.
    fn look_after(&mut self, key: &Pubkey, mut intent: Intent) -> Result<bool, Failure> {
        loop {
            let mark = match &intent {
                Intent::Step(step) => self.mark(step.instrument),
                _ => 0,
            };
            let done = self.keeper.act(&mut self.stage.world, key, &intent);
            let Some(receipt) = done.map_err(keeper_failed)? else {
                return Ok(intent == Intent::Wait);
            };
            match intent {
                Intent::Step(step) => self.record(key, *step, mark, &receipt)?,
                Intent::Unflag => {
                    self.unflags += 1;
                    self.stage.count("unflag", &receipt)?;
                    return Ok(false);
                }
                _ => {
                    self.flags += 1;
                    self.stage.count("flag", &receipt)?;
                    return Ok(true);
                }
            }
            let Some((_, next)) = self.survey(&[*key])?.pop() else {
                return Ok(false);
            };
            intent = next;
        }
    }

    fn record(&mut self, key: &Pubkey, step: Proposal, mark: i64, receipt: &Receipt) -> Result<(), Failure> {
        self.stage.count("liquidate", receipt)?;
        let is_it = |m: &Member| m.user.account.margin_account == *key;
        let member = self.cast.iter().position(is_it).ok_or_else(|| {
            Failure::Deviation(format!(
                "{key} was liquidated: the dealer or a bystander ran out of margin"
            ))
        })?;
        let account = &mut self.cast[member];
        account.steps += 1;
        account.cost += step.cost.0;
        account.bounty += step.bounty.0;
        self.steps.push(Step {
            time: self.stage.world.vm.now(),
            member,
            proposal: step,
            mark,
            compute_units: receipt.compute_units,
        });
        Ok(())
    }

    /// A liquidation that should come and does not is a deviation, whatever the keeper thinks of it.
    fn check_late(&mut self) -> Result<(), Failure> {
        let (board, now) = (self.stage.world.board(), self.stage.world.vm.now());
        for key in &self.stage.world.accounts {
            let account = self.stage.world.margin_account(key);
            let is_open = account.positions().iter().any(|p| p.lots != 0);
            if !is_open || !self.stage.evaluate(&board, &account)?.is_liquidatable() {
                self.late.remove(key);
                continue;
            }
            let since = *self.late.entry(*key).or_insert(now);
            if now - since > PATIENCE {
                return Err(Failure::Deviation(format!(
                    "{key} has been under its maintenance margin for {} seconds and was not liquidated",
                    now - since
                )));
            }
        }
        Ok(())
    }

    /// Settles every position of every account: first losers pay, then winners are paid.
    fn settle(&mut self) -> Result<(), Failure> {
        for _ in 0..2 {
            for key in self.stage.world.accounts.clone() {
                let instruments = self.settleable(&key);
                if instruments.is_empty() {
                    continue;
                }
                match self.stage.world.settle(&key, &instruments) {
                    Err(refused) if refused.code == Some(BallastError::NothingToSettle.into()) => {}
                    outcome => {
                        self.stage.done("settle_pnl", outcome)?;
                        self.settlements += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// The instruments of an account's positions whose prices let them settle.
    fn settleable(&self, key: &Pubkey) -> Vec<usize> {
        let board = self.stage.world.board();
        let account = self.stage.world.margin_account(key);
        let agrees = |asset: u8| {
            let price = &board.assets[usize::from(asset)].price;
            prices_agree(price.index(), price.slow()).unwrap_or(false)
        };
        let positions = account.positions().iter();
        let settles = positions.filter(|p| p.lots == 0 || agrees(p.asset));
        settles.map(|p| usize::from(p.instrument)).collect()
    }

    fn prices_agree(&self) -> bool {
        let board = self.stage.world.board();
        let assets = &board.assets[..usize::from(board.asset_count)];
        assets
            .iter()
            .all(|a| prices_agree(a.price.index(), a.price.slow()).unwrap_or(false))
    }

    /// These accounts were liquidated, down to their target or to nothing, and no others.
    fn expect_liquidations(&self, expected: &[&str]) -> Result<(), Failure> {
        let liquidated: Vec<&str> = self.cast.iter().filter(|m| m.steps > 0).map(|m| m.name).collect();
        let last = |n: usize| self.steps.iter().rev().find(|s| s.member == n);
        let all_finish = (0..self.cast.len()).filter_map(last).all(|s| s.proposal.finishes);
        if liquidated == expected && all_finish {
            return Ok(());
        }
        Err(Failure::Deviation(format!(
            "liquidated were {liquidated:?} (each down to its target: {all_finish}) where {expected:?} is expected"
        )))
    }

    fn mark(&self, instrument: u16) -> i64 {
        let board = self.stage.world.board();
        let listed = board.instrument(instrument);
        listed
            .and_then(|i| board.mark(i, self.stage.world.vm.now()))
            .map_or(0, |mark| mark.0)
    }

    fn fund(&self) -> Fund {
        let fund = self.stage.world.insurance_fund();
        Fund {
            balance: fund.balance,
            earned: fund.earned,
            bounties: fund.bounties_paid,
        }
    }
}
