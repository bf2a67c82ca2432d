//! Signed quotes: what a maker signs and a taker sends.
//!
//! The maker fills in a [`Quote`], signs the bytes of [`Quote::encode`] with the key of its wallet or of a delegate, and hands quote and
//! signature to the taker, who sends [`fill_quote`].
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::{accounts, instruction as data};
use solana_ed25519_program::new_ed25519_instruction_with_signature;

use crate::address::{event_authority, Exchange};
use crate::instruction::{build, first_and_others, with_writable, AccountKeys};

pub use ballast::quote::{Quote, QuoteLeg};

const SYSTEM: Pubkey = anchor_lang::system_program::ID;
const INSTRUCTIONS: Pubkey = anchor_lang::prelude::pubkey!("Sysvar1nstructions1111111111111111111111111");

/// A quote and the proof that its maker signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedQuote {
    /// The quote.
    pub quote: Quote,
    /// The maker's wallet or a delegate.
    pub signer: Pubkey,
    /// Ed25519 signature of the quote's bytes.
    pub signature: [u8; 64],
}

impl SignedQuote {
    /// The Ed25519 instruction that proves the signature; it goes right in front of `fill_quote`.
    pub fn proof(&self) -> Instruction {
        prove(&self.quote.encode(), &self.signer, &self.signature)
    }
}

/// The Ed25519 instruction of one signature over a message, in the one form that `fill_quote` accepts.
pub fn prove(message: &[u8], signer: &Pubkey, signature: &[u8; 64]) -> Instruction {
    new_ed25519_instruction_with_signature(message, signature, &signer.to_bytes())
}

/// `fill_quote` of so many units, with the proof in front: two instructions that stay together. `maker` are the maker's accounts, whose
/// `signer` is not asked for; `markets` are those of the quote's legs, in their order.
pub fn fill_quote(
    exchange: &Exchange,
    signed: &SignedQuote,
    markets: &[Pubkey],
    taker: &AccountKeys,
    maker: &AccountKeys,
    units: u64,
) -> [Instruction; 2] {
    let (market, others) = first_and_others(markets);
    let accounts = accounts::FillQuote {
        exchange: exchange.key,
        board: exchange.board,
        market,
        taker: taker.margin_account,
        taker_owner: taker.owner,
        taker_signer: taker.signer,
        maker: maker.margin_account,
        maker_owner: maker.owner,
        maker_quotes: exchange.quote_ledger(&maker.margin_account),
        instructions: INSTRUCTIONS,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    let fill = with_writable(build(accounts, data::FillQuote { units }), others);
    [signed.proof(), fill]
}

/// `open_quote_ledger` of the wallet's margin account.
pub fn open_quote_ledger(exchange: &Exchange, account: &AccountKeys) -> Instruction {
    let accounts = accounts::OpenQuoteLedger {
        margin_account: account.margin_account,
        owner: account.owner,
        quote_ledger: exchange.quote_ledger(&account.margin_account),
        wallet: account.signer,
        system_program: SYSTEM,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::OpenQuoteLedger {})
}

/// `close_quote_ledger` of the wallet's margin account.
pub fn close_quote_ledger(exchange: &Exchange, account: &AccountKeys) -> Instruction {
    let accounts = accounts::CloseQuoteLedger {
        margin_account: account.margin_account,
        owner: account.owner,
        quote_ledger: exchange.quote_ledger(&account.margin_account),
        wallet: account.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::CloseQuoteLedger {})
}

fn manage(exchange: &Exchange, account: &AccountKeys) -> accounts::ManageQuotes {
    accounts::ManageQuotes {
        margin_account: account.margin_account,
        quote_ledger: exchange.quote_ledger(&account.margin_account),
        trader: account.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    }
}

/// `cancel_quote`: the nonce can't be filled any more.
pub fn cancel_quote(exchange: &Exchange, account: &AccountKeys, nonce: u64) -> Instruction {
    build(manage(exchange, account), data::CancelQuote { nonce })
}

/// `raise_quote_floor`: no nonce under `floor` can be filled any more.
pub fn raise_quote_floor(exchange: &Exchange, account: &AccountKeys, floor: u64) -> Instruction {
    build(manage(exchange, account), data::RaiseQuoteFloor { floor })
}
