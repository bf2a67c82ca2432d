//! `open_quote_ledger`, `close_quote_ledger`, `cancel_quote` and `raise_quote_floor`.
use anchor_lang::error::ErrorCode;
use ballast::error::BallastError;
use ballast::events::{QuoteCancelled, QuoteFloorRaised, QuoteLedgerClosed, QuoteLedgerOpened};
use ballast::state::{OwnerRecord, PartialQuote, MAX_QUOTE_FLOOR};
use ballast_client::instruction::AccountKeys;
use ballast_client::quote;
use ballast_sim::world::{sign, User, World};
use ballast_tests::refusal::{checks_every_account, refuses, refuses_by_anchor, refuses_code, ALREADY_IN_USE};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::fill_quote::{leg, quoting};

#[test]
fn opens_empty_and_once() {
    let mut w = world();
    let maker = trader(&mut w, 0);
    let key = maker.account.margin_account;
    let outcome = w.open_quotes(&maker);
    let receipt = ok(&w, outcome);
    let opened = QuoteLedgerOpened {
        margin_account: key,
        floor: 0,
    };
    assert_eq!(event::<QuoteLedgerOpened>(&receipt), opened);
    let ledger = w.quote_ledger(&maker.account);
    assert_eq!((ledger.version, ledger.margin_account, ledger.floor), (1, key, 0));
    assert_eq!((ledger.spent, ledger.partial), ([0; 16], [PartialQuote::default(); 32]));
    refuses_code(&mut w, ALREADY_IN_USE, "already in use", |w| w.open_quotes(&maker));
}

#[test]
fn a_second_ledger_goes_on_over_the_window_of_the_first() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let outcome = w.raise_quote_floor(&maker, 10);
    ok(&w, outcome);
    let mut quote = w.quote(&maker, 1_033, &[leg(BTC_PERP, 100, 100_000)]);
    let outcome = w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 1);
    ok(&w, outcome);
    let rent = w.vm.svm.minimum_balance_for_rent_exemption(1_016);
    let lamports = |w: &World| w.vm.svm.get_balance(&maker.key.pubkey()).unwrap_or(0);
    let before = lamports(&w);
    let outcome = w.close_quotes(&maker);
    let receipt = ok(&w, outcome);
    assert_eq!(lamports(&w) - before, rent);
    let closed = QuoteLedgerClosed {
        margin_account: maker.account.margin_account,
    };
    assert_eq!(event::<QuoteLedgerClosed>(&receipt), closed);
    let record: Box<OwnerRecord> = w.read(&maker.account.owner);
    assert_eq!(record.closed_quote_floor, 1_034);
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.cancel_quote(&maker, 1_034)
    });
    let outcome = w.open_quotes(&maker);
    let receipt = ok(&w, outcome);
    assert_eq!(event::<QuoteLedgerOpened>(&receipt).floor, 1_034);
    refuses(&mut w, BallastError::QuoteVoid, |w| {
        w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 1)
    });
    quote.nonce = 1_034;
    let outcome = w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 1);
    ok(&w, outcome);
}

#[test]
fn a_cancelled_nonce_is_not_filled_and_not_any_further() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let outcome = w.cancel_quote(&maker, 0);
    let receipt = ok(&w, outcome);
    let cancelled = QuoteCancelled {
        margin_account: maker.account.margin_account,
        nonce: 0,
    };
    assert_eq!(event::<QuoteCancelled>(&receipt), cancelled);
    let mut quote = w.quote(&maker, 0, &[leg(BTC_PERP, 100, 100_000)]);
    quote.max_units = 3;
    refuses(&mut w, BallastError::QuoteSpent, |w| {
        w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 1)
    });
    refuses(&mut w, BallastError::QuoteSpent, |w| w.cancel_quote(&maker, 0));
    refuses(&mut w, BallastError::QuoteNonceTooHigh, |w| {
        w.cancel_quote(&maker, 1_024)
    });
    quote.nonce = 1;
    let signed = sign(&quote, &maker.key);
    let outcome = w.fill_quote(&signed, &taker, &maker.account, 1);
    ok(&w, outcome);
    let outcome = w.cancel_quote(&maker, 1);
    ok(&w, outcome);
    refuses(&mut w, BallastError::QuoteSpent, |w| {
        w.fill_quote(&signed, &taker, &maker.account, 1)
    });
}

#[test]
fn a_floor_voids_what_is_under_it_and_opens_what_is_over_it() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let signed = |w: &World, nonce| {
        let mut quote = w.quote(&maker, nonce, &[leg(BTC_PERP, 100, 100_000)]);
        quote.max_units = 2;
        sign(&quote, &maker.key)
    };
    let (low, high) = (signed(&w, 99), signed(&w, 1_100));
    let outcome = w.fill_quote(&low, &taker, &maker.account, 1);
    ok(&w, outcome);
    refuses(&mut w, BallastError::QuoteNonceTooHigh, |w| {
        w.fill_quote(&high, &taker, &maker.account, 1)
    });
    let outcome = w.raise_quote_floor(&maker, 100);
    let receipt = ok(&w, outcome);
    let raised = QuoteFloorRaised {
        margin_account: maker.account.margin_account,
        floor: 100,
    };
    assert_eq!(event::<QuoteFloorRaised>(&receipt), raised);
    refuses(&mut w, BallastError::QuoteVoid, |w| {
        w.fill_quote(&low, &taker, &maker.account, 1)
    });
    assert_eq!(w.quote_ledger(&maker.account).partial[0], PartialQuote::default());
    let outcome = w.fill_quote(&high, &taker, &maker.account, 2);
    ok(&w, outcome);
    for floor in [0, 99, 100, MAX_QUOTE_FLOOR + 1, u64::MAX] {
        refuses(&mut w, BallastError::QuoteFloorOutOfRange, |w| {
            w.raise_quote_floor(&maker, floor)
        });
    }
}

/// A 33rd quote is filled whole or not at all, until one of the 32 has expired.
#[test]
fn at_most_32_quotes_are_filled_in_part() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 1_000_000);
    let signed = |w: &World, nonce| {
        let mut quote = w.quote(&maker, nonce, &[leg(BTC_FUTURE, 1, 100_000)]);
        quote.max_units = 2;
        sign(&quote, &maker.key)
    };
    for nonce in 0..32 {
        let quote = signed(&w, nonce);
        let outcome = w.fill_quote(&quote, &taker, &maker.account, 1);
        ok(&w, outcome);
    }
    let next = signed(&w, 32);
    refuses(&mut w, BallastError::TooManyPartialQuotes, |w| {
        w.fill_quote(&next, &taker, &maker.account, 1)
    });
    let outcome = w.fill_quote(&next, &taker, &maker.account, 2);
    ok(&w, outcome);
    let now = w.vm.now();
    btc_at(&mut w, now + 60, 100_000.0);
    let next = signed(&w, 33);
    let outcome = w.fill_quote(&next, &taker, &maker.account, 1);
    ok(&w, outcome);
    refuses(&mut w, BallastError::QuoteSpent, |w| w.cancel_quote(&maker, 0));
}

#[test]
fn only_the_wallet_opens_and_closes_and_its_delegates_cancel() {
    let mut w = world();
    let (_, maker) = quoting(&mut w, 0);
    let (other, delegate) = (trader(&mut w, 0), w.vm.keypair());
    w.vm.airdrop(&delegate.pubkey());
    edit::<ballast::state::MarginAccount>(&mut w, &maker.account.margin_account, |a| {
        a.delegates[0] = delegate.pubkey();
    });
    let by = |user: &User, signer| AccountKeys { signer, ..user.account };
    for key in [&other.key, &delegate] {
        let open = quote::open_quote_ledger(&w.exchange, &by(&other, key.pubkey()));
        let close = quote::close_quote_ledger(&w.exchange, &by(&maker, key.pubkey()));
        if key.pubkey() == delegate.pubkey() {
            refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[open], &[key]));
        }
        refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[close], &[key]));
    }
    let keys = by(&maker, other.key.pubkey());
    let cancel = quote::cancel_quote(&w.exchange, &keys, 1);
    refuses(&mut w, BallastError::NotTrader, |w| w.vm.send(&[cancel], &[&other.key]));
    let raise = quote::raise_quote_floor(&w.exchange, &keys, 1);
    refuses(&mut w, BallastError::NotTrader, |w| w.vm.send(&[raise], &[&other.key]));
    // Another account's ledger, with one's own account.
    let outcome = w.open_quotes(&other);
    ok(&w, outcome);
    let theirs = w.exchange.quote_ledger(&maker.account.margin_account);
    for mut wrong in [
        quote::cancel_quote(&w.exchange, &other.account, 1),
        quote::raise_quote_floor(&w.exchange, &other.account, 1),
        quote::close_quote_ledger(&w.exchange, &other.account),
    ] {
        let own = w.exchange.quote_ledger(&other.account.margin_account);
        let at = wrong.accounts.iter().position(|a| a.pubkey == own).expect("the ledger");
        wrong.accounts[at].pubkey = theirs;
        refuses(&mut w, BallastError::WrongQuoteLedger, |w| {
            w.vm.send(&[wrong], &[&other.key])
        });
    }
    // Another wallet's record would forget what was closed.
    let mut wrong = quote::close_quote_ledger(&w.exchange, &maker.account);
    wrong.accounts[1].pubkey = other.account.owner;
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| {
        w.vm.send(&[wrong], &[&maker.key])
    });
    let keys = by(&maker, delegate.pubkey());
    let both = [
        quote::cancel_quote(&w.exchange, &keys, 1),
        quote::raise_quote_floor(&w.exchange, &keys, 1),
    ];
    let outcome = w.vm.send(&both, &[&delegate]);
    ok(&w, outcome);
}

#[test]
fn checks_accounts() {
    let mut w = world();
    let maker = trader(&mut w, 0);
    let open = quote::open_quote_ledger(&w.exchange, &maker.account);
    checks_every_account(&mut w, &open, &[&maker.key]);
    let outcome = w.open_quotes(&maker);
    ok(&w, outcome);
    for instruction in [
        quote::cancel_quote(&w.exchange, &maker.account, 1),
        quote::raise_quote_floor(&w.exchange, &maker.account, 1),
        quote::close_quote_ledger(&w.exchange, &maker.account),
    ] {
        checks_every_account(&mut w, &instruction, &[&maker.key]);
        let outcome = w.vm.send(&[instruction], &[&maker.key]);
        ok(&w, outcome);
    }
}
