//! The figures of the margin methodology, section 0, through the compiled program's preview.
//!
//! One BTC is 100,000 dollars, one ETH 2,500: so 10,000 lots of BTC and 40,000 lots of ETH are 100,000 dollars.
use ballast_sim::world::{User, World, BTC, ETH, SOL, START};
use ballast_tests::elf;
use ballast_tests::setup::{
    deposit, list_future, pair, trade, trader, BTC_FUTURE, BTC_PERP, BTC_UNIT, DAY, DOLLAR, ETH_PERP, SOL_PERP,
    SOL_UNIT,
};

const BTC_PRICE: f64 = 100_000.0;
const ETH_PRICE: f64 = 2_500.0;

fn figures() -> World {
    World::starting_at(&elf(), START, [BTC_PRICE, ETH_PRICE, 100.0])
}

/// Cross IM and MM in 10⁻⁸ dollars.
fn cross(world: &mut World, user: &User) -> (i64, i64) {
    let summary = world.summary(&user.account.margin_account);
    (summary.initial_margin, summary.maintenance_margin)
}

fn isolated(world: &mut World, user: &User) -> (i64, i64) {
    let isolated = world.isolated(&user.account.margin_account);
    (isolated.initial_margin, isolated.maintenance_margin)
}

fn dollars(initial: i64, maintenance: i64) -> (i64, i64) {
    (initial * DOLLAR, maintenance * DOLLAR)
}

#[test]
fn an_outright_perpetual_costs_10_000() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    // 9.5 % + 0.5 %; 0.7 · 9.5 % + 0.5 %
    assert_eq!(cross(&mut w, &user), dollars(10_000, 7_150));
    assert_eq!(isolated(&mut w, &user), dollars(10_000, 7_150));
    // A linear book is symmetric: the maker is short the same.
    assert_eq!(cross(&mut w, &maker), dollars(10_000, 7_150));
}

#[test]
fn outright_margins_of_every_asset() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, ETH_PERP, &user, &maker, -40_000, ETH_PRICE);
    // 12 % + 0.5 %; 0.7 · 12 % + 0.5 %
    assert_eq!(cross(&mut w, &user), dollars(12_500, 8_900));
    assert_eq!(isolated(&mut w, &user), dollars(12_500, 8_900));
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, SOL_PERP, &user, &maker, 100_000, 100.0); // 1,000 SOL
                                                            // 19 % + 1 %; 0.7 · 19 % + 1 %
    assert_eq!(cross(&mut w, &user), dollars(20_000, 14_300));
    assert_eq!(isolated(&mut w, &user), dollars(20_000, 14_300));
}

#[test]
fn the_basis_trade_costs_12_000_instead_of_20_000() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, BTC_PRICE);
    // Spread (1 · 9.5 % + 1.5 %) · 100,000 = 11,000 and buffer 0.5 % · 200,000 = 1,000; 0.7 · 11,000 + 1,000.
    assert_eq!(cross(&mut w, &user), dollars(12_000, 8_700));
    assert_eq!(isolated(&mut w, &user), dollars(20_000, 14_300));
}

#[test]
fn the_half_hedge_costs_11_000_instead_of_15_000() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, BTC_FUTURE, &user, &maker, -5_000, BTC_PRICE);
    // Scan 9.5 % · 50,000 = 4,750, spread 11 % · 50,000 = 5,500, buffer 0.5 % · 150,000 = 750; 0.7 · 10,250 + 750.
    assert_eq!(cross(&mut w, &user), dollars(11_000, 7_925));
    assert_eq!(isolated(&mut w, &user), dollars(15_000, 10_725));
}

#[test]
fn btc_against_eth_costs_13_000_instead_of_22_500() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, ETH_PERP, &user, &maker, -40_000, ETH_PRICE);
    // ½ · (9,500 + 12,000) + 2 · ¼ · (12,000 − 9,500) = 12,000 and buffer 1,000; 0.7 · 12,000 + 1,000.
    assert_eq!(cross(&mut w, &user), dollars(13_000, 9_400));
    assert_eq!(isolated(&mut w, &user), dollars(22_500, 16_050));
    let summary = w.summary(&user.account.margin_account);
    assert_eq!(summary.levels, [21_500 * DOLLAR, 2_500 * DOLLAR, 2_500 * DOLLAR, 0]);
    assert_eq!(summary.scan, 12_000 * DOLLAR);
    assert_eq!((summary.buffer, summary.gross), (1_000 * DOLLAR, 200_000 * DOLLAR));
}

#[test]
fn the_same_direction_earns_no_credit() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, ETH_PERP, &user, &maker, 40_000, ETH_PRICE);
    // 9,500 + 12,000 on each level, buffer 1,000; 0.7 · 21,500 + 1,000.
    assert_eq!(cross(&mut w, &user), dollars(22_500, 16_050));
    assert_eq!(isolated(&mut w, &user), dollars(22_500, 16_050));
}

#[test]
fn sol_earns_a_quarter_against_btc() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, SOL_PERP, &user, &maker, -50_000, 100.0); // 500 SOL, 50,000 dollars
                                                            // 9.5 % · 100,000 = 19 % · 50,000: netted they cancel, on one level of weight ¼. ¾ · 19,000 = 14,250, buffers 500 + 500.
                                                            // A third of a range is rounded against the account in either leg, so the sum may lie a unit a position above.
    let (initial, maintenance) = cross(&mut w, &user);
    assert!((0..=2).contains(&(initial - 15_250 * DOLLAR)), "{initial}");
    assert!((0..=2).contains(&(maintenance - 10_975 * DOLLAR)), "{maintenance}");
    assert_eq!(isolated(&mut w, &user), dollars(20_000, 14_300));
}

#[test]
fn a_covered_short_costs_5_325() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, BTC_PRICE);
    // Rise: 9,500 lost on the future, 85 % · 9,500 = 8,075 earned by the collateral: scan 1,425.
    // Spread with collateral (0.2 · 9.5 % + 1.5 %) · 100,000 = 3,400; buffer 500; 0.7 · 4,825 + 500 = 3,877.50.
    assert_eq!(cross(&mut w, &user), (5_325 * DOLLAR, 3_877 * DOLLAR + DOLLAR / 2));
    assert_eq!(isolated(&mut w, &user), dollars(10_000, 7_150));
}

#[test]
fn wrong_way_collateral_adds_up() {
    let mut w = figures();
    let (user, maker) = pair(&mut w, 10_000);
    let sol = w.sol;
    deposit(&mut w, &user, &sol, 1_000 * SOL_UNIT); // 100,000 dollars
    trade(&mut w, SOL_PERP, &user, &maker, 10_000, 100.0); // 100 SOL, 10,000 dollars
                                                           // Fall by 19 %: 1,900 lost on the position, nothing on the collateral, whose maintenance haircut of 20 % covers it.
                                                           // Fall by 2 · 19 %, weight ½: 1,900 and ½ · (38 % − 20 %) · 100,000 = 9,000. By 4 · 19 %, weight ¼: 1,900 and ¼ · 56,000 = 14,000.
                                                           // Buffer 1 % · 10,000.
    assert_eq!(cross(&mut w, &user), dollars(16_000, 11_230));
}

#[test]
fn a_future_is_margined_at_its_own_mark() {
    let mut w = figures();
    let future = list_future(&mut w, BTC, START + 90 * DAY, 10_000_000);
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, future, &user, &maker, 10_000, 101_000.0);
    // 10 % and 7.15 % of 101,000
    let expected = (10_100 * DOLLAR, 7_221 * DOLLAR + DOLLAR / 2);
    assert_eq!(cross(&mut w, &user), expected);
    assert_eq!(isolated(&mut w, &user), expected);
}

#[test]
fn concentration_sets_in_above_the_depth() {
    let mut w = figures();
    let maker = trader(&mut w, 40_000_000);
    let user = trader(&mut w, 10_000_000);
    trade(&mut w, SOL_PERP, &user, &maker, 1_000_000, 100.0); // 10,000 SOL, 1 million dollars, depth 5 million
    assert_eq!(w.summary(&user.account.margin_account).concentration, 0);
    trade(&mut w, SOL_PERP, &user, &maker, 9_000_000, 100.0); // 10 million dollars
                                                              // 0.03 · (10 − 5)² / 5 million = 150,000; scan 19 % · 10 million, buffer 1 %.
    let summary = w.summary(&user.account.margin_account);
    assert_eq!(summary.concentration, 150_000 * DOLLAR);
    assert_eq!(summary.scan, 1_900_000 * DOLLAR);
    assert_eq!(summary.initial_margin, 2_150_000 * DOLLAR);
    // 0.7 · 2,050,000 + 100,000
    assert_eq!(summary.maintenance_margin, 1_535_000 * DOLLAR);
}

#[test]
fn a_book_without_positions_requires_nothing() {
    let mut w = figures();
    let user = trader(&mut w, 1_000);
    let summary = w.summary(&user.account.margin_account);
    assert_eq!((summary.initial_margin, summary.maintenance_margin), (0, 0));
    assert_eq!((summary.health, summary.liquidatable), (i64::MAX, false));
    assert_eq!(summary.equity_maintenance, 1_000 * DOLLAR);
    for asset in [BTC, ETH, SOL] {
        assert_eq!(w.asset_section(&user.account.margin_account, asset).scenarios, [0; 24]);
    }
}
