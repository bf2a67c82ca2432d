//! Sensitivities of an option's price.
use super::black76::distances;
use super::functions::{shifted, sqrt};
use super::normal::{cdf, pdf_parts};
use super::{Moneyness, TotalVolatility, Q48};

/// A call's sensitivities in parts of the strike. A put has the same but for its delta, which is one less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greeks {
    /// ∂C/∂F = Φ(d₁).
    pub delta: Q48,
    /// K·∂²C/∂F² = φ(d₁) / (F/K · v): divided by K, the gamma per dollar.
    pub gamma: Q48,
    /// ∂(C/K)/∂σ = φ(d₂)·√T, for one whole unit (100 percentage points) of volatility.
    pub vega: Q48,
    /// ∂(C/K)/∂t = −φ(d₂)·v / 2T, a year; negative.
    pub theta: Q48,
}

/// The sensitivities at `years` = T to expiry, the T in `volatility`.
pub fn greeks(moneyness: &Moneyness, volatility: &TotalVolatility, years: Q48) -> Greeks {
    let above = moneyness.ln.0 >= 0;
    let Some((near, far)) = distances(moneyness.ln, volatility) else {
        return Greeks {
            delta: if above { Q48::ONE } else { Q48::ZERO },
            ..Greeks::default()
        };
    };
    let (d1, d2) = if above {
        (far, near)
    } else {
        (near.wrapping_neg(), far.wrapping_neg())
    };
    let years = Q48(years.0.max(1));
    // φ(d₁)/(F/K) and φ(d₂).
    let (per_ratio, per_ratio_exponent) = pdf_parts(Q48(d1), Q48(moneyness.ln.0.wrapping_neg()));
    let (density, density_exponent) = pdf_parts(Q48(d2), Q48::ZERO);
    // The mantissas, from units of 2⁻⁵⁴ to 2⁻⁴⁸, are under 2.01; the other factors at most 1/16, 182 and 8,192 (in the domain
    // σ/2√T is under 3,700): within the bounds of a product.
    let gamma = Q48(per_ratio >> 6).times(volatility.inverse);
    let density = Q48(density >> 6);
    let vega = density.times(sqrt(years));
    let decay = Q48::quotient(volatility.value.0 >> 1, years.0).min(Q48(Q48::MAX.0 >> 2));
    let theta = density.times(decay);
    Greeks {
        delta: cdf(Q48(d1)),
        gamma: shifted(gamma.0, per_ratio_exponent.wrapping_add(volatility.shift as i32)),
        vega: shifted(vega.0, density_exponent),
        theta: Q48(shifted(theta.0, density_exponent).0.wrapping_neg()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x to the nearest unit; exact enough for the values below.
    fn q(x: f64) -> Q48 {
        Q48((x * (1u64 << 48) as f64).round() as i64)
    }

    #[test]
    fn at_the_money_over_a_year() {
        // σ = 20 %, T = 1, F = K: d₁ = 0.1, d₂ = −0.1; Φ(0.1) = 0.539827837277029, φ(0.1) = 0.396952547477012.
        let atm = Moneyness {
            ratio: Q48::ONE,
            ln: Q48::ZERO,
        };
        let found = greeks(&atm, &TotalVolatility::new(q(0.2), Q48::ONE), Q48::ONE);
        let density = 0.396_952_547_477_012;
        for (name, value, expected) in [
            ("delta", found.delta, 0.539_827_837_277_029),
            ("gamma", found.gamma, density / 0.2),
            ("vega", found.vega, density),
            ("theta", found.theta, -density * 0.2 / 2.0),
        ] {
            let error = value.0.abs_diff(q(expected).0);
            assert!(error <= 8, "{name}: {error} units"); // 15 digits of φ
        }
    }

    #[test]
    fn far_from_the_strike_only_delta_is_left() {
        let v = TotalVolatility::new(q(0.01), q(0.01));
        let years = q(0.0001);
        let above = Moneyness {
            ratio: q(2.0),
            ln: super::super::ln(q(2.0)),
        };
        let below = Moneyness {
            ratio: q(0.5),
            ln: super::super::ln(q(0.5)),
        };
        assert_eq!(
            greeks(&above, &v, years),
            Greeks {
                delta: Q48::ONE,
                ..Greeks::default()
            }
        );
        assert_eq!(greeks(&below, &v, years), Greeks::default());
    }
}
