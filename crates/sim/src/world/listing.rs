//! What the exchange's authority does after genesis: listing instruments and publishing surfaces.
use anchor_lang::solana_program::system_instruction;
use ballast::instructions::{ListInstrumentArgs, SurfaceUpdate};
use ballast::state::{InstrumentKind, Market};
use ballast_client::instruction;
use ballast_migrations::config;
use solana_signer::Signer;

use super::{Outcome, World, SOL};

impl World {
    /// `list_instrument` of an asset on lots and ticks of its first instrument (SOL's for further assets), in front of it its market's
    /// account; `strike` is 10⁻⁹ USD, 0 for what is no option. Its index is [`World::last_listed`] then.
    ///
    /// # Panics
    /// Where the asset has no instrument.
    pub fn list(&mut self, asset: u8, kind: InstrumentKind, expiry: i64, basis: i64, strike: i64) -> Outcome {
        let board = self.board();
        let mut listed = board.instruments.iter().filter(|i| i.kind != 0);
        let like = listed
            .find(|i| i.asset == asset.min(SOL))
            .expect("an instrument to take them from");
        let args = ListInstrumentArgs {
            kind,
            asset,
            lot_size: like.lot_size,
            tick_size: like.tick_size,
            expiry,
            basis,
            strike,
            ..config::book(kind)
        };
        let (market, authority) = (self.vm.keypair(), self.authority.insecure_clone());
        let (key, len) = (market.pubkey(), Market::size(args.book_capacity));
        let lamports = self.vm.svm.minimum_balance_for_rent_exemption(len);
        let create = system_instruction::create_account(&authority.pubkey(), &key, lamports, len as u64, &ballast::ID);
        let list = instruction::list_instrument(&self.exchange, &authority.pubkey(), &key, args);
        let receipt = self.vm.send(&[create, list], &[&authority, &market])?;
        let listed = self.exchange_account().markets.iter().position(|market| *market == key);
        let index = listed.expect("the market that was listed");
        if index == self.markets.len() {
            self.markets.push(key);
        }
        self.markets[index] = key;
        self.last_listed = index;
        Ok(receipt)
    }

    /// `refresh_surface` by the authority, who becomes the publisher with it.
    pub fn publish(&mut self, asset: u8, updates: &[SurfaceUpdate]) -> Outcome {
        let authority = self.authority.insecure_clone();
        let key = authority.pubkey();
        let name = instruction::set_volatility_publisher(&self.exchange, &key, key);
        let publish = instruction::refresh_surface(&self.exchange, &key, asset, updates.to_vec());
        self.vm.send(&[name, publish], &[&authority])
    }
}
