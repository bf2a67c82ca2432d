//! What is reported and no part of the requirement: greeks in dollars and the one-day value at risk (methodology, section 4).
use crate::expiry::{Expiry, Term, Volatilities};
use crate::option_book::{quotient, OptionLeg};
use crate::{AssetParams, RiskError, MAX_LEVELS};
use ballast_fixed::kernel::{greeks, Moneyness, Q48};
use ballast_fixed::{div_ceil, Dollars, Notional, Price, Ratio};

/// Sensitivities of one asset's positions. Dollars, to a few units: nothing is decided on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensitivities {
    /// Σ q·Δ·F: what a rise of the price by 100 % would earn at today's slope.
    pub delta: Dollars,
    /// By how much `delta` rises when the price rises by 1 %, the change of the price itself aside: Σ q·Γ·F²/100.
    pub gamma: Dollars,
    /// What a rise of every volatility by one percentage point earns.
    pub vega: Dollars,
    /// What a day (of 365 a year) earns; negative for bought options.
    pub theta: Dollars,
}

/// Sums up the sensitivities of one asset. A walk of its own: the requirement does not pay for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sensitivity {
    term: Term,
    sum: Sensitivities,
}

impl Sensitivity {
    /// Adds a linear position worth `at_index`. Fails on overflow.
    pub fn add_linear(&mut self, at_index: Notional) -> Result<(), RiskError> {
        self.sum.delta = self.sum.delta.plus(at_index.floor()?)?;
        Ok(())
    }

    /// Prepares for options of an expiry; fails as [`crate::AssetBook::begin_expiry`] does. In the settlement window `delta` and `gamma`
    /// of options are those of the open part.
    pub fn begin_expiry(&mut self, expiry: &Expiry, index: Price, params: &AssetParams) -> Result<(), RiskError> {
        self.term.set(expiry, index, params)
    }

    /// Adds an option of the expiry begun last, at its surface's volatility.
    ///
    /// Fails for a strike that is not positive with [`RiskError::InvalidParameter`], and on overflow.
    pub fn add_option(&mut self, leg: &OptionLeg) -> Result<(), RiskError> {
        self.add_option_at(leg, self.term.volatilities(leg.ln_strike))
    }

    /// The same at given volatilities.
    #[inline(never)]
    pub fn add_option_at(&mut self, leg: &OptionLeg, volatilities: Volatilities) -> Result<(), RiskError> {
        if leg.strike.0 <= 0 || self.term.forward.0 <= 0 {
            return Err(RiskError::InvalidParameter);
        }
        volatilities.check()?;
        let moneyness = Moneyness {
            ratio: quotient(self.term.forward.0, leg.strike.0),
            ln: self.term.ln_forward.minus(leg.ln_strike),
        };
        let years = self.term.years();
        let unit = greeks(&moneyness, &self.term.total(volatilities.current), years);
        let delta = if leg.call {
            unit.delta
        } else {
            unit.delta.minus(Q48::ONE)
        };
        let moving = Q48::from_ratio(self.term.moving);
        let strikes = leg.strike.times(leg.quantity).floor()?;
        let forwards = times(self.term.forward.times(leg.quantity).floor()?, moving, 1)?;
        let sum = &mut self.sum;
        sum.delta = sum.delta.plus(times(forwards, delta, 1)?)?;
        let gamma = times(forwards, moneyness.ratio, 1)?;
        sum.gamma = sum.gamma.plus(times(times(gamma, moving, 1)?, unit.gamma, 100)?)?;
        sum.vega = sum.vega.plus(times(strikes, unit.vega, 100)?)?;
        sum.theta = sum.theta.plus(times(strikes, unit.theta, 365)?)?;
        Ok(())
    }

    /// Adds collateral so far as the methodology nets it: its delta is min(η·value, what the positions are net short). Comes last.
    ///
    /// Fails on overflow.
    pub fn add_collateral(&mut self, value: Notional, hedge_recognition: Ratio) -> Result<(), RiskError> {
        let hedge = value.times_floor(hedge_recognition)?;
        let short = self.sum.delta.negated()?.max(Dollars::ZERO);
        self.sum.delta = self.sum.delta.plus(hedge.min(short))?;
        Ok(())
    }

    /// The sums.
    pub fn sum(&self) -> Sensitivities {
        self.sum
    }
}

/// amount · factor / divisor, towards zero. Fails on overflow.
fn times(amount: Dollars, factor: Q48, divisor: i128) -> Result<Dollars, RiskError> {
    let product = i128::from(amount.0).wrapping_mul(i128::from(factor.0)); // two 64-bit factors
    let value = product.checked_div(divisor << 48).ok_or(RiskError::Overflow)?;
    i64::try_from(value).map(Dollars).map_err(|_| RiskError::Overflow)
}

impl Sensitivities {
    /// Adds those of another asset. Fails on overflow.
    pub fn plus(&self, other: &Sensitivities) -> Result<Sensitivities, RiskError> {
        Ok(Sensitivities {
            delta: self.delta.plus(other.delta)?,
            gamma: self.gamma.plus(other.gamma)?,
            vega: self.vega.plus(other.vega)?,
            theta: self.theta.plus(other.theta)?,
        })
    }
}

/// Correlation of two assets' daily moves: 0.85 where they share the cluster of level 1, as BTC and ETH do, else 0.8.
pub fn correlation(a: &[u8; MAX_LEVELS], b: &[u8; MAX_LEVELS]) -> Ratio {
    const NARROWEST: usize = 1; // level 0 nets nothing
    if a[NARROWEST] != 0 && a[NARROWEST] == b[NARROWEST] {
        Ratio(850_000_000)
    } else {
        Ratio(800_000_000)
    }
}

/// An asset's part of the value at risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// [`Sensitivities::delta`], or [`crate::AssetReport::net_delta`].
    pub net_delta: Dollars,
    /// Standard deviation of a day, see [`crate::defaults::DAILY_VOLATILITY`].
    pub daily_volatility: Ratio,
}

/// The one-day 99 % delta-normal value at risk, rounded up: 2.326347874·√(ΣΣ ρ_ij·σ_iΔ_i·σ_jΔ_j).
///
/// `correlation` of two different positions in the slice is taken to 10⁻³. Fails on overflow, which nothing inside
/// [`crate::MAX_GROSS`] reaches.
pub fn value_at_risk(
    exposures: &[Exposure],
    correlation: impl Fn(usize, usize) -> Ratio,
) -> Result<Dollars, RiskError> {
    const QUANTILE: Ratio = Ratio(2_326_347_874);
    const THOUSANDTH: i64 = Ratio::SCALE / 1_000;
    let deviation =
        |e: &Exposure| -> Result<i128, RiskError> { Ok(i128::from(e.net_delta.times_floor(e.daily_volatility)?.0)) };
    // Thousandths of squared units: deviations add up to less than 2⁵⁷ with σ ≤ 7 %, so the sum is under 2¹²⁴.
    let mut variance = 0i128;
    for (i, a) in exposures.iter().enumerate() {
        let a = deviation(a)?;
        for (j, b) in exposures.iter().enumerate().take(i.saturating_add(1)) {
            let weight = if i == j {
                1_000
            } else {
                i128::from(correlation(i, j).0.saturating_mul(2) / THOUSANDTH)
            };
            let term = a.checked_mul(deviation(b)?).and_then(|x| x.checked_mul(weight));
            variance = term.and_then(|x| variance.checked_add(x)).ok_or(RiskError::Overflow)?;
        }
    }
    let root = root_up(div_ceil(variance.max(0), 1_000)?.unsigned_abs());
    let root = i64::try_from(root).map_err(|_| RiskError::Overflow)?;
    Ok(Dollars(root).times_ceil(QUANTILE)?)
}

/// ⌈√x⌉, bit by bit.
fn root_up(x: u128) -> u128 {
    let (mut root, mut rest, mut bit) = (0u128, x, 1u128 << 126);
    while bit > 0 {
        // root < 2¹²⁷ and bit below it.
        let trial = root | bit;
        root >>= 1;
        if rest >= trial {
            rest = rest.wrapping_sub(trial);
            root |= bit;
        }
        bit >>= 2;
    }
    root.wrapping_add(u128::from(rest > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults::{DAILY_VOLATILITY, ETH};
    use crate::surface::Surface;
    use ballast_fixed::kernel::ln_price;
    use ballast_fixed::Quantity;

    fn usd(dollars: i64) -> Dollars {
        Dollars(dollars * 100_000_000)
    }

    #[test]
    fn roots_are_rounded_up() {
        for (x, root) in [(0, 0), (1, 1), (2, 2), (4, 2), (5, 3), (99, 10), (100, 10), (101, 11)] {
            assert_eq!(root_up(x), root, "{x}");
        }
        assert_eq!(root_up(u128::MAX), 1 << 64);
    }

    /// 100,000 of BTC at 3.2 % a day: 3,200·2.326347874. With 50,000 short of ETH at 4.1 %: √(3,200² + 2,050² − 2·0.85·3,200·2,050)
    /// = √3,290,500 = 1,813.97353…
    #[test]
    fn value_at_risk_is_delta_normal() {
        let [btc, eth, ..] = DAILY_VOLATILITY;
        let long = Exposure {
            net_delta: usd(100_000),
            daily_volatility: btc,
        };
        let short = Exposure {
            net_delta: usd(-50_000),
            daily_volatility: eth,
        };
        let none = |_, _| Ratio::ONE;
        assert_eq!(value_at_risk(&[], none), Ok(Dollars::ZERO));
        assert_eq!(value_at_risk(&[long], none), Ok(Dollars(744_431_319_680)));
        let pair = value_at_risk(&[long, short], |_, _| Ratio(850_000_000)).unwrap();
        let expected = 2.326_347_874 * 3_290_500f64.sqrt();
        assert!((pair.0 as f64 / 1e8 - expected).abs() < 1e-7, "{pair:?} {expected}");
        let all = Exposure {
            net_delta: crate::MAX_GROSS,
            daily_volatility: Ratio(65_000_000),
        };
        assert!(value_at_risk(&[all], none).is_ok());
    }

    #[test]
    fn assets_of_the_narrowest_cluster_move_together() {
        use crate::defaults::{BTC, MID_CAP, SOL};
        let [btc, eth, sol, other] = [BTC, ETH, SOL, MID_CAP].map(|p| p.clusters);
        assert_eq!(correlation(&btc, &eth), Ratio(850_000_000));
        for (a, b) in [(btc, sol), (eth, sol), (btc, other), (other, other)] {
            assert_eq!(correlation(&a, &b), Ratio(800_000_000));
        }
    }

    #[test]
    fn collateral_covers_a_short_and_no_more() {
        let delta = |position: i64, collateral: i64, recognition| {
            let mut book = Sensitivity::default();
            book.add_linear(Notional::from_dollars(usd(position))).unwrap();
            book.add_collateral(Notional::from_dollars(usd(collateral)), recognition)
                .unwrap();
            book.sum().delta
        };
        assert_eq!(delta(-100, 30, Ratio::ONE), usd(-70));
        assert_eq!(delta(-100, 130, Ratio::ONE), Dollars::ZERO);
        assert_eq!(delta(-100, 130, Ratio::ZERO), usd(-100));
        assert_eq!(delta(100, 130, Ratio::ONE), usd(100));
    }

    /// ETH 3,000, 30 days at the money, σ = 65 %, σ√T = 0.186349: d₁ = 0.0931745, φ(d₁) = 0.397214343, Φ(d₁) = 0.537117575.
    #[test]
    fn greeks_are_in_dollars() {
        let price = Price(3_000_000_000_000);
        let surface = Surface::flat(Ratio(650_000_000));
        let expiry = Expiry {
            forward: price,
            slow_forward: price,
            seconds: 2_592_000,
            fixed: Ratio::ZERO,
            moving: Ratio::ONE,
            surface,
            slow_surface: surface,
        };
        let leg = |call: bool| OptionLeg {
            strike: price,
            ln_strike: ln_price(price),
            call,
            quantity: Quantity(10_000_000_000),
            quote: Notional::ZERO,
        };
        let sums = |legs: &[OptionLeg], linear: i64| {
            let mut book = Sensitivity::default();
            book.add_linear(Notional::from_dollars(usd(linear))).unwrap();
            book.begin_expiry(&expiry, price, &ETH).unwrap();
            for leg in legs {
                book.add_option(leg).unwrap();
            }
            book.sum()
        };
        let near = |x: Dollars, expected: f64| {
            let value = x.0 as f64 / 1e8;
            assert!((value / expected - 1.0).abs() < 1e-6, "{value} against {expected}");
        };
        let call = sums(&[leg(true)], 0);
        let (root, density) = ((30.0f64 / 365.0).sqrt(), 0.397_214_343);
        near(call.delta, 30_000.0 * 0.537_117_575);
        near(call.gamma, 30_000.0 * density / (0.65 * root) / 100.0);
        near(call.vega, 30_000.0 * density * root / 100.0);
        near(call.theta, -30_000.0 * density * 0.65 / (2.0 * root) / 365.0);
        // The put with a future is the call.
        let put = sums(&[leg(false)], 30_000);
        assert!((put.delta.0 - call.delta.0).abs() <= 2);
        assert_eq!((put.gamma, put.vega, put.theta), (call.gamma, call.vega, call.theta));
    }
}
