//! A keeper: it finds accounts under their maintenance margin, flags them, liquidates them in steps and takes the flag off.
//!
//! What it does is decided in [`choice`] from accounts as anybody can read them, with the engine that the chain runs. Every step that it
//! takes is compared with what it foresaw: a difference is an error, since preview and decision must never differ.
pub mod choice;
#[cfg(test)]
pub(crate) mod tests;
mod wind_up;

use anchor_lang::prelude::Pubkey;
use anchor_lang::{AnchorDeserialize, Discriminator};
use ballast::events::Liquidated;
use ballast_client::instruction::AccountKeys;
use ballast_fixed::Dollars;

use crate::vm::{Receipt, Refused};
use crate::world::{User, World};
use choice::{Intent, Proposal, Undecided, View};
pub use wind_up::{wind_up, WoundUp};

/// Why a keeper could not do its work.
#[derive(Debug)]
pub enum KeeperError {
    /// It could not decide.
    Undecided(Undecided),
    /// The chain refused what by its own rules it should accept.
    Refused(Intent, Box<Refused>),
    /// The chain did something else than what the engine foresaw.
    Differs(String),
}

impl std::fmt::Display for KeeperError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            KeeperError::Undecided(why) => write!(f, "the margin can't be computed: {}", why.0),
            KeeperError::Refused(what, why) => {
                write!(f, "refused: {:?}\n{what:?}\n{}", why.error, why.logs.join("\n"))
            }
            KeeperError::Differs(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for KeeperError {}

/// A keeper and the account that it takes positions over into.
pub struct Keeper {
    /// Signs, and owns the account.
    pub user: User,
}

impl Keeper {
    /// What each of the accounts calls for now; those that call for nothing are left out, and the keeper's own.
    ///
    /// # Errors
    /// [`KeeperError::Undecided`].
    pub fn survey(&self, world: &World, accounts: &[Pubkey]) -> Result<Vec<(Pubkey, Intent)>, KeeperError> {
        let (exchange, board, clock) = (world.exchange_account(), world.board(), world.vm.clock());
        let view = View {
            exchange: &exchange,
            board: &board,
            now: clock.unix_timestamp,
            slot: clock.slot,
        };
        let own = world.margin_account(&self.user.account.margin_account);
        let mut found = Vec::new();
        for key in accounts.iter().filter(|key| **key != self.user.account.margin_account) {
            let intent = view
                .intent(&world.margin_account(key), &own)
                .map_err(KeeperError::Undecided)?;
            if intent != Intent::Leave {
                found.push((*key, intent));
            }
        }
        Ok(found)
    }

    /// Does what was decided for the account `key`; nothing for what is left alone or waits.
    ///
    /// # Errors
    /// [`KeeperError::Refused`], [`KeeperError::Differs`].
    pub fn act(&self, world: &mut World, key: &Pubkey, intent: &Intent) -> Result<Option<Receipt>, KeeperError> {
        let outcome = match intent {
            Intent::Leave | Intent::Wait => return Ok(None),
            Intent::Flag => world.flag(key),
            Intent::Unflag => world.unflag(key),
            Intent::Step(step) => {
                let account = world.margin_account(key);
                let keys = AccountKeys {
                    margin_account: *key,
                    owner: account.owner,
                    signer: account.wallet,
                };
                world.liquidate(step.instrument.into(), &keys, &self.user, step.lots)
            }
        };
        let receipt = outcome.map_err(|refused| KeeperError::Refused(intent.clone(), refused))?;
        if let Intent::Step(step) = intent {
            verify(step, &receipt)?;
        }
        Ok(Some(receipt))
    }
}

/// Compares a step with what was foreseen, and with invariant C5: healthier after, equity not under min(before, 0), cost ≤ c(t)·ΔMM.
fn verify(step: &Proposal, receipt: &Receipt) -> Result<(), KeeperError> {
    let event = receipt
        .events
        .iter()
        .find_map(|data| data.strip_prefix(Liquidated::DISCRIMINATOR))
        .and_then(|mut data| Liquidated::deserialize(&mut data).ok())
        .ok_or_else(|| KeeperError::Differs("a step emitted no event".into()))?;
    let pairs = [
        ("cost", event.cost, step.cost.0),
        ("bounty", event.bounty, step.bounty.0),
        ("margin before", event.maintenance_before, step.before.maintenance.0),
        ("margin after", event.maintenance_after, step.after.maintenance.0),
        ("equity after", event.equity_after, step.after.equity_liquidation.0),
    ];
    for (what, chain, own) in pairs {
        if chain != own {
            let differs = format!("{what} of a step: {chain} on chain, {own} foreseen\n{step:?}");
            return Err(KeeperError::Differs(differs));
        }
    }
    let (equity, after) = (step.before.equity_liquidation.0, event.equity_after);
    let freed = Dollars(event.maintenance_before.saturating_sub(event.maintenance_after).max(0));
    let allowed = freed.times_floor(step.rate).map_or(0, |d| d.quote_floor().0);
    let is_healthier = after - event.maintenance_after > equity - event.maintenance_before;
    if !is_healthier || after < equity.min(0) || event.cost > allowed {
        return Err(KeeperError::Differs(format!("a step breaks its rule: {event:?}")));
    }
    Ok(())
}
