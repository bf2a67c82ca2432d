//! Cases with some fields at the ends of their range, or plain nonsense: what no instruction writes, the program must still refuse by name.
use anchor_lang::prelude::Pubkey;
use ballast::state::{MAX_BALANCES, MAX_INSTRUMENTS, MAX_POSITIONS};

use crate::case::{valid, Case};
use crate::random::Random;

/// The case of a seed with one to eight fields replaced.
pub fn extreme(seed: u64, exchange: Pubkey, now: i64) -> Case {
    let mut case = valid(seed, exchange, now);
    let mut random = Random::new(!seed);
    for _ in 0..random.range(1, 8) {
        match random.range(0, 9) {
            0..=4 => spoil_account(&mut random, &mut case),
            5 | 6 => spoil_price(&mut random, &mut case),
            7 => spoil_instrument(&mut random, &mut case),
            8 => spoil_params(&mut random, &mut case),
            _ => spoil_portfolio(&mut random, &mut case),
        }
    }
    case
}

/// An end of the range, a power of two or ten, or any bits at all.
fn edge(random: &mut Random) -> i64 {
    let value = match random.range(0, 7) {
        0 => random.pick(&[i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1]),
        1 => random.pick(&[0, 1, -1]),
        2 => 1i64 << random.range(0, 62),
        3 => 10i64.pow(random.range(0, 18) as u32),
        4 => 2_000_000_000_000_000_000, // the engine's domain, 10⁻⁸ dollars
        5 => (random.bits() >> random.range(0, 63)) as i64,
        _ => random.bits() as i64,
    };
    let value = value.wrapping_add(random.pick(&[-1, 0, 0, 1]));
    if random.chance(30) {
        value.wrapping_neg()
    } else {
        value
    }
}

fn spoil_account(random: &mut Random, case: &mut Case) {
    let account = &mut case.account;
    let held = usize::from(account.position_count).min(MAX_POSITIONS);
    let slot = random.index(MAX_BALANCES);
    match random.range(0, 7) {
        0 => account.cash = edge(random),
        1 => account.balances[slot].amount = edge(random) as u64,
        2 => {
            account.balances[slot].decimals = random.bits() as u8;
            account.balances[slot].amount = edge(random) as u64;
        }
        3 if random.chance(20) => account.balances[slot].asset = random.bits() as u8,
        4 if random.chance(20) => account.position_count = random.bits() as u8,
        _ if held == 0 => account.cash = edge(random),
        5 if random.chance(20) => {
            let position = &mut account.positions[random.index(held)];
            match random.range(0, 3) {
                0 => position.asset = random.bits() as u8,
                1 => position.instrument = random.bits() as u16 % (2 * MAX_INSTRUMENTS as u16),
                2 => position.generation = random.bits() as u32,
                _ => position.expiry = edge(random),
            }
        }
        6 => account.positions[random.index(held)].quote = edge(random),
        _ => account.positions[random.index(held)].lots = edge(random),
    }
}

fn spoil_price(random: &mut Random, case: &mut Case) {
    let assets = usize::from(case.board.asset_count);
    let at = random.index(assets);
    let price = &mut case.board.assets[at].price;
    match random.range(0, 5) {
        0 => price.index = edge(random),
        1 => price.index = edge(random) & i64::MAX,
        2 => price.slow = edge(random),
        3 => price.confidence = edge(random),
        4 => price.publish_time = edge(random),
        _ => case.board.quote.index = edge(random),
    }
}

fn spoil_instrument(random: &mut Random, case: &mut Case) {
    let held = usize::from(case.account.position_count).min(MAX_POSITIONS);
    if held == 0 {
        return;
    }
    let position = case.account.positions[random.index(held)];
    let assets = case.board.asset_count;
    let Some(instrument) = case.board.instruments.get_mut(usize::from(position.instrument)) else {
        return;
    };
    match random.range(0, 4) {
        0 => instrument.lot_size = edge(random),
        1 => instrument.basis = edge(random),
        2 => instrument.kind = random.range(0, 3) as u8,
        3 => instrument.expiry_slot = random.bits() as u8,
        _ => {
            let slot = usize::from(instrument.expiry_slot);
            let asset = usize::from(instrument.asset.min(assets - 1));
            if let Some(expiry) = case.board.assets[asset].expiries.get_mut(slot) {
                expiry.basis = edge(random);
            }
        }
    }
}

/// Outside the hard bounds too: governance can't write that, and the engine must not trip over it.
fn spoil_params(random: &mut Random, case: &mut Case) {
    let assets = usize::from(case.board.asset_count);
    let asset = &mut case.board.assets[random.index(assets)];
    let p = &mut asset.params;
    let fields = [
        &mut p.scan_range,
        &mut p.buffer,
        &mut p.basis,
        &mut p.spread,
        &mut p.option_spread,
        &mut p.depth,
        &mut p.concentration,
        &mut p.haircut_initial,
        &mut p.haircut_maintenance,
        &mut p.hedge_recognition,
    ];
    let at = random.index(fields.len() + 1);
    match fields.into_iter().nth(at) {
        Some(field) => *field = edge(random),
        None => asset.clusters[random.index(4)] = random.bits() as u8 % 12,
    }
}

fn spoil_portfolio(random: &mut Random, case: &mut Case) {
    let board = &mut case.board;
    match random.range(0, 3) {
        0 => board.maintenance_factor = edge(random),
        1 => board.shock_floor = edge(random),
        _ => board.effective_weights[random.index(4)] = edge(random),
    }
}
