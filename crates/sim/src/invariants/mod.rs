//! What must hold after every transaction, checked on the whole exchange before and after it.
//!
//! | | | |
//! |---|---|---|
//! | C1, C2 | [`conservation`] | every mint and every instrument adds up |
//! | C3 | [`withdrawable`] | only a deposit or a realised gain raises what can be withdrawn; nobody's principal falls by another's act |
//! | C4 | [`risk`] | new risk, withdrawals and debts stay within what is required |
//! | C5 | [`liquidation`] | when, how far and at what cost an account is liquidated |
//!
//! The margin of an account is the engine's, which is tested against an independent oracle. The rules on top of it are written out here
//! once more, in exact products of integers, and call nothing that the program decides with.
pub mod conservation;
pub mod fees;
mod figures;
pub mod liquidation;
pub mod orders;
mod party;
mod picture;
pub mod risk;
#[cfg(test)]
mod tests;
pub mod withdrawable;

use std::fmt;

use anchor_lang::prelude::Pubkey;
use ballast::instructions::OrderArgs;

pub use conservation::conservation;
pub use party::{Moment, Party};
pub use picture::Picture;

/// The invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Conservation of every mint.
    C1,
    /// Conservation of every instrument.
    C2,
    /// What can be withdrawn.
    C3,
    /// Risk and debt.
    C4,
    /// Liquidation.
    C5,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Invariant; 5] = [
        Invariant::C1,
        Invariant::C2,
        Invariant::C3,
        Invariant::C4,
        Invariant::C5,
    ];

    /// What it says, in a line.
    pub fn says(self) -> &'static str {
        match self {
            Invariant::C1 => "every vault holds what is owed out of it",
            Invariant::C2 => "lots add up to zero, quotes and dues to the pools",
            Invariant::C3 => "only deposits and realised gains can be withdrawn",
            Invariant::C4 => "new risk and debts are covered",
            Invariant::C5 => "liquidation is due, bounded and heals",
        }
    }
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub invariant: Invariant,
    /// What should be and is not.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?} is broken: {}", self.invariant, self.what)
    }
}

impl std::error::Error for Broken {}

/// A leg of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The instrument.
    pub instrument: usize,
    /// Lots that the taker buys, signed.
    pub lots: i64,
    /// 10⁻⁹ USD.
    pub price: i64,
}

/// What a transaction asked for. Accounts are margin accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `deposit` of native units of a mint by the account's wallet.
    Deposit {
        /// The account.
        account: Pubkey,
        /// The mint.
        mint: Pubkey,
        /// Native units.
        amount: u64,
    },
    /// `withdraw` of native units of a mint to the account's wallet.
    Withdraw {
        /// The account.
        account: Pubkey,
        /// The mint.
        mint: Pubkey,
        /// Native units.
        amount: u64,
    },
    /// `block_trade` and `fill_quote`.
    Trade {
        /// Who buys (sells, where `lots` is negative).
        taker: Pubkey,
        /// The other side.
        maker: Pubkey,
        /// What is traded, each instrument once.
        legs: Vec<Leg>,
    },
    /// `settle_pnl`.
    Settle {
        /// The account.
        account: Pubkey,
        /// The instruments.
        instruments: Vec<usize>,
    },
    /// `settle_expiry`.
    SettleExpiry {
        /// The account.
        account: Pubkey,
        /// The instrument, which has ended.
        instrument: usize,
    },
    /// `waive_claim`.
    WaiveClaim {
        /// The account.
        account: Pubkey,
        /// The instrument, which has ended.
        instrument: usize,
    },
    /// `close_instrument`.
    CloseInstrument {
        /// The instrument.
        instrument: usize,
    },
    /// `flag`.
    Flag {
        /// The account.
        account: Pubkey,
    },
    /// `unflag`.
    Unflag {
        /// The account.
        account: Pubkey,
    },
    /// `liquidate`.
    Liquidate {
        /// Instruments, each once, and numbers of lots, whatever the side.
        legs: Vec<(usize, u64)>,
        /// The account under its maintenance margin.
        account: Pubkey,
        /// Who takes over.
        keeper: Pubkey,
    },
    /// `fund_insurance`.
    FundInsurance {
        /// Who pays.
        wallet: Pubkey,
        /// Quote units.
        amount: u64,
    },
    /// `open_margin_account`.
    Open {
        /// The new account.
        account: Pubkey,
    },
    /// `set_margin_method`.
    SetMethod {
        /// The account.
        account: Pubkey,
    },
    /// `set_referrer`.
    SetReferrer {
        /// The account.
        account: Pubkey,
    },
    /// `claim_referral`.
    ClaimReferral {
        /// The account that has paid fees.
        account: Pubkey,
        /// Its referrer.
        referrer: Pubkey,
    },
    /// `close_margin_account`.
    Close {
        /// The account.
        account: Pubkey,
    },
    /// What a maker does to its quote ledger.
    Quotes,
    /// `place_order`.
    Place {
        /// Whose order it is.
        account: Pubkey,
        /// The instrument.
        instrument: usize,
        /// The order.
        order: OrderArgs,
        /// The other accounts that were passed.
        makers: Vec<Pubkey>,
    },
    /// `cancel_order` and `cancel_all_orders`.
    Cancel {
        /// Whose orders they are.
        account: Pubkey,
    },
    /// `cancel_stale_orders`.
    CancelStale {
        /// Whose orders are looked at.
        accounts: Vec<Pubkey>,
        /// Who gets the bounties.
        cranker: Option<Pubkey>,
    },
    /// `reconcile_owner`.
    Reconcile {
        /// Whose orders they were.
        account: Pubkey,
    },
    /// What moves the board alone: `refresh_prices`, `fix_settlement`, and what governance says of an ending.
    Refresh,
    /// `update_funding`.
    UpdateFunding {
        /// The instrument.
        instrument: usize,
    },
    /// `preview`.
    Preview,
}

impl Action {
    /// The accounts that the action may change.
    pub fn parties(&self) -> Vec<Pubkey> {
        match self {
            Action::Deposit { account, .. } | Action::Withdraw { account, .. } | Action::Settle { account, .. } => {
                vec![*account]
            }
            Action::SettleExpiry { account, .. } | Action::WaiveClaim { account, .. } => vec![*account],
            Action::Flag { account } | Action::Unflag { account } | Action::SetMethod { account } => vec![*account],
            Action::Open { account } | Action::Close { account } => vec![*account],
            Action::SetReferrer { account } => vec![*account],
            Action::ClaimReferral { account, referrer } => vec![*account, *referrer],
            Action::Trade { taker, maker, .. } => vec![*taker, *maker],
            Action::Liquidate { account, keeper, .. } => vec![*account, *keeper],
            Action::Cancel { account } | Action::Reconcile { account } => vec![*account],
            Action::Place { account, makers, .. } => [&[*account], &makers[..]].concat(),
            Action::CancelStale { accounts, cranker } => accounts.iter().chain(cranker).copied().collect(),
            Action::FundInsurance { .. } | Action::CloseInstrument { .. } | Action::UpdateFunding { .. } => Vec::new(),
            Action::Quotes | Action::Refresh | Action::Preview => Vec::new(),
        }
    }
}

/// A transaction that went through.
pub struct Change<'a> {
    /// The exchange before it.
    pub before: &'a Picture,
    /// The exchange after it.
    pub after: &'a Picture,
    /// What it was.
    pub action: &'a Action,
}

impl Change<'_> {
    /// Checks every invariant that the action concerns and returns them.
    ///
    /// # Errors
    /// The first one that is broken.
    pub fn check(&self) -> Result<Vec<Invariant>, Broken> {
        conservation::check_tokens(self)?;
        conservation::check(self.after)?;
        orders::check(self.after)?;
        let parties = self.parties()?;
        withdrawable::check(self, &parties)?;
        let mut held = vec![Invariant::C1, Invariant::C2, Invariant::C3];
        if risk::check(self, &parties)? {
            held.push(Invariant::C4);
        }
        if liquidation::check(self, &parties)? {
            held.push(Invariant::C5);
        }
        Ok(held)
    }

    /// The accounts that the action may change, where they were there before and are after.
    fn parties(&self) -> Result<Vec<Party<'_>>, Broken> {
        match self.action {
            Action::Open { .. } | Action::Close { .. } => Ok(Vec::new()),
            action => action.parties().iter().map(|key| Party::of(self, key)).collect(),
        }
    }
}

/// A refused transaction has moved nothing, and so has raised nothing that can be withdrawn.
///
/// # Errors
/// [`Invariant::C3`], with what moved.
pub fn check_refusal(before: &Picture, after: &Picture) -> Result<(), Broken> {
    match before.difference(after) {
        None => Ok(()),
        Some(what) => Err(Broken {
            invariant: Invariant::C3,
            what: format!("a refused transaction moved {what}"),
        }),
    }
}

/// Checks every transaction of a world and counts what held.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Transactions that went through.
    pub transactions: u64,
    /// Transactions that were refused, after which nothing had moved.
    pub refused: u64,
    /// After how many of those that went through each invariant was checked and held, in the order of [`Invariant::ALL`].
    pub held: [u64; Invariant::ALL.len()],
    broken: Option<Broken>,
}

impl Watch {
    /// Checks a transaction by the exchange before and after it; what is broken once stays broken.
    pub fn saw(&mut self, before: &Picture, after: &Picture, action: &Action, went_through: bool) {
        let verdict = if went_through {
            self.transactions += 1;
            Change { before, after, action }.check()
        } else {
            self.refused += 1;
            check_refusal(before, after).map(|()| Vec::new())
        };
        match verdict {
            Ok(held) => held.iter().for_each(|invariant| self.held[*invariant as usize] += 1),
            Err(broken) => {
                let what = format!("{} ({action:?})", broken.what);
                self.broken.get_or_insert(Broken { what, ..broken });
            }
        }
    }

    /// Whether everything has held so far.
    ///
    /// # Errors
    /// The first thing that was broken.
    pub fn verdict(&self) -> Result<(), Broken> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

/// Says what is broken unless the condition holds.
fn holds(invariant: Invariant, what: &str, condition: bool) -> Result<(), Broken> {
    if condition {
        return Ok(());
    }
    Err(Broken {
        invariant,
        what: what.to_owned(),
    })
}

/// Says what is broken unless both are the same.
fn equal(invariant: Invariant, what: &str, left: i128, right: i128) -> Result<(), Broken> {
    if left == right {
        return Ok(());
    }
    Err(Broken {
        invariant,
        what: format!("{what}: {left} is not {right}"),
    })
}
