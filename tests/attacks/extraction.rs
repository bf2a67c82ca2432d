//! Getting more out than was put in. What counts is the outcome: tokens outside, and whether everybody else is whole.
use ballast::error::BallastError;
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::world::{User, World, BTC, ETH, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

use crate::liquidation::covered_short;
use crate::support::*;

/// Dollars of the quote asset that these wallets hold outside.
fn outside(w: &World, users: &[&User]) -> u64 {
    users.iter().map(|u| w.tokens(&u.usd)).sum()
}

/// Settles everything that settles in these accounts, losers and winners alike.
fn settle_all(w: &mut World, users: &[&User]) {
    for _ in 0..2 {
        for user in users {
            for position in w.margin_account(&user.account.margin_account).positions().to_vec() {
                let outcome = w.settle(&user.account.margin_account, &[usize::from(position.instrument)]);
                went_through(w, outcome);
            }
        }
    }
}

/// Two wallets against each other, and a depositor with a million who trades nothing.
fn two_sides(w: &mut World, long: u64, short: u64) -> (User, User, User) {
    let (long, short) = (trader(w, long), trader(w, short));
    let depositor = trader(w, 1_000_000);
    trade(w, BTC_PERP, &long, &short, 10_000, 100_000.0);
    (long, short, depositor)
}

fn depositor_is_whole(w: &mut World, depositor: &User) {
    let usd = w.usd;
    let outcome = w.withdraw(depositor, &usd, 1_000_000 * USD);
    ok(w, outcome);
}

#[test]
fn attack_paper_gains_borrowed_out() {
    let mut w = world();
    let usd = w.usd;
    let (long, short, depositor) = two_sides(&mut w, 10_500, 10_500);
    w.set_prices(&[(BTC, 140_000.0)]);
    let_slow_prices_catch_up(&mut w);
    let group = [&long, &short];
    // 40,000 on paper, before and after the loser has paid what it has.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&long, &usd, 10_500 * USD)
    });
    settle_all(&mut w, &group);
    for user in group {
        withdraw_all_that_goes(&mut w, user, &usd);
    }
    assert!(outside(&w, &group) <= 21_000 * USD);
    depositor_is_whole(&mut w, &depositor);
}

/// The winner closes against a third wallet and settles: it gets what the loser had, and nothing of the depositors' cash.
#[test]
fn attack_a_loser_without_assets() {
    let mut w = world();
    let usd = w.usd;
    let (long, short, depositor) = two_sides(&mut w, 10_500, 10_500);
    let third = trader(&mut w, 20_000);
    w.set_prices(&[(BTC, 140_000.0)]);
    let_slow_prices_catch_up(&mut w);
    trade(&mut w, BTC_PERP, &long, &third, -10_000, 140_000.0);
    let group = [&long, &short, &third];
    settle_all(&mut w, &group);
    // The loser is empty, the gain is owed by nobody else.
    let gain = w.margin_account(&long.account.margin_account).positions()[0].quote;
    assert!(gain > 29_000 * USD as i64, "unpaid: {gain}");
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&long.account.margin_account, &[BTC_PERP])
    });
    for user in group {
        withdraw_all_that_goes(&mut w, user, &usd);
    }
    assert!(outside(&w, &group) <= 41_000 * USD);
    depositor_is_whole(&mut w, &depositor);
}

/// An account on its way down sells to a friend under the mark: not at all under maintenance, and above it never so far that its honest
/// counterparty goes unpaid.
#[test]
fn attack_closing_off_the_mark_against_ones_own_second_wallet() {
    let mut w = world();
    let (doomed, friend) = (trader(&mut w, 12_000), trader(&mut w, 50_000));
    let honest = trader(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &doomed, &honest, 10_000, 100_000.0);
    w.set_prices(&[(BTC, 94_000.0)]);
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &doomed, &friend, -10_000, 92_120.0)
    });
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &friend, &doomed, 10_000, 92_120.0)
    });
    // Under IM (9,600) but over MM (6,864): 12,000 − 52 − 4,000 = 7,948.
    w.set_prices(&[(BTC, 96_000.0)]);
    refuses(&mut w, BallastError::PriceOutsideBand, |w| {
        w.trade(BTC_PERP, &doomed, &friend, -100, 94_079.9)
    });
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &doomed, &friend, 100, 97_920.0)
    });
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &doomed, &friend, -20_001, 94_080.0)
    });
    for _ in 0..20 {
        let outcome = w.trade(BTC_PERP, &doomed, &friend, -1_000, 94_080.0);
        went_through(&w, outcome);
        let outcome = w.trade(BTC_PERP, &doomed, &friend, 1_000, 97_920.0);
        went_through(&w, outcome);
    }
    assert!(w.summary(&doomed.account.margin_account).equity_maintenance >= 0);
    let_slow_prices_catch_up(&mut w);
    settle_all(&mut w, &[&doomed, &honest]);
    paid_in_full(&w, &honest, BTC_PERP, 1_000);
}

/// The honest account's position in the instrument has been paid to the last cent or so: at the slow mark nothing is left in it.
#[track_caller]
fn paid_in_full(w: &World, honest: &User, instrument: usize, cents: i64) {
    let board = w.board();
    let account = w.margin_account(&honest.account.margin_account);
    let position = account.position(instrument as u16).expect("a position");
    let listed = &board.instruments[instrument];
    let slow = board.slow_mark(listed, w.vm.now()).expect("a mark");
    let value = i128::from(position.lots) * i128::from(listed.lot_size) * i128::from(slow.0) / 1_000_000_000_000;
    let left = value + i128::from(position.quote);
    assert!(
        left <= i128::from(cents) * 10_000,
        "{left} is still owed to an honest account"
    );
}

/// Deposit, borrow and take the collateral back, all in one transaction.
#[test]
fn attack_deposit_borrow_and_withdraw_in_one_transaction() {
    let mut w = world();
    let attacker = trader(&mut w, 0);
    let depositor = trader(&mut w, 1_000_000);
    let (exchange, usd, btc) = (w.exchange, w.usd, w.btc);
    w.give(&attacker, &btc, BTC_UNIT);
    let deposit = instruction::deposit(&exchange, &attacker.account, &btc.mint, &attacker.btc, BTC_UNIT);
    let borrow = |amount| instruction::withdraw(&exchange, &attacker.account, &usd.mint, &attacker.usd, amount, &[]);
    let take = |units| instruction::withdraw(&exchange, &attacker.account, &btc.mint, &attacker.btc, units, &[]);
    // Credit 85,000 less what a fall of 38 % takes beyond the haircut of 10 %, at a quarter: 7,000.
    let most = 78_000 * USD;
    let tries = [
        vec![deposit.clone(), borrow(most + 1)],
        vec![deposit.clone(), borrow(most), take(1)],
        vec![deposit.clone(), borrow(1), take(BTC_UNIT)],
        vec![deposit.clone(), borrow(most), borrow(1)],
    ];
    for all in tries {
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.vm.send(&all, &[&attacker.key])
        });
    }
    // In and out again leaves everything where it was.
    let before = wealth(&w, &[&attacker]);
    let outcome = w.vm.send(&[deposit, take(BTC_UNIT)], &[&attacker.key]);
    ok(&w, outcome);
    assert_eq!(wealth(&w, &[&attacker]), before);
    depositor_is_whole(&mut w, &depositor);
}

/// Trades at the edge of the band move wealth between one's own wallets; they move no mark and make nothing.
#[test]
fn attack_pumping_a_gain_by_trades_at_the_band() {
    let mut w = world();
    let usd = w.usd;
    let (a, b, depositor) = (
        trader(&mut w, 30_000),
        trader(&mut w, 30_000),
        trader(&mut w, 1_000_000),
    );
    let group = [&a, &b];
    let mark = w.board().assets[usize::from(BTC)].price;
    let mut last = wealth(&w, &group);
    for n in 0..24 {
        // Up at the upper edge, down at the lower one, until one of them can't any more.
        let (lots, price) = if n % 2 == 0 {
            (5_000, 102_000.0)
        } else {
            (-5_000, 98_000.0)
        };
        let outcome = w.trade(BTC_PERP, &a, &b, lots, price);
        if went_through(&w, outcome) {
            let now = wealth(&w, &group);
            assert!(now < last, "fees are the only change");
            last = now;
        }
    }
    assert_eq!(w.board().assets[usize::from(BTC)].price, mark);
    settle_all(&mut w, &group);
    for user in group {
        withdraw_all_that_goes(&mut w, user, &usd);
    }
    assert!(outside(&w, &group) < 60_000 * USD);
    depositor_is_whole(&mut w, &depositor);
}

#[test]
fn attack_pulling_the_hedge_out_under_initial_margin() {
    let mut w = world();
    let d = covered_short(&mut w);
    // 150 under IM, far above MM: credit rises by 850 where the short loses 1,000.
    w.set_prices(&[(BTC, 101_000.0)]);
    refuses(&mut w, BallastError::WorsensMargin, |w| {
        w.trade(BTC_FUTURE, &d.victim, &d.maker, 10_000, 101_000.0)
    });
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_FUTURE, &d.victim, &d.maker, 20_001, 101_000.0)
    });
    // What is short beyond the credit may go.
    trade(&mut w, BTC_FUTURE, &d.victim, &d.maker, 1_000, 101_000.0);
}

/// Collateral that covers a short can't be taken away from it after the credit was given.
#[test]
fn attack_withdrawing_the_covered_shorts_collateral() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    // All of it, or so much that 85 % of the rest are under the short's 10,000.
    for units in [BTC_UNIT, BTC_UNIT / 100 * 90] {
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.withdraw(&user, &btc, units)
        });
    }
}

/// A paper gain against one's own wallet stands beside a loss that is owed to somebody honest, on another asset or on another instrument
/// of the same one. Whatever is taken out before prices can settle, the honest side is paid.
#[test]
fn attack_a_paper_gain_covering_an_owed_loss() {
    for (owed_on, asset, lots) in [(ETH_PERP, ETH, -30_000), (BTC_FUTURE, BTC, -9_000)] {
        let mut w = world();
        let usd = w.usd;
        let (attacker, second, honest) = (trader(&mut w, 60_000), trader(&mut w, 11_000), trader(&mut w, 200_000));
        trade(&mut w, BTC_PERP, &attacker, &second, 10_000, 100_000.0);
        let price = if asset == ETH { 3_000.0 } else { 100_000.0 };
        trade(&mut w, owed_on, &attacker, &honest, lots, price);
        // Both rise by 30 %: the gain is 30,000 on paper, 27,000 are owed.
        w.set_prices(&[(BTC, 130_000.0), (ETH, 3_900.0)]);
        withdraw_all_that_goes(&mut w, &attacker, &usd);
        let_slow_prices_catch_up(&mut w);
        settle_all(&mut w, &[&attacker, &honest]);
        paid_in_full(&w, &honest, owed_on, 1_000);
    }
}

#[test]
fn attack_borrowing_past_the_caps() {
    let mut w = world();
    let (borrower, depositor) = (trader(&mut w, 0), trader(&mut w, 100_000));
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &borrower, &btc, 2 * BTC_UNIT);
    // 156,000 could be owed; 80 % of what others have supplied are 80,000.
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&borrower, &usd, 80_000 * USD + 1)
    });
    let outcome = w.withdraw(&borrower, &usd, 80_000 * USD);
    ok(&w, outcome);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&borrower, &usd, 1)
    });
    // Neither a second account nor money moved in a circle makes more of it: what is put in may come out again.
    let outcome = w.open(&borrower, 1);
    ok(&w, outcome);
    let second = AccountKeys::new(&w.exchange, &borrower.account.signer, 1);
    w.give(&borrower, &btc, BTC_UNIT);
    let (exchange, key) = (w.exchange, &borrower.key);
    let fill = instruction::deposit(&exchange, &second, &btc.mint, &borrower.btc, BTC_UNIT);
    let outcome = w.vm.send(&[fill], &[key]);
    ok(&w, outcome);
    let borrow = |amount| instruction::withdraw(&exchange, &second, &usd.mint, &borrower.usd, amount, &[]);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.vm.send(&[borrow(1)], &[key])
    });
    let circle = instruction::deposit(&exchange, &second, &usd.mint, &borrower.usd, 10_000 * USD);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.vm.send(&[circle, borrow(10_000 * USD + 1)], &[key])
    });
    // What is lent out can't leave twice.
    let outcome = w.withdraw(&depositor, &usd, 20_000 * USD);
    ok(&w, outcome);
    refuses(&mut w, BallastError::QuotePoolIlliquid, |w| {
        w.withdraw(&depositor, &usd, 1)
    });
}

#[test]
fn attack_borrowing_past_an_accounts_own_cap() {
    let mut w = world();
    let (borrower, _) = pair(&mut w, 0);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &borrower, &btc, 20 * BTC_UNIT);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&borrower, &usd, 1_000_000 * USD + 1)
    });
    let outcome = w.withdraw(&borrower, &usd, 1_000_000 * USD);
    ok(&w, outcome);
}

/// A long whose paper gain nobody backs moves its own cash out, falls under maintenance on paper and is liquidated by a friend: the fund
/// pays for nothing that it does not get.
#[test]
fn attack_draining_the_fund_by_two_sided_self_liquidation() {
    let mut w = world();
    let usd = w.usd;
    let (long, short, depositor) = two_sides(&mut w, 15_000, 11_000);
    let (friend, keeper) = (trader(&mut w, 30_000), trader(&mut w, 100_000));
    let outcome = w.fund_insurance(&depositor, 10_000 * USD);
    ok(&w, outcome);
    w.set_prices(&[(BTC, 140_000.0)]);
    let_slow_prices_catch_up(&mut w);
    let group = [&long, &short, &friend, &keeper];
    settle_all(&mut w, &group);
    // 4 % of 48,000 a round leave the long's cash for the friend's, who takes them out.
    for _ in 0..20 {
        let outcome = w.trade(ETH_PERP, &long, &friend, 16_000, 3_060.0);
        went_through(&w, outcome);
        let outcome = w.trade(ETH_PERP, &long, &friend, -16_000, 2_940.0);
        went_through(&w, outcome);
        settle_all(&mut w, &[&long, &friend]);
    }
    withdraw_all_that_goes(&mut w, &friend, &usd);
    let mut price = 140_000.0;
    while !w.summary(&long.account.margin_account).liquidatable {
        price -= 1_000.0;
        w.set_prices(&[(BTC, price)]);
    }
    let equity = w.summary(&long.account.margin_account).equity_maintenance;
    assert!(equity > 0, "the paper still counts: {equity}");
    flag(&mut w, &long);
    wait(&mut w, 60);
    let fund = w.insurance_fund().balance;
    for _ in 0..6 {
        let outcome = w.liquidate(BTC_PERP, &long.account, &keeper, 500);
        went_through(&w, outcome);
        assert!(w.insurance_fund().balance >= fund, "no step lowers the fund");
    }
    let_slow_prices_catch_up(&mut w);
    settle_all(&mut w, &group);
    for user in group {
        withdraw_all_that_goes(&mut w, user, &usd);
    }
    assert!(outside(&w, &group) <= 156_000 * USD, "{}", outside(&w, &group));
    assert!(w.insurance_fund().balance >= fund);
    depositor_is_whole(&mut w, &depositor);
}

/// When the quote asset is dear, less of it is borrowed against the same collateral, and less of a loss settles.
#[test]
fn attack_a_debt_in_a_dear_quote_asset() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    w.set_prices(&[(ballast::state::QUOTE_ASSET, 1.25)]);
    // 78,000 dollars, 62,400 units.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 62_400 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 62_400 * USD);
    ok(&w, outcome);
    let outcome = w.deposit(&user, &usd, 62_400 * USD);
    ok(&w, outcome);
    trade(&mut w, ETH_PERP, &user, &maker, 36_000, 3_000.0);
    w.set_prices(&[(ETH, 600.0)]);
    let_slow_prices_catch_up(&mut w);
    settle_all(&mut w, &[&user]);
    // Of a loss of 86,400 units as many as 85,000 dollars of credit buy: 68,000.
    assert_eq!(
        w.margin_account(&user.account.margin_account).cash,
        -68_000 * USD as i64
    );
}

/// Settlement, fees, the locked reserve and a liquidation's cost lower cash, but never under what the collateral backs.
#[test]
fn attack_cash_below_credit() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let keeper = trader(&mut w, 1_000_000);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    let account = user.account.margin_account;
    trade(&mut w, ETH_PERP, &user, &maker, 36_000, 3_000.0);
    assert_eq!(
        w.margin_account(&account).cash,
        -2 * USD as i64,
        "the reserve alone; fees are charged to the position"
    );
    trade(&mut w, SOL_PERP, &user, &maker, 20_000, 150.0);
    w.set_prices(&[(ETH, 600.0), (SOL, 250.0)]);
    let_slow_prices_catch_up(&mut w);
    settle_all(&mut w, &[&user, &maker]);
    let floor = -85_000 * USD as i64;
    assert!(w.margin_account(&account).cash >= floor);
    let outcome = w.settle(&account, &[ETH_PERP]);
    went_through(&w, outcome);
    let mut price = 250.0;
    while !w.summary(&account).liquidatable {
        price -= 2.0;
        w.set_prices(&[(SOL, price)]);
    }
    flag(&mut w, &user);
    wait(&mut w, 30);
    let fund = w.insurance_fund().balance;
    let outcome = w.liquidate(SOL_PERP, &user.account, &keeper, 2_000);
    ok(&w, outcome);
    assert!(w.margin_account(&account).cash >= floor);
    assert!(w.insurance_fund().balance >= fund);
}
