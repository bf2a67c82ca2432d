//! `place_order`: what each kind of order does to the book and to both accounts.
use ballast_book::Side;
use ballast_sim::world::limit;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

#[test]
fn an_order_rests_and_trades() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 100_000);
    let outcome = w.place(BTC_PERP, &maker, limit(-100, 100_000.0));
    let r = ok(&w, outcome);
    println!("rest {}", r.compute_units);
    assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), 1);
    let outcome = w.place(BTC_PERP, &taker, limit(150, 100_010.0));
    let r = ok(&w, outcome);
    println!("take {}", r.compute_units);
    assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), 0);
    assert_eq!(w.orders(BTC_PERP, Side::Bid).len(), 1);
    let outcome = w.cancel_all(&taker, &[BTC_PERP]);
    let r = ok(&w, outcome);
    println!("cancel {}", r.compute_units);
}
