//! `preview`'s greeks, value at risk and savings against closed forms and hand calculations.
use ballast::error::BallastError;
use ballast::instructions::{AssetGreeks, Greeks, PreviewReport, PreviewSection, RiskTotals, GREEKS_PAGE};
use ballast::state::{InstrumentKind, MarginAccount, RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

fn greeks(w: &mut World, user: &User, first: u8) -> Greeks {
    match w
        .preview(&user.account.margin_account, PreviewSection::Greeks { first })
        .0
    {
        PreviewReport::Greeks(greeks) => greeks,
        other => panic!("another section: {other:?}"),
    }
}

fn totals(w: &mut World, user: &User) -> RiskTotals {
    match w.preview(&user.account.margin_account, PreviewSection::Risk).0 {
        PreviewReport::Risk(totals) => totals,
        other => panic!("another section: {other:?}"),
    }
}

/// φ(x).
fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/15 + …).
fn distribution(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..60 {
        term *= x * x / f64::from(2 * n + 1);
        sum += term;
    }
    0.5 + density(x) * sum
}

/// Black-76 of one option: delta, gamma, vega, theta (a year), undiscounted.
fn black(call: bool, forward: f64, strike: f64, sigma: f64, years: f64) -> [f64; 4] {
    let total = sigma * years.sqrt();
    let d1 = (forward / strike).ln() / total + total / 2.0;
    let delta = distribution(d1) - if call { 0.0 } else { 1.0 };
    [
        delta,
        density(d1) / (forward * total),
        forward * density(d1) * years.sqrt(),
        -forward * density(d1) * sigma / (2.0 * years.sqrt()),
    ]
}

#[track_caller]
fn near(value: i64, scale: f64, expected: f64) {
    let value = value as f64 / scale;
    assert!(
        (value - expected).abs() <= 1e-7 * expected.abs() + 2e-7,
        "{value} against {expected}"
    );
}

/// ETH at 3,000 with a basis of 1 % in thirty days on a flat surface of 65 %: 10 calls at 3,000 bought, 4 puts at 2,700 sold, 8 futures sold;
/// and a BTC perpetual bought.
fn book() -> (World, User) {
    let mut w = world();
    let expiry = w.vm.now() + 30 * DAY;
    let future = list_future(&mut w, ETH, expiry, 10_000_000);
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 3_000);
    let put = list_option(&mut w, ETH, InstrumentKind::Put, expiry, 2_700);
    let mut surface = flat(expiry, 65);
    surface.basis = 10_000_000;
    let outcome = publish(&mut w, ETH, &[surface]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 200_000);
    let board = w.board();
    for (instrument, lots) in [(call, 10_000), (put, -4_000), (future, -8_000), (BTC_PERP, 10_000)] {
        let listed = board.instruments[instrument];
        let mark = board.mark(&listed, w.vm.now()).unwrap().0;
        let price = mark / listed.tick_size * listed.tick_size;
        let outcome = w.trade_at(instrument, &user, &maker, lots, price);
        ok(&w, outcome);
    }
    (w, user)
}

#[test]
fn greeks_are_the_closed_forms() {
    let (mut w, user) = book();
    let page = greeks(&mut w, &user, 0);
    assert_eq!(page.next, None);
    let [btc, eth] = page.assets[..] else {
        panic!("{page:?}");
    };
    let linear = AssetGreeks {
        asset: BTC,
        delta_units: 1_000_000_000,
        delta: 100_000 * DOLLAR,
        ..AssetGreeks::default()
    };
    assert_eq!(btc, linear);
    assert_eq!(eth.asset, ETH);
    let (forward, years) = (3_030.0, 30.0 / 365.0);
    let (call, put) = (
        black(true, forward, 3_000.0, 0.65, years),
        black(false, forward, 2_700.0, 0.65, years),
    );
    let sum = |n: usize| 10.0 * call[n] - 4.0 * put[n];
    // A rise of the index by 1 % is one of the forward by 1 %, 30.30 dollars.
    let delta = (sum(0) - 8.0) * forward;
    let gamma = sum(1) * forward * forward / 100.0;
    near(eth.delta, 1e8, delta);
    near(eth.gamma, 1e8, gamma);
    near(eth.vega, 1e8, sum(2) / 100.0);
    near(eth.theta, 1e8, sum(3) / 365.0);
    near(eth.delta_units, 1e9, delta / 3_000.0);
    near(eth.gamma_units, 1e9, gamma / 3_000.0);
    assert_eq!(eth.free_collateral, 0);
    // The second page.
    assert_eq!(greeks(&mut w, &user, ETH).assets, vec![eth]);
    assert_eq!(greeks(&mut w, &user, ETH + 1), Greeks::default());

    let all = totals(&mut w, &user);
    assert_eq!((all.delta, all.gamma), (btc.delta + eth.delta, eth.gamma));
    assert_eq!((all.vega, all.theta), (eth.vega, eth.theta));
    // 3.2 % of BTC, 4.1 % of ETH, correlated by 0.85.
    let (a, b) = (0.032 * 100_000.0, 0.041 * delta);
    let deviation = (a * a + b * b + 2.0 * 0.85 * a * b).sqrt();
    near(all.value_at_risk, 1e8, 2.326_347_874 * deviation);
    assert_eq!(all.value_at_risk_with_collateral, all.value_at_risk);
}

/// The greeks are slopes of the account's own value: it moves by delta and half of gamma when the price does.
#[test]
fn delta_and_gamma_are_slopes_of_the_equity() {
    let (mut w, user) = book();
    let eth = greeks(&mut w, &user, ETH).assets[0];
    let board = w.exchange.board;
    let mut unrealised = |price: i64| {
        edit::<RiskBoard>(&mut w, &board, |b| b.assets[1].price.index = price * PRICE);
        w.summary(&user.account.margin_account).unrealised as f64 / 1e8
    };
    // One per cent either way.
    let (down, here, up) = (unrealised(2_970), unrealised(3_000), unrealised(3_030));
    let slope = (up - down) / 0.02;
    let curve = (up - 2.0 * here + down) / (0.01 * 0.01) / 100.0;
    assert!((slope / (eth.delta as f64 / 1e8) - 1.0).abs() < 1e-3, "{slope}");
    assert!((curve / (eth.gamma as f64 / 1e8) - 1.0).abs() < 2e-3, "{curve}");
}

#[test]
fn collateral_counts_where_it_covers_a_short() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_PERP, &user, &maker, -4_000, 100_000.0);
    let page = greeks(&mut w, &user, 0);
    let covered = AssetGreeks {
        asset: BTC,
        free_collateral: 60_000 * DOLLAR,
        ..AssetGreeks::default()
    };
    assert_eq!(page.assets, vec![covered]);
    let all = totals(&mut w, &user);
    assert_eq!((all.delta, all.value_at_risk), (0, 0));
    // 60,000 · 3.2 % · 2.326347874.
    assert_eq!(all.value_at_risk_with_collateral, 446_658_791_808);
    // Collateral alone, and a short beyond it.
    trade(&mut w, BTC_PERP, &user, &maker, -8_000, 100_000.0);
    let page = greeks(&mut w, &user, 0);
    assert_eq!(
        (page.assets[0].delta, page.assets[0].delta_units),
        (-20_000 * DOLLAR, -200_000_000)
    );
    assert_eq!(page.assets[0].free_collateral, 0);
}

#[test]
fn the_isolated_section_says_what_is_saved() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let key = user.account.margin_account;
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let saving = |w: &mut World| {
        let isolated = w.isolated(&key);
        (isolated.saving_initial, isolated.saving_maintenance)
    };
    assert_eq!(saving(&mut w), (0, 0));
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    // 20,000 against 12,000, and 14,300 against 8,700.
    assert_eq!(saving(&mut w), (8_000 * DOLLAR, 5_600 * DOLLAR));
    // Wrong-way collateral: 0.1 BTC to a long perpetual alone asks for 700 of K more, 490 of them for MM.
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT / 10);
    assert_eq!(saving(&mut w), (-700 * DOLLAR, -490 * DOLLAR));
}

#[test]
fn greeks_come_by_the_page() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 5_000_000);
    // One lot is a unit of 10⁻⁹ here: as many of them as make 100 dollars.
    for n in 0..15 {
        let asset = list_priced_asset(&mut w, &format!("MID{n}"), 1.0);
        let perpetual = list_perpetual(&mut w, asset);
        let lot = w.board().instruments[perpetual].lot_size;
        trade(&mut w, perpetual, &user, &maker, 100 * 1_000_000_000 / lot, 1.0);
        w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    }
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0);
    trade(&mut w, SOL_PERP, &user, &maker, 1_000, 150.0);
    let first = greeks(&mut w, &user, 0);
    assert_eq!((first.assets.len(), first.next), (GREEKS_PAGE, Some(17)));
    let assets: Vec<u8> = first.assets.iter().map(|a| a.asset).collect();
    assert_eq!(assets, (1..17).collect::<Vec<u8>>());
    assert_eq!(first.assets[5].delta, 100 * DOLLAR);
    let second = greeks(&mut w, &user, 17);
    assert_eq!((second.assets.len(), second.next), (1, None));
    // Fifteen times 6.5 % of 100, 4.1 % of 3,000, 6 % of 1,500, each pair correlated by 0.8: (1 − 0.8)·Σ(σΔ)² + 0.8·(ΣσΔ)².
    let (squares, sum) = (
        15.0 * 6.5f64.powi(2) + 123f64.powi(2) + 90f64.powi(2),
        15.0 * 6.5 + 123.0 + 90.0,
    );
    let expected = 2.326_347_874 * (0.2 * squares + 0.8 * sum * sum).sqrt();
    near(totals(&mut w, &user).value_at_risk, 1e8, expected);
}

/// 5,000 dollars of each of two instruments at 10⁻⁶ dollars are 10¹⁰ units, 10¹⁹ of 10⁻⁹: more than a number holds. (The owner's open interest
/// refuses such a trade, so a small one is enlarged.) BTC is told beside it.
#[test]
fn dust_hides_no_other_greeks() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    let dust = list_priced_asset(&mut w, "DUST", 1e-6);
    let expiry = w.vm.now() + 30 * DAY;
    let listed = [list_perpetual(&mut w, dust), list_future(&mut w, dust, expiry, 0)];
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| {
        for instrument in listed {
            (b.instruments[instrument].lot_size, b.instruments[instrument].tick_size) = (1_000_000_000_000_000, 1);
        }
    });
    for instrument in listed {
        trade(&mut w, instrument, &user, &maker, 50, 1e-6);
    }
    trade(&mut w, BTC_PERP, &user, &maker, 100, 100_000.0);
    for (who, side) in [(&user, 1), (&maker, -1)] {
        edit::<MarginAccount>(&mut w, &who.account.margin_account, |a| {
            for position in a.positions.iter_mut().filter(|p| p.asset == dust) {
                position.lots *= 100;
            }
        });
        let page = greeks(&mut w, who, 0).assets;
        let told: Vec<_> = page.iter().map(|a| (a.asset, a.delta, a.delta_units)).collect();
        let end = if side > 0 { i64::MAX } else { i64::MIN };
        let btc = (BTC, side * 1_000 * DOLLAR, side * 10_000_000);
        assert_eq!(told, [btc, (dust, side * 10_000 * DOLLAR, end)]);
    }
}

#[test]
fn refuses_greeks_without_prices_or_surfaces() {
    let (mut w, user) = book();
    let (key, board) = (user.account.margin_account, w.exchange.board);
    let sections = [PreviewSection::Greeks { first: 0 }, PreviewSection::Risk];
    edit::<RiskBoard>(&mut w, &board, |b| {
        for expiry in &mut b.assets[1].expiries {
            expiry.surface_time = 0;
        }
    });
    for section in sections {
        let preview = instruction::preview(&w.exchange, &key, section);
        refuses(&mut w, BallastError::SurfaceMissing, |w| w.vm.send(&[preview], &[]));
    }
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].price.index = 0);
    for section in sections {
        let preview = instruction::preview(&w.exchange, &key, section);
        refuses(&mut w, BallastError::PriceMissing, |w| w.vm.send(&[preview], &[]));
    }
}
