//! The figures of the margin methodology, section 0, through the compiled program's preview.
use ballast_sim::world::{User, World, START};
use ballast_tests::{elf, ok, world};

/// One dollar in 10⁻⁸.
const DOLLAR: i64 = 100_000_000;
/// Instruments in the order of genesis.
const BTC_PERP: usize = 0;
const BTC_FUTURE: usize = 1;
const ETH_PERP: usize = 2;

/// A trader with cash and a market maker deep enough for everything.
fn pair(world: &mut World, cash: u64) -> (User, User) {
    let (trader, maker) = (world.user(), world.user());
    let usd = world.usd;
    let outcome = world.fund(&trader, &usd, cash * 1_000_000);
    ok(world, outcome);
    let outcome = world.fund(&maker, &usd, 10_000_000 * 1_000_000);
    ok(world, outcome);
    (trader, maker)
}

fn margins(world: &mut World, user: &User) -> (i64, i64) {
    let summary = world.summary(&user.account.margin_account);
    (summary.initial_margin, summary.maintenance_margin)
}

#[test]
fn basis_trade_costs_12_000() {
    let mut w = world();
    let (trader, maker) = pair(&mut w, 30_000);
    let outcome = w.trade(BTC_PERP, &trader, &maker, 10_000, 100_000.0);
    let receipt = ok(&w, outcome);
    println!("block_trade CU {}", receipt.compute_units);
    assert_eq!(margins(&mut w, &trader).0, 10_000 * DOLLAR);
    let outcome = w.trade(BTC_FUTURE, &trader, &maker, -5_000, 100_000.0);
    ok(&w, outcome);
    assert_eq!(margins(&mut w, &trader).0, 11_000 * DOLLAR);
    let outcome = w.trade(BTC_FUTURE, &trader, &maker, -5_000, 100_000.0);
    let receipt = ok(&w, outcome);
    println!("block_trade CU {}", receipt.compute_units);
    assert_eq!(margins(&mut w, &trader), (12_000 * DOLLAR, 8_700 * DOLLAR));
    assert_eq!(
        w.isolated(&trader.account.margin_account).initial_margin,
        20_000 * DOLLAR
    );
}

#[test]
fn btc_against_eth_costs_13_000() {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 2_500.0, 150.0]);
    let (trader, maker) = pair(&mut w, 30_000);
    let outcome = w.trade(BTC_PERP, &trader, &maker, 10_000, 100_000.0);
    ok(&w, outcome);
    let outcome = w.trade(ETH_PERP, &trader, &maker, -40_000, 2_500.0);
    ok(&w, outcome);
    assert_eq!(margins(&mut w, &trader).0, 13_000 * DOLLAR);
}
