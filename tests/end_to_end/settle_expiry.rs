//! `settle_expiry`: positions in an ended instrument become money at what it pays for good.
use ballast::error::BallastError;
use ballast::events::{ExpirySettled, SettledPosition};
use ballast::state::{InstrumentKind, MarginAccount, OwnerRecord, RiskBoard};
use ballast_client::instruction;
use ballast_sim::invariants::Watch;
use ballast_sim::keeper::{wind_up, WoundUp};
use ballast_sim::world::{limit, User, World, BTC, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    copy_account, edit, event, pair, second_exchange, trade, trader, BTC_FUTURE, BTC_PERP, ETH_FUTURE, PRICE,
};
use ballast_tests::{ok, world};

/// A user who has bought a BTC future at 100,000 from a maker, after its window at `price`.
fn expired(price: f64) -> (World, User, User) {
    expired_in(world(), price)
}

fn expired_in(mut w: World, price: f64) -> (World, User, User) {
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, price);
    (w, user, maker)
}

fn cash(w: &World, user: &User) -> i64 {
    w.margin_account(&user.account.margin_account).cash
}

fn held(w: &World, user: &User) -> u64 {
    w.read::<OwnerRecord>(&user.account.owner).open_interest[usize::from(BTC)]
}

#[track_caller]
fn settle(w: &mut World, user: &User, instrument: usize) -> ExpirySettled {
    let outcome = w.settle_expiry(&user.account.margin_account, instrument);
    event(&ok(w, outcome))
}

#[test]
fn a_future_closes_at_its_settlement_price() {
    let (mut w, user, maker) = expired(101_000.0);
    assert_eq!((held(&w, &user), held(&w, &maker)), (1_000_000_000, 1_000_000_000));
    // Sold at 100,000 for a fee of 20, worth 101,000: 1,020 into the pool, of which 56 are fees and 14 the fund's.
    let settled = settle(&mut w, &maker, BTC_FUTURE);
    let expected = ExpirySettled {
        margin_account: maker.account.margin_account,
        sequence: w.margin_account(&maker.account.margin_account).sequence,
        lots: -10_000,
        price: 101_000 * PRICE,
        value: -101_000_000_000,
        settled: SettledPosition {
            instrument: BTC_FUTURE as u16,
            amount: -1_020_000_000,
            fees: 56_000_000,
            insurance: 14_000_000,
            pool: 950_000_000,
        },
        waiting: 0,
    };
    assert_eq!(settled, expected);
    let market = w.market(BTC_FUTURE);
    assert_eq!(
        (market.settled_lots, market.open_interest, market.positions),
        (-10_000, 10_000, 1)
    );
    // Bought at 100,000 for a fee of 50: 950, and all that was locked comes back.
    let settled = settle(&mut w, &user, BTC_FUTURE);
    assert_eq!((settled.lots, settled.settled.amount), (10_000, 950_000_000));
    assert_eq!((cash(&w, &user), cash(&w, &maker)), (50_950_000_000, 9_998_980_000_000));
    let market = w.market(BTC_FUTURE);
    assert_eq!((market.settled_lots, market.open_interest, market.positions), (0, 0, 0));
    assert_eq!((market.pool, market.residual), (0, 0));
    for user in [&user, &maker] {
        let account = w.margin_account(&user.account.margin_account);
        assert_eq!((account.position_count, account.reserve, held(&w, user)), (0, 0, 0));
    }
}

/// What the pool does not hold yet waits in the position, without lots, and settles like any other profit.
#[test]
fn a_gain_waits_for_the_losers() {
    let (mut w, user, maker) = expired(101_000.0);
    let settled = settle(&mut w, &user, BTC_FUTURE);
    assert_eq!((settled.lots, settled.settled.amount), (10_000, 0));
    assert_eq!(settled.waiting, 950_000_000); // which the event tells
    let position = w.margin_account(&user.account.margin_account).positions[0];
    assert_eq!(
        (position.lots, position.quote, position.entry_quote),
        (0, 950_000_000, 0)
    );
    let again = |w: &mut World| w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
    refuses(&mut w, BallastError::NothingToSettle, again);
    settle(&mut w, &maker, BTC_FUTURE);
    let settled = settle(&mut w, &user, BTC_FUTURE);
    assert_eq!((settled.lots, settled.settled.amount), (0, 950_000_000));
    assert_eq!(settled.waiting, 0);
    refuses(&mut w, BallastError::PositionMissing, again);
}

/// A lot of 0.0001 BTC at 100,000.00333333 is worth 10.000000333333: the longs get 10.000000 each and the short pays 20.000001.
#[test]
fn rounding_is_the_markets_to_the_last_unit() {
    let mut w = world();
    let (first, maker) = pair(&mut w, 1_000);
    let second = trader(&mut w, 1_000);
    trade(&mut w, BTC_FUTURE, &first, &maker, 1, 100_000.0);
    trade(&mut w, BTC_FUTURE, &second, &maker, 1, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 100_000.003_333_33);
    let values = [&first, &maker, &second].map(|user| settle(&mut w, user, BTC_FUTURE).value);
    assert_eq!(values, [10_000_000, -20_000_001, 10_000_000]);
    assert_eq!(w.market(BTC_FUTURE).residual, 1);
}

/// 10 calls of 3,000 at a settlement price of 3,250 pay 2,500, and puts nothing: on a surface that nobody has published for a day.
#[test]
fn options_pay_what_they_are_worth() {
    let mut d = Desk::new(65);
    let (call, put) = (
        d.option(InstrumentKind::Call, 3_000, 24),
        d.option(InstrumentKind::Put, 3_000, 24),
    );
    let (user, maker) = pair(&mut d.w, 100_000);
    d.open(&[(call, 10.0), (put, -5.0)], &user, &maker);
    let expiry = d.w.board().instruments[call].expiry;
    d.w.expire_at(ETH, expiry, 3_250.0);
    let summary = d.summary(&user);
    assert_eq!((summary.initial_margin, summary.maintenance_margin), (0, 0));
    let paid = settle(&mut d.w, &maker, call);
    assert_eq!(
        (paid.lots, paid.price, paid.value),
        (-10_000, 250 * PRICE, -2_500_000_000)
    );
    assert_eq!(settle(&mut d.w, &user, call).value, 2_500_000_000);
    let nothing = settle(&mut d.w, &user, put);
    assert_eq!((nothing.lots, nothing.price, nothing.value), (-5_000, 0, 0));
    // The user keeps the premium of the puts, as soon as the maker has paid it.
    assert_eq!(settle(&mut d.w, &maker, put).value, 0);
    assert!(settle(&mut d.w, &user, put).settled.amount > 0);
    assert_eq!(d.w.margin_account(&user.account.margin_account).position_count, 0);
}

/// What an account that can't pay owes stays in its position; the winner waits for it.
#[test]
fn a_loss_settles_only_as_far_as_cash_and_credit_go() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 12_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 80_000.0);
    // A loss of 20,050 against cash of 11,998, the reserve of 2 still locked.
    let settled = settle(&mut w, &user, BTC_FUTURE);
    assert_eq!(settled.settled.amount, -11_998_000_000);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.cash, account.positions[0].quote), (0, -8_052_000_000));
    // The pool has 11,998 less 70 of fees and dues for a gain of 19,980.
    assert_eq!(settle(&mut w, &maker, BTC_FUTURE).settled.amount, 11_928_000_000);
}

#[test]
fn settle_pnl_takes_the_settlement_price() {
    let (mut w, user, maker) = expired(101_000.0);
    // The index runs away from the settlement price, and from the slow price: neither matters any more.
    w.set_prices(&[(BTC, 150_000.0)]);
    let outcome = w.settle(&maker.account.margin_account, &[BTC_FUTURE]);
    ok(&w, outcome);
    assert_eq!(cash(&w, &maker), 9_998_978_000_000); // 1,020, and 2 locked
    let outcome = w.settle(&user.account.margin_account, &[BTC_FUTURE]);
    ok(&w, outcome);
    assert_eq!(cash(&w, &user), 50_948_000_000);
    for user in [&maker, &user] {
        assert_eq!(settle(&mut w, user, BTC_FUTURE).settled.amount, 0);
    }
    assert_eq!(w.market(BTC_FUTURE).positions, 0);
}

#[test]
fn refuses_what_does_not_settle() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 100_000);
    for instrument in [BTC_PERP, BTC_FUTURE] {
        trade(&mut w, instrument, &user, &maker, 1_000, 100_000.0);
    }
    trade(&mut w, ETH_FUTURE, &user, &maker, 100, 3_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.settle_expiry(&key, BTC_FUTURE)
    });
    // The second before the expiry, with every bucket but the last one closed.
    w.walk_window(BTC, expiry, [1, 59], |_| 100_000.0);
    w.post_price(BTC, 100_000.0);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    w.wait_until(expiry - 1);
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.settle_expiry(&key, BTC_FUTURE)
    });
    w.wait_until(expiry);
    w.update_due_funding([BTC_PERP]);
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.settle_expiry(&key, BTC_PERP)
    });
    // ETH's future of the same second had no prints.
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.settle_expiry(&key, ETH_FUTURE)
    });
    let stranger = trader(&mut w, 1_000);
    refuses(&mut w, BallastError::PositionMissing, |w| {
        w.settle_expiry(&stranger.account.margin_account, BTC_FUTURE)
    });
    settle(&mut w, &user, BTC_FUTURE);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |board| board.instruments[BTC_FUTURE].generation += 1);
    refuses(&mut w, BallastError::StaleGeneration, |w| {
        w.settle_expiry(&maker.account.margin_account, BTC_FUTURE)
    });
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let mut w = world();
    let second = second_exchange(&mut w);
    let (mut w, user, maker) = expired_in(w, 101_000.0);
    let key = user.account.margin_account;
    let right = instruction::settle_expiry(&w.exchange, &key, &user.account.owner, &w.markets[BTC_FUTURE]);
    let future = w.markets[BTC_FUTURE];
    let forged = copy_account(&mut w, &future);
    for (at, other, error) in [
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.exchange.quote_pool(), BallastError::WrongExchange),
        (3, second.exchange.insurance_fund(), BallastError::WrongExchange),
        (4, forged, BallastError::WrongMarket),
        (4, second.markets[0], BallastError::WrongExchange),
        (6, maker.account.owner, BallastError::WrongOwnerRecord),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = other;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[]));
    }
    checks_every_account(&mut w, &right, &[]);
}

/// A keeper winds up two futures that have ended, with losers and winners in both, and frees their slots; nothing of the rest is touched.
#[test]
fn a_keeper_winds_up_what_has_ended() {
    let mut w = world();
    w.watch = Some(Watch::default());
    let (user, maker) = pair(&mut w, 100_000);
    let other = trader(&mut w, 100_000);
    for instrument in [BTC_PERP, BTC_FUTURE] {
        trade(&mut w, instrument, &user, &maker, 1_000, 100_000.0);
    }
    trade(&mut w, BTC_FUTURE, &other, &user, 500, 100_000.0);
    trade(&mut w, ETH_FUTURE, &other, &maker, -1_000, 3_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    assert_eq!(wind_up(&mut w).expect("nothing is due"), WoundUp::default());
    for bucket in 0..60 {
        w.wait_until(expiry - 1_800 + bucket * 30);
        w.set_prices(&[(BTC, 101_000.0), (ETH, 2_900.0)]);
    }
    w.wait_until(expiry);
    let done = wind_up(&mut w).expect("everything due is accepted");
    // SOL's future of the same time had no prints, and nobody has traded it: it needs no price to go.
    let expected = WoundUp {
        fixed: 2,
        settled: 5,
        closed: 3,
        ..WoundUp::default()
    };
    assert_eq!(done, expected);
    assert_eq!(w.board().instruments.iter().filter(|i| i.kind != 0).count(), 3);
    // 500 of 1,000 lots of 0.0001 BTC are left at 101,000: a gain of 50, less fees of 5 and 1.
    let cash = |w: &World, user: &User| w.margin_account(&user.account.margin_account).cash;
    assert_eq!(cash(&w, &user), 100_000_000_000 - 2_000_000 + 44_000_000);
    assert_eq!(
        cash(&w, &other),
        100_000_000_000 + 50_000_000 - 2_500_000 + 100_000_000 - 1_500_000
    );
    w.watch.expect("a watch").verdict().expect("every invariant");
}

/// Resting orders are swept out, a winner that has waited is paid, and an account that can't be settled holds nobody else up.
#[test]
fn a_keeper_goes_on_past_who_can_not_be_settled() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 12_000);
    let (winner, other) = (trader(&mut w, 50_000), trader(&mut w, 50_000));
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, ETH_FUTURE, &winner, &maker, 1_000, 3_000.0);
    trade(&mut w, ETH_FUTURE, &other, &maker, 1_000, 3_000.0);
    for (instrument, price) in [(BTC_FUTURE, 99_000.0), (ETH_FUTURE, 2_990.0), (ETH_FUTURE, 2_980.0)] {
        let outcome = w.place(instrument, &winner, limit(100, price));
        ok(&w, outcome);
    }
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    for bucket in 0..60 {
        w.wait_until(expiry - 1_800 + bucket * 30);
        w.set_prices(&[(BTC, 80_000.0), (ETH, 3_100.0)]);
    }
    w.wait_until(expiry);
    // The winners come before the loser, and wait; the other one's position is of no generation that ever was.
    settle(&mut w, &winner, ETH_FUTURE);
    let key = other.account.margin_account;
    let spoil = |w: &mut World, by: i64| {
        edit::<MarginAccount>(w, &key, |account| {
            account.positions[0].generation = account.positions[0].generation.wrapping_add_signed(by as i32)
        });
    };
    spoil(&mut w, 1);
    let done = wind_up(&mut w).expect("prices are recorded");
    let expected = WoundUp {
        fixed: 2,
        swept: 3,
        settled: 4,
        closed: 1,
        refused: vec![key],
    };
    // What closes is SOL's future, which nobody holds.
    assert_eq!(done, expected);
    assert_eq!(w.margin_account(&winner.account.margin_account).position_count, 0);
    // BTC's future has a loss that nobody can pay; ETH's closes with its last position.
    spoil(&mut w, -1);
    let done = wind_up(&mut w).expect("prices are recorded");
    assert_eq!((done.settled, done.closed, done.refused), (1, 1, vec![]));
}
