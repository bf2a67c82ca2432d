//! `preview`'s distances: the moves it names, made on the board.
use ballast::error::BallastError;
use ballast::instructions::{DistanceReport, PreviewReport, PreviewSection};
use ballast::state::{InstrumentKind, MarginAccount, RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// A move of 100 %.
const ONE: i64 = 1_000_000_000;
/// The farthest moves.
const UP: i64 = 10 * ONE;
const DOWN: i64 = -ONE;

fn walk(w: &mut World, user: &User, asset: u8, from: i64, to: i64, steps: u8) -> DistanceReport {
    let section = PreviewSection::Distance { asset, from, to, steps };
    match w.preview(&user.account.margin_account, section).0 {
        PreviewReport::Distance(distance) => distance,
        other => panic!("another section: {other:?}"),
    }
}

/// Moves the index of an asset on the board by so much of `price` and asks whether the account could be flagged.
fn liquidatable_after(w: &mut World, user: &User, asset: u8, price: f64, by: i64) -> bool {
    let moved = price + price * by as f64 / 1e9;
    w.set_prices(&[(asset, moved)]);
    let liquidatable = w.summary(&user.account.margin_account).liquidatable;
    w.set_prices(&[(asset, price)]);
    liquidatable
}

/// Equity is P − 90,000 and MM 7.15 % of P: the account falls under it at 90,000 / 0.9285 = 96,930.533118, a fall of 3.0694668820… %.
#[test]
fn a_long_perpetual_to_the_last_unit() {
    let (mut w, user, _) = long_btc();
    let down = walk(&mut w, &user, BTC, 0, DOWN, 1);
    assert_eq!((down.safe, down.liquidatable), (-30_694_668, Some(-30_694_669)));
    for (by, expected) in [(-30_694_668, false), (-30_694_669, true)] {
        assert_eq!(liquidatable_after(&mut w, &user, BTC, 100_000.0, by), expected, "{by}");
    }
    // More steps, or a start nearer to it, change nothing.
    assert_eq!(walk(&mut w, &user, BTC, 0, DOWN, 20), down);
    assert_eq!(walk(&mut w, &user, BTC, -20_000_000, -40_000_000, 1), down);
    // A rise never does it, nor does what it does not hold.
    let none = |safe| DistanceReport {
        safe,
        liquidatable: None,
    };
    assert_eq!(walk(&mut w, &user, BTC, 0, UP, 8), none(UP));
    assert_eq!(walk(&mut w, &user, BTC, 0, -30_694_668, 1), none(-30_694_668));
    assert_eq!(walk(&mut w, &user, ETH, 0, DOWN, 8), none(DOWN));
    // Behind it the distance is none.
    let here = DistanceReport {
        safe: -50_000_000,
        liquidatable: Some(-50_000_000),
    };
    assert_eq!(walk(&mut w, &user, BTC, -50_000_000, DOWN, 8), here);
    w.set_prices(&[(BTC, 96_000.0)]);
    let now = DistanceReport {
        safe: 0,
        liquidatable: Some(0),
    };
    assert_eq!(walk(&mut w, &user, BTC, 0, UP, 8), now);
}

/// A hedged book with collateral in two assets: every end is found, both ways, and holds on the board.
#[test]
fn a_book_over_several_assets() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 9_000);
    let (btc, sol) = (w.btc, w.sol);
    deposit(&mut w, &user, &btc, BTC_UNIT / 10);
    deposit(&mut w, &user, &sol, 20 * SOL_UNIT);
    trade(&mut w, BTC_PERP, &user, &maker, 6_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -2_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, -15_000, 3_000.0);
    trade(&mut w, SOL_FUTURE, &user, &maker, -10_000, 150.0);
    let mut met = 0;
    for (asset, price) in [(BTC, 100_000.0), (ETH, 3_000.0), (SOL, 150.0)] {
        for to in [UP, DOWN] {
            let found = walk(&mut w, &user, asset, 0, to, 8);
            let Some(by) = found.liquidatable else {
                assert_eq!(found.safe, to);
                continue;
            };
            met += 1;
            assert_eq!((by - found.safe).abs(), 1, "{found:?}");
            // The price on the board has eight decimals: SOL's is rounded by less than a tenth of 10⁻⁹.
            assert!(
                !liquidatable_after(&mut w, &user, asset, price, found.safe),
                "{found:?}"
            );
            assert!(liquidatable_after(&mut w, &user, asset, price, by), "{found:?}");
        }
    }
    assert!(met >= 3, "{met}");
}

/// A short strangle of ETH, thirty days out at 65 %, with 3,000 dollars.
fn strangle() -> (World, User) {
    let mut w = world();
    let expiry = w.vm.now() + 30 * DAY;
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 3_300);
    let put = list_option(&mut w, ETH, InstrumentKind::Put, expiry, 2_700);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 8_000);
    for option in [call, put] {
        let board = w.board();
        let listed = board.instruments[option];
        let mark = board.mark(&listed, w.vm.now()).unwrap().0;
        let outcome = w.trade_at(
            option,
            &user,
            &maker,
            -8_000,
            mark / listed.tick_size * listed.tick_size,
        );
        ok(&w, outcome);
    }
    (w, user)
}

/// Walks in 10 % steps and narrows call by call, as a client does.
fn nearest(w: &mut World, user: &User, to: i64) -> DistanceReport {
    let mut found = walk(w, user, ETH, 0, to, 10);
    for _ in 0..8 {
        let Some(by) = found.liquidatable else { break };
        if (by - found.safe).abs() <= 1_000 {
            break;
        }
        found = walk(w, user, ETH, found.safe, by, 1);
    }
    found
}

#[test]
fn a_short_strangle_both_ways() {
    let (mut w, user) = strangle();
    for to in [ONE, DOWN] {
        let found = nearest(&mut w, &user, to);
        let by = found.liquidatable.expect("a strangle has two ends");
        assert!((by - found.safe).abs() <= 1_000, "{found:?}");
        assert!(
            !liquidatable_after(&mut w, &user, ETH, 3_000.0, found.safe),
            "{found:?}"
        );
        assert!(liquidatable_after(&mut w, &user, ETH, 3_000.0, by), "{found:?}");
        // Nothing nearer: a hundredth of the way each.
        for n in 1..=99 {
            assert!(!liquidatable_after(&mut w, &user, ETH, 3_000.0, found.safe / 100 * n));
        }
    }
}

/// A price that is stale moves in the account's favour first, as the trigger has it: the distance is farther than with a fresh one.
#[test]
fn a_stale_price_is_as_far_as_the_trigger_sees_it() {
    let (mut w, user, _) = long_btc();
    w.vm.advance(600);
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    let down = walk(&mut w, &user, BTC, 0, DOWN, 1);
    // 601 seconds old, off by 9.5 % · √(601/86,400) = 0.79232611423 %: equity P·1.0079232611 − 90,000 against 7.15 % of P.
    // 90,000 / 0.9364232611423 = 96,110.384838, which is 3.8896151616 % down; what it is off by rounds up.
    assert_eq!((down.safe, down.liquidatable), (-38_896_152, Some(-38_896_153)));
}

/// A put bought and a future sold 0.1 % below the index gain from any fall, to nothing. Forwards with that basis stay above nothing: neither
/// the distance nor the client's whole report is refused.
#[test]
fn a_fall_to_nothing_below_the_index() {
    let mut w = world();
    let expiry = w.vm.now() + 30 * DAY;
    let put = list_option(&mut w, ETH, InstrumentKind::Put, expiry, 3_000);
    let future = list_future(&mut w, ETH, expiry, 0);
    w.vm.advance(600);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    let mut below = flat(expiry, 65);
    below.basis = -1_000_000;
    let outcome = publish(&mut w, ETH, &[below]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 10_000);
    for (instrument, lots) in [(put, 1_000), (future, -1_000)] {
        let board = w.board();
        let listed = board.instruments[instrument];
        let mark = board.mark(&listed, w.vm.now()).unwrap().0;
        let price = mark / listed.tick_size * listed.tick_size;
        let outcome = w.trade_at(instrument, &user, &maker, lots, price);
        ok(&w, outcome);
    }
    let nothing = DistanceReport {
        safe: DOWN,
        liquidatable: None,
    };
    assert_eq!(walk(&mut w, &user, ETH, 0, DOWN, 4), nothing);
    // The other side of it loses 3,000 on the future and as much again on the put.
    let short = walk(&mut w, &maker, ETH, 0, DOWN, 4);
    assert_eq!(short, nothing, "with 10,000 dollars it holds");
    let whole = w.report(&user.account.margin_account, &[]);
    assert!(whole.is_ok(), "{:?}", whole.err());
}

/// A step into a span too wide to be narrowed in one call gives a bracket that the next one takes up.
#[test]
fn moves_are_looked_at_in_the_order_of_the_way() {
    let (mut w, user) = strangle();
    let coarse = walk(&mut w, &user, ETH, 0, ONE, 2);
    let fine = walk(&mut w, &user, ETH, 0, ONE, 40);
    for found in [coarse, fine] {
        let by = found.liquidatable.unwrap();
        assert!(found.safe >= 0 && by > found.safe && by <= ONE, "{found:?}");
    }
    assert!((coarse.liquidatable.unwrap() - fine.liquidatable.unwrap()).abs() < 30_000_000);
}

#[test]
fn refuses_what_is_no_way() {
    let (mut w, user, _) = long_btc();
    let key = user.account.margin_account;
    let mut refuse = |error, asset, from, to, steps| {
        let section = PreviewSection::Distance { asset, from, to, steps };
        let preview = instruction::preview(&w.exchange, &key, section);
        refuses(&mut w, error, |w| w.vm.send(&[preview], &[]));
    };
    let invalid = BallastError::InvalidParameter;
    refuse(invalid, BTC, 0, 0, 1);
    refuse(invalid, BTC, 0, DOWN, 0);
    refuse(invalid, BTC, 0, DOWN - 1, 1);
    refuse(invalid, BTC, 0, UP + 1, 1);
    refuse(invalid, BTC, i64::MIN, i64::MAX, 1);
    refuse(BallastError::AssetNotListed, 3, 0, DOWN, 1);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].price.index = 0);
    let section = PreviewSection::Distance {
        asset: BTC,
        from: 0,
        to: DOWN,
        steps: 1,
    };
    let preview = instruction::preview(&w.exchange, &key, section);
    refuses(&mut w, BallastError::PriceMissing, |w| w.vm.send(&[preview], &[]));
}

/// Past what can be computed there is no distance: the way has to end before.
#[test]
fn refuses_moves_past_what_can_be_computed() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let key = user.account.margin_account;
    // 3 billion dollars of BTC long and as much cash: seven times that would be past 20 billion.
    edit::<MarginAccount>(&mut w, &key, |a| {
        a.positions[0].lots = 300_000_000;
        a.cash = 3_000_000_000_000_000;
    });
    let section = |to| PreviewSection::Distance {
        asset: BTC,
        from: 0,
        to,
        steps: 1,
    };
    let preview = instruction::preview(&w.exchange, &key, section(UP));
    refuses(&mut w, BallastError::MathOverflow, |w| w.vm.send(&[preview], &[]));
    assert_eq!(walk(&mut w, &user, BTC, 0, 5 * ONE, 1).liquidatable, None);
}
