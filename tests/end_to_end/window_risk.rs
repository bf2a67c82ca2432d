//! What the preview reports of positions in a settlement window whose mean is not the index, and beside others that have settled.
use ballast::instructions::{DistanceReport, Greeks, PreviewReport, PreviewSection, RiskTotals};
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_sim::world::{User, World, BTC};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// A move of 100 %.
const ONE: i64 = 1_000_000_000;

fn refresh(w: &mut World, price: f64) {
    w.post_price(BTC, price);
    w.post_price(QUOTE_ASSET, 1.0);
    let outcome = w.refresh(&[QUOTE_ASSET, BTC]);
    ok(w, outcome);
}

/// Fifteen buckets at 100,000, then an index of so much: a quarter is fixed.
fn quarter(w: &mut World, index: f64) {
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    refresh(w, index);
}

fn greeks(w: &mut World, user: &User) -> Greeks {
    match w
        .preview(&user.account.margin_account, PreviewSection::Greeks { first: 0 })
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

fn walk(w: &mut World, user: &User, steps: u8) -> DistanceReport {
    let section = PreviewSection::Distance {
        asset: BTC,
        from: 0,
        to: -ONE,
        steps,
    };
    match w.preview(&user.account.margin_account, section).0 {
        PreviewReport::Distance(distance) => distance,
        other => panic!("another section: {other:?}"),
    }
}

#[track_caller]
fn near(value: i64, expected: f64) {
    let value = value as f64 / 1e8;
    assert!((value / expected - 1.0).abs() < 1e-7, "{value} against {expected}");
}

/// One BTC at an index of 104,000 with a quarter fixed at 100,000: the other three quarters move with the index, 78,000 dollars of it, and the
/// mark of 103,000 does not come in. VaR: 3.2 % · 2.326347874 of that.
#[test]
fn what_is_open_moves_with_the_index() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    quarter(&mut w, 104_000.0);
    let btc = greeks(&mut w, &user).assets[0];
    near(btc.delta, 78_000.0);
    assert!((btc.delta_units - 750_000_000).abs() <= 1, "{}", btc.delta_units);
    let all = totals(&mut w, &user);
    near(all.delta, 78_000.0);
    near(all.value_at_risk, 0.032 * 78_000.0 * 2.326_347_874);
    // Which is what the account's value does when the index moves by 1 % of 104,000.
    let key = user.account.margin_account;
    let before = w.summary(&key).unrealised;
    w.vm.advance(1);
    refresh(&mut w, 105_040.0);
    near(w.summary(&key).unrealised - before, 780.0);
}

/// A perpetual bought and a future sold at 100,000; the future settles at ¼ · 100,000 + ¾ · 104,000 = 103,000 and nobody has taken it out
/// yet. Then it loses 3,000 whatever comes, and only the perpetual moves: 13,102 less the 2 that are locked and fees of 100 make equity
/// P − 90,000, which is under 7.15 % of P below 90,000 / 0.9285 = 96,930.533118, 6.7975643096… % under 104,000.
#[test]
fn a_settled_position_beside_a_live_one() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    set_cash(&mut w, &user, 13_102 * USD as i64);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    w.walk_window(BTC, expiry, [16, 60], |_| 104_000.0);
    refresh(&mut w, 104_000.0);
    near(greeks(&mut w, &user).assets[0].delta, 104_000.0);
    near(totals(&mut w, &user).value_at_risk, 0.032 * 104_000.0 * 2.326_347_874);
    let found = walk(&mut w, &user, 1);
    assert_eq!((found.safe, found.liquidatable), (-67_975_643, Some(-67_975_644)));
    // The loss in cash changes nothing of it: 2 stay locked for the perpetual.
    let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
    ok(&w, outcome);
    assert_eq!(walk(&mut w, &user, 1), found);
}

/// Down to nothing a quarter of the forward stays: a future bought at 100,000 loses no more than 75,000.
#[test]
fn a_fall_to_nothing_leaves_what_is_fixed() {
    let mut w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let put = list_option(&mut w, BTC, InstrumentKind::Put, expiry, 100_000);
    let (safe, maker) = pair(&mut w, 80_000);
    let (hedged, short) = (trader(&mut w, 20_000), trader(&mut w, 50_000));
    let outcome = publish(&mut w, BTC, &[flat(expiry, 60)]);
    ok(&w, outcome);
    for user in [&safe, &hedged, &short] {
        trade(&mut w, BTC_FUTURE, user, &maker, 10_000, 100_000.0);
    }
    let board = w.board();
    let listed = board.instruments[put];
    let mark = board.mark(&listed, w.vm.now()).expect("a mark").0;
    let price = mark / listed.tick_size * listed.tick_size;
    let outcome = w.trade_at(put, &hedged, &maker, 10_000, price);
    ok(&w, outcome);
    quarter(&mut w, 100_000.0);
    let nothing = DistanceReport {
        safe: -ONE,
        liquidatable: None,
    };
    // 80,000 less 52 of fee and lock, less 75,000. What is bought as a put pays what the future loses.
    for user in [&safe, &hedged] {
        assert_eq!(walk(&mut w, user, 8), nothing);
        let whole = w.report(&user.account.margin_account, &[]);
        assert!(whole.is_ok(), "{:?}", whole.err());
    }
    // 49,948 − 75 % of the fall: gone at 33,402.67, and some way before it no longer enough.
    let found = walk(&mut w, &short, 8);
    let by = found.liquidatable.expect("an end");
    assert!(
        by < found.safe && (-665_973_333..-500_000_000).contains(&by),
        "{found:?}"
    );
    for (by, expected) in [(found.safe, false), (by, true)] {
        w.vm.advance(1);
        refresh(&mut w, 100_000.0 + by as f64 / 1e4);
        assert_eq!(w.summary(&short.account.margin_account).liquidatable, expected, "{by}");
    }
}
