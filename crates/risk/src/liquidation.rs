//! Liquidation of one leg: the auction clock, the cost rule, the amount and what the chain verifies (margin.md section 8).
use ballast_fixed::{mul_div_ceil, Dollars, Ratio};

use crate::{MarginReport, RiskError};

/// Health that a liquidation restores: 1.10.
pub const TARGET_HEALTH: Ratio = Ratio(1_100_000_000);
/// Health past which a step has taken too much, unless one lot less would have missed the target: 1.25.
pub const CEILING_HEALTH: Ratio = Ratio(1_250_000_000);
/// Health under which steps are no longer capped: ⅔, compared as 3 · E < 2 · MM.
const UNCAPPED_HEALTH: (i128, i128) = (3, 2);
/// A proposer may take 1.5 times what the chain's own secant says.
const PROPOSAL_MARGIN: Ratio = Ratio(1_500_000_000);

/// Governed parameters of the auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationParams {
    /// Part of the freed maintenance margin that a step may cost when the clock starts.
    pub start_cost: Ratio,
    /// The same when the ramp is over.
    pub end_cost: Ratio,
    /// Seconds over which it rises.
    pub ramp_seconds: u32,
    /// The liquidator's part of the cost; the insurance fund has the rest.
    pub liquidator_share: Ratio,
    /// Seconds after which an unconfirmed flag restarts the clock.
    pub flag_timeout_seconds: u32,
    /// Age of a flag from which steps are not capped.
    pub uncapped_after_seconds: u32,
    /// Window of the step cap in seconds.
    pub step_window_seconds: u32,
    /// Step cap as a part of the gross notional.
    pub step_cap: Ratio,
    /// Step cap in dollars; the larger of the two holds.
    pub step_cap_dollars: Dollars,
    /// Notional under which a leg is dust and may be closed whole.
    pub dust: Dollars,
}

impl LiquidationParams {
    /// margin.md section 8.
    pub const DEFAULT: LiquidationParams = LiquidationParams {
        start_cost: Ratio(50_000_000),
        end_cost: Ratio(600_000_000),
        ramp_seconds: 60,
        liquidator_share: Ratio(600_000_000),
        flag_timeout_seconds: 120,
        uncapped_after_seconds: 300,
        step_window_seconds: 10,
        step_cap: Ratio(200_000_000),
        step_cap_dollars: Dollars(2_500_000_000_000),
        dust: Dollars(10_000_000_000),
    };

    /// Hard bounds of every field.
    ///
    /// # Errors
    /// [`RiskError::InvalidParameter`].
    pub fn validate(&self) -> Result<(), RiskError> {
        let fine = self.start_cost >= Ratio::ZERO
            && self.start_cost <= self.end_cost
            && self.end_cost <= Ratio(900_000_000)
            && (1..=3_600).contains(&self.ramp_seconds)
            && (Ratio::ZERO..=Ratio::ONE).contains(&self.liquidator_share)
            && (10..=3_600).contains(&self.flag_timeout_seconds)
            && (30..=86_400).contains(&self.uncapped_after_seconds)
            && (1..=3_600).contains(&self.step_window_seconds)
            && self.step_cap > Ratio::ZERO
            && self.step_cap <= Ratio::ONE
            && self.step_cap_dollars > Dollars::ZERO
            && (Dollars::ZERO..=Dollars(100_000_000_000)).contains(&self.dust);
        if fine {
            Ok(())
        } else {
            Err(RiskError::InvalidParameter)
        }
    }
}

/// When an account was flagged and last confirmed, unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagClock {
    /// Start of the auction clock.
    pub started_at: i64,
    /// Last confirmation; a step or another flag renews it.
    pub confirmed_at: i64,
}

impl FlagClock {
    /// Whether nobody has confirmed the flag for too long, so that the clock must start anew.
    pub fn has_lapsed(&self, now: i64, params: &LiquidationParams) -> bool {
        now.saturating_sub(self.confirmed_at) > i64::from(params.flag_timeout_seconds)
    }

    /// Seconds on the clock.
    pub fn elapsed(&self, now: i64) -> u32 {
        u32::try_from(now.saturating_sub(self.started_at).max(0)).unwrap_or(u32::MAX)
    }
}

/// c(t): the part of the freed maintenance margin that a step may cost, rounded down.
pub fn cost_rate(params: &LiquidationParams, elapsed: u32) -> Result<Ratio, RiskError> {
    let elapsed = i64::from(elapsed.min(params.ramp_seconds));
    let rise = params.end_cost.minus(params.start_cost)?;
    let risen = ballast_fixed::mul_div_floor(rise.0, elapsed, i64::from(params.ramp_seconds))?;
    Ok(params.start_cost.plus(Ratio(risen))?)
}

/// What a step costs the account, rounded down: c(t) of the maintenance margin it frees, but never so much that it leaves equity
/// under min(equity before, 0). `after` is the account after the move and before its cost.
pub fn step_cost(before: &MarginReport, after: &MarginReport, rate: Ratio) -> Result<Dollars, RiskError> {
    let freed = before.maintenance.minus(after.maintenance)?;
    let by_rate = Dollars(freed.0.max(0)).times_floor(rate)?;
    let floor = Dollars(before.equity_liquidation.0.min(0));
    let left = after.equity_liquidation.minus(floor)?;
    Ok(Dollars(by_rate.0.min(left.0).max(0)))
}

/// Most lots of a position of `lots` that a proposer may take: 1.5 times the chain's own secant, at least one, at most all.
///
/// `whole` is the account with the position closed at the mark. The secant is
/// x = [1.10·MM(0) − E(0)] / [(1.10 − c)·(MM(0) − MM(1))]. Where closing the whole leg frees nothing there is no secant; what is taken
/// is then bounded by the verification of the result alone.
pub fn most_lots(before: &MarginReport, whole: &MarginReport, rate: Ratio, lots: u64) -> Result<u64, RiskError> {
    let wanted = before
        .maintenance
        .times_ceil(TARGET_HEALTH)?
        .minus(before.equity_liquidation)?;
    let freed = before.maintenance.minus(whole.maintenance)?;
    let effect = freed.times_floor(TARGET_HEALTH.minus(rate)?)?;
    if effect <= Dollars::ZERO || wanted >= effect {
        return Ok(lots);
    }
    let wanted = Dollars(wanted.0.max(0)).times_ceil(PROPOSAL_MARGIN)?;
    let lots = i64::try_from(lots).map_err(|_| RiskError::Overflow)?;
    let most = mul_div_ceil(lots, wanted.0, effect.0)?.clamp(1, lots.max(1));
    u64::try_from(most).map_err(|_| RiskError::Overflow)
}

/// Largest notional that steps may take of an account in one window; `None` when there is no cap: under ⅔ of the maintenance margin or
/// when the flag is old.
pub fn step_cap(before: &MarginReport, elapsed: u32, params: &LiquidationParams) -> Result<Option<Dollars>, RiskError> {
    let (e, mm) = (
        i128::from(before.equity_liquidation.0),
        i128::from(before.maintenance.0),
    );
    // Products of 64-bit values with 2 and 3 fit.
    let deep = e.wrapping_mul(UNCAPPED_HEALTH.0) < mm.wrapping_mul(UNCAPPED_HEALTH.1);
    if deep || elapsed >= params.uncapped_after_seconds {
        return Ok(None);
    }
    let by_gross = before.gross.times_floor(params.step_cap)?;
    Ok(Some(by_gross.max(params.step_cap_dollars)))
}

/// What still counts of a notional taken in a window that opened `elapsed` seconds ago: all of it until the window is over, then linearly
/// less over another window, rounded up. So the cap can't be taken twice on both sides of a window's end.
pub fn carried(notional: Dollars, elapsed: i64, window: u32) -> Result<Dollars, RiskError> {
    let window = i64::from(window);
    let left = window.saturating_mul(2).saturating_sub(elapsed).clamp(0, window);
    if left == window || window == 0 {
        return Ok(notional);
    }
    Ok(Dollars(mul_div_ceil(notional.0, left, window)?))
}

/// Whether a step left the account strictly healthier. `after` includes the cost.
pub fn is_healthier(before: &MarginReport, after: &MarginReport) -> Result<bool, RiskError> {
    let surplus = |r: &MarginReport| r.equity_liquidation.minus(r.maintenance);
    Ok(surplus(after)? > surplus(before)?)
}

/// Whether an account is past the ceiling, so that the step has to be shown to be the smallest one that reaches the target.
pub fn is_past_ceiling(after: &MarginReport) -> Result<bool, RiskError> {
    Ok(after.equity_liquidation > after.maintenance.times_floor(CEILING_HEALTH)?)
}

/// Whether the account has reached the target: E ≥ 1.10 · MM.
pub fn reaches_target(report: &MarginReport) -> Result<bool, RiskError> {
    Ok(report.equity_liquidation >= report.maintenance.times_ceil(TARGET_HEALTH)?)
}

/// Whether a flag may be taken off: the target is reached at the index alone and with what a dead price may add cut off. The benefit of
/// the doubt that a stale price has is no recovery, and neither is a dead one's paper profit.
pub fn has_recovered(report: &MarginReport) -> Result<bool, RiskError> {
    let equity = report.equity_maintenance.min(report.equity_liquidation);
    Ok(equity >= report.maintenance.times_ceil(TARGET_HEALTH)?)
}

/// The liquidator's part of a cost, rounded down; the rest is the insurance fund's.
pub fn bounty(cost: Dollars, params: &LiquidationParams) -> Result<Dollars, RiskError> {
    Ok(cost.times_floor(params.liquidator_share)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: LiquidationParams = LiquidationParams::DEFAULT;
    const DOLLAR: i64 = 100_000_000;

    fn report(equity: i64, maintenance: i64, gross: i64) -> MarginReport {
        let d = |v: i64| Dollars(v * DOLLAR);
        MarginReport {
            equity_maintenance: d(equity),
            equity_liquidation: d(equity),
            maintenance: d(maintenance),
            gross: d(gross),
            ..MarginReport::default()
        }
    }

    #[test]
    fn cost_rises_from_5_to_60_percent_over_a_minute() {
        assert_eq!(cost_rate(&P, 0), Ok(Ratio(50_000_000)));
        // half way: 5 % + 55 % / 2
        assert_eq!(cost_rate(&P, 30), Ok(Ratio(325_000_000)));
        assert_eq!(cost_rate(&P, 60), Ok(Ratio(600_000_000)));
        assert_eq!(cost_rate(&P, u32::MAX), Ok(Ratio(600_000_000)));
    }

    #[test]
    fn a_step_costs_its_part_of_what_it_frees_and_never_more_than_is_left() {
        let rate = Ratio(200_000_000);
        let before = report(900, 1_000, 0);
        // frees 400: 20 % is 80
        assert_eq!(step_cost(&before, &report(900, 600, 0), rate), Ok(Dollars(80 * DOLLAR)));
        // frees nothing, or less than nothing
        assert_eq!(step_cost(&before, &report(900, 1_000, 0), rate), Ok(Dollars::ZERO));
        assert_eq!(step_cost(&before, &report(900, 1_100, 0), rate), Ok(Dollars::ZERO));
        // 30 are left
        assert_eq!(
            step_cost(&report(30, 1_000, 0), &report(30, 0, 0), rate),
            Ok(Dollars(30 * DOLLAR))
        );
        // bankrupt: the step may not leave it deeper than it was
        assert_eq!(
            step_cost(&report(-50, 1_000, 0), &report(-50, 0, 0), rate),
            Ok(Dollars::ZERO)
        );
        assert_eq!(
            step_cost(&report(-50, 1_000, 0), &report(-49, 0, 0), rate),
            Ok(Dollars(DOLLAR))
        );
    }

    #[test]
    fn the_secant_bounds_the_proposer() {
        // E 900, MM 1,000, closing 100 lots frees all of it: x = (1,100 − 900) / ((1.10 − 0.10)·1,000) = 0.2; 1.5 times that are 30 lots.
        let (before, whole) = (report(900, 1_000, 0), report(800, 0, 0));
        assert_eq!(most_lots(&before, &whole, Ratio(100_000_000), 100), Ok(30));
        // x ≥ 1 closes all
        assert_eq!(
            most_lots(&report(0, 1_000, 0), &whole, Ratio(100_000_000), 100),
            Ok(100)
        );
        // at least one lot
        assert_eq!(most_lots(&before, &whole, Ratio(100_000_000), 2), Ok(1));
        // closing the leg frees nothing: there is no secant
        assert_eq!(
            most_lots(&before, &report(900, 1_200, 0), Ratio(100_000_000), 100),
            Ok(100)
        );
    }

    #[test]
    fn steps_are_capped_by_the_larger_of_a_fifth_and_25_000_until_it_is_urgent() {
        let cap = |e, mm, gross, elapsed| step_cap(&report(e, mm, gross), elapsed, &P).unwrap();
        assert_eq!(cap(900, 1_000, 10_000, 0), Some(Dollars(25_000 * DOLLAR)));
        assert_eq!(cap(900, 1_000, 500_000, 0), Some(Dollars(100_000 * DOLLAR)));
        // exactly two thirds is capped, below is not
        assert_eq!(cap(600, 900, 0, 0), Some(Dollars(25_000 * DOLLAR)));
        assert_eq!(cap(599, 900, 0, 0), None);
        assert_eq!(cap(900, 1_000, 0, 299), Some(Dollars(25_000 * DOLLAR)));
        assert_eq!(cap(900, 1_000, 0, 300), None);
    }

    #[test]
    fn a_window_fades_over_another_one() {
        let left = |elapsed| carried(Dollars(1_000), elapsed, 10).unwrap().0;
        assert_eq!(
            [left(0), left(10), left(11), left(15), left(20), left(1_000)],
            [1_000, 1_000, 900, 500, 0, 0]
        );
    }

    #[test]
    fn a_flag_lapses_unless_it_is_confirmed() {
        let flag = FlagClock {
            started_at: 1_000,
            confirmed_at: 1_100,
        };
        assert!(!flag.has_lapsed(1_220, &P));
        assert!(flag.has_lapsed(1_221, &P));
        assert_eq!(flag.elapsed(1_030), 30);
        assert_eq!(flag.elapsed(900), 0);
    }

    #[test]
    fn target_and_ceiling() {
        assert_eq!(reaches_target(&report(110, 100, 0)), Ok(true));
        assert_eq!(reaches_target(&report(109, 100, 0)), Ok(false));
        assert_eq!(is_past_ceiling(&report(125, 100, 0)), Ok(false));
        assert_eq!(is_past_ceiling(&report(126, 100, 0)), Ok(true));
        assert_eq!(is_healthier(&report(90, 100, 0), &report(90, 99, 0)), Ok(true));
        assert_eq!(is_healthier(&report(90, 100, 0), &report(80, 90, 0)), Ok(false));
    }

    #[test]
    fn a_stale_prices_doubt_is_no_recovery() {
        let at = |mm_equity, liquidation_equity| MarginReport {
            equity_liquidation: Dollars(liquidation_equity * DOLLAR),
            ..report(mm_equity, 100, 0)
        };
        assert_eq!(has_recovered(&at(110, 110)), Ok(true));
        assert_eq!(has_recovered(&at(109, 500)), Ok(false));
        assert_eq!(has_recovered(&at(500, 109)), Ok(false));
    }

    #[test]
    fn the_liquidator_has_three_fifths() {
        assert_eq!(bounty(Dollars(100 * DOLLAR), &P), Ok(Dollars(60 * DOLLAR)));
        assert_eq!(bounty(Dollars(1), &P), Ok(Dollars(0)));
    }

    #[test]
    fn parameters_have_bounds() {
        assert_eq!(P.validate(), Ok(()));
        let bad = [
            LiquidationParams {
                start_cost: Ratio(700_000_000),
                ..P
            },
            LiquidationParams {
                end_cost: Ratio(900_000_001),
                ..P
            },
            LiquidationParams { ramp_seconds: 0, ..P },
            LiquidationParams {
                liquidator_share: Ratio(1_000_000_001),
                ..P
            },
            LiquidationParams {
                step_cap: Ratio(0),
                ..P
            },
            LiquidationParams {
                step_cap_dollars: Dollars(0),
                ..P
            },
        ];
        assert!(bad.iter().all(|p| p.validate() == Err(RiskError::InvalidParameter)));
    }
}
