//! `refresh_prices`: what reaches the board. The guards are in `price_guards`.
use ballast::error::BallastError;
use ballast::state::{PriceFeed, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{PriceMessage, World, BTC, ETH, SOL};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::PRICE;
use ballast_tests::{ok, world};

/// A world a hundred seconds after its first prices, whose clock no test of this file moves without saying so.
pub(crate) fn later() -> World {
    let mut w = world();
    w.vm.advance(100);
    w
}

/// A good message for BTC at 90,000 dollars, published now.
pub(crate) fn message(w: &World) -> PriceMessage {
    PriceMessage::new(w.feed_id(BTC), 90_000.0, w.vm.now())
}

pub(crate) fn btc(w: &World) -> PriceFeed {
    w.board().assets[usize::from(BTC)].price
}

#[test]
fn index_confidence_and_slow_price_reach_the_board() {
    let mut w = world();
    w.vm.advance(59);
    let now = w.vm.now();
    let update = PriceMessage {
        confidence: 5_050_000_000, // 50.50 dollars, 0.05 %
        ..PriceMessage::new(w.feed_id(BTC), 101_000.0, now)
    };
    w.post(BTC, &update);
    let outcome = w.refresh(&[BTC]);
    let receipt = ok(&w, outcome);
    let feed = btc(&w);
    assert_eq!(feed.index, 101_000 * PRICE);
    assert_eq!((feed.confidence, feed.width), (50 * PRICE + PRICE / 2, 500_000));
    assert_eq!((feed.publish_time, feed.slot), (w.vm.now(), w.vm.clock().slot));
    // The slow price follows the index that stood until now, which was itself.
    assert_eq!(feed.slow, 100_000 * PRICE);
    assert!(
        receipt.logs.iter().any(|line| line.starts_with("Program data: ")),
        "the event is log data"
    );
    assert!(receipt.events.is_empty());

    w.vm.advance(60);
    w.post_price(BTC, 100_000.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    // 60 s at a time constant of 3,600 s close 1 − e^(−1/60) = 0.016528546 of the gap of 1,000 dollars: 16.528546 dollars.
    let risen = btc(&w).slow - 100_000 * PRICE;
    assert!((risen - 16_528_546_000).abs() < 10_000, "{risen}");
}

#[test]
fn the_slow_price_has_a_top_speed() {
    let mut w = world();
    w.vm.advance(1);
    w.post_price(BTC, 200_000.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    w.vm.advance(36);
    w.post_price(BTC, 200_000.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    // 36 s would close 1 % of the gap of 100,000; 20 % an hour are 0.2 % of 100,000 in 36 s.
    assert_eq!(btc(&w).slow, 100_200 * PRICE);
}

/// Somebody posts a newer price of one asset between a wallet's look and its transaction: its other prices still reach the board.
#[test]
fn an_older_update_in_a_batch_is_passed_over() {
    let mut w = later();
    let now = w.vm.now();
    let at = |w: &World, asset, price, time| PriceMessage::new(w.feed_id(asset), price, time);
    let newer = at(&w, BTC, 100_500.0, now);
    w.post(BTC, &newer);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    let (older, eth) = (at(&w, BTC, 99_000.0, now - 1), at(&w, ETH, 3_100.0, now - 1));
    w.post(BTC, &older);
    w.post(ETH, &eth);
    let before = btc(&w);
    let outcome = w.refresh(&[BTC, ETH]);
    ok(&w, outcome);
    assert_eq!(btc(&w), before);
    let feed = w.board().assets[usize::from(ETH)].price;
    assert_eq!((feed.index, feed.publish_time), (3_100 * PRICE, now - 1));
    // Nothing in this one is news.
    let older = at(&w, ETH, 3_000.0, now - 2);
    w.post(ETH, &older);
    refuses(&mut w, BallastError::PriceRegressed, |w| w.refresh(&[ETH, BTC]));
}

#[test]
fn several_assets_and_the_quote_asset_at_once() {
    let mut w = later();
    for (asset, price) in [(QUOTE_ASSET, 0.999), (BTC, 1.0), (ETH, 2.0), (SOL, 3.0)] {
        w.post_price(asset, price);
    }
    let outcome = w.refresh(&[SOL, QUOTE_ASSET, BTC, ETH]);
    ok(&w, outcome);
    let board = w.board();
    let indices = [0, 1, 2].map(|a| board.assets[a].price.index);
    assert_eq!(indices, [PRICE, 2 * PRICE, 3 * PRICE]);
    assert_eq!(board.quote.index, 999_000_000);
}

#[test]
fn the_same_update_twice_changes_nothing() {
    let mut w = later();
    let message = message(&w);
    w.post(BTC, &message);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    let before = w.vm.snapshot();
    let outcome = w.refresh(&[BTC]);
    let receipt = ok(&w, outcome);
    assert_eq!(before.changed(&w.vm.snapshot()), vec![]);
    assert!(!receipt.logs.iter().any(|line| line.starts_with("Program data: ")));
    // Another price with the same time does not replace the first.
    w.post(
        BTC,
        &PriceMessage {
            price: message.price * 2,
            ..message
        },
    );
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    assert_eq!(btc(&w).index, 90_000 * PRICE);
}

#[test]
fn names_and_accounts_must_match() {
    let mut w = later();
    w.post_price(BTC, 90_000.0);
    w.post_price(ETH, 2_900.0);
    let (btc, eth) = (w.price_account(BTC), w.price_account(ETH));
    refuses(&mut w, BallastError::ZeroAmount, |w| w.refresh(&[]));
    for (assets, error) in [
        (vec![(3, btc)], BallastError::AssetNotListed),
        (vec![(254, btc)], BallastError::AssetNotListed),
        (vec![(BTC, eth), (ETH, btc)], BallastError::PriceWrongFeed),
        (vec![(QUOTE_ASSET, btc)], BallastError::PriceWrongFeed),
    ] {
        let refresh = instruction::refresh_prices(&w.exchange, &assets);
        refuses(&mut w, error, |w| w.vm.send(&[refresh], &[]));
    }
    let mut missing = instruction::refresh_prices(&w.exchange, &[(BTC, btc), (ETH, eth)]);
    missing.accounts.pop();
    refuses(&mut w, BallastError::PriceAccountsMismatch, |w| {
        w.vm.send(&[missing], &[])
    });
    let mut extra = instruction::refresh_prices(&w.exchange, &[(BTC, btc), (ETH, eth)]);
    extra.accounts.push(extra.accounts[1].clone());
    refuses(&mut w, BallastError::PriceAccountsMismatch, |w| {
        w.vm.send(&[extra], &[])
    });
}

#[test]
fn the_board_is_checked() {
    let mut w = later();
    w.post_price(BTC, 90_000.0);
    let refresh = instruction::refresh_prices(&w.exchange, &[(BTC, w.price_account(BTC))]);
    checks_every_account(&mut w, &refresh, &[]);
}
