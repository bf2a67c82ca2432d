//! The table of section 4, with the clusters of section 2.
//!
//! Level 0 nets nothing, level 1 nets {BTC, ETH} as cluster 1, level 2 nets {BTC, ETH, SOL} as cluster 2.
use crate::{AssetParams, MAX_GROSS, MAX_LEVELS};
use ballast_fixed::{Dollars, Ratio};

const fn percent(tenths: i32) -> Ratio {
    Ratio::from_ppm(tenths.wrapping_mul(1_000)) // tenths of a percent, at most 1,000
}

const fn million_dollars(value: i64) -> Dollars {
    Dollars(value.wrapping_mul(100_000_000_000_000)) // at most 20,000 million
}

const ALONE: [u8; MAX_LEVELS] = [0, 0, 0, 0];

/// Standard deviations of a day, for the reported value at risk: BTC, ETH, SOL, mid cap (section 4).
pub const DAILY_VOLATILITY: [Ratio; 4] = [percent(32), percent(41), percent(60), percent(65)];

/// The largest ψ_eff over ψ, 10⁻⁶ (docs/oracles.md has what the dynamic parameters are chosen by).
pub const SCALE_CAP: u32 = crate::scan_scale::LARGEST_CAP;
/// How fast ψ_eff falls, 10⁻⁶ of ψ an hour: 5 %.
pub const SCALE_FALL_PER_HOUR: u32 = 50_000;
/// The correlation of BTC and ETH below which they net by less.
pub const REFERENCE_BTC_ETH: Ratio = percent(650);
/// The same of SOL with either of them.
pub const REFERENCE_SOL: Ratio = percent(250);

/// Bitcoin.
pub const BTC: AssetParams = AssetParams {
    scan_range: percent(95),
    buffer: percent(5),
    basis: percent(15),
    spread: percent(1_000),
    option_spread: percent(200),
    short_option_minimum: percent(10),
    vol_up: percent(400),
    vol_down: percent(250),
    depth: million_dollars(25),
    concentration: percent(20),
    haircut_initial: percent(150),
    haircut_maintenance: percent(100),
    hedge_recognition: Ratio::ONE,
    clusters: [0, 1, 2, 0],
};

/// Ether.
pub const ETH: AssetParams = AssetParams {
    scan_range: percent(120),
    basis: percent(20),
    depth: million_dollars(15),
    ..BTC
};

/// SOL.
pub const SOL: AssetParams = AssetParams {
    scan_range: percent(190),
    buffer: percent(10),
    basis: percent(30),
    short_option_minimum: percent(15),
    vol_up: percent(450),
    depth: million_dollars(5),
    concentration: percent(30),
    haircut_initial: percent(250),
    haircut_maintenance: percent(200),
    clusters: [0, 0, 2, 0],
    ..BTC
};

/// Any other volatile asset.
pub const MID_CAP: AssetParams = AssetParams {
    scan_range: percent(240),
    buffer: percent(10),
    basis: percent(40),
    short_option_minimum: percent(20),
    vol_up: percent(500),
    depth: million_dollars(1),
    concentration: percent(50),
    haircut_initial: percent(500),
    haircut_maintenance: percent(400),
    hedge_recognition: Ratio::ZERO,
    clusters: ALONE,
    ..BTC
};

/// A dollar stablecoin as collateral: haircuts alone.
pub const STABLE: AssetParams = AssetParams {
    scan_range: Ratio::ZERO,
    buffer: Ratio::ZERO,
    basis: Ratio::ZERO,
    spread: Ratio::ZERO,
    option_spread: Ratio::ZERO,
    short_option_minimum: Ratio::ZERO,
    vol_up: Ratio::ZERO,
    vol_down: Ratio::ZERO,
    depth: MAX_GROSS,
    concentration: Ratio::ZERO,
    haircut_initial: percent(20),
    haircut_maintenance: percent(10),
    hedge_recognition: Ratio::ZERO,
    clusters: ALONE,
};
