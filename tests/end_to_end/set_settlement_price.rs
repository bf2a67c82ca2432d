//! `set_settlement_price`: only where a day has brought none, for every instrument of the expiry and for no other.
use ballast::error::BallastError;
use ballast::state::InstrumentKind;
use ballast_client::instruction;
use ballast_fixed::Price;
use ballast_sim::world::{World, BTC, ETH, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

fn settled(w: &World, instrument: usize) -> Option<Price> {
    let board = w.board();
    let listed = &board.instruments[instrument];
    let asset = &board.assets[usize::from(listed.asset)];
    asset.settled(listed, w.vm.now()).expect("a listed instrument")
}

/// The last bucket of the day closes as the fortieth in the second in which governance may set a price: the average has it.
#[test]
fn a_price_that_the_last_bucket_makes_stands() {
    let mut w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.walk_window(BTC, expiry, [1, 39], |_| 100_000.0);
    w.walk_window(BTC, expiry, [2_940, 2_940], |_| 140_000.0);
    assert_eq!(w.vm.now(), expiry + DAY);
    // (39 · 100,000 + 140,000)/40.
    assert_eq!(settled(&w, BTC_FUTURE), Some(Price(101_000 * PRICE)));
    refuses(&mut w, BallastError::SettlementStands, |w| {
        w.set_settlement_price(BTC, expiry, 100_000 * PRICE)
    });
    let outcome = w.fix_settlement(BTC, expiry);
    ok(&w, outcome);
}

/// A future, a call and a delisted perpetual end together: one price settles all of them, and nothing of another asset.
#[test]
fn a_price_is_set_for_the_whole_expiry() {
    let mut w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let call = list_option(&mut w, BTC, InstrumentKind::Call, expiry, 90_000);
    let outcome = w.delist(BTC_PERP, expiry);
    ok(&w, outcome);
    w.wait_until(expiry + DAY);
    for (asset, time, error) in [
        (SOL + 1, expiry, BallastError::AssetNotListed),
        (BTC, expiry + 1, BallastError::InvalidExpiry),
        (BTC, 0, BallastError::InvalidExpiry),
        (BTC, -1, BallastError::InvalidExpiry),
    ] {
        refuses(&mut w, error, |w| w.set_settlement_price(asset, time, 95_000 * PRICE));
    }
    // ETH has an expiry of this time, too, at prices of its own.
    refuses(&mut w, BallastError::InvalidParameter, |w| {
        w.set_settlement_price(ETH, expiry, 95_000_000 * PRICE)
    });
    let outcome = w.set_settlement_price(BTC, expiry, 95_000 * PRICE);
    ok(&w, outcome);
    assert_eq!(settled(&w, BTC_FUTURE), Some(Price(95_000 * PRICE)));
    assert_eq!(settled(&w, BTC_PERP), Some(Price(95_000 * PRICE)));
    assert_eq!(settled(&w, call), Some(Price(5_000 * PRICE)));
    assert_eq!(settled(&w, ETH_FUTURE), None);
}

#[test]
fn refuses_another_exchanges_board() {
    let mut w = world();
    let second = second_exchange(&mut w);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.wait_until(expiry + DAY);
    let authority = w.authority.insecure_clone();
    let mut wrong = instruction::set_settlement_price(&w.exchange, &authority.pubkey(), (BTC, expiry), 95_000 * PRICE);
    wrong.accounts[1].pubkey = second.exchange.board;
    refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[&authority]));
}
