//! `place_order`: what each kind of order does to the book and to both accounts. Every transaction is checked by every invariant.
use ballast::events::{OrderFill, OrderPlaced, RemovalReason};
use ballast::instructions::{OrderArgs, OrderKind};
use ballast::state::MarginAccount;
use ballast_book::{Order, Side};
use ballast_sim::world::{at_once, limit, post_only, Outcome, User, World, BTC};
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

/// A lot of BTC in 10⁻⁹ units.
const LOT: u64 = 100_000;

fn account(w: &World, user: &User) -> Box<MarginAccount> {
    w.margin_account(&user.account.margin_account)
}

/// What the owner's record counts of BTC, in lots.
fn counted(w: &World, user: &User) -> u64 {
    let record: Box<ballast::state::OwnerRecord> = w.read(&user.account.owner);
    record.open_interest[usize::from(BTC)] / LOT
}

fn lots(w: &World, user: &User) -> i64 {
    account(w, user).position(BTC_PERP as u16).map_or(0, |p| p.lots)
}

fn place(w: &mut World, user: &User, args: OrderArgs) -> OrderPlaced {
    let outcome = w.place(BTC_PERP, user, args);
    placed(w, outcome)
}

fn placed(w: &World, outcome: Outcome) -> OrderPlaced {
    let receipt = ok(w, outcome);
    w.watch.as_ref().expect("a watch").verdict().expect("every invariant");
    event(&receipt)
}

fn asks(w: &World) -> Vec<(u64, i64)> {
    let orders = w.orders(BTC_PERP, Side::Ask);
    orders.iter().map(|o: &Order| (o.sequence, o.lots)).collect()
}

/// 100 lots are 0.01 BTC, 1,000 dollars: 100 of initial margin, a dollar a lot. An ask above the mark loses nothing against it, a bid 500
/// above it 0.05 a lot. Of the two sides the larger counts.
#[test]
fn an_order_rests_and_reserves() {
    let mut w = watched();
    let user = trader(&mut w, 10_000);
    let event = place(&mut w, &user, limit(-100, 100_500.0));
    assert_eq!((event.order, event.resting, event.lots, event.side), (1, 100, 100, 1));
    assert!(event.fills.is_empty() && event.removed.is_empty());
    let a = account(&w, &user);
    assert_eq!((a.order_reserve, a.order_count()), (100 * DOLLAR, 1));
    assert_eq!((a.cash, a.reserve), (9_998 * USD as i64, 2 * USD as i64));
    assert_eq!(counted(&w, &user), 100);
    let order = w.orders(BTC_PERP, Side::Ask)[0];
    assert_eq!(
        (order.lots, order.price, order.reserve_per_lot),
        (100, 100_500 * PRICE, DOLLAR)
    );
    place(&mut w, &user, limit(50, 100_400.0)); // 50 + 50 · 0.04 = 52 dollars
    assert_eq!(account(&w, &user).order_reserve, 100 * DOLLAR);
    place(&mut w, &user, limit(50, 99_000.0)); // and 50
    assert_eq!(account(&w, &user).order_reserve, 102 * DOLLAR);
    assert_eq!(counted(&w, &user), 200);
}

/// 100 of 150 lots at 100,500 are 1,005 dollars: 0.5025 of fee for the taker, 0.201 for the maker, a fifth of both for the fund. The rest of
/// the bid at 100,510 reserves 50 · (1 + 0.051) dollars.
#[test]
fn an_order_trades_at_the_resting_price_and_its_rest_rests() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    let mut first = limit(-100, 100_500.0);
    first.client_order_id = 77;
    place(&mut w, &maker, first);
    let mut second = limit(150, 100_510.0);
    second.client_order_id = 78;
    let event = place(&mut w, &taker, second);
    let fill = OrderFill {
        maker: maker.account.margin_account,
        order: 1,
        client_order_id: 77,
        lots: 100,
        price: 100_500 * PRICE,
        taker_fee: 502_500,
        maker_fee: 201_000,
    };
    assert_eq!(event.fills, [fill]);
    assert_eq!((event.order, event.resting, event.client_order_id), (2, 50, 78));
    let (t, m) = (account(&w, &taker), account(&w, &maker));
    assert_eq!((t.positions[0].lots, t.positions[0].quote), (100, -1_005_502_500));
    assert_eq!((m.positions[0].lots, m.positions[0].quote), (-100, 1_004_799_000));
    assert_eq!((t.order_reserve, m.order_reserve), (52 * DOLLAR + 55_000_000, 0));
    assert_eq!((t.order_count(), m.order_count()), (1, 0));
    assert_eq!((counted(&w, &taker), counted(&w, &maker)), (150, 100));
    let market = w.market(BTC_PERP);
    assert_eq!((market.open_interest, market.positions), (100, 2));
    assert_eq!((market.fees_due, market.insurance_due), (562_800, 140_700));
}

#[test]
fn better_prices_go_first_and_earlier_orders_among_equal_ones() {
    let mut w = watched();
    let taker = trader(&mut w, 100_000);
    let makers = [(); 3].map(|()| trader(&mut w, 100_000));
    for (maker, price) in makers.iter().zip([100_100.0, 100_000.0, 100_100.0]) {
        place(&mut w, maker, limit(-20, price));
    }
    let event = place(&mut w, &taker, at_once(50, 100_200.0));
    let fills: Vec<_> = event.fills.iter().map(|f| (f.order, f.lots, f.price / PRICE)).collect();
    assert_eq!(fills, [(2, 20, 100_000), (1, 20, 100_100), (3, 10, 100_100)]);
    assert_eq!(asks(&w), [(3, 10)]);
}

#[test]
fn what_does_not_trade_at_once_is_dropped_where_it_may_not_rest() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    place(&mut w, &maker, limit(-30, 100_000.0));
    let event = place(&mut w, &taker, at_once(50, 100_000.0));
    assert_eq!((event.fills[0].lots, event.order, event.resting), (30, 0, 0));
    assert_eq!((lots(&w, &taker), account(&w, &taker).order_count()), (30, 0));
    // Nothing to meet: nothing happens, and nothing is locked or counted.
    let stranger = trader(&mut w, 1_000);
    let event = place(&mut w, &stranger, at_once(50, 100_000.0));
    assert_eq!((event.fills.len(), event.resting), (0, 0));
    let a = account(&w, &stranger);
    assert_eq!((a.reserve, a.cash, counted(&w, &stranger)), (0, 1_000 * USD as i64, 0));
}

#[test]
fn fill_or_kill_fills_whole() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    place(&mut w, &maker, limit(-30, 100_000.0));
    place(&mut w, &maker, limit(-30, 100_100.0));
    let mut order = at_once(60, 100_100.0);
    order.kind = OrderKind::FillOrKill;
    let event = place(&mut w, &taker, order);
    assert_eq!((event.fills.len(), lots(&w, &taker), asks(&w).len()), (2, 60, 0));
}

#[test]
fn a_post_only_order_rests() {
    let mut w = watched();
    let (bidder, maker) = pair(&mut w, 100_000);
    place(&mut w, &maker, post_only(-30, 100_100.0));
    let event = place(&mut w, &bidder, post_only(30, 100_099.9));
    assert_eq!((event.resting, event.fills.len()), (30, 0));
}

/// Long 100: a reduce-only ask of 150 is one of 100. Resting it reserves and counts nothing; its fills never turn the position around.
#[test]
fn a_reduce_only_order_is_cut_down_to_the_position() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 1_000);
    place(&mut w, &maker, limit(-100, 100_000.0));
    place(&mut w, &user, at_once(100, 100_000.0));
    let mut ask = limit(-150, 100_000.0);
    ask.reduce_only = true;
    let event = place(&mut w, &user, ask);
    assert_eq!((event.lots, event.resting), (100, 100));
    let a = account(&w, &user);
    assert_eq!((a.order_reserve, a.order_count(), counted(&w, &user)), (0, 1, 100));
    // Another exit of 40 lots: the resting order is cut down to the 60 left when it is met, and leaves.
    place(&mut w, &maker, limit(40, 99_000.0));
    let mut exit = at_once(-40, 99_000.0);
    exit.reduce_only = true;
    place(&mut w, &user, exit);
    assert_eq!(lots(&w, &user), 60);
    let event = place(&mut w, &maker, at_once(100, 100_000.0));
    assert_eq!((event.fills[0].lots, lots(&w, &user)), (60, 0));
    assert_eq!(
        (event.removed[0].reason, event.removed[0].lots),
        (RemovalReason::NotCarried, 40)
    );
    assert_eq!(account(&w, &user).order_count(), 0);
    assert_eq!(counted(&w, &user), 60); // until the record is told
    let outcome = w.reconcile(&user.account.margin_account);
    ok(&w, outcome);
    assert_eq!(counted(&w, &user), 0);
}

/// Of an order of 15 lots a fill of 10 leaves 5, under the smallest order of 10: they keep their place until they are taken. The rest of an
/// incoming order that is too small does not rest.
#[test]
fn what_a_fill_leaves_of_an_order_keeps_its_place() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    place(&mut w, &maker, limit(-15, 100_000.0));
    let event = place(&mut w, &taker, at_once(10, 100_000.0));
    assert!(event.removed.is_empty());
    assert_eq!(account(&w, &maker).order_reserve, 5 * DOLLAR); // a tenth of 10 dollars a lot
    place(&mut w, &maker, limit(-15, 100_000.0));
    let event = place(&mut w, &taker, limit(25, 100_000.0));
    let fills: Vec<_> = event.fills.iter().map(|fill| (fill.order, fill.lots)).collect();
    assert_eq!((fills, event.resting), (vec![(1, 5), (2, 15)], 0));
}

#[test]
fn expired_orders_are_removed_on_the_way() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    let late = trader(&mut w, 100_000);
    let mut short = limit(-20, 100_000.0);
    short.expires_at = w.vm.now() + 10;
    place(&mut w, &maker, short);
    place(&mut w, &late, limit(-20, 100_100.0));
    w.vm.advance(10);
    let event = place(&mut w, &taker, at_once(20, 100_100.0));
    assert_eq!((event.fills[0].order, event.removed[0].order), (2, 1));
    assert_eq!(event.removed[0].reason, RemovalReason::Expired);
    assert_eq!(account(&w, &maker).order_reserve, 0);
}

#[test]
fn orders_left_behind_by_the_mark_are_removed() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    place(&mut w, &maker, limit(-20, 100_000.0));
    place(&mut w, &maker, limit(-20, 101_000.0));
    w.set_prices(&[(BTC, 102_500.0)]); // 100,000 is more than 2 % under it
    let event = place(&mut w, &taker, at_once(20, 102_500.0));
    assert_eq!((event.fills[0].order, event.removed[0].order), (2, 1));
    assert_eq!(event.removed[0].reason, RemovalReason::OutsideBand);
}

#[test]
fn no_more_orders_are_met_than_asked_for() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    for _ in 0..4 {
        place(&mut w, &maker, limit(-20, 100_000.0));
    }
    let mut order = limit(80, 100_000.0);
    order.max_matches = 3;
    let event = place(&mut w, &taker, order);
    assert_eq!((event.fills.len(), lots(&w, &taker)), (3, 60));
    assert_eq!((event.resting, asks(&w).len()), (0, 1)); // it would cross what is left
}

/// 10,000 dollars long need 1,000; 9,000 dollars of bids reserve 900. 1.5 % down there are 1,846 left of 1,998: 985 + 900 are not covered, and
/// a fill 1.4 % above the mark makes it worse. The order goes, the account stays as it was, and the next one fills.
#[test]
fn a_maker_who_can_not_carry_a_fill_loses_the_order_and_nothing_else() {
    let mut w = watched();
    let (taker, rich) = pair(&mut w, 100_000);
    let poor = trader(&mut w, 2_000);
    place(&mut w, &rich, limit(-1_000, 100_000.0));
    place(&mut w, &poor, at_once(1_000, 100_000.0));
    place(&mut w, &poor, limit(900, 99_900.0));
    place(&mut w, &rich, limit(100, 99_800.0));
    w.set_prices(&[(BTC, 98_500.0)]);
    let before = account(&w, &poor);
    let event = place(&mut w, &taker, at_once(-100, 98_000.0));
    assert_eq!(
        (event.fills.len(), event.fills[0].maker),
        (1, rich.account.margin_account)
    );
    assert_eq!(
        (event.removed[0].lots, event.removed[0].reason),
        (900, RemovalReason::NotCarried)
    );
    let after = account(&w, &poor);
    assert_eq!((after.order_count(), after.order_reserve), (0, 0));
    assert_eq!(after.positions, before.positions);
    assert_eq!((after.cash, after.reserve), (before.cash, before.reserve));
}

#[test]
fn a_full_book_gives_up_its_worst_order_for_a_better_one() {
    let mut w = ballast_tests::world();
    let makers: Vec<User> = (0..8).map(|_| trader(&mut w, 100_000)).collect();
    for n in 0..256 {
        let outcome = w.place(BTC_PERP, &makers[n / 32], limit(10, 99_000.0 + n as f64 / 10.0));
        outcome.expect("room for 256 orders");
    }
    let late = trader(&mut w, 100_000);
    let outcome = w.place(BTC_PERP, &late, limit(10, 99_100.0));
    let event: OrderPlaced = event(&ok(&w, outcome));
    assert_eq!((event.resting, event.removed.len()), (10, 1));
    let gone = event.removed[0];
    assert_eq!((gone.order, gone.reason), (1, RemovalReason::Evicted));
    assert_eq!(gone.margin_account, makers[0].account.margin_account);
    assert_eq!(account(&w, &makers[0]).order_count(), 31);
    assert_eq!(w.orders(BTC_PERP, Side::Bid).len(), 256);
}
