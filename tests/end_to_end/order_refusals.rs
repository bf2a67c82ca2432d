//! What `place_order` refuses, and to the unit where there is one.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::instructions::{OrderArgs, OrderKind};
use ballast::state::{Exchange, RiskBoard, QUOTE_ASSET};
use ballast_client::order;
use ballast_sim::world::{at_once, limit, post_only, User, World, BTC, TOKEN_PROGRAM};
use ballast_tests::refusal::{checks_declared_accounts, refuses, refuses_by_anchor};
use ballast_tests::setup::*;
use ballast_tests::{ok, watched, world};
use solana_signer::Signer;

#[track_caller]
fn refuses_order(w: &mut World, error: BallastError, user: &User, args: OrderArgs) {
    refuses(w, error, |w| w.place(BTC_PERP, user, args));
}

#[track_caller]
fn goes_through(w: &mut World, user: &User, args: OrderArgs) {
    let outcome = w.place(BTC_PERP, user, args);
    ok(w, outcome);
}

/// Ten seconds later BTC is at another price.
fn btc_later(w: &mut World, price: f64) {
    let time = w.vm.now() + 10;
    btc_at(w, time, price);
}

fn reduce_only(args: OrderArgs) -> OrderArgs {
    OrderArgs {
        reduce_only: true,
        ..args
    }
}

#[test]
fn refuses_orders_that_are_none() {
    let mut w = world();
    let user = trader(&mut w, 10_000);
    let good = limit(10, 99_000.0);
    let now = w.vm.now();
    for (error, args) in [
        (BallastError::ZeroAmount, OrderArgs { lots: 0, ..good }),
        (BallastError::MathOverflow, OrderArgs { lots: 1 << 63, ..good }),
        (BallastError::InvalidParameter, OrderArgs { max_matches: 0, ..good }),
        (
            BallastError::InvalidParameter,
            OrderArgs {
                max_matches: 17,
                ..good
            },
        ),
        (BallastError::InvalidParameter, OrderArgs { expires_at: -1, ..good }),
        (
            BallastError::OrderExpired,
            OrderArgs {
                expires_at: now,
                ..good
            },
        ),
        (BallastError::OffTick, OrderArgs { price: 0, ..good }),
        (BallastError::OffTick, OrderArgs { price: -PRICE, ..good }),
        (
            BallastError::OffTick,
            OrderArgs {
                price: good.price + 1,
                ..good
            },
        ),
        (BallastError::PriceOutsideBand, limit(10, 97_999.9)),
        (BallastError::PriceOutsideBand, limit(-10, 102_000.1)),
        (BallastError::TradeTooSmall, limit(9, 99_000.0)),
        (BallastError::NothingToReduce, reduce_only(good)),
        (BallastError::NothingToReduce, reduce_only(limit(-10, 101_000.0))),
    ] {
        refuses_order(&mut w, error, &user, args);
    }
    for args in [
        OrderArgs {
            expires_at: now + 1,
            ..good
        },
        limit(10, 98_000.0),
        limit(-10, 102_000.0),
    ] {
        goes_through(&mut w, &user, args);
    }
    // The smallest order is met, ten lots of ten dollars, but not the smallest notional.
    let key = w.exchange.key;
    edit::<Exchange>(&mut w, &key, |e| e.limits.minimum_trade = 100 * USD + 1);
    refuses_order(&mut w, BallastError::TradeTooSmall, &user, limit(10, 100_000.0));
    edit::<Exchange>(&mut w, &key, |e| e.limits.minimum_trade = 100 * USD);
    goes_through(&mut w, &user, limit(10, 100_000.0));
}

/// 1,000 lots at the mark reserve 1,000 dollars, and two are locked.
#[test]
fn a_resting_order_is_affordable_to_the_unit() {
    let mut w = watched();
    let user = trader(&mut w, 0);
    set_cash(&mut w, &user, 1_002_000_000 - 1);
    refuses_order(&mut w, BallastError::InsufficientMargin, &user, limit(1_000, 100_000.0));
    set_cash(&mut w, &user, 1_002_000_000);
    goes_through(&mut w, &user, limit(1_000, 100_000.0));
    // The other side is covered by the same reserve, to the lot.
    refuses_order(
        &mut w,
        BallastError::InsufficientMargin,
        &user,
        limit(-1_001, 100_100.0),
    );
    goes_through(&mut w, &user, limit(-1_000, 100_100.0));
    refuses_order(&mut w, BallastError::InsufficientMargin, &user, limit(-10, 101_000.0));
    // Ten dollars of equity are asked for, though ten lots at 90,000 reserve nine.
    w.set_prices(&[(BTC, 90_000.0)]);
    let small = trader(&mut w, 0);
    set_cash(&mut w, &small, 12_000_000 - 1);
    refuses_order(&mut w, BallastError::MinimumEquity, &small, limit(10, 89_000.0));
    set_cash(&mut w, &small, 12_000_000);
    goes_through(&mut w, &small, limit(10, 89_000.0));
}

/// 10,000 dollars of margin for 1 BTC at 100,000. At 97,500 the account has 7,500 against a maintenance margin of 6,971, under 1.1 of it; at
/// 96,000 it has 6,000 against 6,864.
#[test]
fn what_an_account_may_place_depends_on_its_health() {
    let (mut w, user, maker) = long_btc();
    btc_later(&mut w, 97_500.0);
    goes_through(&mut w, &maker, limit(2_000, 97_000.0));
    goes_through(&mut w, &maker, limit(-100, 97_600.0));
    refuses_order(&mut w, BallastError::ReduceOnly, &user, limit(10, 97_000.0));
    refuses_order(&mut w, BallastError::ReduceOnly, &user, limit(-10, 98_000.0)); // it might be filled twice
    goes_through(&mut w, &user, reduce_only(limit(-10, 98_000.0)));
    goes_through(&mut w, &user, reduce_only(at_once(-10, 97_000.0)));
    let outcome = w.cancel_all(&user, &[BTC_PERP]);
    ok(&w, outcome);
    btc_later(&mut w, 96_000.0);
    assert!(w.summary(&user.account.margin_account).liquidatable);
    refuses_order(&mut w, BallastError::BelowMaintenance, &user, at_once(10, 97_600.0));
    refuses_order(&mut w, BallastError::BelowMaintenance, &user, at_once(-10, 95_500.0));
    refuses_order(
        &mut w,
        BallastError::BelowMaintenance,
        &user,
        reduce_only(limit(-10, 97_900.0)),
    );
    // A reduction that sells at a good price, at once.
    goes_through(&mut w, &user, reduce_only(at_once(-100, 95_500.0)));
    let held = w.margin_account(&user.account.margin_account);
    assert_eq!((held.positions[0].lots, held.order_count()), (9_890, 0));
}

/// 1,000 lots sold at 94,080 with the mark at 96,000 lose 192 dollars and 4.704 of fees; they free 686.4 of maintenance margin, of which 30 %
/// are 205.92. At 93,900 they lose 210.
#[test]
fn a_reduction_below_the_maintenance_margin_costs_at_most_thirty_percent_of_what_it_frees() {
    let (mut w, user, maker) = long_btc();
    btc_later(&mut w, 96_000.0);
    goes_through(&mut w, &maker, limit(1_000, 94_080.0));
    goes_through(&mut w, &user, reduce_only(at_once(-1_000, 94_080.0)));
    let key = w.exchange.key;
    edit::<Exchange>(&mut w, &key, |e| e.limits.price_band_ppm = 30_000);
    goes_through(&mut w, &maker, limit(1_000, 93_900.0));
    refuses_order(
        &mut w,
        BallastError::ReductionTooCostly,
        &user,
        reduce_only(at_once(-1_000, 93_900.0)),
    );
}

#[test]
fn stale_prices_and_an_untrusted_quote_asset_let_both_sides_reduce_only() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 10_000);
    let third = trader(&mut w, 100_000);
    trade(&mut w, BTC_PERP, &user, &maker, 100, 100_000.0);
    goes_through(&mut w, &third, limit(50, 100_000.0)); // would add to a position
    goes_through(&mut w, &maker, limit(50, 99_990.0)); // would reduce one
    w.vm.advance(61);
    refuses_order(&mut w, BallastError::StalePrice, &user, limit(-50, 100_000.0));
    // The order at the top would take on risk: matching stops in front of it, and it stays.
    goes_through(&mut w, &user, reduce_only(at_once(-50, 99_990.0)));
    assert_eq!(w.orders(BTC_PERP, ballast_book::Side::Bid).len(), 2);
    let outcome = w.cancel_all(&third, &[BTC_PERP]);
    ok(&w, outcome);
    goes_through(&mut w, &user, reduce_only(at_once(-50, 99_990.0)));
    assert_eq!(w.orders(BTC_PERP, ballast_book::Side::Bid).len(), 0);
    w.set_prices(&[(BTC, 100_000.0), (QUOTE_ASSET, 0.97)]);
    refuses_order(&mut w, BallastError::QuoteUntrusted, &user, limit(10, 99_000.0));
}

#[test]
fn an_expired_instrument_takes_no_orders() {
    let mut w = world();
    let user = trader(&mut w, 10_000);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let outcome = w.place(BTC_FUTURE, &user, limit(10, 99_000.0));
    ok(&w, outcome);
    btc_at(&mut w, expiry, 100_000.0);
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.place(BTC_FUTURE, &user, limit(10, 99_000.0))
    });
}

#[test]
fn refuses_what_the_kind_of_order_forbids() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 10_000);
    goes_through(&mut w, &maker, limit(-30, 100_000.0));
    refuses_order(&mut w, BallastError::WouldTrade, &user, post_only(10, 100_000.0));
    refuses_order(&mut w, BallastError::WouldTrade, &maker, post_only(10, 100_000.0)); // against oneself as well
    let all = OrderArgs {
        kind: OrderKind::FillOrKill,
        ..at_once(31, 100_000.0)
    };
    refuses_order(&mut w, BallastError::NotFilled, &user, all);
    refuses(&mut w, BallastError::NotFilled, |w| {
        let all = OrderArgs { lots: 30, ..all };
        w.place_with(BTC_PERP, &user, all, &[])
    });
}

/// Ten lots are 100 dollars: an owner's cap of 300 holds three such orders, whatever their sides; the market's of 100 holds one fill.
#[test]
fn open_interest_is_capped_with_resting_orders() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_000);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[0].owner_open_interest_cap = 300 * DOLLAR);
    goes_through(&mut w, &user, limit(10, 99_000.0));
    goes_through(&mut w, &user, limit(-10, 101_000.0));
    goes_through(&mut w, &user, limit(10, 99_100.0));
    refuses_order(
        &mut w,
        BallastError::OwnerOpenInterestCapExceeded,
        &user,
        limit(10, 99_000.0),
    );
    edit::<RiskBoard>(&mut w, &board, |b| {
        b.assets[0].owner_open_interest_cap = 3_000 * DOLLAR;
        b.assets[0].instrument_open_interest_cap = 100 * DOLLAR;
    });
    goes_through(&mut w, &maker, limit(-20, 100_000.0));
    refuses_order(
        &mut w,
        BallastError::OpenInterestCapExceeded,
        &user,
        at_once(11, 100_000.0),
    );
    goes_through(&mut w, &user, at_once(10, 100_000.0));
}

#[test]
fn thirty_two_orders_are_the_most() {
    let mut w = world();
    let user = trader(&mut w, 100_000);
    for n in 0..32 {
        goes_through(&mut w, &user, limit(10, 99_000.0 + f64::from(n)));
    }
    refuses_order(&mut w, BallastError::TooManyOrders, &user, limit(10, 98_500.0));
    goes_through(&mut w, &user, at_once(10, 98_500.0)); // which does not rest
}

#[test]
fn a_full_book_refuses_what_is_not_better() {
    let mut w = world();
    let makers: Vec<User> = (0..8).map(|_| trader(&mut w, 100_000)).collect();
    for n in 0..256 {
        let outcome = w.place(BTC_PERP, &makers[n / 32], limit(10, 99_000.0));
        outcome.expect("room for 256 orders");
    }
    let late = trader(&mut w, 100_000);
    refuses_order(&mut w, BallastError::BookFull, &late, limit(10, 99_000.0));
    let better = limit(10, 99_000.1);
    refuses(&mut w, BallastError::BookFull, |w| {
        w.place_with(BTC_PERP, &late, better, &[])
    });
    goes_through(&mut w, &late, better);
}

#[test]
fn refuses_strangers_and_the_wrong_accounts() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_000);
    let stranger = w.user();
    goes_through(&mut w, &maker, limit(-10, 100_000.0));
    let (exchange, market) = (w.exchange, w.markets[BTC_PERP]);
    let makers = [maker.account.margin_account];
    let good = order::place_order(&exchange, &market, &user.account, at_once(10, 100_000.0), &makers);
    let mut theirs = good.clone();
    theirs.accounts[5].pubkey = stranger.key.pubkey();
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[theirs], &[&stranger.key])
    });
    let mut wrong = good.clone();
    wrong.accounts[4].pubkey = maker.account.owner;
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let mut wrong = good.clone();
    wrong.accounts[2].pubkey = copy_account(&mut w, &market);
    refuses(&mut w, BallastError::WrongMarket, |w| w.vm.send(&[wrong], &[&user.key]));
    let second = second_exchange(&mut w);
    let theirs = second.open(&mut w, &maker);
    for (at, key, error) in [
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.markets[0], BallastError::WrongExchange),
        (3, theirs.margin_account, BallastError::WrongExchange),
        (8, theirs.margin_account, BallastError::WrongExchange),
        (8, user.account.margin_account, BallastError::UnexpectedAccount),
    ] {
        let mut wrong = good.clone();
        wrong.accounts[at].pubkey = key;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&user.key]));
    }
    checks_declared_accounts(&mut w, &good, 8, &[&user.key]); // the makers behind them have tests of their own
}

/// Accounts behind the instruction's own: one twice, one that is not written, an empty one, one of another type.
#[test]
fn refuses_makers_that_are_none() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_000);
    goes_through(&mut w, &maker, limit(-10, 100_000.0));
    let key = maker.account.margin_account;
    let take = at_once(10, 100_000.0);
    refuses(&mut w, BallastError::UnexpectedAccount, |w| {
        w.place_with(BTC_PERP, &user, take, &[key, key])
    });
    let mut unwritten = order::place_order(&w.exchange, &w.markets[BTC_PERP], &user.account, take, &[key]);
    unwritten.accounts.last_mut().expect("the maker").is_writable = false;
    refuses(&mut w, BallastError::UnexpectedAccount, |w| {
        w.vm.send(&[unwritten], &[&user.key])
    });
    let empty: Pubkey = w.vm.keypair().pubkey();
    let data = vec![0; w.vm.data(&key).len()];
    w.vm.put(empty, ballast::ID, data);
    refuses_by_anchor(&mut w, ErrorCode::AccountDiscriminatorMismatch, |w| {
        w.place_with(BTC_PERP, &user, take, &[empty])
    });
    let copy = w.vm.data(&key);
    w.vm.put(empty, TOKEN_PROGRAM, copy);
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.place_with(BTC_PERP, &user, take, &[empty])
    });
    let market = w.markets[BTC_FUTURE];
    refuses_by_anchor(&mut w, ErrorCode::AccountDiscriminatorMismatch, |w| {
        w.place_with(BTC_PERP, &user, take, &[market])
    });
}
