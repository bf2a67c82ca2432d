//! C2 of the orders, and what an order may do to either side.
use ballast::instructions::OrderArgs;
use ballast::state::{OpenOrders, OrderSlot, OwnerRecord};
use ballast_book::{Order, Side};

use super::super::orders::{check, Placed, Resting};
use super::*;
use crate::world::{at_once, limit};

/// A bid of A at 99,000 and an ask of B at 101,000 in the BTC perpetual, ten lots and a dollar a lot each, counted by both accounts and in
/// A's record.
fn with_orders() -> Picture {
    let mut picture = picture();
    picture.markets[BTC_PERPETUAL].min_order_lots = 10;
    for (key, side, sequence, price) in [(A, Side::Bid, 1, 99_000), (B, Side::Ask, 2, 101_000)] {
        let order = Order {
            owner: key.to_bytes(),
            price: price * PRICE,
            lots: 10,
            reserve_per_lot: DOLLAR,
            sequence,
            ..Order::default()
        };
        let handle = sequence as u32;
        picture.books[BTC_PERPETUAL].push(Resting { side, handle, order });
        let account = picture.accounts.get_mut(&key).unwrap();
        account.orders[5] = OrderSlot {
            sequence,
            handle,
            side: side as u8,
            ..OrderSlot::default()
        };
        let mut book = OpenOrders {
            count: 1,
            generation: 1,
            ..OpenOrders::default()
        };
        match side {
            Side::Bid => (book.bid_lots, book.bid_reserve) = (10, 10 * DOLLAR),
            Side::Ask => (book.ask_lots, book.ask_reserve) = (10, 10 * DOLLAR),
        }
        account.books[3] = book;
        account.order_reserve = 10 * DOLLAR;
    }
    let mut record: Box<OwnerRecord> = bytemuck::allocation::zeroed_box();
    record.open_interest[0] = 10_010 * picture.board.instruments[BTC_PERPETUAL].lot_size.unsigned_abs();
    picture.owners.insert(wallet(&A), record);
    picture
}

fn account(picture: &mut Picture, key: Pubkey) -> &mut MarginAccount {
    picture.accounts.get_mut(&key).unwrap()
}

#[test]
fn books_accounts_and_records_agree() {
    assert_eq!(check(&with_orders()), Ok(()));
    let forgeries: [Forgery<Picture>; 15] = [
        ("no book is crossed", |p| p.books[0][1].order.price = 99_000 * PRICE),
        ("every order has lots", |p| p.books[0][0].order.lots = 0),
        ("counts its orders", |p| p.books[0][0].order.lots += 1),
        ("counts its orders", |p| p.books[0][0].order.reserve_per_lot += 1),
        ("counts its orders", |p| p.books[0][0].side = Side::Ask),
        ("counts its orders", |p| p.books[0][0].order.flags = Order::REDUCE_ONLY),
        ("counts its orders", |p| p.books[0].truncate(1)),
        ("counts its orders", |p| p.books[0][0].order.owner = C.to_bytes()),
        ("counts its orders", |p| account(p, A).books[3].count = 2),
        ("slots are its orders", |p| p.books[0][0].order.sequence = 3),
        ("slots are its orders", |p| p.books[0][0].handle = 7),
        ("slots are its orders", |p| {
            account(p, A).orders[5] = OrderSlot::default()
        }),
        ("orders reserve", |p| account(p, B).order_reserve -= 1),
        ("nothing is locked", |p| account(p, C).reserve = 1),
        ("an owner's open interest", |p| account(p, A).books[3].excess = 1),
    ];
    for (what, forge) in forgeries {
        let mut picture = with_orders();
        forge(&mut picture);
        breaks(check(&picture), Invariant::C2, what);
    }
}

fn placed(order: OrderArgs) -> Action {
    Action::Place {
        account: A,
        instrument: BTC_PERPETUAL,
        order,
        makers: vec![B],
    }
}

/// An order that neither rests nor trades may do nothing.
#[test]
fn an_order_trades_only_what_it_asked_for() {
    let action = placed(limit(10, 100_000.0));
    assert!(Forged::new().check(&action).is_ok());
    let forgeries: [Forgery<Forged>; 4] = [
        ("an order trades its own lots", |f| {
            f.fill(A, 11, 0);
            f.fill(B, -11, 0);
        }),
        ("an order trades its own lots", |f| {
            f.fill(A, -1, 0);
            f.fill(B, 1, 0);
        }),
        ("nothing is paid for no lots", |f| f.fill(A, 0, -1)),
        ("cash and reserve", |f| {
            f.account(A).cash += 1;
            f.account(B).cash -= 1;
        }),
    ];
    for (what, forge) in forgeries {
        let mut forged = Forged::new();
        forge(&mut forged);
        breaks(forged.check(&action), Invariant::C3, what);
    }
    // Ten lots at 100,000 are 100 dollars; at 101,000 they are one more than was asked for.
    let mut forged = Forged::new();
    forged.fill(A, 10, -101 * UNIT);
    forged.fill(B, -10, 101 * UNIT);
    breaks(
        forged.check(&action),
        Invariant::C3,
        "a fill is no worse than its limit",
    );
    // A maker without an order there is nobody's counterparty.
    let mut forged = Forged::new();
    forged.fill(A, 10, -100 * UNIT);
    forged.fill(B, -10, 100 * UNIT);
    breaks(
        forged.check(&action),
        Invariant::C3,
        "a maker trades where he has an order",
    );
}

/// A, long 10,000 lots with a health of 1.05 (7,507.50 of equity against 7,150), is filled to 10 lots short by B, who takes asks of A's of
/// these sizes, each at the mark.
fn turned_around(asks: &[i64]) -> Result<(), Broken> {
    let mut forged = Forged::new();
    let cash = 7_507 * UNIT + UNIT / 2;
    (forged.earlier(A).cash, forged.account(A).cash) = (cash, cash);
    for (sequence, lots) in (1..).zip(asks) {
        let order = Order {
            owner: A.to_bytes(),
            price: 100_000 * PRICE,
            lots: *lots,
            sequence,
            ..Order::default()
        };
        forged.before.books[BTC_PERPETUAL].push(Resting {
            side: Side::Ask,
            handle: sequence as u32,
            order,
        });
    }
    // 100,100 dollars, and fees of 0.02 % and 0.05 %.
    forged.fill(A, -10_010, 100_100 * UNIT - 20_020_000);
    forged.fill(B, 10_010, -100_100 * UNIT - 50_050_000);
    let order = at_once(10_010, 100_000.0);
    let action = placed(order);
    let change = forged.change(&action);
    let [taker, maker] = [B, A].map(|key| Party::of(&change, &key).unwrap());
    let placed = Placed {
        instrument: BTC_PERPETUAL,
        order: &order,
        taker: &taker,
        makers: &[maker],
    };
    placed.is_covered(&change, &[A])
}

/// A maker is judged fill by fill: one that has closed its position has the health to open another, one that turns it around at once has not.
#[test]
fn a_maker_is_judged_fill_by_fill() {
    assert_eq!(turned_around(&[10_000, 10]), Ok(()));
    assert_eq!(turned_around(&[9_000, 1_000, 10]), Ok(()));
    for asks in [&[10_010][..], &[100, 9_910]] {
        breaks(turned_around(asks), Invariant::C4, "a health of 1.1");
    }
}
