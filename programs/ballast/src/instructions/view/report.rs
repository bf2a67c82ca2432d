//! What `preview` returns: one section at a time, at most 1,024 bytes.
use anchor_lang::prelude::*;
use ballast_risk::{MAX_LEVELS, SCENARIOS};

use crate::state::MarginMethod;

#[cfg(doc)]
use super::PreviewSection;

/// An account's margin; dollars in 10⁻⁸.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// IM.
    pub initial_margin: i64,
    /// MM.
    pub maintenance_margin: i64,
    /// R, the scan over the levels.
    pub scan: i64,
    /// Each level's part before its weight.
    pub levels: [i64; MAX_LEVELS],
    /// Spread and vega charges.
    pub charge: i64,
    /// Floor of short options.
    pub short_option_minimum: i64,
    /// Concentration charges.
    pub concentration: i64,
    /// Net-option-value charge.
    pub net_option_value: i64,
    /// Buffer.
    pub buffer: i64,
    /// Σ |notional|.
    pub gross: i64,
    /// E_im.
    pub equity_initial: i64,
    /// E_mm.
    pub equity_maintenance: i64,
    /// E_mm with stale legs moved in the account's favour: what decides a liquidation.
    pub equity_liquidation: i64,
    /// E_w.
    pub equity_withdrawal: i64,
    /// Unrealised profit and loss at the index, the value of options in it.
    pub unrealised: i64,
    /// E_mm / MM in 10⁻⁹; the largest number when MM is 0.
    pub health: i64,
    /// Whether the account may be flagged.
    pub liquidatable: bool,
    /// Σ credit_im: what cash may be owed against.
    pub credit_initial: i64,
    /// Cash, P&L and collateral without haircuts.
    pub equity_unhaircut: i64,
    /// The account's method.
    pub method: MarginMethod,
    /// What the method asks for by itself: where it is more than the parts above add up to, it is the IM. 0 for the portfolio's method.
    pub method_initial: i64,
    /// The same for the MM.
    pub method_maintenance: i64,
}

/// One asset's part; dollars in 10⁻⁸.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetSection {
    /// L(X_a).
    pub scan: i64,
    /// Its scenario.
    pub worst_scenario: u8,
    /// Σ_b L(X_b).
    pub bucket_sum: i64,
    /// H₁.
    pub matched_linear: i64,
    /// H.
    pub matched_all: i64,
    /// Spread charge before its cap.
    pub spread: i64,
    /// Vega charge before the cap.
    pub vega: i64,
    /// Spread and vega charges after their cap.
    pub charge: i64,
    /// Floor of short options.
    pub short_option_minimum: i64,
    /// Net-option-value charge.
    pub net_option_value: i64,
    /// Value of the options.
    pub option_value: i64,
    /// Concentration charge.
    pub concentration: i64,
    /// Buffer.
    pub buffer: i64,
    /// Net delta.
    pub net_delta: i64,
    /// P&L in each scenario.
    pub scenarios: [i64; SCENARIOS],
}

/// The positions one by one; dollars in 10⁻⁸.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Isolated {
    /// Σ of the isolated initial margins.
    pub initial_margin: i64,
    /// Σ of the isolated maintenance margins.
    pub maintenance_margin: i64,
    /// By how much the account's IM is below the first sum; negative where risky collateral asks for more than netting saves.
    pub saving_initial: i64,
    /// By how much the account's MM is below the second sum.
    pub saving_maintenance: i64,
}

/// Most assets on one page of greeks.
pub const GREEKS_PAGE: usize = 16;

/// One asset's sensitivities, those of the positions and of the collateral that covers them. A year has 365 days; a volatility point is 0.01.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetGreeks {
    /// Index on the board.
    pub asset: u8,
    /// Net delta in 10⁻⁹ of the asset's unit: as many units of it move alike. Held within the range of the number.
    pub delta_units: i64,
    /// By how much `delta_units` rises when the price rises by 1 %, 10⁻⁹ units. Held within the range of the number.
    pub gamma_units: i64,
    /// Net delta, dollars (10⁻⁸): what a rise by 100 % would earn at today's slope.
    pub delta: i64,
    /// By how much `delta` rises when the price rises by 1 %, the change of the price itself aside; dollars (10⁻⁸).
    pub gamma: i64,
    /// What a rise of all volatilities by one point earns, dollars (10⁻⁸).
    pub vega: i64,
    /// What a day earns, dollars (10⁻⁸); negative for bought options.
    pub theta: i64,
    /// Value of the collateral beyond what covers a short, dollars (10⁻⁸): not in `delta`.
    pub free_collateral: i64,
}

/// Sensitivities of the assets that the account holds.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeks {
    /// By index on the board.
    pub assets: Vec<AssetGreeks>,
    /// Where the next page starts, if there is one.
    pub next: Option<u8>,
}

/// The account's risk as a whole; dollars in 10⁻⁸.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskTotals {
    /// Σ delta.
    pub delta: i64,
    /// Σ gamma.
    pub gamma: i64,
    /// Σ vega.
    pub vega: i64,
    /// Σ theta.
    pub theta: i64,
    /// What a day loses with a probability of 1 %, delta-normal, on each asset's `delta`.
    pub value_at_risk: i64,
    /// The same with all collateral at its value.
    pub value_at_risk_with_collateral: i64,
}

/// How far one asset may move, in 10⁻⁹ of its price: −0.25 is a fall of 25 %.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DistanceReport {
    /// The farthest move looked at that the account survives, before the first that it does not.
    pub safe: i64,
    /// The nearest move looked at that makes it liquidatable, if there was one. Equal to `safe`: it is liquidatable at the start.
    pub liquidatable: Option<i64>,
}

/// The return data.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub enum PreviewReport {
    /// For [`PreviewSection::Summary`].
    Summary(Summary),
    /// For [`PreviewSection::Asset`].
    Asset(AssetSection),
    /// For [`PreviewSection::Isolated`].
    Isolated(Isolated),
    /// For [`PreviewSection::Greeks`].
    Greeks(Greeks),
    /// For [`PreviewSection::Risk`].
    Risk(RiskTotals),
    /// For [`PreviewSection::Distance`].
    Distance(DistanceReport),
}
