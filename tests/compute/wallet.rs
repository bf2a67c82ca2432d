//! What wallets do with their own accounts.
use ballast::instructions::{PreviewChange, PreviewSection, TradeLeg};
use ballast::state::{MarginMethod, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, SOL};
use ballast_tests::ok;
use ballast_tests::setup::{trade, trader};
use ballast_tests::setup::{BTC_FUTURE, BTC_PERP, ETH_FUTURE, ETH_PERP, PRICE, USD};

use crate::book::{eight_instruments, fill_book, funded, ASSETS, HEDGED};
use crate::table::Table;

/// Measures opening, paying in and out, trading, settling, previewing and closing.
pub fn measure(table: &mut Table) {
    let mut world = eight_instruments();
    let user = funded(&mut world, 50_000);
    let other = funded(&mut world, 50_000);
    open_and_close(&mut world, &user, table);
    deposits(&mut world, &user, table);
    refresh(&mut world, table);
    fill_book(&mut world, &user, &other, &HEDGED);
    referrals(&mut world, &user, &other, table);
    linear(&mut world, &other, table);
    // Index and slow price half a percent apart, so that nothing is short-cut.
    world.set_prices(&[(BTC, 100_400.0), (SOL, 150.5)]);
    trades(&mut world, &user, &other, table);
    previews(&mut world, &user, table);
    methods(&mut world, &user, table);
    withdrawals(&mut world, &user, &other, table);
}

fn open_and_close(world: &mut World, user: &User, table: &mut Table) {
    let outcome = world.open(user, 1);
    table.add("open_margin_account", ok(world, outcome).compute_units, 20_000);
    let outcome = world.close(user, 1);
    table.add("close_margin_account", ok(world, outcome).compute_units, 6_000);
}

/// A referrer from here on: every later trade of the user's notes its share.
fn referrals(world: &mut World, user: &User, other: &User, table: &mut Table) {
    let referrer = trader(world, 0);
    let (key, earns) = (user.account.margin_account, referrer.account.margin_account);
    let outcome = world.set_referrer(user, &earns);
    table.add("set_referrer", ok(world, outcome).compute_units, 6_000);
    trade(world, BTC_PERP, user, other, 10, 100_000.0);
    let outcome = world.settle(&key, &[BTC_PERP]);
    ok(world, outcome);
    let outcome = world.claim_referral(&key, &earns);
    table.add("claim_referral", ok(world, outcome).compute_units, 8_000);
}

fn methods(world: &mut World, user: &User, table: &mut Table) {
    let outcome = world.set_method(user, MarginMethod::Linear);
    ok(world, outcome);
    let outcome = world.set_method(user, MarginMethod::Portfolio); // less caution is asked more
    let used = ok(world, outcome).compute_units;
    table.add("set_margin_method, 8 positions", used, 70_000);
}

fn deposits(world: &mut World, user: &User, table: &mut Table) {
    let (usd, btc) = (world.usd, world.btc);
    let outcome = world.fund(user, &usd, USD);
    table.add("deposit, quote asset", ok(world, outcome).compute_units, 25_000);
    let outcome = world.fund(user, &btc, 1_000);
    table.add("deposit, collateral", ok(world, outcome).compute_units, 25_000);
    let outcome = world.fund_insurance(user, USD);
    table.add("fund_insurance", ok(world, outcome).compute_units, 10_000);
}

fn refresh(world: &mut World, table: &mut Table) {
    world.vm.advance(30);
    for (asset, price) in ASSETS.into_iter().zip([100_100.0, 3_003.0, 150.15]) {
        world.post_price(asset, price);
    }
    let outcome = world.refresh(&ASSETS);
    ok(world, outcome);
    world.vm.advance(30);
    for (asset, price) in ASSETS.into_iter().zip([100_000.0, 3_000.0, 150.0]) {
        world.post_price(asset, price);
    }
    let outcome = world.refresh(&ASSETS);
    table.add("refresh_prices, 3 assets", ok(world, outcome).compute_units, 15_000);
    world.set_prices(&[(QUOTE_ASSET, 1.0)]);
}

fn trades(world: &mut World, user: &User, other: &User, table: &mut Table) {
    let outcome = world.trade(BTC_PERP, user, other, 10, 100_400.0);
    let receipt = ok(world, outcome);
    table.add("block_trade, 8 positions on each side", receipt.compute_units, 100_000);
    let price = [100_000, 100_000, 3_000, 3_000].map(|dollars| dollars * PRICE);
    let legs: Vec<_> = [(BTC_PERP, 10), (BTC_FUTURE, -10), (ETH_PERP, 10), (ETH_FUTURE, -10)]
        .iter()
        .zip(price)
        .map(|((instrument, lots), price)| (world.markets[*instrument], TradeLeg { lots: *lots, price }))
        .collect();
    let package = instruction::package_trade(&world.exchange, &legs, &user.account, &other.account);
    let outcome = world.vm.send(&[package], &[&user.key, &other.key]);
    let used = ok(world, outcome).compute_units;
    table.add(
        "block_trade, a package of 4 legs, 8 positions on each side",
        used,
        165_000,
    );
}

/// What eight positions add to the preview of an account that has none, while the slow prices have caught up with the index.
fn linear(world: &mut World, other: &User, table: &mut Table) {
    let user = trader(world, 50_000);
    let summary = |world: &mut World| world.preview(&user.account.margin_account, PreviewSection::Summary).1;
    let empty = summary(world);
    fill_book(world, &user, other, &HEDGED);
    table.add("margin of 8 linear positions", summary(world) - empty, 20_000);
}

fn previews(world: &mut World, user: &User, table: &mut Table) {
    let key = user.account.margin_account;
    let (_, used) = world.preview(&key, PreviewSection::Summary);
    table.add("preview, summary of 8 positions", used, 45_000);
    let (_, used) = world.preview(&key, PreviewSection::Asset { asset: BTC });
    table.add("preview, one asset with 3 positions", used, 15_000);
    let (_, used) = world.preview(&key, PreviewSection::Isolated);
    table.add("preview, isolated margins of 8 positions", used, 45_000);
    let (_, used) = world.preview(&key, PreviewSection::Greeks { first: 0 });
    table.add("preview, greeks of 8 positions", used, 20_000);
    let (_, used) = world.preview(&key, PreviewSection::Risk);
    table.add("preview, value at risk of 8 positions", used, 20_000);
    // Every evaluation that a call makes at most.
    let way = PreviewSection::Distance {
        asset: BTC,
        from: 0,
        to: 10_000_000_000,
        steps: u8::MAX,
    };
    let (_, used) = world.preview(&key, way);
    table.add("preview, distance of BTC, 8 positions", used, 1_000_000);
    let leg = |instrument: usize| PreviewChange::Leg {
        instrument: instrument as u16,
        lots: 100,
        price: 0,
    };
    let changes: Vec<_> = (0..8).map(leg).collect();
    let (_, used) = world.what_if(&key, PreviewSection::Summary, &changes);
    table.add("preview, summary of 8 positions after 8 trades", used, 70_000);
}

fn withdrawals(world: &mut World, user: &User, other: &User, table: &mut Table) {
    let (usd, btc) = (world.usd, world.btc);
    // Fresh fees make losers of all positions at the slow price; the first withdrawal settles them.
    assert_eq!(world.losers(&user.account.margin_account).len(), 8);
    let outcome = world.withdraw(user, &usd, USD);
    let receipt = ok(world, outcome);
    table.add(
        "withdraw, 8 positions, all that lose settle",
        receipt.compute_units,
        60_000,
    );
    assert_eq!(world.losers(&user.account.margin_account).len(), 0);
    let outcome = world.withdraw(user, &usd, USD);
    let receipt = ok(world, outcome);
    table.add(
        "withdraw quote asset, 8 positions in 3 assets",
        receipt.compute_units,
        60_000,
    );
    let outcome = world.withdraw(user, &btc, 1_000);
    let receipt = ok(world, outcome);
    table.add(
        "withdraw collateral, 8 positions in 3 assets",
        receipt.compute_units,
        60_000,
    );
    let outcome = world.settle(&other.account.margin_account, &[0, 1, 2, 3, 4, 5, 6, 7]);
    table.add("settle_pnl, 8 positions", ok(world, outcome).compute_units, 40_000);
}
