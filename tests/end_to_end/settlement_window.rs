//! The last half hour of an expiry: what its instruments are marked at, what they require, and how the settlement price comes to stand.
use anchor_lang::{AnchorDeserialize, Discriminator};
use ballast::error::BallastError;
use ballast::events::SettlementFixed;
use ballast::instructions::{PreviewChange, PreviewReport, PreviewRequest, PreviewSection};
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_fixed::Price;
use ballast_sim::vm::Receipt;
use ballast_sim::world::{Outcome, PriceMessage, User, World, BTC, ETH, START};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::settlement_oracle::{cases, Event};
use ballast_tests::setup::{list_future, pair, trade, trader, BTC_FUTURE, BTC_PERP, DAY, DOLLAR, PRICE};
use ballast_tests::{elf, ok, world};
use solana_signer::Signer;

use crate::log_events::base64;

/// The settlement prices that a transaction has recorded, other events aside.
fn fixed(receipt: &Receipt) -> Vec<SettlementFixed> {
    let lines = receipt.logs.iter().filter_map(|l| l.strip_prefix("Program data: "));
    let bytes = lines.map(base64);
    let bodies = bytes.filter_map(|event| Some(event.strip_prefix(SettlementFixed::DISCRIMINATOR)?.to_vec()));
    bodies
        .map(|body| SettlementFixed::deserialize(&mut body.as_slice()).expect("the event's layout"))
        .collect()
}

fn expiry_of(w: &World, instrument: usize) -> i64 {
    w.board().instruments[instrument].expiry
}

fn mark(w: &World, instrument: usize) -> Price {
    let board = w.board();
    board.mark(&board.instruments[instrument], w.vm.now()).expect("a mark")
}

fn refresh(w: &mut World, asset: u8, price: f64) {
    w.post_price(asset, price);
    let outcome = w.refresh(&[asset]);
    ok(w, outcome);
}

/// Every series of the oracle, print by print through `refresh_prices`, and what the board then says.
#[test]
fn the_program_averages_as_the_oracle_does() {
    for case in cases() {
        let mut w = World::new(&elf());
        let expiry = START + 3 * DAY;
        let future = list_future(&mut w, BTC, expiry, case.basis);
        let mut recorded = 0;
        for event in &case.events {
            match *event {
                Event::Print {
                    published,
                    accepted,
                    price,
                } => {
                    w.wait_until(expiry + accepted);
                    let feed = w.feed_id(BTC);
                    let mut update = PriceMessage::new(feed, 1.0, expiry + published);
                    (update.price, update.confidence) = (price / 10, 1);
                    w.post(BTC, &update);
                    let outcome = w.refresh(&[BTC]);
                    recorded += fixed(&ok(&w, outcome)).len();
                }
                Event::Look {
                    now,
                    price,
                    fixed,
                    forward,
                } => {
                    w.wait_until(expiry + now);
                    let board = w.board();
                    let slot = board.assets[usize::from(BTC)]
                        .expiry(&board.instruments[future])
                        .unwrap();
                    let settled = slot.settlement_price(w.vm.now());
                    assert_eq!(settled, (price != 0).then_some(Price(price)), "{}: {now}", case.name);
                    assert_eq!(slot.average(w.vm.now()).fixed().0, fixed, "{}: {now}", case.name);
                    assert_eq!(mark(&w, future), Price(forward), "{}: {now}", case.name);
                }
            }
        }
        assert!(recorded <= 1, "a price is fixed once");
    }
}

/// Fifteen of sixty buckets at 100,000, then an index of 104,000: ¼ · 100,000 + ¾ · 104,000 = 103,000. The perpetual stays at the index.
#[test]
fn a_future_is_marked_at_what_is_fixed_and_what_is_open() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    refresh(&mut w, BTC, 104_000.0);
    assert_eq!(mark(&w, BTC_FUTURE), Price(103_000 * PRICE));
    assert_eq!(mark(&w, BTC_PERP), Price(104_000 * PRICE));
    // The slow price still is 100,000: it has not moved within a second.
    let board = w.board();
    let slow = board.slow_mark(&board.instruments[BTC_FUTURE], w.vm.now());
    assert_eq!(slow.expect("a mark"), Price(100_000 * PRICE));
}

/// Trades go on in the window, in the band around that mark: 2 % of 103,000 are 2,060.
#[test]
fn trades_in_the_window_are_banded_by_its_mark() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 104_000.0)]);
    refuses(&mut w, BallastError::PriceOutsideBand, |w| {
        w.trade(BTC_FUTURE, &user, &maker, 100, 105_060.1)
    });
    trade(&mut w, BTC_FUTURE, &user, &maker, 100, 105_060.0);
}

fn requires(w: &mut World, user: &User) -> (f64, f64) {
    let summary = w.summary(&user.account.margin_account);
    let dollars = |x: i64| x as f64 / DOLLAR as f64;
    (dollars(summary.initial_margin), dollars(summary.maintenance_margin))
}

#[track_caller]
fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-4, "{a} against {b}");
}

/// One BTC at 100,000 requires 9,500 of scan and 500 of buffer; with a quarter fixed the scan is 7,125, and with all of it nothing is left.
#[test]
fn shocks_shrink_with_the_open_part() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.wait_until(expiry - 1_801);
    refresh(&mut w, BTC, 100_000.0);
    near(requires(&mut w, &user).0, 10_000.0);
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    let (initial, maintenance) = requires(&mut w, &user);
    near(initial, 7_625.0);
    near(maintenance, 0.7 * 7_125.0 + 500.0);
    let isolated = w.isolated(&user.account.margin_account);
    near(isolated.initial_margin as f64 / 1e8, 7_625.0);
    w.walk_window(BTC, expiry, [16, 60], |_| 100_000.0);
    assert_eq!(requires(&mut w, &user), (0.0, 0.0));
    assert_eq!(w.isolated(&user.account.margin_account).initial_margin, 0);
}

/// A hedge comes apart as the average fixes: one BTC perpetual long, one future short, a quarter fixed. Scan: 9,500 − 7,125 = 2,375.
/// Matched are 75,000, at (9.5 + 1.5) %: 8,250. Buffer: 0.5 % of both. At the end the perpetual stands alone.
#[test]
fn a_hedge_comes_apart_in_the_window() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    near(requires(&mut w, &user).0, 2_375.0 + 8_250.0 + 1_000.0);
    let greeks = w.report(&user.account.margin_account, &[]).expect("a report");
    near(greeks.totals.delta as f64 / 1e8, 25_000.0);
    w.walk_window(BTC, expiry, [16, 60], |_| 100_000.0);
    near(requires(&mut w, &user).0, 10_000.0);
    let greeks = w.report(&user.account.margin_account, &[]).expect("a report");
    near(greeks.totals.delta as f64 / 1e8, 100_000.0);
}

/// An option deep in the money is a future in the window too, on an average that is fixed by a quarter: F = 3,075 after 3,000 and 3,100.
#[test]
fn an_option_is_priced_on_the_average() {
    let mut d = Desk::new(65);
    let call = d.option(InstrumentKind::Call, 300, 24);
    let (user, maker) = pair(&mut d.w, 100_000);
    d.open(&[(call, 1.0)], &user, &maker);
    let expiry = expiry_of(&d.w, call);
    d.w.walk_window(ETH, expiry, [1, 15], |_| 3_000.0);
    refresh(&mut d.w, ETH, 3_100.0);
    assert_eq!(mark(&d.w, call), Price(2_775 * PRICE));
    let section = d.w.asset_section(&user.account.margin_account, ETH);
    // What is open moves with the index: 12 % of ¾ of 3,100 are 279, and not of ¾ of 3,075.
    near(section.scan as f64 / 1e8, 279.0);
    d.w.walk_window(ETH, expiry, [17, 60], |_| 3_100.0);
    let section = d.w.asset_section(&user.account.margin_account, ETH);
    assert_eq!((section.scan, section.net_delta, section.option_value), (0, 0, 0));
    // 15 · 3,000 and 45 · 3,100, the sixteenth too: 3,075.
    assert_eq!(mark(&d.w, call), Price(2_775 * PRICE));
}

/// Within a package that is previewed after changes, the window's mark and its end are those of a trade.
#[test]
fn a_what_if_sees_the_window() {
    let mut w = world();
    let user = trader(&mut w, 100_000);
    let key = user.account.margin_account;
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 15], |_| 100_000.0);
    let leg = PreviewChange::Leg {
        instrument: BTC_FUTURE as u16,
        lots: 10_000,
        price: 0,
    };
    let PreviewReport::Summary(after) = w.what_if(&key, PreviewSection::Summary, &[leg]).0 else {
        panic!("another section");
    };
    near(after.initial_margin as f64 / 1e8, 7_625.0);
    w.wait_until(expiry);
    let mints = [w.btc.mint, w.sol.mint];
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        let request = PreviewRequest {
            section: PreviewSection::Summary,
            changes: vec![leg],
        };
        let preview = instruction::preview_what_if(&w.exchange, &key, request, &mints);
        w.vm.send(&[preview], &[])
    });
}

#[test]
fn anyone_records_the_price_once_it_stands() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.fix_settlement(BTC, expiry)
    });
    w.walk_window(BTC, expiry, [1, 60], |bucket| 100_000.0 + f64::from(bucket));
    assert_eq!(w.board().assets[usize::from(BTC)].expiries[0].settlement.price, 0);
    let outcome = w.fix_settlement(BTC, expiry);
    let expected = SettlementFixed {
        asset: BTC,
        expiry,
        price: 100_030_500_000_000, // the mean of 1 to 60 is 30.5
        filled: 60,
    };
    assert_eq!(fixed(&ok(&w, outcome)), [expected]);
    refuses(&mut w, BallastError::SettlementStands, |w| {
        w.fix_settlement(BTC, expiry)
    });
    for (asset, time) in [(BTC, expiry + 1), (BTC, 0), (ETH + 2, expiry), (255, expiry)] {
        refuses(&mut w, BallastError::InvalidExpiry, |w| w.fix_settlement(asset, time));
    }
}

#[test]
fn fixing_checks_its_account() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.expire_at(BTC, expiry, 100_000.0);
    let right = instruction::fix_settlement(&w.exchange, (BTC, expiry));
    checks_every_account(&mut w, &right, &[]);
}

/// The first price after the window records it too.
#[test]
fn the_next_price_records_the_settlement_price() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.expire_at(BTC, expiry, 100_000.0);
    w.post_price(BTC, 1_000.0);
    let outcome = w.refresh(&[BTC]);
    let events = fixed(&ok(&w, outcome));
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].price, events[0].filled), (100_000 * PRICE, 60));
}

fn set(w: &mut World, expiry: i64, price: i64) -> Outcome {
    w.set_settlement_price(BTC, expiry, price)
}

/// No print at all: a day later, and not a second sooner, the authority sets a price.
#[test]
fn governance_sets_a_price_after_a_day_without() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.wait_until(expiry + DAY - 1);
    refuses(&mut w, BallastError::SettlementNotOverdue, |w| {
        set(w, expiry, 101_000 * PRICE)
    });
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.fix_settlement(BTC, expiry)
    });
    w.wait_until(expiry + DAY);
    // A thousandth and a thousand times the last index are still of its size.
    for price in [0, -1, 100 * PRICE - 1, 100_000_000 * PRICE + 1, i64::MAX] {
        refuses(&mut w, BallastError::InvalidParameter, |w| set(w, expiry, price));
    }
    let stranger = trader(&mut w, 0);
    let forged = instruction::set_settlement_price(&w.exchange, &stranger.account.signer, (BTC, expiry), PRICE);
    refuses(&mut w, BallastError::NotAuthority, |w| {
        w.vm.send(&[forged], &[&stranger.key])
    });
    let authority = w.authority.insecure_clone();
    let right = instruction::set_settlement_price(&w.exchange, &authority.pubkey(), (BTC, expiry), 101_000 * PRICE);
    checks_every_account(&mut w, &right, &[&authority]);
    let outcome = set(&mut w, expiry, 101_000 * PRICE);
    let expected = SettlementFixed {
        asset: BTC,
        expiry,
        price: 101_000 * PRICE,
        filled: 0,
    };
    assert_eq!(fixed(&ok(&w, outcome)), [expected]);
    refuses(&mut w, BallastError::SettlementStands, |w| {
        set(w, expiry, 102_000 * PRICE)
    });
    for user in [&maker, &user] {
        let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
        ok(&w, outcome);
    }
    assert_eq!(w.margin_account(&user.account.margin_account).cash, 50_950_000_000);
}

/// Thirty-nine prints before the expiry and none for hours: the fortieth settles it, and nobody can any more.
#[test]
fn an_extension_ends_with_the_fortieth_print() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 39], |_| 100_000.0);
    w.wait_until(expiry + 5 * 3_600);
    assert_eq!(mark(&w, BTC_FUTURE), Price(100_000 * PRICE));
    refresh(&mut w, BTC, 140_000.0);
    // 39 of 40 are fixed: (39 · 100,000 + 140,000)/40 = 101,000.
    assert_eq!(mark(&w, BTC_FUTURE), Price(101_000 * PRICE));
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.fix_settlement(BTC, expiry)
    });
    w.wait_until(expiry + 5 * 3_600 + 30);
    let outcome = w.fix_settlement(BTC, expiry);
    assert_eq!(fixed(&ok(&w, outcome))[0].price, 101_000 * PRICE);
    w.wait_until(expiry + 2 * DAY);
    refuses(&mut w, BallastError::SettlementStands, |w| {
        set(w, expiry, 100_000 * PRICE)
    });
}
