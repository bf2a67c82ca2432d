//! Black's formula in wide arithmetic, and the proof of that arithmetic.
use crate::sample::Point;
use crate::wide::Wide;
use ballast_fixed::{Price, Ratio};

/// A call and its sensitivities in parts of the strike, and what they are made of.
pub struct Exact {
    pub ratio: Wide,
    pub years: Wide,
    pub deviation: Wide,
    pub call: Wide,
    pub put: Wide,
    pub delta: Wide,
    pub gamma: Wide,
    pub vega: Wide,
    pub theta: Wide,
}

/// n · 10⁻⁹.
pub fn billionths(n: i64) -> Wide {
    Wide::from(n).over(1_000_000_000)
}

pub fn exact(point: &Point) -> Exact {
    let factor = Wide::from(1) + billionths(point.shock.map_or(0, |shock| shock.0));
    let ratio = Wide::from(point.forward.0).over(point.strike.0.unsigned_abs()) * factor;
    let years = Wide::from(point.seconds).over(31_536_000);
    let root = years.sqrt();
    let v = billionths(point.sigma.0) * root;
    let d1 = ratio.ln() / v + v.half();
    let d2 = d1 - v;
    let call = ratio * d1.cdf() - d2.cdf();
    Exact {
        ratio,
        years,
        deviation: v,
        call,
        put: call - ratio + Wide::from(1),
        delta: d1.cdf(),
        gamma: d1.pdf() / (ratio * v),
        vega: d2.pdf() * root,
        theta: -(d2.pdf() * v / (years + years)),
    }
}

/// 10⁻ⁿ.
pub fn power_of_ten(n: usize) -> Wide {
    (0..n).fold(Wide::from(1), |x, _| x.over(10))
}

#[test]
fn the_reference_has_fifty_digits() {
    // Made by another program with 70 digits: scripts/reference_points.py.
    let file = include_str!("reference_points.csv");
    // Of both, relative to the largest greek possible there: 1/v and 1/T are under 10⁵.
    let tolerance = power_of_ten(49);
    let mut worst = 0f64;
    for line in file.lines() {
        let mut cells = line.split(',');
        let mut integer = || cells.next().unwrap().parse::<i64>().unwrap();
        let point = Point {
            forward: Price(integer()),
            strike: Price(integer()),
            sigma: Ratio(integer()),
            seconds: integer(),
            shock: None,
        };
        let found = exact(&point);
        let rate = found.deviation.inverse() / found.years;
        let scale = if rate.to_f64() > 1.0 { rate } else { Wide::from(1) };
        let scale = if found.ratio.to_f64() > 1.0 {
            scale * found.ratio
        } else {
            scale
        };
        for value in [found.call, found.delta, found.gamma, found.vega, found.theta] {
            let error = (value - Wide::parse(cells.next().unwrap())).abs() / scale;
            worst = worst.max(error.to_f64());
            assert!((error - tolerance).is_negative(), "{line}: {:e}", error.to_f64());
        }
    }
    assert_eq!(file.lines().count(), 200);
    println!("reference: worst error {worst:.1e}");
}
