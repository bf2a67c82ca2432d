//! An asset with three sources: a Pyth feed and two feeds of Switchboard On-Demand.
use anchor_lang::prelude::Pubkey;
use ballast::oracle::{FeedConfig, PriceSourceKind, SourceConfig};
use ballast::state::{PriceFeed, PriceSources};
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_sim::world::{Outcome, PriceMessage, ValueMessage, World};
use solana_signer::Signer;

use crate::ok;

const QUEUE: Pubkey = Pubkey::new_from_array([7; 32]);
const HASH: [u8; 32] = [8; 32];

/// The sources of an asset.
pub struct Sources {
    /// The asset.
    pub asset: u8,
    /// Its Switchboard feeds.
    pub feeds: [Pubkey; 2],
}

/// A Switchboard feed as a source, with the limits of a Pyth one.
pub fn switchboard(feed: Pubkey) -> SourceConfig {
    SourceConfig {
        kind: PriceSourceKind::SwitchboardOnDemand,
        queue: QUEUE.to_bytes(),
        hash: HASH,
        ..config::pyth(feed.to_bytes())
    }
}

impl Sources {
    /// The one source that the asset has after genesis, as it is bound.
    pub fn of_genesis(asset: u8) -> Sources {
        Sources {
            asset,
            feeds: Default::default(),
        }
    }

    /// Binds `count` of the sources to the asset: prices may be 0.5 % from their median, and the primary does not stand alone where there are
    /// others.
    ///
    /// # Panics
    /// When the authority may not.
    pub fn bind(world: &mut World, asset: u8, count: usize, change: impl FnOnce(&mut FeedConfig)) -> Sources {
        let feeds = [world.vm.keypair().pubkey(), world.vm.keypair().pubkey()];
        let mut feed = config::feed(world.feed_id(asset));
        feed.sources = vec![config::pyth(world.feed_id(asset))];
        feed.sources.extend(feeds.map(switchboard));
        feed.sources.truncate(count);
        feed.limits.primary_alone = count == 1;
        change(&mut feed);
        let outcome = world.set_sources(asset, feed);
        ok(world, outcome);
        Sources { asset, feeds }
    }

    /// Posts a price in dollars to a source, the primary being number 0, as of now.
    pub fn post(&self, world: &mut World, source: usize, price: f64) {
        self.post_at(world, source, price, world.vm.now());
    }

    /// The same as of another time.
    pub fn post_at(&self, world: &mut World, source: usize, price: f64, time: i64) {
        let slot = world.vm.clock().slot;
        match source.checked_sub(1) {
            None => {
                let update = PriceMessage::new(world.feed_id(self.asset), price, time);
                world.post(self.asset, &update);
            }
            Some(feed) => {
                let value = (price * 1e9).round() as i64;
                world.post_value(self.feeds[feed], &ValueMessage::new(QUEUE, HASH, value, (time, slot)));
            }
        }
    }

    /// The account of a source.
    pub fn account(&self, world: &World, source: usize) -> Pubkey {
        match source.checked_sub(1) {
            None => world.price_account(self.asset),
            Some(feed) => self.feeds[feed],
        }
    }

    /// `refresh_prices` from some of the sources.
    pub fn refresh(&self, world: &mut World, sources: &[usize]) -> Outcome {
        let named: Vec<_> = sources.iter().map(|s| (self.asset, self.account(world, *s))).collect();
        let refresh = instruction::refresh_prices(&world.exchange, &named);
        world.vm.send(&[refresh], &[])
    }

    /// A second later posts these prices to the sources in their order, and refreshes from them.
    ///
    /// # Panics
    /// When that is refused.
    #[track_caller]
    pub fn set(&self, world: &mut World, prices: &[f64]) {
        world.vm.advance(1);
        for (source, price) in prices.iter().enumerate() {
            self.post(world, source, *price);
        }
        let all: Vec<usize> = (0..prices.len()).collect();
        let outcome = self.refresh(world, &all);
        ok(world, outcome);
    }

    /// The asset's index and what its sources said, as the board has them.
    pub fn board(&self, world: &World) -> (PriceFeed, PriceSources) {
        let board = world.board();
        let asset = &board.assets[usize::from(self.asset)];
        (asset.price, asset.sources)
    }
}
