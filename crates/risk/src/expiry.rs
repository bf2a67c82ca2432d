//! What all options of one expiry share: forwards, time, and how volatility is shocked (methodology, sections 1 and 5).
use crate::option_book::quotient;
use crate::surface::{Smile, Surface, LARGEST_VOLATILITY, LEAST_SECONDS, LEAST_VOLATILITY};
use crate::{AssetParams, RiskError};
use ballast_fixed::kernel::{exp, ln, ln_price, root_years, TotalVolatility, Q48};
use ballast_fixed::{Price, Ratio};

/// One expiry of an asset as the caller's board has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// F on the index: index·(1 + basis); in the settlement window f·mean + (1 − f)·index.
    pub forward: Price,
    /// F on the slow price, with the same basis.
    pub slow_forward: Price,
    /// Seconds to expiry.
    pub seconds: i64,
    /// f: the part of the settlement average that is fixed; 0 before the window, at most 1.
    pub fixed: Ratio,
    /// What part of F moves with the index: 1 before the window, in it (1 − f)·index·(1 + basis)/F; at most 1.
    pub moving: Ratio,
    /// The volatility surface now.
    pub surface: Surface,
    /// Its slow mean.
    pub slow_surface: Surface,
}

/// Of what an option's volatility is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volatilities {
    /// σ on the surface now: marks and scenarios.
    pub current: Q48,
    /// σ on its slow mean; new risk is judged at the worse of both.
    pub slow: Q48,
}

impl Volatilities {
    /// One σ for both, where there is no surface.
    pub const fn same(sigma: Q48) -> Volatilities {
        Volatilities {
            current: sigma,
            slow: sigma,
        }
    }

    /// Fails with [`RiskError::InvalidParameter`] outside 5 % to 400 %.
    pub(crate) fn check(&self) -> Result<(), RiskError> {
        let bounds = LEAST_VOLATILITY..=LARGEST_VOLATILITY;
        if bounds.contains(&self.current) && bounds.contains(&self.slow) {
            Ok(())
        } else {
            Err(RiskError::InvalidParameter)
        }
    }
}

/// Seconds that options are priced with, and the same a day later.
///
/// Before the window at least an hour. In it the open part g = 1 − f of the average is what is still uncertain: it has the weight g in
/// the settlement price and a time in proportion to g to go, so the variance of the average's logarithm is proportional to g²·g.
/// It starts from the hour of the window's begin, without a jump: T = g³ hours, in whole seconds and at least a minute. (A continuous
/// average over the half hour has g³·30/3 minutes: a sixth of that.)
pub(crate) fn pricing_seconds(seconds: i64, open: Ratio) -> (i64, i64) {
    const LEAST: i64 = 60;
    const DAY: i64 = 86_400;
    const LONGEST: i64 = 1 << 40;
    let now = if open >= Ratio::ONE {
        seconds.clamp(LEAST_SECONDS, LONGEST)
    } else {
        let open = Q48::from_ratio(open.max(Ratio::ZERO));
        let cube = open.times(open).times(open); // at most 1: in seconds at most 3,600
        (cube.0.wrapping_mul(LEAST_SECONDS) >> 48)
            .wrapping_add(1)
            .clamp(LEAST, LEAST_SECONDS)
    };
    (now, now.wrapping_sub(DAY).max(LEAST))
}

/// m = (30/max(days, 1))^a with a = 0.30 below 30 days and 0.13 above.
fn term_multiplier(seconds: i64) -> Q48 {
    const DAY: i64 = 86_400;
    const MONTH: i64 = 30 * DAY;
    const SHORT: Q48 = Q48::from_ratio(Ratio(300_000_000));
    const LONG: Q48 = Q48::from_ratio(Ratio(130_000_000));
    let exponent = if seconds < MONTH { SHORT } else { LONG };
    let ratio = quotient(MONTH, seconds.max(DAY)); // 30 to 2·10⁻⁶
    exp(exponent.times(ln(ratio)))
}

/// An option's total volatilities: today's, up, down, tilt+, tilt−, and with a day less.
pub(crate) type Totalities = [TotalVolatility; 6];

/// An expiry in the kernel's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Term {
    pub forward: Price,
    pub slow_forward: Price,
    pub ln_forward: Q48,
    pub ln_slow_forward: Q48,
    /// S/F, and the part of F that moves with S.
    pub index_ratio: Q48,
    pub moving: Ratio,
    /// √T, and a day later.
    root: Q48,
    root_day_less: Q48,
    /// v_u·m and v_d·m.
    rise: Q48,
    fall: Q48,
    /// 1 / (2.4·√T): ln(K/F) times it is k.
    skew_inverse: Q48,
    smile: Smile,
    slow_smile: Smile,
    one_surface: bool,
}

impl Term {
    /// Fails with [`RiskError::InvalidParameter`] without a price, or with f or the part that moves outside 0 to 1.
    #[inline(never)]
    pub fn set(&mut self, expiry: &Expiry, index: Price, params: &AssetParams) -> Result<(), RiskError> {
        let priced = expiry.forward.0 > 0 && expiry.slow_forward.0 > 0 && index.0 > 0;
        let part = Ratio::ZERO..=Ratio::ONE;
        if !priced || !part.contains(&expiry.fixed) || !part.contains(&expiry.moving) {
            return Err(RiskError::InvalidParameter);
        }
        self.moving = expiry.moving;
        let (seconds, day_less) = pricing_seconds(expiry.seconds, Ratio::ONE.minus(expiry.fixed)?);
        let multiplier = term_multiplier(seconds);
        self.forward = expiry.forward;
        self.slow_forward = expiry.slow_forward;
        self.ln_forward = ln_price(expiry.forward);
        self.ln_slow_forward = if expiry.slow_forward == expiry.forward {
            self.ln_forward
        } else {
            ln_price(expiry.slow_forward)
        };
        self.index_ratio = quotient(index.0, expiry.forward.0);
        self.root = root_years(seconds);
        self.root_day_less = root_years(day_less);
        // Parameters are at most 10 and m at most 2.78.
        self.rise = Q48::from_ratio(params.vol_up).times(multiplier);
        self.fall = Q48::from_ratio(params.vol_down).times(multiplier);
        let width = Q48((self.root.0.wrapping_mul(12) as u64 / 5) as i64); // √T is positive and under 182
        self.skew_inverse = quotient(Q48::ONE.0, width.0);
        self.smile = Smile::new(&expiry.surface, self.root);
        self.one_surface = expiry.surface == expiry.slow_surface;
        if !self.one_surface {
            self.slow_smile = Smile::new(&expiry.slow_surface, self.root);
        }
        Ok(())
    }

    /// σ of a strike on both surfaces, by ln K.
    pub fn volatilities(&self, ln_strike: Q48) -> Volatilities {
        let moneyness = ln_strike.minus(self.ln_forward);
        let current = self.smile.sigma(moneyness);
        let slow = if self.one_surface {
            current
        } else {
            self.slow_smile.sigma(moneyness)
        };
        Volatilities { current, slow }
    }

    /// T.
    pub fn years(&self) -> Q48 {
        self.root.times(self.root) // √T is under 182
    }

    /// σ√T for a σ, today.
    pub fn total(&self, sigma: Q48) -> TotalVolatility {
        TotalVolatility::new(sigma, self.root)
    }

    /// The total volatilities of an option with this σ and ln(F/K).
    pub fn shocked(&self, sigma: Q48, ln_moneyness: Q48) -> Totalities {
        const TENTH: Q48 = Q48::from_ratio(Ratio(100_000_000));
        const TILT: Q48 = Q48::from_ratio(Ratio(150_000_000));
        // σ ≤ 4, v_u·m ≤ 28, v_d·m ≤ 2.8.
        let up = sigma.plus(sigma.times(self.rise)).max(sigma.plus(TENTH));
        let down = (sigma.minus(sigma.times(self.fall)))
            .min(sigma.minus(TENTH))
            .max(LEAST_VOLATILITY);
        let tilt = sigma.times(TILT).times(self.skew(ln_moneyness));
        [
            self.total(sigma),
            self.total(up),
            self.total(down),
            self.total(sigma.plus(tilt)),
            self.total(sigma.minus(tilt)),
            TotalVolatility::new(sigma, self.root_day_less),
        ]
    }

    /// k = clamp(ln(K/F) / (2.4·√T), −1, 1).
    fn skew(&self, ln_moneyness: Q48) -> Q48 {
        // |ln| < 64 and 1/(2.4·√T) at most 303, from a minute on: within the bounds of a product.
        let k = ln_moneyness.times(self.skew_inverse).0.wrapping_neg();
        Q48(k.clamp(Q48::ONE.0.wrapping_neg(), Q48::ONE.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults::ETH;

    const DAY: i64 = 86_400;

    fn value(x: Q48) -> f64 {
        x.0 as f64 / (1u64 << 48) as f64
    }

    fn near(a: Q48, b: f64) {
        assert!((value(a) - b).abs() < 1e-12, "{} against {b}", value(a));
    }

    /// The rule of Deribit, Derive and Paradex, (30/max(1, days))^a, computed to 20 digits.
    #[test]
    fn the_term_multiplier_is_the_published_power() {
        near(term_multiplier(3 * DAY), 1.995_262_314_968_879_6);
        near(term_multiplier(15 * DAY), 1.231_144_413_344_916_3);
        near(term_multiplier(30 * DAY), 1.0);
        near(term_multiplier(60 * DAY), 0.913_831_450_229_400_5);
        near(term_multiplier(365 * DAY), 0.722_649_473_721_398_9);
        // 29.999 days are 2,591,913.6 seconds: the value there lies between those of the whole seconds beside it.
        let published = 1.000_010_000_021_672_2;
        assert!(value(term_multiplier(2_591_914)) < published && published < value(term_multiplier(2_591_913)));
        // Under a day as at one: 30^0.3.
        assert_eq!(term_multiplier(60), term_multiplier(DAY));
        near(term_multiplier(DAY), 2.774_191_114_672_181);
    }

    #[test]
    fn time_is_an_hour_at_least_and_shrinks_in_the_window() {
        assert_eq!(pricing_seconds(30 * DAY, Ratio::ONE), (30 * DAY, 29 * DAY));
        assert_eq!(pricing_seconds(DAY, Ratio::ONE), (DAY, 60));
        assert_eq!(pricing_seconds(-5, Ratio::ONE), (3_600, 60));
        // Half the average fixed: an eighth of an hour. All of it: a minute.
        assert_eq!(pricing_seconds(900, Ratio(500_000_000)), (451, 60));
        assert_eq!(pricing_seconds(0, Ratio::ZERO), (60, 60));
        assert_eq!(
            pricing_seconds(1_800, Ratio(999_999_999)),
            (3_600, 60),
            "no jump at the window's begin"
        );
    }

    fn month(surface: Surface) -> Term {
        let expiry = Expiry {
            forward: Price(3_000_000_000_000),
            slow_forward: Price(2_900_000_000_000),
            seconds: 30 * DAY,
            fixed: Ratio::ZERO,
            moving: Ratio::ONE,
            surface,
            slow_surface: Surface::flat(Ratio(700_000_000)),
        };
        let mut term = Term::default();
        term.set(&expiry, Price(3_000_000_000_000), &ETH).unwrap();
        term
    }

    /// 30 days: m = 1, √T = 0.286691. σ = 0.65: up 0.65·1.4, down 0.65·0.75.
    #[test]
    fn volatility_is_shocked_by_the_rule() {
        let term = month(Surface::flat(Ratio(650_000_000)));
        let root = (30.0f64 / 365.0).sqrt();
        let sigma = Q48::from_ratio(Ratio(650_000_000));
        // K = F·e^(1.2√T): k = ½, so the tilts are 7.5 % of σ.
        let ln = Q48((-1.2 * root * (1u64 << 48) as f64) as i64);
        let totals = term.shocked(sigma, ln).map(|v| v.value());
        for (index, sigma) in [0.65, 0.91, 0.4875, 0.69875, 0.60125].into_iter().enumerate() {
            near(totals[index], sigma * root);
        }
        near(totals[5], 0.65 * (29.0f64 / 365.0).sqrt());
        // A low volatility moves by 10 points, and no further down than to 5 %.
        let low = term.shocked(Q48::from_ratio(Ratio(120_000_000)), ln).map(|v| v.value());
        near(low[1], 0.22 * root);
        near(low[2], 0.05 * root);
    }

    #[test]
    fn both_surfaces_are_read() {
        let both = month(Surface::flat(Ratio(650_000_000))).volatilities(ln_price(Price(3_000_000_000_000)));
        assert_eq!(both.current, Q48::from_ratio(Ratio(650_000_000)));
        assert_eq!(both.slow, Q48::from_ratio(Ratio(700_000_000)));
        assert_eq!(both.check(), Ok(()));
        let off = Volatilities::same(Q48::from_ratio(Ratio(49_999_999)));
        assert_eq!(off.check(), Err(RiskError::InvalidParameter));
    }

    #[test]
    fn a_term_needs_prices() {
        let expiry = Expiry {
            forward: Price(0),
            slow_forward: Price(1),
            seconds: DAY,
            fixed: Ratio::ZERO,
            moving: Ratio::ONE,
            surface: Surface::flat(Ratio(500_000_000)),
            slow_surface: Surface::flat(Ratio(500_000_000)),
        };
        let refused = |expiry: Expiry| {
            assert_eq!(
                Term::default().set(&expiry, Price(1), &ETH),
                Err(RiskError::InvalidParameter)
            )
        };
        refused(expiry);
        refused(Expiry {
            forward: Price(1),
            fixed: Ratio(1_000_000_001),
            ..expiry
        });
        refused(Expiry {
            forward: Price(1),
            fixed: Ratio(-1),
            ..expiry
        });
        for moving in [-1, 1_000_000_001] {
            refused(Expiry {
                forward: Price(1),
                moving: Ratio(moving),
                ..expiry
            });
        }
    }
}
