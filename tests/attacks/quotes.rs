//! Attacks on signed quotes: what a maker did not sign, signed for something else, or took back is not filled, and nothing is filled twice.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::state::{Instrument, MarginAccount, Market, RiskBoard};
use ballast_client::quote::{self, Quote, SignedQuote};
use ballast_sim::invariants::{Leg, Watch};
use ballast_sim::world::{sign, User, World};
use ballast_tests::refusal::{refuses, refuses_somehow};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::support::wealth;

/// Number of a transaction's first instruction: the VM puts a request for compute units in front.
const FIRST: u16 = 1;

struct Desk {
    w: World,
    taker: User,
    maker: User,
}

impl Desk {
    fn new() -> Desk {
        let mut w = world();
        let (taker, maker) = pair(&mut w, 1_000_000);
        let outcome = w.open_quotes(&maker);
        ok(&w, outcome);
        Desk { w, taker, maker }
    }

    /// A BTC for 100,000, in ten units.
    fn quote(&self, nonce: u64) -> Quote {
        let leg = Leg {
            instrument: BTC_FUTURE,
            lots: 1_000,
            price: 100_000 * PRICE,
        };
        let mut quote = self.w.quote(&self.maker, nonce, &[leg]);
        quote.max_units = 10;
        quote
    }

    fn signed(&self, nonce: u64) -> SignedQuote {
        sign(&self.quote(nonce), &self.maker.key)
    }

    /// Proof and fill.
    fn both(&self, signed: &SignedQuote, units: u64) -> [Instruction; 2] {
        let markets = [self.w.markets[BTC_FUTURE]];
        let (taker, maker) = (&self.taker.account, &self.maker.account);
        quote::fill_quote(&self.w.exchange, signed, &markets, taker, maker, units)
    }

    #[track_caller]
    fn refuses(&mut self, error: BallastError, instructions: &[Instruction]) {
        let key = self.taker.key.insecure_clone();
        refuses(&mut self.w, error, |w| w.vm.send(instructions, &[&key]));
    }

    #[track_caller]
    fn goes(&mut self, instructions: &[Instruction]) {
        let outcome = self.w.vm.send(instructions, &[&self.taker.key]);
        ok(&self.w, outcome);
    }

    fn lots(&self, user: &User) -> i64 {
        let account = self.w.margin_account(&user.account.margin_account);
        account.position(BTC_FUTURE as u16).map_or(0, |p| p.lots)
    }
}

/// An Ed25519 instruction's fields, each at two bytes from the second: signature, its instruction, key, its instruction, message, its
/// length, its instruction.
fn with_field(proof: &Instruction, field: usize, value: u16) -> Instruction {
    let mut changed = proof.clone();
    changed.data[2 + 2 * field..4 + 2 * field].copy_from_slice(&value.to_le_bytes());
    changed
}

#[test]
fn attack_replay_of_a_quote_that_is_filled() {
    let mut desk = Desk::new();
    let signed = desk.signed(0);
    let whole = desk.both(&signed, 10);
    desk.goes(&whole);
    desk.refuses(BallastError::QuoteSpent, &whole);
    desk.refuses(BallastError::QuoteSpent, &desk.both(&signed, 1));
    // Nor later, nor signed again, nor with more units under the same number.
    let more = Quote {
        max_units: 20,
        ..desk.quote(0)
    };
    desk.refuses(BallastError::QuoteSpent, &desk.both(&sign(&more, &desk.maker.key), 1));
    assert_eq!(desk.lots(&desk.taker), 10_000);
}

#[test]
fn attack_more_than_is_left_in_parts() {
    let mut desk = Desk::new();
    let signed = desk.signed(0);
    desk.goes(&desk.both(&signed, 6));
    desk.refuses(BallastError::QuoteTooLarge, &desk.both(&signed, 5));
    // Twice in one transaction, each with its proof.
    let twice = [desk.both(&signed, 4), desk.both(&signed, 1)].concat();
    desk.refuses(BallastError::QuoteSpent, &twice);
    let twice = [desk.both(&signed, 3), desk.both(&signed, 2)].concat();
    desk.refuses(BallastError::QuoteTooLarge, &twice);
    let twice = [desk.both(&signed, 3), desk.both(&signed, 1)].concat();
    desk.goes(&twice);
    assert_eq!(desk.lots(&desk.taker), 10_000);
}

#[test]
fn attack_one_proof_for_two_fills() {
    let mut desk = Desk::new();
    let [proof, fill] = desk.both(&desk.signed(0), 1);
    desk.refuses(BallastError::QuoteNotProved, &[proof, fill.clone(), fill]);
}

#[test]
fn attack_replay_after_the_ledger_was_closed_and_opened_again() {
    let mut desk = Desk::new();
    let signed = desk.signed(700);
    desk.goes(&desk.both(&signed, 10));
    for _ in 0..2 {
        let outcome = desk.w.close_quotes(&desk.maker);
        ok(&desk.w, outcome);
        let outcome = desk.w.open_quotes(&desk.maker);
        ok(&desk.w, outcome);
        desk.refuses(BallastError::QuoteVoid, &desk.both(&signed, 1));
    }
}

/// The account itself may be closed and opened again in between.
#[test]
fn attack_replay_after_the_margin_account_was_opened_again() {
    let mut desk = Desk::new();
    let signed = desk.signed(700);
    let usd = desk.w.usd;
    let outcome = desk.w.close_quotes(&desk.maker);
    ok(&desk.w, outcome);
    let outcome = desk.w.withdraw(&desk.maker, &usd, 10_000_000 * USD);
    ok(&desk.w, outcome);
    let outcome = desk.w.close(&desk.maker, 0);
    ok(&desk.w, outcome);
    // The wallet keeps another account, and so its record.
    let outcome = desk.w.open(&desk.maker, 0);
    ok(&desk.w, outcome);
    let outcome = desk.w.deposit(&desk.maker, &usd, 10_000_000 * USD);
    ok(&desk.w, outcome);
    let outcome = desk.w.open_quotes(&desk.maker);
    ok(&desk.w, outcome);
    desk.refuses(BallastError::QuoteVoid, &desk.both(&signed, 1));
}

/// The Ed25519 program would check a signature that lies in another instruction. Ours takes none that does: what is checked is what is read.
#[test]
fn attack_a_signature_over_bytes_of_another_instruction() {
    let mut desk = Desk::new();
    let forger = desk.w.vm.keypair();
    let genuine = b"what the maker did sign";
    let signed = SignedQuote {
        signature: *desk.maker.key.sign_message(genuine).as_array(),
        ..desk.signed(0)
    };
    let [forged, fill] = desk.both(&signed, 1);
    // The maker's key and signature in our instruction, the message in one in front of it. The VM takes it, the program does not.
    let own = quote::prove(genuine, &forger.pubkey(), forger.sign_message(genuine).as_array());
    let mut elsewhere = with_field(&forged, 6, FIRST);
    elsewhere = with_field(&elsewhere, 5, genuine.len() as u16);
    desk.refuses(
        BallastError::QuoteNotProved,
        &[own.clone(), elsewhere.clone(), fill.clone()],
    );
    // At the same offset of the same instruction, behind the quote or inside of it.
    let mut behind = with_field(&forged, 5, genuine.len() as u16);
    behind = with_field(&behind, 4, forged.data.len() as u16);
    behind.data.extend_from_slice(genuine);
    desk.refuses(BallastError::QuoteNotProved, &[behind, fill.clone()]);
    // Signature and key in another instruction, for any one of the three.
    let right = desk.signed(0);
    let [proof, fill] = desk.both(&right, 1);
    for field in [1, 3, 6] {
        let elsewhere = with_field(&proof, field, FIRST);
        let all = [proof.clone(), elsewhere, fill.clone()];
        desk.refuses(BallastError::QuoteNotProved, &all);
    }
    // Its own number is itself.
    let by_number = [1, 3, 6].iter().fold(proof, |p, field| with_field(&p, *field, FIRST));
    desk.goes(&[by_number, fill]);
}

#[test]
fn attack_two_signatures_or_none() {
    let mut desk = Desk::new();
    let signed = desk.signed(0);
    let [proof, fill] = desk.both(&signed, 1);
    let none = Instruction {
        data: vec![0, 0],
        ..proof.clone()
    };
    desk.refuses(BallastError::QuoteNotProved, &[none, fill.clone()]);
    // The maker's own quote first or second, a stranger's signature beside it: all offsets move by the second list.
    let stranger = desk.w.vm.keypair();
    let bytes = signed.quote.encode();
    let strangers = quote::prove(&bytes, &stranger.pubkey(), stranger.sign_message(&bytes).as_array());
    let lists = |one: &Instruction, two: &Instruction| {
        let shift = |list: &[u8], by: u16| {
            let mut list = list.to_vec();
            for field in [0, 2, 4] {
                let at = u16::from_le_bytes([list[2 * field], list[2 * field + 1]]) + by;
                list[2 * field..2 * field + 2].copy_from_slice(&at.to_le_bytes());
            }
            list
        };
        let body = one.data.len() - 16;
        let mut data = vec![2, 0];
        data.extend(shift(&one.data[2..16], 14));
        data.extend(shift(&two.data[2..16], 14 + body as u16));
        data.extend_from_slice(&one.data[16..]);
        data.extend_from_slice(&two.data[16..]);
        Instruction { data, ..one.clone() }
    };
    for both in [lists(&proof, &strangers), lists(&strangers, &proof)] {
        desk.refuses(BallastError::QuoteNotProved, &[both, fill.clone()]);
    }
    // The genuine list, and one byte that the Ed25519 program does not read.
    let mut padded = proof.clone();
    padded.data[1] = 2;
    desk.refuses(BallastError::QuoteNotProved, &[padded, fill.clone()]);
    desk.goes(&[proof, fill]);
}

/// Every byte of the quote is covered: a change of one of them is caught by the Ed25519 program, and signed by somebody else by ours.
#[test]
fn attack_a_quote_that_the_maker_did_not_sign() {
    let mut desk = Desk::new();
    let [proof, fill] = desk.both(&desk.signed(0), 1);
    for at in 16..proof.data.len() {
        let mut changed = proof.clone();
        changed.data[at] ^= 0x10;
        let key = desk.taker.key.insecure_clone();
        let both = [changed, fill.clone()];
        refuses_somehow(&mut desk.w, |w| w.vm.send(&both, &[&key]));
    }
    for forger in [desk.taker.key.insecure_clone(), desk.w.vm.keypair()] {
        let forged = sign(&desk.quote(0), &forger);
        desk.refuses(BallastError::NotTrader, &desk.both(&forged, 1));
        // The maker's key named, the forger's signature given.
        let named = SignedQuote {
            signer: desk.maker.key.pubkey(),
            ..forged
        };
        let both = desk.both(&named, 1);
        refuses_somehow(&mut desk.w, |w| w.vm.send(&both, &[&forger]));
    }
}

/// A signature of the maker's over a longer message that only begins, or ends, with a quote.
#[test]
fn attack_a_message_that_only_contains_a_quote() {
    let mut desk = Desk::new();
    let key: Keypair = desk.maker.key.insecure_clone();
    let [_, fill] = desk.both(&desk.signed(0), 1);
    let quote = desk.quote(0).encode();
    for message in [[&quote[..], b"and more"].concat(), [&b"more and "[..], &quote].concat()] {
        let proof = quote::prove(&message, &key.pubkey(), key.sign_message(&message).as_array());
        desk.refuses(BallastError::QuoteMalformed, &[proof.clone(), fill.clone()]);
        // Pointing at the quote inside of it the signature does not hold.
        let cut = with_field(&proof, 5, quote.len() as u16);
        let taker = desk.taker.key.insecure_clone();
        refuses_somehow(&mut desk.w, |w| w.vm.send(&[cut, fill.clone()], &[&taker]));
    }
}

/// A quote for one exchange is none for another one of the same program, where the same wallets have accounts.
#[test]
fn attack_a_quote_of_another_exchange() {
    let mut desk = Desk::new();
    let second = second_exchange(&mut desk.w);
    let (taker, maker) = (
        second.open(&mut desk.w, &desk.taker),
        second.open(&mut desk.w, &desk.maker),
    );
    let open = quote::open_quote_ledger(&second.exchange, &maker);
    let outcome = desk.w.vm.send(&[open], &[&desk.maker.key]);
    ok(&desk.w, outcome);
    let signed = desk.signed(0);
    let there = quote::fill_quote(&second.exchange, &signed, &second.markets[1..2], &taker, &maker, 1);
    desk.refuses(BallastError::WrongExchange, &there);
    // With this exchange's account and the other one's markets, and the other way round.
    let mixed = quote::fill_quote(
        &desk.w.exchange,
        &signed,
        &second.markets[1..2],
        &desk.taker.account,
        &desk.maker.account,
        1,
    );
    desk.refuses(BallastError::WrongExchange, &mixed);
    let mixed = quote::fill_quote(
        &desk.w.exchange,
        &signed,
        &[desk.w.markets[BTC_FUTURE]],
        &taker,
        &maker,
        1,
    );
    desk.refuses(BallastError::WrongExchange, &mixed);
}

/// A slot that is used again under a live quote is another instrument.
#[test]
fn attack_a_slot_used_again_under_a_live_quote() {
    let mut desk = Desk::new();
    let signed = desk.signed(0);
    let (board, market) = (desk.w.exchange.board, desk.w.markets[BTC_FUTURE]);
    edit::<RiskBoard>(&mut desk.w, &board, |b| {
        let instrument: &mut Instrument = &mut b.instruments[BTC_FUTURE];
        instrument.generation += 1;
    });
    edit::<Market>(&mut desk.w, &market, |m| m.generation += 1);
    desk.refuses(BallastError::QuoteWrongInstrument, &desk.both(&signed, 1));
}

#[test]
fn attack_a_quote_for_somebody_else() {
    let mut desk = Desk::new();
    let friend = trader(&mut desk.w, 1_000);
    let named = Quote {
        taker: friend.account.margin_account,
        ..desk.quote(0)
    };
    let signed = sign(&named, &desk.maker.key);
    desk.refuses(BallastError::QuoteWrongAccount, &desk.both(&signed, 1));
    // The friend's account, signed for by the attacker.
    let mut account = friend.account;
    account.signer = desk.taker.key.pubkey();
    let markets = [desk.w.markets[BTC_FUTURE]];
    let both = quote::fill_quote(&desk.w.exchange, &signed, &markets, &account, &desk.maker.account, 1);
    desk.refuses(BallastError::NotTrader, &both);
}

#[test]
fn attack_a_quote_of_a_delegate_that_was_removed() {
    let mut desk = Desk::new();
    let (delegate, maker) = (desk.w.vm.keypair(), desk.maker.account.margin_account);
    edit::<MarginAccount>(&mut desk.w, &maker, |a| a.delegates[1] = delegate.pubkey());
    let signed = sign(&desk.quote(0), &delegate);
    desk.goes(&desk.both(&signed, 1));
    edit::<MarginAccount>(&mut desk.w, &maker, |a| a.delegates[1] = Pubkey::default());
    desk.refuses(BallastError::NotTrader, &desk.both(&signed, 1));
    // Nor is the key that stands for none anybody's.
    let nobody = SignedQuote {
        signer: Pubkey::default(),
        ..signed
    };
    let both = desk.both(&nobody, 1);
    let key = desk.taker.key.insecure_clone();
    refuses_somehow(&mut desk.w, |w| w.vm.send(&both, &[&key]));
}

#[test]
fn attack_a_quote_that_was_taken_back() {
    let mut desk = Desk::new();
    let (cancelled, voided) = (desk.signed(5), desk.signed(6));
    let outcome = desk.w.cancel_quote(&desk.maker, 5);
    ok(&desk.w, outcome);
    desk.refuses(BallastError::QuoteSpent, &desk.both(&cancelled, 1));
    let outcome = desk.w.raise_quote_floor(&desk.maker, 7);
    ok(&desk.w, outcome);
    for signed in [&cancelled, &voided] {
        desk.refuses(BallastError::QuoteVoid, &desk.both(signed, 1));
    }
    // The nonce that now has the bit of a cancelled one is free, and that of a free one is not made good by it.
    let next = desk.signed(5 + 1_024);
    desk.goes(&desk.both(&next, 1));
}

/// One-unit fills of 32 quotes leave no slot for a 33rd part; nobody can keep a quote from being filled whole, and the maker clears the
/// slots at will.
#[test]
fn attack_parts_that_fill_every_slot() {
    let mut desk = Desk::new();
    for nonce in 0..32 {
        desk.goes(&desk.both(&desk.signed(nonce), 1));
    }
    let next = desk.signed(32);
    desk.refuses(BallastError::TooManyPartialQuotes, &desk.both(&next, 1));
    desk.goes(&desk.both(&next, 10));
    let outcome = desk.w.raise_quote_floor(&desk.maker, 32);
    ok(&desk.w, outcome);
    desk.goes(&desk.both(&desk.signed(33), 1));
}

/// Quotes between wallets of one hand, at the ends of the band and back, in parts and whole: fees are lost, and nothing is won.
#[test]
fn attack_quotes_between_wallets_of_one_hand() {
    let mut desk = Desk::new();
    desk.w.watch = Some(Watch::default());
    let before = wealth(&desk.w, &[&desk.taker, &desk.maker]);
    let mut last = before;
    for (nonce, lots, dollars) in [(0, 7, 101_990), (1, -7, 98_010), (2, 1, 98_010), (3, -1, 101_990)] {
        let leg = Leg {
            instrument: BTC_FUTURE,
            lots,
            price: dollars * PRICE,
        };
        let mut quote = desk.w.quote(&desk.maker, nonce, &[leg]);
        quote.max_units = 10;
        let signed = sign(&quote, &desk.maker.key);
        for units in [1, 9] {
            let outcome = desk.w.fill_quote(&signed, &desk.taker, &desk.maker.account, units);
            ok(&desk.w, outcome);
            let now = wealth(&desk.w, &[&desk.taker, &desk.maker]);
            assert!(now < last, "a fill made them {} richer", now - last);
            last = now;
        }
    }
    let watch = desk.w.watch.take().expect("a watch");
    assert_eq!((watch.verdict(), watch.transactions), (Ok(()), 8));
}
