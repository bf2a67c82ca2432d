//! Packages as large as a quote can be: between full accounts, in a transaction, and around the end of a leg.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::events::{QuoteFilled, Traded};
use ballast_client::quote;
use ballast_sim::invariants::Leg;
use ballast_sim::vm::packet_size;
use ballast_sim::world::{sign, World, BTC, ETH, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::margin::compute::{full_books, Full};

/// Compute units of a transaction.
const LIMIT: u64 = 1_400_000;
/// Largest transaction that the network carries, bytes.
const PACKET: usize = 1_232;

/// Eight legs of options between two accounts of forty positions each, twenty-four of them in options: a part of the quote, and the rest of it.
/// A block trade of the same.
#[test]
fn attack_a_quote_of_eight_legs_as_a_memory_bomb() {
    let Full {
        mut d,
        options,
        long,
        short,
        ..
    } = full_books();
    let outcome = d.w.open_quotes(&short);
    ok(&d.w, outcome);
    for some in options.chunks(8) {
        let sides = some.iter().enumerate();
        let book: Vec<_> = sides.map(|(n, o)| (*o, if n % 2 == 0 { 0.1 } else { -0.1 })).collect();
        let legs = d.legs(&book);
        let mut quote = d.w.quote(&short, some[0] as u64, &legs);
        quote.max_units = 2;
        let signed = sign(&quote, &short.key);
        for left in [1, 0] {
            let outcome = d.w.fill_quote(&signed, &long, &short.account, 1);
            let receipt = ok(&d.w, outcome);
            assert_eq!(receipt.events.len(), 9);
            assert_eq!(event::<Traded>(&receipt).instrument, legs[0].instrument as u16);
            assert_eq!(event::<QuoteFilled>(&receipt).left, left);
            println!("fill_quote, 8 legs, 40 positions a side: {} CU", receipt.compute_units);
            assert!(receipt.compute_units < LIMIT);
        }
        let outcome = d.w.trade_package(&long, &short, &legs);
        ok(&d.w, outcome);
    }
}

/// Proof, fill and a request for compute units. Each leg takes 22 bytes of the quote, 32 of its market's key and one of that key's place, so
/// 55: seven fit where the taker pays the fee, five beside another payer. Where a lookup table has the eight markets, eight fit.
#[test]
fn attack_a_quote_that_no_transaction_carries() {
    let mut w = world();
    list_future(&mut w, BTC, START + 90 * DAY, 0);
    list_future(&mut w, ETH, START + 90 * DAY, 0);
    let (taker, maker) = pair(&mut w, 100_000);
    let size = |legs: usize, payer: &Pubkey, table: &[Pubkey]| {
        let legs: Vec<Leg> = (0..legs)
            .map(|instrument| Leg {
                instrument,
                lots: 100,
                price: PRICE,
            })
            .collect();
        let signed = sign(&w.quote(&maker, 0, &legs), &maker.key);
        let markets = &w.markets[..legs.len()];
        let both = quote::fill_quote(&w.exchange, &signed, markets, &taker.account, &maker.account, 1);
        packet_size(payer, &both, table)
    };
    let (own, other) = (taker.key.pubkey(), w.vm.payer.pubkey());
    for legs in 1..8 {
        assert_eq!(size(legs + 1, &own, &[]) - size(legs, &own, &[]), 55);
    }
    assert!(size(7, &own, &[]) <= PACKET && size(8, &own, &[]) > PACKET);
    assert!(size(5, &other, &[]) <= PACKET && size(6, &other, &[]) > PACKET);
    for payer in [own, other] {
        assert!(size(8, &payer, &w.markets[..8]) <= PACKET);
    }
}

/// A future is quoted up to the second before its end. From then on a package with it is refused whole, be it a reduction, and uses nothing
/// of the quote up; what has not ended is traded without it.
#[test]
fn attack_a_quote_with_an_ended_leg() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 1_000_000);
    let outcome = w.open_quotes(&maker);
    ok(&w, outcome);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    btc_at(&mut w, expiry - 1, 100_000.0);
    let leg = |instrument, lots| Leg {
        instrument,
        lots,
        price: 100_000 * PRICE,
    };
    let quote = |w: &World, nonce, legs: &[Leg]| {
        let mut quote = w.quote(&maker, nonce, legs);
        (quote.max_units, quote.expires_at) = (2, expiry + 60);
        sign(&quote, &maker.key)
    };
    let alone = quote(&w, 1, &[leg(BTC_FUTURE, 100)]);
    let package = quote(&w, 2, &[leg(BTC_PERP, 100), leg(BTC_FUTURE, -200)]);
    let back = quote(&w, 3, &[leg(BTC_FUTURE, 100)]);
    let without = quote(&w, 4, &[leg(BTC_PERP, 100)]);
    for signed in [&alone, &package] {
        let outcome = w.fill_quote(signed, &taker, &maker.account, 1);
        ok(&w, outcome);
    }
    let held = |w: &World| {
        let account = w.margin_account(&taker.account.margin_account);
        [BTC_PERP, BTC_FUTURE].map(|i| account.position(i as u16).map_or(0, |p| p.lots))
    };
    assert_eq!(held(&w), [100, -100]);
    btc_at(&mut w, expiry, 100_000.0);
    w.update_due_funding([BTC_PERP]);
    for signed in [&alone, &package, &back] {
        refuses(&mut w, BallastError::InstrumentExpired, |w| {
            w.fill_quote(signed, &taker, &maker.account, 1)
        });
    }
    let outcome = w.fill_quote(&without, &taker, &maker.account, 1);
    ok(&w, outcome);
    assert_eq!(held(&w), [200, -100]);
}
