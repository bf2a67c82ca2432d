//! Points of the kernel's domain.
use ballast_fixed::kernel::{ln, root_years, Moneyness, TotalVolatility, Q48};
use ballast_fixed::{Price, Ratio};

/// An option and, perhaps, a move of its forward.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub forward: Price,
    pub strike: Price,
    /// Of the forward; `None` is no shock at all, not one of zero.
    pub shock: Option<Ratio>,
    /// A year.
    pub sigma: Ratio,
    pub seconds: i64,
}

impl Point {
    pub fn moneyness(&self) -> Moneyness {
        let before = Moneyness::new(self.forward, self.strike);
        self.shock.map_or(before, |shock| {
            let factor = Q48::from_ratio(Ratio(Ratio::SCALE + shock.0));
            before.shocked(factor, ln(factor))
        })
    }

    pub fn volatility(&self) -> TotalVolatility {
        TotalVolatility::new(Q48::from_ratio(self.sigma), root_years(self.seconds))
    }

    pub fn years(&self) -> Q48 {
        Q48::quotient(self.seconds, 31_536_000)
    }
}

/// A deterministic stream of numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Even on [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Log-uniform on [low, high).
    pub fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Bounds of the points drawn.
#[derive(Clone, Copy)]
pub struct Domain {
    pub ratio: (f64, f64),
    pub sigma: (f64, f64),
    pub seconds: (f64, f64),
}

/// What the issue of accuracy is stated on: F/K 0.004 to 100, σ 5 % to 1,000 %, T 1 hour to 2 years.
pub const STATED: Domain = Domain {
    ratio: (0.004, 100.0),
    sigma: (0.05, 10.0),
    seconds: (3_600.0, 63_072_000.0),
};

/// All the kernel takes: σ from 1 %, T from 1 minute.
pub const WHOLE: Domain = Domain {
    ratio: (0.004, 100.0),
    sigma: (0.01, 10.0),
    seconds: (60.0, 63_072_000.0),
};

impl Domain {
    /// Log-uniform in every direction.
    pub fn anywhere(&self, random: &mut Random) -> Point {
        let ratio = random.log_uniform(self.ratio.0, self.ratio.1);
        self.at(random, |_, _| ratio.ln())
    }

    /// With a strike within nine deviations: elsewhere options are worth their intrinsic value.
    pub fn near_the_money(&self, random: &mut Random) -> Point {
        self.at(random, |random, v| v * random.uniform(-9.0, 9.0))
    }

    /// With a strike where two intervals of the table of Φ meet.
    pub fn at_a_joint(&self, random: &mut Random) -> Point {
        self.at(random, |random, v| {
            let joint = random.below(145) as f64 / 16.0;
            let distance = v * (joint + v * (random.below(2) as f64 - 0.5));
            if random.below(2) == 0 {
                distance
            } else {
                -distance
            }
        })
    }

    fn at(&self, random: &mut Random, moneyness: impl Fn(&mut Random, f64) -> f64) -> Point {
        let sigma = random.log_uniform(self.sigma.0, self.sigma.1);
        let seconds = random.log_uniform(self.seconds.0, self.seconds.1);
        let moneyness = moneyness(random, sigma * (seconds / 31_536_000.0).sqrt());
        let ratio = moneyness.clamp(self.ratio.0.ln(), self.ratio.1.ln()).exp();
        // From 1 cent to 10 million dollars, so that F is at least 0.00004 and at most 10⁹.
        let strike = random.log_uniform(1e7, 1e16);
        Point {
            forward: Price((strike * ratio) as i64),
            strike: Price(strike as i64),
            shock: None,
            sigma: Ratio((sigma * 1e9) as i64),
            seconds: seconds as i64,
        }
    }

    /// [`Domain::near_the_money`] after a move of the forward between −95 % and +1,200 %.
    pub fn shocked(&self, random: &mut Random) -> Point {
        let point = self.near_the_money(random);
        let factor = random.log_uniform(0.05, 13.0);
        Point {
            forward: Price((point.forward.0 as f64 / factor).max(1.0) as i64),
            shock: Some(Ratio((factor * 1e9) as i64 - Ratio::SCALE)),
            ..point
        }
    }
}

/// The corners and edges of the stated domain, and F = K and its neighbours.
pub fn edges() -> Vec<Point> {
    let strike = 100_000_000_000_000;
    let forwards = [
        strike / 250,
        strike / 250 + 1,
        strike / 10,
        strike / 2,
        strike - 1,
        strike,
        strike + 1,
        strike / 10 * 11,
        strike * 10,
        strike * 100 - 1,
        strike * 100,
    ];
    let sigmas = [50_000_000, 50_000_001, 650_000_000, 9_999_999_999, 10_000_000_000];
    let times = [3_600, 3_601, 86_400, 2_592_000, 31_536_000, 63_071_999, 63_072_000];
    let mut points = Vec::new();
    for forward in forwards {
        for sigma in sigmas {
            points.extend(times.map(|seconds| Point {
                forward: Price(forward),
                strike: Price(strike),
                shock: None,
                sigma: Ratio(sigma),
                seconds,
            }));
        }
    }
    points
}
