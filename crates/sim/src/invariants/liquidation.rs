//! C5: an account is liquidated only below its maintenance margin and by somebody else, is strictly healthier after, keeps its equity over
//! min(E before, 0), pays at most c(t) of the margin freed, and is never taken past the target by more than a lot (margin.md section 8).
use ballast_risk::MarginReport;

use super::figures::{ceil, reduces, worth, CENTS, DOLLARS, MILLION, ONE, QUOTE};
use super::withdrawable::mark;
use super::{equal, holds, Action, Broken, Change, Invariant, Moment, Party};

const C5: Invariant = Invariant::C5;

/// Checks a change; whether it was one that this invariant is about.
pub fn check(change: &Change, parties: &[Party]) -> Result<bool, Broken> {
    match (change.action, parties) {
        (Action::Flag { .. }, [party]) => {
            let runs = party.after.account.flag.started_at != 0;
            holds(C5, "who is flagged is under MM", runs && is_due(&party.after.report))?;
        }
        (Action::Unflag { .. }, [party]) => unflagged(party)?,
        (Action::Liquidate { legs, .. }, [account, keeper]) => {
            due(account, keeper)?;
            let step = Step::of(account, keeper, legs)?;
            healed(account)?;
            step.fairly_paid(account, change)?;
            step.not_too_much(account)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// E, stale prices moved in the account's favour, is under MM.
fn is_due(report: &MarginReport) -> bool {
    report.equity_liquidation < report.maintenance
}

/// Whether E ≥ 1.10 · MM.
fn is_at_target(moment: &Moment, equity: i64) -> bool {
    i128::from(equity) * 10 >= i128::from(moment.report.maintenance.0) * 11
}

/// A flag is taken off only at the target, at the index and without a dead price's paper profit.
fn unflagged(party: &Party) -> Result<(), Broken> {
    let runs = party.after.account.flag.started_at != 0;
    let report = &party.after.report;
    let equity = report.equity_maintenance.min(report.equity_liquidation).0;
    holds(
        C5,
        "who is unflagged has recovered",
        !runs && is_at_target(&party.after, equity),
    )
}

/// Under MM before, flagged in an earlier slot and confirmed since, the owners different.
fn due(account: &Party, keeper: &Party) -> Result<(), Broken> {
    let (before, picture) = (&account.before.account, account.before.picture);
    let differ = before.wallet != keeper.before.account.wallet && before.owner != keeper.before.account.owner;
    holds(C5, "liquidator and liquidated have different owners", differ)?;
    holds(C5, "who is liquidated is under MM", is_due(&account.before.report))?;
    let flag = &before.flag;
    let runs = flag.started_at != 0 && flag.started_slot < picture.slot;
    holds(C5, "who is liquidated was flagged in an earlier slot", runs)?;
    let timeout = i64::from(picture.exchange.auction.flag_timeout_seconds);
    let confirmed = picture.now - flag.confirmed_at <= timeout;
    holds(C5, "the flag has not lapsed", confirmed)
}

/// Strictly healthier or closed; equity not under min(E before, 0).
fn healed(account: &Party) -> Result<(), Broken> {
    let (before, after) = (&account.before, &account.after);
    let closed = after.account.positions().iter().all(|p| p.lots == 0);
    let healthier = after.liquidation_surplus() > before.liquidation_surplus();
    holds(C5, "strictly healthier or closed", healthier || closed)?;
    let equity = (before.report.equity_liquidation.0, after.report.equity_liquidation.0);
    holds(C5, "E is not under min(E before, 0)", equity.1 >= equity.0.min(0))?;
    let stopped = after.account.flag.started_at == 0;
    let at_target = is_at_target(after, equity.1);
    holds(C5, "the flag goes at the target alone", stopped == at_target)
}

/// What a step took of one position.
struct Taken {
    instrument: usize,
    lots: i64,
    mark: i64,
    lot_size: i64,
}

impl Taken {
    /// A leg that is fresh, only reduced, and by what was asked for.
    fn of(account: &Party, instrument: usize, lots: u64) -> Result<Taken, Broken> {
        let picture = account.before.picture;
        holds(C5, "the leg's price is fresh", picture.is_fresh(instrument))?;
        let (held, left) = (account.before.lots(instrument), account.after.lots(instrument));
        holds(C5, "only reductions", reduces(held, left))?;
        let taken = held - left;
        equal(C5, "lots taken", taken.unsigned_abs().into(), lots.into())?;
        Ok(Taken {
            instrument,
            lots: taken,
            mark: mark(picture, instrument)?,
            lot_size: picture.board.instruments[instrument].lot_size,
        })
    }

    /// What so many of its lots are worth at the mark.
    fn worth(&self, lots: i64) -> i128 {
        worth(lots, self.lot_size, self.mark)
    }
}

/// What a step took, and what it cost by the claims on both sides.
struct Step {
    legs: Vec<Taken>,
    cost: i128,
    bounty: i128,
}

impl Step {
    fn of(account: &Party, keeper: &Party, legs: &[(usize, u64)]) -> Result<Step, Broken> {
        let taken = legs
            .iter()
            .map(|(instrument, lots)| Taken::of(account, *instrument, *lots));
        let legs = taken.collect::<Result<Vec<Taken>, Broken>>()?;
        let received: i128 = legs.iter().map(|leg| ceil(leg.worth(leg.lots), QUOTE)).sum();
        Ok(Step {
            legs,
            cost: received - (account.after.claim() - account.before.claim()),
            bounty: received + keeper.after.claim() - keeper.before.claim(),
        })
    }

    /// cost ≤ c(t)·ΔMM, of which the liquidator has his share at most and the fund all the rest.
    fn fairly_paid(&self, account: &Party, change: &Change) -> Result<(), Broken> {
        let (before, after) = (&account.before, &account.after);
        let auction = &before.picture.exchange.auction;
        let ramp = i128::from(auction.ramp_seconds);
        let elapsed = i128::from(before.picture.now - before.account.flag.started_at).clamp(0, ramp);
        let (start, end) = (i128::from(auction.start_cost_ppm), i128::from(auction.end_cost_ppm));
        let rate = start * ramp + (end - start) * elapsed; // 10⁻⁶, times the ramp
        let freed = i128::from(before.report.maintenance.0) - i128::from(after.report.maintenance.0);
        let allowed = rate * freed.max(0) * ONE;
        let cost = self.cost * CENTS * before.picture.dear() * MILLION * ramp;
        holds(C5, "cost ≤ c(t)·ΔMM", self.cost >= 0 && cost <= allowed)?;
        let share = self.cost * i128::from(auction.liquidator_share_ppm);
        let fair = self.bounty >= 0 && self.bounty * MILLION <= share;
        holds(C5, "the bounty is the liquidator's share at most", fair)?;
        let fund = i128::from(change.after.fund.balance) - i128::from(change.before.fund.balance);
        let due = |picture: &super::Picture| -> i128 {
            let dues = self
                .legs
                .iter()
                .map(|leg| picture.markets[leg.instrument].insurance_due);
            dues.map(i128::from).sum()
        };
        let got = fund + due(change.after) - due(change.before);
        equal(C5, "the fund's part of the cost", got, self.cost - self.bounty)
    }

    /// E ≤ 1.25·MM after, or one lot less of the leg of the finest lots would have left E < 1.10·MM, or all that was there was dust.
    fn not_too_much(&self, account: &Party) -> Result<(), Broken> {
        let (before, after) = (&account.before, &account.after);
        let report = &after.report;
        let within = i128::from(report.equity_liquidation.0) * 4 <= i128::from(report.maintenance.0) * 5;
        let whole: i128 = self
            .legs
            .iter()
            .map(|leg| size(leg, before.lots(leg.instrument), before))
            .sum();
        let dust = i128::from(before.picture.exchange.auction.dust_dollars) * DOLLARS;
        if within || whole <= dust {
            return Ok(());
        }
        let less = self.one_lot_back(account)?;
        let less = Moment::of(after.picture, &less)?;
        let reaches = is_at_target(&less, less.report.equity_liquidation.0);
        holds(C5, "never past the target plus one lot", !reaches)
    }

    /// The account after the step with the last lot of the leg whose lots are worth least (an option's by the index) given back at the mark.
    fn one_lot_back(&self, account: &Party) -> Result<ballast::state::MarginAccount, Broken> {
        let (before, after) = (&account.before, &account.after);
        let mut less = *before.account;
        let finest = self.legs.iter().min_by_key(|leg| ceil(size(leg, 1, before), DOLLARS));
        for leg in &self.legs {
            let at = less.find(leg.instrument as u16).ok_or_else(|| Broken {
                invariant: C5,
                what: "a position that was taken over was not there".to_owned(),
            })?;
            let is_finest = finest.is_some_and(|finest| finest.instrument == leg.instrument);
            let back = if is_finest { leg.lots.signum() } else { 0 };
            let paid = ceil(leg.worth(-back), QUOTE);
            less.positions[at].lots = after.lots(leg.instrument) + back;
            less.positions[at].quote = after.quote(leg.instrument) + paid as i64;
            // a lot's worth
        }
        less.cash = (after.balance() - i128::from(before.account.reserve)) as i64;
        Ok(less)
    }
}

/// The size of so many lots of a leg: by the mark, and by the index for an option.
fn size(leg: &Taken, lots: i64, before: &Moment) -> i128 {
    let board = &before.picture.board;
    let listed = &board.instruments[leg.instrument];
    let price = if listed.is_option() {
        board.assets[usize::from(listed.asset)].price.index
    } else {
        leg.mark
    };
    worth(lots, leg.lot_size, price).abs()
}
