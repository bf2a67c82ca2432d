//! Attacks by way of orders that show more than their account carries, and by way of sweeping.
use ballast::error::BallastError;
use ballast::events::{OrderPlaced, OrdersRemoved, RemovalReason};
use ballast::instructions::OrderArgs;
use ballast::state::{OwnerRecord, RiskBoard, QUOTE_ASSET};
use ballast_book::Side;
use ballast_sim::world::{at_once, limit, post_only, User, World, BTC};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

use crate::support::flag;

fn place(w: &mut World, user: &User, args: OrderArgs) -> OrderPlaced {
    let outcome = w.place(BTC_PERP, user, args);
    let receipt = ok(w, outcome);
    sound(w);
    event(&receipt)
}

fn sweep(w: &mut World, users: &[&User], cranker: &User) -> OrdersRemoved {
    let keys: Vec<_> = users.iter().map(|user| user.account.margin_account).collect();
    let outcome = w.cancel_stale(BTC_PERP, &keys, Some(cranker));
    let receipt = ok(w, outcome);
    sound(w);
    event(&receipt)
}

fn nothing_to_sweep(w: &mut World, user: &User, cranker: &User) {
    refuses(w, BallastError::NothingToCancel, |w| {
        w.cancel_stale(BTC_PERP, &[user.account.margin_account], Some(cranker))
    });
}

fn sound(w: &World) {
    if let Some(watch) = &w.watch {
        watch.verdict().expect("every invariant");
    }
}

fn reduce_only(args: OrderArgs) -> OrderArgs {
    OrderArgs {
        reduce_only: true,
        ..args
    }
}

fn orders(w: &World, user: &User) -> usize {
    w.margin_account(&user.account.margin_account).order_count()
}

/// The owner's cap holds for what is taken from the book as for what rests in it; under it a reduction always goes.
#[test]
fn attack_passing_an_owners_cap_as_a_taker() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 1_000_000);
    let board = w.exchange.board;
    place(&mut w, &maker, limit(-1_000, 100_000.0));
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].owner_open_interest_cap = 300 * DOLLAR); // 30 lots
    for args in [at_once(40, 100_000.0), limit(40, 100_000.0)] {
        refuses(&mut w, BallastError::OwnerOpenInterestCapExceeded, |w| {
            w.place(BTC_PERP, &user, args)
        });
    }
    place(&mut w, &user, at_once(30, 100_000.0));
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    assert_eq!(record.open_interest[usize::from(BTC)], 30 * 100_000);
    let buyer = trader(&mut w, 10_000);
    place(&mut w, &buyer, limit(20, 99_990.0));
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].owner_open_interest_cap = 100 * DOLLAR);
    place(&mut w, &user, at_once(-10, 99_990.0));
}

/// A dead price of the collateral still carries the order by its last word, and makes the account liquidatable: the order does not keep the
/// liquidators away.
#[test]
fn attack_shielding_with_an_order_that_a_dead_price_carries() {
    let mut w = watched();
    let (keeper, maker) = pair(&mut w, 1_000_000);
    let victim = trader(&mut w, 0);
    let sol = w.sol;
    deposit(&mut w, &victim, &sol, 1_000 * SOL_UNIT);
    trade(&mut w, BTC_PERP, &victim, &maker, 10_000, 100_000.0);
    place(&mut w, &victim, limit(10, 99_000.0));
    w.vm.advance(DAY);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 99_900.0)]);
    w.update_due_funding([BTC_PERP]);
    let summary = w.summary(&victim.account.margin_account);
    assert!(summary.liquidatable && summary.equity_initial > summary.initial_margin);
    let told = sweep(&mut w, &[&victim], &keeper);
    assert_eq!(told.removed[0].reason, RemovalReason::NotCarried);
    flag(&mut w, &victim);
    w.vm.advance(30);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 99_900.0)]);
    let outcome = w.liquidate(BTC_PERP, &victim.account, &keeper, 1_000);
    ok(&w, outcome);
}

/// Under its initial margin and over its maintenance margin an account rests an exit, and nobody is paid for taking it away.
#[test]
fn attack_sweeping_exits_for_bounties() {
    let (mut w, user, _) = long_btc();
    let cranker = trader(&mut w, 1_000);
    let time = w.vm.now() + 10;
    btc_at(&mut w, time, 98_500.0); // 8,500 against 9,850 of initial and 7,043 of maintenance margin
    place(&mut w, &user, reduce_only(limit(-10, 99_000.0)));
    nothing_to_sweep(&mut w, &user, &cranker);
    assert_eq!(orders(&w, &user), 1);
}

/// The dollars locked for whoever liquidates do not leave by way of a second wallet that sweeps: half of them stays with an open position.
#[test]
fn attack_draining_the_reserve_by_a_second_wallet() {
    let mut w = watched();
    w.watch = None; // 96 orders
    let (user, other) = pair(&mut w, 20_000);
    let friend = trader(&mut w, 100);
    trade(&mut w, BTC_PERP, &user, &other, 10_000, 100_000.0);
    let mut paid = 0;
    for _ in 0..3 {
        let expires_at = w.vm.now() + 2;
        for _ in 0..32 {
            let args = OrderArgs {
                expires_at,
                ..limit(10, 99_000.0)
            };
            place(&mut w, &user, args);
        }
        w.vm.advance(2);
        paid += sweep(&mut w, &[&user], &friend).bounty;
    }
    let reserve = w.margin_account(&user.account.margin_account).reserve;
    assert_eq!((paid, reserve), (1_000_000, 1_000_000));
}

/// A position of the smallest size rests one order of the smallest size, not 32 of them.
#[test]
fn attack_showing_a_small_position_many_times() {
    let mut w = watched();
    let (a, b) = (trader(&mut w, 200), trader(&mut w, 200));
    let (taker, maker) = pair(&mut w, 1_000_000);
    trade(&mut w, BTC_PERP, &a, &b, 10, 100_000.0);
    place(&mut w, &maker, limit(-1_000, 100_001.0));
    place(&mut w, &a, reduce_only(limit(-10, 100_000.0)));
    for args in [limit(-10, 100_000.0), limit(-20, 101_000.0), post_only(-10, 100_000.0)] {
        refuses(&mut w, BallastError::NothingToReduce, |w| {
            w.place(BTC_PERP, &a, reduce_only(args))
        });
    }
    let event = place(&mut w, &taker, at_once(1_000, 100_001.0));
    let filled: i64 = event.fills.iter().map(|fill| fill.lots).sum();
    assert_eq!(filled, 1_000);
}

/// Orders outlive the position that they reduce: anyone sweeps those for which nothing is left.
#[test]
fn attack_leaving_orders_behind_a_position() {
    let mut w = watched();
    let (a, b) = (trader(&mut w, 1_000), trader(&mut w, 1_000));
    let cranker = trader(&mut w, 100);
    trade(&mut w, BTC_PERP, &a, &b, 200, 100_000.0);
    for _ in 0..8 {
        place(&mut w, &a, reduce_only(limit(-20, 101_000.0)));
    }
    nothing_to_sweep(&mut w, &a, &cranker);
    trade(&mut w, BTC_PERP, &a, &b, -170, 100_000.0); // 30 are left: the first order and half of the second
    let told = sweep(&mut w, &[&a], &cranker);
    assert_eq!(
        (told.removed.len(), told.removed[0].reason),
        (6, RemovalReason::NotCarried)
    );
    assert_eq!(orders(&w, &a), 2);
    trade(&mut w, BTC_PERP, &a, &b, -30, 100_000.0);
    sweep(&mut w, &[&a], &cranker);
    assert_eq!(orders(&w, &a), 0);
}

/// As many stale orders as two accounts can have: each call removes 32 of them.
#[test]
fn attack_sweeping_more_than_fits_in_memory() {
    let mut w = watched();
    w.watch = None; // 64 orders
    let (a, b) = pair(&mut w, 100_000);
    let cranker = trader(&mut w, 100);
    let expires_at = w.vm.now() + 10;
    for user in [&a, &b] {
        for _ in 0..32 {
            let args = OrderArgs {
                expires_at,
                ..limit(10, 99_000.0)
            };
            place(&mut w, user, args);
        }
    }
    w.vm.advance(10);
    for left in [32, 0] {
        let told = sweep(&mut w, &[&a, &b], &cranker);
        assert_eq!((told.removed.len(), told.bounty), (32, 640_000));
        assert_eq!(orders(&w, &a) + orders(&w, &b), left);
    }
}

/// The mark falls 5 % and leaves a bid behind at the old price, with which nobody may trade: it keeps no post-only order out, and anyone
/// sweeps it. A bid that is only far away stays.
#[test]
fn attack_blocking_the_book_from_outside_the_band() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 100_000);
    for sweeps in [false, true] {
        w.set_prices(&[(BTC, 100_000.0)]);
        place(&mut w, &user, limit(10, 99_900.0));
        nothing_to_sweep(&mut w, &user, &maker);
        w.set_prices(&[(BTC, 95_000.0)]);
        let removed = match sweeps {
            true => sweep(&mut w, &[&user], &maker).removed,
            false => place(&mut w, &maker, post_only(-100, 95_100.0)).removed,
        };
        let reasons: Vec<_> = removed.iter().map(|r| r.reason).collect();
        assert_eq!(reasons, [RemovalReason::OutsideBand]);
        assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), usize::from(!sweeps));
        let _ = w.cancel_all(&maker, &[BTC_PERP]);
    }
    w.set_prices(&[(BTC, 95_000.0)]);
    place(&mut w, &user, limit(10, 94_000.0));
    w.set_prices(&[(BTC, 100_000.0)]);
    nothing_to_sweep(&mut w, &user, &maker);
}
