//! An exchange in the bank: genesis, real SPL mints, wallets with margin accounts, Pyth price accounts.
use anchor_lang::prelude::Pubkey;
use anchor_lang::AnchorDeserialize;
use anchor_spl::token::{self, spl_token, TokenAccount};
use ballast::instructions::{PreviewReport, PreviewSection, Summary};
use ballast::state::{Collateral, InsuranceFund, MarginAccount, Market, QuotePool, RiskBoard, QUOTE_ASSET};
use ballast_client::address::Exchange;
use ballast_client::instruction::{self, AccountKeys};
use ballast_migrations::config::{self, feeds};
use ballast_migrations::genesis::{self, Founder};
use ballast_oracle::pyth_pull::{self, PythPull};
use ballast_oracle::Adapter;
use solana_clock::Clock;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::bank::{Bank, Outcome};

/// Unix time at which a venue starts.
pub const START: i64 = 1_800_000_000;
/// Quote units in a dollar.
pub const USD: u64 = 1_000_000;
/// Dollars as reports have them.
pub const DOLLAR: i64 = 100_000_000;
/// Prices as the board has them, in a dollar.
pub const PRICE: i64 = 1_000_000_000;
/// Lamports of a new wallet.
const FUNDS: u64 = 10_000_000_000;
/// Bytes of a mint and of a token account.
const MINT: usize = 82;
const TOKEN_ACCOUNT: usize = 165;

/// A wallet with a margin account and token accounts.
pub struct User {
    /// Signs.
    pub key: Keypair,
    /// Its margin account number 0 and its record.
    pub account: AccountKeys,
    /// Quote tokens.
    pub usd: Pubkey,
    /// BTC tokens.
    pub btc: Pubkey,
}

/// The exchange.
pub struct Venue {
    /// The bank.
    pub bank: Bank,
    /// Its addresses.
    pub exchange: Exchange,
    /// Markets by instrument: perpetual and future of BTC, ETH and SOL.
    pub markets: Vec<Pubkey>,
    /// The BTC token.
    pub btc_mint: Pubkey,
    authority: Keypair,
    board: Keypair,
    market_keys: Vec<[Keypair; 2]>,
    mints: [Pubkey; 3],
    feeds: Vec<(u8, [u8; 32], Pubkey)>,
    /// Every margin account.
    accounts: Vec<Pubkey>,
}

impl Venue {
    /// Runs genesis and posts the first prices: quote 1, BTC 100,000, ETH 3,000, SOL 150.
    pub fn new(mut bank: Bank) -> Venue {
        let [authority, board] = [bank.keypair(), bank.keypair()];
        pay(&mut bank, &authority.pubkey(), FUNDS);
        let mints = [6, 8, 9].map(|decimals| create_mint(&mut bank, &authority, decimals));
        let market_keys = (0..3).map(|_| [bank.keypair(), bank.keypair()]).collect();
        let feeds = [
            (QUOTE_ASSET, feeds::USDC),
            (0, feeds::BTC),
            (1, feeds::ETH),
            (2, feeds::SOL),
        ]
        .map(|(asset, id)| (asset, id, bank.keypair().pubkey()));
        let mut venue = Venue {
            exchange: Exchange::new(1, board.pubkey(), mints[0]),
            bank,
            markets: Vec::new(),
            btc_mint: mints[1],
            authority,
            board,
            market_keys,
            mints,
            feeds: feeds.into(),
            accounts: Vec::new(),
        };
        venue.genesis();
        venue.set_prices(&[(QUOTE_ASSET, 1), (0, 100_000), (1, 3_000), (2, 150)]);
        venue
    }

    /// Creates and lists what is not there yet.
    pub fn genesis(&mut self) {
        let founder = Founder {
            authority: &self.authority,
            board: &self.board,
            id: 1,
            quote_mint: self.mints[0],
        };
        let exchange = genesis::create_exchange(&mut self.bank, &founder).expect("genesis creates the exchange");
        assert_eq!(exchange, self.exchange);
        let collateral = [Some(&self.mints[1]), None, Some(&self.mints[2])];
        self.markets.clear();
        for ((mut config, mint), keys) in config::assets(START).into_iter().zip(collateral).zip(&self.market_keys) {
            // The story's prices jump, and its figures are those of one table.
            config.asset.feed.sources[0].max_step_ppm = 1_000_000;
            config.asset.scale.scan_range_cap_ppm = 1_000_000;
            let (_, listed) = genesis::list(&mut self.bank, &exchange, &self.authority, &config, mint, keys)
                .expect("genesis lists the asset");
            self.markets.extend(listed);
        }
    }

    /// A wallet with lamports, dollars and coins (native units), and an open margin account.
    pub fn user(&mut self, dollars: u64, btc: u64) -> User {
        let user = self.wallet(FUNDS, dollars, btc);
        self.open(&user).expect("a wallet opens an account");
        user
    }

    /// A wallet with token accounts and no margin account yet.
    pub fn wallet(&mut self, lamports: u64, dollars: u64, btc: u64) -> User {
        let key = self.bank.keypair();
        let wallet = key.pubkey();
        pay(&mut self.bank, &wallet, lamports);
        let [usd, btc] = [(self.mints[0], dollars * USD), (self.mints[1], btc)].map(|(mint, amount)| {
            let account = create_token_account(&mut self.bank, &mint, &wallet);
            self.mint_to(&mint, &account, amount);
            account
        });
        let account = AccountKeys::new(&self.exchange, &wallet, 0);
        User { key, account, usd, btc }
    }

    /// `open_margin_account`.
    pub fn open(&mut self, user: &User) -> Outcome {
        let open = instruction::open_margin_account(&self.exchange, &user.key.pubkey(), 0, vec![]);
        let receipt = self.bank.send(&[open], &[&user.key])?;
        self.accounts.push(user.account.margin_account);
        Ok(receipt)
    }

    /// `close_margin_account`.
    pub fn close(&mut self, user: &User) -> Outcome {
        let close = instruction::close_margin_account(&self.exchange, &user.key.pubkey(), 0);
        let receipt = self.bank.send(&[close], &[&user.key])?;
        self.accounts.retain(|key| *key != user.account.margin_account);
        Ok(receipt)
    }

    /// `deposit` of quote units.
    pub fn deposit(&mut self, user: &User, amount: u64) -> Outcome {
        let mint = self.exchange.quote_mint;
        let deposit = instruction::deposit(&self.exchange, &user.account, &mint, &user.usd, amount);
        self.bank.send(&[deposit], &[&user.key])
    }

    /// `deposit` of BTC tokens.
    pub fn deposit_btc(&mut self, user: &User, amount: u64) -> Outcome {
        let deposit = instruction::deposit(&self.exchange, &user.account, &self.btc_mint, &user.btc, amount);
        self.bank.send(&[deposit], &[&user.key])
    }

    /// `withdraw` of quote units, with the markets of the losers.
    pub fn withdraw(&mut self, user: &User, amount: u64, losers: &[usize]) -> Outcome {
        let mint = self.exchange.quote_mint;
        let losers: Vec<Pubkey> = losers.iter().map(|i| self.markets[*i]).collect();
        let withdraw = instruction::withdraw(&self.exchange, &user.account, &mint, &user.usd, amount, &losers);
        self.bank.send(&[withdraw], &[&user.key])
    }

    /// `block_trade` at a price in dollars.
    pub fn trade(&mut self, instrument: usize, taker: &User, maker: &User, lots: i64, price: i64) -> Outcome {
        let trade = self.trade_instruction(instrument, taker, maker, lots, price);
        self.bank.send(&[trade], &[&taker.key, &maker.key])
    }

    /// The instruction of [`Venue::trade`].
    pub fn trade_instruction(
        &self,
        instrument: usize,
        taker: &User,
        maker: &User,
        lots: i64,
        price: i64,
    ) -> anchor_lang::solana_program::instruction::Instruction {
        let market = &self.markets[instrument];
        instruction::block_trade(
            &self.exchange,
            market,
            &taker.account,
            &maker.account,
            lots,
            price * PRICE,
        )
    }

    /// `settle_pnl` of one position, sent by nobody in particular.
    pub fn settle(&mut self, user: &User, instrument: usize) -> Outcome {
        let market = self.markets[instrument];
        let settle = instruction::settle_pnl(&self.exchange, &user.account.margin_account, &[market]);
        self.bank.send(&[settle], &[])
    }

    /// `flag`.
    pub fn flag(&mut self, user: &User) -> Outcome {
        let flag = instruction::flag(&self.exchange, &user.account.margin_account);
        self.bank.send(&[flag], &[])
    }

    /// `unflag`.
    pub fn unflag(&mut self, user: &User) -> Outcome {
        let unflag = instruction::unflag(&self.exchange, &user.account.margin_account);
        self.bank.send(&[unflag], &[])
    }

    /// Mints dollars (quote units) to a user, who deposits them.
    pub fn top_up(&mut self, user: &User, amount: u64) -> Outcome {
        let mint = self.exchange.quote_mint;
        self.mint_to(&mint, &user.usd, amount);
        self.deposit(user, amount)
    }

    fn mint_to(&mut self, mint: &Pubkey, account: &Pubkey, amount: u64) {
        let mint_to = spl_token::instruction::mint_to(&token::ID, mint, account, &self.authority.pubkey(), &[], amount);
        self.bank
            .send(&[mint_to.expect("an instruction")], &[&self.authority])
            .expect("tokens are minted");
    }

    /// `liquidate`.
    pub fn liquidate(&mut self, instrument: usize, user: &User, keeper: &User, lots: u64) -> Outcome {
        let market = &self.markets[instrument];
        let liquidate = instruction::liquidate(&self.exchange, market, &user.account, &keeper.account, lots);
        self.bank.send(&[liquidate], &[&keeper.key])
    }

    /// `fund_insurance`.
    pub fn fund_insurance(&mut self, user: &User, amount: u64) -> Outcome {
        let fund = instruction::fund_insurance(&self.exchange, &user.key.pubkey(), &user.usd, amount);
        self.bank.send(&[fund], &[&user.key])
    }

    /// Posts exact prices in dollars as of now, and refreshes the board with them.
    pub fn set_prices(&mut self, prices: &[(u8, i64)]) {
        let clock = self.bank.clock();
        let mut accounts = Vec::new();
        for (asset, dollars) in prices {
            let (_, feed, account) = *self.feeds.iter().find(|f| f.0 == *asset).expect("a feed");
            let data = price_update(&feed, dollars * 100_000_000, &clock);
            self.bank
                .put(&account, Pubkey::new_from_array(PythPull::PROGRAMS[1]), data);
            accounts.push((*asset, account));
        }
        let refresh = instruction::refresh_prices(&self.exchange, &accounts);
        self.bank.send(&[refresh], &[]).expect("the board takes a good price");
    }

    /// One section of the preview, by simulation.
    pub fn preview(&mut self, user: &User, section: PreviewSection) -> PreviewReport {
        let preview = instruction::preview(&self.exchange, &user.account.margin_account, section);
        let data = self.bank.simulate(&[preview], &[]).expect("a preview");
        PreviewReport::deserialize(&mut data.as_slice()).expect("a report")
    }

    /// The summary of the preview.
    pub fn summary(&mut self, user: &User) -> Summary {
        match self.preview(user, PreviewSection::Summary) {
            PreviewReport::Summary(summary) => summary,
            other => panic!("another section: {other:?}"),
        }
    }

    /// A user's margin account.
    pub fn margin_account(&self, user: &User) -> Box<MarginAccount> {
        self.bank.read(&user.account.margin_account)
    }

    /// The board.
    pub fn board(&self) -> Box<RiskBoard> {
        self.bank.read(&self.exchange.board)
    }

    /// The insurance fund.
    pub fn insurance_fund(&self) -> Box<InsuranceFund> {
        self.bank.read(&self.exchange.insurance_fund())
    }

    /// What a token account holds, native units.
    pub fn tokens(&self, account: &Pubkey) -> u64 {
        let account = self.bank.account(account).expect("a token account");
        assert_eq!(account.owner, token::ID);
        let parsed = <TokenAccount as anchor_lang::AccountDeserialize>::try_deserialize(&mut account.data.as_slice());
        parsed.expect("a token account").amount
    }

    /// Every mint and every instrument adds up to the last unit.
    pub fn check_conservation(&self) {
        let accounts: Vec<Box<MarginAccount>> = self.accounts.iter().map(|key| self.bank.read(key)).collect();
        let mut claims: i128 = accounts
            .iter()
            .map(|a| i128::from(a.cash) + i128::from(a.reserve))
            .sum();
        for (instrument, key) in self.markets.iter().enumerate() {
            let market: Box<Market> = self.bank.read(key);
            let positions = || accounts.iter().filter_map(|a| a.position(instrument as u16));
            assert_eq!(positions().map(|p| p.lots).sum::<i64>(), 0, "lots of {instrument}");
            let long: i64 = positions().map(|p| p.lots.max(0)).sum();
            assert_eq!(market.open_interest, long, "open interest of {instrument}");
            let quotes: i64 = positions().map(|p| p.quote).sum(); // nothing rests in the books, so no funding
            let dues = market.fees_due + market.insurance_due + market.residual;
            assert_eq!(market.pool, quotes + dues, "pool of {instrument}");
            claims += i128::from(market.pool);
        }
        let pool: Box<QuotePool> = self.bank.read(&self.exchange.quote_pool());
        claims += i128::from(self.insurance_fund().balance) + i128::from(pool.collected_fees);
        let vault = self.tokens(&self.exchange.vault(&self.exchange.quote_mint));
        assert_eq!(i128::from(vault), claims, "quote vault");
        let collateral: Box<Collateral> = self.bank.read(&self.exchange.collateral(&self.btc_mint));
        let balances = accounts.iter().flat_map(|a| a.balances);
        let held: u64 = balances
            .filter(|b| b.collateral == collateral.index)
            .map(|b| b.amount)
            .sum();
        assert_eq!(self.tokens(&collateral.vault), held, "BTC vault");
        assert_eq!(collateral.total_deposits, held, "BTC deposits");
    }
}

fn pay(bank: &mut Bank, to: &Pubkey, lamports: u64) {
    let from = bank.payer.pubkey();
    let transfer = anchor_lang::solana_program::system_instruction::transfer(&from, to, lamports);
    bank.send(&[transfer], &[]).expect("the payer has lamports");
}

fn create(bank: &mut Bank, key: &Pubkey, len: usize) -> anchor_lang::solana_program::instruction::Instruction {
    let (from, lamports) = (bank.payer.pubkey(), bank.rent(len));
    anchor_lang::solana_program::system_instruction::create_account(&from, key, lamports, len as u64, &token::ID)
}

fn create_mint(bank: &mut Bank, authority: &Keypair, decimals: u8) -> Pubkey {
    let key = bank.keypair();
    let create = create(bank, &key.pubkey(), MINT);
    let mint = spl_token::instruction::initialize_mint2(&token::ID, &key.pubkey(), &authority.pubkey(), None, decimals);
    bank.send(&[create, mint.expect("an instruction")], &[&key])
        .expect("a mint is created");
    key.pubkey()
}

fn create_token_account(bank: &mut Bank, mint: &Pubkey, owner: &Pubkey) -> Pubkey {
    let key = bank.keypair();
    let create = create(bank, &key.pubkey(), TOKEN_ACCOUNT);
    let account = spl_token::instruction::initialize_account3(&token::ID, &key.pubkey(), mint, owner);
    bank.send(&[create, account.expect("an instruction")], &[&key])
        .expect("a token account is created");
    key.pubkey()
}

/// A fully verified `PriceUpdateV2` with exponent −8.
fn price_update(feed: &[u8; 32], price: i64, clock: &Clock) -> Vec<u8> {
    let (confidence, publish_time) = (0i64, clock.unix_timestamp);
    let mut data = pyth_pull::DISCRIMINATOR.to_vec();
    data.extend([0; 32]); // write authority
    data.push(1); // fully verified
    data.extend(feed);
    data.extend(price.to_le_bytes());
    data.extend(confidence.to_le_bytes());
    data.extend((-8i32).to_le_bytes());
    data.extend(publish_time.to_le_bytes());
    data.extend((publish_time - 1).to_le_bytes());
    data.extend(price.to_le_bytes()); // exponential mean
    data.extend(confidence.to_le_bytes());
    data.extend(clock.slot.to_le_bytes());
    data.resize(pyth_pull::LEN, 0);
    data
}
