//! Accounts on a board, mostly within the engine's domain of $20bn.
use ballast::state::{Balance, MarginAccount, Position, RiskBoard, MAX_BALANCES, MAX_POSITIONS, VERSION};

use crate::Bytes;

/// An account with positions sorted as the program keeps them.
pub fn account(bytes: &mut Bytes, board: &RiskBoard) -> Box<MarginAccount> {
    let mut account: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
    account.version = VERSION;
    account.method = bytes.pick(&[0, 0, 1, 2]);
    account.cash = bytes.magnitude(15) * if bytes.flag() { -1 } else { 1 };
    let digits = bytes.range(6, 17) as u32; // of a position's size, 10⁻⁸ dollars
    let listed = board.instruments.iter().take_while(|i| i.kind != 0).count();
    let mut open: Vec<u16> = (0..listed as u16).filter(|_| bytes.chance(60)).collect();
    open.truncate(MAX_POSITIONS);
    open.sort_by_key(|at| {
        let i = &board.instruments[usize::from(*at)];
        (i.asset, i.expiry, i.strike, *at)
    });
    account.position_count = open.len() as u8;
    for (slot, at) in open.iter().enumerate() {
        account.positions[slot] = position(bytes, board, *at, digits);
    }
    for n in 0..bytes.index(MAX_BALANCES + 1) {
        let asset = bytes.index(usize::from(board.asset_count)) as u8;
        account.balances[n] = balance(bytes, board, n as u8 + 1, asset, digits);
    }
    account
}

/// A quantity in 10⁻⁹ that is worth `value`, 10⁻⁸ dollars, at a price.
fn quantity(value: i64, price: i64) -> i64 {
    (i128::from(value) * 10_000_000_000 / i128::from(price.max(1))).clamp(1, 1_000_000_000_000_000_000) as i64
}

fn position(bytes: &mut Bytes, board: &RiskBoard, at: u16, digits: u32) -> Position {
    let instrument = board.instruments[usize::from(at)];
    let price = board.assets[usize::from(instrument.asset)].price.index;
    let value = bytes.magnitude(digits);
    let lots = match bytes.byte() {
        0..=7 => 0, // closed and not yet settled
        even if even % 2 == 0 => quantity(value, price) / instrument.lot_size,
        _ => -(quantity(value, price) / instrument.lot_size),
    };
    let quote = bytes.magnitude(digits) / 100 * if bytes.flag() { -1 } else { 1 };
    Position {
        instrument: at,
        asset: instrument.asset,
        kind: instrument.kind,
        generation: instrument.generation,
        expiry: instrument.expiry,
        strike: instrument.strike,
        lots,
        quote,
        entry_quote: quote,
        ..Position::default()
    }
}

fn balance(bytes: &mut Bytes, board: &RiskBoard, collateral: u8, asset: u8, digits: u32) -> Balance {
    let decimals = bytes.range(0, 9) as u8;
    let price = board.assets[usize::from(asset)].price.index;
    let quantity = quantity(bytes.magnitude(digits), price);
    Balance {
        collateral,
        asset,
        decimals,
        amount: quantity as u64 / 10u64.pow(9 - u32::from(decimals)),
        ..Balance::default()
    }
}
