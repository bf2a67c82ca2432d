//! The margin accounts that come behind an instruction's own: those of makers, in any order.
use anchor_lang::prelude::*;
use ballast_book::Order;

use crate::error::{ensure, BallastError};
use crate::state::MarginAccount;

/// Margin accounts of one exchange, none twice, all to be written.
pub struct Parties<'info>(Vec<AccountLoader<'info, MarginAccount>>);

impl<'info> Parties<'info> {
    /// The accounts at `infos`, none of them `own`.
    ///
    /// # Errors
    /// [`BallastError::UnexpectedAccount`] for one that is there twice or is not to be written, [`BallastError::WrongExchange`] for one of
    /// another exchange, and Anchor's for what is no margin account.
    pub fn load(infos: &'info [AccountInfo<'info>], exchange: &Pubkey, own: &Pubkey) -> Result<Parties<'info>> {
        let mut loaders: Vec<AccountLoader<MarginAccount>> = Vec::with_capacity(infos.len());
        for info in infos {
            let is_new = info.key != own && loaders.iter().all(|other| other.as_ref().key != info.key);
            ensure!(is_new && info.is_writable, BallastError::UnexpectedAccount);
            let loader = AccountLoader::<MarginAccount>::try_from(info)?;
            ensure!(loader.load()?.exchange == *exchange, BallastError::WrongExchange);
            loaders.push(loader);
        }
        Ok(Parties(loaders))
    }

    /// The account of an order's owner, where it has come.
    pub fn owner_of(&self, order: &Order) -> Option<&AccountLoader<'info, MarginAccount>> {
        let owner = Pubkey::new_from_array(order.owner);
        self.0.iter().find(|loader| *loader.as_ref().key == owner)
    }
}
