//! `close_instrument`: the slot of what has ended and settled comes free, with nothing left in it, and holds the next generation.
use ballast::error::BallastError;
use ballast::events::InstrumentClosed;
use ballast::state::{Expiry, InstrumentKind, Market};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    copy_account, edit, list_future, list_option, pair, second_exchange, trade, trader, BTC_FUTURE, BTC_PERP, DAY,
};
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::log_events::logged;

/// Two who hold a lot of the BTC future each way, after its window at 100,000.00333333: a unit is left of the rounding.
fn expired(mut w: World) -> (World, [User; 3]) {
    let (first, maker) = pair(&mut w, 1_000);
    let second = trader(&mut w, 1_000);
    trade(&mut w, BTC_FUTURE, &first, &maker, 1, 100_000.0);
    trade(&mut w, BTC_FUTURE, &second, &maker, 1, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 100_000.003_333_33);
    (w, [maker, first, second])
}

fn settled() -> World {
    let (mut w, users) = expired(world());
    for user in &users {
        let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
        ok(&w, outcome);
    }
    w
}

#[test]
fn nothing_is_left_of_a_closed_instrument() {
    let mut w = settled();
    let market = w.market(BTC_FUTURE);
    assert_eq!((market.pool, market.residual), (1, 1));
    let (key, fund) = (w.markets[BTC_FUTURE], w.insurance_fund().balance);
    let lamports = |w: &World| {
        w.vm.svm
            .get_account(&w.authority.pubkey())
            .expect("the authority")
            .lamports
    };
    let (had, rent) = (lamports(&w), w.vm.svm.get_account(&key).expect("the market").lamports);
    let outcome = w.close_instrument(BTC_FUTURE);
    let receipt = ok(&w, outcome);
    let closed = InstrumentClosed {
        exchange: w.exchange.key,
        instrument: BTC_FUTURE as u16,
        generation: 1,
        market: key,
        insurance: 1,
        fees: 0,
    };
    assert_eq!(logged::<InstrumentClosed>(&receipt), [closed]);
    assert_eq!(w.insurance_fund().balance, fund + 1);
    assert_eq!(lamports(&w), had + rent);
    assert!(w.vm.data(&key).is_empty());
    let board = w.board();
    let slot = &board.instruments[BTC_FUTURE];
    assert_eq!((slot.kind, slot.generation, slot.expiry, slot.lot_size), (0, 1, 0, 0));
    let btc = &board.assets[usize::from(BTC)];
    assert_eq!((btc.expiries[0], btc.settles_from), (Expiry::default(), i64::MAX));
    assert_eq!(w.exchange_account().markets[BTC_FUTURE], Default::default());
}

/// Other instruments of the expiry keep it; the last one takes it along.
#[test]
fn an_expiry_goes_with_its_last_instrument() {
    let mut w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let call = list_option(&mut w, BTC, InstrumentKind::Call, expiry, 100_000);
    w.expire_at(BTC, expiry, 100_000.0);
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    let of = |w: &World| w.board().assets[usize::from(BTC)].expiries[0].time;
    assert_eq!(of(&w), expiry);
    let outcome = w.close_instrument(call);
    ok(&w, outcome);
    assert_eq!(of(&w), 0);
}

/// What nobody has traded needs no settlement price to go.
#[test]
fn an_unused_instrument_closes_at_its_end() {
    let mut w = world();
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.wait_until(expiry - 1);
    refuses(&mut w, BallastError::InstrumentOpen, |w| w.close_instrument(BTC_FUTURE));
    refuses(&mut w, BallastError::InstrumentOpen, |w| w.close_instrument(BTC_PERP));
    w.wait_until(expiry);
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    refuses(&mut w, BallastError::InstrumentOpen, |w| w.close_instrument(BTC_PERP));
}

#[test]
fn a_slot_is_listed_again_as_its_next_generation() {
    let mut w = settled();
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    let expiry = w.vm.now() + 30 * DAY;
    assert_eq!(list_future(&mut w, ETH, expiry, 0), BTC_FUTURE);
    let listed = w.board().instruments[BTC_FUTURE];
    assert_eq!((listed.asset, listed.generation, listed.expiry), (ETH, 2, expiry));
    // Its events don't repeat the numbers of the one before.
    assert_eq!(
        (w.market(BTC_FUTURE).generation, w.market(BTC_FUTURE).sequence),
        (2, 1 << 40)
    );
    assert_eq!(w.exchange_account().instrument_count, 6);
    // The next one goes behind the others.
    assert_eq!(list_future(&mut w, ETH, expiry + 1, 0), 6);
    w.set_prices(&[(ballast::state::QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    let (user, maker) = pair(&mut w, 10_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 100, 3_000.0);
    assert_eq!(
        w.margin_account(&user.account.margin_account).positions[0].generation,
        2
    );
    assert_eq!(w.market(BTC_FUTURE).sequence, (1 << 40) + 1);
}

#[test]
fn refuses_markets_with_anything_in_them() {
    let (mut w, [maker, first, second]) = expired(world());
    let close = |w: &mut World| w.close_instrument(BTC_FUTURE);
    refuses(&mut w, BallastError::MarketInUse, close);
    for user in [&first, &maker] {
        let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
        ok(&w, outcome);
        refuses(&mut w, BallastError::MarketInUse, close);
    }
    let outcome = w.settle_expiry(&second.account.margin_account, BTC_FUTURE);
    ok(&w, outcome);
    // A pool that is not what its books say never goes anywhere.
    let market = w.markets[BTC_FUTURE];
    for change in [
        |m: &mut Market| m.pool += 1,
        |m: &mut Market| m.fees_due += 2,
        |m: &mut Market| m.positions = 1,
        |m: &mut Market| m.open_interest = 1,
        |m: &mut Market| m.settled_lots = -1,
    ] {
        let before = w.vm.data(&market);
        edit::<Market>(&mut w, &market, change);
        refuses(&mut w, BallastError::MarketInUse, close);
        w.vm.put(market, ballast::ID, before);
    }
    let outcome = close(&mut w);
    ok(&w, outcome);
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let mut w = world();
    let second = second_exchange(&mut w);
    let (mut w, users) = expired(w);
    for user in &users {
        let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
        ok(&w, outcome);
    }
    let authority = w.authority.pubkey();
    let right = instruction::close_instrument(&w.exchange, &authority, &w.markets[BTC_FUTURE]);
    let future = w.markets[BTC_FUTURE];
    let forged = copy_account(&mut w, &future);
    let thief = w.vm.keypair().pubkey();
    for (at, other, error) in [
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.exchange.quote_pool(), BallastError::WrongExchange),
        (3, second.exchange.insurance_fund(), BallastError::WrongExchange),
        (4, forged, BallastError::WrongMarket),
        (4, second.markets[0], BallastError::WrongExchange),
        (5, thief, BallastError::NotAuthority),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = other;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[]));
    }
    checks_every_account(&mut w, &right, &[]);
}
