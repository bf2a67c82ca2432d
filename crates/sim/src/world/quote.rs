//! Makers that sign quotes off chain, and takers that bring them.
use anchor_lang::prelude::Pubkey;
use ballast::state::QuoteLedger;
use ballast_client::instruction::AccountKeys;
use ballast_client::quote::{self, Quote, QuoteLeg, SignedQuote};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Outcome, User, World};
use crate::invariants::{Action, Leg};

/// Signs a quote with any key.
pub fn sign(quote: &Quote, key: &Keypair) -> SignedQuote {
    SignedQuote {
        quote: quote.clone(),
        signer: key.pubkey(),
        signature: *key.sign_message(&quote.encode()).as_array(),
    }
}

impl World {
    /// A quote of the maker's to anyone, of one unit, good for a minute. The legs are as the taker sees them.
    pub fn quote(&self, maker: &User, nonce: u64, legs: &[Leg]) -> Quote {
        let board = self.board();
        let leg = |leg: &Leg| QuoteLeg {
            instrument: u16::try_from(leg.instrument).unwrap_or(u16::MAX),
            generation: board.instruments[leg.instrument].generation,
            lots: leg.lots,
            price: leg.price,
        };
        Quote {
            exchange: self.exchange.key,
            maker: maker.account.margin_account,
            taker: Pubkey::default(),
            nonce,
            expires_at: self.vm.now() + 60,
            max_units: 1,
            legs: legs.iter().map(leg).collect(),
        }
    }

    /// The ledger of a margin account's quotes.
    pub fn quote_ledger(&self, account: &AccountKeys) -> Box<QuoteLedger> {
        self.read(&self.exchange.quote_ledger(&account.margin_account))
    }

    /// `open_quote_ledger`.
    pub fn open_quotes(&mut self, maker: &User) -> Outcome {
        let open = quote::open_quote_ledger(&self.exchange, &maker.account);
        self.send(&Action::Quotes, open, &[&maker.key])
    }

    /// `close_quote_ledger`.
    pub fn close_quotes(&mut self, maker: &User) -> Outcome {
        let close = quote::close_quote_ledger(&self.exchange, &maker.account);
        self.send(&Action::Quotes, close, &[&maker.key])
    }

    /// `fill_quote` of so many units, with the proof in front.
    pub fn fill_quote(&mut self, signed: &SignedQuote, taker: &User, maker: &AccountKeys, units: u64) -> Outcome {
        let legs = &signed.quote.legs;
        self.update_due_funding(legs.iter().map(|leg| leg.instrument.into()));
        let markets: Vec<Pubkey> = legs
            .iter()
            .map(|leg| self.markets[usize::from(leg.instrument)])
            .collect();
        let fill = quote::fill_quote(&self.exchange, signed, &markets, &taker.account, maker, units);
        let times = i64::try_from(units).unwrap_or(i64::MAX);
        let action = Action::Trade {
            taker: taker.account.margin_account,
            maker: maker.margin_account,
            legs: (legs.iter())
                .map(|leg| Leg {
                    instrument: leg.instrument.into(),
                    lots: leg.lots.saturating_mul(times),
                    price: leg.price,
                })
                .collect(),
        };
        self.send_all(&action, &fill, &[&taker.key])
    }

    /// `cancel_quote`.
    pub fn cancel_quote(&mut self, maker: &User, nonce: u64) -> Outcome {
        let cancel = quote::cancel_quote(&self.exchange, &maker.account, nonce);
        self.send(&Action::Quotes, cancel, &[&maker.key])
    }

    /// `raise_quote_floor`.
    pub fn raise_quote_floor(&mut self, maker: &User, floor: u64) -> Outcome {
        let raise = quote::raise_quote_floor(&self.exchange, &maker.account, floor);
        self.send(&Action::Quotes, raise, &[&maker.key])
    }
}
