//! Why lots of an order are dropped: every reason by itself, and the byte that stands for it on the wire.
use anchor_lang::Discriminator;
use ballast::events::{DropReason, OrderPlaced};
use ballast::instructions::{OrderArgs, SelfTradeRule};
use ballast_book::Side;
use ballast_sim::world::{at_once, limit, post_only, Outcome, User, World};
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

/// Checks what was traded, what rests, what was dropped and why, and that the event ends with the reason's byte.
#[track_caller]
fn drops(w: &World, outcome: Outcome, [traded, rests, dropped]: [i64; 3], reason: DropReason, byte: u8) {
    let receipt = ok(w, outcome);
    w.watch.as_ref().expect("a watch").verdict().expect("every invariant");
    let told: OrderPlaced = event(&receipt);
    let filled: i64 = told.fills.iter().map(|fill| fill.lots.abs()).sum();
    assert_eq!((filled, told.resting, told.dropped), (traded, rests, dropped));
    assert_eq!(told.drop_reason, reason);
    let mut events = receipt.events.iter();
    let bytes = events.find(|bytes| bytes.starts_with(OrderPlaced::DISCRIMINATOR));
    assert_eq!(bytes.and_then(|bytes| bytes.last()), Some(&byte));
}

/// Two makers with an ask of 20 lots each, at 100,000 and at 100,010, and a taker.
fn two_asks() -> (World, User, [User; 2]) {
    let mut w = watched();
    let taker = trader(&mut w, 100_000);
    let makers = [100_000.0, 100_010.0].map(|price| {
        let maker = trader(&mut w, 100_000);
        let outcome = w.place(BTC_PERP, &maker, limit(-20, price));
        ok(&w, outcome);
        maker
    });
    (w, taker, makers)
}

#[test]
fn nothing_is_dropped_of_what_rests_or_trades() {
    let (mut w, taker, _) = two_asks();
    let outcome = w.place(BTC_PERP, &taker, limit(10, 99_000.0));
    drops(&w, outcome, [0, 10, 0], DropReason::Nothing, 0);
    let outcome = w.place(BTC_PERP, &taker, limit(35, 100_000.0));
    drops(&w, outcome, [20, 15, 0], DropReason::Nothing, 0);
    let outcome = w.place(BTC_PERP, &taker, at_once(20, 100_010.0));
    drops(&w, outcome, [20, 0, 0], DropReason::Nothing, 0);
}

/// Whatever the kind of the order: more of it trades when it is sent again with the account.
#[test]
fn a_makers_account_is_missing() {
    let (mut w, taker, [first, _]) = two_asks();
    for args in [limit(30, 100_010.0), at_once(30, 100_010.0)] {
        let outcome = w.place_with(BTC_PERP, &taker, args, &[]);
        drops(&w, outcome, [0, 0, 30], DropReason::MakerMissing, 1);
    }
    let keys = [first.account.margin_account];
    let outcome = w.place_with(BTC_PERP, &taker, at_once(30, 100_010.0), &keys);
    drops(&w, outcome, [20, 0, 10], DropReason::MakerMissing, 1);
}

#[test]
fn as_many_orders_are_met_as_may_be() {
    let (mut w, taker, _) = two_asks();
    for (lots, traded) in [(30, 20), (20, 20)] {
        let args = OrderArgs {
            max_matches: 1,
            ..limit(lots, 100_010.0)
        };
        let left = lots - traded;
        let (reason, byte) = match left {
            0 => (DropReason::Nothing, 0),
            _ => (DropReason::MatchLimit, 2),
        };
        let outcome = w.place(BTC_PERP, &taker, args);
        drops(&w, outcome, [traded, 0, left], reason, byte);
    }
}

/// Lots that a self-trade takes off both orders are not dropped; what is left behind them is.
#[test]
fn the_next_order_is_ones_own() {
    let (mut w, _, [first, _]) = two_asks();
    let own = |self_trade, args| OrderArgs { self_trade, ..args };
    let outcome = w.place(BTC_PERP, &first, own(SelfTradeRule::CancelTaker, limit(30, 100_010.0)));
    drops(&w, outcome, [0, 0, 30], DropReason::SelfTrade, 3);
    let outcome = w.place(BTC_PERP, &first, own(SelfTradeRule::Decrement, at_once(30, 100_000.0)));
    drops(&w, outcome, [0, 0, 10], DropReason::NotResting, 5);
    let outcome = w.place(
        BTC_PERP,
        &first,
        own(SelfTradeRule::CancelMaker, at_once(30, 100_010.0)),
    );
    drops(&w, outcome, [20, 0, 10], DropReason::NotResting, 5);
}

/// Nine lots are under the smallest order of ten.
#[test]
fn what_is_left_is_too_small_to_rest() {
    let (mut w, taker, _) = two_asks();
    let outcome = w.place(BTC_PERP, &taker, limit(29, 100_000.0));
    drops(&w, outcome, [20, 0, 9], DropReason::TooSmall, 4);
    let outcome = w.place(BTC_PERP, &taker, limit(30, 100_010.0));
    drops(&w, outcome, [20, 10, 0], DropReason::Nothing, 0);
}

#[test]
fn an_order_that_does_not_rest_finds_no_more() {
    let (mut w, taker, _) = two_asks();
    let outcome = w.place(BTC_PERP, &taker, at_once(29, 100_000.0));
    drops(&w, outcome, [20, 0, 9], DropReason::NotResting, 5);
    let outcome = w.place(BTC_PERP, &taker, at_once(10, 99_000.0));
    drops(&w, outcome, [0, 0, 10], DropReason::NotResting, 5);
}

/// The maker is there and would have to add to its position: sending the order again with more accounts changes nothing.
#[test]
fn the_next_order_would_add_while_prices_are_stale() {
    let mut w = watched();
    let (user, other) = pair(&mut w, 100_000);
    let maker = trader(&mut w, 100_000);
    trade(&mut w, BTC_PERP, &user, &other, 100, 100_000.0);
    let outcome = w.place(BTC_PERP, &maker, limit(50, 99_990.0));
    ok(&w, outcome);
    w.vm.advance(61);
    let exit = OrderArgs {
        reduce_only: true,
        ..at_once(-50, 99_990.0)
    };
    let outcome = w.place(BTC_PERP, &user, exit);
    drops(&w, outcome, [0, 0, 50], DropReason::Stale, 6);
    let outcome = w.place_with(BTC_PERP, &user, exit, &[]);
    drops(&w, outcome, [0, 0, 50], DropReason::MakerMissing, 1);
}

/// An expired order trades with nobody, but it leaves the book with its owner's account only, which counts it: without it the order stops
/// even what would only remove it. With the account, or once anybody has swept it, it is in nobody's way.
#[test]
fn an_expired_order_is_in_the_way_until_its_owners_account_comes() {
    for sweeps in [false, true] {
        let (mut w, taker, [_, second]) = two_asks();
        let stale = trader(&mut w, 100_000);
        let expiring = OrderArgs {
            expires_at: w.vm.now() + 10,
            ..limit(-20, 99_990.0)
        };
        let outcome = w.place(BTC_PERP, &stale, expiring);
        ok(&w, outcome);
        w.vm.advance(10);
        let all_but_it = w.makers(BTC_PERP, &stale.account.margin_account, &limit(1, 100_010.0));
        for args in [post_only(10, 99_990.0), limit(40, 100_010.0), at_once(40, 100_010.0)] {
            let outcome = w.place_with(BTC_PERP, &taker, args, &all_but_it);
            drops(&w, outcome, [0, 0, args.lots as i64], DropReason::MakerMissing, 1);
        }
        assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), 3);
        if sweeps {
            let outcome = w.cancel_stale(BTC_PERP, &[stale.account.margin_account], Some(&second));
            ok(&w, outcome);
            let outcome = w.place_with(BTC_PERP, &taker, at_once(40, 100_010.0), &all_but_it);
            drops(&w, outcome, [40, 0, 0], DropReason::Nothing, 0);
        } else {
            // The client names its owner like any other maker.
            let outcome = w.place(BTC_PERP, &taker, post_only(10, 99_990.0));
            drops(&w, outcome, [0, 10, 0], DropReason::Nothing, 0);
        }
        assert_eq!(w.margin_account(&stale.account.margin_account).order_count(), 0);
    }
}
