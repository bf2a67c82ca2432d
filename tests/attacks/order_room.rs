//! Orders of accounts that have no room: for another order, for orders in another market, for another position.
use ballast::error::BallastError;
use ballast::events::{DropReason, OrderPlaced, RemovalReason};
use ballast::instructions::OrderArgs;
use ballast::state::OrderId;
use ballast_book::Side;
use ballast_sim::world::{at_once, limit, BTC, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

use crate::margin::compute::{full_books, Full};

/// A maker fills up while its order rests: with the fortieth position it can't take the forty-first. The order goes, nothing of the account
/// changes besides, and the taker trades with whoever is next.
#[test]
fn attack_orders_of_a_maker_with_forty_positions() {
    let Full {
        mut d,
        options,
        one_more,
        ..
    } = full_books();
    let (maker, other) = (trader(&mut d.w, 5_000_000), trader(&mut d.w, 5_000_000));
    let (honest, taker) = (trader(&mut d.w, 100_000), trader(&mut d.w, 100_000));
    let board = d.w.board();
    let linear = board.instruments.iter().enumerate();
    let linear = linear.filter(|(_, listed)| listed.kind != 0 && !listed.is_option());
    let mut all: Vec<usize> = linear.map(|(at, _)| at).take(16).collect();
    all.extend(&options[..23]);
    for some in all.chunks(8) {
        let book: Vec<_> = some.iter().map(|instrument| (*instrument, 0.1)).collect();
        d.open(&book, &maker, &other);
    }
    let price = d.price(one_more);
    for user in [&maker, &honest] {
        let outcome = d.w.place(one_more, user, limit(-10, price));
        ok(&d.w, outcome);
    }
    d.open(&[(options[23], 0.1)], &maker, &other);
    let key = maker.account.margin_account;
    assert_eq!(d.w.margin_account(&key).position_count, 40);
    let before = d.w.margin_account(&key);
    let outcome = d.w.place(one_more, &taker, at_once(20, price));
    let told: OrderPlaced = event(&ok(&d.w, outcome));
    assert_eq!(
        (told.removed[0].margin_account, told.removed[0].reason),
        (key, RemovalReason::NotCarried)
    );
    let fills: Vec<_> = told.fills.iter().map(|fill| (fill.maker, fill.lots)).collect();
    assert_eq!(fills, [(honest.account.margin_account, 10)]);
    assert_eq!((told.dropped, told.drop_reason), (10, DropReason::NotResting));
    let after = d.w.margin_account(&key);
    assert!(after.positions() == before.positions() && after.cash == before.cash);
    assert_eq!((after.order_count(), after.order_reserve), (0, 0));
}

/// An order that may need a position for which there is no slot is refused when it is placed, whatever else the account could pay for.
#[test]
fn attack_showing_what_no_slot_is_left_for() {
    let Full {
        mut d,
        options,
        one_more,
        long,
        short,
    } = full_books();
    let expiry = d.w.vm.now() + 80 * DAY;
    let future = list_future(&mut d.w, BTC, expiry, 0);
    let honest = trader(&mut d.w, 1_000_000);
    for instrument in [future, one_more] {
        let price = d.price(instrument);
        let outcome = d.w.place(instrument, &honest, limit(-10, price));
        ok(&d.w, outcome);
        let low = (price * 0.999).floor();
        for args in [limit(10, low), limit(10, price), at_once(10, price)] {
            refuses(&mut d.w, BallastError::TooManyPositions, |w| {
                w.place(instrument, &long, args)
            });
        }
    }
    // In what it holds it may add, and reduce.
    let price = d.price(options[1]);
    let outcome = d.w.place(options[1], &long, limit(-10, price));
    ok(&d.w, outcome);
    // Twenty-four options are the most of them; a future has room beside them, another option has not.
    let some = trader(&mut d.w, 1_000_000);
    for eight in options.chunks(8) {
        let book: Vec<_> = eight.iter().map(|option| (*option, 0.1)).collect();
        d.open(&book, &some, &short);
    }
    let low = (d.price(one_more) * 0.999).floor();
    refuses(&mut d.w, BallastError::TooManyPositions, |w| {
        w.place(one_more, &some, limit(10, low))
    });
    let price = d.price(future);
    let outcome = d.w.place(future, &some, limit(-10, price));
    ok(&d.w, outcome);
}

/// An order in a ninth market, and a thirty-third: refused until another one leaves.
#[test]
fn attack_orders_in_more_markets_than_an_account_counts() {
    let mut w = watched();
    let user = trader(&mut w, 1_000_000);
    for days in [90, 91, 92] {
        list_future(&mut w, BTC, START + days * DAY, 0);
    }
    let prices = [99_000.0, 99_000.0, 2_990.0, 2_990.0, 149.0, 149.0, 99_000.0, 99_000.0];
    for (instrument, price) in prices.into_iter().enumerate() {
        let outcome = w.place(instrument, &user, limit(100, price));
        ok(&w, outcome);
    }
    refuses(&mut w, BallastError::TooManyOrders, |w| {
        w.place(8, &user, limit(100, 99_000.0))
    });
    let outcome = w.place(8, &user, at_once(100, 99_000.0));
    ok(&w, outcome); // which rests nowhere
    let outcome = w.cancel(SOL_PERP, &user, OrderId::Sequence(1));
    ok(&w, outcome);
    for n in 0..25 {
        let outcome = w.place(8, &user, limit(100, 98_500.0 + f64::from(n)));
        ok(&w, outcome);
    }
    let more = OrderArgs {
        client_order_id: 7,
        ..limit(100, 99_000.0)
    };
    refuses(&mut w, BallastError::TooManyOrders, |w| w.place(8, &user, more));
    assert_eq!(w.orders(8, Side::Bid).len(), 25);
    w.watch.as_ref().expect("a watch").verdict().expect("every invariant");
}
