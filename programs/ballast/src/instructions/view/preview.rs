//! `preview`: what an account is worth and requires, as return data. Nobody signs and nothing is written.
use anchor_lang::prelude::*;
use ballast_fixed::Notional;
use ballast_risk::{isolated_linear, AssetReport, MAX_LEVELS, SCENARIOS};

use crate::error::{BallastError, OrError};
use crate::margin::{self, Evaluator};
use crate::state::{Exchange, MarginAccount, RiskBoard};

/// Which part of the report is asked for: return data holds 1,024 bytes.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewSection {
    /// Requirements, charges and equities of the account.
    Summary,
    /// One asset: charges and the 24 scenarios.
    Asset {
        /// Index on the board.
        asset: u8,
    },
    /// What the positions would require one by one, without collateral.
    Isolated,
}

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
}

/// The return data.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewReport {
    /// For [`PreviewSection::Summary`].
    Summary(Summary),
    /// For [`PreviewSection::Asset`].
    Asset(AssetSection),
    /// For [`PreviewSection::Isolated`].
    Isolated(Isolated),
}

/// Accounts of `preview`.
#[derive(Accounts)]
pub struct Preview<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The account.
    #[account(has_one = exchange @ BallastError::WrongExchange)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
}

/// Computes one section of the report.
pub(crate) fn preview<'info>(ctx: Context<'info, Preview<'info>>, section: PreviewSection) -> Result<PreviewReport> {
    let now = Clock::get()?.unix_timestamp;
    let board = ctx.accounts.board.load()?;
    let account = ctx.accounts.margin_account.load()?;
    match section {
        PreviewSection::Summary => summary(&board, &account, now),
        PreviewSection::Asset { asset } => asset_section(&board, &account, asset, now),
        PreviewSection::Isolated => isolated(&board, &account, now),
    }
}

fn summary(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<PreviewReport> {
    let r = margin::evaluate(board, account, now)?;
    Ok(PreviewReport::Summary(Summary {
        initial_margin: r.initial.0,
        maintenance_margin: r.maintenance.0,
        scan: r.scan.0,
        levels: r.levels.map(|level| level.0),
        charge: r.charge.0,
        short_option_minimum: r.short_option_minimum.0,
        concentration: r.concentration.0,
        net_option_value: r.net_option_value.0,
        buffer: r.buffer.0,
        gross: r.gross.0,
        equity_initial: r.equity_initial.0,
        equity_maintenance: r.equity_maintenance.0,
        equity_liquidation: r.equity_liquidation.0,
        equity_withdrawal: r.equity_withdrawal.0,
        unrealised: r.unrealised.0,
        health: r.health_ppb().unwrap_or(i64::MAX),
        liquidatable: r.is_liquidatable(),
    }))
}

fn asset_section(board: &RiskBoard, account: &MarginAccount, asset: u8, now: i64) -> Result<PreviewReport> {
    board.asset(asset)?;
    let positions = account.positions();
    let start = positions.partition_point(|p| p.asset < asset);
    let end = positions.partition_point(|p| p.asset <= asset);
    let legs = positions.get(start..end).ok_or(BallastError::PositionMissing)?;
    let mut r = Box::<AssetReport>::default();
    margin::evaluate_asset(board, asset, legs, &account.balances, now, &mut r)?;
    Ok(PreviewReport::Asset(AssetSection {
        scan: r.scan.0,
        worst_scenario: r.worst_scenario,
        bucket_sum: r.bucket_sum.0,
        matched_linear: r.matched_linear.0,
        matched_all: r.matched_all.0,
        spread: r.spread.0,
        vega: r.vega.0,
        charge: r.charge.0,
        short_option_minimum: r.short_option_minimum.0,
        net_option_value: r.net_option_value.0,
        option_value: r.option_value.0,
        concentration: r.concentration.0,
        buffer: r.buffer.0,
        net_delta: r.net_delta.0,
        scenarios: r.pnl,
    }))
}

fn isolated(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<PreviewReport> {
    let portfolio = board.portfolio_params();
    let mut evaluator = Evaluator::new(board, now);
    let mut report = Box::<AssetReport>::default();
    let mut sum = Isolated::default();
    for position in account.positions() {
        let instrument = board.instrument(position.instrument)?;
        let (initial, maintenance) = if instrument.is_option() {
            evaluator.asset(instrument.asset, &[*position], &[], &mut report)?;
            report.alone(&portfolio).or_error()?
        } else {
            let quantity = position.lots().quantity(instrument.lot_size()).or_error()?;
            let notional: Notional = board.mark(instrument, now)?.times(quantity);
            let params = board.asset(instrument.asset)?.params();
            isolated_linear(&params, &portfolio, notional).or_error()?
        };
        let add = |a: i64, b: i64| a.checked_add(b).ok_or(BallastError::MathOverflow);
        sum.initial_margin = add(sum.initial_margin, initial.0)?;
        sum.maintenance_margin = add(sum.maintenance_margin, maintenance.0)?;
    }
    Ok(PreviewReport::Isolated(sum))
}
