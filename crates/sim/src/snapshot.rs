//! All accounts at one moment, to show that a refusal moved nothing.
use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use solana_account::{Account, ReadableAccount};
use solana_signer::Signer;

use crate::vm::Vm;

/// Every account of the VM but programs, sysvars and the fee payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<Pubkey, Account>);

impl Snapshot {
    /// Keys that differ between this snapshot and a later one: changed, created or gone.
    pub fn changed(&self, later: &Snapshot) -> Vec<Pubkey> {
        let differs = |key: &&Pubkey| self.0.get(*key) != later.0.get(*key);
        let mut keys: Vec<Pubkey> = self.0.keys().chain(later.0.keys()).filter(differs).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

impl Vm {
    /// A copy of all accounts.
    pub fn snapshot(&self) -> Snapshot {
        let sysvars = anchor_lang::prelude::pubkey!("Sysvar1111111111111111111111111111111111111");
        let payer = self.payer.pubkey();
        let accounts = &self.svm.accounts_db().inner;
        let kept = accounts
            .iter()
            .filter(|(key, account)| **key != payer && !account.executable() && *account.owner() != sysvars);
        Snapshot(kept.map(|(key, account)| (*key, account.clone().into())).collect())
    }
}
