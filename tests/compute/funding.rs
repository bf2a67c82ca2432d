//! Marks and funding of perpetuals, and what they add to a margin.
use ballast::instructions::{PreviewSection, HOURS_A_CALL};
use ballast::state::{Market, OrderId};
use ballast_sim::world::{limit, User, World, BTC, ETH, SOL};
use ballast_tests::ok;
use ballast_tests::setup::{edit, fund_at, show_mid, trader, BTC_PERP, DOLLAR, ETH_PERP, PRICE, SOL_PERP};

use crate::book::{eight_instruments, fill_book, funded, HEDGED};
use crate::table::Table;

/// Measures the crank, and the margin of eight positions of which three have funding pending at marks off the index.
pub fn measure(table: &mut Table) {
    let mut world = eight_instruments();
    let user = trader(&mut world, 50_000);
    let other = funded(&mut world, 50_000);
    let summary = |world: &mut World| world.preview(&user.account.margin_account, PreviewSection::Summary).1;
    let empty = summary(&mut world);
    fill_book(&mut world, &user, &other, &HEDGED);
    run(&mut world);
    let used = summary(&mut world) - empty;
    table.add("margin of 8 linear positions, funding pending", used, 20_000);
    world.set_prices(&[(BTC, 100_400.0), (ETH, 3_012.0), (SOL, 150.5)]);
    let used = summary(&mut world) - empty;
    table.add("margin of the same, slow prices off the index", used, 20_500);
    deepest(&mut world, table);
    for (name, hours) in [
        ("update_funding, the mark moves", 0),
        ("update_funding, an hour is over", 1),
        ("update_funding, a day is over, the dearest call", 23),
        ("update_funding, a month is over, the dearest call", 30 * 24),
    ] {
        world.vm.advance(hours * 3_600 + 10);
        let prices = [(BTC, 100_400.0), (ETH, 3_012.0), (SOL, 150.5)];
        world.set_prices(&prices);
        table.add(name, crank(&mut world, hours), 6_000);
    }
}

/// The dearest of the calls that close so many hours.
fn crank(world: &mut World, hours: i64) -> u64 {
    // A book that shows a premium all the time: nothing is short-cut.
    let market = world.markets[BTC_PERP];
    edit::<Market>(world, &market, |market| {
        (market.premium.mid, market.premium.mid_until) = (100_900 * PRICE, i64::MAX);
    });
    let mut dearest = 0;
    for _ in 0..hours.min(23) / HOURS_A_CALL + 1 {
        assert!(hours == 0 || world.board().instruments[BTC_PERP].funding_hour < world.vm.now() / 3_600);
        let outcome = world.update_funding_once(BTC_PERP);
        dearest = dearest.max(ok(world, outcome).compute_units);
    }
    let listed = world.board().instruments[BTC_PERP];
    assert_eq!(
        listed.funding_hour,
        world.vm.now() / 3_600,
        "as many calls as that take"
    );
    assert!(hours == 0 || listed.funding_rate != 0);
    dearest
}

/// Gives the perpetuals' books a premium for the rest of the hour, and goes on to the middle of the next.
fn run(world: &mut World) {
    let mids = [(BTC_PERP, 100_200), (ETH_PERP, 2_991), (SOL_PERP, 151)];
    for (instrument, mid) in mids {
        show_mid(world, instrument, mid * PRICE);
    }
    let middle = (world.vm.now() / 3_600 + 1) * 3_600 + 1_800;
    for (at, (instrument, _)) in mids.iter().enumerate() {
        fund_at(world, *instrument, middle + at as i64);
        let listed = world.board().instruments[*instrument];
        assert!(listed.funding_rate != 0 && listed.basis != 0);
    }
}

/// Measures placing and cancelling where the impact mid takes 20 orders of each side and looks at 32, and where it takes 200.
fn deepest(world: &mut World, table: &mut Table) {
    let users: Vec<_> = (0..4).map(|_| funded(world, 100_000)).collect();
    for pair in users.chunks(2) {
        fill_book(world, &pair[0], &pair[1], &HEDGED);
    }
    let market = world.markets[BTC_PERP];
    // 200 lots of 10.04 dollars: 20 of the smallest orders.
    edit::<Market>(world, &market, |market| market.impact_notional = 2_000 * DOLLAR);
    for n in 0..32 {
        for (user, mut order) in [
            (&users[0], limit(10, 99_900.0 - n as f64)),
            (&users[1], limit(-10, 100_900.0 + n as f64)),
        ] {
            // The best twelve expire within the hour, so that they are looked at and do not count.
            order.expires_at = if n < 12 { world.vm.now() + 60 } else { 0 };
            let outcome = world.place(BTC_PERP, user, order);
            ok(world, outcome);
        }
    }
    let outcome = world.place(BTC_PERP, &users[2], limit(-10, 100_950.0));
    ok(world, outcome);
    let outcome = world.place(BTC_PERP, &users[3], limit(10, 99_850.0));
    let placed = ok(world, outcome).compute_units;
    assert!(world.market(BTC_PERP).premium.mid > 0);
    table.add("place_order, rests, 8 positions, impact of 40 orders", placed, 45_000);
    let outcome = world.place(BTC_PERP, &users[3], limit(10, 99_851.0));
    ok(world, outcome);
    let outcome = world.cancel(BTC_PERP, &users[3], OrderId::Sequence(66));
    let cancelled = ok(world, outcome).compute_units;
    assert!(world.market(BTC_PERP).premium.mid > 0);
    table.add("cancel_order, impact of 40 orders", cancelled, 12_000);
    edit::<Market>(world, &market, |market| market.impact_notional = 20_000 * DOLLAR);
    smallest(world, &users[3], table);
}

/// Measures the same by the notional of genesis on a book of the smallest orders alone.
fn smallest(world: &mut World, user: &User, table: &mut Table) {
    for _ in 0..6 {
        let (bids, asks) = (trader(world, 10_000), trader(world, 10_000));
        for n in 0..32 {
            for (maker, order) in [
                (&bids, limit(10, 99_500.0 - n as f64)),
                (&asks, limit(-10, 101_200.0 + n as f64)),
            ] {
                let outcome = world.place(BTC_PERP, maker, order);
                outcome.expect("an order that rests");
            }
        }
    }
    let outcome = world.place(BTC_PERP, user, limit(10, 99_851.0));
    let placed = ok(world, outcome).compute_units;
    assert!(world.market(BTC_PERP).premium.mid > 0);
    table.add("place_order, rests, 8 positions, impact of 400 orders", placed, 65_000);
}
