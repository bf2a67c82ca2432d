//! How far an asset's price may move before the account can be liquidated.
use anchor_lang::prelude::*;
use ballast_fixed::Ratio;
use ballast_risk::distance::{distance, Effort, Span};

use super::{DistanceReport, PreviewReport};
use crate::error::{ensure, BallastError, OrError};
use crate::margin::{AssetSet, Revaluation};
use crate::state::{MarginAccount, RiskBoard, MAX_OPTION_POSITIONS, MAX_POSITIONS};

/// Farthest move up: 1,000 %.
const FARTHEST: i64 = 10 * Ratio::SCALE;
/// Compute units that a call may use of the 1.4 million of a transaction, a margin for what is not counted below kept.
const BUDGET: u64 = 1_250_000;
/// Upper bounds of what a strike, any other position, an asset and the rest of the instruction use.
const STRIKE: u64 = 9_000;
const POSITION: u64 = 1_500;
const REQUIREMENT: u64 = 12_000;
const REST: u64 = 60_000;
/// Most moves that are evaluated, however few positions there are: what two corners and both ends take at 10⁻⁹ many times over.
const MOST: u64 = 48;
/// Fewest: the start, the end and one between them. However many positions there are, they fit.
const FEWEST: u64 = 3;
const _: () = {
    let (options, linear) = (
        MAX_OPTION_POSITIONS as u64,
        (MAX_POSITIONS - MAX_OPTION_POSITIONS) as u64,
    );
    assert!(REST + FEWEST * (REQUIREMENT + options * STRIKE + linear * POSITION) <= BUDGET);
};

/// The nearest move of the asset within `span` that makes the account liquidatable.
///
/// Without options in the asset the two moves of the bracket are neighbours, 10⁻⁹ apart. With options they are a millionth apart, or
/// farther where the evaluations that fit a transaction do not suffice: the bracket is then the span of the next call.
pub(super) fn nearest(
    board: &RiskBoard,
    account: &MarginAccount,
    asset: u8,
    [from, to]: [i64; 2],
    steps: u8,
    now: i64,
) -> Result<PreviewReport> {
    let range = -Ratio::SCALE..=FARTHEST;
    let sound = range.contains(&from) && range.contains(&to) && from != to && steps > 0;
    ensure!(sound, BallastError::InvalidParameter);
    let feed = &board.asset(asset)?.price;
    // Collateral that never had a price counts nothing, and moves nothing wherever its price would go.
    let priced = feed.index > 0;
    let alone = account.positions_in(asset).is_empty();
    ensure!(priced || alone, BallastError::PriceMissing);
    let params = board.portfolio_params();
    let mut revaluation = Revaluation::for_liquidation(board, &params, account, AssetSet::from_iter([asset]), now)?;
    let span = Span {
        from: Ratio(from),
        to: Ratio(to),
        steps,
    };
    let found = distance(&span, &effort(account, asset), |by| -> Result<_> {
        if priced {
            revaluation.set_price(asset, feed.moved(by)?);
        }
        let margin = revaluation.evaluate(account)?;
        margin.equity_liquidation.minus(margin.maintenance).or_error()
    })?;
    Ok(PreviewReport::Distance(DistanceReport {
        safe: found.safe.0,
        liquidatable: found.liquidatable.map(|by| by.0),
    }))
}

/// As many evaluations as fit a transaction: the other assets are summed once, the one that moves each time.
fn effort(account: &MarginAccount, asset: u8) -> Effort {
    let (mut once, mut each, mut options) = (REST, REQUIREMENT, false);
    let mut last = None;
    for position in account.positions() {
        // The call and the put of a strike stand beside each other and are priced together.
        let strike = position
            .is_open_option()
            .then_some((position.asset, position.expiry, position.strike));
        let cost = if strike.is_some() && strike != last {
            STRIKE
        } else {
            POSITION
        };
        last = strike.or(last);
        if position.asset == asset {
            each = each.saturating_add(cost);
            options |= position.is_open_option();
        } else {
            once = once.saturating_add(cost);
        }
    }
    let evaluations = BUDGET
        .saturating_sub(once)
        .checked_div(each)
        .unwrap_or(0)
        .clamp(FEWEST, MOST);
    let tolerance = if options { Ratio::from_ppm(1) } else { Ratio(1) };
    Effort {
        evaluations: evaluations as u32, // at most 48
        tolerance,
    }
}
