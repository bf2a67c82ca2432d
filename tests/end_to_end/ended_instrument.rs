//! Between an instrument's end and its settlement price, and after that: what is still taken over, settled, withdrawn and cancelled.
use ballast::error::BallastError;
use ballast::state::{InstrumentKind, OrderId, QUOTE_ASSET};
use ballast_sim::invariants::Leg;
use ballast_sim::world::{limit, User, World, BTC, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

/// A user long one BTC future with 12,000, half an hour after whose window began only thirty buckets have a print, all of 100,000: three
/// quarters of the price are fixed, and it does not stand.
fn ended() -> (World, User, User) {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 12_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.walk_window(BTC, expiry, [1, 30], |_| 100_000.0);
    w.wait_until(expiry);
    (w, user, maker)
}

fn btc(w: &mut World, price: f64) {
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, price)]);
}

fn sound(w: World) {
    w.watch.expect("a watch").verdict().expect("every invariant");
}

/// At 56,000 the forward is (3 · 100,000 + 56,000)/4 = 89,000: 948 are left of 11,948, and a quarter of the scan asks for more.
#[test]
fn a_future_is_taken_over_until_its_price_stands() {
    let (mut w, user, maker) = ended();
    btc(&mut w, 56_000.0);
    let key = user.account.margin_account;
    assert_eq!(w.summary(&key).equity_maintenance, 948 * DOLLAR);
    let outcome = w.flag(&key);
    ok(&w, outcome);
    btc(&mut w, 56_000.0);
    let outcome = w.liquidate(BTC_FUTURE, &user.account, &maker, 1_000);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&key).positions[0].lots, 9_000);
    sound(w);
}

/// Ten calls of 3,000 written for some 400 with 6,000 behind them. At 5,440 the forward is 3,610: they are worth 6,100.
#[test]
fn an_option_is_taken_over_until_its_price_stands() {
    let mut d = Desk::new(65);
    d.w.watch = Some(Default::default());
    let call = d.option(InstrumentKind::Call, 3_000, 24);
    let (user, maker) = pair(&mut d.w, 6_000);
    d.open(&[(call, -10.0)], &user, &maker);
    let expiry = d.w.board().instruments[call].expiry;
    d.w.walk_window(ETH, expiry, [1, 30], |_| 3_000.0);
    d.w.wait_until(expiry - 60);
    let outcome = d.publish(65);
    ok(&d.w, outcome);
    d.w.wait_until(expiry);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 5_440.0)]);
    let key = user.account.margin_account;
    let equity = d.summary(&user).equity_maintenance;
    assert!((200 * DOLLAR..400 * DOLLAR).contains(&equity), "{equity}");
    let outcome = d.w.flag(&key);
    ok(&d.w, outcome);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 5_440.0)]);
    let outcome = d.w.liquidate(call, &user.account, &maker, 1_000);
    ok(&d.w, outcome);
    assert_eq!(d.w.margin_account(&key).positions[0].lots, -9_000);
    sound(d.w);
}

/// Once it stands nothing can be taken over, alone or in a package with what goes on.
#[test]
fn nothing_is_taken_over_once_the_price_stands() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 30_000);
    for instrument in [BTC_FUTURE, BTC_PERP] {
        trade(&mut w, instrument, &user, &maker, 10_000, 100_000.0);
    }
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 92_000.0);
    btc(&mut w, 82_000.0);
    // 29,898 less 8,000 and 18,000 are under 7.15 % of 82,000.
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    btc(&mut w, 82_000.0);
    for legs in [
        &[(BTC_FUTURE, 1_000)][..],
        &[(BTC_PERP, 1_000), (BTC_FUTURE, 1_000)],
        &[(BTC_FUTURE, 1_000), (BTC_PERP, 1_000)],
    ] {
        refuses(&mut w, BallastError::InstrumentExpired, |w| {
            w.liquidate_package(legs, &user.account, &maker)
        });
    }
    let outcome = w.liquidate(BTC_PERP, &user.account, &maker, 1_000);
    ok(&w, outcome);
    sound(w);
}

/// A package with a leg that has ended is refused whole, whatever the other leg does.
#[test]
fn a_package_ends_with_its_first_leg_to_end() {
    let (mut w, user, maker) = ended();
    btc(&mut w, 100_000.0);
    w.update_due_funding([BTC_PERP]);
    let leg = |instrument, lots| Leg {
        instrument,
        lots,
        price: 100_000 * PRICE,
    };
    for legs in [
        [leg(BTC_PERP, 100), leg(BTC_FUTURE, -100)],
        [leg(BTC_FUTURE, -100), leg(BTC_PERP, 100)],
    ] {
        refuses(&mut w, BallastError::InstrumentExpired, |w| {
            w.trade_package(&user, &maker, &legs)
        });
    }
    let outcome = w.trade_package(&user, &maker, &[leg(BTC_PERP, 100)]);
    ok(&w, outcome);
    sound(w);
}

/// It settles as it did before: at the slow price's mark while index and slow price agree.
#[test]
fn profit_and_loss_go_on_settling_before_the_price_stands() {
    let (mut w, user, maker) = ended();
    btc(&mut w, 100_000.0);
    let outcome = w.settle(&user.account.margin_account, &[BTC_FUTURE]);
    ok(&w, outcome);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.cash, account.positions[0].lots), (11_948_000_000, 10_000));
    btc(&mut w, 90_000.0);
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&user.account.margin_account, &[BTC_FUTURE])
    });
    for user in [&user, &maker] {
        refuses(&mut w, BallastError::SettlementPending, |w| {
            w.settle_expiry(&user.account.margin_account, BTC_FUTURE)
        });
    }
    sound(w);
}

/// At 90,000 the forward is 97,500: a loss of 2,500 that does not settle, and a margin of 2,625 on what is open. Of the 11,948 that leaves
/// 6,823.
#[test]
fn a_withdrawal_leaves_what_is_owed_before_the_price_stands() {
    let (mut w, user, _) = ended();
    btc(&mut w, 90_000.0);
    let usd = w.usd;
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 6_824 * USD)
    });
    let outcome = w.withdraw(&user, &usd, 6_600 * USD);
    ok(&w, outcome);
    sound(w);
}

/// Orders of an ended instrument only leave: by their owner, by the number or all, and by anyone.
#[test]
fn orders_only_leave_what_has_ended() {
    let mut w = watched();
    let (user, other) = pair(&mut w, 50_000);
    for price in [99_000.0, 98_000.0] {
        let outcome = w.place(BTC_FUTURE, &user, limit(100, price));
        ok(&w, outcome);
    }
    for (instrument, price) in [(BTC_FUTURE, 101_000.0), (BTC_PERP, 101_000.0)] {
        let outcome = w.place(instrument, &other, limit(-100, price));
        ok(&w, outcome);
    }
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.wait_until(expiry);
    btc(&mut w, 100_000.0);
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.place(BTC_FUTURE, &user, limit(100, 99_000.0))
    });
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.place(BTC_FUTURE, &user, limit(100, 101_000.0))
    });
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    let outcome = w.cancel(BTC_FUTURE, &user, OrderId::Sequence(1));
    ok(&w, outcome);
    let outcome = w.cancel_all(&user, &[BTC_FUTURE]);
    ok(&w, outcome);
    // One order of somebody who has no position there still keeps the market.
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    let outcome = w.cancel_stale(BTC_FUTURE, &[other.account.margin_account], Some(&user));
    ok(&w, outcome);
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    for (user, left) in [(&user, 0), (&other, 1)] {
        assert_eq!(w.margin_account(&user.account.margin_account).order_count(), left);
    }
    sound(w);
}
