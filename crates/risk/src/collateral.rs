//! What collateral counts for, and what it may lose (methodology, section 4).
use crate::scenario::{product, thirds, PriceMoves};
use crate::{AssetParams, PortfolioParams, PriceState, RiskError, MAX_GROSS};
use ballast_fixed::{div_ceil, div_floor, div_rem_floor, Dollars, Notional, Ratio};

/// The value at which credit peaks, v* = D·max(1, (1 − h + ρ)/2ρ), rounded down, and whether that is exact; above it more
/// collateral adds nothing. [`MAX_GROSS`] where it is never reached.
fn peak(params: &AssetParams, haircut: Ratio) -> Result<(Dollars, bool), RiskError> {
    if params.concentration.0 == 0 {
        return Ok((MAX_GROSS, true));
    }
    let rise = Ratio::ONE.minus(haircut)?.plus(params.concentration)?;
    let twice = params.concentration.plus(params.concentration)?;
    if rise <= twice {
        return Ok((params.depth, true));
    }
    let (value, rest) = div_rem_floor(product(i128::from(params.depth.0), rise)?, i128::from(twice.0))?;
    match i64::try_from(value) {
        Ok(value) if value < MAX_GROSS.0 => Ok((Dollars(value), rest == 0)),
        _ => Ok((MAX_GROSS, true)),
    }
}

/// v·(1 − h − ρ·(v/D − 1)) for D ≤ v ≤ v*, rounded down once, so that it never falls as v grows; and whether that is exact.
fn sized_credit(params: &AssetParams, haircut: Ratio, v: Dollars) -> Result<(Dollars, bool), RiskError> {
    const ONE: i128 = Ratio::SCALE as i128;
    let depth = i128::from(params.depth.0);
    let excess = i128::from(v.minus(params.depth)?.0);
    // D·(1 − h − ρ·(v/D − 1)) in 10⁻⁹, taken apart so that its product with v stays within 128 bits.
    let kept = product(depth, Ratio::ONE.minus(haircut)?)?
        .checked_sub(product(excess, params.concentration)?)
        .ok_or(RiskError::Overflow)?;
    let (whole, part) = div_rem_floor(kept, ONE)?;
    let v = i128::from(v.0);
    let (part, rest) = div_rem_floor(v.checked_mul(part).ok_or(RiskError::Overflow)?, ONE)?;
    let scaled = v
        .checked_mul(whole)
        .and_then(|x| x.checked_add(part))
        .ok_or(RiskError::Overflow)?;
    let (credit, last) = div_rem_floor(scaled, depth)?;
    let credit = i64::try_from(credit).map_err(|_| RiskError::Overflow)?;
    Ok((Dollars(credit), rest == 0 && last == 0))
}

fn within_depth(params: &AssetParams, value: Notional) -> bool {
    params.concentration.0 == 0 || value <= Notional::from_dollars(params.depth)
}

/// credit(V) = max over v ≤ V of v·(1 − h(v)), h(v) = h + ρ·(v/D − 1) above D, in dollars, rounded down.
///
/// Never falls as V grows, not even by rounding. `value` must not be negative.
pub fn credit(params: &AssetParams, haircut: Ratio, value: Notional) -> Result<Dollars, RiskError> {
    if value == Notional::ZERO {
        return Ok(Dollars::ZERO); // most assets are no collateral
    }
    if within_depth(params, value) {
        return Ok(value.times_floor(Ratio::ONE.minus(haircut)?)?);
    }
    let counted = value.floor()?.min(peak(params, haircut)?.0);
    Ok(sized_credit(params, haircut, counted)?.0)
}

/// Σ credit_im of one asset at the lowest of its prices: what cash may be owed against. Rounded down.
///
/// Credit never falls as the value grows, so the least value decides: at the index (less the uncertainty of a stale or wide price) or at
/// the slow price. Equal to [`crate::AssetReport::credit_floor`] without the rest of the report.
pub fn credit_floor(
    params: &AssetParams,
    price: &PriceState,
    at_index: Notional,
    at_slow: Notional,
) -> Result<Dollars, RiskError> {
    let kept = Ratio::ONE.minus(price.uncertainty.min(Ratio::ONE))?;
    let lowest = if kept == Ratio::ONE {
        at_index
    } else {
        Notional(div_floor(product(at_index.0, kept)?, i128::from(Ratio::SCALE))?)
    };
    credit(params, params.haircut_initial, lowest.min(at_slow))
}

/// An upper bound of the exact maintenance credit: that itself where it is whole, else less than three units above.
fn credit_ceiling(params: &AssetParams, value: Notional) -> Result<Dollars, RiskError> {
    let haircut = params.haircut_maintenance;
    if within_depth(params, value) {
        return Ok(value.times_ceil(Ratio::ONE.minus(haircut)?)?);
    }
    let (value, (peak, peak_exact)) = (value.ceil()?, peak(params, haircut)?);
    let (credit, exact) = sized_credit(params, haircut, value.min(peak))?;
    let exact = exact && (value <= peak || peak_exact);
    Ok(credit.plus(Dollars(i64::from(!exact)))?)
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
    let floor = value.floor()?;
    let counted = if within_depth(params, value) {
        floor // the peak is no lower
    } else {
        floor.min(peak(params, params.haircut_maintenance)?.0)
    };
    let loss = FallLoss {
        // With the haircut amount a = v − credit: v·|δ| − a = credit − v·(1 − |δ|).
        credit: credit_ceiling(params, value)?,
        counted,
        // Up to it nothing is lost; beyond the depth more is taken off than the haircut, which the formula then finds.
        covered: params.haircut_maintenance,
        shock_floor: portfolio.shock_floor,
    };
    for (slot, k) in out.moves.fall.iter_mut().zip([1i64, 2, 3]) {
        *slot = loss.pnl(params.scan_range, k, 1)?;
    }
    out.moves.crash[0] = loss.pnl(params.scan_range, 6, 2)?;
    out.moves.crash[1] = loss.pnl(params.scan_range, 12, 4)?;
    if params.hedge_recognition.0 != 0 {
        const UNIT: i128 = Ratio::SCALE as i128;
        let hedging = if params.hedge_recognition == Ratio::ONE {
            credit_initial
        } else {
            credit_initial.times_floor(params.hedge_recognition)?
        };
        let gain = thirds(product(i128::from(hedging.0), params.scan_range)?, UNIT)?;
        out.moves.rise = gain.map(|(rise, _)| rise);
    }
    Ok(out)
}

fn spot_delta(params: &AssetParams, value: Notional) -> Result<Notional, RiskError> {
    let counted = if within_depth(params, value) {
        value
    } else {
        let (peak, exact) = peak(params, params.haircut_initial)?;
        let peak = peak.plus(Dollars(i64::from(!exact)))?; // rounded up
        value.min(Notional::from_dollars(peak))
    };
    let scaled = product(counted.0, params.hedge_recognition)?;
    Ok(Notional(div_ceil(scaled, i128::from(Ratio::SCALE))?))
}

/// What collateral loses beyond its haircut when the price falls.
struct FallLoss {
    credit: Dollars,
    counted: Dollars,
    covered: Ratio,
    shock_floor: Ratio,
}

impl FallLoss {
    /// −w·max(0, v·|δ| − a) at |δ| = min(thirds·ψ/3, floor) and w = 1/divisor, rounded down.
    fn pnl(&self, scan_range: Ratio, thirds: i64, divisor: i64) -> Result<i64, RiskError> {
        const THREE: Ratio = Ratio(3_000_000_000);
        let shock = scan_range.0.checked_mul(thirds).ok_or(RiskError::Overflow)?;
        if shock <= self.covered.0.checked_mul(3).ok_or(RiskError::Overflow)? {
            return Ok(0);
        }
        let floor = self.shock_floor.0.checked_mul(3).ok_or(RiskError::Overflow)?;
        let kept = THREE.minus(Ratio(shock.min(floor)))?;
        // Two factors of 64 bits each, 2⁶³ · 2³² at most: the difference fits.
        let exact = |dollars: Dollars, ratio: Ratio| i128::from(dollars.0).wrapping_mul(i128::from(ratio.0));
        let loss = exact(self.credit, THREE).wrapping_sub(exact(self.counted, kept));
        if loss <= 0 {
            return Ok(0);
        }
        let divisor = THREE.0.checked_mul(divisor).ok_or(RiskError::Overflow)?;
        let loss = div_ceil(loss, i128::from(divisor))?;
        let pnl = loss.checked_neg().ok_or(RiskError::Overflow)?;
        i64::try_from(pnl).map_err(|_| RiskError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults::{BTC, MID_CAP, STABLE};

    const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;

    fn usd(dollars: i64) -> Dollars {
        Dollars(dollars * 100_000_000)
    }

    fn worth(dollars: i64) -> Notional {
        Notional::from_dollars(usd(dollars))
    }

    fn initial(params: &AssetParams, value: Notional) -> Dollars {
        credit(params, params.haircut_initial, value).unwrap()
    }

    #[test]
    fn credit_below_the_depth_is_a_plain_haircut() {
        assert_eq!(initial(&BTC, worth(100_000)), usd(85_000));
        assert_eq!(initial(&BTC, worth(25_000_000)), usd(21_250_000));
        assert_eq!(initial(&STABLE, worth(20_000_000_000)), usd(19_600_000_000));
        assert_eq!(initial(&BTC, Notional(1)), Dollars(0)); // 0.85·10⁻¹⁸
        assert_eq!(initial(&BTC, Notional(11_764_705_882)), Dollars(0)); // just under 10⁻⁸/0.85
        assert_eq!(initial(&BTC, Notional(11_764_705_883)), Dollars(1));
    }

    #[test]
    fn credit_above_the_depth_loses_to_size() {
        // v = 2D = 50m: h = 15 % + 2 %·1 = 17 %.
        assert_eq!(initial(&BTC, worth(50_000_000)), usd(41_500_000));
        // One unit above D = 25m: 0.85 − 2·10⁻⁹·… leaves 21,250,000 + 0.83·10⁻⁸, rounded down.
        assert_eq!(
            initial(&BTC, Notional::from_dollars(Dollars(2_500_000_000_000_001))),
            usd(21_250_000)
        );
    }

    #[test]
    fn credit_peaks_and_stays() {
        // MID: v* = D·(1 − 0.5 + 0.05)/0.1 = 5.5m, h = 0.5 + 0.05·4.5 = 0.725, credit 0.275·5.5m.
        assert_eq!(peak(&MID_CAP, MID_CAP.haircut_initial), Ok((usd(5_500_000), true)));
        for value in [5_500_000, 5_500_001, 20_000_000_000] {
            assert_eq!(initial(&MID_CAP, worth(value)), usd(1_512_500));
        }
        // Where even the first dollar above D is worth nothing, the peak is D.
        let steep = AssetParams {
            haircut_initial: Ratio(960_000_000),
            ..MID_CAP
        };
        assert_eq!(peak(&steep, steep.haircut_initial), Ok((usd(1_000_000), true)));
        assert_eq!(initial(&steep, worth(3_000_000)), usd(40_000));
        let odd = AssetParams {
            concentration: Ratio(30_000_000),
            ..MID_CAP
        };
        // D·0.53/0.06 = 8,833,333.333…
        assert_eq!(
            peak(&odd, odd.haircut_initial),
            Ok((Dollars(883_333_333_333_333), false))
        );
    }

    #[test]
    fn the_ceiling_is_exact_where_credit_is_whole() {
        assert_eq!(credit_ceiling(&BTC, worth(100_000)), Ok(usd(90_000)));
        assert_eq!(credit_ceiling(&BTC, Notional(1)), Ok(Dollars(1)));
        assert_eq!(credit_ceiling(&BTC, worth(50_000_000)), Ok(usd(44_000_000))); // 12 %
        assert_eq!(credit_ceiling(&MID_CAP, worth(7_000_000)), Ok(usd(2_112_500))); // v* = 6.5m, h = 0.675
        let value = Notional::from_dollars(Dollars(2_500_000_000_000_001));
        assert_eq!(credit_ceiling(&BTC, value), Ok(Dollars(2_250_000_000_000_001)));
    }

    #[test]
    fn spot_loses_what_the_haircut_does_not_cover() {
        let spot = spot(&BTC, &PARAMS, worth(100_000), usd(85_000)).unwrap();
        // h = 10 % covers a fall of 9.5 %; −2ψ: ½(19 − 10) %, −4ψ: ¼(38 − 10) %.
        assert_eq!(spot.moves.fall, [0, 0, 0]);
        assert_eq!(spot.moves.crash, [-usd(4_500).0, -usd(7_000).0]);
        // A rise earns ψ·85,000 = 8,075 and its thirds, rounded down.
        assert_eq!(spot.moves.rise, [269_166_666_666, 538_333_333_333, 807_500_000_000]);
        assert_eq!(spot.delta, worth(100_000));
    }

    #[test]
    fn spot_stops_at_the_shock_floor() {
        // MID: h = 40 %, ψ = 24 %: −2ψ ½·8 %, −4ψ would be 96 %: ¼(95 − 40) %. No hedge: no rise, no delta.
        let spot = spot(&MID_CAP, &PARAMS, worth(1_000), usd(500)).unwrap();
        assert_eq!(spot.moves.crash, [-usd(40).0, -usd(137).0 - 50_000_000]);
        assert_eq!(spot.moves.rise, [0, 0, 0]);
        assert_eq!(spot.delta, Notional::ZERO);
    }

    #[test]
    fn spot_counts_no_more_than_the_peak() {
        let hedging = AssetParams {
            hedge_recognition: Ratio(500_000_000),
            ..MID_CAP
        };
        let whale = spot(&hedging, &PARAMS, worth(9_000_000), usd(1_512_500)).unwrap();
        assert_eq!(whale.delta, worth(2_750_000)); // ½·5.5m
                                                   // v = 6.5m, h = 0.675: ¼(0.95 − 0.675)·6.5m.
        assert_eq!(whale.moves.crash, [0, -usd(446_875).0]);
        assert_eq!(whale.moves.rise[2], usd(181_500).0); // 24 %·½·1,512,500
    }
}
