//! `cancel_order`, `cancel_all_orders`, `cancel_stale_orders` and `reconcile_owner`.
use ballast::error::BallastError;
use ballast::events::{OrdersRemoved, RemovalReason};
use ballast::instructions::OrderArgs;
use ballast::state::{MarginAccount, OrderId, OwnerRecord};
use ballast_book::Side;
use ballast_client::instruction::{self, AccountKeys};
use ballast_client::order;
use ballast_sim::world::{at_once, limit, User, World, BTC, ETH};
use ballast_tests::refusal::{checks_declared_accounts, refuses};
use ballast_tests::setup::*;
use ballast_tests::{ok, watched, world};
use solana_signer::Signer;

fn place(w: &mut World, instrument: usize, user: &User, args: OrderArgs) {
    let outcome = w.place(instrument, user, args);
    ok(w, outcome);
}

fn account(w: &World, user: &User) -> Box<MarginAccount> {
    w.margin_account(&user.account.margin_account)
}

fn sequences(w: &World, instrument: usize) -> Vec<u64> {
    let both = Side::BOTH.map(|side| w.orders(instrument, side));
    both.concat().iter().map(|order| order.sequence).collect()
}

fn sound(w: &World) {
    let watch = w.watch.as_ref().expect("a watch");
    watch.verdict().expect("every invariant");
}

fn open_interest(w: &World, user: &User, asset: u8) -> u64 {
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    record.open_interest[usize::from(asset)]
}

#[test]
fn an_order_is_cancelled_by_its_number_or_the_clients() {
    let mut w = watched();
    let user = trader(&mut w, 10_000);
    for number in [7, 8, 7] {
        let mut order = limit(10, 99_000.0);
        order.client_order_id = number;
        place(&mut w, BTC_PERP, &user, order);
    }
    let outcome = w.cancel(BTC_PERP, &user, OrderId::Sequence(2));
    let told: OrdersRemoved = event(&ok(&w, outcome));
    assert_eq!((told.instrument, told.removed.len(), told.bounty), (0, 1, 0));
    let gone = told.removed[0];
    assert_eq!((gone.order, gone.client_order_id, gone.lots), (2, 8, 10));
    assert_eq!(
        (gone.reason, gone.margin_account),
        (RemovalReason::Cancelled, user.account.margin_account)
    );
    assert_eq!(sequences(&w, BTC_PERP), [1, 3]);
    let outcome = w.cancel(BTC_PERP, &user, OrderId::Client(7)); // the older of the two
    ok(&w, outcome);
    assert_eq!(sequences(&w, BTC_PERP), [3]);
    assert_eq!(account(&w, &user).reserve, 2 * USD as i64);
    let outcome = w.cancel(BTC_PERP, &user, OrderId::Client(7));
    ok(&w, outcome);
    // Nothing is left: not in the reserve, the record, or the account but its event counter.
    let a = account(&w, &user);
    assert_eq!((a.order_reserve, a.reserve, a.cash), (0, 0, 10_000 * USD as i64));
    assert_eq!(open_interest(&w, &user, BTC), 0);
    assert!(a.books.iter().all(|book| book.generation == 0) && a.orders.iter().all(|slot| slot.sequence == 0));
    for id in [OrderId::Client(7), OrderId::Sequence(3), OrderId::Sequence(0)] {
        refuses(&mut w, BallastError::OrderMissing, |w| w.cancel(BTC_PERP, &user, id));
    }
    sound(&w);
}

#[test]
fn all_orders_of_some_markets_are_cancelled() {
    let mut w = watched();
    let (user, other) = pair(&mut w, 10_000);
    for instrument in [BTC_PERP, BTC_FUTURE] {
        place(&mut w, instrument, &user, limit(10, 99_000.0));
        place(&mut w, instrument, &user, limit(-10, 101_000.0));
        place(&mut w, instrument, &other, limit(10, 98_900.0));
    }
    place(&mut w, ETH_PERP, &user, limit(30, 2_990.0));
    let outcome = w.cancel_all(&user, &[BTC_PERP, ETH_PERP]);
    ok(&w, outcome);
    assert_eq!(sequences(&w, BTC_PERP), [3]);
    assert_eq!(sequences(&w, BTC_FUTURE).len(), 3);
    assert_eq!(
        (account(&w, &user).order_count(), sequences(&w, ETH_PERP).len()),
        (2, 0)
    );
    assert_eq!(open_interest(&w, &user, ETH), 0);
    refuses(&mut w, BallastError::NothingToCancel, |w| {
        w.cancel_all(&user, &[BTC_PERP])
    });
    refuses(&mut w, BallastError::NothingToCancel, |w| w.cancel_all(&user, &[]));
    let outcome = w.cancel_all(&user, &[BTC_PERP, BTC_FUTURE]); // the first has none
    ok(&w, outcome);
    assert_eq!(account(&w, &user).order_count(), 0);
    sound(&w);
}

/// A delegate of the account places and cancels for it.
#[test]
fn a_delegate_trades_for_the_account() {
    let mut w = world();
    let (user, delegate) = (w.user(), w.user());
    let wallet = user.key.pubkey();
    let open = instruction::open_margin_account(&w.exchange, &wallet, 1, vec![delegate.key.pubkey()]);
    let outcome = w.vm.send(&[open], &[&user.key]);
    ok(&w, outcome);
    let traded = User {
        key: delegate.key.insecure_clone(),
        account: AccountKeys {
            signer: delegate.key.pubkey(),
            ..AccountKeys::new(&w.exchange, &wallet, 1)
        },
        ..delegate
    };
    let usd = w.usd;
    let outcome = w.fund(&traded, &usd, 1_000 * USD);
    ok(&w, outcome);
    place(&mut w, BTC_PERP, &traded, limit(10, 99_000.0));
    let outcome = w.cancel(BTC_PERP, &traded, OrderId::Sequence(1));
    ok(&w, outcome);
    assert_eq!(account(&w, &traded).order_count(), 0);
}

/// An account under its maintenance margin and with stale prices may still cancel.
#[test]
fn nothing_keeps_an_owner_from_cancelling() {
    let (mut w, user, _) = long_btc();
    let mut exit = limit(-100, 101_000.0);
    exit.reduce_only = true;
    place(&mut w, BTC_PERP, &user, exit);
    let time = w.vm.now() + 10;
    btc_at(&mut w, time, 90_000.0);
    w.vm.advance(7_200);
    assert!(w.summary(&user.account.margin_account).liquidatable);
    let outcome = w.cancel(BTC_PERP, &user, OrderId::Sequence(1));
    ok(&w, outcome);
}

#[test]
fn refuses_strangers_and_the_wrong_accounts() {
    let mut w = world();
    let (user, other) = pair(&mut w, 10_000);
    place(&mut w, BTC_PERP, &user, limit(10, 99_000.0));
    let market = w.markets[BTC_PERP];
    let good = order::cancel_order(&w.exchange, &market, &user.account, OrderId::Sequence(1));
    let mut theirs = good.clone();
    theirs.accounts[4].pubkey = other.key.pubkey();
    refuses(&mut w, BallastError::NotTrader, |w| w.vm.send(&[theirs], &[&other.key]));
    // Somebody else's order under one's own account.
    refuses(&mut w, BallastError::OrderMissing, |w| {
        w.cancel(BTC_PERP, &other, OrderId::Sequence(1))
    });
    let copy = copy_account(&mut w, &market);
    for (keys, error) in [
        (vec![], BallastError::MarketMissing),
        (vec![market, w.markets[BTC_FUTURE]], BallastError::MarketMissing),
        (vec![w.markets[BTC_FUTURE]], BallastError::OrderMissing),
        (vec![copy], BallastError::WrongMarket),
    ] {
        let mut wrong = good.clone();
        wrong.accounts.truncate(7);
        let metas = keys
            .iter()
            .map(|key| anchor_lang::prelude::AccountMeta::new(*key, false));
        wrong.accounts.extend(metas);
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&user.key]));
    }
    let mut wrong = good.clone();
    wrong.accounts[3].pubkey = other.account.owner;
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    checks_declared_accounts(&mut w, &good, 7, &[&user.key]);
}

/// Two of three orders have expired: four cents go from the locked reserve to the cranker. The third stays.
#[test]
fn expired_orders_are_swept_for_two_cents_each() {
    let mut w = watched();
    let (user, cranker) = pair(&mut w, 10_000);
    let now = w.vm.now();
    for expires_at in [now + 10, 0, now + 20] {
        let order = OrderArgs {
            expires_at,
            ..limit(10, 99_000.0)
        };
        place(&mut w, BTC_PERP, &user, order);
    }
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::NothingToCancel, |w| {
        w.cancel_stale(BTC_PERP, &[key], Some(&cranker))
    });
    w.vm.advance(20);
    let (before, pool) = (account(&w, &cranker).cash, w.quote_pool().supplied);
    let outcome = w.cancel_stale(BTC_PERP, &[key], Some(&cranker));
    let told: OrdersRemoved = event(&ok(&w, outcome));
    assert_eq!((told.bounty, told.cranker), (40_000, cranker.account.margin_account));
    let numbers: Vec<_> = told.removed.iter().map(|r| (r.order, r.reason)).collect();
    assert_eq!(numbers, [(1, RemovalReason::Expired), (3, RemovalReason::Expired)]);
    let a = account(&w, &user);
    assert_eq!((a.reserve, a.order_reserve), (1_960_000, 10 * DOLLAR));
    assert_eq!(account(&w, &cranker).cash - before, 40_000);
    assert_eq!(w.quote_pool().supplied, pool);
    // The record still counts them, until anybody tells it.
    assert_eq!(open_interest(&w, &user, BTC), 30 * 100_000);
    let outcome = w.reconcile(&key);
    ok(&w, outcome);
    assert_eq!(open_interest(&w, &user, BTC), 10 * 100_000);
    // What is left of the reserve comes back with the last order.
    let outcome = w.cancel(BTC_PERP, &user, OrderId::Sequence(2));
    ok(&w, outcome);
    let a = account(&w, &user);
    assert_eq!((a.cash, a.reserve), (9_999_960_000, 0));
    sound(&w);
}

/// Without a cranker, or by one of the same wallet, the orders go and nobody is paid. A reserve that is used up pays no more.
#[test]
fn bounties_come_from_the_reserve_alone() {
    let mut w = watched();
    let (user, cranker) = pair(&mut w, 10_000);
    let key = user.account.margin_account;
    let expire = |w: &mut World, count: usize| {
        let expires_at = w.vm.now() + 1;
        for _ in 0..count {
            let order = OrderArgs {
                expires_at,
                ..limit(10, 99_000.0)
            };
            place(w, BTC_PERP, &user, order);
        }
        w.vm.advance(1);
    };
    expire(&mut w, 1);
    let outcome = w.cancel_stale(BTC_PERP, &[key], None);
    assert_eq!(event::<OrdersRemoved>(&ok(&w, outcome)).bounty, 0);
    expire(&mut w, 1);
    let outcome = w.cancel_stale(BTC_PERP, &[key], Some(&user));
    assert_eq!(event::<OrdersRemoved>(&ok(&w, outcome)).bounty, 0);
    assert_eq!(account(&w, &user).cash, 10_000 * USD as i64);
    // A standing order keeps the reserve locked: 2 dollars are a hundred removals.
    place(&mut w, BTC_PERP, &user, limit(10, 98_500.0));
    let mut paid = 0;
    for _ in 0..4 {
        expire(&mut w, 31);
        let outcome = w.cancel_stale(BTC_PERP, &[key], Some(&cranker));
        paid += event::<OrdersRemoved>(&ok(&w, outcome)).bounty;
    }
    assert_eq!((paid, account(&w, &user).reserve), (2_000_000, 0));
    sound(&w);
}

/// 10,000 dollars long and 9,000 of bids need 1,900; a fall of 1.5 % leaves 1,846 against 1,885. One of the bids has expired by then, and that
/// is why it goes.
#[test]
fn orders_that_are_not_carried_any_more_are_swept() {
    let mut w = watched();
    let (cranker, rich) = pair(&mut w, 100);
    let poor = trader(&mut w, 2_000);
    place(&mut w, BTC_PERP, &rich, limit(-1_000, 100_000.0));
    place(&mut w, BTC_PERP, &poor, at_once(1_000, 100_000.0));
    place(&mut w, BTC_PERP, &poor, limit(450, 99_900.0));
    let expiring = OrderArgs {
        expires_at: w.vm.now() + 1,
        ..limit(450, 99_800.0)
    };
    place(&mut w, BTC_PERP, &poor, expiring);
    place(&mut w, BTC_PERP, &rich, limit(10, 99_800.0));
    let keys = [poor.account.margin_account, rich.account.margin_account];
    refuses(&mut w, BallastError::NothingToCancel, |w| {
        w.cancel_stale(BTC_PERP, &keys, Some(&cranker))
    });
    w.set_prices(&[(BTC, 98_500.0)]);
    let outcome = w.cancel_stale(BTC_PERP, &keys, Some(&cranker));
    let told: OrdersRemoved = event(&ok(&w, outcome));
    assert_eq!((told.removed.len(), told.bounty), (2, 40_000));
    let reasons: Vec<_> = told.removed.iter().map(|r| r.reason).collect();
    assert_eq!(reasons, [RemovalReason::NotCarried, RemovalReason::Expired]);
    assert_eq!(
        (account(&w, &poor).order_count(), account(&w, &rich).order_count()),
        (0, 1)
    );
    sound(&w);
}

#[test]
fn orders_of_an_instrument_that_has_expired_are_swept() {
    let mut w = watched();
    let (user, cranker) = pair(&mut w, 10_000);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    for expires_at in [0, expiry] {
        let order = OrderArgs {
            expires_at,
            ..limit(10, 99_000.0)
        };
        place(&mut w, BTC_FUTURE, &user, order);
    }
    let key = user.account.margin_account;
    btc_at(&mut w, expiry - 1, 100_000.0);
    refuses(&mut w, BallastError::NothingToCancel, |w| {
        w.cancel_stale(BTC_FUTURE, &[key], Some(&cranker))
    });
    w.vm.advance(1);
    let outcome = w.cancel_stale(BTC_FUTURE, &[key], Some(&cranker));
    let told: OrdersRemoved = event(&ok(&w, outcome));
    let numbers: Vec<_> = told.removed.iter().map(|r| (r.order, r.reason)).collect();
    assert_eq!(numbers, [(1, RemovalReason::Ended), (2, RemovalReason::Expired)]);
    assert_eq!(account(&w, &user).order_count(), 0);
    sound(&w);
}

#[test]
fn sweeping_refuses_the_wrong_accounts() {
    let mut w = world();
    let (user, cranker) = pair(&mut w, 10_000);
    let order = OrderArgs {
        expires_at: w.vm.now() + 1,
        ..limit(10, 99_000.0)
    };
    place(&mut w, BTC_PERP, &user, order);
    w.vm.advance(1);
    let (market, key) = (w.markets[BTC_PERP], user.account.margin_account);
    let good = order::cancel_stale_orders(&w.exchange, &market, &[key], Some(cranker.account.margin_account));
    let second = second_exchange(&mut w);
    let theirs = second.open(&mut w, &user);
    let copy = copy_account(&mut w, &market);
    for (at, key, error) in [
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, copy, BallastError::WrongMarket),
        (2, second.markets[0], BallastError::WrongExchange),
        (3, second.exchange.quote_pool(), BallastError::WrongExchange),
        (4, theirs.margin_account, BallastError::WrongExchange),
        (7, theirs.margin_account, BallastError::WrongExchange),
    ] {
        let mut wrong = good.clone();
        wrong.accounts[at].pubkey = key;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[]));
    }
    checks_declared_accounts(&mut w, &good, 7, &[]);
    let reconcile = order::reconcile_owner(&key, &cranker.account.owner);
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| w.vm.send(&[reconcile], &[]));
    let reconcile = order::reconcile_owner(&key, &user.account.owner);
    checks_declared_accounts(&mut w, &reconcile, 2, &[]);
}

/// An account whose orders were filled or swept without its record closes, and the record forgets them.
#[test]
fn an_account_closes_with_what_its_record_still_counts() {
    let mut w = watched();
    let user = trader(&mut w, 100);
    let order = OrderArgs {
        expires_at: w.vm.now() + 1,
        ..limit(10, 99_000.0)
    };
    place(&mut w, BTC_PERP, &user, order);
    let usd = w.usd;
    refuses(&mut w, BallastError::AccountNotEmpty, |w| w.close(&user, 0));
    w.vm.advance(1);
    let outcome = w.cancel_stale(BTC_PERP, &[user.account.margin_account], None);
    ok(&w, outcome);
    assert_eq!(open_interest(&w, &user, BTC), 10 * 100_000);
    let outcome = w.withdraw(&user, &usd, 100 * USD);
    ok(&w, outcome);
    let outcome = w.close(&user, 0);
    ok(&w, outcome);
    assert_eq!(open_interest(&w, &user, BTC), 0);
    sound(&w);
}
