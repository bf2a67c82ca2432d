//! Who acts, and what they do.
use anchor_lang::prelude::Pubkey;
use ballast::instructions::{PreviewSection, SurfaceUpdate};
use ballast::state::MarginMethod;
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::invariants::{Action, Leg};
use ballast_sim::world::{Outcome, Token, User, World};
use ballast_tests::setup::*;
use solana_signer::Signer;

/// The wallets with their accounts: a market maker, honest traders, hostile ones, keepers, and what hostile ones open besides.
pub struct Actors {
    /// All of them.
    pub users: Vec<User>,
    /// The number of each one's account among its wallet's.
    pub indices: Vec<u16>,
    /// One conspiracy: it has what it has, all of it in the quote asset, and gets nothing more from outside.
    pub closed: bool,
}

/// Takes the other side of most trades.
pub const MAKER: usize = 0;
/// Liquidate for a living.
pub const KEEPERS: [usize; 2] = [1, 2];
/// Trade within reason.
pub const HONEST: [usize; 3] = [3, 4, 5];
/// Try everything.
pub const HOSTILE: [usize; 3] = [6, 7, 8];

/// An instruction to be sent.
#[derive(Debug)]
pub enum Act {
    /// `deposit`.
    Deposit { who: usize, token: Token, amount: u64 },
    /// `withdraw`, with these markets.
    Withdraw {
        who: usize,
        token: Token,
        amount: u64,
        markets: Vec<Pubkey>,
    },
    /// `withdraw` from somebody else's account.
    Steal { from: usize, thief: usize, amount: u64 },
    /// `block_trade`.
    Trade { taker: usize, maker: usize, legs: Vec<Leg> },
    /// `settle_pnl`.
    Settle { who: usize, instruments: Vec<usize> },
    /// `flag`.
    Flag { who: usize },
    /// `unflag`.
    Unflag { who: usize },
    /// `liquidate`.
    Liquidate {
        instrument: usize,
        who: usize,
        keeper: usize,
        lots: u64,
    },
    /// `fund_insurance`.
    Fund { who: usize, amount: u64 },
    /// `open_margin_account`.
    Open { who: usize, index: u16 },
    /// `close_margin_account`.
    Close { who: usize },
    /// `refresh_prices` of what was posted.
    Refresh { assets: Vec<u8> },
    /// `refresh_surface` by the publisher, or by somebody else.
    Publish {
        asset: u8,
        updates: Vec<SurfaceUpdate>,
        forger: Option<usize>,
    },
    /// `set_margin_method` of the wallet's first account.
    Method { who: usize, method: MarginMethod },
    /// `preview`.
    Preview { who: usize, section: PreviewSection },
}

impl Actors {
    /// Opens and funds them.
    pub fn new(world: &mut World) -> Actors {
        let cash = [20_000_000, 2_000_000, 2_000_000, 60_000, 120_000, 0, 30_000, 30_000, 0];
        let users: Vec<User> = cash.iter().map(|dollars| trader(world, *dollars)).collect();
        let (btc, sol) = (world.btc, world.sol);
        deposit(world, &users[5], &btc, 2 * BTC_UNIT);
        deposit(world, &users[4], &sol, 300 * SOL_UNIT);
        deposit(world, &users[8], &btc, BTC_UNIT / 2);
        deposit(world, &users[8], &sol, 100 * SOL_UNIT);
        let indices = vec![0; users.len()];
        Actors {
            users,
            indices,
            closed: false,
        }
    }

    /// Wallets that all belong to one attacker, each with cash and as much again outside.
    pub fn conspiracy(world: &mut World) -> Actors {
        let usd = world.usd;
        let users: Vec<User> = (0..9).map(|_| trader(world, 40_000)).collect();
        for user in &users {
            world.give(user, &usd, 40_000 * USD);
        }
        let indices = vec![0; users.len()];
        Actors {
            users,
            indices,
            closed: true,
        }
    }

    /// Quote units that the wallets hold outside. Accounts of one wallet share its tokens.
    pub fn outside(&self, world: &World) -> u64 {
        let firsts = self.users.iter().zip(&self.indices).filter(|(_, index)| **index == 0);
        firsts.map(|(user, _)| world.tokens(&user.usd)).sum()
    }

    /// Keeps the list of accounts up to date.
    pub fn follow(&mut self, world: &World, act: &Act, through: bool) {
        match act {
            Act::Open { who, index } if through => {
                let owner = &self.users[*who];
                let user = User {
                    key: owner.key.insecure_clone(),
                    account: AccountKeys::new(&world.exchange, &owner.key.pubkey(), *index),
                    usd: owner.usd,
                    btc: owner.btc,
                    sol: owner.sol,
                };
                self.users.push(user);
                self.indices.push(*index);
            }
            Act::Close { who } if through => {
                self.users.remove(*who);
                self.indices.remove(*who);
            }
            _ => {}
        }
    }
}

impl Act {
    /// The instruction's name.
    pub fn name(&self) -> &'static str {
        match self {
            Act::Deposit { .. } => "deposit",
            Act::Withdraw { .. } | Act::Steal { .. } => "withdraw",
            Act::Trade { .. } => "block_trade",
            Act::Settle { .. } => "settle_pnl",
            Act::Flag { .. } => "flag",
            Act::Unflag { .. } => "unflag",
            Act::Liquidate { .. } => "liquidate",
            Act::Fund { .. } => "fund_insurance",
            Act::Open { .. } => "open_margin_account",
            Act::Close { .. } => "close_margin_account",
            Act::Refresh { .. } => "refresh_prices",
            Act::Publish { .. } => "refresh_surface",
            Act::Method { .. } => "set_margin_method",
            Act::Preview { .. } => "preview",
        }
    }

    /// The instruments that it trades, settles or takes over.
    pub fn instruments(&self) -> Vec<usize> {
        match self {
            Act::Trade { legs, .. } => legs.iter().map(|leg| leg.instrument).collect(),
            Act::Settle { instruments, .. } => instruments.clone(),
            Act::Liquidate { instrument, .. } => vec![*instrument],
            _ => vec![],
        }
    }

    /// The actors whose account the instruction may change.
    pub fn parties(&self) -> Vec<usize> {
        match self {
            Act::Deposit { who, .. } | Act::Withdraw { who, .. } | Act::Settle { who, .. } => vec![*who],
            Act::Flag { who } | Act::Unflag { who } | Act::Close { who } | Act::Method { who, .. } => vec![*who],
            Act::Steal { from, .. } => vec![*from],
            Act::Trade { taker, maker, .. } => vec![*taker, *maker],
            Act::Liquidate { who, keeper, .. } => vec![*who, *keeper],
            Act::Fund { .. } | Act::Open { .. } | Act::Refresh { .. } | Act::Publish { .. } | Act::Preview { .. } => {
                vec![]
            }
        }
    }

    /// Sends it.
    pub fn send(&self, world: &mut World, actors: &Actors) -> Outcome {
        let exchange = world.exchange;
        let user = |n: &usize| &actors.users[*n];
        let account = |n: &usize| user(n).account;
        match self {
            Act::Deposit { who, token, amount } => world.deposit(user(who), token, *amount),
            Act::Withdraw {
                who,
                token,
                amount,
                markets,
            } => world.withdraw_with(user(who), token, *amount, markets),
            Act::Steal { from, thief, amount } => {
                let keys = AccountKeys {
                    signer: account(thief).signer,
                    ..account(from)
                };
                let (mint, to) = (world.usd.mint, user(thief).usd);
                let markets = world.losers(&keys.margin_account);
                let one = instruction::withdraw(&exchange, &keys, &mint, &to, *amount, &markets);
                let action = Action::Withdraw {
                    account: keys.margin_account,
                    mint,
                    amount: *amount,
                };
                world.send(&action, one, &[&user(thief).key])
            }
            Act::Trade { taker, maker, legs } => world.trade_package(user(taker), user(maker), legs),
            Act::Settle { who, instruments } => world.settle(&account(who).margin_account, instruments),
            Act::Flag { who } => world.flag(&account(who).margin_account),
            Act::Unflag { who } => world.unflag(&account(who).margin_account),
            Act::Liquidate {
                instrument,
                who,
                keeper,
                lots,
            } => world.liquidate(*instrument, &account(who), user(keeper), *lots),
            Act::Fund { who, amount } => world.contribute(user(who), *amount),
            Act::Open { who, index } => world.open(user(who), *index),
            Act::Close { who } => world.close(user(who), actors.indices[*who]),
            Act::Refresh { assets } => world.refresh(assets),
            Act::Publish { asset, updates, forger } => {
                let publisher = match forger {
                    Some(who) => &user(who).key,
                    None => &world.authority,
                }
                .insecure_clone();
                let one = instruction::refresh_surface(&exchange, &publisher.pubkey(), *asset, updates.clone());
                world.send(&Action::Refresh, one, &[&publisher])
            }
            Act::Method { who, method } => world.set_method(user(who), *method),
            Act::Preview { who, section } => {
                let one = instruction::preview(&exchange, &account(who).margin_account, *section);
                world.send(&Action::Preview, one, &[])
            }
        }
    }
}
