//! The exchange: who governs it, its fees and limits, and the addresses of its board and markets.
use anchor_lang::prelude::borsh::{BorshDeserialize, BorshSerialize}; // the derives of the prelude clash with zero_copy in the IDL
use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Ratio};
use ballast_risk::fees::{self, FeeTerms, MAX_TIERS};
use ballast_risk::liquidation::LiquidationParams;

use super::assert_layout;
use crate::error::{ensure, fail, BallastError, OrError};

/// Instruments that one exchange can list.
pub const MAX_INSTRUMENTS: usize = 256;
/// Collateral mints that one exchange accepts, the quote mint included.
pub const MAX_COLLATERALS: usize = 16;

/// What accounts of some volume pay of a trade, in 10⁻⁶ of its notional.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct FeeTier {
    /// Least notional that the account has traded in the last 30 days, whole dollars; 0 where the tier is unused.
    pub min_volume: u64,
    /// What the taker pays.
    pub taker_ppm: u32,
    /// What the maker pays; a rebate when negative.
    pub maker_ppm: i32,
}

/// Fees of a trade, in 10⁻⁶ of its notional, and how they are shared. A liquidation's fee is the insurance fund's part of its cost
/// ([`AuctionParams::liquidator_share_ppm`]): it is paid for margin freed, never by notional.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct FeeSchedule {
    /// What the taker pays.
    pub taker_ppm: u32,
    /// What the maker pays; a rebate when negative.
    pub maker_ppm: i32,
    /// The insurance fund's part of what both pay together, in 10⁻⁶.
    pub insurance_share_ppm: u32,
    /// The part of what a taker pays that its referrer has of the rest, in 10⁻⁶.
    pub referrer_share_ppm: u32,
    /// What accounts pay that have traded more; the used ones first.
    pub tiers: [FeeTier; MAX_TIERS],
}
assert_layout!(FeeTier, 16, min_volume = 0, taker_ppm = 8, maker_ppm = 12);
assert_layout!(
    FeeSchedule,
    80,
    taker_ppm = 0,
    maker_ppm = 4,
    insurance_share_ppm = 8,
    referrer_share_ppm = 12,
    tiers = 16
);

impl FeeSchedule {
    /// As the pure arithmetic takes it.
    pub fn terms(&self) -> FeeTerms {
        let tier = |min_volume, taker_ppm, maker_ppm| fees::FeeTier {
            min_volume,
            taker_ppm,
            maker_ppm,
        };
        FeeTerms {
            base: tier(0, self.taker_ppm, self.maker_ppm),
            tiers: self.tiers.map(|t| tier(t.min_volume, t.taker_ppm, t.maker_ppm)),
            insurance_share_ppm: self.insurance_share_ppm,
            referrer_share_ppm: self.referrer_share_ppm,
        }
    }
}

/// Bounds of what a trade or a borrower may do.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct Limits {
    /// Farthest that a block trade's price may lie from the mark, in 10⁻⁶ of the mark.
    pub price_band_ppm: u32,
    /// Largest part of the supplied quote that may be borrowed, in 10⁻⁶.
    pub max_utilisation_ppm: u32,
    /// Largest negative cash of one account, in quote units.
    pub account_borrow_cap: u64,
    /// Largest negative cash of all accounts together, in quote units.
    pub total_borrow_cap: u64,
    /// Smallest notional of a trade that opens a position, in quote units.
    pub minimum_trade: u64,
}

/// Parameters of the liquidation auction (margin.md section 8).
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, Default, PartialEq, Eq)]
#[borsh(crate = "anchor_lang::prelude::borsh")]
pub struct AuctionParams {
    /// Part of the freed maintenance margin that a step may cost when the clock starts, in 10⁻⁶.
    pub start_cost_ppm: u32,
    /// The same once the ramp is over.
    pub end_cost_ppm: u32,
    /// Seconds over which the cost rises.
    pub ramp_seconds: u32,
    /// The liquidator's part of the cost, in 10⁻⁶; the insurance fund has the rest.
    pub liquidator_share_ppm: u32,
    /// Seconds after which an unconfirmed flag restarts the clock.
    pub flag_timeout_seconds: u32,
    /// Age of a flag from which steps are no longer capped, in seconds.
    pub uncapped_after_seconds: u32,
    /// Window of the step cap, in seconds.
    pub step_window_seconds: u32,
    /// Step cap in 10⁻⁶ of the account's gross notional.
    pub step_cap_ppm: u32,
    /// Step cap in dollars (10⁻⁸): the larger of the two holds.
    pub step_cap_dollars: i64,
    /// Notional under which a leg counts as dust and may be closed whole, in dollars (10⁻⁸).
    pub dust_dollars: i64,
}

impl AuctionParams {
    /// As the risk engine takes them.
    pub fn risk(&self) -> LiquidationParams {
        LiquidationParams {
            start_cost: ppm(self.start_cost_ppm),
            end_cost: ppm(self.end_cost_ppm),
            ramp_seconds: self.ramp_seconds,
            liquidator_share: ppm(self.liquidator_share_ppm),
            flag_timeout_seconds: self.flag_timeout_seconds,
            uncapped_after_seconds: self.uncapped_after_seconds,
            step_window_seconds: self.step_window_seconds,
            step_cap: ppm(self.step_cap_ppm),
            step_cap_dollars: Dollars(self.step_cap_dollars),
            dust: Dollars(self.dust_dollars),
        }
    }
}

/// 10⁻⁶ as a ratio. Exact.
pub fn ppm(value: u32) -> Ratio {
    Ratio(i64::from(value).wrapping_mul(1_000)) // 2³² · 1,000 fits
}

/// One exchange: PDA of its id, created by `create_exchange`.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Exchange {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Collaterals listed so far, the quote mint included.
    pub collateral_count: u8,
    /// Zero.
    pub _padding: [u8; 3],
    /// Instruments listed so far.
    pub instrument_count: u16,
    /// Chosen at creation; part of the address.
    pub id: u64,
    /// Governs listing and parameters.
    pub authority: Pubkey,
    /// The risk board.
    pub board: Pubkey,
    /// The quote asset's mint.
    pub quote_mint: Pubkey,
    /// Trading fees.
    pub fees: FeeSchedule,
    /// Trading and borrowing limits.
    pub limits: Limits,
    /// The liquidation auction.
    pub auction: AuctionParams,
    /// May publish volatility surfaces; the default key where there is none.
    pub volatility_publisher: Pubkey,
    /// Room for further roles, the timelock queue and pauses.
    pub _reserved: [u8; 416],
    /// Market of each instrument slot; the default key where none is listed.
    pub markets: [Pubkey; MAX_INSTRUMENTS],
}
assert_layout!(
    Exchange,
    8_912,
    version = 0,
    id = 8,
    authority = 16,
    board = 48,
    quote_mint = 80,
    fees = 112,
    limits = 192,
    auction = 224,
    volatility_publisher = 272,
    markets = 720,
);

impl Exchange {
    /// Checks fees, limits and auction as a whole; called after every write.
    pub fn invariant(&self) -> Result<()> {
        self.fees.terms().validate().or_error()?;
        let l = &self.limits;
        ensure!(
            (1..=100_000).contains(&l.price_band_ppm)
                && l.max_utilisation_ppm <= 950_000
                && l.account_borrow_cap <= l.total_borrow_cap
                && l.total_borrow_cap <= i64::MAX as u64 / 4
                && l.minimum_trade <= 1_000_000_000,
            BallastError::InvalidParameter
        );
        self.auction.risk().validate().or_error()
    }

    /// The market recorded for an instrument.
    pub fn market(&self, instrument: u16) -> Result<Pubkey> {
        let recorded = self.markets.get(usize::from(instrument));
        recorded.copied().ok_or_else(|| fail(BallastError::InstrumentNotListed))
    }
}
