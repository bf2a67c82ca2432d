//! Signed quotes behind the validators' own Ed25519 program: what it proves is filled, what it refuses is not, and what it would take besides
//! the program refuses.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast_client::quote::{self, Quote, QuoteLeg, SignedQuote};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;

use crate::bank::{Bank, Outcome};
use crate::venue::{User, Venue, PRICE, START, USD};

/// The six instruments of genesis: as many legs as a transaction has room for beside another fee payer.
const LEGS: [(i64, i64); 6] = [
    (100, 100_000),
    (-100, 100_000),
    (1_000, 3_000),
    (-1_000, 3_000),
    (100, 150),
    (-100, 150),
];

fn signed(venue: &Venue, maker: &User, nonce: u64) -> SignedQuote {
    let board = venue.board();
    let leg = |(at, (lots, dollars)): (usize, &(i64, i64))| QuoteLeg {
        instrument: at as u16,
        generation: board.instruments[at].generation,
        lots: *lots,
        price: dollars * PRICE,
    };
    let quote = Quote {
        exchange: venue.exchange.key,
        maker: maker.account.margin_account,
        taker: Pubkey::default(),
        nonce,
        expires_at: START + 3_600,
        max_units: 2,
        legs: LEGS.iter().enumerate().map(leg).collect(),
    };
    SignedQuote {
        signature: *maker.key.sign_message(&quote.encode()).as_array(),
        signer: maker.key.pubkey(),
        quote,
    }
}

fn both(venue: &Venue, signed: &SignedQuote, taker: &User, maker: &User) -> [Instruction; 2] {
    quote::fill_quote(
        &venue.exchange,
        signed,
        &venue.markets,
        &taker.account,
        &maker.account,
        1,
    )
}

#[track_caller]
fn refused(outcome: Outcome, error: BallastError) {
    let refused = outcome.expect_err("a refusal");
    assert_eq!(refused.code(), Some(u32::from(error)), "{refused:#?}");
}

/// Refused by the instruction with this number, which is not ours.
#[track_caller]
fn refused_in_front(outcome: Outcome, at: u8) {
    match outcome.expect_err("a refusal").error {
        TransactionError::InstructionError(number, InstructionError::Custom(_)) => assert_eq!(number, at),
        other => panic!("{other:?}"),
    }
}

/// An Ed25519 instruction with one of its seven fields changed.
fn with_field(proof: &Instruction, field: usize, value: u16) -> Instruction {
    let mut changed = proof.clone();
    changed.data[2 + 2 * field..4 + 2 * field].copy_from_slice(&value.to_le_bytes());
    changed
}

#[test]
fn signed_quotes_behind_the_validators_own_proof() {
    let mut venue = Venue::new(Bank::new(START));
    let [taker, maker] = [100_000, 100_000].map(|dollars| {
        let user = venue.user(dollars, 0);
        venue.deposit(&user, dollars * USD).expect("a deposit");
        user
    });
    let open = quote::open_quote_ledger(&venue.exchange, &maker.account);
    venue.bank.send(&[open], &[&maker.key]).expect("a ledger");

    // The proof fails when a bit of the signature or of the quote is another one.
    let right = signed(&venue, &maker, 0);
    let [proof, fill] = both(&venue, &right, &taker, &maker);
    for at in [48, 112, proof.data.len() - 1] {
        let mut wrong = proof.clone();
        wrong.data[at] ^= 1;
        let outcome = venue.bank.send(&[wrong, fill.clone()], &[&taker.key]);
        refused_in_front(outcome, 0);
    }
    let outcome = venue.bank.send(std::slice::from_ref(&fill), &[&taker.key]);
    refused(outcome, BallastError::QuoteNotProved);
    // Offsets that go by number into another instruction hold for that program. Small quotes, so that both fit.
    let mut small = right.clone();
    small.quote.legs.truncate(1);
    small.signature = *maker.key.sign_message(&small.quote.encode()).as_array();
    let markets = &venue.markets[..1];
    let [proof, fill] = quote::fill_quote(&venue.exchange, &small, markets, &taker.account, &maker.account, 1);
    for field in [1, 3, 6] {
        let elsewhere = with_field(&proof, field, 0);
        let outcome = venue
            .bank
            .send(&[proof.clone(), elsewhere, fill.clone()], &[&taker.key]);
        refused(outcome, BallastError::QuoteNotProved);
    }
    let none = Instruction {
        data: vec![0, 0],
        ..proof.clone()
    };
    let outcome = venue.bank.send(&[none, fill], &[&taker.key]);
    refused(outcome, BallastError::QuoteNotProved);

    // Six legs fit a transaction, and go through; the second unit uses the quote up.
    for _ in 0..2 {
        let six = both(&venue, &right, &taker, &maker);
        venue.bank.send(&six, &[&taker.key]).expect("a fill");
        venue.check_conservation();
    }
    let six = both(&venue, &right, &taker, &maker);
    let outcome = venue.bank.send(&six, &[&taker.key]);
    refused(outcome, BallastError::QuoteSpent);
    let lots = |user: &User| -> Vec<i64> {
        let account = venue.margin_account(user);
        account.positions().iter().map(|p| p.lots).collect()
    };
    assert_eq!(lots(&taker), [200, -200, 2_000, -2_000, 200, -200]);
    assert_eq!(lots(&maker), [-200, 200, -2_000, 2_000, -200, 200]);
}
