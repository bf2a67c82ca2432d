//! Random boards and margin accounts, as the structs that the program reads.
use anchor_lang::prelude::Pubkey;
use ballast::state::{
    Asset, Balance, Expiry, Instrument, InstrumentKind, MarginAccount, Position, PriceFeed, RiskBoard, RiskParams,
    ScanRangeScale, MAX_ASSETS, MAX_BALANCES, MAX_EXPIRIES, MAX_INSTRUMENTS, MAX_POSITIONS, VERSION,
};
use ballast_fixed::{mul_div_ceil, Dollars, Ratio};
use ballast_risk::price_use::DEAD_AFTER;
use ballast_risk::{defaults, AssetParams, PortfolioParams};

use crate::random::Random;

/// Oldest fresh price, seconds.
const MAX_AGE: i64 = 60;
/// Seconds between two expiries.
const MONTH: i64 = 30 * 86_400;

/// A board and an account on it.
pub struct Case {
    /// The board.
    pub board: Box<RiskBoard>,
    /// The account.
    pub account: Box<MarginAccount>,
}

/// What an account is made like.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Any,
    Long,
    Short,
    /// The sides of an asset's positions alternate.
    Hedged,
    /// Long positions against collateral in the same asset.
    WrongWay,
    /// Short positions against collateral in the same asset.
    Covered,
}

/// The case of a seed: a valid board, and an account within the engine's domain (at most $20bn).
pub fn valid(seed: u64, exchange: Pubkey, now: i64) -> Case {
    let mut random = Random::new(seed);
    let mut board: Box<RiskBoard> = bytemuck::allocation::zeroed_box();
    board.version = VERSION;
    board.exchange = exchange;
    board.quote = quote_feed(&mut random, now);
    portfolio(&mut random, &mut board);
    let assets = match random.range(0, 9) {
        0 => MAX_ASSETS as i64,
        1..=4 => random.range(1, 3),
        _ => random.range(1, 12),
    };
    board.asset_count = assets as u8;
    for index in 0..assets as usize {
        board.assets[index] = asset(&mut random, now);
    }
    let listed = instruments(&mut random, &mut board, now);
    let mut account = account(&mut random, &board, &listed, exchange);
    account.method = if random.chance(50) { 0 } else { random.range(1, 2) as u8 };
    Case { board, account }
}

/// The quote asset: mostly near par, now and then off it, stale, or without any price.
fn quote_feed(random: &mut Random, now: i64) -> PriceFeed {
    let index = match random.range(0, 9) {
        0 => 0,
        1 | 2 => 1_000_000_000,
        3 => random.pick(&[979_999_999, 980_000_000]), // on both sides of what counts as par
        _ => random.range(900_000_000, 1_100_000_000),
    };
    PriceFeed {
        index,
        slow: index,
        publish_time: publish_time(random, now),
        max_age_seconds: MAX_AGE as u32,
        tight_ppm: 5_000,
        width: random.pick(&[0, 5_000_000, 5_000_001]),
        ..PriceFeed::default()
    }
}

/// Mostly fresh; else on either side of the ages that matter, or long ago.
fn publish_time(random: &mut Random, now: i64) -> i64 {
    now - match random.range(0, 9) {
        0 => MAX_AGE,
        1 => MAX_AGE + 1,
        2 => random.range(MAX_AGE + 1, DEAD_AFTER),
        3 => random.pick(&[DEAD_AFTER, DEAD_AFTER + 1]),
        4 => random.range(DEAD_AFTER + 1, 1_000_000),
        _ => random.range(0, MAX_AGE),
    }
}

/// Levels, factors and floors: mostly the defaults.
fn portfolio(random: &mut Random, board: &mut RiskBoard) {
    let mut params = PortfolioParams::DEFAULT;
    if random.chance(40) {
        let first = random.range(0, Ratio::SCALE);
        let second = random.range(0, Ratio::SCALE - first);
        let third = random.range(0, Ratio::SCALE - first - second);
        let last = Ratio::SCALE - first - second - third;
        params.level_weights = [first, second, third, last].map(Ratio);
        params.maintenance_factor = Ratio(random.range(0, Ratio::SCALE));
        params.shock_floor = Ratio(random.range(950_000_000, Ratio::SCALE));
    }
    params.validate().expect("within the hard bounds");
    board.level_weights = params.level_weights.map(|weight| weight.0);
    board.effective_weights = board.level_weights;
    board.maintenance_factor = params.maintenance_factor.0;
    board.shock_floor = params.shock_floor.0;
    board.net_option_value = params.net_option_value.0;
    board.vega_offset = params.vega_offset.0;
}

fn asset(random: &mut Random, now: i64) -> Asset {
    let index = random.range(1, 9) * random.magnitude(15); // 10⁻⁹ dollars, up to $9m
    let slow = if random.chance(40) {
        index
    } else {
        scaled(index, random.range(850, 1_150)).max(1)
    };
    let params = params(random);
    let confidence = random.range(0, index / 50);
    Asset {
        clusters: params.clusters,
        price: PriceFeed {
            index,
            slow,
            confidence,
            width: mul_div_ceil(confidence, Ratio::SCALE, index).expect("a part of it"),
            tight_ppm: 10_000,
            publish_time: publish_time(random, now),
            max_age_seconds: MAX_AGE as u32,
            ..PriceFeed::default()
        },
        params: RiskParams::from(&params),
        scale: scale(random, now),
        ..bytemuck::Zeroable::zeroed()
    }
}

/// Mostly at rest; else a multiple of ψ up to its cap that rose within the last quarter of an hour, from another one.
fn scale(random: &mut Random, now: i64) -> ScanRangeScale {
    if random.chance(60) {
        return ScanRangeScale::default();
    }
    let multiple = random.range(1_000_000, 2_500_000);
    let before = random.range(1_000_000, multiple) as u32;
    let risen = (now / 60 - random.range(0, 15)) as u32;
    ScanRangeScale {
        cap: 2_500_000,
        level: multiple as u64 * 3_600,
        time: now,
        risen,
        minutes: [before; 12],
        ..ScanRangeScale::default()
    }
}

/// value · thousandths / 1,000.
fn scaled(value: i64, thousandths: i64) -> i64 {
    (i128::from(value) * i128::from(thousandths) / 1_000) as i64
}

fn params(random: &mut Random) -> AssetParams {
    let mut p = random.pick(&[
        defaults::BTC,
        defaults::ETH,
        defaults::SOL,
        defaults::MID_CAP,
        defaults::STABLE,
    ]);
    let mut set = |field: &mut Ratio, percent: i64, highest: i64| {
        if random.chance(percent) {
            *field = Ratio(random.range(0, highest));
        }
    };
    set(&mut p.scan_range, 20, 950_000_000);
    set(&mut p.buffer, 10, 30_000_000);
    set(&mut p.basis, 10, 60_000_000);
    set(&mut p.spread, 10, 1_500_000_000);
    set(&mut p.option_spread, 10, 1_000_000_000);
    set(&mut p.concentration, 10, 200_000_000);
    set(&mut p.hedge_recognition, 10, 1_000_000_000);
    if random.chance(15) {
        p.haircut_initial = Ratio(random.range(0, Ratio::SCALE));
        p.haircut_maintenance = Ratio(random.range(0, p.haircut_initial.0));
    }
    if random.chance(30) {
        p.depth = Dollars(random.magnitude(15).max(AssetParams::MIN_DEPTH.0));
    }
    if random.chance(50) {
        // A cluster belongs to one level; those of the defaults, 1 and 2, stay where they are.
        p.clusters = [[0, 5], [1, 3], [2, 4], [6, 7]].map(|ids| random.pick(&[0, ids[0], ids[1]]));
    }
    p.validate().expect("within the hard bounds");
    p
}

/// Lists perpetuals and futures of every asset in random slots, several of one asset and expiry among them.
fn instruments(random: &mut Random, board: &mut RiskBoard, now: i64) -> Vec<u16> {
    let mut free: Vec<u16> = (0..MAX_INSTRUMENTS as u16).collect();
    let mut listed = Vec::new();
    for asset in 0..board.asset_count {
        let expiries = random.range(0, if board.asset_count > 12 { 2 } else { MAX_EXPIRIES as i64 });
        for slot in 0..expiries {
            board.assets[usize::from(asset)].expiries[slot as usize] = Expiry {
                time: now + (slot + 1) * MONTH,
                basis: basis(random),
                ..Expiry::default()
            };
        }
        let perpetuals = random.range(1, 2);
        let futures = if expiries == 0 {
            0
        } else {
            random.range(1, expiries + 1)
        };
        for n in 0..perpetuals + futures {
            let mut instrument = Instrument {
                asset,
                generation: random.bits() as u32,
                lot_size: 10i64.pow(random.range(0, 9) as u32),
                tick_size: 1,
                ..Instrument::default()
            };
            if n < perpetuals {
                instrument.kind = InstrumentKind::Perpetual as u8;
                instrument.basis = basis(random);
                let price = board.assets[usize::from(asset)].price.index;
                funding(random, price, now, &mut instrument);
            } else {
                let slot = random.range(0, expiries - 1);
                instrument.kind = InstrumentKind::Future as u8;
                instrument.expiry_slot = slot as u8;
                instrument.expiry = now + (slot + 1) * MONTH;
            }
            let at = free.swap_remove(random.index(free.len()));
            board.instruments[usize::from(at)] = instrument;
            listed.push(at);
        }
    }
    listed
}

/// Up to 2 % of the price paid so far, up to 0.5 % more over this hour or one that is over; none in one case of four.
fn funding(random: &mut Random, price: i64, now: i64, instrument: &mut Instrument) {
    if random.chance(75) {
        instrument.funding_index = random.sign() * scaled(price, random.range(0, 20));
        instrument.funding_rate = random.sign() * scaled(price, random.range(0, 5));
        instrument.funding_hour = now / 3_600 - random.pick(&[0, 0, 1, 30]);
    }
}

fn basis(random: &mut Random) -> i64 {
    if random.chance(50) {
        0
    } else {
        random.range(-50_000_000, 50_000_000)
    }
}

fn account(random: &mut Random, board: &RiskBoard, listed: &[u16], exchange: Pubkey) -> Box<MarginAccount> {
    let mut account: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
    account.version = VERSION;
    account.exchange = exchange;
    account.cash = random.sign() * random.magnitude(14);
    let style = random.pick(&[
        Style::Any,
        Style::Long,
        Style::Short,
        Style::Hedged,
        Style::WrongWay,
        Style::Covered,
    ]);
    let size = random.range(4, 17) as u32; // of a notional, 10⁻⁸ dollars
    let large = random.chance(20);
    let most = match random.range(0, 3) {
        0 if large => MAX_POSITIONS,
        _ if large => 24,
        _ => random.index(25),
    };
    let mut open: Vec<u16> = listed.to_vec();
    while open.len() > most {
        open.swap_remove(random.index(open.len()));
    }
    let key = |at: &u16| {
        let i = &board.instruments[usize::from(*at)];
        (i.asset, i.expiry, i.strike, *at)
    };
    open.sort_by_key(key);
    account.position_count = open.len() as u8;
    let mut side = 1;
    for (slot, at) in open.iter().enumerate() {
        side = match style {
            Style::Any => random.sign(),
            Style::Long | Style::WrongWay => 1,
            Style::Short | Style::Covered => -1,
            Style::Hedged => -side,
        };
        account.positions[slot] = position(random, board, *at, side, size);
    }
    let held: Vec<u8> = open
        .iter()
        .map(|at| board.instruments[usize::from(*at)].asset)
        .collect();
    let balances = match style {
        _ if large => MAX_BALANCES as i64,
        Style::WrongWay | Style::Covered => random.range(1, MAX_BALANCES as i64),
        _ => random.range(0, MAX_BALANCES as i64),
    };
    for n in 0..balances as usize {
        let matching = matches!(style, Style::WrongWay | Style::Covered) || random.chance(50);
        let asset = if matching && !held.is_empty() {
            random.pick(&held)
        } else {
            random.index(usize::from(board.asset_count)) as u8
        };
        account.balances[n] = balance(random, board, n as u8 + 1, asset, size);
    }
    account
}

/// A quantity in 10⁻⁹ whose value at this price is of the account's size, at most $500m.
fn quantity(random: &mut Random, price: i64, size: u32) -> i64 {
    let value = random.magnitude(size).min(50_000_000_000_000_000);
    (i128::from(value) * 10_000_000_000 / i128::from(price)).clamp(1, 1_000_000_000_000_000_000) as i64
}

fn position(random: &mut Random, board: &RiskBoard, at: u16, side: i64, size: u32) -> Position {
    let instrument = board.instruments[usize::from(at)];
    let price = board.assets[usize::from(instrument.asset)].price.index;
    let quantity = quantity(random, price, size);
    // A position that was closed and not yet settled has its quote alone.
    let lots = if random.chance(5) {
        0
    } else {
        side * (quantity / instrument.lot_size)
    };
    let paid = i128::from(price) * i128::from(side) * i128::from(quantity) / 1_000_000_000_000;
    let quote = if random.chance(20) {
        0
    } else {
        -(paid * i128::from(random.range(700, 1_300)) / 1_000) as i64
    };
    let paid = if random.chance(30) {
        1_000
    } else {
        random.range(0, 1_500)
    };
    let funding_index = scaled(instrument.funding_index, paid);
    Position {
        instrument: at,
        asset: instrument.asset,
        kind: instrument.kind,
        generation: instrument.generation,
        expiry: instrument.expiry,
        lots,
        quote,
        entry_quote: quote,
        funding_index,
        ..Position::default()
    }
}

fn balance(random: &mut Random, board: &RiskBoard, collateral: u8, asset: u8, size: u32) -> Balance {
    let price = board.assets[usize::from(asset)].price.index;
    let decimals = random.range(0, 9) as u8;
    let quantity = quantity(random, price, size);
    Balance {
        collateral,
        asset,
        decimals,
        amount: quantity as u64 / 10u64.pow(9 - u32::from(decimals)),
        ..Balance::default()
    }
}
