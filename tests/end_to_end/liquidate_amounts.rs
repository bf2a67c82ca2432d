//! `liquidate`: how much a step may take: the secant, the ceiling, the step cap of a window, dust (margin.md section 8).
//!
//! The user is long 1 BTC with E = P − 90,000. At 96,000: E = 6,000, MM = 6,864, of which a lot frees 0.6864.
use ballast::error::BallastError;
use ballast::events::Liquidated;
use ballast::state::RiskBoard;
use ballast_sim::world::{User, World, BTC, ETH, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{btc_at, edit, event, pair, set_cash, trade, trader, BTC_PERP, DOLLAR, ETH_PERP};
use ballast_tests::{elf, ok, world};

use crate::liquidate::flagged_at;

/// Keeps the flag alive to `age` seconds and refreshes the price then.
fn age_flag(w: &mut World, user: &User, flagged: i64, age: i64, price: f64) {
    for second in (100..age).step_by(100) {
        btc_at(w, flagged + second, price);
        let outcome = w.flag(&user.account.margin_account);
        ok(w, outcome);
    }
    btc_at(w, flagged + age, price);
}

#[test]
fn one_and_a_half_times_the_secant_are_the_most() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    // 1.5 · 1,550.40 / (6,864 · (1.1 − 0.068333333)) = 0.32841149…: 3,285 lots, rounded up.
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 3_286)
    });
    // That many pass this test and fail the next one, the cap of 25,000 dollars.
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 3_285)
    });
}

#[test]
fn never_more_than_the_position() {
    let (mut w, user, keeper, flagged) = flagged_at(89_000.0);
    btc_at(&mut w, flagged + 2, 89_000.0);
    for lots in [10_001, 1 << 40, u64::MAX] {
        refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
            w.liquidate(BTC_PERP, &user.account, &keeper, lots)
        });
    }
    // Under water all of it may go at once.
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 10_000);
    ok(&w, outcome);
}

#[test]
fn the_step_cap_holds_to_the_lot() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    // 25,000 dollars (20 % of the gross are 19,200): 2,604 lots are 24,998.40.
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 2_605)
    });
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_604);
    ok(&w, outcome);
}

#[test]
fn the_step_cap_adds_up_over_its_window() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 500); // 4,800 dollars
    ok(&w, outcome);
    btc_at(&mut w, flagged + 11, 96_000.0);
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 2_105)
    });
    // Ten seconds after the first step its window is over, but what it took fades only over the next ten: all of it counts still.
    btc_at(&mut w, flagged + 12, 96_000.0);
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 2_105)
    });
    // A second later nine tenths of it: 4,320 + 20,208.
    btc_at(&mut w, flagged + 13, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_105);
    ok(&w, outcome);
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 500);
    ok(&w, outcome);
    btc_at(&mut w, flagged + 11, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_104); // 4,800 + 20,198.40
    ok(&w, outcome);
}

#[test]
fn an_old_flag_has_no_step_cap() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    age_flag(&mut w, &user, flagged, 299, 96_000.0);
    refuses(&mut w, BallastError::StepCapExceeded, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 2_605)
    });
    btc_at(&mut w, flagged + 300, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_605);
    ok(&w, outcome);
}

#[test]
fn a_deep_account_has_no_step_cap() {
    // E = P − 90,000 and ⅔ of 7.15 % · P meet at P = 90,000 / (1 − 0.0476666…) = 94,504.725236…
    for (price, deep) in [(94_504.72, true), (94_504.73, false)] {
        let (mut w, user, keeper, flagged) = flagged_at(price);
        btc_at(&mut w, flagged + 2, price);
        // 2,646 lots are more than 25,000 dollars at either price.
        if deep {
            let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_646);
            ok(&w, outcome);
        } else {
            let outcome = |w: &mut World| w.liquidate(BTC_PERP, &user.account, &keeper, 2_646);
            refuses(&mut w, BallastError::StepCapExceeded, outcome);
        }
    }
}

#[test]
fn no_step_goes_past_the_ceiling() {
    // After five minutes there is no cap, and the cost is 60 %: 0.41184 a lot. The secant allows 6,777 lots; E ≤ 1.25 · MM holds up to
    // 6,000 − 0.41184 n = 1.25 · (6,864 − 0.6864 n), n = 5,782.7.
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    age_flag(&mut w, &user, flagged, 300, 96_000.0);
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 5_783)
    });
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 5_782);
    let receipt = ok(&w, outcome);
    let liquidated = event::<Liquidated>(&receipt);
    assert_eq!(liquidated.cost, 2_381_258_880); // 5,782 · 0.41184
                                                // 6,000 − 2,381.25888 = 3,618.74112; 6,864 − 5,782 · 0.6864 = 2,895.2352
    assert_eq!(liquidated.equity_after, 361_874_112_000);
    assert_eq!(liquidated.maintenance_after, 289_523_520_000);
}

/// A user long `lots` of BTC at 100,000 with just the equity that new risk needs, flagged at 94,000.
fn small(lots: i64, cash: i64) -> (World, User, User, i64) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let keeper = trader(&mut w, 1_000);
    set_cash(&mut w, &user, cash);
    trade(&mut w, BTC_PERP, &user, &maker, lots, 100_000.0);
    w.set_prices(&[(BTC, 94_000.0)]);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    let now = w.vm.now();
    (w, user, keeper, now)
}

#[test]
fn dust_is_closed_whole() {
    // 10 lots are 94 dollars at 94,000, under the 100 of dust. E = 10 − 6 = 4, MM = 6.721.
    let (mut w, user, keeper, flagged) = small(10, 12_050_000);
    btc_at(&mut w, flagged + 2, 94_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 10);
    let receipt = ok(&w, outcome);
    let liquidated = event::<Liquidated>(&receipt);
    assert_eq!((liquidated.legs[0].lots, liquidated.maintenance_after), (10, 0));
    // 4 − 6.721 · 6.8333333 % = 0.459268…
    assert_eq!(
        (liquidated.cost, liquidated.equity_after),
        (459_268, 4 * DOLLAR - 45_926_800)
    );
}

#[test]
fn what_is_no_dust_is_not() {
    // 11 lots are 103.40 dollars. E = 11 − 6.6 = 4.4, MM = 7.3931; 1.5 times the secant is 0.733…: 9 lots.
    let (mut w, user, keeper, flagged) = small(11, 13_055_000);
    btc_at(&mut w, flagged + 2, 94_000.0);
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 11)
    });
}

#[test]
fn what_cash_can_not_pay_is_charged_to_the_position() {
    // Long 100,000 of BTC and of ETH. BTC falls by 22 % and settles; ETH rises by 10 % and does not.
    let mut w = World::starting_at(&elf(), START, [100_000.0, 2_500.0, 150.0]);
    let (user, maker) = pair(&mut w, 0);
    let keeper = trader(&mut w, 100_000);
    set_cash(&mut w, &user, 23_000_000_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, 40_000, 2_500.0);
    w.set_prices(&[(BTC, 78_000.0), (ETH, 2_750.0)]);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].price.slow = b.assets[0].price.index);
    let key = user.account.margin_account;
    let outcome = w.settle(&key, &[BTC_PERP]);
    ok(&w, outcome);
    // 23,000 − 2 reserved − 22,050; E = 948 + 9,950, MM = 7.15 % · 78,000 + 8.9 % · 110,000 = 15,367.
    assert_eq!(w.margin_account(&key).cash, 948_000_000);
    let outcome = w.flag(&key);
    ok(&w, outcome);
    w.vm.advance(60);
    let outcome = w.liquidate(ETH_PERP, &user.account, &keeper, 13_000);
    let receipt = ok(&w, outcome);
    // 35,750 dollars free 8.9 % = 3,181.75; 60 % of that are 1,909.05, of which 948 are there. The keeper's 60 % are 1,145.43: 948 in cash
    // and 197.43 as a better price; the fund's claim is 961.05 − 197.43 = 763.62, on top of the 14 of the trade's fees.
    let liquidated = event::<Liquidated>(&receipt);
    assert_eq!((liquidated.cost, liquidated.bounty), (1_909_050_000, 1_145_430_000));
    assert_eq!(liquidated.equity_after, 898_895_000_000); // 10,898 − 1,909.05
    let account = w.margin_account(&key);
    assert_eq!((account.cash, account.positions[1].lots), (0, 27_000));
    assert_eq!(
        account.positions[1].quote,
        -100_050_000_000 + 35_750_000_000 - 961_050_000
    );
    let taken = w.margin_account(&keeper.account.margin_account);
    assert_eq!(taken.cash, 100_000_000_000 - 2_000_000 + 948_000_000);
    assert_eq!(taken.positions[0].quote, -35_750_000_000 + 197_430_000);
    assert_eq!(w.market(ETH_PERP).insurance_due, 14_000_000 + 763_620_000);
    let fund = w.insurance_fund();
    // The 14 and the 56 of BTC's fees were realised when it settled.
    assert_eq!(
        (fund.earned - 948_000_000, fund.bounties_paid),
        (14_000_000, 948_000_000)
    );
}
