//! What a keeper does for an ended instrument: what rests is swept out, everyone settles, those who lose first so that the pool can pay the
//! others, and the slot is freed.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::state::{MarginAccount, Position};

use super::KeeperError;
use crate::invariants::Picture;
use crate::keeper::choice::Intent;
use crate::vm::Refused;
use crate::world::{Outcome, World};

/// Accounts whose orders one instruction sweeps out.
const SWEPT_AT_ONCE: usize = 8;

/// What was wound up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WoundUp {
    /// Settlement prices that were recorded.
    pub fixed: u32,
    /// Orders that were swept out.
    pub swept: u32,
    /// Positions that were settled, as far as the money went.
    pub settled: u32,
    /// Instruments whose slots came free.
    pub closed: u32,
    /// Accounts that could not be settled or swept: each keeps its market, but nobody else.
    pub refused: Vec<Pubkey>,
}

/// Does all that can be done for every instrument that has ended.
///
/// # Errors
/// [`KeeperError::Refused`] when the chain refuses to record a price that stands.
pub fn wind_up(world: &mut World) -> Result<WoundUp, KeeperError> {
    let mut done = WoundUp::default();
    let picture = Picture::of(world);
    for asset in 0..picture.board.asset_count {
        for expiry in picture.board.assets[usize::from(asset)].expiries {
            let stands = expiry.time != 0 && expiry.settlement_price(picture.now).is_some();
            if stands && expiry.settlement.price == 0 {
                world.fix_settlement(asset, expiry.time).map_err(refused)?;
                done.fixed += 1;
            }
        }
    }
    for instrument in 0..picture.markets.len() {
        let listed = &picture.board.instruments[instrument];
        if listed.kind == 0 || !listed.is_expired(picture.now) {
            continue;
        }
        sweep(world, &picture, instrument, &mut done);
        if let Some(price) = picture.settled(instrument) {
            for key in holders(&picture, instrument, price) {
                let outcome = world.settle_expiry(&key, instrument);
                note(&mut done, &key, outcome);
            }
        }
        // With a loss that nobody can pay yet it stays.
        done.closed += u32::from(world.close_instrument(instrument).is_ok());
    }
    Ok(done)
}

/// Takes out what rests in an ended instrument's book.
fn sweep(world: &mut World, picture: &Picture, instrument: usize, done: &mut WoundUp) {
    let count = |account: &MarginAccount| account.orders_in(instrument as u16).count() as u32;
    let resting = picture
        .accounts
        .iter()
        .map(|(key, account)| (*key, count(account)))
        .filter(|(_, count)| *count > 0);
    let resting: Vec<(Pubkey, u32)> = resting.collect();
    for some in resting.chunks(SWEPT_AT_ONCE) {
        let keys: Vec<Pubkey> = some.iter().map(|(key, _)| *key).collect();
        let mut left: u32 = some.iter().map(|(_, count)| count).sum();
        // One instruction removes only so many orders.
        while left > 0 && world.cancel_stale(instrument, &keys, None).is_ok() {
            let now = keys.iter().map(|key| count(&world.margin_account(key))).sum();
            done.swept += left - now;
            left = now;
        }
        if left > 0 {
            done.refused.extend(keys);
        }
    }
}

/// The accounts with a position in an instrument, those who get least first.
fn holders(picture: &Picture, instrument: usize, price: i64) -> Vec<Pubkey> {
    let lot_size = picture.board.instruments[instrument].lot_size;
    let value = |position: &Position| {
        i128::from(position.quote) * 1_000_000_000_000
            + i128::from(position.lots) * i128::from(lot_size) * i128::from(price)
    };
    let held = |account: &MarginAccount| account.position(instrument as u16).map(value);
    let all = picture
        .accounts
        .iter()
        .filter_map(|(key, account)| Some((held(account)?, *key)));
    let mut due: Vec<_> = all.collect();
    due.sort_unstable_by_key(|(value, _)| *value);
    due.into_iter().map(|(_, key)| key).collect()
}

/// Counts what went through; what was refused for another reason than that no money moves is noted and holds nobody else up.
fn note(done: &mut WoundUp, key: &Pubkey, outcome: Outcome) {
    match outcome {
        Ok(_) => done.settled += 1,
        Err(why) if why.code == Some(u32::from(BallastError::NothingToSettle)) => {}
        Err(_) => done.refused.push(*key),
    }
}

fn refused(why: Box<Refused>) -> KeeperError {
    KeeperError::Refused(Intent::Leave, why)
}
