//! Methods a requirement may be computed by (methodology, section 4). None requires less than `portfolio`.
use crate::{AssetParams, PortfolioParams, RiskError};
use ballast_fixed::Dollars;

/// How much an account wants to be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Σ|Δ|·(ψ + b) over positions, without any offset.
    Linear,
    /// The same after netting the linear legs of each asset, over buckets, with what of its collateral may hedge them.
    RiskAdjusted,
    /// Scenarios and charges: the methodology.
    #[default]
    Portfolio,
}

/// Initial and maintenance margin on so many dollars of delta: Δ·(ψ + b) and Δ·(0.70·ψ + b); rounded up.
pub(crate) fn outright(
    params: &AssetParams,
    portfolio: &PortfolioParams,
    delta: Dollars,
) -> Result<(Dollars, Dollars), RiskError> {
    let buffer = delta.times_ceil(params.buffer)?;
    let scan = delta.times_ceil(params.scan_range)?;
    let maintenance = scan.times_ceil(portfolio.maintenance_factor)?.plus(buffer)?;
    Ok((scan.plus(buffer)?, maintenance))
}

/// 0 where nothing is asked beyond the portfolio's own requirement.
pub(crate) const NOTHING: (Dollars, Dollars) = (Dollars::ZERO, Dollars::ZERO);
