//! Which prints a settlement average takes: one too large for it, two of one second, and two in one transaction.
use ballast_client::instruction;
use ballast_risk::settlement_window::BUCKETS;
use ballast_sim::world::{PriceMessage, World, BTC, START};
use ballast_tests::setup::{BTC_FUTURE, PRICE};
use ballast_tests::{elf, ok, world};

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
/// in an empty one, nor in place of one that fits. What counts is 300 million in 44 buckets and the largest in one.
#[test]
fn a_print_too_large_for_the_average_is_none() {
    let mut w = World::starting_at(&elf(), START, [300_000_000.0, 3_000.0, 150.0]);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.walk_window(BTC, expiry, [1, 43], |_| 300_000_000.0);
    for bucket in 44..=60i64 {
        w.wait_until(expiry - 1_800 + 30 * (bucket - 1) + 10);
        match bucket {
            44 => print(&mut w, 30_000_000_000),
            45 => print(&mut w, 30_744_573_456),
            _ => {}
        }
        w.vm.advance(5);
        print(&mut w, 30_744_573_457);
        assert_eq!(w.board().assets[usize::from(BTC)].price.index, 307_445_734_570_000_000);
    }
    w.wait_until(expiry);
    let sum = 44 * 300_000_000 * i128::from(PRICE) + 307_445_734_560_000_000;
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

/// Of two updates in one refresh a source takes the first that is named, and the newer one in the next slot: it is what the bucket has then.
#[test]
fn of_two_prints_in_a_slot_the_first_counts_until_the_next() {
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
        w.vm.put(
            other,
            ballast_sim::world::RECEIVERS[0],
            newer.account_data(w.vm.clock().slot),
        );
        // Odd buckets have them the other way round.
        let mut prices = [(BTC, first), (BTC, other)];
        prices.rotate_left((bucket % 2) as usize);
        let refresh = instruction::refresh_prices(&w.exchange, &prices);
        let outcome = w.vm.send(&[refresh], &[]);
        ok(&w, outcome);
        let price = |w: &World| w.board().assets[usize::from(BTC)].price;
        let older_first = bucket % 2 == 0;
        assert_eq!(price(&w).publish_time, now - i64::from(older_first));
        w.vm.advance(1);
        let again = instruction::refresh_prices(&w.exchange, &[(BTC, other)]);
        let outcome = w.vm.send(&[again], &[]);
        ok(&w, outcome);
        assert_eq!((price(&w).publish_time, price(&w).index), (now, 100_000 * PRICE));
    }
    w.wait_until(expiry);
    assert_eq!(settled(&w), (60, 100_000 * PRICE));
}
