//! Requirement of an asset with options, or with an expiry in its settlement window (methodology, sections 1 and 3).
//!
//! Sums are dollars in 10⁻⁸ with a bound of their error instead of exact notionals. Each figure is on the account's worse side of the
//! exact one: by the errors, under 10⁻¹⁰ of gross, and a few units a position.
use crate::asset::{concentration, spread, Hedge};
use crate::option_book::{point, Totals};
use crate::scenario::{worst_loss, worst_scenario};
use crate::{AssetBook, AssetReport, RiskError};
use ballast_fixed::{Dollars, Notional};

/// Upper bounds of what the charges match.
struct Matched {
    /// H₁.
    linear: Dollars,
    /// The same, or a lower bound of it where a smaller one costs more.
    charged: Dollars,
    /// H.
    all: Dollars,
    /// max(ΣΔ⁺, ΣΔ⁻).
    largest: Dollars,
}

impl AssetBook<'_> {
    #[inline(never)]
    pub(crate) fn mixed_requirement(&mut self, credit_index: Dollars, out: &mut AssetReport) -> Result<(), RiskError> {
        let net = self.long.minus(self.short)?;
        if let Some(options) = self.options.as_deref_mut() {
            options.close_linear(net, self.params, self.portfolio)?;
        }
        let Some(options) = self.used_options() else {
            return Err(RiskError::InvalidParameter);
        };
        let totals = &options.totals;
        let net = net.floor()?.0.wrapping_add(totals.net_delta); // each below 2⁶¹
        let net_short = Notional::from_dollars(Dollars(net.wrapping_sub(totals.error)));
        let hedge = self.hedge(credit_index, net_short)?;
        self.mixed_scan(totals, &hedge, out)?;
        self.mixed_charges(totals, &hedge, out)?;
        let covered = hedge.delta.floor()?.min(Dollars(net.wrapping_neg().max(0)));
        out.net_delta = Dollars(net).plus(covered)?;
        out.option_value = Dollars(totals.values[point::INDEX]);
        out.gross = self.gross.ceil()?.plus(Dollars(totals.units))?;
        out.buffer = self
            .gross
            .plus(Notional::from_dollars(Dollars(totals.buffered)))?
            .times_ceil(self.params.buffer)?;
        let short = Dollars(totals.short_units);
        out.short_option_minimum = short.times_ceil(self.params.short_option_minimum)?;
        out.net_option_value = Dollars(totals.long_value).times_ceil(self.portfolio.net_option_value)?;
        Ok(())
    }

    /// X_a, L(X_a) and ΣL(X_b).
    fn mixed_scan(&self, totals: &Totals, hedge: &Hedge, out: &mut AssetReport) -> Result<(), RiskError> {
        out.pnl = hedge.spot.moves.expand();
        for (pnl, sum) in out.pnl.iter_mut().zip(totals.vector) {
            let sum = sum.wrapping_sub(totals.slack); // below 2⁶³ in size: three times the domain
            *pnl = pnl.checked_add(sum).ok_or(RiskError::Overflow)?;
        }
        out.scan = worst_loss(&out.pnl)?;
        out.worst_scenario = worst_scenario(&out.pnl);
        let buckets = self.long.plus(self.short)?;
        out.bucket_sum = buckets
            .times_ceil(self.params.scan_range)?
            .plus(hedge.scan)?
            .plus(Dollars(totals.bucket_sum))?;
        Ok(())
    }

    /// H, H₁ and G. Deltas of linear buckets are exact, those of the others bounds.
    fn matched(&self, totals: &Totals, hedge: &Hedge) -> Result<Matched, RiskError> {
        let (long, short) = (self.long.ceil()?, self.short.ceil()?);
        let delta_long = long.plus(Dollars(totals.delta.long))?.plus(hedge.delta.ceil()?)?;
        let delta_short = short.plus(Dollars(totals.delta.short))?;
        // Long calls and short puts are long futures together.
        let synthetic_long = totals.calls.long.min(totals.puts.short);
        let synthetic_short = totals.calls.short.min(totals.puts.long);
        let linear_long = long.plus(Dollars(totals.linear.long))?.plus(Dollars(synthetic_long))?;
        let linear_short = short
            .plus(Dollars(totals.linear.short))?
            .plus(Dollars(synthetic_short))?;
        let all = delta_long.min(delta_short);
        let linear = all.min(linear_long).min(linear_short);
        let mut charged = linear;
        if self.params.spread < self.params.option_spread {
            let error = Dollars(totals.error.wrapping_add(8)); // and the roundings above
            charged = linear.minus(error)?.minus(error)?.max(Dollars::ZERO);
        }
        Ok(Matched {
            linear,
            charged,
            all,
            largest: delta_long.max(delta_short),
        })
    }

    fn mixed_charges(&self, totals: &Totals, hedge: &Hedge, out: &mut AssetReport) -> Result<(), RiskError> {
        let matched = self.matched(totals, hedge)?;
        (out.matched_all, out.matched_linear) = (matched.all, matched.linear);
        let other = matched.all.minus(matched.charged)?;
        out.spread = spread(
            self.params,
            Notional::from_dollars(matched.charged),
            Notional::from_dollars(other),
        )?;
        out.vega = Dollars(totals.vega.matched()).times_ceil(self.portfolio.vega_offset)?;
        // Lower bound of the exact L(X_a): the errors are one-sided now, so up to twice as large.
        let slack = Dollars(totals.slack.wrapping_mul(2).wrapping_add(hedge.slack));
        let scan_floor = out.scan.minus(slack)?.max(Dollars::ZERO);
        let cap = out.bucket_sum.minus(scan_floor)?.max(Dollars::ZERO);
        out.charge = out.spread.plus(out.vega)?.min(cap);
        let quarter = Dollars((totals.units >> 2).wrapping_add(1));
        let size = matched.largest.max(quarter);
        out.concentration = concentration(self.params, Notional::from_dollars(size))?;
        Ok(())
    }
}
