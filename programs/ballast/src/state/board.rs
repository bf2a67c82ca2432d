//! The risk board: every input of a margin check that is not the account's own.
use anchor_lang::prelude::borsh::{BorshDeserialize, BorshSerialize}; // the derives of the prelude clash with zero_copy in the IDL
use anchor_lang::prelude::*;
use ballast_fixed::kernel::Q48;
use ballast_fixed::{mul_div_floor, Dollars, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::price_use::Quality;
use ballast_risk::settlement_window::WINDOW_SECONDS;
use ballast_risk::surface::Surface;
use ballast_risk::{shock_logarithms, AssetParams, OptionLeg, PortfolioParams, ShockTable, MAX_LEVELS, SHOCKS};

use super::{
    assert_layout, CorrelationPair, PriceFeed, PriceSources, ScanRangeScale, Wide, MAX_INSTRUMENTS, MAX_PAIRS,
};
use crate::error::{ensure, fail, BallastError, OrError};

/// Assets on one board.
pub const MAX_ASSETS: usize = 32;
/// Expiries of one asset.
pub const MAX_EXPIRIES: usize = 12;
/// Index that stands for the quote asset's own feed where an asset is named.
pub const QUOTE_ASSET: u8 = u8::MAX;
/// Oldest surface on which options are traded or liquidated, seconds.
pub const MAX_SURFACE_AGE: i64 = ballast_risk::slow_surface::FRESH_SECONDS;

/// One expiry of an asset.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Unix seconds; 0 when the slot is free.
    pub time: i64,
    /// Forward = index · (1 + basis), 10⁻⁹.
    pub basis: i64,
    /// The volatility surface now.
    pub surface: VolatilitySurface,
    /// Its slow mean, which new risk is judged on as well.
    pub slow_surface: VolatilitySurface,
    /// When the surface was last published, unix seconds; 0 before the first.
    pub surface_time: i64,
    /// As of when the basis stands, unix seconds: the listing's time, then that of each publication. It may move only so far from there.
    pub basis_time: i64,
    /// The settlement average.
    pub settlement: SettlementRecord,
}

/// The average of index prints by which an expiry settles (margin.md section 5).
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SettlementRecord {
    /// Σ of the closed buckets' prints, 10⁻⁹ USD.
    pub sum: u64,
    /// The latest print of the open bucket, 10⁻⁹ USD; 0 where it has none.
    pub print: i64,
    /// The settlement price, 10⁻⁹ USD; 0 until it stands.
    pub price: i64,
    /// Number of the open bucket, from 1 on; 0 before the window.
    pub bucket: u16,
    /// Closed buckets that had a print.
    pub filled: u16,
    /// Zero.
    pub _padding: [u8; 4],
}
assert_layout!(
    SettlementRecord,
    32,
    sum = 0,
    print = 8,
    price = 16,
    bucket = 24,
    filled = 26
);

/// A volatility surface in standardised moneyness z (margin.md section 5): σ = σ_atm·(1 + skew·z + curvature·z²). 10⁻⁹ each.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct VolatilitySurface {
    /// σ_atm, a year.
    pub at_the_money: i64,
    /// Change of σ/σ_atm for each standard deviation that the strike lies above the forward.
    pub skew: i64,
    /// The same for each squared one.
    pub curvature: i64,
    /// Least total variance σ²T.
    pub variance_floor: i64,
}

impl VolatilitySurface {
    /// As the risk engine takes it.
    pub fn risk(&self) -> Surface {
        Surface {
            at_the_money: Ratio(self.at_the_money),
            skew: Ratio(self.skew),
            curvature: Ratio(self.curvature),
            variance_floor: Ratio(self.variance_floor),
        }
    }
}

impl From<&Surface> for VolatilitySurface {
    fn from(surface: &Surface) -> Self {
        VolatilitySurface {
            at_the_money: surface.at_the_money.0,
            skew: surface.skew.0,
            curvature: surface.curvature.0,
            variance_floor: surface.variance_floor.0,
        }
    }
}

impl Expiry {
    /// Whether options of the expiry may be traded or liquidated on its surface at `now`. From the expiry on nobody can publish another one,
    /// and what is left to move is the average: one that was fresh then stays so until the price stands.
    pub fn has_fresh_surface(&self, now: i64) -> bool {
        self.surface_time > 0 && self.surface_age(now) <= MAX_SURFACE_AGE
    }

    /// How old the surface is, up to the expiry, seconds.
    pub fn surface_age(&self, now: i64) -> i64 {
        now.min(self.time).saturating_sub(self.surface_time)
    }
}

/// An asset: its feed, its margin parameters and its expiries.
#[zero_copy]
#[derive(Debug)]
pub struct Asset {
    /// Name for people, zero-padded UTF-8.
    pub symbol: [u8; 8],
    /// Cluster of the asset on each level of the scan; 0 = alone.
    pub clusters: [u8; MAX_LEVELS],
    /// Zero.
    pub _padding: [u8; 4],
    /// The price.
    pub price: PriceFeed,
    /// Where it comes from.
    pub sources: PriceSources,
    /// Margin parameters, 10⁻⁹ each.
    pub params: RiskParams,
    /// Largest open interest of one instrument of the asset, dollars (10⁻⁸).
    pub instrument_open_interest_cap: i64,
    /// Largest open interest of one owner in the asset, dollars (10⁻⁸).
    pub owner_open_interest_cap: i64,
    /// Expiries in use.
    pub expiries: [Expiry; MAX_EXPIRIES],
    /// Standard deviation of a day, 10⁻⁹: for the reported value at risk alone.
    pub daily_volatility: i64,
    /// Shocks of the options, made at listing.
    pub shocks: StoredShocks,
    /// The index over time.
    pub index_history: IndexHistory,
    /// When the first settlement window of its expiries begins, unix seconds; the largest number without an expiry. Before it, none of its
    /// instruments is settling, and nothing asks them one by one.
    pub settles_from: i64,
    /// Realised variance and what ψ is multiplied by for it.
    pub scale: ScanRangeScale,
    /// Room to grow.
    pub _reserved: [u8; 64],
}

/// ∫ index dt, in 10⁻⁹ USD · seconds, from which a market takes what the index was over any time up to a day back.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct IndexHistory {
    /// Up to when `sum` stands, unix seconds; 0 before the first price.
    pub time: i64,
    /// The integral.
    pub sum: Wide,
    /// The last full hour before `time`, hours since 1970.
    pub hour: i64,
    /// The integral at that hour and the 23 before it, at the hour's number modulo 24.
    pub hours: [Wide; 24],
}
assert_layout!(IndexHistory, 416, time = 0, sum = 8, hour = 24, hours = 32);

/// ln(1 + δ) of the scenarios' price shocks, so that no margin check computes them.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StoredShocks {
    /// ψ that they were made for. Where it is not the asset's, or the next not the board's, the engine computes its own.
    pub scan_range: i64,
    /// Shock floor that they were made for; never 0 but where none are stored.
    pub shock_floor: i64,
    /// In units of 2⁻⁴⁸, in the engine's order.
    pub logarithms: [i64; SHOCKS],
}

impl StoredShocks {
    /// Of a scan range and shock floor.
    ///
    /// # Errors
    /// [`BallastError::InvalidParameter`] for a range beyond the floor.
    pub fn new(scan_range: i64, shock_floor: i64) -> Result<StoredShocks> {
        Ok(StoredShocks {
            scan_range,
            shock_floor,
            logarithms: shock_logarithms(Ratio(scan_range), Ratio(shock_floor)).or_error()?,
        })
    }

    /// As the risk engine takes them.
    pub fn risk(&self) -> ShockTable<'_> {
        ShockTable {
            scan_range: Ratio(self.scan_range),
            floor: Ratio(self.shock_floor),
            logarithms: &self.logarithms,
        }
    }
}

/// The margin table of one asset (margin.md section 4); ratios in 10⁻⁹, the depth in dollars (10⁻⁸).
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct RiskParams {
    /// ψ, the price scan range.
    pub scan_range: i64,
    /// b, the buffer.
    pub buffer: i64,
    /// β, the basis charge.
    pub basis: i64,
    /// λ, the spread charge of linear legs.
    pub spread: i64,
    /// λ_o, the spread charge of other legs.
    pub option_spread: i64,
    /// Floor of a short option.
    pub short_option_minimum: i64,
    /// Volatility shock up.
    pub vol_up: i64,
    /// Volatility shock down.
    pub vol_down: i64,
    /// D, the depth.
    pub depth: i64,
    /// ρ, the concentration slope.
    pub concentration: i64,
    /// Haircut for new risk.
    pub haircut_initial: i64,
    /// Haircut for liquidation.
    pub haircut_maintenance: i64,
    /// η, how far collateral hedges.
    pub hedge_recognition: i64,
}

impl RiskParams {
    /// As the risk engine takes them.
    pub fn with_clusters(&self, clusters: [u8; MAX_LEVELS]) -> AssetParams {
        AssetParams {
            scan_range: Ratio(self.scan_range),
            buffer: Ratio(self.buffer),
            basis: Ratio(self.basis),
            spread: Ratio(self.spread),
            option_spread: Ratio(self.option_spread),
            short_option_minimum: Ratio(self.short_option_minimum),
            vol_up: Ratio(self.vol_up),
            vol_down: Ratio(self.vol_down),
            depth: Dollars(self.depth),
            concentration: Ratio(self.concentration),
            haircut_initial: Ratio(self.haircut_initial),
            haircut_maintenance: Ratio(self.haircut_maintenance),
            hedge_recognition: Ratio(self.hedge_recognition),
            clusters,
        }
    }
}

impl From<&AssetParams> for RiskParams {
    fn from(p: &AssetParams) -> Self {
        RiskParams {
            scan_range: p.scan_range.0,
            buffer: p.buffer.0,
            basis: p.basis.0,
            spread: p.spread.0,
            option_spread: p.option_spread.0,
            short_option_minimum: p.short_option_minimum.0,
            vol_up: p.vol_up.0,
            vol_down: p.vol_down.0,
            depth: p.depth.0,
            concentration: p.concentration.0,
            haircut_initial: p.haircut_initial.0,
            haircut_maintenance: p.haircut_maintenance.0,
            hedge_recognition: p.hedge_recognition.0,
        }
    }
}

impl Asset {
    /// Basis over the index of the mark of one of the asset's instruments, a listed one.
    pub fn basis(&self, instrument: &Instrument) -> Result<Ratio> {
        if instrument.kind == InstrumentKind::Perpetual as u8 {
            return Ok(Ratio(instrument.basis));
        }
        Ok(Ratio(self.expiry(instrument)?.basis))
    }

    /// The expiry of one of the asset's instruments.
    pub fn expiry(&self, instrument: &Instrument) -> Result<&Expiry> {
        self.expiries
            .get(usize::from(instrument.expiry_slot))
            .ok_or_else(|| fail(BallastError::InstrumentNotListed))
    }

    /// Whether an instrument of the asset may be priced where risk is added or taken over: its price is fresh, and an option's surface. What
    /// has a settlement price needs neither.
    pub fn is_fresh(&self, instrument: &Instrument, now: i64) -> Result<bool> {
        if self.settled(instrument, now)?.is_some() {
            return Ok(true);
        }
        let surface = !instrument.is_option() || self.expiry(instrument)?.has_fresh_surface(now);
        Ok(surface && self.price.is_fresh(now))
    }

    /// Margin parameters as the risk engine takes them.
    pub fn params(&self) -> AssetParams {
        self.params.with_clusters(self.clusters)
    }
}

/// Largest price that governance may set, 10⁻⁹ USD: a hundred million dollars.
pub const MAX_PRICE: i64 = 100_000_000_000_000_000;
/// How many times over or under the index it may lie.
const FARTHEST_PRICE: i64 = 1_000;

/// Whether a strike or a settlement price is of the size of the index, a positive one.
pub fn is_near(price: i64, index: i64) -> bool {
    let least = index.unsigned_abs().div_ceil(FARTHEST_PRICE.unsigned_abs()) as i64; // less than a 63-bit number
    (least..=index.saturating_mul(FARTHEST_PRICE)).contains(&price)
}

/// price · (1 + basis), rounded down.
pub fn mark(price: Price, basis: Ratio) -> Result<Price> {
    ensure!(price.0 > 0, BallastError::PriceMissing);
    if basis == Ratio::ZERO {
        return Ok(price); // the common case needs no division
    }
    price.scaled_floor(basis).or_error()
}

/// What an instrument is.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[borsh(use_discriminant = false)]
#[repr(u8)]
pub enum InstrumentKind {
    /// A future without expiry, marked at the index and its book's basis.
    Perpetual = 1,
    /// A dated future.
    Future = 2,
    /// A European call, paid in the quote asset.
    Call = 3,
    /// A European put.
    Put = 4,
}

/// One listed instrument.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Instrument {
    /// [`InstrumentKind`] as a number; 0 where nothing is listed.
    pub kind: u8,
    /// Index of the underlying asset.
    pub asset: u8,
    /// Index of the expiry among the asset's; unused for a perpetual.
    pub expiry_slot: u8,
    /// Zero.
    pub _padding: u8,
    /// Counts what the slot has held; positions carry it.
    pub generation: u32,
    /// A lot, in 10⁻⁹ of the asset's unit.
    pub lot_size: i64,
    /// A tick, in 10⁻⁹ USD.
    pub tick_size: i64,
    /// Unix seconds; 0 for a perpetual.
    pub expiry: i64,
    /// 10⁻⁹ USD; 0 for a linear instrument.
    pub strike: i64,
    /// Perpetual: mean basis of the book over the index, 10⁻⁹.
    pub basis: i64,
    /// Option: ln K in units of 2⁻⁴⁸, computed at listing.
    pub ln_strike: i64,
    /// Perpetual: what a unit held long has paid since the listing, 10⁻⁹ USD, up to the beginning of `funding_hour`.
    pub funding_index: i64,
    /// Perpetual: what a unit held long pays over `funding_hour`, evenly, 10⁻⁹ USD.
    pub funding_rate: i64,
    /// Perpetual: the hour that `funding_rate` is of, hours since 1970.
    pub funding_hour: i64,
    /// Perpetual: when a delisting ends trading, unix seconds; 0 while there is none. Then `expiry_slot` has its settlement.
    pub ends_at: i64,
    /// Room for the loss index.
    pub _reserved: [u64; 5],
}

impl Instrument {
    /// The kind, or an error where the slot is free.
    pub fn kind(&self) -> Result<InstrumentKind> {
        match self.kind {
            1 => Ok(InstrumentKind::Perpetual),
            2 => Ok(InstrumentKind::Future),
            3 => Ok(InstrumentKind::Call),
            4 => Ok(InstrumentKind::Put),
            _ => Err(fail(BallastError::InstrumentNotListed)),
        }
    }

    /// Whether it is an option: the kinds from [`InstrumentKind::Call`] on are.
    pub fn is_option(&self) -> bool {
        self.kind >= InstrumentKind::Call as u8
    }

    /// A position of this size in the option, as the risk engine takes it.
    pub fn option_leg(&self, quantity: Quantity, quote: QuoteAmount) -> OptionLeg {
        OptionLeg {
            strike: Price(self.strike),
            ln_strike: Q48(self.ln_strike),
            call: self.kind == InstrumentKind::Call as u8,
            quantity,
            quote: Notional::from_quote(quote),
        }
    }

    /// A lot's quantity.
    pub fn lot_size(&self) -> Quantity {
        Quantity(self.lot_size)
    }

    /// A perpetual's basis over the index.
    pub fn basis(&self) -> Ratio {
        Ratio(self.basis)
    }

    /// When trading ends: the expiry, or that of a delisting; unix seconds, 0 where none is known.
    pub fn ends(&self) -> i64 {
        self.expiry.max(self.ends_at) // only one of them is set
    }

    /// Whether trading has ended at `now`.
    pub fn is_expired(&self, now: i64) -> bool {
        self.ends() != 0 && now >= self.ends()
    }

    /// Whether its settlement window has begun at `now`.
    pub fn is_settling(&self, now: i64) -> bool {
        self.ends() != 0 && now >= self.ends().saturating_sub(WINDOW_SECONDS)
    }
}

/// Prices, parameters and instruments of one exchange. Created by the client at its full size and taken over by `create_exchange`.
#[account(zero_copy)]
#[derive(Debug)]
pub struct RiskBoard {
    /// Layout version.
    pub version: u8,
    /// Assets listed.
    pub asset_count: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// The exchange that the board belongs to.
    pub exchange: Pubkey,
    /// The quote asset in USD.
    pub quote: PriceFeed,
    /// Its sources.
    pub quote_sources: PriceSources,
    /// Weights of the scan's levels as governed, 10⁻⁹; they add up to one.
    pub level_weights: [i64; MAX_LEVELS],
    /// Maintenance as a part of K, 10⁻⁹.
    pub maintenance_factor: i64,
    /// Deepest fall that a scenario applies, 10⁻⁹.
    pub shock_floor: i64,
    /// Part of a portfolio's option value that is charged, 10⁻⁹.
    pub net_option_value: i64,
    /// Part of offsetting vega that is charged, 10⁻⁹.
    pub vega_offset: i64,
    /// Weights of the levels in force: less netting where correlations have broken down; they add up to one.
    pub effective_weights: [i64; MAX_LEVELS],
    /// The pairs that the levels join.
    pub pairs: [CorrelationPair; MAX_PAIRS],
    /// Room to grow.
    pub _reserved: [u8; 240],
    /// Assets by index.
    pub assets: [Asset; MAX_ASSETS],
    /// Instruments by index.
    pub instruments: [Instrument; MAX_INSTRUMENTS],
}
assert_layout!(
    VolatilitySurface,
    32,
    at_the_money = 0,
    skew = 8,
    curvature = 16,
    variance_floor = 24
);
assert_layout!(
    Expiry,
    128,
    time = 0,
    basis = 8,
    surface = 16,
    slow_surface = 48,
    surface_time = 80,
    basis_time = 88,
    settlement = 96
);
assert_layout!(
    Asset,
    3_040,
    symbol = 0,
    clusters = 8,
    price = 16,
    sources = 112,
    params = 664,
    expiries = 784,
    daily_volatility = 2_320,
    shocks = 2_328,
    index_history = 2_440,
    settles_from = 2_856,
    scale = 2_864
);
assert_layout!(StoredShocks, 112, scan_range = 0, shock_floor = 8, logarithms = 16);
assert_layout!(
    Instrument,
    128,
    kind = 0,
    asset = 1,
    generation = 4,
    lot_size = 8,
    tick_size = 16,
    expiry = 24,
    strike = 32,
    basis = 40,
    ln_strike = 48,
    funding_index = 56,
    funding_rate = 64,
    funding_hour = 72,
    ends_at = 80
);
assert_layout!(
    RiskBoard,
    131_840,
    version = 0,
    asset_count = 1,
    exchange = 8,
    quote = 40,
    quote_sources = 136,
    level_weights = 688,
    effective_weights = 752,
    pairs = 784,
    assets = 1_792,
    instruments = 99_072,
);

impl RiskBoard {
    /// Portfolio parameters as the risk engine takes them.
    pub fn portfolio_params(&self) -> PortfolioParams {
        PortfolioParams {
            maintenance_factor: Ratio(self.maintenance_factor),
            shock_floor: Ratio(self.shock_floor),
            level_weights: self.effective_weights.map(Ratio),
            net_option_value: Ratio(self.net_option_value),
            vega_offset: Ratio(self.vega_offset),
        }
    }

    /// The asset at `index`, which must be listed.
    pub fn asset(&self, index: u8) -> Result<&Asset> {
        ensure!(index < self.asset_count, BallastError::AssetNotListed);
        self.assets
            .get(usize::from(index))
            .ok_or_else(|| fail(BallastError::AssetNotListed))
    }

    /// The same to be changed.
    pub fn asset_mut(&mut self, index: u8) -> Result<&mut Asset> {
        ensure!(index < self.asset_count, BallastError::AssetNotListed);
        self.assets
            .get_mut(usize::from(index))
            .ok_or_else(|| fail(BallastError::AssetNotListed))
    }

    /// The price of an asset and its sources, to be changed; [`QUOTE_ASSET`] names the quote asset.
    pub fn price_mut(&mut self, asset: u8) -> Result<(&mut PriceFeed, &mut PriceSources)> {
        if asset == QUOTE_ASSET {
            return Ok((&mut self.quote, &mut self.quote_sources));
        }
        let asset = self.asset_mut(asset)?;
        Ok((&mut asset.price, &mut asset.sources))
    }

    /// The price that a staked token's is made of; `None` for another asset.
    pub fn base_of(&self, asset: u8) -> Result<Option<PriceFeed>> {
        if asset == QUOTE_ASSET {
            return Ok(None);
        }
        let sources = &self.asset(asset)?.sources;
        if !sources.is_staked() {
            return Ok(None);
        }
        Ok(Some(self.asset(sources.sources[0].base)?.price))
    }

    /// The instrument at `index`, which must be listed.
    pub fn instrument(&self, index: u16) -> Result<&Instrument> {
        let instrument = self
            .instruments
            .get(usize::from(index))
            .ok_or(BallastError::InstrumentNotListed)?;
        instrument.kind()?;
        Ok(instrument)
    }

    /// The first index under which nothing is listed.
    ///
    /// # Errors
    /// [`BallastError::BoardFull`] when there is none.
    pub fn free_index(&self) -> Result<u16> {
        let free = self.instruments.iter().position(|i| i.kind == 0);
        free.and_then(|index| u16::try_from(index).ok())
            .ok_or_else(|| fail(BallastError::BoardFull))
    }

    /// Frees the slot of a listed instrument, which keeps its generation, and with the last one of an expiry that expiry's.
    pub fn free_instrument(&mut self, index: u16) -> Result<()> {
        let listed = *self.instrument(index)?;
        let slot = self
            .instruments
            .get_mut(usize::from(index))
            .ok_or(BallastError::InstrumentNotListed)?;
        *slot = Instrument {
            generation: listed.generation,
            ..Instrument::default()
        };
        let shares = |other: &Instrument| {
            let dated = other.kind != 0 && other.ends() != 0;
            dated && other.asset == listed.asset && other.expiry_slot == listed.expiry_slot
        };
        if !self.instruments.iter().any(shares) {
            *self.expiry_mut(listed.asset, listed.ends())? = Expiry::default();
            if let Some(asset) = self.assets.get_mut(usize::from(listed.asset)) {
                asset.note_settlements();
            }
        }
        Ok(())
    }

    /// The expiry of an asset at a time.
    ///
    /// # Errors
    /// [`BallastError::InvalidExpiry`] where there is none.
    pub fn expiry_mut(&mut self, asset: u8, time: i64) -> Result<&mut Expiry> {
        ensure!(asset < self.asset_count && time != 0, BallastError::InvalidExpiry);
        let listed = self.assets.get_mut(usize::from(asset));
        listed
            .and_then(|listed| listed.expiries.iter_mut().find(|e| e.time == time))
            .ok_or_else(|| fail(BallastError::InvalidExpiry))
    }

    /// Mark of an instrument built on the index, an option's by the surface now; rounded down.
    pub fn mark(&self, instrument: &Instrument, now: i64) -> Result<Price> {
        let asset = self.asset(instrument.asset)?;
        if !instrument.is_option() {
            return asset.linear_mark(instrument, asset.price.index(), now);
        }
        if let Some(payoff) = asset.settled(instrument, now)? {
            return Ok(payoff);
        }
        let expiry = asset.expiry(instrument)?.risk(&asset.price, now)?;
        let leg = instrument.option_leg(Quantity(0), QuoteAmount::ZERO);
        expiry.option_mark(&leg).or_error()
    }

    /// What the size of an instrument is measured by: a linear one's mark, and the index for an option, whose own mark says little of it.
    pub fn size_price(&self, instrument: &Instrument, mark: Price) -> Result<Price> {
        if instrument.is_option() {
            return Ok(self.asset(instrument.asset)?.price.index());
        }
        Ok(mark)
    }

    /// Mark of a linear instrument built on the slow price.
    pub fn slow_mark(&self, instrument: &Instrument, now: i64) -> Result<Price> {
        let asset = self.asset(instrument.asset)?;
        asset.linear_mark(instrument, asset.price.slow(), now)
    }

    /// Dollars in the quote asset, which is never taken for less than a dollar; rounded down.
    pub fn in_quote(&self, amount: Dollars) -> Result<QuoteAmount> {
        let dear = self.quote.index.max(Ratio::SCALE);
        if dear == Ratio::SCALE {
            return Ok(amount.quote_floor());
        }
        let amount = mul_div_floor(amount.0, Ratio::SCALE, dear).or_error()?;
        Ok(Dollars(amount).quote_floor())
    }

    /// Quote/USD in 10⁻⁹ and whether new risk may rest on it: fresh, tight and at least 0.98.
    pub fn quote_state(&self, now: i64) -> (Ratio, bool) {
        const FLOOR: i64 = 980_000_000;
        let trusted = self.quote.quality(now) == Quality::Tight && self.quote.index >= FLOOR;
        let price = if self.quote.index > 0 {
            self.quote.index
        } else {
            Ratio::SCALE
        };
        (Ratio(price), trusted)
    }
}
