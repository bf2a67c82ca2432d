//! Requirement of an asset with options, or with an expiry in its settlement window (methodology, sections 1 and 3).
//!
//! Sums are dollars in 10⁻⁸ with a bound of their error instead of exact notionals. Each figure is on the account's worse side of the
//! exact one: by the errors, under 10⁻¹⁰ of gross, and a few units a position.
use crate::asset::{concentration, spread, Hedge};
use crate::option_book::{point, scaled, scaled_up, Totals};
use crate::{AssetBook, AssetParams, AssetReport, RiskError};
use ballast_fixed::kernel::Q48;
use ballast_fixed::{Dollars, Notional, Ratio};

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

/// [`spread`] of amounts from 0, in a third of its cost: by a few units and 2⁻⁴³ of them too much at most.
fn spread_up(params: &AssetParams, linear: Dollars, other: Dollars) -> Result<Dollars, RiskError> {
    const LARGEST: Dollars = Dollars(1 << 56); // times a rate of 4 · 0.95 + 1 at most: below 2⁵⁹
    if linear.max(other) > LARGEST {
        return spread(params, Notional::from_dollars(linear), Notional::from_dollars(other));
    }
    let scan_range = Q48::from_ratio(params.scan_range);
    let basis = Q48::from_ratio(params.basis);
    // Three roundings to half a unit of 2⁻⁴⁸, one of them times λ ≤ 4, and a product's two: under 6 units.
    let rate = |kept: Ratio| Q48::from_ratio(kept).times(scan_range).plus(basis);
    let part = |amount: Dollars, kept: Ratio| match amount {
        Dollars::ZERO => 0,
        Dollars(size) => scaled(size, rate(kept)).wrapping_add(size >> 45).wrapping_add(3),
    };
    let sum = part(linear, params.spread).wrapping_add(part(other, params.option_spread));
    Ok(Dollars(sum))
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
        let linear = (up(self.long)?, up(self.short)?);
        self.mixed_scan(totals, &hedge, linear, out)?;
        self.mixed_charges(totals, &hedge, linear, out)?;
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

    /// X_a, L(X_a) and ΣL(X_b); `linear` are the sides of the buckets without options.
    fn mixed_scan(
        &self,
        totals: &Totals,
        hedge: &Hedge,
        linear: (Dollars, Dollars),
        out: &mut AssetReport,
    ) -> Result<(), RiskError> {
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
        let buckets = linear.0.plus(linear.1)?;
        out.bucket_sum = scaled_up(buckets, self.params.scan_range)?
            .plus(hedge.scan)?
            .plus(Dollars(totals.bucket_sum))?;
        Ok(())
    }

    /// H, H₁ and G. Deltas of linear buckets are exact, those of the others bounds.
    fn matched(&self, totals: &Totals, hedge: &Hedge, (long, short): (Dollars, Dollars)) -> Result<Matched, RiskError> {
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

    fn mixed_charges(
        &self,
        totals: &Totals,
        hedge: &Hedge,
        linear: (Dollars, Dollars),
        out: &mut AssetReport,
    ) -> Result<(), RiskError> {
        let matched = self.matched(totals, hedge, linear)?;
        (out.matched_all, out.matched_linear) = (matched.all, matched.linear);
        let other = matched.all.minus(matched.charged)?;
        out.spread = if matched.all == Dollars::ZERO {
            Dollars::ZERO
        } else {
            spread_up(self.params, matched.charged, other)?
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;

    #[test]
    fn the_quick_spread_is_not_below_the_exact_one() {
        let steep = AssetParams {
            scan_range: Ratio(950_000_000),
            basis: Ratio::ONE,
            spread: Ratio(4_000_000_000),
            option_spread: Ratio(333_333_333),
            ..defaults::BTC
        };
        for params in [defaults::BTC, defaults::MID_CAP, defaults::STABLE, steep] {
            for bits in 0..60 {
                for (linear, other) in [(1, 0), (0, 1), (3, 7), (1_000_003, 999_983)] {
                    let amount = |x: i64| Dollars(x.saturating_mul(1 << bits).min(1 << 60) - x.min(bits & 1));
                    let (linear, other) = (amount(linear), amount(other));
                    let exact = spread(&params, Notional::from_dollars(linear), Notional::from_dollars(other)).unwrap();
                    let quick = spread_up(&params, linear, other).unwrap();
                    let slack = ((linear.0 + other.0) >> 43) + 8;
                    assert!(
                        exact <= quick && quick.0 <= exact.0 + slack,
                        "{linear:?} {other:?}: {exact:?} {quick:?}"
                    );
                }
            }
        }
    }
}
