use super::*;
use crate::defaults;
use crate::variance::RealisedVariance;
use alloc::vec::Vec;
use ballast_fixed::Price;
use proptest::prelude::*;

const UNIT: f64 = (1u64 << 48) as f64;
/// A full hour.
const START: i64 = 1_800_000_000;
const HOUR: i64 = 3_600;
const BTC: ScaleLimits = ScaleLimits {
    scan_range: Ratio(95_000_000),
    cap: LARGEST_CAP,
    fall_per_hour: 36_000,
};

/// The variance of a day at which 3σ is `scale`·ψ.
fn daily(scale: f64) -> Q48 {
    let deviation = scale * BTC.scan_range.0 as f64 / 1e9 / 3.0;
    Q48((deviation * deviation * UNIT).round() as i64)
}

fn after(steps: &[(i64, f64)]) -> ScanScale {
    let mut scale = ScanScale::default();
    for &(time, wanted) in steps {
        scale.observe(daily(wanted), &BTC, time);
    }
    scale
}

#[test]
fn a_target_is_three_deviations_over_psi() {
    // 3 · 4.75 % are one and a half times 9.5 %. It is rounded up, and the root has an error of its own.
    let near = |scale: f64, expected: u32| {
        let found = target(daily(scale), &BTC);
        assert!((expected..=expected + 1).contains(&found), "{scale}: {found}");
    };
    near(1.5, 1_500_000);
    near(2.499_999, 2_499_999);
    near(1.000_001, 1_000_001);
    assert_eq!(target(daily(0.999_999), &BTC), ONE);
    assert_eq!(target(daily(0.0), &BTC), ONE);
    near(15.99, 15_990_000);
    assert_eq!(target(daily(16.01), &BTC), LARGEST_TARGET);
    assert_eq!(target(Q48::MAX, &BTC), LARGEST_TARGET);
    assert_eq!(target(Q48::MIN, &BTC), ONE);
    // No scan range, or switched off: ψ itself.
    let with = |change: fn(&mut ScaleLimits)| {
        let mut limits = BTC;
        change(&mut limits);
        target(daily(9.0), &limits)
    };
    assert_eq!(with(|l| l.scan_range = Ratio::ZERO), ONE);
    assert_eq!(with(|l| l.cap = ONE), ONE);
    assert_eq!(with(|l| l.cap = 0), ONE);
    assert_eq!(with(|l| l.scan_range = Ratio(1)), LARGEST_TARGET);
    assert_eq!(with(|l| l.scan_range = Ratio(i64::MAX)), ONE); // counts as 1: 3σ are 0.855
}

#[test]
fn constants_are_what_they_are_called() {
    assert_eq!(
        KEPT_PER_HOUR,
        (0.5f64.powf(1.0 / 48.0) * (1u64 << 32) as f64).ceil() as u64
    );
    assert!(f64::from(LARGEST_TARGET) * 0.5f64.powf(MOST_HOURS as f64 / 48.0) <= f64::from(ONE));
    assert_eq!(ScanScale::default().initial(), ONE);
    assert_eq!(ScanScale::default().maintenance(START), ONE);
}

#[test]
fn rises_at_once_and_falls_by_the_rate() {
    let mut scale = after(&[(START, 1.0), (START + 10, 1.5)]);
    let top = scale.initial();
    assert!((1_500_000..=1_500_001).contains(&top));
    // 36,000 an hour are 10 a second, exactly, however small the steps.
    for second in 1..=100 {
        scale.observe(daily(1.0), &BTC, START + 10 + second);
        // While the price stood that asked for 1.5, it did not fall.
        assert_eq!(scale.initial(), top - 10 * (second as u32 - 1), "{second}");
    }
    scale.observe(daily(1.0), &BTC, START + 10 + 101 + 90);
    assert_eq!(scale.initial(), top - 10 * 190);
    // Never under 1.
    scale.observe(daily(0.2), &BTC, START + 60 * HOUR);
    assert_eq!(scale.initial(), ONE);
}

#[test]
fn falls_no_lower_than_what_the_standing_price_asks_for() {
    let mut scale = after(&[(START, 1.5), (START + 5, 1.499), (START + 1_800, 1.0)]);
    assert!((1_499_000..=1_499_001).contains(&scale.initial()));
    // Over an hour's end the standing target decays by 2^(−1/48): 1.499 to 1.4775 at once.
    scale = after(&[(START, 1.5), (START + 3_599, 1.499), (START + 3_600 + 3_000, 1.0)]);
    let decayed = 1_499_000.0 * 0.5f64.powf(1.0 / 48.0);
    assert!(
        (f64::from(scale.initial()) - decayed).abs() < 3.0,
        "{}",
        scale.initial()
    );
}

#[test]
fn a_rise_has_ten_minutes_of_grace_and_less_than_eleven() {
    for second in [0, 1, 30, 59] {
        let rise = START + 1_200 + second; // the first one's grace is over
        let scale = after(&[(START, 1.1), (rise, 1.5)]);
        let (before, high) = (1_100_001, scale.initial());
        for later in 0..=600 {
            assert!(scale.maintenance(rise + later) <= before, "{second} {later}");
            assert!(scale.maintenance(rise + later) >= 1_090_000);
        }
        assert_eq!(scale.maintenance(rise + 660), high);
        // The grid: eleven minutes after the one of the rise began.
        let begun = rise - rise.rem_euclid(60);
        assert!(scale.maintenance(begun + 659) <= before);
        assert_eq!(scale.maintenance(begun + 660), high);
    }
}

#[test]
fn a_second_rise_has_a_grace_of_its_own() {
    let scale = after(&[(START, 0.9), (START + 60, 1.2), (START + 420, 1.5)]);
    let at = |minute: i64| f64::from(scale.maintenance(START + 60 * minute)) / 1e6;
    assert_eq!(at(10), 1.0);
    assert_eq!(at(11), 1.0);
    assert!((at(12) - 1.2).abs() < 1e-5);
    assert!((at(17) - 1.2).abs() < 1e-5);
    assert!((at(18) - 1.5).abs() < 1e-5);
}

#[test]
fn a_long_silence_and_a_clock_that_went_back() {
    let risen = after(&[(START, 2.0)]);
    let mut scale = risen;
    scale.observe(daily(1.0), &BTC, START - 500);
    assert_eq!((scale.time, scale.initial()), (START, risen.initial()));
    // Each hour's target stands until the hour ends; its decay, 2·2^(−9/48) after nine, is slower than the rate.
    let mut scale = risen;
    scale.observe(daily(1.0), &BTC, START + 10 * HOUR);
    assert!(scale.initial().abs_diff(1_756_258) < 12, "{}", scale.initial());
    let slow = ScaleLimits {
        fall_per_hour: 1_000,
        ..BTC
    };
    let mut scale = risen;
    scale.observe(daily(1.0), &slow, START + 500 * HOUR);
    // In the first hour the price that stands asks for 2.
    assert_eq!(scale.initial(), risen.initial() - 499_000);
    scale.observe(daily(0.9), &slow, i64::MAX);
    assert_eq!(scale.initial(), ONE);
    assert_eq!(scale.maintenance(i64::MIN), ONE);
}

#[test]
fn the_cap_holds_as_long_as_more_is_asked_for() {
    // 3.0 is above 2.5 for 48·log₂(3/2.5) = 12.6 hours; in the thirteenth hour it is 3·2^(−13/48) = 2.4865.
    let mut scale = after(&[(START, 3.0)]);
    assert_eq!(scale.initial(), LARGEST_CAP);
    scale.observe(daily(0.0), &BTC, START + 13 * HOUR);
    assert_eq!(scale.initial(), LARGEST_CAP);
    let mut scale = after(&[(START, 3.0)]);
    scale.observe(daily(0.0), &BTC, START + 14 * HOUR);
    assert!(scale.initial().abs_diff(2_486_515) < 20, "{}", scale.initial());
    let wider = ScaleLimits { cap: u32::MAX, ..BTC };
    let mut scale = ScanScale::default();
    scale.observe(daily(9.0), &wider, START);
    assert_eq!(scale.initial(), LARGEST_CAP);
}

#[test]
fn limits_may_change() {
    let mut scale = after(&[(START, 2.0)]);
    let lower = ScaleLimits { cap: 1_200_000, ..BTC };
    scale.observe(daily(2.0), &lower, START + 1);
    assert_eq!(scale.initial(), 1_200_000);
    let off = ScaleLimits { cap: ONE, ..BTC };
    scale.observe(daily(2.0), &off, START + 2);
    assert_eq!((scale.initial(), scale.maintenance(START + 2)), (ONE, ONE));
}

#[test]
fn scaled_parameters() {
    let portfolio = PortfolioParams::DEFAULT;
    let btc = defaults::BTC;
    assert_eq!(btc.scaled(ONE, Ratio::ZERO, &portfolio), Ok(btc));
    assert_eq!(btc.scaled(0, Ratio(-5), &portfolio), Ok(btc));
    // Half as much again: ψ 14.25 %, v_u 60 %, haircuts 22.5 and 15 % and twice a confidence of 0.1 %.
    let scaled = btc.scaled(1_500_000, Ratio(1_000_000), &portfolio).unwrap();
    let expected = AssetParams {
        scan_range: Ratio(142_500_000),
        vol_up: Ratio(600_000_000),
        haircut_initial: Ratio(227_000_000),
        haircut_maintenance: Ratio(152_000_000),
        ..btc
    };
    assert_eq!(scaled, expected);
    // Rounded up: 95,000,001 · 1.000001 = 95,000,096.000001.
    let odd = AssetParams {
        scan_range: Ratio(95_000_001),
        ..btc
    };
    let scaled = odd.scaled(1_000_001, Ratio::ZERO, &portfolio).unwrap();
    assert_eq!(scaled.scan_range, Ratio(95_000_097));
    // A confidence alone moves haircuts only.
    let doubted = btc.scaled(ONE, Ratio(2_500_000), &portfolio).unwrap();
    let expected = AssetParams {
        haircut_initial: Ratio(155_000_000),
        haircut_maintenance: Ratio(105_000_000),
        ..btc
    };
    assert_eq!(doubted, expected);
}

#[test]
fn scaled_parameters_are_held_within_their_bounds() {
    let portfolio = PortfolioParams::DEFAULT;
    let extreme = AssetParams {
        scan_range: Ratio(500_000_000),
        vol_up: Ratio(9_000_000_000),
        haircut_initial: Ratio(600_000_000),
        haircut_maintenance: Ratio(300_000_000),
        ..defaults::MID_CAP
    };
    let scaled = extreme.scaled(LARGEST_CAP, Ratio(1_000_000), &portfolio).unwrap();
    assert_eq!(scaled.validate(), Ok(()));
    assert_eq!(scaled.scan_range, portfolio.shock_floor);
    assert_eq!(scaled.vol_up, AssetParams::LARGEST_VOL_UP);
    assert_eq!(scaled.haircut_initial, Ratio::ONE);
    assert_eq!(scaled.haircut_maintenance, Ratio(752_000_000));
    // A lower floor holds it too, and a stable coin has no range to scale.
    let shallow = PortfolioParams {
        shock_floor: Ratio(600_000_000),
        ..portfolio
    };
    let scaled = extreme.scaled(LARGEST_CAP, Ratio::ZERO, &shallow).unwrap();
    assert_eq!(scaled.scan_range, Ratio(600_000_000));
    let stable = defaults::STABLE
        .scaled(LARGEST_CAP, Ratio(i64::MAX), &portfolio)
        .unwrap();
    assert_eq!(stable.validate(), Ok(()));
    assert_eq!(
        (stable.scan_range, stable.haircut_maintenance),
        (Ratio::ZERO, Ratio::ONE)
    );
}

/// Prices and when they are seen: (time, price in cents).
fn path() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let step = (prop_oneof![1i64..60, 1i64..3_600, 1i64..40_000], -900i64..900);
    proptest::collection::vec(step, 1..80).prop_map(|steps| {
        let (mut time, mut price) = (START + 1_000, 3_000_000i64);
        let each = steps.into_iter().map(|(elapsed, change)| {
            time += elapsed;
            price = (price + price / 10_000 * change).clamp(100, 100_000_000);
            (time, price)
        });
        each.collect()
    })
}

/// An asset's variance and scale.
#[derive(Clone, Copy, Default)]
struct Asset {
    variance: RealisedVariance,
    scale: ScanScale,
}

impl Asset {
    fn see(&mut self, price: i64, time: i64) {
        self.variance.observe(Price(price * 10_000_000), time);
        self.scale.observe(self.variance.daily(), &BTC, time);
    }
}

proptest! {
    #[test]
    fn how_often_one_looks_changes_nothing(path in path(), every in 20usize..2_000) {
        let (mut sparse, mut dense) = (Asset::default(), Asset::default());
        let mut last: Option<(i64, i64)> = None;
        for &(time, price) in &path {
            if let Some((since, stood)) = last {
                for between in (since..time).step_by(every) {
                    dense.see(stood, between);
                }
            }
            sparse.see(price, time);
            dense.see(price, time);
            last = Some((time, price));
            // A standing target that decays hour by hour is rounded up each time.
            let apart = sparse.scale.initial().abs_diff(dense.scale.initial());
            prop_assert!(apart <= 25, "{apart} at {time}");
            for later in (0..900).step_by(60) {
                let (a, b) = (sparse.scale.maintenance(time + later), dense.scale.maintenance(time + later));
                prop_assert!(a.abs_diff(b) <= 25, "{a} {b} at {time} + {later}");
            }
        }
    }

    #[test]
    fn bounds_hold_at_all_times(path in path()) {
        let mut asset = Asset::default();
        let mut history: Vec<(i64, u32)> = [(0, ONE)].into();
        for &(time, price) in &path {
            let before = asset.scale;
            asset.see(price, time);
            let now = asset.scale.initial();
            prop_assert!((ONE..=LARGEST_CAP).contains(&now));
            prop_assert!(now >= target(asset.variance.daily(), &BTC).min(LARGEST_CAP));
            // No faster than the rate, to a unit of rounding.
            let fall = (time - before.time.max(START)) * 10 + 1;
            prop_assert!(i64::from(before.initial()) - i64::from(now) <= fall);
            history.push((time, now));
            for later in 0..900 {
                let maintenance = asset.scale.maintenance(time + later);
                prop_assert!((ONE..=now).contains(&maintenance));
                // Never more than what stood ten to eleven minutes ago.
                let then = time + later - 660..=time + later - 600;
                let first = history.iter().rposition(|known| known.0 <= *then.start()).unwrap_or(0);
                let stood = history[first..].iter().take_while(|known| known.0 <= *then.end());
                prop_assert!(maintenance <= stood.map(|known| known.1).max().unwrap());
                // And that is all: eleven minutes after a rise nothing is left of the grace.
                prop_assert!(later < 660 || maintenance == now);
            }
        }
    }
}
