//! Attacks by way of the order book.
use ballast::error::BallastError;
use ballast::events::OrderPlaced;
use ballast::instructions::{OrderArgs, SelfTradeRule};
use ballast::state::{OrderId, OwnerRecord, RiskBoard};
use ballast_book::Side;
use ballast_client::instruction::AccountKeys;
use ballast_sim::world::{at_once, limit, post_only, User, World, BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};
use solana_signer::Signer;

use crate::support::wealth;

/// Quote units as wealth counts them, 10⁻¹⁸ USD.
const UNIT: i128 = 1_000_000_000_000;

fn place(w: &mut World, user: &User, args: OrderArgs) -> OrderPlaced {
    let outcome = w.place(BTC_PERP, user, args);
    let receipt = ok(w, outcome);
    sound(w);
    event(&receipt)
}

fn sound(w: &World) {
    w.watch.as_ref().expect("a watch").verdict().expect("every invariant");
}

fn reduce_only(args: OrderArgs) -> OrderArgs {
    OrderArgs {
        reduce_only: true,
        ..args
    }
}

fn lots(w: &World, user: &User) -> i64 {
    let account = w.margin_account(&user.account.margin_account);
    account.position(BTC_PERP as u16).map_or(0, |p| p.lots)
}

/// The same wallet with its account number 1.
fn second_account(w: &mut World, user: &User) -> User {
    let outcome = w.open(user, 1);
    ok(w, outcome);
    User {
        key: user.key.insecure_clone(),
        account: AccountKeys::new(&w.exchange, &user.key.pubkey(), 1),
        ..*user
    }
}

/// A wallet that quotes both sides and takes its own quotes with its other account moves no lot, whatever rule it asks for.
#[test]
fn attack_trading_with_oneself() {
    let mut w = watched();
    let user = trader(&mut w, 100_000);
    let other = second_account(&mut w, &user);
    let usd = w.usd;
    deposit(&mut w, &other, &usd, 100_000 * USD);
    for rule in [
        SelfTradeRule::CancelTaker,
        SelfTradeRule::CancelMaker,
        SelfTradeRule::Decrement,
    ] {
        place(&mut w, &user, limit(-100, 101_900.0));
        let take = OrderArgs {
            self_trade: rule,
            ..at_once(100, 101_900.0)
        };
        for taker in [&user, &other] {
            let event = place(&mut w, taker, take);
            assert!(event.fills.is_empty());
        }
        let _ = w.cancel_all(&user, &[BTC_PERP]);
    }
    assert_eq!((lots(&w, &user), lots(&w, &other)), (0, 0));
    assert_eq!(w.market(BTC_PERP).fees_due, 0);
}

/// The best ask is left out of the accounts so that a friend's worse one trades: it doesn't, nor does the rest of the bid rest across it.
#[test]
fn attack_passing_over_the_best_price() {
    let mut w = watched();
    let (taker, honest) = pair(&mut w, 100_000);
    let friend = trader(&mut w, 100_000);
    place(&mut w, &honest, limit(-20, 100_000.0));
    place(&mut w, &friend, limit(-20, 101_000.0));
    let keys = [friend.account.margin_account];
    for args in [limit(20, 101_000.0), at_once(20, 101_000.0)] {
        let outcome = w.place_with(BTC_PERP, &taker, args, &keys);
        let told: OrderPlaced = event(&ok(&w, outcome));
        assert_eq!((told.fills.len(), told.resting), (0, 0));
    }
    assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), 2);
    assert_eq!(w.orders(BTC_PERP, Side::Bid).len(), 0);
}

/// A copy of the maker's account under another key, owned by the program, is nobody's: the maker's own account stays missing.
#[test]
fn attack_a_makers_twin() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    place(&mut w, &maker, limit(-20, 100_000.0));
    w.watch = None; // the twin itself would break every sum
    let twin = copy_account(&mut w, &maker.account.margin_account);
    let outcome = w.place_with(BTC_PERP, &taker, at_once(20, 100_000.0), &[twin]);
    let told: OrderPlaced = event(&outcome.expect("an order that meets nobody"));
    assert_eq!(told.fills.len(), 0);
    assert_eq!(w.margin_account(&twin).position_count, 0);
}

/// A hundred fills of the smallest size: every one pays its fees rounded up, and what the rounding leaves is the market's.
#[test]
fn attack_griefing_by_the_smallest_fills() {
    let mut w = watched();
    let (attacker, maker) = pair(&mut w, 100_000);
    let (poorer, richer) = (wealth(&w, &[&attacker]), wealth(&w, &[&maker]));
    refuses(&mut w, BallastError::TradeTooSmall, |w| {
        w.place(BTC_PERP, &attacker, at_once(1, 100_000.0))
    });
    place(&mut w, &maker, limit(-1_000, 100_000.0));
    for _ in 0..99 {
        place(&mut w, &attacker, at_once(10, 100_000.0));
    }
    // 0.5 and 0.2 dollars a thousand, on 9,900 dollars; no prices have moved.
    assert_eq!(poorer - wealth(&w, &[&attacker]), 4_950_000 * UNIT);
    assert_eq!(richer - wealth(&w, &[&maker]), 1_980_000 * UNIT);
    // A lot at a time is for reductions only, and does not rest.
    place(&mut w, &attacker, reduce_only(limit(-1, 100_000.0)));
    let bid = w.orders(BTC_PERP, Side::Bid);
    assert!(bid.is_empty());
    assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), 1);
}

/// A short buys back a lot at a time from orders of the smallest size: each takes one lot of the first, no order loses its place to it.
#[test]
fn attack_clearing_orders_a_lot_at_a_time() {
    let mut w = watched();
    let (griefer, other) = pair(&mut w, 10_000);
    let maker = trader(&mut w, 100_000);
    trade(&mut w, BTC_PERP, &griefer, &other, -30, 100_000.0);
    for _ in 0..4 {
        place(&mut w, &maker, limit(-10, 100_000.0));
    }
    for _ in 0..12 {
        let event = place(&mut w, &griefer, reduce_only(at_once(1, 100_000.0)));
        assert_eq!((event.fills[0].lots, event.removed.len()), (1, 0));
    }
    let left: Vec<_> = (w.orders(BTC_PERP, Side::Ask).iter())
        .map(|o| (o.sequence, o.lots))
        .collect();
    assert_eq!(left, [(2, 8), (3, 10), (4, 10)]);
}

/// 256 bids near the mark by eight accounts of one attacker: a better one always gets in, and theirs are margined while they stand.
#[test]
fn attack_filling_the_book() {
    let mut w = watched();
    w.watch = None; // 256 orders, each with every invariant, would take minutes
    let attackers: Vec<User> = (0..8).map(|_| trader(&mut w, 400)).collect();
    for n in 0..256 {
        let outcome = w.place(BTC_PERP, &attackers[n / 32], limit(10, 99_990.0));
        outcome.expect("room for 256 orders");
    }
    for attacker in &attackers {
        let usd = w.usd;
        let reserve = w.margin_account(&attacker.account.margin_account).order_reserve;
        assert_eq!(reserve, 320 * DOLLAR);
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.withdraw(attacker, &usd, 79 * USD)
        });
    }
    let honest = trader(&mut w, 10_000);
    for n in 0..20 {
        let outcome = w.place(BTC_PERP, &honest, post_only(10, 99_990.1));
        let told: OrderPlaced = event(&ok(&w, outcome));
        assert_eq!((told.resting, told.removed.len()), (10, 1), "order {n}");
    }
    assert_eq!(
        w.orders(BTC_PERP, Side::Bid)[0].owner,
        honest.account.margin_account.to_bytes()
    );
}

/// While prices are stale nobody may be made to take on risk; nor may the orders that would be thrown out by somebody who only reduces.
#[test]
fn attack_flushing_the_book_while_prices_are_stale() {
    let mut w = watched();
    let (attacker, friend) = pair(&mut w, 100_000);
    let makers = [(); 3].map(|()| trader(&mut w, 10_000));
    trade(&mut w, BTC_PERP, &attacker, &friend, 1_000, 100_000.0);
    for maker in &makers {
        place(&mut w, maker, limit(10, 99_990.0));
    }
    w.vm.advance(61);
    for _ in 0..3 {
        let event = place(&mut w, &attacker, reduce_only(at_once(-1_000, 99_990.0)));
        assert!(event.fills.is_empty() && event.removed.is_empty());
    }
    assert_eq!(w.orders(BTC_PERP, Side::Bid).len(), 3);
}

/// Orders rest while the account falls under its maintenance margin. It can place no new ones, anyone sweeps the old ones out, and it is
/// liquidated.
#[test]
fn attack_shielding_from_liquidation_with_orders() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 10_700);
    let keeper = trader(&mut w, 1_000_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    for n in 0..16 {
        place(&mut w, &user, limit(10, 98_500.0 - f64::from(n)));
        place(&mut w, &user, reduce_only(limit(-10, 101_500.0 + f64::from(n))));
    }
    w.set_prices(&[(BTC, 96_000.0)]);
    let key = user.account.margin_account;
    let outcome = w.flag(&key);
    ok(&w, outcome);
    w.vm.advance(1);
    refuses(&mut w, BallastError::OpenOrders, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 100)
    });
    let outcome = w.cancel_stale(BTC_PERP, &[key], Some(&keeper));
    ok(&w, outcome);
    assert_eq!(w.margin_account(&key).order_count(), 0);
    for args in [limit(10, 95_000.0), reduce_only(limit(-10, 97_000.0))] {
        refuses(&mut w, BallastError::BelowMaintenance, |w| {
            w.place(BTC_PERP, &user, args)
        });
    }
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
    ok(&w, outcome);
    sound(&w);
}

/// A leveraged account whose price nobody has posted for a minute: what it may be off by is no reason to sweep its orders out. Once it is
/// liquidatable no stale leg keeps them in.
#[test]
fn attack_sweeping_orders_while_prices_are_stale() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 13_000);
    let cranker = trader(&mut w, 100);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0); // 1 ETH: 375 dollars of margin
    place(&mut w, &user, limit(1_000, 99_000.0)); // 1,000 dollars: 11,375 of 12,946
    let key = user.account.margin_account;
    w.vm.advance(61);
    refuses(&mut w, BallastError::NothingToCancel, |w| {
        w.cancel_stale(BTC_PERP, &[key], Some(&cranker))
    });
    w.set_prices(&[(BTC, 93_000.0)]); // 5,946 are left against 6,650 and 267 of maintenance margin; ETH stays stale
    let outcome = w.cancel_stale(BTC_PERP, &[key], Some(&cranker));
    ok(&w, outcome);
    sound(&w);
}

/// Resting orders that may only reduce share the position between them. One that trades at once takes it from under them: they close it
/// once and never turn it around.
#[test]
fn attack_opening_a_position_with_orders_that_may_only_reduce() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 200);
    trade(&mut w, BTC_PERP, &user, &maker, 100, 100_000.0);
    place(&mut w, &user, reduce_only(limit(-60, 100_100.0)));
    let event = place(&mut w, &user, reduce_only(limit(-100, 100_200.0)));
    assert_eq!((event.lots, event.resting), (40, 40));
    refuses(&mut w, BallastError::NothingToReduce, |w| {
        w.place(BTC_PERP, &user, reduce_only(limit(-10, 100_300.0)))
    });
    place(&mut w, &maker, limit(30, 99_990.0));
    let event = place(&mut w, &user, reduce_only(at_once(-30, 99_990.0)));
    assert_eq!(event.fills[0].lots, -30);
    let event = place(&mut w, &maker, at_once(200, 100_200.0));
    let filled: i64 = event.fills.iter().map(|fill| fill.lots).sum();
    assert_eq!((filled, lots(&w, &user)), (70, 0));
    assert_eq!(w.margin_account(&user.account.margin_account).order_count(), 0);
    refuses(&mut w, BallastError::NothingToReduce, |w| {
        w.place(BTC_PERP, &user, reduce_only(limit(-100, 100_100.0)))
    });
}

/// Orders that fill while their owner's record is not at hand stay counted in it: the owner's cap can't be passed by being the maker.
#[test]
fn attack_passing_an_owners_cap_as_a_maker() {
    let mut w = watched();
    let (user, taker) = pair(&mut w, 100_000);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].owner_open_interest_cap = 1_000 * DOLLAR);
    for _ in 0..2 {
        place(&mut w, &user, limit(50, 99_990.0));
        place(&mut w, &taker, at_once(-50, 99_990.0));
    }
    assert_eq!(lots(&w, &user), 100);
    for instrument in [BTC_PERP, BTC_FUTURE] {
        refuses(&mut w, BallastError::OwnerOpenInterestCapExceeded, |w| {
            w.place(instrument, &user, limit(10, 99_990.0))
        });
    }
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    assert_eq!(record.open_interest[usize::from(BTC)], 100 * 100_000);
}

/// Cranking one's own expired orders with a second wallet moves one's own two cents.
#[test]
fn attack_farming_bounties() {
    let mut w = watched();
    let (user, friend) = pair(&mut w, 1_000);
    let before = wealth(&w, &[&user, &friend]);
    for _ in 0..5 {
        let args = OrderArgs {
            expires_at: w.vm.now() + 1,
            ..limit(10, 99_000.0)
        };
        place(&mut w, &user, args);
        w.vm.advance(1);
        let outcome = w.cancel_stale(BTC_PERP, &[user.account.margin_account], Some(&friend));
        ok(&w, outcome);
    }
    sound(&w);
    assert_eq!(wealth(&w, &[&user, &friend]), before);
    assert_eq!(w.insurance_fund().balance, 0);
}

/// The market of one instrument with the sequence number of an order in another: orders are found by the account's own slots.
#[test]
fn attack_cancelling_across_markets() {
    let mut w = watched();
    let (user, victim) = pair(&mut w, 10_000);
    place(&mut w, &victim, limit(10, 99_000.0)); // number 1 of the BTC book
    let outcome = w.place(ETH_PERP, &user, limit(30, 2_990.0)); // number 1 of the ETH book
    ok(&w, outcome);
    refuses(&mut w, BallastError::OrderMissing, |w| {
        w.cancel(BTC_PERP, &user, OrderId::Sequence(1))
    });
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    assert_eq!(record.open_interest[usize::from(ETH)], 30 * 1_000_000);
    assert_eq!(w.orders(BTC_PERP, Side::Bid).len(), 1);
}
