//! The mark of an option: what it is worth on the index and the surface now.
use crate::expiry::pricing_seconds;
use crate::{Expiry, OptionLeg, RiskError};
use ballast_fixed::kernel::{call, ln_price, put, root_years, Moneyness, TotalVolatility, Q48};
use ballast_fixed::{Price, Ratio};

impl Expiry {
    /// The undiscounted Black-76 value of one unit of the option, on the forward and the current surface; rounded down to 10⁻⁹ USD, and
    /// off by at most the kernel's error. The leg's quantity and quote do not matter.
    ///
    /// Fails with [`RiskError::InvalidParameter`] without a price or a volatility within its bounds.
    #[inline(never)]
    pub fn option_mark(&self, leg: &OptionLeg) -> Result<Price, RiskError> {
        if self.forward.0 <= 0 || leg.strike.0 <= 0 {
            return Err(RiskError::InvalidParameter);
        }
        let (seconds, _) = pricing_seconds(self.seconds, Ratio::ONE.minus(self.fixed)?);
        let root = root_years(seconds);
        let moneyness = Moneyness {
            ratio: Q48::quotient(self.forward.0, leg.strike.0),
            ln: ln_price(self.forward).minus(leg.ln_strike),
        };
        let sigma = self.surface.sigma(Q48::ZERO.minus(moneyness.ln), root);
        let volatility = TotalVolatility::new(sigma, root);
        let part = if leg.call {
            call(&moneyness, &volatility)
        } else {
            put(&moneyness, &volatility)
        };
        // A part of at most 2¹⁵ of a price below 2⁶³, in units of 2⁻⁴⁸: the product fits 128 bits.
        let value = i128::from(part.0.max(0)).wrapping_mul(i128::from(leg.strike.0)) >> 48;
        Ok(Price(i64::try_from(value).map_err(|_| RiskError::Overflow)?))
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

    #[test]
    fn needs_prices() {
        assert_eq!(month(0).option_mark(&leg(USD, true)), Err(RiskError::InvalidParameter));
        assert_eq!(month(USD).option_mark(&leg(0, true)), Err(RiskError::InvalidParameter));
    }
}
