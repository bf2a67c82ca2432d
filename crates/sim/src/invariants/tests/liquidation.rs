//! C5.
use super::super::liquidation;
use super::*;

/// C takes 1,000 lots (10,000 dollars) of A over. A has E = 7,000 against MM = 7,150 before and MM = 6,435 after: 715 are freed. The flag
/// is 30 seconds old, so c(t) is 5 % + 55 % / 2 = 32.5 %, and the step may cost 232.375 dollars, of which 60 % are 139.425.
fn taken() -> Action {
    Action::Liquidate {
        legs: vec![(BTC_PERPETUAL, 1_000)],
        account: A,
        keeper: C,
    }
}
const COST: i64 = 232_375_000;
const BOUNTY: i64 = 139_425_000;

fn step() -> Forged {
    let mut forged = Forged::new();
    let (now, slot) = (forged.before.now, forged.before.slot);
    for account in [forged.before.accounts.get_mut(&A), forged.after.accounts.get_mut(&A)] {
        let flag = &mut account.unwrap().flag;
        (flag.started_at, flag.confirmed_at, flag.started_slot) = (now - 30, now - 120, slot - 1);
    }
    forged.fill(A, -1_000, 10_000 * UNIT);
    forged.account(A).cash -= COST;
    let mut position = forged.before.accounts[&A].positions[0];
    (position.lots, position.quote) = (1_000, -10_000 * UNIT);
    forged.account(C).positions[0] = position;
    forged.account(C).position_count = 1;
    forged.account(C).cash += BOUNTY - 2 * UNIT;
    forged.account(C).reserve = 2 * UNIT;
    forged.after.fund.balance += (COST - BOUNTY).unsigned_abs();
    forged
}

fn before() -> MarginReport {
    margin(7_000, 7_150, 10_000)
}

fn after() -> MarginReport {
    margin(6_767, 6_435, 9_000)
}

fn c5_with(forged: &Forged, action: &Action, before: MarginReport, after: MarginReport) -> Result<bool, Broken> {
    let sound = margin(50_000, 0, 0);
    let keys = action.parties();
    let mut parties = vec![forged.party(keys[0], before, after)];
    parties.extend(keys[1..].iter().map(|key| forged.party(*key, sound, sound)));
    liquidation::check(&forged.change(action), &parties)
}

fn c5(forged: &Forged) -> Result<bool, Broken> {
    c5_with(forged, &taken(), before(), after())
}

#[test]
fn a_step_that_is_due_and_fair_passes() {
    assert_eq!(c5(&step()), Ok(true));
}

#[test]
fn only_what_is_due_is_liquidated() {
    let healthy = c5_with(&step(), &taken(), margin(7_150, 7_150, 0), margin(7_000, 6_435, 0));
    breaks(healthy, Invariant::C5, "is under MM");
    let forgeries: [Forgery<Forged>; 6] = [
        ("different owners", |f| f.earlier(C).wallet = wallet(&A)),
        ("different owners", |f| f.earlier(C).owner = wallet(&A)),
        ("flagged in an earlier slot", |f| f.earlier(A).flag.started_at = 0),
        ("flagged in an earlier slot", |f| f.earlier(A).flag.started_slot += 1),
        ("has not lapsed", |f| f.earlier(A).flag.confirmed_at -= 1),
        ("price is fresh", |f| f.before.board.assets[0].price.publish_time -= 61),
    ];
    for (what, forge) in forgeries {
        let mut forged = step();
        forge(&mut forged);
        breaks(c5(&forged), Invariant::C5, what);
    }
}

#[test]
fn a_step_only_reduces_and_by_what_was_asked() {
    let mut forged = step();
    forged.fill(A, -9_001, 0); // from long to short
    breaks(c5(&forged), Invariant::C5, "only reductions");
    let mut forged = step();
    forged.fill(A, 1, 0);
    breaks(c5(&forged), Invariant::C5, "lots taken");
    // A leg that was asked for and left alone.
    let both = Action::Liquidate {
        legs: vec![(BTC_PERPETUAL, 1_000), (BTC_PERPETUAL + 1, 1)],
        account: A,
        keeper: C,
    };
    let verdict = c5_with(&step(), &both, before(), after());
    breaks(verdict, Invariant::C5, "only reductions");
}

#[test]
fn a_step_heals() {
    let not = |b, a, what| breaks(c5_with(&step(), &taken(), b, a), Invariant::C5, what);
    // E − MM is −150 before.
    not(before(), margin(6_285, 6_435, 0), "strictly healthier");
    not(margin(10, 7_150, 0), margin(-1, 6_435, 0), "not under min(E before, 0)");
    not(
        margin(-10, 7_150, 0),
        margin(-11, 6_435, 0),
        "not under min(E before, 0)",
    );
    not(before(), margin(7_079, 6_435, 0), "the flag goes at the target");
    let mut forged = step();
    forged.account(A).flag.started_at = 0;
    breaks(c5(&forged), Invariant::C5, "the flag goes at the target");
    // 1.10 · 6,435 = 7,078.5
    assert_eq!(c5_with(&forged, &taken(), before(), margin(7_079, 6_435, 0)), Ok(true));
}

#[test]
fn a_step_costs_its_part_of_what_it_frees() {
    let mut forged = step();
    forged.account(A).cash -= 1;
    forged.after.fund.balance += 1;
    breaks(c5(&forged), Invariant::C5, "cost ≤ c(t)·ΔMM");
    // A quote asset over a dollar makes the same units cost more.
    let mut forged = step();
    forged.before.board.quote.index += 1_000;
    breaks(c5(&forged), Invariant::C5, "cost ≤ c(t)·ΔMM");
    // A second earlier less was allowed.
    let mut forged = step();
    forged.earlier(A).flag.started_at += 1;
    breaks(c5(&forged), Invariant::C5, "cost ≤ c(t)·ΔMM");
    // A gain is no cost.
    let mut forged = step();
    forged.account(A).cash += COST + 1;
    breaks(c5(&forged), Invariant::C5, "cost ≤ c(t)·ΔMM");
}

#[test]
fn the_fund_has_all_that_the_keeper_has_not() {
    let mut forged = step();
    forged.account(C).cash += 1;
    forged.after.fund.balance -= 1;
    breaks(c5(&forged), Invariant::C5, "the liquidator's share");
    let mut forged = step();
    forged.after.fund.balance -= 1;
    breaks(c5(&forged), Invariant::C5, "the fund's part");
    forged.market().insurance_due += 1;
    assert_eq!(c5(&forged), Ok(true));
}

/// A long of one BTC with 7,000 dollars of equity: closing all but a few lots goes far past the target.
#[test]
fn a_step_stops_at_the_target() {
    let stopped = |equity: i64| {
        let mut forged = step();
        forged.account(A).flag.started_at = 0;
        let maintenance = 4_000;
        c5_with(&forged, &taken(), before(), margin(equity, maintenance, 0))
    };
    // 1.25 · 4,000 is the ceiling. Past it one lot less is asked about: 9,001 lots require 6,435.715 dollars, 1.10 of which are
    // 7,079.2865, and the account has 20,000 − 232.38 in cash.
    assert_eq!(stopped(5_000), Ok(true));
    breaks(stopped(5_001), Invariant::C5, "past the target plus one lot");
    // With 7,079.28 that one lot was needed, with 7,079.29 it was not.
    let with_cash = |dollars_e2: i64| {
        let mut forged = step();
        forged.account(A).flag.started_at = 0;
        let cash = dollars_e2 * 10_000;
        forged.earlier(A).cash = cash + COST;
        forged.account(A).cash = cash;
        c5_with(&forged, &taken(), before(), margin(9_000, 6_435, 0))
    };
    assert_eq!(with_cash(707_928), Ok(true));
    breaks(with_cash(707_929), Invariant::C5, "past the target plus one lot");
}

#[test]
fn dust_may_go_at_once() {
    // Ten lots are 100 dollars, eleven are more.
    for (lots, is_fine) in [(10, true), (11, false)] {
        let mut forged = step();
        forged.earlier(A).positions[0].lots = lots;
        forged.earlier(A).positions[0].quote = -lots * 10 * UNIT;
        let action = Action::Liquidate {
            legs: vec![(BTC_PERPETUAL, lots.unsigned_abs())],
            account: A,
            keeper: C,
        };
        let mut closed = *forged.earlier(A);
        (
            closed.positions[0].lots,
            closed.positions[0].quote,
            closed.flag.started_at,
        ) = (0, 0, 0);
        *forged.account(A) = closed;
        forged.after.fund.balance = forged.before.fund.balance;
        *forged.account(C) = *forged.earlier(C);
        forged.account(C).positions[0] = forged.before.accounts[&A].positions[0];
        forged.account(C).position_count = 1;
        let verdict = c5_with(&forged, &action, before(), margin(20_000, 0, 0));
        assert_eq!(verdict.is_ok(), is_fine, "{verdict:?}");
    }
}

#[test]
fn a_flag_is_set_and_taken_off_in_its_time() {
    let (flags, unflags) = (Action::Flag { account: A }, Action::Unflag { account: A });
    let mut forged = Forged::new();
    let sick = margin(7_149, 7_150, 0);
    breaks(c5_with(&forged, &flags, sick, sick), Invariant::C5, "who is flagged");
    let target = margin(7_865, 7_150, 0);
    assert_eq!(c5_with(&forged, &unflags, target, target), Ok(true));
    for report in [
        margin(7_864, 7_150, 0),
        MarginReport {
            equity_liquidation: Dollars(7_864 * DOLLAR),
            ..target
        },
    ] {
        breaks(
            c5_with(&forged, &unflags, report, report),
            Invariant::C5,
            "who is unflagged",
        );
    }
    forged.account(A).flag.started_at = 1;
    assert_eq!(c5_with(&forged, &flags, sick, sick), Ok(true));
    let healthy = margin(7_150, 7_150, 0);
    breaks(
        c5_with(&forged, &flags, healthy, healthy),
        Invariant::C5,
        "who is flagged",
    );
    breaks(
        c5_with(&forged, &unflags, target, target),
        Invariant::C5,
        "who is unflagged",
    );
}
