//! Options among the positions of random accounts.
use anchor_lang::prelude::Pubkey;
use ballast::state::{InstrumentKind, MarginAccount, RiskBoard, VolatilitySurface, MAX_SURFACE_AGE};
use ballast_fixed::kernel::ln_price;
use ballast_fixed::Price;

use crate::case::{self, Case};
use crate::random::Random;

/// The case of a seed, with surfaces on its expiries and most of its instruments made options.
pub fn valid(seed: u64, exchange: Pubkey, now: i64) -> Case {
    let mut case = case::valid(seed, exchange, now);
    let mut random = Random::new(!seed);
    publish(&mut random, &mut case.board, now);
    convert(&mut random, &mut case.board);
    relabel(&case.board, &mut case.account);
    case
}

fn surface(random: &mut Random) -> VolatilitySurface {
    VolatilitySurface {
        at_the_money: random.range(50_000_000, 3_000_000_000),
        skew: random.range(-250_000_000, 250_000_000),
        curvature: random.range(0, 100_000_000),
        variance_floor: if random.chance(20) {
            random.range(0, 500_000_000)
        } else {
            0
        },
    }
}

/// Surfaces on every expiry, half of them equal to their slow means and some out of date; times from an hour past to years ahead.
fn publish(random: &mut Random, board: &mut RiskBoard, now: i64) {
    for asset in &mut board.assets {
        for expiry in asset.expiries.iter_mut().filter(|e| e.time != 0) {
            expiry.surface = surface(random);
            let same = random.chance(50);
            expiry.slow_surface = if same { expiry.surface } else { surface(random) };
            expiry.surface_time = now - random.pick(&[0, 0, MAX_SURFACE_AGE, MAX_SURFACE_AGE + 1, 86_400]);
        }
    }
}

/// Calls and puts from a fifth of the index to five times.
fn convert(random: &mut Random, board: &mut RiskBoard) {
    for at in 0..board.instruments.len() {
        let instrument = &mut board.instruments[at];
        let asset = &board.assets[usize::from(instrument.asset)];
        let first = asset.expiries[0].time;
        if instrument.kind == 0 || first == 0 || !random.chance(80) {
            continue;
        }
        if instrument.expiry == 0 {
            (instrument.expiry, instrument.expiry_slot, instrument.basis) = (first, 0, 0);
        }
        let index = i128::from(asset.price.index);
        let strike = (index * i128::from(random.range(200, 5_000)) / 1_000).max(1) as i64;
        let kind = random.pick(&[InstrumentKind::Call, InstrumentKind::Put]);
        instrument.kind = kind as u8;
        instrument.strike = strike;
        instrument.ln_strike = ln_price(Price(strike)).0;
    }
}

/// What the positions copy of their instruments, and their order.
fn relabel(board: &RiskBoard, account: &mut MarginAccount) {
    let count = usize::from(account.position_count);
    let positions = &mut account.positions[..count];
    for position in positions.iter_mut() {
        let instrument = &board.instruments[usize::from(position.instrument)];
        position.kind = instrument.kind;
        position.strike = instrument.strike;
        position.expiry = instrument.expiry;
    }
    positions.sort_by_key(|p| (p.asset, p.expiry, p.strike, p.instrument));
}
