//! `preview`: each section against hand calculations, and what it refuses.
use ballast::error::BallastError;
use ballast::instructions::PreviewSection;
use ballast::state::{MarginAccount, RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH, START};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    deposit, edit, pair, second_exchange, trade, trader, BTC_FUTURE, BTC_PERP, BTC_UNIT, DOLLAR, USD,
};
use ballast_tests::{elf, ok, world};

/// A third of a dollar's 10⁻⁸, down.
const THIRD: i64 = 33_333_333;

#[test]
fn summary_adds_up() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT / 10); // 10,000 dollars
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let s = w.summary(&user.account.margin_account);
    // Taker's fee 0.05 % of 100,000 = 50; the first position locks 2.
    assert_eq!(s.unrealised, -50 * DOLLAR);
    assert_eq!(s.equity_maintenance, (30_000 - 2 - 50 + 9_000) * DOLLAR); // haircut 10 %
    assert_eq!(s.equity_initial, (30_000 - 2 - 50 + 8_500) * DOLLAR); // haircut 15 %
    assert_eq!(s.equity_withdrawal, s.equity_initial);
    assert_eq!(s.equity_liquidation, s.equity_maintenance);
    assert_eq!(s.gross, 100_000 * DOLLAR);
    assert_eq!(s.buffer, 500 * DOLLAR);
    // Fall by 4 · 9.5 %, weight ¼: 9,500 and ¼ · (38 % − 10 %) · 10,000 = 700.
    assert_eq!((s.scan, s.charge, s.concentration), (10_200 * DOLLAR, 0, 0));
    assert_eq!((s.short_option_minimum, s.net_option_value), (0, 0));
    assert_eq!(s.initial_margin, 10_700 * DOLLAR);
    assert_eq!(s.maintenance_margin, 7_640 * DOLLAR);
    // 38,948 / 7,640 in 10⁻⁹, down: 5.097905759…
    assert_eq!(s.health, 5_097_905_759);
    assert!(!s.liquidatable);
}

#[test]
fn equities_take_the_worse_of_index_and_slow_price() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    // The price jumps: the slow price has not seen it yet.
    w.set_prices(&[(BTC, 101_000.0)]);
    let long = w.summary(&user.account.margin_account);
    assert_eq!(long.unrealised, 950 * DOLLAR);
    assert_eq!(long.equity_maintenance, (30_000 - 2 + 950) * DOLLAR);
    assert_eq!(long.equity_initial, (30_000 - 2 - 50) * DOLLAR); // slow
    assert_eq!(long.equity_withdrawal, (30_000 - 2 - 50) * DOLLAR);
    assert_eq!(long.initial_margin, 10_100 * DOLLAR); // at the index
                                                      // Maker's fee 0.02 % of 100,000 = 20.
    let short = w.summary(&maker.account.margin_account);
    let equity = (10_000_000 - 2 - 20 - 1_000) * DOLLAR;
    assert_eq!(short.equity_maintenance, equity);
    assert_eq!(short.equity_initial, equity); // index
}

#[test]
fn cash_counts_at_the_quote_assets_worse_price() {
    let mut w = world();
    let (user, btc, usd) = (w.user(), w.btc, w.usd);
    let lender = trader(&mut w, 10_000);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    let outcome = w.withdraw(&user, &usd, 1_000 * USD);
    ok(&w, outcome);
    let equity = |w: &mut World, user: &User| w.summary(&user.account.margin_account).equity_maintenance;
    // Positive cash at min(1, q), negative at max(1, q); the BTC is 90,000 throughout.
    for (quote, positive, negative) in [(0.99, 9_900, 1_000), (1.0, 10_000, 1_000), (1.01, 10_000, 1_010)] {
        w.set_prices(&[(QUOTE_ASSET, quote)]);
        assert_eq!(equity(&mut w, &lender), positive * DOLLAR);
        assert_eq!(equity(&mut w, &user), (90_000 - negative) * DOLLAR);
    }
}

#[test]
fn a_gain_is_not_withdrawable_equity() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    w.set_prices(&[(BTC, 110_000.0)]);
    // Twenty hours at 110,000 bring the slow price there: |gap| · e^(−72000/3600) = 0.00002 dollars.
    w.vm.advance(72_000);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 110_000.0)]);
    let s = w.summary(&user.account.margin_account);
    assert_eq!(s.equity_maintenance, (30_000 - 2 + 9_950) * DOLLAR);
    let slow_gap = (s.equity_maintenance - s.equity_initial) as f64 / DOLLAR as f64;
    assert!((0.0..0.001).contains(&slow_gap), "{slow_gap}");
    assert_eq!(s.equity_withdrawal, (30_000 - 2) * DOLLAR);
}

#[test]
fn asset_section_of_the_basis_trade() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    let a = w.asset_section(&user.account.margin_account, BTC);
    assert_eq!((a.scan, a.bucket_sum), (0, 19_000 * DOLLAR));
    assert_eq!((a.matched_linear, a.matched_all), (100_000 * DOLLAR, 100_000 * DOLLAR));
    assert_eq!((a.spread, a.charge), (11_000 * DOLLAR, 11_000 * DOLLAR)); // (9.5 % + 1.5 %) · 100,000
    assert_eq!((a.concentration, a.buffer, a.net_delta), (0, 1_000 * DOLLAR, 0));
    assert_eq!(a.scenarios, [0; 24]);
    assert_eq!(w.asset_section(&user.account.margin_account, ETH).bucket_sum, 0);
}

#[test]
fn asset_section_of_the_half_hedge() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -5_000, 100_000.0);
    let a = w.asset_section(&user.account.margin_account, BTC);
    assert_eq!((a.scan, a.bucket_sum), (4_750 * DOLLAR, 14_250 * DOLLAR));
    assert_eq!((a.matched_linear, a.matched_all), (50_000 * DOLLAR, 50_000 * DOLLAR));
    assert_eq!((a.spread, a.charge), (5_500 * DOLLAR, 5_500 * DOLLAR)); // 11 % · 50,000
    assert_eq!((a.buffer, a.net_delta), (750 * DOLLAR, 50_000 * DOLLAR));
    // 50,000 net long: 4,750 at one range, a third of it 1,583.33…, floored on both sides of zero.
    let one_third = 1_583 * DOLLAR + THIRD;
    let two_thirds = 3_166 * DOLLAR + 2 * THIRD;
    let full = 4_750 * DOLLAR;
    let expected = [
        [0, 0],
        [one_third, one_third],
        [-one_third - 1, -one_third - 1],
        [two_thirds, two_thirds],
        [-two_thirds - 1, -two_thirds - 1],
        [full, full],
        [-full, -full],
        [-full, full], // ½ · 2 ranges
        [-full, full], // ¼ · 4 ranges
        [full, full],  // ⅛ · 8 ranges, 1/12 · 12 ranges
        [0, 0],
        [0, 0],
    ];
    assert_eq!(a.scenarios.as_slice(), expected.concat());
    assert_eq!(a.worst_scenario, 12); // the first of those that lose most
}

#[test]
fn the_crash_stops_at_95_percent() {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 100.0]);
    // ψ of a listed asset is at most 95 %; with 60 % the falls by 2 and 4 ranges both stop at 95 %.
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].params.scan_range = 600_000_000);
    let (user, maker) = pair(&mut w, 100_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let a = w.asset_section(&user.account.margin_account, BTC);
    assert_eq!(a.scenarios[14], -47_500 * DOLLAR); // ½ · 95 %
    assert_eq!(a.scenarios[16], -23_750 * DOLLAR); // ¼ · 95 %
    assert_eq!(a.scenarios[15], 60_000 * DOLLAR); // ½ · 120 %
    assert_eq!(a.scan, 60_000 * DOLLAR);
}

#[test]
fn writes_nothing_and_asks_for_no_signature() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let before = w.vm.snapshot();
    let key = user.account.margin_account;
    for section in [
        PreviewSection::Summary,
        PreviewSection::Asset { asset: BTC },
        PreviewSection::Isolated,
    ] {
        let accounts = instruction::preview(&w.exchange, &key, section).accounts;
        assert!(accounts.iter().all(|a| !a.is_signer && !a.is_writable));
        w.preview(&key, section);
    }
    assert_eq!(before.changed(&w.vm.snapshot()), vec![]);
}

#[test]
fn refuses_what_is_not_of_the_exchange() {
    let mut w = world();
    let user = trader(&mut w, 100);
    let other = second_exchange(&mut w);
    let foreign = other.open(&mut w, &user);
    let key = user.account.margin_account;
    let section = PreviewSection::Summary;

    let mut wrong = w.exchange;
    wrong.board = other.exchange.board;
    let preview = instruction::preview(&wrong, &key, section);
    refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[preview], &[]));
    let preview = instruction::preview(&w.exchange, &foreign.margin_account, section);
    refuses(&mut w, BallastError::WrongExchange, |w| w.vm.send(&[preview], &[]));
    let preview = instruction::preview(&w.exchange, &key, section);
    checks_every_account(&mut w, &preview, &[]);
}

#[test]
fn refuses_an_asset_that_is_not_listed() {
    let mut w = world();
    let key = trader(&mut w, 100).account.margin_account;
    for asset in [3, 31, 32, QUOTE_ASSET] {
        let preview = instruction::preview(&w.exchange, &key, PreviewSection::Asset { asset });
        refuses(&mut w, BallastError::AssetNotListed, |w| w.vm.send(&[preview], &[]));
    }
}

#[test]
fn refuses_a_position_without_a_price() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let (key, board) = (user.account.margin_account, w.exchange.board);
    edit::<RiskBoard>(&mut w, &board, |b| {
        (b.assets[0].price.index, b.assets[0].price.slow) = (0, 0)
    });
    for section in [
        PreviewSection::Summary,
        PreviewSection::Asset { asset: BTC },
        PreviewSection::Isolated,
    ] {
        let preview = instruction::preview(&w.exchange, &key, section);
        refuses(&mut w, BallastError::PriceMissing, |w| w.vm.send(&[preview], &[]));
    }
    // What it does not hold needs no price.
    assert_eq!(w.asset_section(&maker.account.margin_account, ETH).scan, 0);
}

#[test]
fn refuses_positions_past_what_can_be_computed() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let key = user.account.margin_account;
    // 20 billion dollars of gross notional are the most: 200,000 BTC.
    for (lots, fits) in [
        (2_000_000_000, true),
        (2_000_000_001, false),
        (i64::MAX, false),
        (i64::MIN, false),
    ] {
        edit::<MarginAccount>(&mut w, &key, |a| a.positions[0].lots = lots);
        let preview = instruction::preview(&w.exchange, &key, PreviewSection::Summary);
        if fits {
            assert_eq!(w.summary(&key).gross, 20_000_000_000 * DOLLAR);
        } else {
            refuses(&mut w, BallastError::MathOverflow, |w| w.vm.send(&[preview], &[]));
        }
    }
}

#[test]
fn refuses_a_position_of_an_earlier_generation() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |a| a.positions[0].generation = 0);
    let preview = instruction::preview(&w.exchange, &key, PreviewSection::Summary);
    refuses(&mut w, BallastError::StaleGeneration, |w| w.vm.send(&[preview], &[]));
}

#[test]
fn refuses_versions_that_it_does_not_know() {
    let mut w = world();
    let key = trader(&mut w, 100).account.margin_account;
    for version in [0, 2, 255] {
        edit::<MarginAccount>(&mut w, &key, |a| a.version = version);
        let preview = instruction::preview(&w.exchange, &key, PreviewSection::Summary);
        refuses(&mut w, BallastError::WrongVersion, |w| w.vm.send(&[preview], &[]));
    }
    edit::<MarginAccount>(&mut w, &key, |a| a.version = 1);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.version = 2);
    let preview = instruction::preview(&w.exchange, &key, PreviewSection::Summary);
    refuses(&mut w, BallastError::WrongVersion, |w| w.vm.send(&[preview], &[]));
}
