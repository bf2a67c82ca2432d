//! The markets that an instruction names, each checked against the one that the exchange records.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::state::{Exchange, Market};

/// Most legs of one trade or of one step of a liquidation.
pub const MAX_LEGS: usize = 8;

/// The market at `info`, checked against the one that the exchange records for the instrument.
pub fn load_market<'info>(
    exchange: &Exchange,
    instrument: u16,
    info: &'info AccountInfo<'info>,
) -> Result<AccountLoader<'info, Market>> {
    ensure!(exchange.market(instrument)? == info.key(), BallastError::WrongMarket);
    ensure!(info.is_writable, BallastError::WrongMarket);
    AccountLoader::try_from(info)
}

/// The first leg's market and the others, `count` in all, each recorded on the exchange and none twice: a leg in two parts could pass for a
/// reduction.
pub fn load_markets<'info>(
    exchange: &Exchange,
    first: &AccountLoader<'info, Market>,
    others: &'info [AccountInfo<'info>],
    count: usize,
) -> Result<Vec<AccountLoader<'info, Market>>> {
    ensure!(others.len() == count.saturating_sub(1), BallastError::MarketMissing);
    let recorded = exchange.market(first.load()?.instrument)?;
    ensure!(recorded == first.key(), BallastError::WrongMarket);
    let mut loaders = Vec::with_capacity(MAX_LEGS);
    loaders.push(first.clone());
    for info in others {
        let is_new = loaders.iter().all(|other| other.key() != info.key());
        ensure!(is_new, BallastError::UnexpectedAccount);
        let instrument = AccountLoader::<Market>::try_from(info)?.load()?.instrument;
        loaders.push(load_market(exchange, instrument, info)?);
    }
    Ok(loaders)
}
