//! How instruments end: settlement windows, settlement prices, and what comes after them.
use anchor_lang::prelude::Pubkey;
use ballast_client::instruction;
use ballast_risk::settlement_window::{BUCKETS, BUCKET_SECONDS, WINDOW_SECONDS};
use solana_signer::Signer;

use super::{Outcome, User, World};
use crate::invariants::Action;

impl World {
    /// Moves the clock to a unix time that is not past.
    ///
    /// # Panics
    /// When it is past.
    pub fn wait_until(&mut self, time: i64) {
        let now = self.vm.now();
        assert!(time >= now, "{time} is past: it is {now}");
        if time > now {
            self.vm.advance(time - now);
        }
    }

    /// Walks through buckets `from` to `to` (from 1 on) of an expiry's settlement window, posting in the tenth second of each the price,
    /// in dollars, that `price` has for it, and ends with the first second after the last.
    ///
    /// # Panics
    /// When the board refuses a price or the first bucket is past.
    pub fn walk_window(&mut self, asset: u8, expiry: i64, buckets: [u16; 2], price: impl Fn(u16) -> f64) {
        let begin = |bucket: u16| expiry - WINDOW_SECONDS + BUCKET_SECONDS * (i64::from(bucket) - 1);
        for bucket in buckets[0]..=buckets[1] {
            self.wait_until(begin(bucket) + 10);
            self.post_price(asset, price(bucket));
            self.refresh(&[asset]).expect("the board takes a good price");
        }
        self.wait_until(begin(buckets[1] + 1));
    }

    /// Takes an expiry through its whole window at one price in dollars, to its last second: the price stands then.
    pub fn expire_at(&mut self, asset: u8, expiry: i64, price: f64) {
        self.walk_window(asset, expiry, [1, BUCKETS], |_| price);
    }

    /// `fix_settlement`.
    pub fn fix_settlement(&mut self, asset: u8, expiry: i64) -> Outcome {
        let fix = instruction::fix_settlement(&self.exchange, (asset, expiry));
        self.send(&Action::Refresh, fix, &[])
    }

    /// `settle_expiry` of an account's position, with the funding that is due before it.
    pub fn settle_expiry(&mut self, account: &Pubkey, instrument: usize) -> Outcome {
        self.update_last_funding([instrument]);
        let owner = self.margin_account(account).owner;
        let settle = instruction::settle_expiry(&self.exchange, account, &owner, &self.markets[instrument]);
        let action = Action::SettleExpiry {
            account: *account,
            instrument,
        };
        self.send(&action, settle, &[])
    }

    /// `update_funding` of those of the instruments that have ended without their last hour on the board, as whoever settles them sends it
    /// along.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn update_last_funding(&mut self, instruments: impl IntoIterator<Item = usize>) {
        let (board, now) = (self.board(), self.vm.now());
        let is_due = |instrument: &usize| {
            let listed = &board.instruments[*instrument];
            listed.is_expired(now) && listed.check_funding(now).is_err()
        };
        let due: Vec<usize> = instruments.into_iter().filter(is_due).collect();
        self.update_due_funding(due);
    }

    /// `waive_claim` by the account's wallet.
    pub fn waive_claim(&mut self, user: &User, instrument: usize) -> Outcome {
        let waive = instruction::waive_claim(&self.exchange, &user.account, &self.markets[instrument]);
        let account = user.account.margin_account;
        self.send(&Action::WaiveClaim { account, instrument }, waive, &[&user.key])
    }

    /// `close_instrument`. The slot of [`World::markets`] keeps the key until something is listed in its place.
    pub fn close_instrument(&mut self, instrument: usize) -> Outcome {
        let authority = self.authority.pubkey();
        let close = instruction::close_instrument(&self.exchange, &authority, &self.markets[instrument]);
        self.send(&Action::CloseInstrument { instrument }, close, &[])
    }

    /// `delist_instrument` by the authority.
    pub fn delist(&mut self, instrument: usize, ends_at: i64) -> Outcome {
        let authority = self.authority.insecure_clone();
        let index = u16::try_from(instrument).expect("an instrument's index");
        let delist = instruction::delist_instrument(&self.exchange, &authority.pubkey(), index, ends_at);
        self.send(&Action::Refresh, delist, &[&authority])
    }

    /// `set_settlement_price` by the authority, 10⁻⁹ USD.
    pub fn set_settlement_price(&mut self, asset: u8, expiry: i64, price: i64) -> Outcome {
        let authority = self.authority.insecure_clone();
        let set = instruction::set_settlement_price(&self.exchange, &authority.pubkey(), (asset, expiry), price);
        self.send(&Action::Refresh, set, &[&authority])
    }
}
