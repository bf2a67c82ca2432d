//! Sensitivities and value at risk of an account (methodology, section 4): reported, no part of what is required.
use anchor_lang::prelude::*;
use ballast_fixed::{mul_div_floor, Dollars, Notional, QuoteAmount, Ratio};
use ballast_risk::report::{correlation, value_at_risk, Exposure, Sensitivities, Sensitivity};

use super::{AssetGreeks, Greeks, PreviewReport, RiskTotals, GREEKS_PAGE};
use crate::error::OrError;
use crate::margin;
use crate::state::{mark, Asset, MarginAccount, Position, RiskBoard};

/// One asset's part.
struct Part {
    /// With the collateral that covers a short.
    net: Sensitivities,
    /// The rest of the collateral at its value.
    free_collateral: Dollars,
}

/// The assets held from `first` on, a page of them.
pub(super) fn page(board: &RiskBoard, account: &MarginAccount, first: u8, now: i64) -> Result<PreviewReport> {
    let mut out = Greeks::default();
    for index in held(board, account).filter(|index| *index >= first) {
        if out.assets.len() == GREEKS_PAGE {
            out.next = Some(index);
            break;
        }
        let part = part(board, account, index, now)?;
        let price = board.asset(index)?.price.index;
        // 10⁻⁸ dollars over 10⁻⁹ dollars a unit; without a price there is no position. Of an asset that costs next to nothing there may be
        // more units than a number holds: it is then held at the end of its range, so that the other assets are reported all the same.
        let units = |dollars: Dollars| -> i64 {
            let scale = 10i64.wrapping_mul(Ratio::SCALE);
            let end = if dollars < Dollars::ZERO { i64::MIN } else { i64::MAX };
            mul_div_floor(dollars.0, scale, price.max(1)).unwrap_or(end)
        };
        out.assets.push(AssetGreeks {
            asset: index,
            delta_units: units(part.net.delta),
            gamma_units: units(part.net.gamma),
            delta: part.net.delta.0,
            gamma: part.net.gamma.0,
            vega: part.net.vega.0,
            theta: part.net.theta.0,
            free_collateral: part.free_collateral.0,
        });
    }
    Ok(PreviewReport::Greeks(out))
}

/// Sums over all assets, and the value at risk.
pub(super) fn totals(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<PreviewReport> {
    let (mut net, mut whole, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
    let mut sum = Sensitivities::default();
    for index in held(board, account) {
        let part = part(board, account, index, now)?;
        sum = sum.plus(&part.net).or_error()?;
        let asset = board.asset(index)?;
        let exposure = Exposure {
            net_delta: part.net.delta,
            daily_volatility: Ratio(asset.daily_volatility),
        };
        net.push(exposure);
        whole.push(Exposure {
            net_delta: part.net.delta.plus(part.free_collateral).or_error()?,
            ..exposure
        });
        clusters.push(asset.clusters);
    }
    let joint = |a: usize, b: usize| match (clusters.get(a), clusters.get(b)) {
        (Some(a), Some(b)) => correlation(a, b),
        _ => Ratio::ONE, // not asked for
    };
    Ok(PreviewReport::Risk(RiskTotals {
        delta: sum.delta.0,
        gamma: sum.gamma.0,
        vega: sum.vega.0,
        theta: sum.theta.0,
        value_at_risk: value_at_risk(&net, joint).or_error()?.0,
        value_at_risk_with_collateral: value_at_risk(&whole, joint).or_error()?.0,
    }))
}

/// The assets in which the account has positions or collateral.
fn held<'a>(board: &RiskBoard, account: &'a MarginAccount) -> impl Iterator<Item = u8> + 'a {
    (0..board.asset_count)
        .filter(|asset| margin::holds(account, *asset) || account.positions().iter().any(|p| p.asset == *asset))
}

#[inline(never)]
fn part(board: &RiskBoard, account: &MarginAccount, index: u8, now: i64) -> Result<Part> {
    let asset = board.asset(index)?;
    let legs = account.positions_in(index);
    if legs.is_empty() && asset.price.index == 0 {
        return Ok(Part {
            net: Sensitivities::default(),
            free_collateral: Dollars::ZERO,
        });
    }
    let mut book = Sensitivity::default();
    for expiry in legs.chunk_by(|a, b| a.expiry == b.expiry) {
        add_expiry(board, asset, expiry, now, &mut book)?;
    }
    let positions = book.sum().delta;
    let (collateral, _) = margin::collateral_value(&asset.price, index, &account.balances)?;
    let recognition = Ratio(asset.params.hedge_recognition);
    book.add_collateral(collateral, recognition).or_error()?;
    let net = book.sum();
    let covering = net.delta.minus(positions).or_error()?;
    let free_collateral = collateral.floor().and_then(|value| value.minus(covering)).or_error()?;
    Ok(Part { net, free_collateral })
}

fn add_expiry(board: &RiskBoard, asset: &Asset, legs: &[Position], now: i64, book: &mut Sensitivity) -> Result<()> {
    if let Some(option) = legs.iter().find(|leg| leg.is_open_option()) {
        let expiry = asset.expiry(board.instrument(option.instrument)?)?;
        if expiry.settlement_price(now).is_none() {
            let expiry = expiry.risk(&asset.price, now)?;
            book.begin_expiry(&expiry, asset.price.index(), &asset.params())
                .or_error()?;
        }
    }
    for leg in legs.iter().filter(|leg| leg.lots != 0) {
        let instrument = board.instrument(leg.instrument)?;
        if asset.settled(instrument, now)?.is_some() {
            continue; // nothing moves it
        }
        let quantity = leg.lots().quantity(instrument.lot_size()).or_error()?;
        if instrument.is_option() {
            let option = instrument.option_leg(quantity, QuoteAmount::ZERO);
            book.add_option(&option).or_error()?;
        } else {
            let index = asset.price.index();
            let mut value = asset.linear_mark(instrument, index, now)?.times(quantity);
            if instrument.is_settling(now) {
                // The part of the average that is fixed moves no more.
                let open = mark(index, asset.basis(instrument)?)?;
                let moving = asset.expiry(instrument)?.average(now).moving(open).or_error()?;
                value = Notional::from_dollars(value.times_floor(moving).or_error()?);
            }
            book.add_linear(value).or_error()?;
        }
    }
    Ok(())
}
