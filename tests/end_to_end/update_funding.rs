//! `update_funding`: what a perpetual's book has shown becomes its mark and its funding; and what funding does to positions.
use ballast::error::BallastError;
use ballast::events::FundingUpdated;
use ballast::instructions::PreviewSection;
use ballast::state::Instrument;
use ballast_client::instruction;
use ballast_sim::keeper::choice::Intent;
use ballast_sim::keeper::Keeper;
use ballast_sim::world::{User, World, BTC, START};
use ballast_tests::refusal::{checks_declared_accounts, refuses};
use ballast_tests::setup::{
    btc_at, btc_trade, edit, fund_at, long_btc, pair, second_exchange, show_mid, trade, trader, BTC_FUTURE, BTC_PERP,
    ETH_PERP, PRICE, USD,
};
use ballast_tests::{ok, world};

use crate::log_events::logged;

const HOUR: i64 = 3_600;
/// One BTC in lots.
const ONE: i64 = 10_000;

fn listed(w: &World, instrument: usize) -> Instrument {
    w.board().instruments[instrument]
}

fn quote(w: &World, user: &User) -> i64 {
    w.margin_account(&user.account.margin_account).positions[0].quote
}

/// Equity at the index, quote units.
fn equity(w: &mut World, user: &User) -> i64 {
    w.summary(&user.account.margin_account).equity_maintenance / 100
}

/// A user long 1 BTC against a maker at the mark of 100,000, a minute after the hour, and a book that has shown 100,080 since.
fn at_a_premium() -> (World, User, User) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, ONE, 100_000.0);
    fund_at(&mut w, BTC_PERP, START + 60);
    show_mid(&mut w, BTC_PERP, 100_080 * PRICE);
    (w, user, maker)
}

/// 80 over for 59 minutes are 78 2/3 over the hour, and an eighth of it is 9.8333…
const RATE: i64 = 9_833_333_333;

#[test]
fn an_hours_premium_is_paid_evenly_over_the_next() {
    let (mut w, user, maker) = at_a_premium();
    let before = [equity(&mut w, &user), equity(&mut w, &maker)];
    fund_at(&mut w, BTC_PERP, START + HOUR);
    // The basis of the mark follows the book: it is taken off here, so that the funding is seen alone.
    let flat = |w: &mut World| {
        let board = w.exchange.board;
        edit::<ballast::state::RiskBoard>(w, &board, |board| board.instruments[BTC_PERP].basis = 0);
    };
    flat(&mut w);
    let instrument = listed(&w, BTC_PERP);
    assert_eq!(
        (
            instrument.funding_index,
            instrument.funding_rate,
            instrument.funding_hour
        ),
        (0, RATE, START / HOUR + 1)
    );
    assert_eq!([equity(&mut w, &user), equity(&mut w, &maker)], before);
    w.vm.advance(HOUR / 2);
    // 4.916666666 a BTC after half an hour; equities are rounded down.
    assert_eq!(equity(&mut w, &user), before[0] - 4_916_667);
    assert_eq!(equity(&mut w, &maker), before[1] + 4_916_666);
    // No more than the hour that is known, however late it is.
    w.vm.advance(HOUR);
    assert_eq!(equity(&mut w, &user), before[0] - 9_833_334);
    fund_at(&mut w, BTC_PERP, START + 2 * HOUR + 1_800);
    flat(&mut w);
    // The second hour stood at 80 all through: 10 an hour, 5 of it after half an hour.
    assert_eq!(listed(&w, BTC_PERP).funding_index, RATE);
    assert_eq!(listed(&w, BTC_PERP).funding_rate, 10 * PRICE);
    assert_eq!(equity(&mut w, &user), before[0] - 14_833_334);
    assert_eq!(equity(&mut w, &maker), before[1] + 14_833_333);
}

#[test]
fn settling_and_trading_credit_what_is_pending_once() {
    let (mut w, user, maker) = at_a_premium();
    fund_at(&mut w, BTC_PERP, START + HOUR);
    fund_at(&mut w, BTC_PERP, START + 2 * HOUR);
    // The quote after the trade: 100,000 and a fee of 0.05 %, and for the maker of 0.02 %.
    let [long, short] = [-100_050_000_000, 99_980_000_000];
    assert_eq!([quote(&w, &user), quote(&w, &maker)], [long, short]);
    let basis = listed(&w, BTC_PERP).basis;
    let outcome = w.settle(&maker.account.margin_account, &[BTC_PERP]);
    ok(&w, outcome);
    // The short's quote is what it owes at the slow mark, 100,000 · (1 + basis); the funding of 9.833333333 went into what settled.
    let value = 100_000 * i128::from(PRICE + basis) / 1_000;
    assert_eq!(i128::from(quote(&w, &maker)), value);
    let checkpoint = w.margin_account(&maker.account.margin_account).positions[0].funding_index;
    assert_eq!(checkpoint, RATE);
    // 9.833333 of it was credited.
    let market = w.market(BTC_PERP);
    assert_eq!((market.residual, market.funding_dust), (0, 333_000_000_000));
    // A sale of one lot credits what the whole position has pending: −9.833334. With the rest above that makes a unit, the residual's.
    trade(&mut w, BTC_PERP, &maker, &user, 1, 100_000.0);
    assert_eq!(quote(&w, &user), long - 9_833_334 + 10_000_000 - 2_000);
    let market = w.market(BTC_PERP);
    assert_eq!((market.residual, market.funding_dust), (1, 0));
    // Again nothing is pending.
    trade(&mut w, BTC_PERP, &maker, &user, 1, 100_000.0);
    assert_eq!(quote(&w, &user), long - 9_833_334 + 2 * (10_000_000 - 2_000));
}

#[test]
fn a_position_pays_from_its_opening_on() {
    let (mut w, _, maker) = at_a_premium();
    fund_at(&mut w, BTC_PERP, START + HOUR + HOUR / 4);
    let late = trader(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &late, &maker, -ONE, 100_000.0);
    let opened = quote(&w, &late);
    fund_at(&mut w, BTC_PERP, START + HOUR + HOUR / 2);
    trade(&mut w, BTC_PERP, &late, &maker, ONE, 100_000.0);
    // A quarter of the hour: 2.458333333 received for the short, rounded down.
    assert_eq!(quote(&w, &late) - opened, 2_458_333 - 100_050_000_000);
}

#[test]
fn a_withdrawal_settles_a_loss_that_is_funding_alone() {
    let (mut w, user, _) = at_a_premium();
    let outcome = w.settle(&user.account.margin_account, &[BTC_PERP]);
    ok(&w, outcome);
    fund_at(&mut w, BTC_PERP, START + HOUR);
    btc_at(&mut w, START + 2 * HOUR, 100_000.0);
    let cash = w.margin_account(&user.account.margin_account).cash;
    let basis = listed(&w, BTC_PERP).basis;
    let board = w.exchange.board;
    edit::<ballast::state::RiskBoard>(&mut w, &board, |board| board.instruments[BTC_PERP].basis = 0);
    assert!(basis > 0);
    let usd = w.usd;
    let outcome = w.withdraw(&user, &usd, 1_000 * USD);
    ok(&w, outcome);
    let left = w.margin_account(&user.account.margin_account);
    assert_eq!(left.cash, cash - 1_000_000_000 - 9_833_334); // rounded against the position
    assert_eq!(left.positions[0].quote, -100_000_000_000);
}

#[test]
fn nobody_trades_while_funding_is_due() {
    let (mut w, user, maker) = at_a_premium();
    btc_at(&mut w, START + HOUR, 100_000.0);
    for lots in [1, -1] {
        let trade = btc_trade(&w, &user, &maker, lots, 100_000 * PRICE);
        refuses(&mut w, BallastError::FundingDue, |w| {
            w.vm.send(&[trade], &[&user.key, &maker.key])
        });
    }
    // The future has none.
    trade(&mut w, BTC_FUTURE, &user, &maker, 100, 100_000.0);
    // Settling, previews and the rest go on.
    w.preview(&user.account.margin_account, PreviewSection::Summary);
    let outcome = w.settle(&user.account.margin_account, &[BTC_PERP]);
    ok(&w, outcome);
    let outcome = w.update_funding(BTC_PERP);
    ok(&w, outcome);
    let trade = btc_trade(&w, &user, &maker, 1, 100_000 * PRICE);
    let outcome = w.vm.send(&[trade], &[&user.key, &maker.key]);
    ok(&w, outcome);
}

#[test]
fn the_mark_follows_the_book() {
    let (mut w, user, _) = at_a_premium();
    assert_eq!(listed(&w, BTC_PERP).basis, 0);
    fund_at(&mut w, BTC_PERP, START + 360);
    // 0.08 % over for 300 s of a time constant of 300 s: 800,000 · (1 − 1/e) = 505,696.4.
    assert_eq!(listed(&w, BTC_PERP).basis, 505_696);
    let mark = w.board().mark(&listed(&w, BTC_PERP), w.vm.now()).unwrap();
    assert_eq!(mark.0, 100_000 * (PRICE + 505_696));
    // 1 BTC of it.
    let section = w.summary(&user.account.margin_account);
    assert_eq!(section.unrealised, 5_056_960_000 - 50 * 100_000_000);
    // Nine seconds later nothing moves it, one more does.
    fund_at(&mut w, BTC_PERP, START + 369);
    assert_eq!(listed(&w, BTC_PERP).basis, 505_696);
    fund_at(&mut w, BTC_PERP, START + 370);
    // (800,000 − 505,696) · (1 − e^(−1/30)) = 294,304 · 0.0327839… = 9,648.4.
    assert_eq!(listed(&w, BTC_PERP).basis, 505_696 + 9_648);
}

#[test]
fn the_mark_is_held_within_half_a_percent_of_the_index() {
    let (mut w, _, _) = at_a_premium();
    for (mid, basis) in [(150_000, 5_000_000), (50_000, -5_000_000)] {
        show_mid(&mut w, BTC_PERP, mid * PRICE);
        for _ in 0..8 {
            let later = w.vm.now() + 600;
            fund_at(&mut w, BTC_PERP, later);
        }
        assert!((listed(&w, BTC_PERP).basis - basis).abs() < 10_000);
        assert!(listed(&w, BTC_PERP).basis.abs() <= 5_000_000);
    }
}

#[test]
fn a_mark_without_a_fresh_price_stays() {
    let (mut w, _, _) = at_a_premium();
    w.vm.advance(1_000);
    let outcome = w.update_funding(BTC_PERP);
    ok(&w, outcome);
    assert_eq!(listed(&w, BTC_PERP).basis, 0);
    // What was shown meanwhile is not made up for.
    let now = w.vm.now();
    fund_at(&mut w, BTC_PERP, now + 10);
    assert!(listed(&w, BTC_PERP).basis <= 800_000 / 30);
}

#[test]
fn a_new_hour_is_told_once() {
    let (mut w, _, _) = at_a_premium();
    w.vm.advance(HOUR);
    let outcome = w.update_funding(BTC_PERP);
    let receipt = ok(&w, outcome);
    let told = FundingUpdated {
        market: w.markets[BTC_PERP],
        instrument: BTC_PERP as u16,
        hour: START / HOUR + 1,
        index: 0,
        rate: RATE,
    };
    assert_eq!(logged::<FundingUpdated>(&receipt), [told]);
    let outcome = w.update_funding(BTC_PERP);
    let receipt = ok(&w, outcome);
    assert_eq!(logged::<FundingUpdated>(&receipt), []);
}

#[test]
fn every_refusal_is_named() {
    let mut w = world();
    refuses(&mut w, BallastError::NotPerpetual, |w| w.update_funding(BTC_FUTURE));
    let second = second_exchange(&mut w);
    let mixed = instruction::update_funding(&second.exchange, &w.markets[BTC_PERP]);
    refuses(&mut w, BallastError::WrongExchange, |w| w.vm.send(&[mixed], &[]));
    let market = w.markets[ETH_PERP];
    edit::<ballast::state::Market>(&mut w, &market, |market| market.generation += 1);
    refuses(&mut w, BallastError::StaleGeneration, |w| w.update_funding(ETH_PERP));
    let update = instruction::update_funding(&w.exchange, &w.markets[BTC_PERP]);
    checks_declared_accounts(&mut w, &update, 2, &[]);
}

#[test]
fn the_price_is_kept_over_time() {
    let mut w = world();
    let history = |w: &World| w.board().assets[usize::from(BTC)].index_history;
    // The first price came at START + 1.
    assert_eq!((history(&w).time, history(&w).sum.get()), (START + 1, 0));
    btc_at(&mut w, START + 11, 99_000.0);
    btc_at(&mut w, START + 31, 98_000.0);
    let sum = i128::from(PRICE) * (10 * 100_000 + 20 * 99_000);
    assert_eq!((history(&w).time, history(&w).sum.get()), (START + 31, sum));
    // At the full hour 3,569 s at 98,000 have been added.
    btc_at(&mut w, START + HOUR + 5, 98_000.0);
    let hours = history(&w).hours;
    let place = (START / HOUR + 1).rem_euclid(24) as usize;
    assert_eq!(hours[place].get(), sum + i128::from(PRICE) * 3_569 * 98_000);
    assert_eq!(history(&w).hour, START / HOUR + 1);
    // The same price again adds nothing, whatever it is called with.
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    assert_eq!(history(&w).time, START + HOUR + 5);
}

#[test]
fn a_keeper_foresees_what_a_step_does_with_funding_pending() {
    let (mut w, user, maker) = long_btc();
    show_mid(&mut w, BTC_PERP, 100_800 * PRICE);
    btc_at(&mut w, START + HOUR, 97_000.0);
    show_mid(&mut w, BTC_PERP, 0);
    // 7,000 of equity against 6,935.50 of maintenance margin, and 99.97 to pay over the hour.
    let key = user.account.margin_account;
    let keeper = Keeper {
        user: trader(&mut w, 1_000_000),
    };
    let mut steps = 0;
    for second in [1_200, 3_400, 3_403, 3_420, 3_440] {
        btc_at(&mut w, START + HOUR + second, 97_000.0);
        let outcome = w.update_funding(BTC_PERP);
        ok(&w, outcome);
        for (account, intent) in keeper.survey(&w, &[key]).expect("a survey") {
            assert!(second > 1_200, "funding alone brings it under: {intent:?}");
            let done = keeper.act(&mut w, &account, &intent).expect("as foreseen");
            steps += usize::from(done.is_some() && matches!(intent, Intent::Step(_)));
            ballast_sim::invariants::conservation(&w).expect("everything adds up");
        }
    }
    assert!(steps > 0);
    let maker = w.summary(&maker.account.margin_account);
    assert!(maker.equity_maintenance > 0);
}
