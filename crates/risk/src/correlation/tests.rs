use super::*;
use crate::index_history::{place_of, start_of, IndexIntegral, KEPT_HOURS};
use crate::{defaults, PortfolioParams};
use alloc::vec::Vec;
use proptest::prelude::*;

const UNIT: f64 = (1u64 << 48) as f64;
/// The hour in which the histories of these tests begin.
const BEGIN: i64 = 500_000;

/// An index as a board keeps it.
#[derive(Clone, Default)]
struct History {
    integral: IndexIntegral,
    hours: [i128; KEPT_HOURS],
    index: Price,
}

impl History {
    fn stands(&mut self, index: i64, from: i64) {
        let hours = &mut self.hours;
        let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
        self.integral = self.integral.advanced(self.index, from, keep).unwrap();
        self.index = Price(index);
    }
}

impl HourlyIntegral for History {
    fn at_hour(&self, hour: i64) -> Result<Option<i128>, RiskError> {
        let kept = |hour: i64| self.hours[place_of(hour)];
        Ok(self.integral.at_hour(self.index, hour, kept)?)
    }
}

/// 10⁻⁹ USD after a log return.
fn moved(price: f64, r: f64) -> f64 {
    price * r.exp()
}

/// Two histories whose index stands for each hour, by pairs of returns, with what is counted hour by hour.
fn walked(returns: &[(f64, f64)], mut see: impl FnMut(&History, &History, i64)) -> (History, History) {
    let (mut a, mut b) = (History::default(), History::default());
    let (mut of_a, mut of_b) = (30_000e9, 2_000e9);
    for (hour, r) in (BEGIN..).zip(returns) {
        (of_a, of_b) = (moved(of_a, r.0), moved(of_b, r.1));
        a.stands(of_a as i64, start_of(hour));
        b.stands(of_b as i64, start_of(hour));
        see(&a, &b, start_of(hour));
    }
    (a, b)
}

fn correlation(returns: &[(f64, f64)]) -> Correlation {
    let mut correlation = Correlation::default();
    let count = |a: &History, b: &History, now| {
        assert!(correlation.advance(a, b, now, 24).unwrap());
    };
    walked(returns, count);
    correlation
}

/// The same in floating point. The first return is the start, the first hour begins with it and is left out, and the last one is open.
fn expected(returns: &[(f64, f64)]) -> (f64, f64, f64) {
    let kept = 0.5f64.powf(1.0 / 72.0);
    let counted = returns.get(2..returns.len() - 1).unwrap_or(&[]);
    counted.iter().fold((0.0, 0.0, 0.0), |(c, va, vb), (a, b)| {
        (c * kept + a * b, va * kept + a * a, vb * kept + b * b)
    })
}

#[test]
fn constants_are_what_they_are_called() {
    let kept = 0.5f64.powf(1.0 / f64::from(HALF_LIFE_HOURS));
    assert!((KEPT_PER_HOUR as f64 / (1u64 << 63) as f64 - kept).abs() < 1e-15);
    assert!(1.0 / (1.0 - kept) < (LARGEST_SUM >> 48) as f64);
    assert_eq!(u32::from(LEAST_RETURNS), HALF_LIFE_HOURS / 3);
}

#[test]
fn says_nothing_before_a_day_of_returns() {
    let step = |n: i32| if n % 3 == 0 { 0.01 } else { -0.005 };
    let returns: Vec<_> = (0..27).map(|n| (step(n), -step(n))).collect();
    // Of 26 hours the first two and the open one give no return.
    let early = correlation(&returns[..26]);
    assert_eq!((early.returns, early.value()), (23, None));
    assert_eq!(early.factor(Ratio(650_000_000)), Ratio::ONE);
    let known = correlation(&returns);
    assert_eq!(known.returns, 24);
    assert!(known.value().unwrap() < Ratio(-999_999_000));
    assert_eq!(known.factor(Ratio(650_000_000)), Ratio::ZERO);
    // An asset that never moved says nothing either.
    let still: Vec<_> = (0..40).map(|n| (step(n), 0.0)).collect();
    assert_eq!(correlation(&still).value(), None);
}

#[test]
fn two_that_move_alike_and_two_that_do_not() {
    // Signs ++, +−, −+, −−: without weights uncorrelated; with them the last hours count a little more.
    let sign = |bit: i32| if bit == 0 { 0.004 } else { -0.004 };
    let alike: Vec<_> = (0..100).map(|n| (sign(n % 2), 3.0 * sign(n % 2))).collect();
    assert!(correlation(&alike).value().unwrap() > Ratio(999_990_000));
    assert!(correlation(&alike).factor(Ratio::ONE) > Ratio(999_990_000));
    let apart: Vec<_> = (0..400).map(|n| (sign(n % 2), sign(n / 2 % 2))).collect();
    assert!(correlation(&apart).value().unwrap().0.abs() < 20_000_000);
}

#[test]
fn a_factor_is_the_part_of_the_reference() {
    let known = Correlation {
        hour: 1,
        returns: LEAST_RETURNS,
        covariance: Q48::ONE.0 * 3 / 8,
        variance_a: Q48::ONE.0 / 4,
        variance_b: Q48::ONE.0 * 4,
    };
    // 0.375 / √(0.25 · 4) = 0.375.
    assert_eq!(known.value(), Some(Ratio(375_000_000)));
    assert_eq!(known.factor(Ratio(375_000_000)), Ratio::ONE);
    assert_eq!(known.factor(Ratio(500_000_000)), Ratio(750_000_000));
    // 0.375 / 0.375000001 = 0.99999999733.
    assert_eq!(known.factor(Ratio(375_000_001)), Ratio(999_999_997));
    assert_eq!(known.factor(Ratio::ZERO), Ratio::ONE);
    assert_eq!(known.factor(Ratio(-1)), Ratio::ONE);
    let negative = Correlation {
        covariance: -1,
        ..known
    };
    assert_eq!(negative.value(), Some(Ratio(-1)));
    assert_eq!(negative.factor(Ratio(1)), Ratio::ZERO);
    let broken = Correlation {
        covariance: i64::MIN,
        variance_a: i64::MAX,
        variance_b: 1,
        ..known
    };
    assert_eq!(broken.factor(Ratio(i64::MAX)), Ratio::ZERO);
}

#[test]
fn hours_beyond_the_history_only_decay() {
    let returns: Vec<_> = (0..60).map(|n| (0.01, if n % 4 == 0 { -0.01 } else { 0.01 })).collect();
    let mut known = Correlation::default();
    let (a, b) = walked(&returns, |a, b, now| {
        known.advance(a, b, now, 24).unwrap();
    });
    let before = known;
    // A hundred hours later, feeds silent: of the open hour there is a return, the others are flat.
    let now = start_of(BEGIN + 60 + 100);
    assert!(known.advance(&a, &b, now, 24).unwrap());
    assert_eq!(i64::from(known.hour), hour_of(now));
    let kept = 0.5f64.powf(101.0 / 72.0);
    for (then, sum) in [
        (before.covariance, known.covariance),
        (before.variance_a, known.variance_a),
        (before.variance_b, known.variance_b),
    ] {
        assert!((sum as f64 - then as f64 * kept).abs() < 1e4, "{sum}");
    }
    let apart = known.value().unwrap().0.abs_diff(before.value().unwrap().0);
    assert!(apart < 1_000, "{apart}");
}

#[test]
fn a_missing_history_only_decays() {
    let none = |_: i64| Ok(None);
    let mut known = Correlation {
        hour: 500_000,
        returns: 30,
        covariance: 1 << 40,
        variance_a: 1 << 41,
        variance_b: 1 << 42,
    };
    assert!(known.advance(&none, &none, start_of(500_001), 24).unwrap());
    assert_eq!((known.returns, known.hour), (30, 500_001));
    assert_eq!(
        known.covariance,
        (((1u128 << 40) * u128::from(KEPT_PER_HOUR)) >> 63) as i64
    );
    // A clock that went back, and the same hour again, change nothing.
    let before = known;
    assert!(known.advance(&none, &none, start_of(500_001) + 3_599, 24).unwrap());
    assert!(known.advance(&none, &none, start_of(400_000), 24).unwrap());
    assert_eq!(known, before);
    assert_eq!(known.advance(&none, &none, i64::MAX, 1), Err(RiskError::Overflow));
    assert_eq!(known.advance(&none, &none, -1, 1), Err(RiskError::Overflow));
    let broken = |hour: i64| Ok(Some(if hour % 2 == 0 { i128::MAX } else { i128::MIN + 1 }));
    assert!(known.advance(&broken, &broken, start_of(500_003), 9).is_ok());
    let huge = |hour: i64| Ok(Some(i128::from(hour) << 90));
    assert_eq!(
        known.advance(&huge, &huge, start_of(500_005), 9),
        Err(RiskError::Overflow)
    );
}

#[test]
fn clusters_join_pairs() {
    // Levels 1 {BTC, ETH} and 2 {BTC, ETH, SOL}.
    assert_eq!(defaults::BTC.joined_levels(&defaults::ETH), 0b110);
    assert_eq!(defaults::SOL.joined_levels(&defaults::ETH), 0b100);
    assert_eq!(defaults::SOL.joined_levels(&defaults::MID_CAP), 0);
    assert_eq!(defaults::MID_CAP.joined_levels(&defaults::STABLE), 0);
}

#[test]
fn what_levels_lose_goes_to_the_one_without_netting() {
    let weights = PortfolioParams::DEFAULT.level_weights;
    let pair = |levels, factor| PairFactor {
        levels,
        factor: Ratio(factor),
    };
    assert_eq!(effective_weights(&weights, &[]), Ok(weights));
    let whole = [pair(0b110, 1_000_000_000), pair(0b100, 1_000_000_000)];
    assert_eq!(effective_weights(&weights, &whole), Ok(weights));
    // BTC/ETH at 0.8 and SOL against one of them at 0.5: 0.25 · 0.8 and 0.25 · 0.5.
    let broken = [pair(0b110, 800_000_000), pair(0b100, 500_000_000)];
    let expected = [675_000_000, 200_000_000, 125_000_000, 0].map(Ratio);
    assert_eq!(effective_weights(&weights, &broken), Ok(expected));
    // Rounded down, and the rest is level 0's; a factor outside 0 to 1 counts as the nearer of them.
    let odd = [pair(0b10, 333_333_333), pair(0b100, -7), pair(0b1000, 7_000_000_000)];
    let expected = [916_666_667, 83_333_333, 0, 0].map(Ratio);
    assert_eq!(effective_weights(&weights, &odd), Ok(expected));
    // A pair on level 0 alone changes nothing.
    assert_eq!(effective_weights(&weights, &[pair(1, 0)]), Ok(weights));
}

fn returns() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let one = (-0.03..0.03f64, -0.03..0.03f64, -0.9..0.9f64);
    let mixed = one.prop_map(|(a, b, part)| (a, part * a + (1.0 - part.abs()) * b));
    proptest::collection::vec(mixed, 28..150)
}

proptest! {
    #[test]
    fn agrees_with_floating_point(returns in returns()) {
        let known = correlation(&returns);
        let (covariance, variance_a, variance_b) = expected(&returns);
        for (found, exact) in [
            (known.covariance, covariance),
            (known.variance_a, variance_a),
            (known.variance_b, variance_b),
        ] {
            prop_assert!((found as f64 / UNIT - exact).abs() < 1e-11, "{found} {exact}");
        }
        let exact = covariance / (variance_a * variance_b).sqrt();
        let value = known.value().unwrap().0 as f64 / 1e9;
        prop_assert!((value - exact).abs() < 1e-7, "{value} {exact}");
    }

    /// However often it is cranked, and in whatever batches.
    #[test]
    fn how_often_one_looks_changes_nothing(returns in returns(), skip in 1usize..20, most in 1u32..5) {
        let mut late = Correlation::default();
        let mut n = 0;
        let (a, b) = walked(&returns, |a, b, now| {
            n += 1;
            if n % skip == 0 {
                while !late.advance(a, b, now, most).unwrap() {}
            }
        });
        let now = start_of(BEGIN + returns.len() as i64 - 1);
        while !late.advance(&a, &b, now + 1_800, most).unwrap() {}
        prop_assert_eq!(late, correlation(&returns));
    }

    #[test]
    fn weights_always_add_up_to_one(
        a in 0i64..=1_000_000_000,
        b in 0i64..=1_000_000_000,
        c in 0i64..=1_000_000_000,
        masks in proptest::collection::vec((0u8..16, 0i64..=1_000_000_000), 0..6),
    ) {
        // Three cuts of one.
        let mut cuts = [a, b, c];
        cuts.sort_unstable();
        let weights = [cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1], 1_000_000_000 - cuts[2]].map(Ratio);
        let pairs: Vec<_> = masks.iter().map(|&(levels, factor)| PairFactor { levels, factor: Ratio(factor) }).collect();
        let effective = effective_weights(&weights, &pairs).unwrap();
        let params = PortfolioParams { level_weights: effective, ..PortfolioParams::DEFAULT };
        prop_assert_eq!(params.validate(), Ok(()));
        prop_assert!(effective[1..].iter().zip(&weights[1..]).all(|(now, full)| now <= full));
    }
}
