//! What keepers do with an account of eight positions under its maintenance margin.
use ballast_sim::world::{World, BTC, ETH, SOL};
use ballast_tests::ok;
use ballast_tests::setup::{BTC_PERP, ETH_PERP, USD};

use crate::book::{eight_instruments, fill_book, funded, LONG};
use crate::table::Table;

/// Measures flagging, a step on one leg, and unflagging.
pub fn measure(table: &mut Table) {
    let mut world = eight_instruments();
    let user = funded(&mut world, 4_500);
    let other = funded(&mut world, 100_000);
    fill_book(&mut world, &user, &other, &LONG);
    fall(&mut world, 0.94);
    let key = user.account.margin_account;

    let outcome = world.flag(&key);
    table.add("flag, 8 positions", ok(&world, outcome).compute_units, 36_000);
    world.vm.advance(2);
    let outcome = world.liquidate(BTC_PERP, &user.account, &other, 300);
    let receipt = ok(&world, outcome);
    table.add("liquidate one leg of 8 positions", receipt.compute_units, 150_000);

    world.vm.advance(20);
    fall(&mut world, 0.94);
    let outcome = world.liquidate_package(&[(BTC_PERP, 100), (ETH_PERP, 50)], &user.account, &other);
    let used = ok(&world, outcome).compute_units;
    table.add("liquidate two legs of 8 positions at once", used, 175_000);

    assert_ne!(
        world.margin_account(&key).flag.started_at,
        0,
        "the step was not the last one"
    );
    let usd = world.usd;
    let outcome = world.fund(&user, &usd, 10_000 * USD);
    ok(&world, outcome);
    let outcome = world.unflag(&key);
    table.add("unflag, 8 positions", ok(&world, outcome).compute_units, 36_000);
}

fn fall(world: &mut World, factor: f64) {
    world.set_prices(&[
        (BTC, 100_000.0 * factor),
        (ETH, 3_000.0 * factor),
        (SOL, 150.0 * factor),
    ]);
}
