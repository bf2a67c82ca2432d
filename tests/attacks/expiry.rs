//! The end of instruments: prints picked with hindsight, prices set too early, positions settled twice or in the wrong place, slots that are
//! used again, and margin that vanishes before the risk does.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::state::{InstrumentKind, OwnerRecord, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_fixed::Price;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{limit, sign, PriceMessage, User, World, BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

use crate::support::wealth;

fn expiry_of(w: &World, instrument: usize) -> i64 {
    w.board().instruments[instrument].expiry
}

fn settlement(w: &World, expiry: i64) -> Option<Price> {
    let board = w.board();
    let mut expiries = board.assets[usize::from(BTC)].expiries.iter();
    let expiry = expiries.find(|e| e.time == expiry).expect("an expiry");
    expiry.settlement_price(w.vm.now())
}

/// Posts a price of the past and has the board take it: it is newer than what the board has.
fn print(w: &mut World, price: f64, published: i64) {
    let update = PriceMessage::new(w.feed_id(BTC), price, published);
    w.post(BTC, &update);
    let outcome = w.refresh(&[BTC]);
    ok(w, outcome);
}

/// Somebody holds back each bucket's best print and posts it a moment after the bucket: none of them counts.
#[test]
fn attack_cherry_picked_prints() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    let begin = expiry - 1_800;
    w.wait_until(begin - 1);
    for bucket in 0..60 {
        // What everybody sees, every other bucket.
        w.wait_until(begin + bucket * 30 + 1);
        if bucket % 4 != 0 {
            print(&mut w, 100_000.0, begin + bucket * 30 + 1);
        }
        // The peak of its last second, accepted a second later.
        w.wait_until(begin + bucket * 30 + 30);
        print(&mut w, 110_000.0, begin + bucket * 30 + 29);
    }
    // 45 buckets of 100,000: the peaks are in none of them.
    assert_eq!(settlement(&w, expiry), Some(Price(100_000 * PRICE)));
}

/// Prints of the window that come only after it: the price that stands stays, and where none stands they fill nothing.
#[test]
fn attack_prints_accepted_after_the_window() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 39], |_| 100_000.0);
    w.wait_until(expiry);
    for second in 0..20 {
        print(&mut w, 200_000.0, expiry - 20 + second);
    }
    w.vm.advance(60);
    assert_eq!(settlement(&w, expiry), None);
    print(&mut w, 100_000.0, expiry + 60);
    w.vm.advance(30);
    assert_eq!(settlement(&w, expiry), Some(Price(100_000 * PRICE)));
    print(&mut w, 200_000.0, expiry + 90);
    w.vm.advance(30);
    assert_eq!(settlement(&w, expiry), Some(Price(100_000 * PRICE)));
}

/// One print that is off moves the price by a sixtieth of it and no more, however often it is posted.
#[test]
fn attack_flooding_one_bucket() {
    let mut w = world();
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 59], |_| 100_000.0);
    for second in 0..30 {
        w.wait_until(expiry - 30 + second);
        print(&mut w, 106_000.0, expiry - 30 + second);
    }
    w.wait_until(expiry);
    assert_eq!(settlement(&w, expiry), Some(Price(100_100 * PRICE)));
}

/// The last second before the expiry is the last bucket's, the expiry itself is not.
#[test]
fn attack_the_boundary_of_the_expiry() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.walk_window(BTC, expiry, [1, 59], |_| 100_000.0);
    w.wait_until(expiry - 1);
    w.post_price(QUOTE_ASSET, 1.0);
    let outcome = w.refresh(&[QUOTE_ASSET]);
    ok(&w, outcome);
    print(&mut w, 106_000.0, expiry - 1);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    assert_eq!(settlement(&w, expiry), None);
    w.wait_until(expiry);
    assert_eq!(settlement(&w, expiry), Some(Price(100_100 * PRICE)));
    for lots in [1, -10_000] {
        refuses(&mut w, BallastError::InstrumentExpired, |w| {
            w.trade(BTC_FUTURE, &user, &maker, lots, 100_100.0)
        });
    }
    print(&mut w, 1_000.0, expiry);
    assert_eq!(settlement(&w, expiry), Some(Price(100_100 * PRICE)));
}

fn open_and_expire(w: &mut World, price: f64) -> (User, User) {
    let (user, maker) = pair(w, 50_000);
    trade(w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = expiry_of(w, BTC_FUTURE);
    w.expire_at(BTC, expiry, price);
    (user, maker)
}

/// Settling again and again, in any order and in between `settle_pnl`, moves nothing more.
#[test]
fn attack_settling_twice() {
    let mut w = world();
    let (user, maker) = open_and_expire(&mut w, 104_000.0);
    let both = [&user, &maker];
    let before = wealth(&w, &both);
    for _ in 0..3 {
        for user in [&user, &maker] {
            let key = user.account.margin_account;
            let _ = w.settle_expiry(&key, BTC_FUTURE).map(|r| r.compute_units);
            let _ = w.settle(&key, &[BTC_FUTURE]).map(|r| r.compute_units);
        }
    }
    // Fees of 50 and 20 were owed already; nothing but rounding is lost.
    let lost = before - wealth(&w, &both);
    assert!((0..=2_000_000_000_000).contains(&lost), "{lost}");
    assert_eq!(w.margin_account(&user.account.margin_account).cash, 53_950_000_000);
    assert_eq!(w.margin_account(&maker.account.margin_account).cash, 9_995_980_000_000);
}

/// A position is settled through another market, another account's record, or a market of the same kind made up by the attacker.
#[test]
fn attack_settling_in_the_wrong_place() {
    let mut w = world();
    let (user, maker) = open_and_expire(&mut w, 104_000.0);
    let expiry = w.vm.now() + 30 * DAY;
    let later = list_future(&mut w, BTC, expiry, 0);
    let key = user.account.margin_account;
    let real = w.markets[BTC_FUTURE];
    let copy = copy_account(&mut w, &real);
    let send = |w: &mut World, owner: &Pubkey, market: &Pubkey| {
        let settle = instruction::settle_expiry(&w.exchange, &key, owner, market);
        w.vm.send(&[settle], &[])
    };
    let (own, other) = (user.account.owner, maker.account.owner);
    let later = w.markets[later];
    refuses(&mut w, BallastError::SettlementPending, |w| send(w, &own, &later));
    refuses(&mut w, BallastError::WrongMarket, |w| send(w, &own, &copy));
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| send(w, &other, &real));
}

/// A slot is closed and listed again while somebody still holds what it was: there is no such moment.
#[test]
fn attack_a_slot_used_again_under_positions() {
    let mut w = world();
    let (user, maker) = open_and_expire(&mut w, 101_000.0);
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    // The winner is settled before the loser: what it is owed keeps the market, too.
    let outcome = w.settle_expiry(&key, BTC_FUTURE);
    ok(&w, outcome);
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    let expiry = w.vm.now() + 30 * DAY;
    assert_ne!(list_future(&mut w, ETH, expiry, 0), BTC_FUTURE);
    let outcome = w.settle_expiry(&maker.account.margin_account, BTC_FUTURE);
    ok(&w, outcome);
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    let outcome = w.settle_expiry(&key, BTC_FUTURE);
    ok(&w, outcome);
    let market = w.markets[BTC_FUTURE];
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    // Closed twice, or settled through the old market: it is no account any more.
    assert!(w.close_instrument(BTC_FUTURE).is_err());
    assert!(w.settle_expiry(&key, BTC_FUTURE).is_err());
    assert_eq!(list_future(&mut w, ETH, expiry + 1, 0), BTC_FUTURE);
    assert_ne!(w.markets[BTC_FUTURE], market);
    assert_eq!(w.board().instruments[BTC_FUTURE].generation, 2);
}

/// A market that was closed is made again at the same address: it is not the exchange's.
#[test]
fn attack_close_and_revive() {
    let mut w = world();
    let (user, maker) = open_and_expire(&mut w, 101_000.0);
    let market = w.markets[BTC_FUTURE];
    let old = w.vm.data(&market);
    for user in [&maker, &user] {
        let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
        ok(&w, outcome);
    }
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    w.vm.put(market, ballast::ID, old);
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::WrongMarket, |w| w.close_instrument(BTC_FUTURE));
    refuses(&mut w, BallastError::WrongMarket, |w| w.settle_expiry(&key, BTC_FUTURE));
}

/// The authority gives a price while the average may still find one, changes one that stands, or ends a perpetual overnight.
#[test]
fn attack_governance_ahead_of_its_time() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = expiry_of(&w, BTC_FUTURE);
    for time in [w.vm.now(), expiry - 1_800, expiry - 1, expiry, expiry + DAY - 1] {
        w.wait_until(time);
        refuses(&mut w, BallastError::SettlementNotOverdue, |w| {
            w.set_settlement_price(BTC, expiry, 150_000 * PRICE)
        });
    }
    w.wait_until(expiry + DAY);
    let outcome = w.set_settlement_price(BTC, expiry, 100_000 * PRICE);
    ok(&w, outcome);
    let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
    ok(&w, outcome);
    refuses(&mut w, BallastError::SettlementStands, |w| {
        w.set_settlement_price(BTC, expiry, 150_000 * PRICE)
    });
    let tomorrow = w.vm.now() + DAY;
    refuses(&mut w, BallastError::InvalidExpiry, |w| {
        w.delist(BTC_PERP, tomorrow - 1)
    });
}

/// Margin freed by the window is not more than the risk that is gone: who holds a future with three quarters fixed can't withdraw down to
/// less than a quarter of its scan and the buffer, and who is short of that is liquidated in the window as at any time.
#[test]
fn attack_leaving_in_the_window() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 12_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let (expiry, usd) = (expiry_of(&w, BTC_FUTURE), w.usd);
    w.walk_window(BTC, expiry, [1, 45], |_| 100_000.0);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    // ¼ · 9,500 + 500 = 2,875 of the 11,948 that are left beside the reserve: the rest may go, and not a dollar more.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 9_074 * USD)
    });
    let outcome = w.withdraw(&user, &usd, 9_072 * USD);
    ok(&w, outcome);
    // A fall by 10 % takes a quarter of it from the average: 2,500 of the 2,876, under the maintenance margin.
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 90_000.0)]);
    let key = user.account.margin_account;
    let outcome = w.flag(&key);
    ok(&w, outcome);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 90_000.0)]);
    let outcome = w.liquidate(BTC_FUTURE, &user.account, &maker, 1_000);
    ok(&w, outcome);
    // Once the price stands there is nothing to take over.
    w.walk_window(BTC, expiry, [47, 60], |_| 90_000.0);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 90_000.0)]);
    assert_eq!(w.summary(&key).maintenance_margin, 0);
}

/// An option whose surface nobody publishes any more: neither its holder nor its writer is worse off for that at its end.
#[test]
fn attack_an_expiry_on_a_stale_surface() {
    let mut w = world();
    let expiry = w.vm.now() + DAY;
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 3_000);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 20_000);
    let board = w.board();
    let mark = board.mark(&board.instruments[call], w.vm.now()).expect("a mark").0;
    let outcome = w.trade_at(call, &user, &maker, 1_000, mark / 10_000_000 * 10_000_000);
    ok(&w, outcome);
    w.expire_at(ETH, expiry, 3_400.0);
    w.vm.advance(3_600);
    // No withdrawal waits for a surface or a price.
    for (user, instrument) in [(&maker, call), (&user, call)] {
        let outcome = w.settle_expiry(&user.account.margin_account, instrument);
        ok(&w, outcome);
    }
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!(account.position_count, 0);
    let usd = w.usd;
    let all = u64::try_from(account.cash).expect("cash");
    let outcome = w.withdraw(&user, &usd, all);
    ok(&w, outcome);
}

/// A signed quote and an order outlive their instrument: neither meets what is listed in its slot next.
#[test]
fn attack_a_slot_used_again_under_quotes_and_orders() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    let outcome = w.open_quotes(&maker);
    ok(&w, outcome);
    let leg = Leg {
        instrument: BTC_FUTURE,
        lots: 100,
        price: 100_000 * PRICE,
    };
    let mut quote = w.quote(&maker, 0, &[leg]);
    quote.expires_at += 365 * DAY;
    let signed = sign(&quote, &maker.key);
    let outcome = w.place(BTC_FUTURE, &maker, limit(-100, 100_000.0));
    ok(&w, outcome);
    let expiry = expiry_of(&w, BTC_FUTURE);
    w.expire_at(BTC, expiry, 100_000.0);
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    let outcome = w.cancel_stale(BTC_FUTURE, &[maker.account.margin_account], Some(&user));
    ok(&w, outcome);
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    assert_eq!(list_future(&mut w, BTC, expiry + 30 * DAY, 0), BTC_FUTURE);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    refuses(&mut w, BallastError::QuoteWrongInstrument, |w| {
        w.fill_quote(&signed, &user, &maker.account, 1)
    });
    // The record still counts the order that was swept out; the next one in the slot starts from nothing.
    let outcome = w.place(BTC_FUTURE, &maker, limit(-100, 100_000.0));
    ok(&w, outcome);
    let record = w.read::<OwnerRecord>(&maker.account.owner);
    assert_eq!(record.open_interest[usize::from(BTC)], 10_000_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 100, 100_000.0);
}
