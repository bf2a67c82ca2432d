//! `preview`: what an account is worth and requires, now or after changes, as return data. Nobody signs and nothing is written.
use anchor_lang::prelude::*;
use ballast_fixed::Notional;
use ballast_risk::{isolated_linear, AssetReport};

use super::{distance, greeks, what_if};
use super::{AssetSection, Isolated, PreviewChange, PreviewReport, Summary};
use crate::error::{BallastError, OrError};
use crate::margin::{self, Evaluator};
use crate::state::{Exchange, MarginAccount, RiskBoard};

/// Which part of the report is asked for: return data holds 1,024 bytes.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewSection {
    /// Requirements, charges and equities of the account.
    Summary,
    /// One asset: charges and the 24 scenarios, by the portfolio's method whatever the account's is.
    Asset {
        /// Index on the board.
        asset: u8,
    },
    /// What the positions would require one by one, without collateral, and what the account's requirement saves.
    Isolated,
    /// Sensitivities of the assets that the account holds, up to [`super::GREEKS_PAGE`] of them.
    Greeks {
        /// The index to start at.
        first: u8,
    },
    /// Sensitivities of the account and its one-day value at risk.
    Risk,
    /// The nearest move of one asset's price that makes the account liquidatable: prices of the asset move alike, bases, volatility surfaces
    /// and time stand still.
    Distance {
        /// Index on the board.
        asset: u8,
        /// The move to start at, 10⁻⁹ of the price; 0 is where the price is.
        from: i64,
        /// The move to end at, above or below; both within −10⁹ (the price falls to its least) and 10¹⁰ (it rises by 1,000 %).
        to: i64,
        /// In how many steps the way is walked before the first that the account does not survive is looked into; at least one.
        steps: u8,
    },
}

/// A section of the report, of the account as it is or after changes.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct PreviewRequest {
    /// Which section.
    pub section: PreviewSection,
    /// What changes first, in this order; at most [`super::MAX_CHANGES`].
    pub changes: Vec<PreviewChange>,
}

/// Accounts of `preview`. Behind them come the collaterals that changes add and the account does not hold.
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
///
/// # Errors
/// Those of the margin; a change that could not happen by what is wrong with it, see [`PreviewChange`].
pub(crate) fn preview<'info>(ctx: Context<'info, Preview<'info>>, request: PreviewRequest) -> Result<PreviewReport> {
    let now = Clock::get()?.unix_timestamp;
    let board = ctx.accounts.board.load()?;
    let account = ctx.accounts.margin_account.load()?;
    if request.changes.is_empty() {
        return section(&board, &account, request.section, now);
    }
    let changed = what_if::apply(ctx.accounts, ctx.remaining_accounts, &request.changes, now)?;
    section(&board, &changed, request.section, now)
}

fn section(board: &RiskBoard, account: &MarginAccount, section: PreviewSection, now: i64) -> Result<PreviewReport> {
    match section {
        PreviewSection::Summary => summary(board, account, now),
        PreviewSection::Asset { asset } => asset_section(board, account, asset, now),
        PreviewSection::Isolated => isolated(board, account, now),
        PreviewSection::Greeks { first } => greeks::page(board, account, first, now),
        PreviewSection::Risk => greeks::totals(board, account, now),
        PreviewSection::Distance { asset, from, to, steps } => {
            distance::nearest(board, account, asset, [from, to], steps, now)
        }
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
        credit_initial: r.credit_initial.0,
        equity_unhaircut: r.equity_unhaircut.0,
        method: account.margin_method(),
        method_initial: r.method_initial.0,
        method_maintenance: r.method_maintenance.0,
    }))
}

fn asset_section(board: &RiskBoard, account: &MarginAccount, asset: u8, now: i64) -> Result<PreviewReport> {
    board.asset(asset)?;
    let legs = account.positions_in(asset);
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
        let (initial, maintenance) = if instrument.is_option() || instrument.is_settling(now) {
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
    let cross = margin::evaluate(board, account, now)?;
    let minus = |a: i64, b: i64| a.checked_sub(b).ok_or(BallastError::MathOverflow);
    sum.saving_initial = minus(sum.initial_margin, cross.initial.0)?;
    sum.saving_maintenance = minus(sum.maintenance_margin, cross.maintenance.0)?;
    Ok(PreviewReport::Isolated(sum))
}
