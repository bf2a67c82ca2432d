//! Accounts with eight positions in three assets and two kinds of collateral.
use ballast_sim::world::{User, World, BTC, ETH, SOL, START};
use ballast_tests::setup::{
    deposit, list_future, trade, trader, BTC_FUTURE, BTC_PERP, BTC_UNIT, DAY, ETH_FUTURE, ETH_PERP, SOL_FUTURE,
    SOL_PERP, SOL_UNIT,
};
use ballast_tests::world;

/// The assets with a price.
pub const ASSETS: [u8; 3] = [BTC, ETH, SOL];

/// Genesis and two further futures, on BTC and on ETH, that expire after 90 days with a basis of 1 %.
pub fn eight_instruments() -> World {
    let mut world = world();
    list_future(&mut world, BTC, START + 90 * DAY, 10_000_000);
    list_future(&mut world, ETH, START + 90 * DAY, 10_000_000);
    world
}

/// A wallet with cash, BTC and SOL in its account.
pub fn funded(world: &mut World, dollars: u64) -> User {
    let user = trader(world, dollars);
    let (btc, sol) = (world.btc, world.sol);
    deposit(world, &user, &btc, BTC_UNIT / 100);
    deposit(world, &user, &sol, SOL_UNIT);
    user
}

/// Lots in the eight instruments, hedged in part.
pub const HEDGED: [i64; 8] = [1_000, -500, -2_000, 1_500, 3_000, -1_000, -300, 500];

/// Lots in the eight instruments, all long and mostly BTC: 43 thousand dollars.
pub const LONG: [i64; 8] = [3_000, 200, 1_000, 500, 1_000, 1_000, 200, 500];

/// Gives `user` these positions against `other`, at the marks.
pub fn fill_book(world: &mut World, user: &User, other: &User, lots: &[i64; 8]) {
    let instruments = [
        (BTC_PERP, 100_000.0),
        (BTC_FUTURE, 100_000.0),
        (ETH_PERP, 3_000.0),
        (ETH_FUTURE, 3_000.0),
        (SOL_PERP, 150.0),
        (SOL_FUTURE, 150.0),
        (6, 101_000.0),
        (7, 3_030.0),
    ];
    for ((instrument, price), lots) in instruments.into_iter().zip(lots) {
        trade(world, instrument, user, other, *lots, price);
    }
    assert_eq!(world.margin_account(&user.account.margin_account).position_count, 8);
    assert_eq!(world.margin_account(&other.account.margin_account).position_count, 8);
}
