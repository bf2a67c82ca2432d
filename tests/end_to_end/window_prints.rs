//! Which prints a settlement average takes: one too large for it, two of one second, and two in one transaction.
use ballast_client::instruction;
use ballast_risk::settlement_window::BUCKETS;
use ballast_sim::world::{PriceMessage, World, BTC};
use ballast_tests::setup::{BTC_FUTURE, PRICE};
use ballast_tests::{ok, world};

/// Settlement record's buckets with a print, and the price; 0 while there is none.
fn settled(w: &World) -> (u16, i64) {
    let board = w.board();
    let slot = board.assets[usize::from(BTC)]
        .expiry(&board.instruments[BTC_FUTURE])
        .expect("an expiry");
    let average = slot.average(w.vm.now());
    (average.filled, average.price)
}

fn window() -> (World, i64) {
    let w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    (w, expiry)
}

/// So many cents, published now.
fn message(w: &World, cents: i64) -> PriceMessage {
    PriceMessage {
        price: cents,
        confidence: 1,
        exponent: -2,
        ..PriceMessage::new(w.feed_id(BTC), 1.0, w.vm.now())
    }
}

fn print(w: &mut World, cents: i64) {
    let update = message(w, cents);
    w.post(BTC, &update);
    let outcome = w.refresh(&[BTC]);
    ok(w, outcome);
}

/// 60 prints of at most (2⁶⁴ − 1) / 60 · 10⁻⁹ = 307,445,734.56… dollars fit the sum. One of a cent more is on the board, but no bucket's: not
/// in an empty one, nor in place of one that fits. What counts is 100,000 in 44 buckets and the largest in one.
#[test]
fn a_print_too_large_for_the_average_is_none() {
    let (mut w, expiry) = window();
    w.walk_window(BTC, expiry, [1, 43], |_| 100_000.0);
    for bucket in 44..=60i64 {
        w.wait_until(expiry - 1_800 + 30 * (bucket - 1) + 10);
        match bucket {
            44 => print(&mut w, 10_000_000),
            45 => print(&mut w, 30_744_573_456),
            _ => {}
        }
        w.vm.advance(5);
        print(&mut w, 30_744_573_457);
        assert_eq!(w.board().assets[usize::from(BTC)].price.index, 307_445_734_570_000_000);
    }
    w.wait_until(expiry);
    let sum = 44 * 100_000 * i128::from(PRICE) + 307_445_734_560_000_000;
    assert_eq!(settled(&w), (45, (sum / 45) as i64));
}

/// Whoever has two prices that were published in the same second chooses once: the first on the board stands, in the bucket too.
#[test]
fn the_first_of_two_prints_of_a_second_counts() {
    let (mut w, expiry) = window();
    for bucket in 1..=i64::from(BUCKETS) {
        w.wait_until(expiry - 1_800 + 30 * (bucket - 1) + 10);
        print(&mut w, 10_000_000);
        print(&mut w, 20_000_000);
        assert_eq!(w.board().assets[usize::from(BTC)].price.index, 100_000 * PRICE);
    }
    w.wait_until(expiry);
    assert_eq!(settled(&w), (60, 100_000 * PRICE));
}

/// An asset that is named twice in one refresh takes both prices in their order, as in two: the newer one counts, and none twice.
#[test]
fn an_asset_named_twice_counts_its_newer_print() {
    let (mut w, expiry) = window();
    let other = solana_signer::Signer::pubkey(&w.vm.keypair());
    let first = w.price_account(BTC);
    for bucket in 1..=i64::from(BUCKETS) {
        w.wait_until(expiry - 1_800 + 30 * (bucket - 1) + 10);
        let now = w.vm.now();
        let older = PriceMessage {
            publish_time: now - 1,
            ..message(&w, 20_000_000)
        };
        w.post(BTC, &older);
        let newer = message(&w, 10_000_000);
        w.vm.put(other, ballast::oracle::pyth::RECEIVERS[0], newer.account_data());
        // Odd buckets have them the other way round.
        let mut prices = [(BTC, first), (BTC, other)];
        prices.rotate_left((bucket % 2) as usize);
        let refresh = instruction::refresh_prices(&w.exchange, &prices);
        let outcome = w.vm.send(&[refresh], &[]);
        ok(&w, outcome);
        assert_eq!(w.board().assets[usize::from(BTC)].price.publish_time, now);
    }
    w.wait_until(expiry);
    assert_eq!(settled(&w), (60, 100_000 * PRICE));
}
