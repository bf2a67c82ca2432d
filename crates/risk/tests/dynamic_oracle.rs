//! Dynamic parameters over twelve days against their definitions in floating point, `tests/oracle_scripts/dynamic.py`.
use std::process::Command;

use ballast_fixed::{Price, Ratio};
use ballast_risk::correlation::{effective_weights, Correlation, PairFactor};
use ballast_risk::index_history::{place_of, IndexIntegral, KEPT_HOURS};
use ballast_risk::scan_scale::{ScaleLimits, ScanScale};
use ballast_risk::variance::RealisedVariance;
use ballast_risk::{PortfolioParams, RiskError};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracle_scripts/dynamic.py");
/// A scale is rounded up to 10⁻⁶, once more for each hour that its target decays between two prices.
const SCALE: f64 = 10e-6;
/// Digits that the variances of hundreds of hours lose in units of 2⁻⁴⁸.
const CORRELATION: f64 = 1e-7;

fn sheet(seed: u32) -> String {
    let run = Command::new("python3").arg(SCRIPT).arg(seed.to_string()).output();
    let run = run.expect("python3, which scripts/setup.sh makes sure of");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

struct Asset {
    limits: ScaleLimits,
    variance: RealisedVariance,
    scale: ScanScale,
    integral: IndexIntegral,
    hours: [i128; KEPT_HOURS],
    index: Price,
}

impl Asset {
    fn price(&mut self, price: Price, now: i64) {
        let hours = &mut self.hours;
        let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
        self.integral = self.integral.advanced(self.index, now, keep).unwrap();
        self.index = price;
        self.variance.observe(price, now);
        self.scale.observe(self.variance.daily(), &self.limits, now);
    }

    fn at_hour(&self, hour: i64) -> Result<Option<i128>, RiskError> {
        let kept = |hour: i64| self.hours[place_of(hour)];
        Ok(self.integral.at_hour(self.index, hour, kept)?)
    }
}

fn decimal(text: &str) -> f64 {
    text.parse().unwrap()
}

fn near(found: f64, expected: &str, bound: f64, what: &str) {
    let apart = (found - decimal(expected)).abs();
    assert!(apart <= bound, "{found} against {expected}: {what}");
}

/// Compares every look of a sheet; returns how many had a scale above 1, one in its grace, and a factor under 1.
fn compare(sheet: &str) -> [usize; 3] {
    let mut assets: Vec<Asset> = Vec::new();
    let (mut reference, mut known, mut seen) = (Ratio::ONE, Correlation::default(), [0; 3]);
    for line in sheet.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields[..] {
            ["asset", psi, cap, fall] => assets.push(Asset {
                limits: ScaleLimits {
                    scan_range: Ratio((decimal(psi) * 1e9).round() as i64),
                    cap: (decimal(cap) * 1e6).round() as u32,
                    fall_per_hour: (decimal(fall) * 1e6).round() as u32,
                },
                variance: RealisedVariance::default(),
                scale: ScanScale::default(),
                integral: IndexIntegral::default(),
                hours: [0; KEPT_HOURS],
                index: Price(0),
            }),
            ["reference", value] => reference = Ratio((decimal(value) * 1e9).round() as i64),
            ["price", time, asset, price] => {
                let asset: &mut Asset = &mut assets[asset.parse::<usize>().unwrap()];
                asset.price(Price(price.parse().unwrap()), time.parse().unwrap());
            }
            ["look", time, ref scales @ .., returns, correlation, w0, w1, w2] => {
                let now: i64 = time.parse().unwrap();
                for (asset, expected) in assets.iter().zip(scales.chunks(2)) {
                    let (initial, maintenance) = (asset.scale.initial(), asset.scale.maintenance(now));
                    near(f64::from(initial) / 1e6, expected[0], SCALE, line);
                    near(f64::from(maintenance) / 1e6, expected[1], SCALE, line);
                    seen[0] += usize::from(initial > 1_000_000);
                    seen[1] += usize::from(initial > maintenance);
                }
                let (a, b) = (|hour| assets[0].at_hour(hour), |hour| assets[1].at_hour(hour));
                while !known.advance(&a, &b, now, 5).unwrap() {}
                assert_eq!(known.returns, returns.parse::<u16>().unwrap(), "{line}");
                match known.value() {
                    Some(value) => near(value.0 as f64 / 1e9, correlation, CORRELATION, line),
                    None => assert_eq!(correlation, "-", "{line}"),
                }
                let pair = PairFactor {
                    levels: 0b110,
                    factor: known.factor(reference),
                };
                seen[2] += usize::from(pair.factor < Ratio::ONE);
                let weights = effective_weights(&PortfolioParams::DEFAULT.level_weights, &[pair]).unwrap();
                for (weight, expected) in weights.iter().zip([w0, w1, w2]) {
                    near(weight.0 as f64 / 1e9, expected, CORRELATION, line);
                }
            }
            _ => panic!("{line}"),
        }
    }
    seen
}

#[test]
fn agrees_with_the_definitions() {
    for seed in 5..8 {
        let seen = compare(&sheet(seed));
        // A sheet in which nothing happens would prove nothing.
        assert!(seen.iter().all(|&n| n >= 5), "seed {seed}: {seen:?}");
    }
}
