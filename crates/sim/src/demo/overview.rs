//! The opening and the end: what genesis made, and what each instruction cost.
use anchor_lang::prelude::Pubkey;
use ballast::state::{Collateral, InstrumentKind, RiskBoard};

use super::{Failure, Stage, SYMBOLS};
use crate::invariants::Invariant;
use crate::prices::date;
use crate::table::{decimal, grouped, price, Table};

/// Instruments in the order of genesis.
pub const INSTRUMENTS: [&str; 6] = [
    "BTC perpetual",
    "BTC future",
    "ETH perpetual",
    "ETH future",
    "SOL perpetual",
    "SOL future",
];

/// The name of an instrument on a board.
pub fn instrument_name(board: &RiskBoard, index: usize) -> String {
    let instrument = &board.instruments[index];
    let symbol = SYMBOLS[usize::from(instrument.asset)];
    let strike = decimal(instrument.strike.into(), 9, 0);
    match instrument.kind {
        k if k == InstrumentKind::Call as u8 => format!("{symbol} {strike} call"),
        k if k == InstrumentKind::Put as u8 => format!("{symbol} {strike} put"),
        k if k == InstrumentKind::Future as u8 && index >= INSTRUMENTS.len() => {
            format!("{symbol} future {}", &date::format(instrument.expiry)[5..10])
        }
        _ => INSTRUMENTS
            .get(index)
            .map_or_else(|| symbol.into(), |name| (*name).into()),
    }
}

/// Prints the exchange that genesis has made.
pub(super) fn genesis(stage: &mut Stage, size: usize) -> Result<(), Failure> {
    stage.say("Ballast: a clearing house from nothing to a liquidation, in the Solana VM")?;
    stage.say("==========================================================================\n")?;
    let world = &stage.world;
    let exchange = world.exchange_account();
    let mut collaterals = Table::new(&["collateral", "decimals", "haircut IM", "haircut MM", "cap"]);
    for (name, token) in [("USD", world.usd), ("BTC", world.btc), ("SOL", world.sol)] {
        let listed = world.read::<Collateral>(&world.exchange.collateral(&token.mint));
        let [initial, maintenance] = haircuts(stage, &listed);
        collaterals.row([
            name.into(),
            token.decimals.to_string(),
            percent(initial),
            percent(maintenance),
            decimal(listed.deposit_cap.into(), token.decimals.into(), 0),
        ]);
    }
    let board = world.board();
    let mut instruments = Table::new(&["instrument", "index price", "lot", "scan range", "buffer", "expiry"]);
    let listed = usize::from(exchange.instrument_count);
    for (name, instrument) in INSTRUMENTS.iter().zip(&board.instruments[..listed]) {
        let asset = &board.assets[usize::from(instrument.asset)];
        let symbol = SYMBOLS[usize::from(instrument.asset)];
        let is_perpetual = instrument.kind == InstrumentKind::Perpetual as u8;
        instruments.row([
            (*name).into(),
            price(asset.price.index),
            format!("{} {symbol}", decimal(instrument.lot_size.into(), 9, 4)),
            percent(asset.params.scan_range),
            percent(asset.params.buffer),
            if is_perpetual {
                "-".into()
            } else {
                date::format(instrument.expiry)[..10].into()
            },
        ]);
    }
    let counts = [
        ("collaterals", i64::from(exchange.collateral_count), 3),
        ("assets", i64::from(board.asset_count), 3),
        ("instruments", i64::from(exchange.instrument_count), 6),
    ];
    for (what, got, expected) in counts {
        stage.expect(what, got, expected)?;
    }
    let key: Pubkey = world.exchange.key;
    stage.say(format!(
        "Genesis. The program has {} bytes; the exchange is {key}.\n",
        grouped(size as i128)
    ))?;
    stage.say(collaterals)?;
    stage.say(instruments)
}

fn haircuts(stage: &Stage, collateral: &Collateral) -> [i64; 2] {
    if collateral.is_quote() {
        return [0, 0];
    }
    let params = stage.world.board().assets[usize::from(collateral.asset)].params;
    [params.haircut_initial, params.haircut_maintenance]
}

/// 10⁻⁹ in per cent.
fn percent(ratio: i64) -> String {
    format!("{} %", decimal(ratio.into(), 7, 1))
}

/// Prints after how many transactions each invariant was checked, and held.
pub(super) fn invariants(stage: &mut Stage) -> Result<(), Failure> {
    let watch = stage.watched()?;
    let mut table = Table::new(&["invariant", "transactions that it held after"]);
    for (invariant, held) in Invariant::ALL.into_iter().zip(watch.held) {
        table.row([format!("{invariant:?}  {}", invariant.says()), grouped(held.into())]);
        if held == 0 {
            return Err(Failure::Deviation(format!("{invariant:?} was never checked")));
        }
    }
    stage.say("Invariants\n")?;
    stage.say(table)?;
    stage.say(format!(
        "{} transactions went through and {} were refused, which moved nothing.\n",
        grouped(watch.transactions.into()),
        grouped(watch.refused.into())
    ))
}

/// Prints the most compute units of each instruction.
pub(super) fn compute(stage: &mut Stage) -> Result<(), Failure> {
    let mut table = Table::new(&["instruction", "most compute units"]);
    for (what, units) in &stage.compute {
        table.row([(*what).to_owned(), grouped((*units).into())]);
    }
    stage.say("Compute units\n")?;
    stage.say(table)
}
