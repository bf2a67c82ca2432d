//! What has ended and is not wound up yet: what it counts for while its feed is silent, and that it can still be liquidated.
use ballast::error::BallastError;
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{list_future, pair, trade, trader, BTC_PERP, DAY, ETH_FUTURE};
use ballast_tests::{ok, world};

/// Ten ETH of futures bought at 3,000 and settled at 3,500, and 1 BTC sold at 100,000 on the gain: 6,000 of cash less 2 that are locked, less
/// fees of 15 and 50, plus 5,000, are 10,933 against a maintenance margin of 7,150.
fn short_on_a_settled_gain() -> (World, User, User) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 6_000);
    trade(&mut w, ETH_FUTURE, &user, &maker, 10_000, 3_000.0);
    let expiry = w.board().instruments[ETH_FUTURE].expiry;
    w.expire_at(ETH, expiry, 3_500.0);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    trade(&mut w, BTC_PERP, &user, &maker, -10_000, 100_000.0);
    (w, user, maker)
}

/// Nobody prices ETH any more, as after the end of its last instrument. What the position is worth stands: it counts whole before the winner
/// is settled, while it waits for the loser, and as cash.
#[test]
fn a_settled_gain_outlives_its_feed() {
    let (mut w, user, maker) = short_on_a_settled_gain();
    let key = user.account.margin_account;
    w.vm.advance(3_700);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    let holds = |w: &mut World| {
        let summary = w.summary(&key);
        assert_eq!(summary.equity_liquidation, 1_093_300_000_000);
        assert_eq!(summary.maintenance_margin, 715_000_000_000);
        refuses(w, BallastError::AccountHealthy, |w| w.flag(&key));
    };
    holds(&mut w);
    let outcome = w.settle_expiry(&key, ETH_FUTURE);
    ok(&w, outcome);
    let waits = w.margin_account(&key);
    assert_eq!((waits.positions[1].lots, waits.positions[1].quote), (0, 4_985_000_000));
    holds(&mut w);
    for user in [&maker, &user] {
        let outcome = w.settle_expiry(&user.account.margin_account, ETH_FUTURE);
        ok(&w, outcome);
    }
    assert_eq!(w.margin_account(&key).cash, 10_983_000_000);
    holds(&mut w);
}

/// A settled loss is owed whatever else the account has: a paper profit in the same asset, whose feed is dead, does not cover it.
#[test]
fn a_dead_feeds_profit_covers_no_settled_loss() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let later = w.board().instruments[ETH_FUTURE].expiry + DAY;
    let future = list_future(&mut w, ETH, later, 0);
    trade(&mut w, ETH_FUTURE, &user, &maker, -10_000, 3_000.0);
    trade(&mut w, future, &user, &maker, 10_000, 3_000.0);
    let expiry = w.board().instruments[ETH_FUTURE].expiry;
    w.expire_at(ETH, expiry, 3_500.0);
    let key = user.account.margin_account;
    let before = w.summary(&key);
    // 30,000 less the 2 that are locked, fees of 15 each, and nothing made or lost.
    assert_eq!(before.equity_liquidation, 2_996_800_000_000);
    w.vm.advance(3_700);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    // The gain of 5,000 covers 8.9 % of 35,000, what the position itself requires: 3,115. The loss of 5,000 and its fee count whole.
    let dead = w.summary(&key);
    assert_eq!(dead.maintenance_margin, 311_500_000_000);
    assert_eq!(dead.equity_liquidation, (29_998 - 5_015 + 3_115) * 100_000_000);
    // Settling it changes nothing of that.
    let outcome = w.settle_expiry(&key, ETH_FUTURE);
    ok(&w, outcome);
    assert_eq!(w.summary(&key).equity_liquidation, dead.equity_liquidation);
}

/// Calls of ten ETH at 3,000 sold on 8,000, whose surface is published `before` the expiry for the last time. Few prints came in the window,
/// and the price is back an hour after the expiry, at 3,900: F is over 3,600 and the seller short of margin.
fn short_calls_after_the_end(before: i64) -> (Desk, User, usize) {
    let mut d = Desk::new(65);
    let call = d.option(InstrumentKind::Call, 3_000, 24);
    let maker = trader(&mut d.w, 1_000_000);
    let user = d.trader(8_000.0);
    d.open(&[(call, -10.0)], &user, &maker);
    let expiry = d.w.board().instruments[call].expiry;
    d.w.walk_window(ETH, expiry, [1, 10], |_| 3_000.0);
    d.w.wait_until(expiry - before - 1);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    d.w.wait_until(expiry - before);
    let outcome = d.publish(65);
    ok(&d.w, outcome);
    d.w.wait_until(expiry + 3_600);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_900.0)]);
    let outcome = d.w.flag(&user.account.margin_account);
    ok(&d.w, outcome);
    d.w.vm.advance(2); // to a later slot
    (d, user, call)
}

/// After the expiry nobody can publish: a surface that was fresh then serves until the price stands.
#[test]
fn options_are_liquidated_between_expiry_and_price() {
    let (mut d, user, call) = short_calls_after_the_end(900);
    let keeper = trader(&mut d.w, 1_000_000);
    let outcome = d.w.liquidate(call, &user.account, &keeper, 1_000);
    ok(&d.w, outcome);
    assert_eq!(
        d.w.margin_account(&user.account.margin_account).positions[0].lots,
        -9_000
    );
    // Trading is over all the same.
    let legs = d.legs(&[(call, 1.0)]);
    refuses(&mut d.w, BallastError::InstrumentExpired, |w| {
        w.trade_package(&user, &keeper, &legs)
    });
}

#[test]
fn a_surface_that_was_stale_at_the_expiry_stays_so() {
    let (mut d, user, call) = short_calls_after_the_end(901);
    let keeper = trader(&mut d.w, 1_000_000);
    refuses(&mut d.w, BallastError::SurfaceStale, |w| {
        w.liquidate(call, &user.account, &keeper, 1_000)
    });
}
