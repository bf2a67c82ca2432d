//! The mark of an option: what it is worth on the index and the surface now.
use crate::deep_strike::least_strike;
use crate::expiry::pricing_seconds;
use crate::{Expiry, OptionLeg, RiskError};
use ballast_fixed::kernel::{call, ln_price, put, root_years, Moneyness, TotalVolatility, ERROR, Q48};
use ballast_fixed::{Price, Ratio};

impl Expiry {
    /// The undiscounted Black-76 value of one unit of the option, on the forward and the current surface; rounded down to 10⁻⁹ USD, and
    /// off by at most the kernel's error; with K under F/1,000 also above by a put of that strike at most, see docs/margin.md. The leg's
    /// quantity and quote do not matter.
    ///
    /// Fails with [`RiskError::InvalidParameter`] without a price or a volatility within its bounds.
    #[inline(never)]
    pub fn option_mark(&self, leg: &OptionLeg) -> Result<Price, RiskError> {
        if self.forward.0 <= 0 || leg.strike.0 <= 0 {
            return Err(RiskError::InvalidParameter);
        }
        let (strike, ln_strike, rest) = self.priced_strike(leg);
        let (seconds, _) = pricing_seconds(self.seconds, Ratio::ONE.minus(self.fixed)?);
        let root = root_years(seconds);
        let ln_forward = ln_price(self.forward);
        let moneyness = Moneyness {
            ratio: Q48::quotient(self.forward.0, strike.0),
            ln: ln_forward.minus(ln_strike),
        };
        let sigma = self.surface.sigma(leg.ln_strike.minus(ln_forward), root);
        let volatility = TotalVolatility::new(sigma, root);
        let part = if leg.call {
            call(&moneyness, &volatility)
        } else {
            put(&moneyness, &volatility)
        };
        // A part of at most 2¹⁵ of a price below 2⁶³, in units of 2⁻⁴⁸: the product fits 128 bits, and so does a price more.
        let value = i128::from(part.0.max(0)).wrapping_mul(i128::from(strike.0)) >> 48;
        let value = value.wrapping_add(i128::from(rest.0));
        Ok(Price(i64::try_from(value).map_err(|_| RiskError::Overflow)?))
    }

    /// The strike that the option is priced at, its logarithm, and what the option is worth more.
    fn priced_strike(&self, leg: &OptionLeg) -> (Price, Q48, Price) {
        let least = least_strike(self.forward);
        if leg.strike >= least {
            return (leg.strike, leg.ln_strike, Price(0));
        }
        let rest = if leg.call {
            least.0.wrapping_sub(leg.strike.0)
        } else {
            0
        };
        (least, ln_price(least), Price(rest))
    }
}

/// What an option is worth at the least and at the most, the kernel's error and the rounding included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkBounds {
    /// No more than the exact value, and no less than 0.
    pub least: Price,
    /// No less than the exact value.
    pub most: Price,
}

impl Expiry {
    /// Bounds of the option's value on any of these forwards and on both surfaces: what an owner may have to give for it, either way.
    ///
    /// # Errors
    /// As [`Expiry::option_mark`]; and [`RiskError::InvalidParameter`] without a forward.
    pub fn option_bounds(&self, leg: &OptionLeg, forwards: &[Price]) -> Result<MarkBounds, RiskError> {
        let mut bounds: Option<MarkBounds> = None;
        for forward in forwards {
            // max(F, K) < 2⁶³ times an error of a few units of 2⁻⁴⁸, and one for the rounding.
            let size = i128::from(forward.0.max(leg.strike.0));
            let error = (size.wrapping_mul(i128::from(ERROR.0)) >> 48).wrapping_add(2) as i64;
            for surface in [self.surface, self.slow_surface] {
                let expiry = Expiry {
                    forward: *forward,
                    surface,
                    ..*self
                };
                let mark = expiry.option_mark(leg)?.0;
                let (mut least, most) = (mark.saturating_sub(error).max(0), mark.saturating_add(error));
                if leg.strike < least_strike(*forward) {
                    // The mark may hold a put too much: what is certain is the forward less the strike.
                    let intrinsic = forward.0.saturating_sub(leg.strike.0);
                    least = if leg.call { least.min(intrinsic) } else { 0 };
                }
                let before = bounds.unwrap_or(MarkBounds {
                    least: Price(least),
                    most: Price(most),
                });
                bounds = Some(MarkBounds {
                    least: Price(least.min(before.least.0)),
                    most: Price(most.max(before.most.0)),
                });
            }
        }
        bounds.ok_or(RiskError::InvalidParameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::Surface;
    use ballast_fixed::{Notional, Quantity};

    fn leg(strike: i64, call: bool) -> OptionLeg {
        OptionLeg {
            strike: Price(strike),
            ln_strike: ln_price(Price(strike)),
            call,
            quantity: Quantity(0),
            quote: Notional::ZERO,
        }
    }

    fn month(forward: i64) -> Expiry {
        Expiry {
            forward: Price(forward),
            slow_forward: Price(forward),
            seconds: 30 * 86_400,
            fixed: Ratio::ZERO,
            moving: Ratio::ONE,
            surface: Surface::flat(Ratio(650_000_000)),
            slow_surface: Surface::flat(Ratio(900_000_000)),
        }
    }

    const USD: i64 = 1_000_000_000;

    /// ETH at 3,000, 30 days, σ = 65 %, at the money: s = 0.65·√(30/365) = 0.186349, F·(2Φ(s/2) − 1) = 3,000 · 0.0742376 = 222.71.
    #[test]
    fn the_option_of_section_zero() {
        let mark = |call| month(3_000 * USD).option_mark(&leg(3_000 * USD, call)).unwrap().0;
        let s: f64 = 0.65 * (30.0f64 / 365.0).sqrt();
        // erf by its series; s/2√2 = 0.0659.
        let x = s / 8f64.sqrt();
        let erf = 2.0 / core::f64::consts::PI.sqrt() * (x - x.powi(3) / 3.0 + x.powi(5) / 10.0 - x.powi(7) / 42.0);
        let expected = 3_000.0 * erf * 1e9;
        assert!(
            (mark(true) as f64 - expected).abs() < 5.0,
            "{} against {expected}",
            mark(true)
        );
        assert!(
            (mark(true) - mark(false)).abs() <= 1,
            "at the money both are worth the same"
        );
    }

    #[test]
    fn parity() {
        for strike in [500, 2_900, 3_100, 20_000] {
            let expiry = month(3_000 * USD);
            let value = |call| expiry.option_mark(&leg(strike * USD, call)).unwrap().0;
            assert!(
                (value(true) - value(false) - (3_000 - strike) * USD).abs() <= 1,
                "{strike}"
            );
        }
    }

    /// The dearest of two forwards and two surfaces, and the cheapest, each with the error.
    #[test]
    fn bounds_hold_all_the_marks() {
        let (expiry, call) = (month(3_000 * USD), leg(3_000 * USD, true));
        let bounds = expiry
            .option_bounds(&call, &[Price(3_000 * USD), Price(2_900 * USD)])
            .unwrap();
        let mark = |forward, percent: i64| {
            let flat = Surface::flat(Ratio(percent * 10_000_000));
            let expiry = Expiry {
                surface: flat,
                ..month(forward)
            };
            expiry.option_mark(&call).unwrap().0
        };
        let (cheapest, dearest) = (mark(2_900 * USD, 65), mark(3_000 * USD, 90));
        assert!(cheapest < mark(3_000 * USD, 65) && dearest > mark(2_900 * USD, 90));
        // 24 · 2⁻⁴⁸ of 3·10¹² is 0.26, and two.
        assert_eq!((bounds.least.0, bounds.most.0), (cheapest - 2, dearest + 2));
        assert_eq!(expiry.option_bounds(&call, &[]), Err(RiskError::InvalidParameter));
        let worthless = leg(300_000 * USD, true);
        assert_eq!(
            expiry.option_bounds(&worthless, &[Price(3_000 * USD)]).unwrap().least,
            Price(0)
        );
    }

    #[test]
    fn needs_prices() {
        assert_eq!(month(0).option_mark(&leg(USD, true)), Err(RiskError::InvalidParameter));
        assert_eq!(month(USD).option_mark(&leg(0, true)), Err(RiskError::InvalidParameter));
    }
}
