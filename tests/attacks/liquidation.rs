//! Bending the auction: its clock, its amounts, its bounty and whom it meets.
use ballast::error::BallastError;
use ballast::events::Liquidated;
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

use crate::support::*;

/// c(t) after `seconds`: 5 % and 55 % over a minute, in 10⁻⁹.
fn rate(seconds: i64) -> i128 {
    50_000_000 + 550_000_000 * i128::from(seconds.min(60)) / 60
}

/// The step that the receipt tells of, after checking what every step must keep (methodology, section 8).
#[track_caller]
fn step(w: &mut World, instrument: usize, victim: &User, keeper: &User, lots: u64) -> Liquidated {
    let account = victim.account.margin_account;
    let before = w.summary(&account);
    let elapsed = w.vm.now() - w.margin_account(&account).flag.started_at;
    let outcome = w.liquidate(instrument, &victim.account, keeper, lots);
    let receipt = ok(w, outcome);
    let after = w.summary(&account);
    let done: Liquidated = event(&receipt);
    let surplus = |s: &ballast::instructions::Summary| s.equity_liquidation - s.maintenance_margin;
    assert!(before.liquidatable);
    assert!(surplus(&after) > surplus(&before), "strictly healthier");
    assert!(after.equity_liquidation >= before.equity_liquidation.min(0));
    let freed = i128::from(before.maintenance_margin - after.maintenance_margin);
    let cost = i128::from(done.cost) * 100; // dollars of 10⁻⁸
    assert!(
        cost * 1_000_000_000 <= rate(elapsed) * freed,
        "costs no more than c(t) of what it frees"
    );
    assert!(done.bounty * 10 <= done.cost * 6, "60 % of it are the liquidator's");
    done
}

#[test]
fn attack_liquidating_a_healthy_account() {
    let mut w = world();
    // 12,000 − 50 − 5,000 = 6,950 against 7.15 % · 95,000 = 6,792.50.
    let d = distress(&mut w, 95_000.0);
    let account = d.victim.account.margin_account;
    refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&account));
    refuses(&mut w, BallastError::NotFlagged, |w| w.unflag(&account));
    refuses(&mut w, BallastError::NotFlagged, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1)
    });
    // Flagged in a dip, healthy again.
    w.set_prices(&[(BTC, 94_000.0)]);
    flag(&mut w, &d.victim);
    w.set_prices(&[(BTC, 95_000.0)]);
    refuses(&mut w, BallastError::AccountHealthy, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1)
    });
    refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&account));
    // Not so healthy yet that the flag comes off: 6,950 < 1.1 · 6,792.50.
    refuses(&mut w, BallastError::NotRecovered, |w| w.unflag(&account));
}

#[test]
fn attack_flag_and_liquidate_in_one_slot() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let account = d.victim.account.margin_account;
    let both = [
        instruction::flag(&w.exchange, &account),
        instruction::liquidate(
            &w.exchange,
            &w.markets[BTC_PERP],
            &d.victim.account,
            &d.keeper.account,
            100,
        ),
    ];
    refuses(&mut w, BallastError::FlagTooYoung, |w| {
        w.vm.send(&both, &[&d.keeper.key])
    });
    let outcome = w.flag(&account);
    ok(&w, outcome);
    refuses(&mut w, BallastError::FlagTooYoung, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 100)
    });
}

/// Flagged in a dip, left alone through a recovery, and met again with a clock that has long run out.
#[test]
fn attack_flag_wait_and_come_back_at_the_full_discount() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let account = d.victim.account.margin_account;
    flag(&mut w, &d.victim);
    w.set_prices(&[(BTC, 97_000.0)]);
    for _ in 0..3 {
        wait(&mut w, 40);
        refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&account));
    }
    w.set_prices(&[(BTC, 94_000.0)]);
    refuses(&mut w, BallastError::FlagLapsed, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 100)
    });
    flag(&mut w, &d.victim);
    // 5 % and a second's 0.92 % of 7.15 % of 940 dollars.
    let done = step(&mut w, BTC_PERP, &d.victim, &d.keeper, 100);
    assert!(done.cost <= 3_980_000, "at the start of the clock again: {}", done.cost);
}

/// Anyone takes the flag off as soon as the account has recovered.
#[test]
fn attack_a_flag_kept_through_a_recovery() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    flag(&mut w, &d.victim);
    w.set_prices(&[(BTC, 97_000.0)]);
    let outcome = w.unflag(&d.victim.account.margin_account);
    ok(&w, outcome);
    w.set_prices(&[(BTC, 94_000.0)]);
    refuses(&mut w, BallastError::NotFlagged, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 100)
    });
}

#[test]
fn attack_resetting_the_clock_with_one_unit() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let (usd, account) = (w.usd, d.victim.account.margin_account);
    flag(&mut w, &d.victim);
    let started = w.margin_account(&account).flag.started_at;
    wait(&mut w, 50);
    let outcome = w.fund(&d.victim, &usd, 1);
    ok(&w, outcome);
    refuses(&mut w, BallastError::NotRecovered, |w| w.unflag(&account));
    let outcome = w.flag(&account);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&account).flag.started_at, started);
    let done = step(&mut w, BTC_PERP, &d.victim, &d.keeper, 100);
    // 51 seconds: 51.75 % of 67.21 dollars.
    assert!(done.cost > 34_000_000, "the clock ran on: {}", done.cost);
}

/// 2,000 lots are 18,600 dollars; two such steps are over 25,000, the larger of the caps of ten seconds.
#[test]
fn attack_a_capped_step_looped_in_one_transaction() {
    let mut w = world();
    let d = distress(&mut w, 93_000.0);
    flag(&mut w, &d.victim);
    let take = |w: &World, lots| {
        instruction::liquidate(
            &w.exchange,
            &w.markets[BTC_PERP],
            &d.victim.account,
            &d.keeper.account,
            lots,
        )
    };
    let twice = [take(&w, 2_000), take(&w, 2_000)];
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.vm.send(&twice, &[&d.keeper.key])
    });
    let slices: Vec<_> = (0..6).map(|_| take(&w, 500)).collect();
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.vm.send(&slices, &[&d.keeper.key])
    });
    // A new flag opens no new window.
    step(&mut w, BTC_PERP, &d.victim, &d.keeper, 2_000);
    let again = [
        instruction::flag(&w.exchange, &d.victim.account.margin_account),
        take(&w, 2_000),
    ];
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.vm.send(&again, &[&d.keeper.key])
    });
}

#[test]
fn attack_liquidating_too_much() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    flag(&mut w, &d.victim);
    let victim = d.victim.account;
    refuses(&mut w, BallastError::ZeroAmount, |w| {
        w.liquidate(BTC_PERP, &victim, &d.keeper, 0)
    });
    for lots in [10_001, u64::MAX, i64::MAX as u64] {
        refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
            w.liquidate(BTC_PERP, &victim, &d.keeper, lots)
        });
    }
    // The secant takes 10,000 · (1.1 · 6,721 − 5,948) / ((1.1 − 0.068) · 6,721) = 2,083 lots or so; half as many more are allowed.
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        w.liquidate(BTC_PERP, &victim, &d.keeper, 3_200)
    });
}

/// Within one and a half times the secant, but past a health of 1.25, with a flag so old that no step is capped.
#[test]
fn attack_liquidating_past_the_ceiling() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    flag(&mut w, &d.victim);
    for _ in 0..6 {
        wait(&mut w, 55);
        let outcome = w.flag(&d.victim.account.margin_account);
        ok(&w, outcome);
    }
    // 6,000 lots leave 5,948 − 60 % of 4,033 = 3,528 against 2,688: a health of 1.31.
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 6_000)
    });
    step(&mut w, BTC_PERP, &d.victim, &d.keeper, 4_800);
    let healthy = w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1);
    ballast_tests::refused(healthy, BallastError::NotFlagged);
}

#[test]
fn attack_two_keepers_racing() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let rival = trader(&mut w, 1_000_000);
    flag(&mut w, &d.victim);
    let victim = d.victim.account;
    // Both send the finishing step in one slot; the second finds nothing left to do.
    step(&mut w, BTC_PERP, &d.victim, &d.keeper, 2_500);
    refuses(&mut w, BallastError::NotFlagged, |w| {
        w.liquidate(BTC_PERP, &victim, &rival, 2_500)
    });
}

#[test]
fn attack_a_foreign_leg() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    flag(&mut w, &d.victim);
    for instrument in [BTC_FUTURE, ETH_PERP, SOL_FUTURE] {
        refuses(&mut w, BallastError::PositionMissing, |w| {
            w.liquidate(instrument, &d.victim.account, &d.keeper, 1)
        });
    }
}

#[test]
fn attack_taking_over_without_margin() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    // 0.1 BTC asks for 940; 900 − 2 locked + a bounty of 24 is not enough.
    let (poor, spent) = (trader(&mut w, 0), trader(&mut w, 900));
    flag(&mut w, &d.victim);
    for keeper in [&poor, &spent] {
        refuses(&mut w, BallastError::LiquidatorMargin, |w| {
            w.liquidate(BTC_PERP, &d.victim.account, keeper, 1_000)
        });
    }
}

/// The short that protects an account's collateral is not taken from it as a whole: the bare collateral would ask for more.
#[test]
fn attack_a_step_that_worsens_health() {
    let mut w = world();
    let d = covered_short(&mut w);
    // E_mm = 0.9 · 165,000 − 65,000 − 79,620 or so = 3,880 under two thirds of 3.877 % · 165,000 = 6,397: no step is capped.
    w.set_prices(&[(BTC, 165_000.0)]);
    flag(&mut w, &d.victim);
    refuses(&mut w, BallastError::NotHealthier, |w| {
        w.liquidate(BTC_FUTURE, &d.victim.account, &d.keeper, 10_000)
    });
    step(&mut w, BTC_FUTURE, &d.victim, &d.keeper, 1_000);
}

/// One BTC of collateral against a short of one BTC, with as much cash taken out as goes: IM 5,325 (7,000 without the short), MM 3,877.50 (4,900).
pub(crate) fn covered_short(w: &mut World) -> Distress {
    let (victim, maker) = pair(w, 0);
    let keeper = trader(w, 1_000_000);
    let (usd, btc) = (w.usd, w.btc);
    deposit(w, &victim, &btc, BTC_UNIT);
    trade(w, BTC_FUTURE, &victim, &maker, -10_000, 100_000.0);
    let taken = withdraw_all_that_goes(w, &victim, &usd);
    // 85,000 of credit − 5,325 − 50 of fees − 2 locked
    assert_eq!(taken, 79_623 * USD);
    Distress { victim, maker, keeper }
}

/// Liquidating oneself with a second wallet costs the fund's part and gains nothing.
#[test]
fn attack_self_liquidation_for_the_bounty() {
    for seconds in [1, 30, 60, 110] {
        let mut w = world();
        let d = distress(&mut w, 93_000.0);
        flag(&mut w, &d.victim);
        wait(&mut w, seconds);
        let group = [&d.victim, &d.keeper];
        let before = (wealth(&w, &group), fund(&w));
        for _ in 0..4 {
            step(&mut w, BTC_PERP, &d.victim, &d.keeper, 600);
        }
        let after = (wealth(&w, &group), fund(&w));
        assert!(after.0 < before.0, "the group loses");
        assert!(after.1 > before.1, "the fund gains");
    }
}

/// The fund's cash and what it is owed.
fn fund(w: &World) -> i128 {
    let due: i64 = (0..w.markets.len()).map(|i| w.market(i).insurance_due).sum();
    i128::from(w.insurance_fund().balance) + i128::from(due)
}

/// Hundreds of the smallest steps: neither rounding nor the bounty feeds a group that owns both sides and the keeper.
#[test]
fn attack_sybil_loops_of_one_lot() {
    let mut w = world();
    let d = distress(&mut w, 93_000.015_437);
    flag(&mut w, &d.victim);
    let group = [&d.victim, &d.maker, &d.keeper];
    let first = wealth(&w, &group);
    let mut last = (first, fund(&w));
    for n in 0..300 {
        if n % 100 == 99 {
            wait(&mut w, 11); // the clock runs, and windows change
        }
        let outcome = w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1);
        ok(&w, outcome);
        let now = (wealth(&w, &group), fund(&w));
        assert!(now.0 < last.0 && now.1 >= last.1, "step {n}");
        last = now;
    }
}

/// The last second of one window and the first of the next are no two windows: what was taken fades over ten seconds more.
#[test]
fn attack_the_edge_of_a_step_window() {
    let mut w = world();
    let d = distress(&mut w, 93_000.0);
    flag(&mut w, &d.victim);
    step(&mut w, BTC_PERP, &d.victim, &d.keeper, 1);
    wait(&mut w, 9);
    step(&mut w, BTC_PERP, &d.victim, &d.keeper, 2_000);
    wait(&mut w, 2);
    // 18,609.30 count nine tenths eleven seconds after the window opened; with 9,300 more that is over 25,000.
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1_000)
    });
    wait(&mut w, 10);
    step(&mut w, BTC_PERP, &d.victim, &d.keeper, 1_000);
}

/// What strangers can do to an account of one unit's worth: nothing that moves its equity, its margin or its clock.
#[test]
fn attack_one_unit_griefing() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let (usd, account) = (w.usd, d.victim.account.margin_account);
    flag(&mut w, &d.victim);
    let before = (w.summary(&account), w.margin_account(&account).flag.started_at);
    w.give(&d.keeper, &usd, 1);
    let keys = ballast_client::instruction::AccountKeys {
        signer: d.keeper.account.signer,
        ..d.victim.account
    };
    let deposit = instruction::deposit(&w.exchange, &keys, &usd.mint, &d.keeper.usd, 1);
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[deposit], &[&d.keeper.key])
    });
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&account, &[BTC_PERP])
    });
    let outcome = w.flag(&account);
    ok(&w, outcome);
    assert_eq!(
        (w.summary(&account), w.margin_account(&account).flag.started_at),
        before
    );
}
