//! `delist_instrument`: a perpetual ends as an expiry does.
use ballast::error::BallastError;
use ballast::events::InstrumentDelisted;
use ballast::instructions::ListInstrumentArgs;
use ballast::state::{InstrumentKind, Market, RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_fixed::Price;
use ballast_migrations::config;
use ballast_sim::world::{World, BTC};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    allocate, edit, list_future, pair, second_exchange, show_mid, trade, trader, BTC_FUTURE, BTC_PERP, DAY, ETH_PERP,
    PRICE,
};
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::log_events::logged;

fn at_par(w: &mut World) {
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
}

#[test]
fn a_delisted_perpetual_settles_at_the_mean_index() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let ends_at = w.vm.now() + 2 * DAY;
    let outcome = w.delist(BTC_PERP, ends_at);
    let delisted = InstrumentDelisted {
        exchange: w.exchange.key,
        instrument: BTC_PERP as u16,
        ends_at,
    };
    assert_eq!(logged::<InstrumentDelisted>(&ok(&w, outcome)), [delisted]);
    // Until its window nothing changes; in it, it is marked and margined as a future is.
    let (key, board_key) = (user.account.margin_account, w.exchange.board);
    at_par(&mut w);
    assert_eq!(w.summary(&key).initial_margin, 1_000_000_000_000);
    w.walk_window(BTC, ends_at, [1, 15], |_| 100_000.0);
    let initial = w.summary(&key).initial_margin;
    assert!((762_500_000_000..762_500_010_000).contains(&initial), "{initial}");
    w.post_price(BTC, 104_000.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    let board = w.board();
    let mark = board.mark(&board.instruments[BTC_PERP], w.vm.now());
    assert_eq!(mark.expect("a mark"), Price(103_000 * PRICE));
    // A second before the end it still trades, and from then on not.
    w.walk_window(BTC, ends_at, [17, 59], |_| 104_000.0);
    w.post_price(BTC, 104_000.0);
    w.post_price(QUOTE_ASSET, 1.0);
    let outcome = w.refresh(&[BTC, QUOTE_ASSET]);
    ok(&w, outcome);
    w.wait_until(ends_at - 1);
    trade(&mut w, BTC_PERP, &user, &maker, 1, 103_000.0);
    w.wait_until(ends_at);
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.trade(BTC_PERP, &user, &maker, -1, 103_000.0)
    });
    // What funding is due must be on the board first.
    let settle = instruction::settle_expiry(&w.exchange, &key, &user.account.owner, &w.markets[BTC_PERP]);
    edit::<RiskBoard>(&mut w, &board_key, |board| {
        board.instruments[BTC_PERP].funding_hour -= 1
    });
    refuses(&mut w, BallastError::FundingDue, |w| w.vm.send(&[settle], &[]));
    edit::<RiskBoard>(&mut w, &board_key, |board| {
        board.instruments[BTC_PERP].funding_hour += 1
    });
    // 15 · 100,000 and 45 · 104,000: 103,000.
    for user in [&maker, &user] {
        let outcome = w.settle_expiry(&user.account.margin_account, BTC_PERP);
        ok(&w, outcome);
    }
    // 3,000 and the fees of 50 and 0.005150.
    assert_eq!(w.margin_account(&key).cash, 52_949_994_850);
    let outcome = w.close_instrument(BTC_PERP);
    ok(&w, outcome);
    assert_eq!(w.board().assets[usize::from(BTC)].expiries[1].time, 0);
    // There may be a perpetual again.
    assert_eq!(list_perpetual(&mut w), BTC_PERP);
    assert_eq!(w.board().instruments[BTC_PERP].generation, 2);
}

fn list_perpetual(w: &mut World) -> usize {
    let authority = w.authority.insecure_clone();
    let market = w.vm.keypair();
    let args = ListInstrumentArgs {
        kind: InstrumentKind::Perpetual,
        asset: BTC,
        lot_size: 100_000,
        tick_size: 100_000_000,
        expiry: 0,
        basis: 0,
        strike: 0,
        ..config::book(InstrumentKind::Perpetual)
    };
    let size = Market::size(args.book_capacity);
    let allocate = allocate(w, &market.pubkey(), size);
    let list = instruction::list_instrument(&w.exchange, &authority.pubkey(), &market.pubkey(), args);
    let outcome = w.vm.send(&[allocate, list], &[&authority, &market]);
    ok(w, outcome);
    let markets = w.exchange_account().markets;
    markets
        .iter()
        .position(|key| *key == market.pubkey())
        .expect("a market")
}

/// A delisting at the time of an expiry shares its average; each keeps its own basis.
#[test]
fn a_delisting_may_end_with_a_future() {
    let mut w = world();
    let expiry = w.vm.now() + 3 * DAY;
    let future = list_future(&mut w, BTC, expiry, 5_000_000);
    let outcome = w.delist(BTC_PERP, expiry);
    ok(&w, outcome);
    let board = w.board();
    assert_eq!(
        board.instruments[BTC_PERP].expiry_slot,
        board.instruments[future].expiry_slot
    );
    let mark = |w: &World, instrument: usize| {
        let board = w.board();
        board.mark(&board.instruments[instrument], w.vm.now()).expect("a mark")
    };
    w.walk_window(BTC, expiry, [1, 30], |_| 100_000.0);
    assert_eq!(mark(&w, BTC_PERP), Price(100_000 * PRICE));
    assert_eq!(mark(&w, future), Price(100_250 * PRICE));
    w.walk_window(BTC, expiry, [31, 60], |_| 100_000.0);
    for instrument in [BTC_PERP, future] {
        let outcome = w.close_instrument(instrument);
        ok(&w, outcome);
    }
}

#[test]
fn refuses_what_is_no_perpetual_and_short_notice() {
    let mut w = world();
    let now = w.vm.now();
    refuses(&mut w, BallastError::InvalidParameter, |w| {
        w.delist(BTC_FUTURE, now + 2 * DAY)
    });
    refuses(&mut w, BallastError::InstrumentNotListed, |w| {
        w.delist(6, now + 2 * DAY)
    });
    for ends_at in [0, now, now + DAY - 1, now + 730 * DAY + 1, i64::MAX, i64::MIN] {
        refuses(&mut w, BallastError::InvalidExpiry, |w| w.delist(BTC_PERP, ends_at));
    }
    let stranger = trader(&mut w, 0);
    let forged = instruction::delist_instrument(&w.exchange, &stranger.account.signer, 0, now + 2 * DAY);
    refuses(&mut w, BallastError::NotAuthority, |w| {
        w.vm.send(&[forged], &[&stranger.key])
    });
    let second = second_exchange(&mut w);
    let authority = w.authority.insecure_clone();
    let right = instruction::delist_instrument(&w.exchange, &authority.pubkey(), 0, now + DAY);
    let mut wrong = right.clone();
    wrong.accounts[1].pubkey = second.exchange.board;
    refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[&authority]));
    checks_every_account(&mut w, &right, &[&authority]);
    let outcome = w.delist(BTC_PERP, now + DAY);
    ok(&w, outcome);
    refuses(&mut w, BallastError::AlreadyDelisted, |w| {
        w.delist(BTC_PERP, now + 2 * DAY)
    });
    refuses(&mut w, BallastError::AlreadyListed, |w| {
        w.list(BTC, InstrumentKind::Perpetual, 0, 0, 0)
    });
}

#[test]
fn a_delisting_needs_an_expiry_that_is_free() {
    let mut w = world();
    let expiry = w.vm.now() + 100 * DAY;
    for n in 1..12 {
        list_future(&mut w, BTC, expiry + n, 0);
    }
    refuses(&mut w, BallastError::BoardFull, |w| w.delist(BTC_PERP, expiry));
    let outcome = w.delist(ETH_PERP, expiry);
    ok(&w, outcome);
    let outcome = w.delist(BTC_PERP, expiry + 1);
    ok(&w, outcome);
}

/// Nobody has looked at the perpetual's funding for days around its end, and prices have gone on: its last hour is closed all the same.
#[test]
fn a_late_crank_ends_the_funding() {
    for late in [0, 3_600, DAY - 3_600, DAY, 3 * DAY] {
        let mut w = world();
        let (user, maker) = pair(&mut w, 50_000);
        trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
        let ends_at = w.vm.now() + 2 * DAY;
        let outcome = w.delist(BTC_PERP, ends_at);
        ok(&w, outcome);
        w.walk_window(BTC, ends_at, [1, 60], |_| 100_000.0);
        w.vm.advance(late);
        at_par(&mut w);
        w.vm.advance(60);
        at_par(&mut w);
        for user in [&user, &maker] {
            let outcome = w.settle_expiry(&user.account.margin_account, BTC_PERP);
            ok(&w, outcome);
        }
        let hour = ends_at.div_euclid(3_600);
        assert_eq!(w.board().instruments[BTC_PERP].funding_hour, hour, "{late}");
        for user in [&maker, &user] {
            let _ = w.settle(&user.account.margin_account, &[BTC_PERP]).is_ok();
        }
        let outcome = w.close_instrument(BTC_PERP);
        ok(&w, outcome);
    }
}

/// Nobody has published a basis of an expiry that only a delisting made, so the first instrument that is listed there brings its own.
#[test]
fn a_future_may_end_with_a_delisting() {
    let mut w = world();
    let ends_at = w.vm.now() + 30 * DAY;
    let outcome = w.delist(BTC_PERP, ends_at);
    ok(&w, outcome);
    let slot = usize::from(w.board().instruments[BTC_PERP].expiry_slot);
    let basis = |w: &World| w.board().assets[usize::from(BTC)].expiries[slot].basis;
    refuses(&mut w, BallastError::InvalidParameter, |w| {
        w.list(BTC, InstrumentKind::Future, ends_at, 900_000_000, 0)
    });
    let future = list_future(&mut w, BTC, ends_at, 10_000_000);
    let board = w.board();
    assert_eq!(usize::from(board.instruments[future].expiry_slot), slot);
    assert_eq!(basis(&w), 10_000_000);
    let mark = board.mark(&board.instruments[future], w.vm.now());
    assert_eq!(mark.expect("a mark"), Price(101_000 * PRICE));
    // The next one shares it, whatever it brings.
    let outcome = w.list(BTC, InstrumentKind::Call, ends_at, 900_000_000, 100_000 * PRICE);
    ok(&w, outcome);
    assert_eq!(basis(&w), 10_000_000);
}

/// What the book shows moves the mark up to the end and not after it, whoever cranks when.
#[test]
fn a_mark_keeps_its_basis_after_the_end() {
    let mut w = world();
    let ends_at = (w.vm.now() / 3_600 + 50) * 3_600;
    let outcome = w.delist(BTC_PERP, ends_at);
    ok(&w, outcome);
    w.wait_until(ends_at - 600);
    at_par(&mut w);
    w.update_due_funding([BTC_PERP]);
    show_mid(&mut w, BTC_PERP, 100_300 * PRICE);
    w.wait_until(ends_at - 20);
    at_par(&mut w);
    let outcome = w.update_funding(BTC_PERP);
    ok(&w, outcome);
    let basis = |w: &World| w.board().instruments[BTC_PERP].basis;
    let last = basis(&w);
    assert!(last > 0);
    w.wait_until(ends_at + 40);
    w.update_due_funding([BTC_PERP]);
    assert_eq!(basis(&w), last);
}
