//! The makers of an order: which of their accounts it needs, and what happens between orders of one wallet.
use ballast::events::{OrderPlaced, RemovalReason};
use ballast::instructions::{OrderArgs, SelfTradeRule};
use ballast::state::Exchange;
use ballast_book::Side;
use ballast_client::instruction::AccountKeys;
use ballast_sim::invariants::Watch;
use ballast_sim::world::{at_once, limit, Outcome, User, World};
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};
use solana_signer::Signer;

fn placed(w: &World, outcome: Outcome) -> OrderPlaced {
    let receipt = ok(w, outcome);
    w.watch.as_ref().expect("a watch").verdict().expect("every invariant");
    event(&receipt)
}

fn place(w: &mut World, user: &User, args: OrderArgs) -> OrderPlaced {
    let outcome = w.place(BTC_PERP, user, args);
    placed(w, outcome)
}

/// Three makers with an ask of 20 lots each, from 100,000 up, and a taker.
fn three_asks() -> (World, User, [User; 3]) {
    let mut w = watched();
    let taker = trader(&mut w, 100_000);
    let makers = [100_000.0, 100_010.0, 100_020.0].map(|price| {
        let maker = trader(&mut w, 100_000);
        place(&mut w, &maker, limit(-20, price));
        maker
    });
    (w, taker, makers)
}

fn key(user: &User) -> anchor_lang::prelude::Pubkey {
    user.account.margin_account
}

#[test]
fn matching_stops_in_front_of_a_maker_whose_account_is_missing() {
    let (mut w, taker, [a, _, c]) = three_asks();
    let outcome = w.place_with(BTC_PERP, &taker, limit(60, 100_020.0), &[key(&a), key(&c)]);
    let event = placed(&w, outcome);
    // The first is filled; the second is not passed over, and the rest may not rest across it.
    assert_eq!((event.fills.len(), event.fills[0].maker), (1, key(&a)));
    assert_eq!((event.resting, event.removed.len()), (0, 0));
    let outcome = w.place_with(BTC_PERP, &taker, limit(60, 100_020.0), &[]);
    let event = placed(&w, outcome);
    assert_eq!((event.fills.len(), event.resting), (0, 0));
    assert_eq!(w.orders(BTC_PERP, Side::Ask).len(), 2);
}

#[test]
fn the_order_of_the_accounts_changes_nothing() {
    let (mut w, taker, [a, b, c]) = three_asks();
    let stranger = trader(&mut w, 100); // whose account is not needed
    let keys = [key(&c), key(&stranger), key(&a), key(&b)];
    let outcome = w.place_with(BTC_PERP, &taker, limit(60, 100_020.0), &keys);
    let makers: Vec<_> = placed(&w, outcome).fills.iter().map(|f| f.maker).collect();
    assert_eq!(makers, [key(&a), key(&b), key(&c)]);
}

/// Several orders of one maker are judged one after the other, on one account.
#[test]
fn a_maker_may_be_met_several_times() {
    let mut w = watched();
    let (taker, maker) = pair(&mut w, 100_000);
    for price in [100_000.0, 100_010.0, 100_020.0] {
        place(&mut w, &maker, limit(-20, price));
    }
    let event = place(&mut w, &taker, at_once(50, 100_020.0));
    let lots: Vec<_> = event.fills.iter().map(|f| f.lots).collect();
    assert_eq!(lots, [20, 20, 10]);
    assert_eq!(w.margin_account(&key(&maker)).positions[0].lots, -50);
}

/// An ask of 30 of the user's own in front of one of 30 of another wallet.
fn own_order_first() -> (World, User, User) {
    let mut w = watched();
    let (user, other) = pair(&mut w, 100_000);
    place(&mut w, &user, limit(-30, 100_000.0));
    place(&mut w, &other, limit(-30, 100_010.0));
    (w, user, other)
}

fn meeting_oneself(lots: i64, rule: SelfTradeRule) -> OrderArgs {
    OrderArgs {
        self_trade: rule,
        ..limit(lots, 100_010.0)
    }
}

fn asks(w: &World) -> Vec<(u64, i64)> {
    let orders = w.orders(BTC_PERP, Side::Ask);
    orders.iter().map(|order| (order.sequence, order.lots)).collect()
}

#[test]
fn meeting_oneself_drops_the_incoming_order() {
    let (mut w, user, _) = own_order_first();
    let event = place(&mut w, &user, meeting_oneself(50, SelfTradeRule::CancelTaker));
    assert_eq!((event.fills.len(), event.removed.len(), event.resting), (0, 0, 0));
    assert_eq!(asks(&w), [(1, 30), (2, 30)]);
}

#[test]
fn meeting_oneself_removes_the_resting_order() {
    let (mut w, user, other) = own_order_first();
    let event = place(&mut w, &user, meeting_oneself(50, SelfTradeRule::CancelMaker));
    assert_eq!(
        (event.removed[0].order, event.removed[0].reason),
        (1, RemovalReason::SelfTrade)
    );
    assert_eq!((event.fills[0].maker, event.fills[0].lots), (key(&other), 30));
    assert_eq!((event.resting, asks(&w).len()), (20, 0));
}

/// 50 against one's own 30: both lose 30 without a trade, and the other 20 trade. 15 against 30 leave 15, and 10 of those leave 5.
#[test]
fn meeting_oneself_takes_the_smaller_off_both() {
    let (mut w, user, other) = own_order_first();
    let event = place(&mut w, &user, meeting_oneself(50, SelfTradeRule::Decrement));
    assert_eq!(
        (event.removed[0].lots, event.removed[0].reason),
        (30, RemovalReason::SelfTrade)
    );
    assert_eq!((event.fills[0].maker, event.fills[0].lots), (key(&other), 20));
    assert_eq!((event.resting, asks(&w)), (0, vec![(2, 10)]));
    let (mut w, user, _) = own_order_first();
    let event = place(&mut w, &user, meeting_oneself(15, SelfTradeRule::Decrement));
    assert_eq!((event.removed[0].lots, event.fills.len(), event.resting), (15, 0, 0));
    assert_eq!(asks(&w), [(1, 15), (2, 30)]);
    let event = place(&mut w, &user, meeting_oneself(10, SelfTradeRule::Decrement));
    let reasons: Vec<_> = event.removed.iter().map(|r| (r.lots, r.reason)).collect();
    assert_eq!(reasons, [(10, RemovalReason::SelfTrade)]);
    assert_eq!(asks(&w), [(1, 5), (2, 30)]);
}

/// Another account of the same wallet is oneself, too.
#[test]
fn a_second_account_of_the_wallet_is_oneself() {
    let (mut w, user, other) = own_order_first();
    let outcome = w.open(&user, 1);
    ok(&w, outcome);
    let second = User {
        key: user.key.insecure_clone(),
        account: AccountKeys::new(&w.exchange, &user.key.pubkey(), 1),
        ..user
    };
    let usd = w.usd;
    deposit(&mut w, &second, &usd, 10_000 * USD);
    let event = place(&mut w, &second, meeting_oneself(50, SelfTradeRule::CancelTaker));
    assert_eq!((event.fills.len(), event.resting), (0, 0));
    let event = place(&mut w, &second, meeting_oneself(50, SelfTradeRule::CancelMaker));
    assert_eq!((event.removed[0].order, event.fills[0].maker), (1, key(&other)));
    // Its orders count in the one record of the wallet, which each account's fills and removals leave as it should be.
    assert_eq!(w.margin_account(&key(&second)).order_count(), 1);
}

/// A maker whose orders turn its position around is judged fill by fill. It is long a BTC with 7,550 of equity against a maintenance margin of
/// 6,971.25, a health of 1.083, with which nothing may be added; but the first ask closes the position, and then the second may open one.
#[test]
fn a_maker_who_has_closed_its_position_may_open_another() {
    let (mut w, user, buyer) = long_btc();
    w.watch = Some(Watch::default());
    let usd = w.usd;
    deposit(&mut w, &user, &usd, 50 * USD);
    let key = w.exchange.key;
    edit::<Exchange>(&mut w, &key, |e| e.limits.price_band_ppm = 30_000);
    let exit = OrderArgs {
        reduce_only: true,
        ..limit(-10_000, 100_000.0)
    };
    place(&mut w, &user, exit);
    place(&mut w, &user, limit(-10, 100_000.0));
    let time = w.vm.now() + 10;
    btc_at(&mut w, time, 97_500.0);
    let health = w.summary(&user.account.margin_account).health;
    assert!(health > 1_080_000_000 && health < 1_090_000_000, "{health}");
    let event = place(&mut w, &buyer, at_once(10_010, 100_000.0));
    let lots: Vec<_> = event.fills.iter().map(|fill| fill.lots).collect();
    assert_eq!((lots, event.removed.len()), (vec![10_000, 10], 0));
    assert_eq!(w.margin_account(&user.account.margin_account).positions[0].lots, -10);
}
