//! `refresh_prices`: every guard that a price passes, from both sides.
use ballast::error::BallastError;
use ballast_sim::world::{PriceMessage, Verification, World, BTC, ETH, RECEIVERS};
use ballast_tests::ok;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{list_priced_asset, PRICE};

use crate::refresh_prices::{btc, later, message};

/// Posts the message for BTC and expects it on the board.
#[track_caller]
fn accepts(w: &mut World, message: &PriceMessage) {
    w.post(BTC, message);
    let outcome = w.refresh(&[BTC]);
    ok(w, outcome);
    assert_eq!(btc(w).publish_time, message.publish_time);
}

#[track_caller]
fn refuses_message(w: &mut World, message: &PriceMessage, error: BallastError) {
    w.post(BTC, message);
    refuses(w, error, |w| w.refresh(&[BTC]));
}

#[test]
fn age() {
    let mut w = later();
    let (now, good) = (w.vm.now(), message(&w));
    let aged = |age| PriceMessage {
        publish_time: now - age,
        ..good
    };
    refuses_message(&mut w, &aged(61), BallastError::StalePrice);
    accepts(&mut w, &aged(60));
}

#[test]
fn the_future() {
    let mut w = later();
    let (now, good) = (w.vm.now(), message(&w));
    refuses_message(
        &mut w,
        &PriceMessage {
            publish_time: now + 1,
            ..good
        },
        BallastError::PriceFromFuture,
    );
    refuses_message(
        &mut w,
        &PriceMessage {
            publish_time: i64::MAX,
            ..good
        },
        BallastError::PriceFromFuture,
    );
    accepts(&mut w, &good);
}

#[test]
fn time_that_runs_backwards() {
    let mut w = later();
    let (now, good) = (w.vm.now(), message(&w));
    accepts(
        &mut w,
        &PriceMessage {
            publish_time: now - 10,
            ..good
        },
    );
    refuses_message(
        &mut w,
        &PriceMessage {
            publish_time: now - 11,
            ..good
        },
        BallastError::PriceRegressed,
    );
    w.vm.advance(1); // a source takes one update a slot
    accepts(
        &mut w,
        &PriceMessage {
            publish_time: now - 9,
            ..good
        },
    );
}

#[test]
fn times_before_the_epoch() {
    let mut w = later();
    let good = message(&w);
    for publish_time in [0, -1, i64::MIN] {
        refuses_message(&mut w, &PriceMessage { publish_time, ..good }, BallastError::StalePrice);
    }
}

#[test]
fn confidence() {
    let mut w = later();
    let good = message(&w);
    // At most 2 % of the price.
    let at_most = good.price.unsigned_abs() / 50;
    for confidence in [at_most + 1, u64::MAX] {
        refuses_message(
            &mut w,
            &PriceMessage { confidence, ..good },
            BallastError::PriceTooUncertain,
        );
    }
    accepts(
        &mut w,
        &PriceMessage {
            confidence: at_most,
            ..good
        },
    );
    assert_eq!(btc(&w).confidence, 1_800 * PRICE);
}

#[test]
fn sign() {
    let mut w = later();
    let good = message(&w);
    for price in [0, -1, i64::MIN] {
        let wrong = PriceMessage {
            price,
            confidence: 0,
            ..good
        };
        refuses_message(&mut w, &wrong, BallastError::PriceNotPositive);
    }
    accepts(
        &mut w,
        &PriceMessage {
            price: 100,
            confidence: 0,
            ..good
        },
    );
    assert_eq!(btc(&w).index, 1_000); // 100 · 10⁻⁸ dollars
}

#[test]
fn exponent() {
    let mut w = later();
    let good = message(&w);
    for exponent in [1, -19, i32::MIN, i32::MAX] {
        let wrong = PriceMessage { exponent, ..good };
        refuses_message(&mut w, &wrong, BallastError::PriceBadExponent);
    }
    accepts(
        &mut w,
        &PriceMessage {
            exponent: 0,
            price: 90_000,
            confidence: 3,
            ..good
        },
    );
    assert_eq!((btc(&w).index, btc(&w).confidence), (90_000 * PRICE, 3 * PRICE));
}

#[test]
fn the_smallest_exponent_rounds_the_price_down_and_the_confidence_up() {
    let mut w = later();
    let good = message(&w);
    // 9.2 · 10¹⁸ · 10⁻¹⁸ = 9.2 dollars and a bit.
    let fine = PriceMessage {
        exponent: -18,
        price: 9_200_000_000_999_999_999,
        confidence: 1,
        ..good
    };
    accepts(&mut w, &fine);
    assert_eq!((btc(&w).index, btc(&w).confidence), (9_200_000_000, 1));
}

#[test]
fn prices_that_round_to_nothing_or_leave_the_range() {
    let mut w = later();
    let good = message(&w);
    let tiny = PriceMessage {
        exponent: -18,
        price: 999_999_999,
        confidence: 0,
        ..good
    };
    refuses_message(&mut w, &tiny, BallastError::PriceNotPositive);
    let huge = PriceMessage {
        exponent: 0,
        price: 9_223_372_037,
        confidence: 0,
        ..good
    };
    refuses_message(&mut w, &huge, BallastError::PriceOutOfRange);
    // The largest that fits, 9.2 billion dollars, is accepted as the first price of an asset.
    let asset = list_priced_asset(&mut w, "DEAR", 9_223_372_036.0);
    assert_eq!(w.board().assets[usize::from(asset)].price.index, 9_223_372_036 * PRICE);
}

#[test]
fn feed_id() {
    let mut w = later();
    let good = message(&w);
    let mut feed_id = good.feed_id;
    feed_id[31] ^= 1;
    refuses_message(&mut w, &PriceMessage { feed_id, ..good }, BallastError::PriceWrongFeed);
    let feed_id = w.feed_id(ETH);
    refuses_message(&mut w, &PriceMessage { feed_id, ..good }, BallastError::PriceWrongFeed);
}

#[test]
fn verification() {
    let mut w = later();
    let good = message(&w);
    for signatures in [0, 1, 13, 255] {
        let verification = Verification::Partial(signatures);
        refuses_message(
            &mut w,
            &PriceMessage { verification, ..good },
            BallastError::PriceNotVerified,
        );
    }
    let account = w.price_account(BTC);
    let mut data = good.account_data(w.vm.clock().slot);
    data[40] = 2; // no such level
    w.vm.put(account, RECEIVERS[0], data);
    refuses(&mut w, BallastError::PriceWrongLayout, |w| w.refresh(&[BTC]));
}

#[test]
fn owner() {
    let mut w = later();
    let good = message(&w);
    let account = w.price_account(BTC);
    let push_oracle = anchor_lang::prelude::pubkey!("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT");
    for owner in [push_oracle, ballast::ID, anchor_lang::system_program::ID] {
        w.vm.put(account, owner, good.account_data(w.vm.clock().slot));
        refuses(&mut w, BallastError::PriceWrongOwner, |w| w.refresh(&[BTC]));
    }
    for (n, receiver) in RECEIVERS.into_iter().enumerate() {
        w.vm.advance(1);
        let update = PriceMessage {
            publish_time: w.vm.now(),
            price: good.price + n as i64,
            ..good
        };
        w.vm.put(account, receiver, update.account_data(w.vm.clock().slot));
        let outcome = w.refresh(&[BTC]);
        ok(&w, outcome);
        assert_eq!(btc(&w).index, 90_000 * PRICE + 10 * n as i64);
    }
}

#[test]
fn layout() {
    let mut w = later();
    let account = w.price_account(BTC);
    let good = message(&w).account_data(w.vm.clock().slot);
    let mut other_type = good.clone();
    other_type[0] ^= 1;
    let short = good[..good.len() - 1].to_vec();
    let mut long = good.clone();
    long.push(0);
    for data in [other_type, short, long, vec![], good[..8].to_vec(), vec![0; good.len()]] {
        w.vm.put(account, RECEIVERS[0], data);
        refuses(&mut w, BallastError::PriceWrongLayout, |w| w.refresh(&[BTC]));
    }
    w.vm.put(account, RECEIVERS[0], good);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
}
