//! Requirement of an asset with options, or with an expiry in its settlement window (methodology, sections 1 and 3).
//!
//! Sums are dollars in 10⁻⁸ with a bound of their error instead of exact notionals. Each figure is on the account's worse side of the
//! exact one: by the errors, under 10⁻¹⁰ of gross, and a few units a position.
use crate::asset::{concentration, spread, Hedge};
use crate::option_book::{point, scaled_up, Totals};
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

/// In dollars, rounded up; most notionals here are zero, which costs nothing.
fn up(x: Notional) -> Result<Dollars, RiskError> {
    if x == Notional::ZERO {
        return Ok(Dollars::ZERO);
    }
    Ok(x.ceil()?)
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
        let linear = if net == Notional::ZERO { 0 } else { net.floor()?.0 };
        let net = linear.wrapping_add(totals.net_delta); // each below 2⁶²
        let net_short = Notional::from_dollars(Dollars(net.wrapping_sub(totals.error)));
        let hedge = self.hedge(credit_index, net_short)?;
        self.mixed_scan(totals, &hedge, out)?;
        self.mixed_charges(totals, &hedge, out)?;
        let covered = up(hedge.delta)?.min(Dollars(net.wrapping_neg().max(0)));
        out.net_delta = Dollars(net).plus(covered)?;
        out.option_value = Dollars(totals.values[point::INDEX]);
        out.gross = up(self.gross)?.plus(Dollars(totals.units))?;
        let buffer = scaled_up(Dollars(totals.buffered), self.params.buffer)?;
        out.buffer = self.gross.times_ceil(self.params.buffer)?.plus(buffer)?;
        out.short_option_minimum = scaled_up(Dollars(totals.short_units), self.params.short_option_minimum)?;
        out.net_option_value = scaled_up(Dollars(totals.long_value), self.portfolio.net_option_value)?;
        Ok(())
    }

    /// X_a, L(X_a) and ΣL(X_b).
    fn mixed_scan(&self, totals: &Totals, hedge: &Hedge, out: &mut AssetReport) -> Result<(), RiskError> {
        out.pnl = hedge.spot.moves.expand();
        let mut worst = (0u8, i64::MAX);
        for (index, (pnl, sum)) in (0u8..).zip(out.pnl.iter_mut().zip(totals.vector)) {
            // Options twice the domain at most, linear legs and collateral each the domain: below 2⁶³ together.
            *pnl = pnl.wrapping_add(sum).wrapping_sub(totals.slack);
            if *pnl < worst.1 {
                worst = (index, *pnl);
            }
        }
        out.scan = Dollars(worst.1.min(0)).negated()?;
        out.worst_scenario = worst.0;
        let buckets = self.long.plus(self.short)?;
        out.bucket_sum = buckets
            .times_ceil(self.params.scan_range)?
            .plus(hedge.scan)?
            .plus(Dollars(totals.bucket_sum))?;
        Ok(())
    }

    /// H, H₁ and G. Deltas of linear buckets are exact, those of the others bounds.
    fn matched(&self, totals: &Totals, hedge: &Hedge) -> Result<Matched, RiskError> {
        let (long, short) = (up(self.long)?, up(self.short)?);
        let delta_long = long.plus(Dollars(totals.delta.long))?.plus(up(hedge.delta)?)?;
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
        out.spread = if matched.all == Dollars::ZERO {
            Dollars::ZERO
        } else {
            spread(
                self.params,
                Notional::from_dollars(matched.charged),
                Notional::from_dollars(other),
            )?
        };
        out.vega = scaled_up(Dollars(totals.vega.matched()), self.portfolio.vega_offset)?;
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
