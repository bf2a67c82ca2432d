//! How far `settle_expiry` goes: losses on credit and its caps, options at their strikes, and what the owner's record counts.
use ballast::error::BallastError;
use ballast::events::ExpirySettled;
use ballast::state::{Exchange, InstrumentKind, MarginAccount, OwnerRecord, QUOTE_ASSET};
use ballast_sim::world::{at_once, limit, User, World, BTC, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

fn account(w: &World, user: &User) -> Box<MarginAccount> {
    w.margin_account(&user.account.margin_account)
}

#[track_caller]
fn settle(w: &mut World, user: &User, instrument: usize) -> ExpirySettled {
    let outcome = w.settle_expiry(&user.account.margin_account, instrument);
    event(&ok(w, outcome))
}

fn sound(w: World) {
    w.watch.expect("a watch").verdict().expect("every invariant");
}

/// A user with a BTC and no cash who has bought a future at 100,000, after its window at 95,000: a loss of 5,050.
fn loses_on_credit(limits: impl FnOnce(&mut Exchange)) -> (World, User) {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 0);
    let token = w.btc;
    deposit(&mut w, &user, &token, BTC_UNIT);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 95_000.0);
    let exchange = w.exchange.key;
    edit::<Exchange>(&mut w, &exchange, limits);
    (w, user)
}

#[test]
fn a_loss_is_paid_on_credit() {
    let (mut w, user) = loses_on_credit(|_| {});
    assert_eq!(account(&w, &user).cash, -2_000_000);
    assert_eq!(settle(&mut w, &user, BTC_FUTURE).settled.amount, -5_050_000_000);
    let after = account(&w, &user);
    assert_eq!(
        (after.cash, after.reserve, after.position_count),
        (-5_050_000_000, 0, 0)
    );
    assert_eq!(w.quote_pool().borrowed, 5_050_000_000);
    sound(w);
}

/// A cap of 1,000, the account's own or that of all: the balance goes down to −1,000, and the reserve of 2 is a part of that balance.
#[test]
fn caps_on_borrowing_stop_a_loss() {
    let caps: [fn(&mut Exchange); 2] = [
        |e| e.limits.account_borrow_cap = 1_000 * USD,
        |e| e.limits.total_borrow_cap = 1_000 * USD,
    ];
    for cap in caps {
        let (mut w, user) = loses_on_credit(cap);
        assert_eq!(settle(&mut w, &user, BTC_FUTURE).settled.amount, -1_000_000_000);
        let after = account(&w, &user);
        assert_eq!((after.cash, after.reserve), (-1_002_000_000, 2_000_000));
        assert_eq!(after.positions[0].quote, -4_050_000_000);
        assert_eq!(w.quote_pool().borrowed, 1_000_000_000);
        let key = user.account.margin_account;
        refuses(&mut w, BallastError::NothingToSettle, |w| {
            w.settle_expiry(&key, BTC_FUTURE)
        });
        // Cash that comes in pays it to the unit. The reserve pays nothing: without it the debt would be over the cap.
        let usd = w.usd;
        for amount in [4_048, 2] {
            deposit(&mut w, &user, &usd, amount * USD);
            let settled = settle(&mut w, &user, BTC_FUTURE).settled;
            assert_eq!(settled.amount, -((amount * USD) as i64));
        }
        assert_eq!(
            (account(&w, &user).cash, account(&w, &user).reserve),
            (-1_000_000_000, 0)
        );
        sound(w);
    }
}

/// 100 SOL at 150 whose price is a month old: less ψ, 19 %, they are worth 12,150, and a quarter is cut off that: 9,112.50 of a loss of 13,015
/// are paid.
#[test]
fn dead_collateral_pays_what_it_is_worth_at_least() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 0);
    let sol = w.sol;
    deposit(&mut w, &user, &sol, 100 * SOL_UNIT);
    trade(&mut w, ETH_FUTURE, &user, &maker, 10_000, 3_000.0);
    let expiry = w.board().instruments[ETH_FUTURE].expiry;
    w.expire_at(ETH, expiry, 1_700.0);
    // The 2 that are locked are owed already.
    assert_eq!(settle(&mut w, &user, ETH_FUTURE).settled.amount, -9_110_500_000);
    let after = account(&w, &user);
    assert_eq!((after.cash, after.positions[0].quote), (-9_112_500_000, -3_904_500_000));
    sound(w);
}

/// Calls and puts of 3,000 on 100 ETH, at the strike and the least that a price can be off it, 10⁻⁸ dollars: together 10⁻⁶.
#[test]
fn options_at_their_strike_pay_nothing_and_a_unit_beside_it() {
    for (price, [call_pays, put_pays]) in [
        (3_000.0, [0, 0]),
        (3_000.000_000_01, [1, 0]),
        (2_999.999_999_99, [0, 1]),
    ] {
        let mut d = Desk::new(65);
        d.w.watch = Some(Default::default());
        let (call, put) = (
            d.option(InstrumentKind::Call, 3_000, 24),
            d.option(InstrumentKind::Put, 3_000, 24),
        );
        let (user, maker) = pair(&mut d.w, 100_000);
        d.open(&[(call, 100.0), (put, 100.0)], &user, &maker);
        let expiry = d.w.board().instruments[call].expiry;
        d.w.expire_at(ETH, expiry, price);
        for (option, pays) in [(call, call_pays), (put, put_pays)] {
            let settled = settle(&mut d.w, &user, option);
            assert_eq!((settled.price, settled.value), (10 * pays, pays), "{price}");
            assert_eq!(settle(&mut d.w, &maker, option).value, -pays, "{price}");
        }
        sound(d.w);
    }
}

/// Ten puts of 3,100 at a price of 2,500 pay 6,000, once who wrote them has: the holder comes first and waits.
#[test]
fn the_holder_of_a_put_waits_for_who_wrote_it() {
    let mut d = Desk::new(65);
    d.w.watch = Some(Default::default());
    let put = d.option(InstrumentKind::Put, 3_100, 24);
    let (user, maker) = pair(&mut d.w, 100_000);
    d.open(&[(put, 10.0)], &user, &maker);
    let paid = -account(&d.w, &user).positions[0].quote;
    let expiry = d.w.board().instruments[put].expiry;
    d.w.expire_at(ETH, expiry, 2_500.0);
    let first = settle(&mut d.w, &user, put);
    assert_eq!((first.price, first.value), (600 * PRICE, 6_000_000_000));
    assert_eq!(first.settled.amount, 0);
    assert_eq!(settle(&mut d.w, &maker, put).value, -6_000_000_000);
    assert_eq!(settle(&mut d.w, &user, put).settled.amount, 6_000_000_000 - paid);
    assert_eq!(account(&d.w, &user).cash, 100_000_000_000 + 6_000_000_000 - paid);
    let outcome = d.w.close_instrument(put);
    ok(&d.w, outcome);
    sound(d.w);
}

fn counted(w: &World, user: &User) -> u64 {
    w.read::<OwnerRecord>(&user.account.owner).open_interest[usize::from(BTC)]
}

/// A maker long 300 lots rests an ask of 1,000, of which 400 trade: it is short 100 then and rests 600, but the record, which was not there,
/// counts 1,300. A lot is 0.0001 BTC, 100,000 of the record's units.
#[test]
fn the_record_counts_what_is_left_of_a_short() {
    const LOT: u64 = 100_000;
    let mut w = watched();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_FUTURE, &maker, &user, 300, 100_000.0);
    let outcome = w.place(BTC_FUTURE, &maker, limit(-1_000, 100_100.0));
    ok(&w, outcome);
    let outcome = w.place(BTC_FUTURE, &user, at_once(400, 100_100.0));
    ok(&w, outcome);
    assert_eq!(account(&w, &maker).positions[0].lots, -100);
    assert_eq!((counted(&w, &maker), counted(&w, &user)), (1_300 * LOT, 100 * LOT));
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 100_000.0);
    for user in [&user, &maker] {
        settle(&mut w, user, BTC_FUTURE);
    }
    assert_eq!((counted(&w, &maker), counted(&w, &user)), (1_200 * LOT, 0));
    let outcome = w.cancel_stale(BTC_FUTURE, &[maker.account.margin_account], None);
    ok(&w, outcome);
    let outcome = w.reconcile(&maker.account.margin_account);
    ok(&w, outcome);
    assert_eq!(counted(&w, &maker), 0);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    sound(w);
}
