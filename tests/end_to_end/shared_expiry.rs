//! A delisted perpetual and a future that end at the same second: one average and one slot for both, which comes free with the last of them.
use ballast::state::Asset;
use ballast_risk::settlement_window::WINDOW_SECONDS;
use ballast_sim::world::{User, World, BTC};
use ballast_tests::setup::{fund_at, list_future, pair, trade, BTC_FUTURE, BTC_PERP, DAY, PRICE};
use ballast_tests::{ok, world};

fn btc(w: &World) -> Asset {
    w.board().assets[usize::from(BTC)]
}

/// A user long 1 BTC of the perpetual and short 1 BTC of a future of the same end, from 100,000, against a maker; the future, and the end.
fn both() -> (World, [User; 2], usize, i64) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    let end = w.vm.now() + 3 * DAY;
    let future = list_future(&mut w, BTC, end, 0);
    let outcome = w.delist(BTC_PERP, end);
    ok(&w, outcome);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, future, &user, &maker, -10_000, 100_000.0);
    (w, [user, maker], future, end)
}

/// With a quarter fixed each leg's scan is 7,125 and both cancel; matched are 75,000 at 11 %, 8,250; the buffer is 0.5 % of both.
#[test]
fn a_hedge_of_one_end_stays_one_in_the_window() {
    let (mut w, [user, _], _, end) = both();
    fund_at(&mut w, BTC_PERP, end - 3_600);
    w.walk_window(BTC, end, [1, 15], |_| 100_000.0);
    let margin = w.summary(&user.account.margin_account).initial_margin as f64 / 1e8;
    assert!((margin - 9_250.0).abs() < 1e-4, "{margin}");
    w.walk_window(BTC, end, [16, 60], |_| 100_000.0);
    assert_eq!(w.summary(&user.account.margin_account).initial_margin, 0);
}

/// 30 buckets at 100,000 and 30 at 102,000: both settle at 101,000, whichever is wound up first, and the slot outlives the first.
#[test]
fn the_slot_comes_free_with_the_last() {
    for first in [0, 1] {
        let (mut w, users, future, end) = both();
        let slot = usize::from(w.board().instruments[future].expiry_slot);
        assert_eq!(usize::from(w.board().instruments[BTC_PERP].expiry_slot), slot);
        w.walk_window(BTC, end, [1, 30], |_| 100_000.0);
        w.walk_window(BTC, end, [31, 60], |_| 102_000.0);
        let mut order = [BTC_PERP, future];
        order.rotate_left(first);
        for (n, instrument) in order.into_iter().enumerate() {
            // The loser pays first: of the perpetual the maker, of the future the user.
            let [user, maker] = &users;
            let payers = if instrument == future {
                [user, maker]
            } else {
                [maker, user]
            };
            for payer in payers {
                let outcome = w.settle_expiry(&payer.account.margin_account, instrument);
                ok(&w, outcome);
            }
            let outcome = w.close_instrument(instrument);
            ok(&w, outcome);
            let after = btc(&w);
            if n == 0 {
                let kept = &after.expiries[slot];
                assert_eq!(
                    (kept.time, kept.settlement_price(end).map(|p| p.0)),
                    (end, Some(101_000 * PRICE))
                );
                assert_eq!(after.settles_from, end - WINDOW_SECONDS);
            } else {
                assert_eq!(after.expiries[slot].time, 0);
                // What is left is the future of genesis.
                let next = w.board().instruments[BTC_FUTURE].expiry;
                assert_eq!(after.settles_from, next - WINDOW_SECONDS);
            }
        }
        // 1,000 won and lost; fees of 50 on either trade, of 20 for the maker.
        let cash = users
            .each_ref()
            .map(|user| w.margin_account(&user.account.margin_account).cash);
        assert_eq!(cash, [49_900_000_000, 9_999_960_000_000]);
    }
}

/// With the last expiry of an asset nothing settles any more.
#[test]
fn an_asset_without_expiries_settles_nothing() {
    let mut w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 100_000.0);
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    assert_eq!(btc(&w).settles_from, i64::MAX);
}
