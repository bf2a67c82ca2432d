//! Accounts that are always a little above their maintenance margin, so that a wrong price would show at once.
use ballast::state::MarginAccount;
use ballast_sim::world::{User, World, BTC, ETH, SOL};
use ballast_tests::setup::*;

use crate::truth::{surplus, Truth};

/// An asset's perpetual or, at 1, its future.
type Leg = (u8, usize, f64);

/// Names, legs in thousands of dollars, and the BTC that is held besides, in thousands of dollars.
const PLANS: [(&str, &[Leg], f64); 9] = [
    ("long BTC", &[(BTC, 0, 100.0)], 0.0),
    ("short BTC", &[(BTC, 0, -100.0)], 0.0),
    ("long BTC on BTC", &[(BTC, 0, 100.0)], 5.0),
    ("BTC basis", &[(BTC, 0, 100.0), (BTC, 1, -100.0)], 0.0),
    ("long ETH", &[(ETH, 0, 100.0)], 0.0),
    ("short ETH", &[(ETH, 1, -100.0)], 0.0),
    ("long ETH, short BTC", &[(ETH, 0, 100.0), (BTC, 0, -100.0)], 0.0),
    ("long SOL", &[(SOL, 0, 50.0)], 0.0),
    ("short SOL", &[(SOL, 0, -50.0)], 0.0),
];
/// How far above its maintenance margin an account is put, parts of its gross notional.
const ABOVE: f64 = 0.012;
/// What an account has while it trades back to its size, quote units.
const PLENTY: i64 = 1_000_000 * USD as i64;

/// One of the accounts.
pub struct Sentinel {
    /// What it is.
    pub name: &'static str,
    /// Its wallet.
    pub user: User,
    legs: &'static [Leg],
}

impl Sentinel {
    /// Opens them all.
    pub fn all(world: &mut World) -> Vec<Sentinel> {
        let btc = world.board().assets[0].price.index as f64 / 1e9;
        let open = |(name, legs, collateral): &(&'static str, &'static [Leg], f64)| {
            let user = trader(world, 1_000_000);
            if *collateral > 0.0 {
                let token = world.btc;
                deposit(world, &user, &token, (collateral * 1e11 / btc) as u64);
            }
            Sentinel { name, user, legs }
        };
        PLANS.iter().map(open).collect()
    }

    /// Trades back to its size where liquidations or prices have taken it from it, and puts its cash so that it is just above its
    /// maintenance margin at true prices. Cash moves by hand here: what is asked is what prices do to an account in this place.
    pub fn put_back(&self, world: &mut World, truth: &Truth, maker: &User) {
        let key = self.user.account.margin_account;
        for (asset, kind, thousands) in self.legs {
            let instrument = 2 * usize::from(*asset) + kind;
            let board = world.board();
            let listed = board.instruments[instrument];
            let mark = board.mark(&listed, world.vm.now()).expect("a mark").0;
            let price = mark / listed.tick_size * listed.tick_size;
            let lots = (thousands * 1e21 / (listed.lot_size as f64 * price as f64)) as i64;
            let account = world.margin_account(&key);
            let position = account
                .positions()
                .iter()
                .find(|p| usize::from(p.instrument) == instrument);
            let missing = lots - position.map_or(0, |p| p.lots);
            if missing.abs() * 5 > lots.abs() {
                edit::<MarginAccount>(world, &key, |account| account.cash = PLENTY);
                let done = world.trade_at(instrument, &self.user, maker, missing, price);
                done.unwrap_or_else(|e| panic!("{}: {:?} {}", self.name, e.error, e.logs.join("\n")));
            }
        }
        let (board, now) = (truth.board(&world.board()), world.vm.now());
        let account = world.margin_account(&key);
        let (surplus, report) = surplus(&board, &account, now);
        let target = (report.gross.0 as f64 * ABOVE) as i64;
        let cash = account.cash - (surplus - target) / 100;
        edit::<MarginAccount>(world, &key, |account| account.cash = cash.max(0));
    }
}
