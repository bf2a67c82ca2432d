//! What a genesis lists.
use ballast::instructions::{ListAssetArgs, ListCollateralArgs, ListInstrumentArgs};
use ballast::oracle::{FeedConfig, PriceLimits, PriceSourceKind, SourceConfig};
use ballast::state::{AuctionParams, FeeSchedule, FeeTier, InstrumentKind, Limits, RiskParams, ScaleConfig};
use ballast_fixed::Dollars;
use ballast_risk::{defaults, AssetParams};

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Daily standard deviation of a mid cap, which [`assets`] replaces where it knows better.
const MID_CAP_VOLATILITY: i64 = defaults::DAILY_VOLATILITY[3].0;
/// One dollar in 10⁻⁸.
const DOLLAR: i64 = 100_000_000;

/// An asset, its instruments, and the collateral that it prices.
#[derive(Clone, Debug)]
pub struct AssetConfig {
    /// The asset.
    pub asset: ListAssetArgs,
    /// Deposit caps of its mint, if it is accepted as collateral.
    pub collateral: Option<ListCollateralArgs>,
    /// Its instruments.
    pub instruments: Vec<ListInstrumentArgs>,
}

/// 5 basis points for the taker and 2 for the maker, less for who trades more, down to 2.5 and a rebate of a half; a fifth of both to the
/// insurance fund, and a tenth of the taker's to its referrer.
pub const FEES: FeeSchedule = FeeSchedule {
    taker_ppm: 500,
    maker_ppm: 200,
    insurance_share_ppm: 200_000,
    referrer_share_ppm: 100_000,
    tiers: [
        tier(25_000_000, 400, 150),
        tier(100_000_000, 350, 100),
        tier(500_000_000, 300, 0),
        tier(2_000_000_000, 250, -50),
    ],
};

const fn tier(min_volume: u64, taker_ppm: u32, maker_ppm: i32) -> FeeTier {
    FeeTier {
        min_volume,
        taker_ppm,
        maker_ppm,
    }
}

/// A price band of 2 %, borrowing of up to 80 % of what is supplied, and trades of at least one dollar.
pub const LIMITS: Limits = Limits {
    price_band_ppm: 20_000,
    max_utilisation_ppm: 800_000,
    account_borrow_cap: 1_000_000_000_000,
    total_borrow_cap: 20_000_000_000_000,
    minimum_trade: 1_000_000,
};

/// The auction of margin.md section 8.
pub const AUCTION: AuctionParams = AuctionParams {
    start_cost_ppm: 50_000,
    end_cost_ppm: 600_000,
    ramp_seconds: 60,
    liquidator_share_ppm: 600_000,
    flag_timeout_seconds: 120,
    uncapped_after_seconds: 300,
    step_window_seconds: 10,
    step_cap_ppm: 200_000,
    step_cap_dollars: 25_000 * DOLLAR,
    dust_dollars: 100 * DOLLAR,
};

/// A Pyth feed: a minute old at most, at five slots a second, half a percent wide, and no faster than a quarter of a percent a second.
pub const fn pyth(feed_id: [u8; 32]) -> SourceConfig {
    SourceConfig {
        kind: PriceSourceKind::PythPull,
        base: 0,
        weight: 1,
        id: feed_id,
        queue: [0; 32],
        hash: [0; 32],
        max_age_seconds: 60,
        max_age_slots: 300,
        max_confidence_ppm: 20_000,
        max_step_ppm: 2_500,
    }
}

/// What is asked of an index: a minute old at most, tight up to half a percent; sources half a percent apart at most, and one by itself
/// within 30 % of the slow price, which has a time constant of an hour and moves at most 20 % an hour.
pub const PRICE_LIMITS: PriceLimits = PriceLimits {
    max_age_seconds: 60,
    tight_ppm: 5_000,
    slow_seconds: 3_600,
    slow_speed_ppm: 200_000,
    max_deviation_ppm: 5_000,
    max_slow_deviation_ppm: 300_000,
    primary_alone: true,
};

/// ψ grows to two and a half times the table's and falls back by a twentieth of it an hour.
pub const SCALE: ScaleConfig = ScaleConfig {
    scan_range_cap_ppm: 2_500_000,
    scan_range_fall_ppm: 50_000,
};

/// Fastest that a source by itself moves, 10⁻⁶ a second: 9 % in the minute for which a price counts. In a market that stands, one that is wrong by
/// a tenth does not pass then, though the update before it was missed; and none has moved half as fast for minutes, the print of one venue aside.
pub const LONE_STEP_PPM: u32 = 1_500;

/// A price with a Pyth feed as its one source.
pub fn feed(feed_id: [u8; 32]) -> FeedConfig {
    let source = SourceConfig {
        max_step_ppm: LONE_STEP_PPM,
        ..pyth(feed_id)
    };
    FeedConfig {
        sources: vec![source],
        limits: PRICE_LIMITS,
    }
}

/// An asset with a perpetual and one dated future.
pub fn asset(
    symbol: &str,
    feed_id: [u8; 32],
    params: &AssetParams,
    lot_size: i64,
    tick_size: i64,
    expiry: i64,
) -> AssetConfig {
    let mut name = [0; 8];
    for (slot, byte) in name.iter_mut().zip(symbol.bytes()) {
        *slot = byte;
    }
    let instrument = |kind, expiry| ListInstrumentArgs {
        kind,
        asset: 0,
        lot_size,
        tick_size,
        expiry,
        basis: 0,
        ..book(kind)
    };
    AssetConfig {
        asset: ListAssetArgs {
            symbol: name,
            feed: feed(feed_id),
            params: RiskParams::from(params),
            scale: SCALE,
            correlation_reference: correlation_reference(params),
            clusters: params.clusters,
            instrument_open_interest_cap: cap(params.depth, 40),
            owner_open_interest_cap: cap(params.depth, 10),
            daily_volatility: MID_CAP_VOLATILITY,
        },
        collateral: None,
        instruments: vec![
            instrument(InstrumentKind::Perpetual, 0),
            instrument(InstrumentKind::Future, expiry),
        ],
    }
}

/// Pairs with earlier assets of a cluster net less when their correlation falls under 0.65, or under 0.25 where only a level that weighs a
/// quarter joins them; docs/oracles.md has what these are chosen by.
const fn correlation_reference(params: &AssetParams) -> i64 {
    if params.clusters[1] != 0 {
        650_000_000
    } else {
        250_000_000
    }
}

/// The book of an instrument as genesis lists it, all else zero: 256 orders a side of ten lots at least; a perpetual is measured by 20,000
/// dollars and pays at most 0.1 % an hour.
pub fn book(kind: InstrumentKind) -> ListInstrumentArgs {
    let is_perpetual = matches!(kind, InstrumentKind::Perpetual);
    ListInstrumentArgs {
        kind,
        asset: 0,
        lot_size: 0,
        tick_size: 0,
        expiry: 0,
        basis: 0,
        strike: 0,
        book_capacity: 256,
        min_order_lots: 10,
        impact_notional: if is_perpetual { 20_000 * DOLLAR } else { 0 },
        max_funding_ppm: if is_perpetual { 1_000 } else { 0 },
    }
}

fn cap(depth: Dollars, multiple: i64) -> i64 {
    depth.0.saturating_mul(multiple)
}

/// Pyth's feed ids of the genesis assets.
pub mod feeds {
    /// BTC/USD.
    pub const BTC: [u8; 32] = hex("e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43");
    /// ETH/USD.
    pub const ETH: [u8; 32] = hex("ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace");
    /// SOL/USD.
    pub const SOL: [u8; 32] = hex("ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d");
    /// USDC/USD.
    pub const USDC: [u8; 32] = hex("eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a");

    const fn hex(text: &str) -> [u8; 32] {
        const fn digit(c: u8) -> u8 {
            match c {
                b'0'..=b'9' => c - b'0',
                _ => c - b'a' + 10,
            }
        }
        let (text, mut out, mut n) = (text.as_bytes(), [0; 32], 0);
        while n < 32 {
            out[n] = digit(text[2 * n]) * 16 + digit(text[2 * n + 1]);
            n += 1;
        }
        out
    }
}

/// The three assets of genesis, with a future that expires 60 days from `now`: BTC and SOL are collateral too.
///
/// A genesis that resumes later keeps the `now` of its first run: another expiry would be another future.
///
/// Lots are 0.0001 BTC, 0.001 ETH and 0.01 SOL; orders of 10, 30 and 60 of them may rest, some 100 dollars each.
pub fn assets(now: i64) -> Vec<AssetConfig> {
    let expiry = now.saturating_add(60 * DAY);
    let mut btc = asset("BTC", feeds::BTC, &defaults::BTC, 100_000, 100_000_000, expiry);
    let mut eth = asset("ETH", feeds::ETH, &defaults::ETH, 1_000_000, 10_000_000, expiry);
    let mut sol = asset("SOL", feeds::SOL, &defaults::SOL, 10_000_000, 1_000_000, expiry);
    btc.collateral = Some(ListCollateralArgs {
        asset: 0,
        deposit_cap: 2_000 * 100_000_000,
        owner_deposit_cap: 500 * 100_000_000,
    });
    sol.collateral = Some(ListCollateralArgs {
        asset: 0,
        deposit_cap: 500_000 * 1_000_000_000,
        owner_deposit_cap: 100_000 * 1_000_000_000,
    });
    for (config, least) in [(&mut eth, 30), (&mut sol, 60)] {
        for instrument in &mut config.instruments {
            instrument.min_order_lots = least;
        }
    }
    let mut assets = vec![btc, eth, sol];
    for (config, volatility) in assets.iter_mut().zip(defaults::DAILY_VOLATILITY) {
        config.asset.daily_volatility = volatility.0;
    }
    assets
}
