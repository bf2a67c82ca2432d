//! The exchange at one moment, read from the chain alone: every margin account and every token account that there is, so that no caller
//! can leave one out.
use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::state::Account as TokenAccount;
use ballast::state::{
    Collateral, Exchange, InstrumentKind, InsuranceFund, MarginAccount, Market, OwnerRecord, QuotePool, RiskBoard,
};
use ballast_book::Side;
use ballast_client::account::decode;
use ballast_risk::settlement_window::SettlementAverage;
use solana_account::ReadableAccount;
use solana_program_pack::Pack;

use super::orders::Resting;
use crate::world::{token_amount, World, TOKEN_PROGRAM};

/// Kinds of options as the board has them.
const CALL: u8 = InstrumentKind::Call as u8;
const PUT: u8 = InstrumentKind::Put as u8;
/// Oldest surface on which an option is opened or taken over, seconds.
const SURFACE_AGE: i64 = 900;

/// One moment of an exchange.
#[derive(Clone)]
pub struct Picture {
    /// Unix seconds.
    pub now: i64,
    /// The slot.
    pub slot: u64,
    /// The exchange.
    pub exchange: Box<Exchange>,
    /// The board.
    pub board: Box<RiskBoard>,
    /// The quote pool.
    pub pool: Box<QuotePool>,
    /// The insurance fund.
    pub fund: Box<InsuranceFund>,
    /// The markets by instrument; an empty one where there is none.
    pub markets: Vec<Market>,
    /// What rests in the book of each market, best first; nothing where there is none.
    pub books: Vec<Vec<Resting>>,
    /// The owners' records of the exchange.
    pub owners: BTreeMap<Pubkey, Box<OwnerRecord>>,
    /// The collaterals and what their vaults hold, native units; the quote asset first.
    pub collaterals: Vec<(Collateral, u64)>,
    /// Every margin account of the exchange.
    pub accounts: BTreeMap<Pubkey, Box<MarginAccount>>,
    /// What wallets hold outside of the vaults, native units, by wallet and mint.
    pub wallets: BTreeMap<(Pubkey, Pubkey), u64>,
}

impl Picture {
    /// The exchange as it is.
    ///
    /// # Panics
    /// Before genesis.
    pub fn of(world: &World) -> Picture {
        let clock = world.vm.clock();
        let exchange = world.exchange_account();
        let markets = exchange.markets[..usize::from(exchange.instrument_count)].iter();
        let markets_of = markets.clone();
        let mut picture = Picture {
            now: clock.unix_timestamp,
            slot: clock.slot,
            board: world.board(),
            pool: world.quote_pool(),
            fund: world.insurance_fund(),
            markets: markets.map(|key| market(world, key)).collect(),
            books: markets_of.map(|key| book(world, key)).collect(),
            owners: BTreeMap::new(),
            collaterals: Vec::new(),
            accounts: BTreeMap::new(),
            wallets: BTreeMap::new(),
            exchange,
        };
        let mut tokens = Vec::new();
        for (key, account) in &world.vm.svm.accounts_db().inner {
            if *account.owner() == ballast::ID {
                picture.add(world, key, account.data());
            } else if *account.owner() == TOKEN_PROGRAM && account.data().len() == TokenAccount::LEN {
                tokens.push((key, account.data()));
            }
        }
        picture.collaterals.sort_unstable_by_key(|(listed, _)| listed.index);
        for (key, data) in tokens {
            picture.add_tokens(key, data);
        }
        picture
    }

    /// Adds an account of the program if it is one of this exchange's collaterals or margin accounts.
    fn add(&mut self, world: &World, key: &Pubkey, data: &[u8]) {
        if let Ok(listed) = decode::<Collateral>(data) {
            if listed.exchange == world.exchange.key {
                let held = token_amount(&world.vm.data(&listed.vault));
                self.collaterals.push((*listed, held));
            }
        } else if let Ok(account) = decode::<MarginAccount>(data) {
            if account.exchange == world.exchange.key {
                self.accounts.insert(*key, account);
            }
        } else if let Ok(owner) = decode::<OwnerRecord>(data) {
            if owner.exchange == world.exchange.key {
                self.owners.insert(*key, owner);
            }
        }
    }

    fn add_tokens(&mut self, key: &Pubkey, data: &[u8]) {
        let is_vault = self.collaterals.iter().any(|(listed, _)| listed.vault == *key);
        if let (false, Ok(account)) = (is_vault, TokenAccount::unpack(data)) {
            *self.wallets.entry((account.owner, account.mint)).or_default() += account.amount;
        }
    }

    /// A collateral by its mint, and what its vault holds.
    pub fn collateral(&self, mint: &Pubkey) -> Option<&(Collateral, u64)> {
        self.collaterals.iter().find(|(listed, _)| listed.mint == *mint)
    }

    /// The price of the quote asset where something is owed: at least a dollar, 10⁻⁹ USD.
    pub fn dear(&self) -> i128 {
        i128::from(self.board.quote.index.max(1_000_000_000))
    }

    /// Whether new risk may rest on the quote asset: fresh, tight and at 0.98 or more.
    pub fn trusts_quote(&self) -> bool {
        let quote = &self.board.quote;
        let tight = quote.width <= i64::from(quote.tight_ppm) * 1_000;
        tight && quote.index >= 980_000_000 && self.now - quote.publish_time <= i64::from(quote.max_age_seconds)
    }

    /// What a unit of an instrument pays for good, 10⁻⁹ USD, once its settlement price stands.
    pub fn settled(&self, instrument: usize) -> Option<i64> {
        let listed = &self.board.instruments[instrument];
        let end = listed.expiry.max(listed.ends_at);
        if end == 0 || self.now < end {
            return None;
        }
        let asset = &self.board.assets[usize::from(listed.asset)];
        let record = &asset.expiries[usize::from(listed.expiry_slot)].settlement;
        let average = SettlementAverage {
            sum: record.sum,
            print: record.print,
            price: record.price,
            bucket: record.bucket,
            filled: record.filled,
        };
        let price = average.at(end, self.now).settled()?.0;
        Some(match listed.kind {
            CALL => (price - listed.strike).max(0),
            PUT => (listed.strike - price).max(0),
            _ => price,
        })
    }

    /// Whether an instrument's price is fresh, and an option's surface. A settlement price is.
    pub fn is_fresh(&self, instrument: usize) -> bool {
        if self.settled(instrument).is_some() {
            return true;
        }
        let listed = &self.board.instruments[instrument];
        let asset = &self.board.assets[usize::from(listed.asset)];
        let price = &asset.price;
        let priced = price.index > 0 && self.now - price.publish_time <= i64::from(price.max_age_seconds);
        let expiry = &asset.expiries[usize::from(listed.expiry_slot)];
        let (published, last) = (expiry.surface_time, self.now.min(expiry.time)); // nobody publishes after the expiry
        priced && (!listed.is_option() || (published > 0 && last - published <= SURFACE_AGE))
    }

    /// What of a later picture is not as it is here, the clock apart.
    pub fn difference(&self, later: &Picture) -> Option<&'static str> {
        let parts = [
            (
                "the exchange",
                bytemuck::bytes_of(&*self.exchange) == bytemuck::bytes_of(&*later.exchange),
            ),
            (
                "the board",
                bytemuck::bytes_of(&*self.board) == bytemuck::bytes_of(&*later.board),
            ),
            ("the money", self.has_same_money(later)),
            ("the books", self.books == later.books),
            ("the accounts", self.accounts.len() == later.accounts.len()),
            (
                "an account",
                self.accounts.iter().all(|(key, account)| later.holds(key, account)),
            ),
        ];
        parts.iter().find(|(_, is_same)| !is_same).map(|(what, _)| *what)
    }

    /// Whether the account is here, byte for byte.
    pub fn holds(&self, key: &Pubkey, account: &MarginAccount) -> bool {
        let here = self.accounts.get(key);
        here.is_some_and(|a| bytemuck::bytes_of(&**a) == bytemuck::bytes_of(account))
    }

    /// Whether pool, fund, markets, collaterals with their vaults and wallets are the same.
    pub fn has_same_money(&self, later: &Picture) -> bool {
        let vaults = self.collaterals.iter().zip(&later.collaterals);
        let mut markets = self.markets.iter().zip(&later.markets);
        bytemuck::bytes_of(&*self.pool) == bytemuck::bytes_of(&*later.pool)
            && bytemuck::bytes_of(&*self.fund) == bytemuck::bytes_of(&*later.fund)
            && self.markets.len() == later.markets.len()
            && markets.all(|(a, b)| bytemuck::bytes_of(a) == bytemuck::bytes_of(b))
            && self.collaterals.len() == later.collaterals.len()
            && vaults
                .into_iter()
                .all(|((a, held), (b, holds))| held == holds && bytemuck::bytes_of(a) == bytemuck::bytes_of(b))
            && self.wallets == later.wallets
    }
}

/// A market; an empty one where there is none, with which nobody's position would agree.
fn market(world: &World, key: &Pubkey) -> Market {
    decode(&world.vm.data(key)).map_or_else(|_| bytemuck::Zeroable::zeroed(), |market| *market)
}

/// What rests in a market's book.
///
/// # Panics
/// When the book is damaged.
fn book(world: &World, key: &Pubkey) -> Vec<Resting> {
    let data = world.vm.data(key);
    let Ok(book) = ballast_client::order::book(&data) else {
        return Vec::new();
    };
    book.check().expect("a sound book");
    let side = |side| book.orders(side).map(move |(handle, order)| (side, handle, *order));
    let all = side(Side::Bid).chain(side(Side::Ask));
    all.map(|(side, handle, order)| Resting {
        side,
        handle: handle.0,
        order,
    })
    .collect()
}
