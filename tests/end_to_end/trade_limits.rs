//! `block_trade`: the price's tick and band, the expiry, the minimum and the open-interest caps, each from both sides.
use ballast::error::BallastError;
use ballast::state::{RiskBoard, QUOTE_ASSET};
use ballast_sim::world::{World, BTC, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{
    btc_trade, edit, list_future, pair, trade, trader, BTC_FUTURE, BTC_PERP, DAY, PRICE, SOL_PERP,
};
use ballast_tests::{elf, ok, world};

#[test]
fn the_price_is_a_positive_multiple_of_the_tick() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    // A tick is 0.10 dollars.
    let tick = PRICE / 10;
    for price in [
        100_000 * PRICE + 1,
        100_000 * PRICE - tick + 1,
        0,
        -tick,
        -100_000 * PRICE,
        i64::MIN,
    ] {
        let trade = btc_trade(&w, &taker, &maker, 1, price);
        refuses(&mut w, BallastError::OffTick, |w| {
            w.vm.send(&[trade], &[&taker.key, &maker.key])
        });
    }
    let trade = btc_trade(&w, &taker, &maker, 1, 100_000 * PRICE + tick);
    let outcome = w.vm.send(&[trade], &[&taker.key, &maker.key]);
    ok(&w, outcome);
}

#[test]
fn the_band_holds_to_the_tick() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    let tick = PRICE / 10;
    // 2 % around 100,000.
    let (low, high) = (98_000 * PRICE, 102_000 * PRICE);
    for price in [low - tick, high + tick, tick, i64::MAX / tick * tick] {
        let trade = btc_trade(&w, &taker, &maker, 1, price);
        refuses(&mut w, BallastError::PriceOutsideBand, |w| {
            w.vm.send(&[trade], &[&taker.key, &maker.key])
        });
    }
    for price in [low, high] {
        let trade = btc_trade(&w, &taker, &maker, 1, price);
        let outcome = w.vm.send(&[trade], &[&taker.key, &maker.key]);
        ok(&w, outcome);
    }
}

#[test]
fn a_futures_band_lies_around_its_own_mark() {
    let mut w = world();
    let future = list_future(&mut w, BTC, START + 180 * DAY, 100_000_000); // mark 110,000
    let (taker, maker) = pair(&mut w, 30_000);
    for price in [107_799.9, 112_200.1] {
        refuses(&mut w, BallastError::PriceOutsideBand, |w| {
            w.trade(future, &taker, &maker, 1, price)
        });
    }
    for price in [107_800.0, 112_200.0] {
        trade(&mut w, future, &taker, &maker, 1, price);
    }
}

#[test]
fn trading_ends_at_the_expiry() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    let expiry = START + 60 * DAY;
    let at = |w: &mut World, time: i64| {
        let gap = time - 1 - w.vm.now();
        w.vm.advance(gap);
        w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]); // takes a second
        assert_eq!(w.vm.now(), time);
    };
    at(&mut w, expiry - 1);
    trade(&mut w, BTC_FUTURE, &taker, &maker, 10, 100_000.0);
    at(&mut w, expiry);
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.trade(BTC_FUTURE, &taker, &maker, 10, 100_000.0)
    });
    // Both would only reduce: what is left is settled, not traded.
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.trade(BTC_FUTURE, &taker, &maker, -10, 100_000.0)
    });
    trade(&mut w, BTC_PERP, &taker, &maker, 10, 100_000.0);
}

#[test]
fn the_minimum_holds_to_the_unit_and_only_for_what_opens() {
    // A lot of 0.01 SOL at 100 dollars is one dollar, the minimum; at 99.9 it is less.
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 100.0]);
    let (taker, maker) = pair(&mut w, 1_000);
    refuses(&mut w, BallastError::TradeTooSmall, |w| {
        w.trade(SOL_PERP, &taker, &maker, 1, 99.999)
    });
    refuses(&mut w, BallastError::TradeTooSmall, |w| {
        w.trade(SOL_PERP, &taker, &maker, -1, 99.999)
    });
    trade(&mut w, SOL_PERP, &taker, &maker, 1, 100.0);
    // Both sides reduce: any size will do.
    trade(&mut w, SOL_PERP, &taker, &maker, -1, 99.999);
}

#[test]
fn an_owners_open_interest_is_capped_to_the_lot() {
    let mut w = world();
    let (user, maker) = (trader(&mut w, 20_000_000), trader(&mut w, 20_000_000));
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| {
        b.assets[0].owner_open_interest_cap = 100_000 * 100_000_000
    }); // 1 BTC
    refuses(&mut w, BallastError::OwnerOpenInterestCapExceeded, |w| {
        w.trade(BTC_PERP, &user, &maker, 10_001, 100_000.0)
    });
    trade(&mut w, BTC_PERP, &user, &maker, 6_000, 100_000.0);
    // A hedge counts as well: the cap is on what the owner has open, not on its net.
    refuses(&mut w, BallastError::OwnerOpenInterestCapExceeded, |w| {
        w.trade(BTC_FUTURE, &user, &maker, -4_001, 100_000.0)
    });
    trade(&mut w, BTC_FUTURE, &user, &maker, -4_000, 100_000.0);
    // Over the cap by a rise of the price: reductions go through, additions do not.
    w.set_prices(&[(BTC, 101_000.0)]);
    refuses(&mut w, BallastError::OwnerOpenInterestCapExceeded, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 101_000.0)
    });
    trade(&mut w, BTC_PERP, &user, &maker, -1, 101_000.0);
}

#[test]
fn an_instruments_open_interest_is_capped_to_the_lot() {
    let mut w = world();
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| {
        b.assets[0].instrument_open_interest_cap = 100_000 * 100_000_000
    }); // 1 BTC
    let (a, b) = (trader(&mut w, 100_000), trader(&mut w, 100_000));
    let (c, d) = (trader(&mut w, 100_000), trader(&mut w, 100_000));
    trade(&mut w, BTC_PERP, &a, &b, 6_000, 100_000.0);
    refuses(&mut w, BallastError::OpenInterestCapExceeded, |w| {
        w.trade(BTC_PERP, &c, &d, 4_001, 100_000.0)
    });
    trade(&mut w, BTC_PERP, &c, &d, 4_000, 100_000.0);
    // A position that changes hands does not add.
    trade(&mut w, BTC_PERP, &c, &a, 1_000, 100_000.0);
    assert_eq!(w.market(BTC_PERP).open_interest, 10_000);
    // Another instrument has its own.
    trade(&mut w, BTC_FUTURE, &c, &d, 1_000, 100_000.0);
}

#[test]
fn refuses_what_leaves_the_range() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    for lots in [i64::MAX, i64::MIN, 1 << 50, -(1 << 50)] {
        let trade = btc_trade(&w, &taker, &maker, lots, 100_000 * PRICE);
        refuses(&mut w, BallastError::MathOverflow, |w| {
            w.vm.send(&[trade], &[&taker.key, &maker.key])
        });
    }
}
