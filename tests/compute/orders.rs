//! Orders of accounts with eight linear positions each.
use ballast::state::{OrderId, QUOTE_ASSET};
use ballast_sim::world::{at_once, limit, Outcome, User, World, BTC, ETH, SOL, START};
use ballast_tests::ok;
use ballast_tests::setup::{list_future, BTC_FUTURE, BTC_PERP, DAY};

use crate::book::{eight_instruments, fill_book, funded, ASSETS, HEDGED};
use crate::options::fill;
use crate::table::Table;

/// Measures placing, cancelling and taking.
pub fn measure(table: &mut Table) {
    let mut world = eight_instruments();
    let users: Vec<User> = (0..12).map(|_| funded(&mut world, 50_000)).collect();
    for pair in users.chunks(2) {
        fill_book(&mut world, &pair[0], &pair[1], &HEDGED);
    }
    // Index and slow price half a percent apart, so that nothing is short-cut.
    world.set_prices(&[(BTC, 100_400.0), (SOL, 150.5)]);
    let (taker, makers) = users.split_first().expect("users");
    rest_and_cancel(&mut world, taker, &makers[0], table);
    takes(&mut world, taker, makers, table);
    stale(&mut world, taker, makers, table);
}

fn used(world: &World, outcome: Outcome) -> u64 {
    ok(world, outcome).compute_units
}

/// The same where each asset has an expiry that has ended and that nobody has closed: of 8 futures in which these accounts have nothing, or of
/// the 3 near ones of their 8.
pub fn measure_beside_what_ended(table: &mut Table) {
    for (held, lists) in [("", true), (", 3 of them settled", false)] {
        let mut world = eight_instruments();
        let mut expiry = world.board().instruments[BTC_FUTURE].expiry;
        if lists {
            expiry = START + 2 * DAY;
            for asset in ASSETS {
                list_future(&mut world, asset, expiry, 0);
            }
        }
        let users: Vec<User> = (0..4).map(|_| funded(&mut world, 50_000)).collect();
        for pair in users.chunks(2) {
            fill_book(&mut world, &pair[0], &pair[1], &HEDGED);
        }
        for bucket in 0..60 {
            world.wait_until(expiry - 1_800 + bucket * 30);
            world.set_prices(&[(BTC, 100_000.0), (ETH, 3_000.0), (SOL, 150.0)]);
        }
        world.wait_until(expiry);
        world.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_400.0), (ETH, 3_012.0), (SOL, 150.5)]);
        for asset in &world.board().assets[..3] {
            assert!(asset.settles(world.vm.now()) && asset.price.index != asset.price.slow);
        }
        let (taker, makers) = users.split_first().expect("users");
        let name = |what: &str| format!("{what}{held}, an expiry ended in each asset");
        let placed = rest(&mut world, taker, &makers[0]);
        table.add(&name("place_order, rests, 8 positions"), placed, 45_000);
        for user in [taker, &makers[0]] {
            let outcome = world.cancel_all(user, &[BTC_PERP]);
            ok(&world, outcome);
        }
        let [one, two] = [1, 2].map(|count| take(&mut world, taker, makers, count));
        table.add(&name("place_order, takes 1 maker, 8 positions"), one, 110_000);
        table.add(&name("place_order, one more maker"), two - one, 60_000);
        let outcome = world.settle(&taker.account.margin_account, &[0, 1, 2, 3, 4, 5, 6, 7]);
        table.add(&name("settle_pnl, 8 positions"), used(&world, outcome), 40_000);
    }
}

/// The dearest of orders into a book that fills up until twenty of them make up the impact, as they do on the other side.
fn rest(world: &mut World, user: &User, other: &User) -> u64 {
    for step in 0..32 {
        let outcome = world.place(BTC_PERP, other, limit(-100, 101_000.0 + f64::from(step)));
        ok(world, outcome);
    }
    let mut placed = 0;
    for step in 0..32 {
        let outcome = world.place(BTC_PERP, user, limit(100, 99_000.0 + f64::from(step)));
        placed = placed.max(used(world, outcome));
    }
    placed
}

fn rest_and_cancel(world: &mut World, user: &User, other: &User, table: &mut Table) {
    let placed = rest(world, user, other);
    table.add("place_order, rests, 8 positions", placed, 45_000);
    let mut cancelled = 0;
    for sequence in [48, 33, 64, 40] {
        let outcome = world.cancel(BTC_PERP, user, OrderId::Sequence(sequence));
        cancelled = cancelled.max(used(world, outcome));
    }
    table.add("cancel_order", cancelled, 12_000);
    let outcome = world.cancel_all(user, &[BTC_PERP]);
    table.add("cancel_all_orders, 28 orders", used(world, outcome), 60_000);
    let outcome = world.cancel_all(other, &[BTC_PERP]);
    ok(world, outcome);
}

/// The first of the makers, so many of them, each filled whole.
fn take(world: &mut World, taker: &User, makers: &[User], count: usize) -> u64 {
    for maker in &makers[..count] {
        let outcome = world.place(BTC_PERP, maker, limit(-10, 100_500.0));
        ok(world, outcome);
    }
    let outcome = world.place(BTC_PERP, taker, at_once(10 * count as i64, 100_500.0));
    used(world, outcome)
}

fn takes(world: &mut World, taker: &User, makers: &[User], table: &mut Table) {
    let [one, two, ten] = [1, 2, 10].map(|count| take(world, taker, makers, count));
    table.add("place_order, takes 1 maker, 8 positions on each side", one, 110_000);
    table.add("place_order, one more maker", two - one, 60_000);
    table.add("place_order, takes 10 makers, 8 positions each", ten, 700_000);
}

/// An expired order of each of two accounts.
fn stale(world: &mut World, cranker: &User, makers: &[User], table: &mut Table) {
    let makers = &makers[..2];
    let mut order = limit(-10, 100_500.0);
    order.expires_at = world.vm.now() + 5;
    for maker in makers {
        let outcome = world.place(BTC_PERP, maker, order);
        ok(world, outcome);
    }
    world.vm.advance(5);
    let keys: Vec<_> = makers.iter().map(|m| m.account.margin_account).collect();
    let outcome = world.cancel_stale(BTC_PERP, &keys, Some(cranker));
    table.add(
        "cancel_stale_orders, 2 accounts of 8 positions",
        used(world, outcome),
        80_000,
    );
    let outcome = world.reconcile(&keys[0]);
    table.add("reconcile_owner", used(world, outcome), 3_000);
}

/// The first of `options` on the book between accounts that hold all of them: what resting and taking ask for, with as many makers as fit
/// into a transaction's heap and units.
pub fn measure_options(w: &mut World, options: &[usize], table: &mut Table) {
    let users: Vec<User> = (0..6).map(|_| funded(w, 1_000_000)).collect();
    let legs: Vec<_> = options.iter().map(|option| (*option, 300)).collect();
    for pair in users.chunks(2) {
        for some in legs.chunks(5) {
            fill(w, &pair[0], &pair[1], some);
        }
    }
    let (taker, makers) = users.split_first().expect("users");
    let (instrument, board) = (options[0], w.board());
    let listed = board.instruments[instrument];
    let mark = board.mark(&listed, w.vm.now()).expect("a mark").0;
    let price = (mark / listed.tick_size * listed.tick_size) as f64 / 1e9;
    let mut rested = 0;
    for maker in makers {
        let outcome = w.place(instrument, maker, limit(-10, price));
        rested = rested.max(used(w, outcome));
    }
    table.add("place_order, rests, 16 options of own strikes", rested, 220_000);
    let outcome = w.place(instrument, taker, at_once(10, price));
    let one = used(w, outcome);
    table.add(
        "place_order, takes 1 maker, 16 options of own strikes each",
        one,
        400_000,
    );
    let outcome = w.place(instrument, taker, at_once(40, price));
    let four = used(w, outcome);
    table.add(
        "place_order, takes 4 makers, 16 options of own strikes each",
        four,
        850_000,
    );
}
