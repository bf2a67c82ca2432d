//! `liquidate`: what a step moves, the clock, and whom it refuses. How much it may take is in `liquidate_amounts`.
//!
//! The user is long 1 BTC with E = P − 90,000. At 96,000: E = 6,000, MM = 7.15 % = 6,864; closing a part x frees x · 6,864.
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::events::{Liquidated, LiquidatedLeg};
use ballast::state::{Flag, MarginAccount, Market, OwnerRecord, RiskBoard};
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::world::{User, World, BTC};
use ballast_tests::ok;
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    btc_at, copy_account, deposit, edit, event, long_btc, second_exchange, set_cash, trader, BTC_FUTURE, BTC_PERP,
    BTC_UNIT, DOLLAR, ETH_PERP, PRICE, USD,
};
use solana_signer::Signer;

/// A flagged user at an index of `price`, and a keeper with 100,000 dollars; the time of the flag.
pub(crate) fn flagged_at(price: f64) -> (World, User, User, i64) {
    let (mut w, user, _) = long_btc();
    let keeper = trader(&mut w, 100_000);
    w.set_prices(&[(BTC, price)]);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    let now = w.vm.now();
    (w, user, keeper, now)
}

fn step(w: &World, user: &User, keeper: &User, lots: u64) -> Instruction {
    instruction::liquidate(&w.exchange, &w.markets[BTC_PERP], &user.account, &keeper.account, lots)
}

#[test]
fn a_step_moves_lots_at_the_mark_and_is_paid_for_the_margin_it_frees() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_000);
    let receipt = ok(&w, outcome);
    // c(2) = 5 % + 55 % · 2/60, in 10⁻⁹ and down: 6.8333333 %. A fifth of 6,864 is 1,372.80; times c: 93.8079995424, down to the unit.
    let cost = 93_807_999;
    // 60 %: 56.2847994 to the keeper, the rest to the fund.
    let bounty = 56_284_799;
    let account = w.margin_account(&user.account.margin_account);
    let position = account.positions[0];
    // Cash 10,050; 19,200 received on 100,050 paid; what is left of the entry is 0.8 · 100,050.
    assert_eq!(account.cash, 10_050_000_000 - cost);
    assert_eq!(
        (position.lots, position.quote),
        (8_000, -100_050_000_000 + 19_200_000_000)
    );
    assert_eq!(position.entry_quote, -80_040_000_000);
    let taken = w.margin_account(&keeper.account.margin_account);
    assert_eq!(
        (taken.cash, taken.reserve),
        (100_000_000_000 - 2_000_000 + bounty, 2_000_000)
    );
    assert_eq!(
        (taken.positions[0].lots, taken.positions[0].quote),
        (2_000, -19_200_000_000)
    );
    let fund = w.insurance_fund();
    assert_eq!((fund.balance, fund.earned), ((cost - bounty) as u64, cost as u64));
    assert_eq!(fund.bounties_paid, bounty as u64);
    // Open interest has not changed, only whose it is.
    assert_eq!(w.market(BTC_PERP).open_interest, 10_000);
    let records = [&user, &keeper].map(|u| w.read::<OwnerRecord>(&u.account.owner).open_interest[0]);
    assert_eq!(records, [800_000_000, 200_000_000]);
    let leg = LiquidatedLeg {
        market: w.markets[BTC_PERP],
        sequence: 2, // the trade was the first
        instrument: 0,
        lots: 2_000,
        mark: 96_000 * PRICE,
    };
    let expected = Liquidated {
        liquidatee: user.account.margin_account,
        sequence: account.sequence,
        liquidator: keeper.account.margin_account,
        legs: vec![leg],
        cost,
        bounty,
        maintenance_before: 6_864 * DOLLAR,
        maintenance_after: 5_491 * DOLLAR + DOLLAR / 5,
        equity_after: 6_000 * DOLLAR - cost * 100,
        unflagged: false,
    };
    assert_eq!(event::<Liquidated>(&receipt), expected);
    // Over MM, but not at 1.1 · MM: the flag stays, and is confirmed.
    let expected = Flag {
        confirmed_at: flagged + 2,
        window_start: flagged + 2,
        window_notional: 19_200 * DOLLAR,
        ..account.flag
    };
    assert_eq!((account.flag, account.flag.started_at), (expected, flagged));
}

#[test]
fn a_short_position_is_bought_back() {
    let (mut w, other, user) = long_btc();
    drop(other);
    let keeper = trader(&mut w, 100_000);
    let usd = w.usd;
    // The maker is short from 100,000 with a fee of 20; 10,022 make it 10,000 of equity.
    let outcome = w.withdraw(&user, &usd, 10_000_000 * USD - 10_022 * USD);
    ok(&w, outcome);
    w.set_prices(&[(BTC, 104_000.0)]);
    let key = user.account.margin_account;
    let outcome = w.flag(&key);
    ok(&w, outcome);
    w.vm.advance(2);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 1_000);
    let receipt = ok(&w, outcome);
    let liquidated = event::<Liquidated>(&receipt);
    let leg = liquidated.legs[0];
    assert_eq!((leg.lots, leg.mark), (-1_000, 104_000 * PRICE));
    assert_eq!(w.margin_account(&key).positions[0].lots, -9_000);
    assert_eq!(
        w.margin_account(&keeper.account.margin_account).positions[0].lots,
        -1_000
    );
    // MM 7,436 before; a tenth of it times 6.8333333 %: 50.81266641880
    assert_eq!((liquidated.cost, liquidated.bounty), (50_812_666, 30_487_599));
}

#[test]
fn reaching_the_target_clears_the_flag() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    // x = (1.1 · 6,864 − 6,000) / (6,864 · (1.1 − 0.068333333)) = 0.218941…
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_189);
    ok(&w, outcome);
    assert_ne!(w.margin_account(&user.account.margin_account).flag.started_at, 0);
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 2, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_190);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).flag.started_at, 0);
    refuses(&mut w, BallastError::NotFlagged, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 1)
    });
}

#[test]
fn the_cost_rises_for_a_minute() {
    for (second, cost) in [
        (30, 223_080_000),  // 5 % + 55 % / 2 = 32.5 % of 686.40
        (60, 411_840_000),  // 60 %
        (120, 411_840_000), // and no more
    ] {
        let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
        btc_at(&mut w, flagged + second, 96_000.0);
        let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 1_000);
        let receipt = ok(&w, outcome);
        assert_eq!(event::<Liquidated>(&receipt).cost, cost, "after {second} s");
    }
}

#[test]
fn no_step_leaves_equity_under_zero() {
    // E = 50: the rate alone would take 6.8333333 % of half of 6,438.575, 219.98.
    let (mut w, user, keeper, flagged) = flagged_at(90_050.0);
    btc_at(&mut w, flagged + 2, 90_050.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 5_000);
    let receipt = ok(&w, outcome);
    let liquidated = event::<Liquidated>(&receipt);
    assert_eq!(
        (liquidated.cost, liquidated.bounty, liquidated.equity_after),
        (50_000_000, 30_000_000, 0)
    );
}

#[test]
fn an_account_under_water_pays_nothing() {
    let (mut w, user, keeper, flagged) = flagged_at(89_000.0);
    btc_at(&mut w, flagged + 60, 89_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 5_000);
    let receipt = ok(&w, outcome);
    let liquidated = event::<Liquidated>(&receipt);
    assert_eq!((liquidated.cost, liquidated.bounty), (0, 0));
    assert_eq!(liquidated.equity_after, -1_000 * DOLLAR);
}

#[test]
fn the_first_step_comes_in_a_later_slot() {
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    refuses(&mut w, BallastError::FlagTooYoung, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 100)
    });
    let mut clock = w.vm.clock();
    clock.slot += 1;
    w.vm.svm.set_sysvar(&clock);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
    let receipt = ok(&w, outcome);
    assert_eq!(event::<Liquidated>(&receipt).cost, 3_432_000); // 5 % of 68.64
}

#[test]
fn a_flag_lapses_after_two_minutes() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 121, 96_000.0);
    refuses(&mut w, BallastError::FlagLapsed, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 100)
    });
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    btc_at(&mut w, flagged + 120, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
    ok(&w, outcome);
    // The step has confirmed the flag.
    btc_at(&mut w, flagged + 240, 96_000.0);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
    ok(&w, outcome);
}

#[test]
fn refuses_the_healthy_flagged_or_not() {
    let (mut w, user, _) = long_btc();
    let keeper = trader(&mut w, 100_000);
    w.set_prices(&[(BTC, 96_000.0)]);
    refuses(&mut w, BallastError::NotFlagged, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 1)
    });
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    w.set_prices(&[(BTC, 96_930.54)]);
    refuses(&mut w, BallastError::AccountHealthy, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 1)
    });
    w.set_prices(&[(BTC, 96_930.53)]);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 1);
    ok(&w, outcome);
}

#[test]
fn only_a_freshly_priced_leg_is_taken() {
    let (mut w, user, keeper, flagged) = flagged_at(90_500.0);
    w.vm.advance(60);
    assert_eq!(w.vm.now(), flagged + 60);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
    ok(&w, outcome);
    w.vm.advance(1);
    refuses(&mut w, BallastError::StalePrice, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 100)
    });
}

#[test]
fn refuses_zero_lots_and_positions_that_are_not_there() {
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    w.vm.advance(2);
    refuses(&mut w, BallastError::ZeroAmount, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 0)
    });
    refuses(&mut w, BallastError::PositionMissing, |w| {
        w.liquidate(ETH_PERP, &user.account, &keeper, 1)
    });
    refuses(&mut w, BallastError::PositionMissing, |w| {
        w.liquidate(BTC_FUTURE, &user.account, &keeper, 1)
    });
}

#[test]
fn refuses_yourself_under_any_account() {
    let (mut w, user, _, _) = flagged_at(96_000.0);
    w.vm.advance(2);
    refuses(&mut w, BallastError::SelfLiquidation, |w| {
        w.liquidate(BTC_PERP, &user.account, &user, 100)
    });
    let outcome = w.open(&user, 1);
    ok(&w, outcome);
    let second = AccountKeys::new(&w.exchange, &user.key.pubkey(), 1);
    let liquidate = instruction::liquidate(&w.exchange, &w.markets[BTC_PERP], &user.account, &second, 100);
    refuses(&mut w, BallastError::SelfLiquidation, |w| {
        w.vm.send(&[liquidate], &[&user.key])
    });
}

#[test]
fn refuses_a_strangers_account_as_the_liquidator() {
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    w.vm.advance(2);
    let thief = w.user();
    let stolen = AccountKeys {
        signer: thief.key.pubkey(),
        ..keeper.account
    };
    let liquidate = instruction::liquidate(&w.exchange, &w.markets[BTC_PERP], &user.account, &stolen, 100);
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[liquidate], &[&thief.key])
    });
}

#[test]
fn orders_go_first() {
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    w.vm.advance(2);
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |a| a.books[0].count = 1);
    refuses(&mut w, BallastError::OpenOrders, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 100)
    });
}

#[test]
fn the_liquidator_carries_the_margin_to_the_unit() {
    let (mut w, user, keeper, flagged) = flagged_at(96_000.0);
    // 2,000 lots ask for 1,920; 2 are reserved, 56.284799 come in.
    set_cash(&mut w, &keeper, 1_920_000_000 + 2_000_000 - 56_284_799 - 1);
    btc_at(&mut w, flagged + 2, 96_000.0);
    refuses(&mut w, BallastError::LiquidatorMargin, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 2_000)
    });
    set_cash(&mut w, &keeper, 1_920_000_000 + 2_000_000 - 56_284_799);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 2_000);
    ok(&w, outcome);
}

#[test]
fn the_liquidators_open_interest_is_capped() {
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    w.vm.advance(2);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].owner_open_interest_cap = 9_600 * DOLLAR); // 0.1 BTC
    refuses(&mut w, BallastError::OwnerOpenInterestCapExceeded, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 1_001)
    });
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 1_000);
    ok(&w, outcome);
}

#[test]
fn a_hedge_is_not_taken_away() {
    let mut w = ballast_tests::world();
    let (user, maker) = ballast_tests::setup::pair(&mut w, 0);
    let keeper = trader(&mut w, 1_000_000);
    let (btc, usd) = (w.btc, w.usd);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    ballast_tests::setup::trade(&mut w, BTC_PERP, &maker, &user, 10_000, 100_000.0);
    let outcome = w.withdraw(&user, &usd, 79_653 * USD);
    ok(&w, outcome);
    // A covered short: at P, E = 0.9 · P + 100,000 − P − 79,675. At 165,000: 3,825; MM is 3.8775 % of P, of the collateral alone 4.9 %.
    w.set_prices(&[(BTC, 165_000.0)]);
    let s = w.summary(&user.account.margin_account);
    assert_eq!(s.equity_maintenance, 3_825 * DOLLAR);
    assert_eq!(s.maintenance_margin, 6_397 * DOLLAR + DOLLAR * 875 / 1_000);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    w.vm.advance(2);
    refuses(&mut w, BallastError::NotHealthier, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 10_000)
    });
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let (mut w, user, keeper, _) = flagged_at(96_000.0);
    w.vm.advance(2);
    let right = step(&w, &user, &keeper, 100);
    let second = second_exchange(&mut w);
    let (foreign, foreign_keeper) = (second.open(&mut w, &user), second.open(&mut w, &keeper));
    let market = w.markets[BTC_PERP];
    let forged = copy_account(&mut w, &market);
    let out_of_range = copy_account(&mut w, &market);
    edit::<Market>(&mut w, &out_of_range, |m| m.instrument = 256);
    for (at, key, error) in [
        (0, second.exchange.key, BallastError::WrongBoard),
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.markets[0], BallastError::WrongExchange),
        (2, forged, BallastError::WrongMarket),
        (2, out_of_range, BallastError::InstrumentNotListed),
        (3, second.exchange.quote_pool(), BallastError::WrongExchange),
        (4, second.exchange.insurance_fund(), BallastError::WrongExchange),
        (5, foreign.margin_account, BallastError::WrongExchange),
        (6, keeper.account.owner, BallastError::WrongOwnerRecord),
        (7, foreign_keeper.margin_account, BallastError::WrongExchange),
        (8, user.account.owner, BallastError::WrongOwnerRecord),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = key;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&keeper.key]));
    }
    checks_every_account(&mut w, &right, &[&keeper.key]);
}
