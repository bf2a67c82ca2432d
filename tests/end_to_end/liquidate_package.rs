//! `liquidate` of several legs at once: a hedge is closed on both sides, never broken up.
//!
//! The user is long a BTC perpetual and short a BTC future, 10,000 lots each, from 100,000, with 12,000 of equity: whatever BTC does, E stays
//! 12,000 while MM is 8.7 % of the index (spread 11 % on what is matched, 0.7 of it, and a buffer of 0.5 % on both legs). At 140,000 it is
//! 12,180.
use anchor_lang::prelude::Pubkey;
use anchor_lang::InstructionData;
use ballast::error::BallastError;
use ballast::events::{Liquidated, LiquidatedLeg};
use ballast::state::{InstrumentKind, MarginAccount, RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::invariants::{Invariant, Leg, Watch};
use ballast_sim::world::{User, World, BTC, ETH, START};
use ballast_tests::refusal::{checks_declared_accounts, refuses};
use ballast_tests::setup::{
    btc_at, deposit, edit, event, flat, list_option, long_btc, pair, publish, second_exchange, set_cash, trade, trader,
    BTC_FUTURE, BTC_PERP, DAY, DOLLAR, ETH_PERP, PRICE, USD,
};
use ballast_tests::{elf, ok};

const BOTH: fn(u64) -> [(usize, u64); 2] = |lots| [(BTC_PERP, lots), (BTC_FUTURE, lots)];

/// The user, flagged at an index of 140,000, a keeper with 200,000 dollars, and the time of the flag. Every transaction is watched.
fn flagged() -> (World, User, User, i64) {
    flagged_with(12_000, 0)
}

/// The same with so many dollars of equity and lots of ETH.
fn flagged_with(equity: i64, eth: i64) -> (World, User, User, i64) {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 2_500.0, 100.0]);
    let (user, maker) = pair(&mut w, 20_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    if eth > 0 {
        trade(&mut w, ETH_PERP, &user, &maker, eth, 2_500.0);
    }
    let key = user.account.margin_account;
    let spare = w.summary(&key).equity_initial / 100 - equity * USD as i64;
    let cash = w.margin_account(&key).cash - spare;
    set_cash(&mut w, &user, cash);
    let keeper = trader(&mut w, 200_000);
    w.set_prices(&[(BTC, 140_000.0)]);
    w.watch = Some(Watch::default());
    let outcome = w.flag(&key);
    ok(&w, outcome);
    let now = w.vm.now();
    (w, user, keeper, now)
}

/// 30 seconds on the clock: c = 5 % + 55 % / 2 = 32.5 %.
fn half_way() -> (World, User, User) {
    let (mut w, user, keeper, flagged) = flagged();
    btc_at(&mut w, flagged + 30, 140_000.0);
    (w, user, keeper)
}

fn take(w: &mut World, user: &User, keeper: &User, legs: &[(usize, u64)]) -> ballast_sim::world::Outcome {
    w.liquidate_package(legs, &user.account, keeper)
}

/// x = (1.1 · 12,180 − 12,000) / ((1.1 − 0.325) · 12,180) = 1,398 / 9,439.5 = 0.148101: 1,482 lots of each leg reach the target.
/// They free 0.1482 · 12,180 = 1,805.076, 32.5 % of which are 586.6497: 12,000 − 586.6497 = 11,413.3503 is 1.1001 of 10,374.924.
#[test]
fn a_hedge_is_closed_on_both_sides_at_once() {
    let (mut w, user, keeper) = half_way();
    let (key, pool) = (user.account.margin_account, w.insurance_fund().balance);
    let before = w.margin_account(&key);
    let outcome = take(&mut w, &user, &keeper, &BOTH(1_482));
    let receipt = ok(&w, outcome);
    let account = w.margin_account(&key);
    let (cost, bounty) = (586_649_700, 351_989_820);
    let leg = |at: usize, instrument: usize, lots: i64| LiquidatedLeg {
        market: w.markets[instrument],
        sequence: w.market(instrument).sequence,
        instrument: at as u16,
        lots,
        mark: 140_000 * PRICE,
    };
    let expected = Liquidated {
        liquidatee: key,
        sequence: before.sequence + 1,
        liquidator: keeper.account.margin_account,
        legs: vec![leg(0, BTC_PERP, 1_482), leg(1, BTC_FUTURE, -1_482)],
        cost,
        bounty,
        maintenance_before: 12_180 * DOLLAR,
        maintenance_after: 1_037_492_400_000, // 10,374.924
        equity_after: 1_141_335_030_000,      // 11,413.3503
        unflagged: true,
    };
    assert_eq!(event::<Liquidated>(&receipt), expected);
    assert_eq!(account.cash, before.cash - cost);
    // 1,482 lots are 20,748 dollars at the mark, received on one leg and paid on the other.
    let moved = |at: usize| {
        (
            account.positions[at].lots,
            account.positions[at].quote - before.positions[at].quote,
        )
    };
    assert_eq!(
        (moved(0), moved(1)),
        ((8_518, 20_748_000_000), (-8_518, -20_748_000_000))
    );
    let taken = w.margin_account(&keeper.account.margin_account);
    let legs: Vec<_> = taken.positions().iter().map(|p| (p.lots, p.quote)).collect();
    assert_eq!(legs, [(1_482, -20_748_000_000), (-1_482, 20_748_000_000)]);
    assert_eq!(taken.cash + taken.reserve, 200_000_000_000 + bounty);
    assert_eq!(w.insurance_fund().balance - pool, (cost - bounty) as u64);
    assert_eq!(account.flag.started_at, 0, "the target is reached");
    let watch = w.watch.take().expect("it was watched");
    assert_eq!(watch.verdict(), Ok(()));
    assert_eq!(watch.held[Invariant::C5 as usize], 2, "the flag and the step");
}

/// Ten calls sold at a strike of 3,000 and ten bought at 3,500: no more than 5,000 can be lost. At 4,000 the bought ones, taken away alone,
/// would leave 10,000 of loss without a bound.
#[test]
fn attack_breaking_a_spread_up() {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 100.0]);
    let expiry = START + 30 * DAY;
    let [sold, bought] = [3_000, 3_500].map(|strike| list_option(&mut w, ETH, InstrumentKind::Call, expiry, strike));
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 6_000);
    let leg = |w: &World, instrument: usize, lots: i64| {
        let board = w.board();
        let mark = board
            .mark(&board.instruments[instrument], w.vm.now())
            .expect("a mark")
            .0;
        let tick = board.instruments[instrument].tick_size;
        Leg {
            instrument,
            lots,
            price: mark / tick * tick,
        }
    };
    let legs = [leg(&w, sold, -10_000), leg(&w, bought, 10_000)];
    let outcome = w.trade_package(&user, &maker, &legs);
    ok(&w, outcome);
    let key = user.account.margin_account;
    let settled = w.settle(&key, &[sold, bought]);
    ok(&w, settled);
    let keeper = trader(&mut w, 1_000_000);
    for price in [3_400.0, 3_800.0, 4_000.0] {
        w.set_prices(&[(ETH, price)]);
    }
    // What the account has left is a little more than nothing.
    let spare = w.summary(&key).equity_maintenance / 100 - 300_000_000;
    let cash = w.margin_account(&key).cash - spare;
    edit_cash(&mut w, &user, &keeper, cash);
    let before = w.summary(&key);
    assert!(before.liquidatable && before.equity_liquidation > 0, "{before:?}");
    let outcome = w.flag(&key);
    ok(&w, outcome);
    w.vm.advance(2);
    for lots in [1, 1_000, 10_000] {
        refuses(&mut w, BallastError::NotHealthier, |w| {
            take(w, &user, &keeper, &[(bought, lots)])
        });
    }
    let outcome = take(&mut w, &user, &keeper, &[(bought, 5_000), (sold, 5_000)]);
    ok(&w, outcome);
    let after = w.summary(&key);
    assert!(after.maintenance_margin < before.maintenance_margin);
}

/// Sets the user's cash to so many units; the keeper gets the rest, so that everything still adds up.
fn edit_cash(w: &mut World, user: &User, keeper: &User, units: i64) {
    let moved = w.margin_account(&user.account.margin_account).cash - units;
    for (who, change) in [(user, -moved), (keeper, moved)] {
        edit::<MarginAccount>(w, &who.account.margin_account, |a| a.cash += change);
    }
}

/// 1.5 times the secant is 2,221.51 lots. A step past the ceiling must be the smallest that reaches the target.
#[test]
fn a_package_is_bounded_as_a_leg_is() {
    let (mut w, user, keeper) = half_way();
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        take(w, &user, &keeper, &BOTH(2_223))
    });
    // 2,000 lots of both are 56,000 dollars, a fifth of the gross notional of 280,000.
    for lots in [2_222, 2_001] {
        refuses(&mut w, BallastError::StepCapExceeded, |w| {
            take(w, &user, &keeper, &BOTH(lots))
        });
    }
    refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
        take(w, &user, &keeper, &[(BTC_PERP, 1_482), (BTC_FUTURE, 10_001)])
    });
    let outcome = take(&mut w, &user, &keeper, &BOTH(2_000));
    ok(&w, outcome);
}

/// Long 1 BTC and 1,000 dollars of ETH, E = P − 90,000 but for the ETH: at 96,000 it is 6,000 against 6,864 and 89. The secant allows
/// 1.5 · (1.1 · 6,953 − 6,000) / (1.03 · 6,864) = 0.35 of the BTC, whatever part of the ETH comes along.
#[test]
fn attack_a_token_leg_to_take_more() {
    let (mut w, user, maker) = long_btc();
    let keeper = trader(&mut w, 100_000);
    deposit_dollars(&mut w, &user, 126);
    w.set_prices(&[(ETH, 2_500.0)]);
    trade(&mut w, ETH_PERP, &user, &maker, 400, 2_500.0);
    w.set_prices(&[(BTC, 96_000.0)]);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    w.vm.advance(2);
    for token in [1, 20, 399, 400] {
        refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
            take(w, &user, &keeper, &[(BTC_PERP, 3_700), (ETH_PERP, token)])
        });
    }
    let outcome = take(&mut w, &user, &keeper, &[(BTC_PERP, 2_000), (ETH_PERP, 80)]);
    ok(&w, outcome);
}

/// Long 1 BTC and, in one lot, 10 ETH, from 100,000 and 2,500, with 7,500 of equity at 94,000. MM is 6,721 + 2,225; five minutes after the
/// flag c is 60 %. With the ETH and n lots of BTC gone E is 7,500 − 0.6 · (2,225 + 0.6721 n) and MM 0.6721 · (10,000 − n): at 5,000 lots
/// 4,148.70 against 3,360.50, 1.2346; at 5,200 1.261, past the ceiling, and one lot of BTC less would do. All of it leaves 2,132.40, which
/// would not carry the lot of ETH as well (1.1 · 2,225), but all lots of BTC but some do.
#[test]
fn attack_a_coarse_leg_to_take_more_of_a_fine_one() {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 2_500.0, 100.0]);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.instruments[ETH_PERP].lot_size = 10_000_000_000);
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, 1, 2_500.0);
    let key = user.account.margin_account;
    let spare = w.summary(&key).equity_initial / 100 - 13_500 * USD as i64;
    let cash = w.margin_account(&key).cash - spare;
    set_cash(&mut w, &user, cash);
    let keeper = trader(&mut w, 200_000);
    w.watch = Some(Watch::default());
    for _ in 0..4 {
        w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 94_000.0), (ETH, 2_500.0)]);
        let outcome = w.flag(&key);
        ok(&w, outcome);
        w.vm.advance(99);
    }
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 94_000.0), (ETH, 2_500.0)]);
    for lots in [10_000, 9_999, 5_200] {
        for legs in [[(BTC_PERP, lots), (ETH_PERP, 1)], [(ETH_PERP, 1), (BTC_PERP, lots)]] {
            refuses(&mut w, BallastError::LiquidatesTooMuch, |w| {
                take(w, &user, &keeper, &legs)
            });
        }
    }
    let outcome = take(&mut w, &user, &keeper, &[(BTC_PERP, 5_000), (ETH_PERP, 1)]);
    ok(&w, outcome);
    let watch = w.watch.take().expect("it was watched");
    assert_eq!(watch.verdict(), Ok(()));
}

fn deposit_dollars(w: &mut World, user: &User, dollars: u64) {
    let usd = w.usd;
    deposit(w, user, &usd, dollars * USD);
}

#[test]
fn refuses_legs_that_are_not_what_they_say() {
    let (mut w, user, keeper) = half_way();
    let refuse = |w: &mut World, error: BallastError, legs: &[(usize, u64)]| {
        refuses(w, error, |w| take(w, &user, &keeper, legs));
    };
    let mut empty = instruction::liquidate(&w.exchange, &w.markets[BTC_PERP], &user.account, &keeper.account, 1);
    empty.data = ballast::instruction::Liquidate { lots: vec![] }.data();
    refuses(&mut w, BallastError::ZeroAmount, |w| {
        w.vm.send(&[empty], &[&keeper.key])
    });
    refuse(&mut w, BallastError::ZeroAmount, &[(BTC_PERP, 1), (BTC_FUTURE, 0)]);
    refuse(&mut w, BallastError::TooManyLegs, &[(BTC_PERP, 1); 9]);
    refuse(&mut w, BallastError::UnexpectedAccount, &[(BTC_PERP, 1), (BTC_PERP, 1)]);
    refuse(
        &mut w,
        BallastError::UnexpectedAccount,
        &[(BTC_PERP, 1), (BTC_FUTURE, 1), (BTC_FUTURE, 1)],
    );
    refuse(&mut w, BallastError::PositionMissing, &[(BTC_PERP, 1), (ETH_PERP, 1)]);
    refuse(
        &mut w,
        BallastError::LiquidatesTooMuch,
        &[(BTC_PERP, 1), (BTC_FUTURE, 10_001)],
    );
    let foreign = second_exchange(&mut w);
    let right = |w: &World, other: Pubkey| {
        let legs = [(w.markets[BTC_PERP], 1_482), (other, 1_482)];
        instruction::liquidate_package(&w.exchange, &legs, &user.account, &keeper.account)
    };
    let wrong = right(&w, foreign.markets[BTC_FUTURE]);
    refuses(&mut w, BallastError::WrongMarket, |w| {
        w.vm.send(&[wrong], &[&keeper.key])
    });
    let (mut read_only, mut missing) = (right(&w, w.markets[BTC_FUTURE]), right(&w, w.markets[BTC_FUTURE]));
    read_only.accounts.last_mut().expect("a market").is_writable = false;
    refuses(&mut w, BallastError::WrongMarket, |w| {
        w.vm.send(&[read_only], &[&keeper.key])
    });
    missing.accounts.pop();
    refuses(&mut w, BallastError::MarketMissing, |w| {
        w.vm.send(&[missing], &[&keeper.key])
    });
    let right = right(&w, w.markets[BTC_FUTURE]);
    let declared = right.accounts.len() - 1;
    checks_declared_accounts(&mut w, &right, declared, &[&keeper.key]);
}

/// With 1,000 dollars of ETH (125 and 89) and an equity of 12,150 the account requires 12,269 at 140,000. The ETH's price gets old.
#[test]
fn every_leg_of_a_package_is_fresh() {
    let (mut w, user, keeper, flagged) = flagged_with(12_150, 400);
    btc_at(&mut w, flagged + 90, 140_000.0);
    refuses(&mut w, BallastError::StalePrice, |w| {
        take(
            w,
            &user,
            &keeper,
            &[(BTC_PERP, 1_482), (BTC_FUTURE, 1_482), (ETH_PERP, 1)],
        )
    });
    let outcome = take(&mut w, &user, &keeper, &BOTH(700));
    ok(&w, outcome);
}

/// Who takes over a package must carry it: 12 % of 20,748 · 2 dollars at the worse price.
#[test]
fn refuses_a_keeper_who_cannot_carry_the_package() {
    let (mut w, user, _) = half_way();
    let poor = trader(&mut w, 1_000);
    refuses(&mut w, BallastError::LiquidatorMargin, |w| {
        take(w, &user, &poor, &BOTH(1_482))
    });
}
