//! `list_instrument`: perpetuals, dated futures and options, their markets, and the bounds of their parameters.
use anchor_lang::error::ErrorCode;
use ballast::error::BallastError;
use ballast::instructions::{ListInstrumentArgs, SurfaceUpdate};
use ballast::state::{Exchange, InstrumentKind, Market, RiskBoard, DISCRIMINATOR};
use ballast_book::BookRef;
use ballast_client::instruction;
use ballast_sim::world::{Outcome, World, BTC, ETH, START, TOKEN_PROGRAM};
use ballast_tests::refusal::{checks_declared_accounts, refuses, refuses_by_anchor};
use ballast_tests::setup::{
    allocate, edit, flat, list_future, list_priced_asset, publish, second_exchange, DAY, DOLLAR, PRICE,
};
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

const MARKET: usize = Market::size(FUTURE.book_capacity);
const FUTURE: ListInstrumentArgs = ListInstrumentArgs {
    kind: InstrumentKind::Future,
    asset: ETH,
    lot_size: 7,
    tick_size: 11,
    expiry: START + 90 * DAY,
    basis: 10_000_000,
    strike: 0,
    book_capacity: 64,
    min_order_lots: 1,
    impact_notional: 0,
    max_funding_ppm: 0,
};
const PERPETUAL: ListInstrumentArgs = ListInstrumentArgs {
    kind: InstrumentKind::Perpetual,
    expiry: 0,
    basis: 0,
    impact_notional: 1_000 * DOLLAR,
    max_funding_ppm: 1_000,
    ..FUTURE
};
const CALL: ListInstrumentArgs = ListInstrumentArgs {
    kind: InstrumentKind::Call,
    basis: 0,
    strike: 3_000 * PRICE,
    ..FUTURE
};

/// A perpetual of a fourth asset, which has none yet.
fn fourth_perpetual(w: &mut World) -> ListInstrumentArgs {
    ListInstrumentArgs {
        asset: list_priced_asset(w, "MID", 1.0),
        ..PERPETUAL
    }
}

/// A zeroed account of the program of `len` bytes.
fn new_market(w: &mut World, len: usize) -> Keypair {
    let (authority, market) = (w.authority.insecure_clone(), w.vm.keypair());
    let allocate = allocate(w, &market.pubkey(), len);
    let outcome = w.vm.send(&[allocate], &[&authority, &market]);
    ok(w, outcome);
    market
}

fn list(w: &mut World, market: &Keypair, args: ListInstrumentArgs) -> Outcome {
    let authority = w.authority.insecure_clone();
    let list = instruction::list_instrument(&w.exchange, &authority.pubkey(), &market.pubkey(), args);
    w.vm.send(&[list], &[&authority])
}

#[test]
fn a_future_takes_the_next_index_and_a_slot_of_its_asset() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let outcome = list(&mut w, &market, FUTURE);
    ok(&w, outcome);
    assert_eq!(w.exchange_account().instrument_count, 7);
    assert_eq!(w.exchange_account().markets[6], market.pubkey());
    let board = w.board();
    let i = board.instruments[6];
    assert_eq!((i.kind, i.asset, i.expiry_slot, i.generation), (2, ETH, 1, 1));
    assert_eq!(
        (i.lot_size, i.tick_size, i.expiry, i.strike, i.basis),
        (7, 11, START + 90 * DAY, 0, 0)
    );
    let expiry = board.assets[usize::from(ETH)].expiries[1];
    assert_eq!((expiry.time, expiry.basis), (START + 90 * DAY, 10_000_000));
    let m: Box<Market> = w.read(&market.pubkey());
    assert_eq!(
        (m.version, m.instrument, m.generation, m.exchange),
        (1, 6, 1, w.exchange.key)
    );
    assert_eq!((m.pool, m.open_interest, m.positions, m.sequence), (0, 0, 0, 0));
    assert_eq!(
        (m.book_capacity, m.min_order_lots, m.impact_notional, m.max_funding_ppm),
        (64, 1, 0, 0)
    );
    let data = w.vm.data(&market.pubkey());
    let book = BookRef::load(&data[DISCRIMINATOR + size_of::<Market>()..]).expect("a book");
    assert_eq!((book.capacity(), book.is_empty()), (64, true));
}

#[test]
fn a_perpetual_has_no_expiry() {
    let mut w = world();
    let perpetual = fourth_perpetual(&mut w);
    let market = new_market(&mut w, MARKET);
    let outcome = list(&mut w, &market, perpetual);
    ok(&w, outcome);
    let i = w.board().instruments[6];
    assert_eq!((i.kind, i.asset, i.expiry_slot, i.expiry), (1, 3, 0, 0));
    assert_eq!(w.board().assets[3].expiries[0].time, 0);
    let m: Box<Market> = w.read(&market.pubkey());
    assert_eq!((m.impact_notional, m.max_funding_ppm), (1_000 * DOLLAR, 1_000));
}

/// Capacities of 64 to 1,024 orders a side, orders of up to a billion lots, an impact notional of up to ten million dollars and at most
/// 0.5 % of funding an hour; the last two are a perpetual's alone.
#[test]
fn books_are_within_their_bounds() {
    let mut w = world();
    let perpetual = fourth_perpetual(&mut w);
    let market = new_market(&mut w, Market::size(1_024));
    let of_future = |change: fn(&mut ListInstrumentArgs)| {
        let mut args = FUTURE;
        change(&mut args);
        args
    };
    let of_perpetual = |change: fn(&mut ListInstrumentArgs)| {
        let mut args = perpetual.clone();
        change(&mut args);
        args
    };
    for args in [
        of_future(|a| a.book_capacity = 0),
        of_future(|a| a.book_capacity = 63),
        of_future(|a| a.book_capacity = 1_025),
        of_future(|a| a.book_capacity = u32::MAX),
        of_future(|a| a.min_order_lots = 0),
        of_future(|a| a.min_order_lots = -1),
        of_future(|a| a.min_order_lots = 1_000_000_001),
        of_future(|a| a.impact_notional = 1),
        of_future(|a| a.max_funding_ppm = 1),
        of_perpetual(|a| a.impact_notional = 0),
        of_perpetual(|a| a.impact_notional = 1_000 * DOLLAR - 1),
        of_perpetual(|a| a.impact_notional = 10_000_000 * DOLLAR + 1),
        of_perpetual(|a| a.max_funding_ppm = 0),
        of_perpetual(|a| a.max_funding_ppm = 5_001),
    ] {
        refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &market, args));
    }
    // Whatever the smallest order is.
    let largest = of_perpetual(|a| {
        a.book_capacity = 1_024;
        a.min_order_lots = 1_000_000_000;
        a.impact_notional = 10_000_000 * DOLLAR;
        a.max_funding_ppm = 5_000;
    });
    let outcome = list(&mut w, &market, largest);
    ok(&w, outcome);
}

/// ln 3 · 2⁴⁸ = 309,231,868,366,896.66…, ln 100,000 · 2⁴⁸ = 3,240,600,427,124,013.44…, to the nearest unit or the one beside it.
#[test]
fn an_option_has_a_strike_and_its_logarithm() {
    let mut w = world();
    for (at, kind, strike, ln_strike) in [
        (6, InstrumentKind::Call, 3, 309_231_868_366_897),
        (7, InstrumentKind::Put, 100_000, 3_240_600_427_124_013i64),
    ] {
        let market = new_market(&mut w, MARKET);
        let args = ListInstrumentArgs {
            kind,
            strike: strike * PRICE,
            ..CALL
        };
        let outcome = list(&mut w, &market, args);
        ok(&w, outcome);
        let i = w.board().instruments[at];
        assert_eq!((i.kind, i.asset, i.generation), (kind as u8, ETH, 1));
        assert_eq!((i.lot_size, i.tick_size, i.basis), (7, 11, 0));
        assert_eq!((i.expiry, i.expiry_slot), (CALL.expiry, 1)); // both have the one slot
        assert_eq!(i.strike, strike * PRICE);
        assert!((i.ln_strike - ln_strike).abs() <= 1, "{}", i.ln_strike);
        let recorded: Box<Market> = w.read(&market.pubkey());
        assert_eq!(usize::from(recorded.instrument), at);
    }
}

#[test]
fn strikes_are_an_options_and_within_their_bounds() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let most = 3_000_000 * PRICE; // a thousand times the index of 3,000
    let with = |args: ListInstrumentArgs, strike| ListInstrumentArgs { strike, ..args };
    let put = ListInstrumentArgs {
        kind: InstrumentKind::Put,
        ..CALL
    };
    let fourth = fourth_perpetual(&mut w);
    for option in [CALL, put.clone()] {
        for strike in [0, -1, i64::MIN, 1, 3 * PRICE - 1, most + 1, i64::MAX] {
            let args = with(option.clone(), strike);
            refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &market, args));
        }
    }
    for linear in [FUTURE, fourth] {
        for strike in [1, -1, 3_000 * PRICE] {
            let args = with(linear.clone(), strike);
            refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &market, args));
        }
    }
    for args in [with(CALL, 3 * PRICE), with(put, most)] {
        let market = new_market(&mut w, MARKET);
        let outcome = list(&mut w, &market, args);
        ok(&w, outcome);
    }
}

/// Without an index there is nothing to compare a strike with, but what an engine can compute with.
#[test]
fn strikes_without_an_index_are_bounded_alone() {
    let mut w = world();
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.assets[usize::from(ETH)].price.index = 0);
    let most = 100_000_000 * PRICE;
    let market = new_market(&mut w, MARKET);
    let args = ListInstrumentArgs {
        strike: most + 1,
        ..CALL
    };
    refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &market, args));
    for strike in [1, most] {
        let market = new_market(&mut w, MARKET);
        let outcome = list(&mut w, &market, ListInstrumentArgs { strike, ..CALL });
        ok(&w, outcome);
    }
}

#[test]
fn an_option_expires_within_two_years() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let now = w.vm.now();
    for expiry in [0, now, now + 730 * DAY + 1] {
        let args = ListInstrumentArgs { expiry, ..CALL };
        refuses(&mut w, BallastError::InvalidExpiry, |w| list(w, &market, args));
    }
}

#[test]
fn an_option_is_listed_once_but_beside_its_like() {
    let mut w = world();
    let put = ListInstrumentArgs {
        kind: InstrumentKind::Put,
        ..CALL
    };
    let higher = ListInstrumentArgs {
        strike: CALL.strike + 1,
        ..CALL
    };
    let later = ListInstrumentArgs {
        expiry: CALL.expiry + DAY,
        ..CALL
    };
    let of_btc = ListInstrumentArgs { asset: BTC, ..CALL };
    let future = ListInstrumentArgs { basis: 0, ..FUTURE };
    let chain = [CALL, put, higher, later, of_btc, future];
    for args in chain.clone() {
        let market = new_market(&mut w, MARKET);
        let outcome = list(&mut w, &market, args);
        ok(&w, outcome);
    }
    let market = new_market(&mut w, MARKET);
    for args in chain {
        // Other lots and ticks make it no other instrument.
        let args = ListInstrumentArgs {
            lot_size: args.lot_size + 1,
            tick_size: args.tick_size + 1,
            ..args
        };
        refuses(&mut w, BallastError::AlreadyListed, |w| list(w, &market, args));
    }
}

/// A further instrument changes nothing of its expiry, whatever basis it names: only what is published does.
#[test]
fn instruments_of_an_expiry_share_its_basis() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let outcome = list(&mut w, &market, FUTURE); // 1 %
    ok(&w, outcome);
    let listed = |w: &World| w.board().assets[usize::from(ETH)].expiries[1];
    let first = listed(&w);
    let call = |at: i64, basis| ListInstrumentArgs {
        basis,
        strike: CALL.strike + at,
        ..CALL
    };
    for (at, basis) in [(0, 0), (1, 10_000_000), (2, -9_999_999), (3, i64::MIN)] {
        let market = new_market(&mut w, MARKET);
        let outcome = list(&mut w, &market, call(at, basis));
        ok(&w, outcome);
        assert_eq!(listed(&w), first);
    }
    // Half an hour lets it move by 1 %.
    w.vm.advance(1_800);
    let update = SurfaceUpdate {
        basis: 20_000_000,
        ..flat(FUTURE.expiry, 60)
    };
    let outcome = publish(&mut w, ETH, &[update]);
    ok(&w, outcome);
    let published = listed(&w);
    let market = new_market(&mut w, MARKET);
    let outcome = list(&mut w, &market, call(4, 10_000_000));
    ok(&w, outcome);
    assert_eq!((listed(&w), published.basis), (published, 20_000_000));
    let board = w.board();
    let slots = [6, 7, 11].map(|at| board.instruments[at].expiry_slot);
    assert_eq!((slots, board.instruments[11].basis), ([1, 1, 1], 0));
}

#[test]
fn refuses_to_list_an_instrument_twice() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let genesis = ListInstrumentArgs {
        expiry: START + 60 * DAY,
        basis: 0,
        ..FUTURE
    };
    for args in [PERPETUAL, genesis] {
        refuses(&mut w, BallastError::AlreadyListed, |w| list(w, &market, args));
    }
    let another_second = ListInstrumentArgs {
        expiry: START + 60 * DAY + 1,
        ..FUTURE
    };
    let outcome = list(&mut w, &market, another_second);
    ok(&w, outcome);
}

#[test]
fn instruments_need_an_asset_that_is_margined() {
    // At least 1 %: without a scan range a position would need no margin.
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| {
        b.assets[usize::from(ETH)].params.scan_range = 9_999_999
    });
    refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &market, FUTURE));
    edit::<RiskBoard>(&mut w, &board, |b| {
        b.assets[usize::from(ETH)].params.scan_range = 10_000_000
    });
    let outcome = list(&mut w, &market, FUTURE);
    ok(&w, outcome);
}

#[test]
fn the_expiry_lies_in_the_future_and_within_two_years() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let now = w.vm.now();
    for expiry in [now, now - 1, 0, -1, i64::MIN, now + 730 * DAY + 1, i64::MAX] {
        let args = ListInstrumentArgs { expiry, ..FUTURE };
        refuses(&mut w, BallastError::InvalidExpiry, |w| list(w, &market, args));
    }
    for expiry in [now + 1, now + 730 * DAY] {
        let market = new_market(&mut w, MARKET);
        let args = ListInstrumentArgs {
            expiry,
            basis: 0,
            ..FUTURE
        };
        let outcome = list(&mut w, &market, args);
        ok(&w, outcome);
    }
}

#[test]
fn refuses_parameters_outside_their_bounds() {
    let mut w = world();
    let market = new_market(&mut w, MARKET);
    let most = 1_000_000_000_000_000;
    for args in [
        ListInstrumentArgs { lot_size: 0, ..FUTURE },
        ListInstrumentArgs { lot_size: -1, ..FUTURE },
        ListInstrumentArgs {
            lot_size: most + 1,
            ..FUTURE
        },
        ListInstrumentArgs { tick_size: 0, ..FUTURE },
        ListInstrumentArgs {
            tick_size: most + 1,
            ..FUTURE
        },
        ListInstrumentArgs {
            basis: i64::MIN,
            ..FUTURE
        },
        ListInstrumentArgs { basis: 1, ..PERPETUAL },
        ListInstrumentArgs {
            expiry: START + DAY,
            ..PERPETUAL
        },
    ] {
        refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &market, args));
    }
    let args = ListInstrumentArgs { asset: 3, ..FUTURE };
    refuses(&mut w, BallastError::AssetNotListed, |w| list(w, &market, args));
    let extreme = ListInstrumentArgs {
        lot_size: most,
        tick_size: most,
        ..FUTURE
    };
    let outcome = list(&mut w, &market, extreme);
    ok(&w, outcome);
}

/// 30 % a year and 0.5 %: 0.5 % for an expiry a second away (9.5 units more), 6.5 % for 73 days, 60.5 % for two years.
#[test]
fn a_basis_is_bound_by_its_time() {
    for (tenor, most) in [(1, 5_000_009), (73 * DAY, 65_000_000), (730 * DAY, 605_000_000)] {
        for side in [1, -1] {
            let mut w = world();
            let market = new_market(&mut w, MARKET);
            let expiry = w.vm.now() + tenor;
            let args = |basis: i64| ListInstrumentArgs {
                expiry,
                basis: side * basis,
                ..FUTURE
            };
            refuses(&mut w, BallastError::InvalidParameter, |w| {
                list(w, &market, args(most + 1))
            });
            let outcome = list(&mut w, &market, args(most));
            ok(&w, outcome);
            let expiry = w.board().assets[usize::from(ETH)].expiries[1];
            assert_eq!((expiry.basis, expiry.basis_time), (side * most, w.vm.now()));
        }
    }
}

#[test]
fn an_asset_has_twelve_expiries() {
    let mut w = world();
    for month in 1..12 {
        list_future(&mut w, BTC, START + 100 * DAY + month, 0);
    }
    let market = new_market(&mut w, MARKET);
    let args = ListInstrumentArgs { asset: BTC, ..FUTURE };
    refuses(&mut w, BallastError::BoardFull, |w| list(w, &market, args));
}

#[test]
fn a_board_has_256_instruments() {
    let mut w = world();
    let (key, board) = (w.exchange.key, w.exchange.board);
    edit::<Exchange>(&mut w, &key, |e| e.instrument_count = 255);
    edit::<RiskBoard>(&mut w, &board, |board| {
        board.instruments[6..255].iter_mut().for_each(|i| i.kind = 1);
    });
    let market = new_market(&mut w, MARKET);
    let outcome = list(&mut w, &market, FUTURE);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(w.board().instruments[255].kind, 2);
    let market = new_market(&mut w, MARKET);
    let next = ListInstrumentArgs {
        expiry: FUTURE.expiry + 1,
        ..FUTURE
    };
    refuses(&mut w, BallastError::BoardFull, |w| list(w, &market, next));
}

#[test]
fn refuses_markets_that_are_small_used_or_somebody_elses() {
    let mut w = world();
    for len in [MARKET - 1, MARKET + 1] {
        let other = new_market(&mut w, len);
        refuses(&mut w, BallastError::AccountTooSmall, |w| list(w, &other, FUTURE));
    }
    let market = new_market(&mut w, MARKET);
    let outcome = list(&mut w, &market, FUTURE);
    ok(&w, outcome);
    let next = ListInstrumentArgs {
        expiry: FUTURE.expiry + 1,
        ..FUTURE
    };
    refuses_by_anchor(&mut w, ErrorCode::ConstraintZero, |w| list(w, &market, next.clone()));
    let foreign = w.vm.keypair();
    w.vm.put(foreign.pubkey(), TOKEN_PROGRAM, vec![0; MARKET]);
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        list(w, &foreign, next)
    });
}

#[test]
fn refuses_everybody_but_the_authority_and_other_boards() {
    let mut w = world();
    let (user, authority) = (w.user(), w.authority.insecure_clone());
    let market = new_market(&mut w, MARKET);
    let wrong = instruction::list_instrument(&w.exchange, &user.key.pubkey(), &market.pubkey(), FUTURE);
    refuses(&mut w, BallastError::NotAuthority, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let second = second_exchange(&mut w).exchange;
    let right = instruction::list_instrument(&w.exchange, &authority.pubkey(), &market.pubkey(), FUTURE);
    let mut wrong = right.clone();
    wrong.accounts[1].pubkey = second.board;
    refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[&authority]));
    checks_declared_accounts(&mut w, &right, 2, &[&authority]); // the market is created, not read
    let mut unsigned = right.clone();
    unsigned.accounts[3].is_signer = false;
    refuses_by_anchor(&mut w, ErrorCode::AccountNotSigner, |w| w.vm.send(&[unsigned], &[]));
}
