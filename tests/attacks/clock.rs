//! Attacks by way of the clock: slots that pass faster or slower than they should. What is measured in seconds does not notice.
use ballast::error::BallastError;
use ballast::events::{ExpirySettled, OrderPlaced};
use ballast::instructions::OrderArgs;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{at_once, limit, sign, User, World, BTC, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

const HOUR: i64 = 3_600;

/// What a run of the same instructions at the same seconds leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Funding index and rate, basis and premium of the perpetual.
    funding: (i64, i64, i64, i128),
    /// Settlement price, and what the taker got by it.
    settlement: (i64, i64),
    /// Cash and position of the taker and the maker.
    accounts: Vec<(i64, i64, i64)>,
}

/// An order trades in its last second and not after it; so does a quote.
fn expire(w: &mut World, taker: &User, maker: &User, future: usize) {
    let outcome = w.open_quotes(maker);
    ok(w, outcome);
    let expires_at = w.vm.now() + 10;
    let order = OrderArgs {
        expires_at,
        ..limit(-100, 100_000.0)
    };
    let outcome = w.place(BTC_PERP, maker, order);
    ok(w, outcome);
    let leg = Leg {
        instrument: future,
        lots: 1_000,
        price: 100_000 * PRICE,
    };
    let mut quote = w.quote(maker, 0, &[leg]);
    (quote.max_units, quote.expires_at) = (2, expires_at);
    let signed = sign(&quote, &maker.key);
    let take = |w: &mut World| {
        let outcome = w.place(BTC_PERP, taker, at_once(50, 100_000.0));
        event::<OrderPlaced>(&ok(w, outcome)).fills.len()
    };
    w.vm.advance(9);
    assert_eq!(take(w), 1);
    let outcome = w.fill_quote(&signed, taker, &maker.account, 1);
    ok(w, outcome);
    w.vm.advance(1);
    assert_eq!(take(w), 0);
    refuses(w, BallastError::QuoteExpired, |w| {
        w.fill_quote(&signed, taker, &maker.account, 1)
    });
}

/// A book 100 dollars over the index for the second hour, and what it shows by the middle of the third.
fn fund(w: &mut World, maker: &User) -> (i64, i64, i64, i128) {
    fund_at(w, BTC_PERP, START + HOUR);
    for args in [limit(2_000, 100_050.0), limit(-2_000, 100_150.0)] {
        let outcome = w.place(BTC_PERP, maker, args);
        ok(w, outcome);
    }
    fund_at(w, BTC_PERP, START + 2 * HOUR);
    fund_at(w, BTC_PERP, START + 2 * HOUR + 1_800);
    let listed = w.board().instruments[BTC_PERP];
    let funded = listed.funding_at(w.vm.now()).expect("funding");
    let premium = w.market(BTC_PERP).premium.sum.get();
    (funded, listed.funding_rate, listed.basis, premium)
}

/// Sixty prints of 30 seconds each, and what the taker gets of the future's settlement.
fn settle(w: &mut World, taker: &User, maker: &User, future: usize) -> (i64, i64) {
    let expiry = w.board().instruments[future].expiry;
    w.walk_window(BTC, expiry, [1, 60], |bucket| 100_000.0 + f64::from(bucket));
    let outcome = w.settle_expiry(&maker.account.margin_account, future);
    ok(w, outcome);
    let outcome = w.settle_expiry(&taker.account.margin_account, future);
    let settled: ExpirySettled = event(&ok(w, outcome));
    (settled.price, settled.settled.amount)
}

/// All of that with slots of so many milliseconds; how many there were, and how it ends.
fn run(slot_milliseconds: u64) -> (u64, End) {
    let mut w = world();
    w.vm.slot_milliseconds = slot_milliseconds;
    let first_slot = w.vm.clock().slot;
    let (taker, maker) = pair(&mut w, 1_000_000);
    let future = list_future(&mut w, BTC, START + 4 * HOUR, 0);
    expire(&mut w, &taker, &maker, future);
    let funding = fund(&mut w, &maker);
    let settlement = settle(&mut w, &taker, &maker, future);
    let ends = |user: &User| {
        let account = w.margin_account(&user.account.margin_account);
        let held = account.positions()[0];
        (account.cash, held.lots, held.quote)
    };
    let end = End {
        funding,
        settlement,
        accounts: vec![ends(&taker), ends(&maker)],
    };
    (w.vm.clock().slot - first_slot, end)
}

/// Validators that make slots of 200 ms, twice as many a second, or of 800 ms move neither an expiry nor a mark, nor what is paid.
#[test]
fn attack_200_ms_slots() {
    let (slots, end) = run(400);
    // An eighth of 100 dollars an hour, of which half an hour has passed. The mean of 100,001 to 100,060 is 100,030.50: on 0.1 BTC 3.05, less
    // five dollars of fees.
    assert_eq!((end.funding.0, end.funding.1), (6_250_000_000, 12_500_000_000));
    assert_eq!(end.settlement, (100_030_500_000_000, 3_050_000 - 5_000_000));
    for milliseconds in [200, 800] {
        let (other, same) = run(milliseconds);
        assert_eq!(same, end, "slots of {milliseconds} ms");
        let ratio = (other * milliseconds) as f64 / (slots * 400) as f64;
        assert!((ratio - 1.0).abs() < 0.1, "{other} slots of {milliseconds} ms");
    }
}
