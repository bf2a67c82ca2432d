//! A world to act in: an exchange after genesis, wallets with tokens and margin accounts, and Pyth price accounts.
mod action;
mod expiry;
mod listing;
mod order;
mod quote;
mod read;
mod token;
mod value_feed;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::instructions::ListAssetArgs;
use ballast::oracle::FeedConfig;
use ballast::state::QUOTE_ASSET;
use ballast_client::address::Exchange;
use ballast_client::instruction::{self, AccountKeys};
use ballast_migrations::config::{self, feeds};
use ballast_migrations::genesis::{self, Founder};
use ballast_migrations::Chain;
use ballast_oracle::pyth_pull::{self, PythPull};
use ballast_oracle::Adapter;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::invariants::Watch;
use crate::vm::{Receipt, Refused, Vm};

pub use order::{at_once, limit, post_only};
pub use quote::sign;
pub use read::Totals;
pub use token::{mint_account, token_account, token_amount, TOKEN_PROGRAM};
pub use value_feed::ValueMessage;

/// The time at which a world starts: 15 January 2027, 08:00 UTC, as in the examples of the methodology.
pub const START: i64 = 1_800_000_000;

/// The assets of genesis by their index on the board.
pub const BTC: u8 = 0;
/// The programs whose accounts are Pyth's pull updates.
pub const RECEIVERS: [Pubkey; 2] = [
    Pubkey::new_from_array(PythPull::PROGRAMS[0]),
    Pubkey::new_from_array(PythPull::PROGRAMS[1]),
];
/// ETH.
pub const ETH: u8 = 1;
/// SOL.
pub const SOL: u8 = 2;

/// What a transaction gave.
pub type Outcome = Result<Receipt, Box<Refused>>;

/// A mint and its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The mint.
    pub mint: Pubkey,
    /// Its decimals.
    pub decimals: u8,
}

/// A wallet with one margin account and a token account for each mint.
pub struct User {
    /// Signs.
    pub key: Keypair,
    /// Its margin account number 0 and its record.
    pub account: AccountKeys,
    /// Quote token account.
    pub usd: Pubkey,
    /// BTC token account.
    pub btc: Pubkey,
    /// SOL token account.
    pub sol: Pubkey,
}

/// The feed of an asset and the account that its prices are posted to.
struct Feed {
    asset: u8,
    id: [u8; 32],
    account: Pubkey,
}

/// The world.
pub struct World {
    /// The VM.
    pub vm: Vm,
    /// The exchange.
    pub exchange: Exchange,
    /// Its authority.
    pub authority: Keypair,
    /// The quote asset.
    pub usd: Token,
    /// The BTC token.
    pub btc: Token,
    /// Wrapped SOL.
    pub sol: Token,
    /// Markets by instrument: perpetual and future of BTC, ETH and SOL.
    pub markets: Vec<Pubkey>,
    /// The instrument listed last through the world.
    pub last_listed: usize,
    /// Every margin account opened through the world.
    pub accounts: Vec<Pubkey>,
    /// Checks every invariant after every action, where there is one.
    pub watch: Option<Watch>,
    feeds: Vec<Feed>,
}

impl Chain for Vm {
    type Error = Box<Refused>;

    fn account_data(&self, key: &Pubkey) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.svm.get_account(key).map(|a| a.data).filter(|d| !d.is_empty()))
    }

    fn rent(&self, len: usize) -> Result<u64, Self::Error> {
        Ok(self.svm.minimum_balance_for_rent_exemption(len))
    }

    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), Self::Error> {
        Vm::send(self, instructions, signers).map(|_| ())
    }
}

impl World {
    /// Runs genesis in a new VM and posts the first prices: quote 1, BTC 100,000, ETH 3,000, SOL 150.
    ///
    /// # Panics
    /// When genesis is refused: the program or its configuration is broken.
    pub fn new(elf: &[u8]) -> World {
        World::starting_at(elf, START, [100_000.0, 3_000.0, 150.0])
    }

    /// As [`World::new`] at unix time `now` with other first prices of BTC, ETH and SOL, in dollars.
    ///
    /// Its prices may jump, and its margin parameters are those of the table whatever they do: so that a figure is computed by hand from one
    /// price and one table. [`World::live`] is the exchange as genesis has it.
    ///
    /// # Panics
    /// When genesis is refused.
    pub fn starting_at(elf: &[u8], now: i64, prices: [f64; 3]) -> World {
        World::with(elf, now, prices, true)
    }

    /// The exchange as genesis has it, at unix time `now`.
    ///
    /// # Panics
    /// When genesis is refused.
    pub fn live(elf: &[u8], now: i64, prices: [f64; 3]) -> World {
        World::with(elf, now, prices, false)
    }

    fn with(elf: &[u8], now: i64, prices: [f64; 3], still: bool) -> World {
        let mut vm = Vm::new(elf, now);
        let (authority, board) = (vm.keypair(), vm.keypair());
        vm.airdrop(&authority.pubkey());
        let [usd, btc, sol] = [6, 8, 9].map(|decimals| {
            let mint = vm.keypair().pubkey();
            vm.put(mint, TOKEN_PROGRAM, mint_account(decimals));
            Token { mint, decimals }
        });
        let founder = Founder {
            authority: &authority,
            board: &board,
            id: 1,
            quote_mint: usd.mint,
        };
        let exchange = genesis::create_exchange(&mut vm, &founder).expect("genesis creates the exchange");
        let mut markets = Vec::new();
        let mints = [Some(&btc.mint), None, Some(&sol.mint)];
        for (mut config, mint) in config::assets(now).into_iter().zip(mints) {
            if still {
                settle_down(&mut config.asset);
            }
            let keys = [vm.keypair(), vm.keypair()];
            let (_, listed) =
                genesis::list(&mut vm, &exchange, &authority, &config, mint, &keys).expect("genesis lists the asset");
            markets.extend(listed);
        }
        let feeds = [
            (QUOTE_ASSET, feeds::USDC),
            (BTC, feeds::BTC),
            (ETH, feeds::ETH),
            (SOL, feeds::SOL),
        ]
        .map(|(asset, id)| Feed {
            asset,
            id,
            account: vm.keypair().pubkey(),
        });
        let mut world = World {
            vm,
            exchange,
            authority,
            usd,
            btc,
            sol,
            last_listed: markets.len() - 1,
            markets,
            accounts: Vec::new(),
            watch: None,
            feeds: feeds.into(),
        };
        if still {
            let quote = may_jump(config::feed(feeds::USDC));
            world
                .set_sources(QUOTE_ASSET, quote)
                .expect("the authority may bind a source");
        }
        let [btc, eth, sol] = prices;
        world.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, btc), (ETH, eth), (SOL, sol)]);
        world
    }

    /// A wallet with lamports, empty token accounts and margin account number 0.
    ///
    /// # Panics
    /// When the account can't be opened.
    pub fn user(&mut self) -> User {
        let key = self.vm.keypair();
        let wallet = key.pubkey();
        self.vm.airdrop(&wallet);
        let [usd, btc, sol] = [self.usd, self.btc, self.sol].map(|token| {
            let account = self.vm.keypair().pubkey();
            self.vm
                .put(account, TOKEN_PROGRAM, token_account(&token.mint, &wallet, 0));
            account
        });
        let account = AccountKeys::new(&self.exchange, &wallet, 0);
        let user = User {
            key,
            account,
            usd,
            btc,
            sol,
        };
        self.open(&user, 0).expect("a wallet can open an account");
        user
    }

    /// `set_price_sources` by the authority.
    pub fn set_sources(&mut self, asset: u8, feed: FeedConfig) -> Outcome {
        let authority = self.authority.insecure_clone();
        let bind = instruction::set_price_sources(&self.exchange, &authority.pubkey(), asset, feed);
        self.vm.send(&[bind], &[&authority])
    }

    /// Posts prices now, in dollars, and refreshes the board with them.
    ///
    /// # Panics
    /// When the board refuses them.
    pub fn set_prices(&mut self, prices: &[(u8, f64)]) {
        self.vm.advance(1);
        for (asset, price) in prices {
            self.post_price(*asset, *price);
        }
        let assets: Vec<u8> = prices.iter().map(|(asset, _)| *asset).collect();
        self.refresh(&assets).expect("the board takes a good price");
    }

    /// Posts a price for an asset as of now without refreshing the board.
    pub fn post_price(&mut self, asset: u8, price: f64) {
        let update = PriceMessage::new(self.feed_id(asset), price, self.vm.now());
        self.post(asset, &update);
    }

    /// Puts an update into the asset's price account.
    pub fn post(&mut self, asset: u8, update: &PriceMessage) {
        let account = self.price_account(asset);
        let data = update.account_data(self.vm.clock().slot);
        self.vm.put(account, RECEIVERS[0], data);
    }

    /// The asset's price account.
    pub fn price_account(&self, asset: u8) -> Pubkey {
        self.feed(asset).account
    }

    /// The asset's feed id.
    pub fn feed_id(&self, asset: u8) -> [u8; 32] {
        self.feed(asset).id
    }

    fn feed(&self, asset: u8) -> &Feed {
        self.feeds
            .iter()
            .find(|f| f.asset == asset)
            .expect("a feed for the asset")
    }
}

/// A feed whose prices may move as they like.
pub fn may_jump(mut feed: FeedConfig) -> FeedConfig {
    for source in &mut feed.sources {
        source.max_step_ppm = 10_000_000;
    }
    feed.limits.max_slow_deviation_ppm = 10_000_000;
    feed
}

/// Lets the asset's price jump, and its margin parameters stand as they are whatever it does.
pub fn settle_down(asset: &mut ListAssetArgs) {
    asset.feed = may_jump(asset.feed.clone());
    asset.scale.scan_range_cap_ppm = 1_000_000;
}

/// What a Pyth price account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceMessage {
    /// The feed.
    pub feed_id: [u8; 32],
    /// Mantissa.
    pub price: i64,
    /// Confidence.
    pub confidence: u64,
    /// Exponent.
    pub exponent: i32,
    /// Unix seconds.
    pub publish_time: i64,
    /// Fully verified, or by so many signatures.
    pub verification: Verification,
}

/// How far an update was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// By all guardians that are needed.
    Full,
    /// By this many.
    Partial(u8),
}

impl PriceMessage {
    /// A good update: exponent −8, exact, fully verified.
    pub fn new(feed_id: [u8; 32], price: f64, publish_time: i64) -> PriceMessage {
        let mantissa = (price * 1e8).round() as i64;
        PriceMessage {
            feed_id,
            price: mantissa,
            confidence: 0,
            exponent: -8,
            publish_time,
            verification: Verification::Full,
        }
    }

    /// The bytes of a `PriceUpdateV2` account that is posted in `slot`.
    pub fn account_data(&self, slot: u64) -> Vec<u8> {
        let mut data = pyth_pull::DISCRIMINATOR.to_vec();
        data.extend([0; 32]); // write authority
        match self.verification {
            Verification::Full => data.push(1),
            Verification::Partial(signatures) => data.extend([0, signatures]),
        }
        data.extend(self.feed_id);
        data.extend(self.price.to_le_bytes());
        data.extend(self.confidence.to_le_bytes());
        data.extend(self.exponent.to_le_bytes());
        data.extend(self.publish_time.to_le_bytes());
        data.extend(self.publish_time.saturating_sub(1).to_le_bytes());
        data.extend(self.price.to_le_bytes()); // exponential mean
        data.extend(self.confidence.to_le_bytes());
        data.extend(slot.to_le_bytes());
        data.resize(pyth_pull::LEN, 0);
        data
    }
}
