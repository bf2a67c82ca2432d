//! Which trades an account may make (margin.md section 4, last paragraphs, and the tiers of section 8).
use ballast_fixed::{Dollars, Ratio};

use crate::{MarginReport, RiskError};

/// E_im asked for after a trade that adds risk: $10.
pub const MINIMUM_EQUITY: Dollars = Dollars(1_000_000_000);
/// Health under which only reductions are accepted: 1.1.
pub const REDUCE_ONLY_HEALTH: Ratio = Ratio(1_100_000_000);
/// Largest loss against the marks plus fees, as a part of the maintenance margin freed, of a reduction under the initial margin: 30 %.
pub const MAX_REDUCTION_COST: Ratio = Ratio(300_000_000);

/// What a trade does to one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeFacts {
    /// Only reduces |lots|.
    pub reduces: bool,
    /// Loss against the mark plus fees; negative for a gain.
    pub cost: Dollars,
    /// Initial margin of resting orders.
    pub order_reserve: Dollars,
    /// The quote asset is fresh and at par.
    pub quote_trusted: bool,
    /// A fill in the order book by an order that may only reduce: under the maintenance margin it is judged as under the initial one.
    pub reduces_on_book: bool,
}

/// Why a trade is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// E_mm < MM before: only liquidation, deposits, cancels and reductions in the order book are left.
    BelowMaintenance,
    /// Health under 1.1 before: reductions only.
    ReduceOnly,
    /// The quote asset is stale or off its par.
    QuoteUntrusted,
    /// E_im < IM + order reserve after.
    InitialMargin,
    /// E_im < $10 after.
    MinimumEquity,
    /// A reduction that lowers E_mm − MM or E_im − IM.
    WorsensMargin,
    /// A reduction that leaves E_mm < 0.
    NegativeEquity,
    /// A reduction that costs more than 30 % of the maintenance margin it frees.
    ReductionTooCostly,
}

/// Judges a trade by the account's margin before and after.
///
/// # Errors
/// The outer error is arithmetic (the portfolio is too large); the inner one says why the trade is refused.
pub fn judge(
    before: &MarginReport,
    after: &MarginReport,
    facts: &TradeFacts,
) -> Result<Result<(), Refusal>, RiskError> {
    if before.equity_maintenance < before.maintenance {
        if !(facts.reduces && facts.reduces_on_book) {
            return Ok(Err(Refusal::BelowMaintenance));
        }
        return judge_reduction(before, after, facts.cost);
    }
    if before.is_liquidatable() {
        // Only a dead price lifts the account over its requirement. It opens no tier that liquidation does not see, but what has a live
        // price may still shrink by the strict rule: a dead feed blocks no exit.
        if !facts.reduces {
            return Ok(Err(Refusal::BelowMaintenance));
        }
        return judge_reduction(before, after, facts.cost);
    }
    if !facts.reduces {
        let equity = before.equity_maintenance.min(before.equity_liquidation);
        if equity < before.maintenance.times_ceil(REDUCE_ONLY_HEALTH)? {
            return Ok(Err(Refusal::ReduceOnly));
        }
        if !facts.quote_trusted {
            return Ok(Err(Refusal::QuoteUntrusted));
        }
    }
    let required = after.initial.plus(facts.order_reserve)?;
    let covered = after.equity_initial >= required && !after.is_liquidatable();
    if covered {
        let enough = facts.reduces || after.equity_initial >= MINIMUM_EQUITY;
        return Ok(if enough { Ok(()) } else { Err(Refusal::MinimumEquity) });
    }
    if !facts.reduces {
        return Ok(Err(Refusal::InitialMargin));
    }
    judge_reduction(before, after, facts.cost)
}

/// The rule for a reduction under the initial margin: an honest book can always shrink, a hedge can't be pulled out.
pub fn judge_reduction(
    before: &MarginReport,
    after: &MarginReport,
    cost: Dollars,
) -> Result<Result<(), Refusal>, RiskError> {
    let maintenance = |r: &MarginReport| r.equity_maintenance.minus(r.maintenance);
    let initial = |r: &MarginReport| r.equity_initial.minus(r.initial);
    if maintenance(after)? < maintenance(before)? || initial(after)? < initial(before)? {
        return Ok(Err(Refusal::WorsensMargin));
    }
    if after.equity_maintenance < Dollars::ZERO {
        return Ok(Err(Refusal::NegativeEquity));
    }
    let freed = before.maintenance.minus(after.maintenance)?;
    if cost > freed.times_floor(MAX_REDUCTION_COST)? && cost > Dollars::ZERO {
        return Ok(Err(Refusal::ReductionTooCostly));
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(e_mm: i64, mm: i64, e_im: i64, im: i64) -> MarginReport {
        let d = |v: i64| Dollars(v * 100_000_000);
        MarginReport {
            equity_maintenance: d(e_mm),
            equity_liquidation: d(e_mm),
            maintenance: d(mm),
            equity_initial: d(e_im),
            initial: d(im),
            ..MarginReport::default()
        }
    }
    const ADDS: TradeFacts = TradeFacts {
        reduces: false,
        cost: Dollars::ZERO,
        order_reserve: Dollars::ZERO,
        quote_trusted: true,
        reduces_on_book: false,
    };
    const REDUCES: TradeFacts = TradeFacts { reduces: true, ..ADDS };

    fn verdict(before: MarginReport, after: MarginReport, facts: TradeFacts) -> Result<(), Refusal> {
        judge(&before, &after, &facts).unwrap()
    }

    #[test]
    fn new_risk_needs_initial_margin_and_the_order_reserve() {
        let before = report(1_000, 0, 1_000, 0);
        assert_eq!(verdict(before, report(1_000, 700, 1_000, 1_000), ADDS), Ok(()));
        assert_eq!(
            verdict(before, report(1_000, 700, 999, 1_000), ADDS),
            Err(Refusal::InitialMargin)
        );
        let reserve = TradeFacts {
            order_reserve: Dollars(1),
            ..ADDS
        };
        assert_eq!(
            verdict(before, report(1_000, 700, 1_000, 1_000), reserve),
            Err(Refusal::InitialMargin)
        );
        assert_eq!(verdict(before, report(9, 5, 9, 7), ADDS), Err(Refusal::MinimumEquity));
        assert_eq!(verdict(before, report(9, 5, 9, 7), REDUCES), Ok(()));
    }

    #[test]
    fn tiers() {
        let after = report(5_000, 100, 5_000, 150);
        assert_eq!(
            verdict(report(99, 100, 99, 150), after, REDUCES),
            Err(Refusal::BelowMaintenance)
        );
        assert_eq!(
            verdict(report(109, 100, 109, 150), after, ADDS),
            Err(Refusal::ReduceOnly)
        );
        assert_eq!(verdict(report(110, 100, 110, 150), after, ADDS), Ok(()));
        assert_eq!(verdict(report(109, 100, 109, 150), after, REDUCES), Ok(()));
    }

    /// E 90 against MM 100; half of it closed at a cost of 5 leaves 85 against 50, with 30 % of the 50 freed allowed, which are 15.
    #[test]
    fn under_the_maintenance_margin_only_the_book_takes_reductions_by_the_strict_rule() {
        let before = report(90, 100, 90, 140);
        let cost = |dollars: i64| TradeFacts {
            cost: Dollars(dollars * 100_000_000),
            reduces_on_book: true,
            ..REDUCES
        };
        let after = |cost: i64| report(90 - cost, 50, 90 - cost, 70);
        assert_eq!(verdict(before, after(5), cost(5)), Ok(()));
        assert_eq!(verdict(before, after(15), cost(15)), Ok(()));
        assert_eq!(verdict(before, after(16), cost(16)), Err(Refusal::ReductionTooCostly));
        let elsewhere = TradeFacts {
            reduces_on_book: false,
            ..cost(5)
        };
        assert_eq!(verdict(before, after(5), elsewhere), Err(Refusal::BelowMaintenance));
        let adds = TradeFacts {
            reduces: false,
            ..cost(5)
        };
        assert_eq!(verdict(before, after(5), adds), Err(Refusal::BelowMaintenance));
        let worse = report(90, 101, 90, 141);
        assert_eq!(verdict(before, worse, cost(0)), Err(Refusal::WorsensMargin));
    }

    #[test]
    fn a_dead_prices_profit_opens_no_tier() {
        let dead = |equity: i64| MarginReport {
            equity_liquidation: Dollars(equity * 100_000_000),
            ..report(5_000, 100, 5_000, 150)
        };
        let after = report(5_000, 100, 5_000, 150);
        assert_eq!(verdict(dead(99), after, ADDS), Err(Refusal::BelowMaintenance));
        assert_eq!(verdict(dead(109), after, ADDS), Err(Refusal::ReduceOnly));
        assert_eq!(verdict(dead(110), after, ADDS), Ok(()));
        assert_eq!(verdict(after, dead(99), ADDS), Err(Refusal::InitialMargin));
    }

    /// E_mm 5,000 against MM 100, of which liquidation sees 99: half the book may go, at a cost of at most 30 % of the 50 freed.
    #[test]
    fn a_dead_price_blocks_no_exit() {
        let before = MarginReport {
            equity_liquidation: Dollars(9_900_000_000),
            ..report(5_000, 100, 5_000, 150)
        };
        let after = |equity| report(equity, 50, equity, 75);
        let facts = |dollars: i64| TradeFacts {
            cost: Dollars(dollars * 100_000_000),
            ..REDUCES
        };
        assert_eq!(verdict(before, after(4_985), facts(15)), Ok(()));
        assert_eq!(
            verdict(before, after(4_984), facts(16)),
            Err(Refusal::ReductionTooCostly)
        );
        assert_eq!(
            verdict(before, report(4_900, 50, 4_900, 75), facts(100)),
            Err(Refusal::WorsensMargin)
        );
    }

    #[test]
    fn an_untrusted_quote_asset_stops_new_risk_only() {
        let facts = |reduces| TradeFacts {
            reduces,
            quote_trusted: false,
            ..ADDS
        };
        let (before, after) = (report(1_000, 0, 1_000, 0), report(1_000, 70, 1_000, 100));
        assert_eq!(verdict(before, after, facts(false)), Err(Refusal::QuoteUntrusted));
        assert_eq!(verdict(before, after, facts(true)), Ok(()));
    }

    #[test]
    fn under_initial_margin_only_honest_reductions() {
        let before = report(120, 100, 110, 143);
        // halves the book at the mark
        assert_eq!(verdict(before, report(120, 50, 110, 72 + 60), REDUCES), Ok(()));
        // pulls the hedge out
        assert_eq!(
            verdict(before, report(120, 110, 110, 157), REDUCES),
            Err(Refusal::WorsensMargin)
        );
        // the initial surplus alone gets worse
        assert_eq!(
            verdict(before, report(120, 90, 100, 140), REDUCES),
            Err(Refusal::WorsensMargin)
        );
        assert_eq!(
            verdict(report(120, 100, -200, 143), report(-1, -90, -190, 120), REDUCES),
            Err(Refusal::NegativeEquity)
        );
        // frees 50 of maintenance margin: 15 may be lost, 15.00000001 may not
        let facts = |units| TradeFacts {
            cost: Dollars(units),
            ..REDUCES
        };
        let after = report(105, 50, 95, 96);
        assert_eq!(verdict(before, after, facts(1_500_000_000)), Ok(()));
        assert_eq!(
            verdict(before, after, facts(1_500_000_001)),
            Err(Refusal::ReductionTooCostly)
        );
    }
}
