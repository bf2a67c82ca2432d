//! What collateral counts for, and what it may lose (methodology, section 4).
use crate::scenario::{product, thirds, PriceMoves};
use crate::{AssetParams, PortfolioParams, RiskError, MAX_GROSS};
use ballast_fixed::{div_ceil, div_floor, div_rem_floor, Dollars, Notional, Ratio};

/// The value at which credit peaks, v* = D·max(1, (1 − h + ρ)/2ρ), rounded down; above it more collateral adds nothing.
///
/// [`MAX_GROSS`] where it is never reached.
fn peak(params: &AssetParams, haircut: Ratio) -> Result<Dollars, RiskError> {
    if params.concentration.0 == 0 {
        return Ok(MAX_GROSS);
    }
    let rise = Ratio::ONE.minus(haircut)?.plus(params.concentration)?;
    let twice = params.concentration.plus(params.concentration)?;
    if rise <= twice {
        return Ok(params.depth);
    }
    let value = div_floor(product(i128::from(params.depth.0), rise)?, i128::from(twice.0))?;
    Ok(Dollars(i64::try_from(value).unwrap_or(MAX_GROSS.0)).min(MAX_GROSS))
}

/// v·(1 − h − ρ·(v/D − 1)) for D ≤ v ≤ v*, rounded down once, so that it never falls as v grows.
fn sized_credit(params: &AssetParams, haircut: Ratio, v: Dollars) -> Result<Dollars, RiskError> {
    let depth = i128::from(params.depth.0);
    let excess = i128::from(v.minus(params.depth)?.0);
    // D·(1 − h − ρ·(v/D − 1)) in 10⁻⁹, taken apart so that its product with v stays within 128 bits.
    let kept = product(depth, Ratio::ONE.minus(haircut)?)?
        .checked_sub(product(excess, params.concentration)?)
        .ok_or(RiskError::Overflow)?;
    let (whole, rest) = div_rem_floor(kept, i128::from(Ratio::SCALE))?;
    let v = i128::from(v.0);
    let rest = div_floor(
        v.checked_mul(rest).ok_or(RiskError::Overflow)?,
        i128::from(Ratio::SCALE),
    )?;
    let scaled = v
        .checked_mul(whole)
        .and_then(|x| x.checked_add(rest))
        .ok_or(RiskError::Overflow)?;
    let credit = div_floor(scaled, depth)?;
    Ok(Dollars(i64::try_from(credit).map_err(|_| RiskError::Overflow)?))
}

fn within_depth(params: &AssetParams, value: Notional) -> bool {
    params.concentration.0 == 0 || value <= Notional::from_dollars(params.depth)
}

/// credit(V) = max over v ≤ V of v·(1 − h(v)), h(v) = h + ρ·(v/D − 1) above D, in dollars, rounded down.
///
/// Never falls as V grows, not even by rounding. `value` must not be negative.
pub fn credit(params: &AssetParams, haircut: Ratio, value: Notional) -> Result<Dollars, RiskError> {
    if within_depth(params, value) {
        return Ok(value.times_floor(Ratio::ONE.minus(haircut)?)?);
    }
    let counted = value.floor()?.min(peak(params, haircut)?);
    sized_credit(params, haircut, counted)
}

/// An upper bound of the exact maintenance credit, exact or one unit above in the usual case, never more than three above.
fn credit_ceiling(params: &AssetParams, value: Notional) -> Result<Dollars, RiskError> {
    let haircut = params.haircut_maintenance;
    if within_depth(params, value) {
        return Ok(value.times_ceil(Ratio::ONE.minus(haircut)?)?);
    }
    let counted = value.ceil()?.min(peak(params, haircut)?);
    Ok(sized_credit(params, haircut, counted)?.plus(Dollars(1))?)
}

/// Bucket SPOT: collateral among its asset's scenarios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    /// P&L, each value rounded against the account by less than [`Spot::SLACK`] units.
    pub moves: PriceMoves,
    /// η·v, before it is cut to the asset's net short delta; rounded up.
    pub delta: Notional,
}

impl Spot {
    /// How far below the exact values the moves may lie, in units of [`Dollars`].
    pub const SLACK: i64 = 5;
}

/// The bucket SPOT of collateral worth `value` > 0, whose initial credit is `credit_initial`.
pub(crate) fn spot(
    params: &AssetParams,
    portfolio: &PortfolioParams,
    value: Notional,
    credit_initial: Dollars,
) -> Result<Spot, RiskError> {
    let mut out = Spot {
        delta: spot_delta(params, value)?,
        ..Spot::default()
    };
    let loss = FallLoss {
        // With the haircut amount a = v − credit: v·|δ| − a = credit − v·(1 − |δ|).
        credit: credit_ceiling(params, value)?,
        counted: value.floor()?.min(peak(params, params.haircut_maintenance)?),
        shock_floor: portfolio.shock_floor,
    };
    for (slot, k) in out.moves.fall.iter_mut().zip([1i64, 2, 3]) {
        *slot = loss.pnl(params.scan_range, k, 1)?;
    }
    out.moves.crash[0] = loss.pnl(params.scan_range, 6, 2)?;
    out.moves.crash[1] = loss.pnl(params.scan_range, 12, 4)?;
    if params.hedge_recognition.0 != 0 {
        const UNIT: i128 = 1_000_000_000_000_000_000; // 10⁻⁹ of η times 10⁻⁹ of ψ
        let gain = product(i128::from(credit_initial.0), params.hedge_recognition)?;
        let gain = thirds(product(gain, params.scan_range)?, UNIT)?;
        out.moves.rise = gain.map(|(rise, _)| rise);
    }
    Ok(out)
}

fn spot_delta(params: &AssetParams, value: Notional) -> Result<Notional, RiskError> {
    let counted = if within_depth(params, value) {
        value
    } else {
        let peak = peak(params, params.haircut_initial)?.plus(Dollars(1))?; // rounded up
        value.min(Notional::from_dollars(peak))
    };
    let scaled = product(counted.0, params.hedge_recognition)?;
    Ok(Notional(div_ceil(scaled, i128::from(Ratio::SCALE))?))
}

/// What collateral loses beyond its haircut when the price falls.
struct FallLoss {
    credit: Dollars,
    counted: Dollars,
    shock_floor: Ratio,
}

impl FallLoss {
    /// −w·max(0, v·|δ| − a) at |δ| = min(thirds·ψ/3, floor) and w = 1/divisor, rounded down.
    fn pnl(&self, scan_range: Ratio, thirds: i64, divisor: i64) -> Result<i64, RiskError> {
        const THREE: Ratio = Ratio(3_000_000_000);
        let shock = scan_range.0.checked_mul(thirds).ok_or(RiskError::Overflow)?;
        let floor = self.shock_floor.0.checked_mul(3).ok_or(RiskError::Overflow)?;
        let kept = THREE.minus(Ratio(shock.min(floor)))?;
        let loss = product(i128::from(self.credit.0), THREE)?
            .checked_sub(product(i128::from(self.counted.0), kept)?)
            .ok_or(RiskError::Overflow)?;
        if loss <= 0 {
            return Ok(0);
        }
        let divisor = THREE.0.checked_mul(divisor).ok_or(RiskError::Overflow)?;
        let loss = div_ceil(loss, i128::from(divisor))?;
        let pnl = loss.checked_neg().ok_or(RiskError::Overflow)?;
        i64::try_from(pnl).map_err(|_| RiskError::Overflow)
    }
}
