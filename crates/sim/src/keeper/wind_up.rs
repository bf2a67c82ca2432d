//! What a keeper does for an ended instrument: everyone settles, those who lose first so that the pool can pay the others, and the slot is
//! freed.
use anchor_lang::prelude::Pubkey;
use ballast::state::{MarginAccount, Position};

use super::KeeperError;
use crate::invariants::Picture;
use crate::keeper::choice::Intent;
use crate::vm::Refused;
use crate::world::World;

/// What was wound up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WoundUp {
    /// Settlement prices that were recorded.
    pub fixed: u32,
    /// Positions that were settled, as far as the money went.
    pub settled: u32,
    /// Instruments whose slots came free.
    pub closed: u32,
}

/// Does all that can be done for every instrument that has ended.
///
/// # Errors
/// [`KeeperError::Refused`] when the chain refuses a step that is due.
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
        let Some(price) = picture.settled(instrument) else {
            continue;
        };
        for key in holders(&picture, instrument, price) {
            world.settle_expiry(&key, instrument).map_err(refused)?;
            done.settled += 1;
        }
        // With a loss that nobody can pay yet, or an order that rests, it stays.
        let listed = picture.board.instruments[instrument].kind != 0;
        done.closed += u32::from(listed && world.close_instrument(instrument).is_ok());
    }
    Ok(done)
}

/// The accounts with lots in an instrument, those who get least first.
fn holders(picture: &Picture, instrument: usize, price: i64) -> Vec<Pubkey> {
    let lot_size = picture.board.instruments[instrument].lot_size;
    let value = |position: &Position| {
        i128::from(position.quote) * 1_000_000_000_000
            + i128::from(position.lots) * i128::from(lot_size) * i128::from(price)
    };
    let held = |account: &MarginAccount| account.position(instrument as u16).map(|p| (value(p), p.lots != 0));
    let all = picture
        .accounts
        .iter()
        .filter_map(|(key, account)| Some((held(account)?, *key)));
    let mut due: Vec<_> = all.filter(|((_, open), _)| *open).collect();
    due.sort_unstable_by_key(|((value, _), _)| *value);
    due.into_iter().map(|(_, key)| key).collect()
}

fn refused(why: Box<Refused>) -> KeeperError {
    KeeperError::Refused(Intent::Leave, why)
}
