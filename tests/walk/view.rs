//! Everything at one moment: accounts, what they are worth and require, totals and tokens.
use anchor_lang::prelude::Pubkey;
use ballast::margin::{credit, evaluate};
use ballast::state::{InsuranceFund, MarginAccount, Market, QuotePool, RiskBoard};
use ballast_risk::MarginReport;
use ballast_sim::world::World;

use crate::act::Actors;

/// A margin account and its margin.
pub struct Account {
    /// Its key.
    pub key: Pubkey,
    /// Its data.
    pub data: Box<MarginAccount>,
    /// Its margin at this moment.
    pub report: MarginReport,
    /// What its cash may be owed against, dollars (10⁻⁸).
    pub credit: i64,
}

/// One moment.
pub struct View {
    /// Unix seconds.
    pub now: i64,
    /// The board.
    pub board: Box<RiskBoard>,
    /// Every margin account.
    pub accounts: Vec<Account>,
    /// The insurance fund.
    pub fund: Box<InsuranceFund>,
    /// The quote pool.
    pub pool: Box<QuotePool>,
    /// The markets.
    pub markets: Vec<Market>,
    /// Quote, BTC and SOL tokens of each actor.
    pub tokens: Vec<[u64; 3]>,
}

impl View {
    /// The world as it is.
    pub fn of(world: &World, actors: &Actors) -> View {
        let (board, now) = (world.board(), world.vm.now());
        let account = |key: &Pubkey| {
            let data = world.margin_account(key);
            Account {
                key: *key,
                report: evaluate(&board, &data, now).expect("a margin"),
                credit: credit(&board, &data, now).expect("a credit").0,
                data,
            }
        };
        View {
            now,
            accounts: world.accounts.iter().map(account).collect(),
            fund: world.insurance_fund(),
            pool: world.quote_pool(),
            markets: (0..world.markets.len()).map(|i| *world.market(i)).collect(),
            tokens: actors
                .users
                .iter()
                .map(|u| [u.usd, u.btc, u.sol].map(|key| world.tokens(&key)))
                .collect(),
            board,
        }
    }

    /// An account by its key.
    pub fn account(&self, key: &Pubkey) -> &Account {
        self.accounts.iter().find(|a| a.key == *key).expect("an open account")
    }

    /// Whether all that a refused instruction could have changed is the same.
    pub fn same(&self, other: &View) -> bool {
        let bytes = |a: &Account, b: &Account| bytemuck::bytes_of(&*a.data) == bytemuck::bytes_of(&*b.data);
        self.tokens == other.tokens
            && self.accounts.len() == other.accounts.len()
            && self.accounts.iter().zip(&other.accounts).all(|(a, b)| bytes(a, b))
            && bytemuck::bytes_of(&*self.board) == bytemuck::bytes_of(&*other.board)
            && bytemuck::bytes_of(&*self.fund) == bytemuck::bytes_of(&*other.fund)
            && bytemuck::bytes_of(&*self.pool) == bytemuck::bytes_of(&*other.pool)
            && self
                .markets
                .iter()
                .zip(&other.markets)
                .all(|(a, b)| bytemuck::bytes_of(a) == bytemuck::bytes_of(b))
    }
}

impl Account {
    /// Cash, reserve and the quotes of all positions: what settling may only shift.
    pub fn claim(&self) -> i64 {
        let quotes: i64 = self.data.positions().iter().map(|p| p.quote).sum();
        self.data.cash + self.data.reserve + quotes
    }

    /// (instrument, lots) of every open position.
    pub fn lots(&self) -> Vec<(u16, i64)> {
        let open = self.data.positions().iter().filter(|p| p.lots != 0);
        open.map(|p| (p.instrument, p.lots)).collect()
    }

    /// The lots in one instrument.
    pub fn lots_in(&self, instrument: usize) -> i64 {
        self.data.position(instrument as u16).map_or(0, |p| p.lots)
    }

    /// The quote in one instrument.
    pub fn quote_in(&self, instrument: u16) -> i64 {
        self.data.position(instrument).map_or(0, |p| p.quote)
    }
}
