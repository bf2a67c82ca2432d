//! What the actors see when they choose: the board, the accounts and what these are worth and require.
use anchor_lang::prelude::Pubkey;
use ballast::margin::evaluate;
use ballast::state::{MarginAccount, RiskBoard};
use ballast_risk::MarginReport;
use ballast_sim::world::World;

/// A margin account and its margin.
pub struct Account {
    /// Its key.
    pub key: Pubkey,
    /// Its data.
    pub data: Box<MarginAccount>,
    /// Its margin at this moment.
    pub report: MarginReport,
}

/// One moment.
pub struct View {
    /// Unix seconds.
    pub now: i64,
    /// The board.
    pub board: Box<RiskBoard>,
    /// Every margin account.
    pub accounts: Vec<Account>,
    /// Instruments listed.
    pub instruments: usize,
}

impl View {
    /// The world as it is.
    pub fn of(world: &World) -> View {
        let (board, now) = (world.board(), world.vm.now());
        let account = |key: &Pubkey| {
            let data = world.margin_account(key);
            Account {
                key: *key,
                report: evaluate(&board, &data, now).expect("a margin"),
                data,
            }
        };
        View {
            now,
            accounts: world.accounts.iter().map(account).collect(),
            instruments: world.markets.len(),
            board,
        }
    }

    /// An account by its key.
    pub fn account(&self, key: &Pubkey) -> &Account {
        self.accounts.iter().find(|a| a.key == *key).expect("an open account")
    }
}

impl Account {
    /// (instrument, lots) of every open position.
    pub fn lots(&self) -> Vec<(u16, i64)> {
        let open = self.data.positions().iter().filter(|p| p.lots != 0);
        open.map(|p| (p.instrument, p.lots)).collect()
    }

    /// The lots in one instrument.
    pub fn lots_in(&self, instrument: usize) -> i64 {
        self.data.position(instrument as u16).map_or(0, |p| p.lots)
    }
}
