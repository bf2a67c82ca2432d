//! Every check fails when what it forbids is forged: exchanges before and after a transaction that no program would leave behind.
//!
//! In the scene A is long and B short one BTC (10,000 lots at 100,000 dollars), each with its equity in cash; C has cash and one BTC of
//! collateral and trades nothing.
mod conservation;
mod fees;
mod liquidation;
mod orders;
mod risk;
mod waive;
mod withdrawable;

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast::state::{Balance, Collateral, InsuranceFund, MarginAccount, Market, QuotePool, QUOTE_ASSET};
use ballast_fixed::Dollars;
use ballast_migrations::config::{FEES, LIMITS};
use ballast_risk::MarginReport;

use super::{Action, Broken, Change, Invariant, Leg, Moment, Party, Picture};
use crate::keeper::tests::scene;

const A: Pubkey = Pubkey::new_from_array([1; 32]);
const B: Pubkey = Pubkey::new_from_array([2; 32]);
const C: Pubkey = Pubkey::new_from_array([3; 32]);
const USD: Pubkey = Pubkey::new_from_array([10; 32]);
const BTC: Pubkey = Pubkey::new_from_array([11; 32]);
/// Quote units in a dollar.
const UNIT: i64 = 1_000_000;
/// 10⁻⁹ USD in a dollar.
const PRICE: i64 = 1_000_000_000;
/// 10⁻⁸ dollars in a dollar.
const DOLLAR: i64 = 100_000_000;
const BTC_PERPETUAL: usize = 0;

/// What breaks, in the words of the check, and how it is forged.
type Forgery<T> = (&'static str, fn(&mut T));

/// The exchange before and after.
struct Forged {
    before: Picture,
    after: Picture,
}

/// The wallet of an account.
fn wallet(account: &Pubkey) -> Pubkey {
    Pubkey::new_from_array(account.to_bytes().map(|b| b + 100))
}

fn collateral(index: u8, asset: u8, decimals: u8, mint: Pubkey) -> Collateral {
    let mut listed: Collateral = bytemuck::Zeroable::zeroed();
    (listed.index, listed.asset, listed.decimals, listed.mint) = (index, asset, decimals, mint);
    listed
}

/// The scene, in which everything adds up.
fn picture() -> Picture {
    let scene = scene();
    let mut accounts = BTreeMap::new();
    let long = [(0, 10_000)];
    let short = [(0, -10_000)];
    for (key, equity, positions) in [(A, 20_000, &long[..]), (B, 50_000, &short[..]), (C, 30_000, &[])] {
        let mut account = scene.account(equity, positions);
        (account.wallet, account.owner) = (wallet(&key), wallet(&key));
        accounts.insert(key, account);
    }
    let btc = Balance {
        collateral: 1,
        decimals: 8,
        amount: 100_000_000,
        ..Balance::default()
    };
    accounts.get_mut(&C).unwrap().balances[0] = btc;
    let mut exchange = scene.exchange.clone();
    (exchange.fees, exchange.limits, exchange.quote_mint) = (FEES, LIMITS, USD);
    let mut pool: QuotePool = bytemuck::Zeroable::zeroed();
    pool.collected_fees = 7 * UNIT as u64;
    let mut fund: InsuranceFund = bytemuck::Zeroable::zeroed();
    fund.balance = 1_000 * UNIT as u64;
    let mut picture = Picture {
        now: scene.now,
        slot: scene.slot,
        exchange,
        board: scene.board.clone(),
        pool: Box::new(pool),
        fund: Box::new(fund),
        markets: vec![bytemuck::Zeroable::zeroed(); 3],
        books: vec![Vec::new(); 3],
        owners: BTreeMap::new(),
        collaterals: vec![(collateral(0, QUOTE_ASSET, 6, USD), 0), (collateral(1, 0, 8, BTC), 0)],
        accounts,
        wallets: BTreeMap::new(),
    };
    for key in [A, B, C] {
        picture.wallets.insert((wallet(&key), USD), 500 * UNIT as u64);
        picture.wallets.insert((wallet(&key), BTC), 500);
    }
    add_up(&mut picture);
    picture
}

/// Makes totals, pools' residuals and vaults follow from the accounts, so that a forged account breaks nothing but what it is forged for.
fn add_up(picture: &mut Picture) {
    let balances: Vec<i64> = picture.accounts.values().map(|a| a.cash + a.reserve).collect();
    picture.pool.supplied = balances.iter().map(|b| (*b).max(0).unsigned_abs()).sum();
    picture.pool.borrowed = balances.iter().map(|b| (*b).min(0).unsigned_abs()).sum();
    for (n, market) in picture.markets.iter_mut().enumerate() {
        let held = picture.accounts.values().flat_map(|a| a.positions());
        let held: Vec<_> = held.filter(|p| usize::from(p.instrument) == n).collect();
        market.open_interest = held.iter().map(|p| p.lots.max(0)).sum();
        market.positions = held.len() as u64;
        let claims = held.iter().map(|p| p.quote).sum::<i64>() + market.fees_due + market.insurance_due;
        market.pool = claims.max(0);
        market.residual = market.pool - claims;
    }
    let pools: i64 = picture.markets.iter().map(|market| market.pool).sum();
    let cash = balances.iter().sum::<i64>() + pools;
    picture.collaterals[0].1 = cash.unsigned_abs() + picture.fund.balance + picture.pool.collected_fees;
    let held = picture.accounts.values().flat_map(|a| &a.balances);
    let held: u64 = held.filter(|b| b.collateral == 1).map(|b| b.amount).sum();
    (picture.collaterals[1].0.total_deposits, picture.collaterals[1].1) = (held, held);
}

impl Forged {
    fn new() -> Forged {
        Forged {
            before: picture(),
            after: picture(),
        }
    }

    /// An account after.
    fn account(&mut self, key: Pubkey) -> &mut MarginAccount {
        self.after.accounts.get_mut(&key).unwrap()
    }

    /// An account before.
    fn earlier(&mut self, key: Pubkey) -> &mut MarginAccount {
        self.before.accounts.get_mut(&key).unwrap()
    }

    /// A market after.
    fn market(&mut self) -> &mut Market {
        &mut self.after.markets[BTC_PERPETUAL]
    }

    /// Changes a wallet's tokens after.
    fn pay(&mut self, key: Pubkey, mint: Pubkey, amount: i64) {
        let held = self.after.wallets.get_mut(&(wallet(&key), mint)).unwrap();
        *held = held.checked_add_signed(amount).unwrap();
    }

    /// Lets both accounts' positions in the BTC perpetual move by these lots and quotes.
    fn fill(&mut self, key: Pubkey, lots: i64, quote: i64) {
        let position = &mut self.account(key).positions[0];
        position.lots += lots;
        position.quote += quote;
    }

    fn change<'a>(&'a self, action: &'a Action) -> Change<'a> {
        Change {
            before: &self.before,
            after: &self.after,
            action,
        }
    }

    /// Everything is checked, after the totals have been made to add up.
    fn check(&mut self, action: &Action) -> Result<Vec<Invariant>, Broken> {
        add_up(&mut self.after);
        self.change(action).check()
    }

    /// An account with forged margins.
    fn party(&self, key: Pubkey, before: MarginReport, after: MarginReport) -> Party<'_> {
        fn moment<'a>(picture: &'a Picture, key: &Pubkey, report: MarginReport) -> Moment<'a> {
            Moment {
                picture,
                account: picture.accounts[key].clone(),
                withdrawable: report.equity_withdrawal.0.into(),
                report,
            }
        }
        Party {
            before: moment(&self.before, &key, before),
            after: moment(&self.after, &key, after),
        }
    }
}

/// A margin in dollars: E, the same in all its views, MM and IM.
fn margin(equity: i64, maintenance: i64, initial: i64) -> MarginReport {
    let equity = Dollars(equity * DOLLAR);
    MarginReport {
        equity_maintenance: equity,
        equity_liquidation: equity,
        equity_initial: equity,
        equity_withdrawal: equity,
        credit_initial: Dollars(1_000 * DOLLAR),
        maintenance: Dollars(maintenance * DOLLAR),
        initial: Dollars(initial * DOLLAR),
        ..MarginReport::default()
    }
}

/// Asserts that this invariant breaks, and in these words.
#[track_caller]
fn breaks<T: std::fmt::Debug>(verdict: Result<T, Broken>, invariant: Invariant, what: &str) {
    let broken = verdict.expect_err("the forgery should be found");
    assert_eq!(broken.invariant, invariant, "{broken}");
    assert!(broken.what.contains(what), "{broken}");
}

#[test]
fn the_scene_itself_is_fine() {
    let forged = Forged::new();
    assert_eq!(
        forged.change(&Action::Preview).check(),
        Ok(vec![Invariant::C1, Invariant::C2, Invariant::C3])
    );
}

#[test]
fn a_refusal_moves_nothing() {
    let moved: [Forgery<Forged>; 5] = [
        ("the exchange", |f| f.after.exchange.fees.maker_ppm += 1),
        ("the board", |f| f.after.board.quote.index += 1),
        ("the money", |f| f.market().fees_due += 1),
        ("an account", |f| f.account(A).cash += 1),
        ("the accounts", |f| drop(f.after.accounts.remove(&A))),
    ];
    for (what, forge) in moved {
        let mut forged = Forged::new();
        assert_eq!(super::check_refusal(&forged.before, &forged.after), Ok(()));
        forge(&mut forged);
        breaks(super::check_refusal(&forged.before, &forged.after), Invariant::C3, what);
    }
}

/// A watch counts what held, and what is broken once stays broken.
#[test]
fn a_watch_does_not_forget() {
    let mut watch = super::Watch::default();
    let mut forged = Forged::new();
    watch.saw(&forged.before, &forged.after, &Action::Preview, true);
    watch.saw(&forged.before, &forged.after, &Action::Refresh, false);
    assert_eq!((watch.transactions, watch.refused, watch.held), (1, 1, [1, 1, 1, 0, 0]));
    assert_eq!(watch.verdict(), Ok(()));
    forged.account(A).cash += 1;
    watch.saw(&forged.before, &forged.after, &Action::Preview, true);
    let fine = picture();
    watch.saw(&fine, &fine, &Action::Preview, true);
    breaks(watch.verdict(), Invariant::C1, "quote vault");
}
