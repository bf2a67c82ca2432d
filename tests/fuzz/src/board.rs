//! Sound boards: everything within the bounds that listing, price updates and surface updates keep.
use ballast::state::{
    Asset, Expiry, Instrument, InstrumentKind, PriceFeed, RiskBoard, RiskParams, VolatilitySurface, MAX_EXPIRIES,
    VERSION,
};
use ballast_fixed::kernel::ln_price;
use ballast_fixed::{Dollars, Price, Ratio};
use ballast_risk::slow_surface::basis_bound;
use ballast_risk::{defaults, AssetParams, PortfolioParams, MAX_GROSS};

use crate::{Bytes, NOW};

/// Oldest fresh price, seconds.
const MAX_AGE: i64 = 60;
/// Largest strike that is listed, 10⁻⁹ dollars.
const MAX_STRIKE: i128 = 100_000_000_000_000_000;
/// Seconds to expiries: past, the last second, and up to two years.
const TENORS: [i64; 12] = [
    604_800, 2_592_000, 7_776_000, 86_400, 3_600, 3_599, 1, 0, -1, -604_800, 63_072_000, 7_200,
];

/// A board of up to six assets; without concentration when asked.
pub fn board(bytes: &mut Bytes, without_concentration: bool) -> Box<RiskBoard> {
    let mut board: Box<RiskBoard> = bytemuck::allocation::zeroed_box();
    board.version = VERSION;
    board.quote = quote(bytes);
    portfolio(bytes, &mut board);
    board.asset_count = bytes.range(1, 6) as u8;
    for index in 0..board.asset_count {
        board.assets[usize::from(index)] = asset(bytes, without_concentration);
    }
    instruments(bytes, &mut board);
    board
}

fn quote(bytes: &mut Bytes) -> PriceFeed {
    let index = if bytes.chance(80) {
        1_000_000_000
    } else {
        bytes.pick(&[979_999_999, 980_000_000, 0, 1_100_000_000, 1])
    };
    PriceFeed {
        index,
        slow: index,
        publish_time: NOW - age(bytes),
        max_age_seconds: MAX_AGE as u32,
        ..PriceFeed::default()
    }
}

/// Mostly fresh; else on either side of the ages that matter.
fn age(bytes: &mut Bytes) -> i64 {
    match bytes.byte() {
        0..=199 => 0,
        200..=239 => bytes.pick(&[MAX_AGE, MAX_AGE + 1, 3_600, 3_601]),
        _ => bytes.range(0, 1_000_000),
    }
}

fn portfolio(bytes: &mut Bytes, board: &mut RiskBoard) {
    let mut params = PortfolioParams::DEFAULT;
    if bytes.chance(30) {
        let first = bytes.range(0, Ratio::SCALE);
        let second = bytes.range(0, Ratio::SCALE - first);
        let third = bytes.range(0, Ratio::SCALE - first - second);
        let last = Ratio::SCALE - first - second - third;
        params.level_weights = [first, second, third, last].map(Ratio);
        params.maintenance_factor = Ratio(bytes.range(0, Ratio::SCALE));
        params.shock_floor = Ratio(bytes.range(950_000_000, Ratio::SCALE)); // no scan range is over it
        params.net_option_value = Ratio(bytes.range(0, Ratio::SCALE));
        params.vega_offset = Ratio(bytes.range(0, Ratio::SCALE));
    }
    params.validate().expect("within the hard bounds");
    board.level_weights = params.level_weights.map(|weight| weight.0);
    board.effective_weights = board.level_weights;
    board.maintenance_factor = params.maintenance_factor.0;
    board.shock_floor = params.shock_floor.0;
    board.net_option_value = params.net_option_value.0;
    board.vega_offset = params.vega_offset.0;
}

fn asset(bytes: &mut Bytes, without_concentration: bool) -> Asset {
    // From a millionth of a dollar to nine million.
    let index = bytes.range(1, 9) * 10i64.pow(bytes.range(3, 15) as u32);
    let slow = if bytes.chance(50) {
        (i128::from(index) * i128::from(bytes.range(500, 2_000)) / 1_000) as i64
    } else {
        index
    };
    let mut params = params(bytes);
    if without_concentration {
        params.concentration = Ratio::ZERO;
    }
    params.validate().expect("within the hard bounds");
    let mut asset = Asset {
        clusters: params.clusters,
        price: PriceFeed {
            index,
            slow: slow.max(1),
            confidence: bytes.range(0, index / 10),
            publish_time: NOW - age(bytes),
            max_age_seconds: MAX_AGE as u32,
            ..PriceFeed::default()
        },
        params: RiskParams::from(&params),
        ..bytemuck::Zeroable::zeroed()
    };
    let count = bytes.index(MAX_EXPIRIES.min(5));
    for slot in 0..count {
        let time = NOW + bytes.pick(&TENORS);
        if asset.expiries.iter().all(|e| e.time != time) {
            asset.expiries[slot] = expiry(bytes, time);
        }
    }
    asset
}

fn params(bytes: &mut Bytes) -> AssetParams {
    let mut p = bytes.pick(&[
        defaults::BTC,
        defaults::ETH,
        defaults::SOL,
        defaults::MID_CAP,
        defaults::STABLE,
    ]);
    if bytes.chance(40) {
        let one = Ratio::SCALE;
        p.scan_range = Ratio(bytes.range(0, 950_000_000));
        p.buffer = Ratio(bytes.range(0, one));
        p.basis = Ratio(bytes.range(0, one));
        p.spread = Ratio(bytes.range(0, 4 * one));
        p.option_spread = Ratio(bytes.range(0, 4 * one));
        p.short_option_minimum = Ratio(bytes.range(0, one));
        p.vol_up = Ratio(bytes.range(0, 10 * one));
        p.vol_down = Ratio(bytes.range(0, one));
        p.depth = Dollars(bytes.magnitude(18).clamp(AssetParams::MIN_DEPTH.0, MAX_GROSS.0));
        p.concentration = Ratio(bytes.range(0, one));
        p.haircut_initial = Ratio(bytes.range(0, one));
        p.haircut_maintenance = Ratio(bytes.range(0, p.haircut_initial.0));
        p.hedge_recognition = Ratio(bytes.range(0, one));
    }
    if bytes.chance(40) {
        // A cluster belongs to one level; those of the defaults, 1 and 2, stay where they are.
        p.clusters = [[0, 5], [1, 3], [2, 4], [6, 7]].map(|ids| bytes.pick(&[0, ids[0], ids[1]]));
    }
    p
}

fn expiry(bytes: &mut Bytes, time: i64) -> Expiry {
    let widest = basis_bound(time - NOW).expect("within two years").0;
    let surface = surface(bytes);
    Expiry {
        time,
        basis: if bytes.flag() { bytes.range(-widest, widest) } else { 0 },
        surface,
        slow_surface: if bytes.flag() { self::surface(bytes) } else { surface },
        surface_time: if bytes.chance(3) { 0 } else { NOW - age(bytes) },
        ..Expiry::default()
    }
}

fn surface(bytes: &mut Bytes) -> VolatilitySurface {
    let mut surface = VolatilitySurface {
        at_the_money: bytes.pick(&[650_000_000, 50_000_000, 3_000_000_000, 800_000_000]),
        ..VolatilitySurface::default()
    };
    if bytes.flag() {
        surface.at_the_money = bytes.range(50_000_000, 3_000_000_000);
        surface.skew = bytes.range(-250_000_000, 250_000_000);
        surface.curvature = bytes.range(0, 100_000_000);
        surface.variance_floor = bytes.range(0, Ratio::SCALE);
    }
    surface.risk().validate().expect("within the hard bounds");
    surface
}

/// Up to eight instruments of each asset from the first slot on.
fn instruments(bytes: &mut Bytes, board: &mut RiskBoard) {
    let mut next = 0;
    for asset in 0..board.asset_count {
        for _ in 0..bytes.range(1, 8) {
            let listed = &board.assets[usize::from(asset)];
            let expiries: Vec<u8> = (0..MAX_EXPIRIES as u8)
                .filter(|slot| listed.expiries[usize::from(*slot)].time != 0)
                .collect();
            let mut instrument = Instrument {
                kind: InstrumentKind::Perpetual as u8,
                asset,
                generation: 1,
                lot_size: 10i64.pow(bytes.range(0, 9) as u32),
                tick_size: 1,
                ..Instrument::default()
            };
            if !expiries.is_empty() && bytes.chance(85) {
                instrument.expiry_slot = bytes.pick(&expiries);
                instrument.expiry = listed.expiries[usize::from(instrument.expiry_slot)].time;
                instrument.kind = bytes.pick(&[
                    InstrumentKind::Call as u8,
                    InstrumentKind::Put as u8,
                    InstrumentKind::Future as u8,
                ]);
            }
            if instrument.is_option() {
                instrument.strike = strike(bytes, listed.price.index);
                instrument.ln_strike = ln_price(Price(instrument.strike)).0;
            }
            board.instruments[next] = instrument;
            next += 1;
        }
    }
}

/// Mostly within half and twice the index, else anything that can be listed.
fn strike(bytes: &mut Bytes, index: i64) -> i64 {
    let permille = if bytes.chance(80) {
        bytes.range(500, 2_000)
    } else {
        bytes.range(1, 1_000_000)
    };
    (i128::from(index) * i128::from(permille) / 1_000).clamp(1, MAX_STRIKE) as i64
}
