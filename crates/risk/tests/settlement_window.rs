//! The settlement average against a list of buckets.
use ballast_fixed::{Price, Ratio};
use ballast_risk::settlement_window::SettlementAverage;
use proptest::prelude::*;

const EXPIRY: i64 = 1_800_000_000;
const START: i64 = EXPIRY - 1_800;
const DAY: i64 = 86_400;

/// A print, when it was published and accepted, relative to the window's begin.
#[derive(Clone, Copy, Debug)]
struct Print {
    price: i64,
    published: i64,
    accepted: i64,
}

/// All that a list of buckets says at a time: the rule of the methodology, without a running sum.
fn by_list(prints: &[Print], now: i64) -> (Option<i64>, i64, i64, i64) {
    let number = |time: i64| time.div_euclid(30);
    let mut buckets: Vec<Option<i64>> = vec![None; (1_800 + DAY) as usize / 30];
    for print in prints.iter().filter(|p| p.accepted <= now) {
        let bucket = number(print.published);
        if bucket == number(print.accepted) && bucket >= 0 && (bucket as usize) < buckets.len() {
            buckets[bucket as usize] = Some(print.price);
        }
    }
    let closed = number(now).clamp(0, buckets.len() as i64) as usize;
    let (mut sum, mut filled) = (0i64, 0i64);
    for (index, bucket) in buckets.iter().take(closed).enumerate() {
        if index >= 60 && filled >= 40 {
            break;
        }
        sum += bucket.unwrap_or(0);
        filled += i64::from(bucket.is_some());
    }
    let price = (closed >= 60 && filled >= 40).then(|| sum / filled);
    let left = (60 - closed as i64).max(0);
    (price, sum, filled, (filled + left).max(40))
}

fn check(average: &SettlementAverage, prints: &[Print], now: i64) -> Result<(), TestCaseError> {
    let (price, sum, filled, divisor) = by_list(prints, now);
    let average = average.at(EXPIRY, START + now);
    prop_assert_eq!(average.settled(), price.map(Price), "price at {}", now);
    if price.is_none() && now >= 1_800 + DAY {
        prop_assert_eq!(
            (average.fixed(), average.forward(Price(7))),
            (Ratio::ZERO, Ok(Price(7))),
            "over"
        );
    } else if price.is_none() {
        prop_assert_eq!(average.fixed(), Ratio(filled * 1_000_000_000 / divisor), "f at {}", now);
        let open = 1_234_567_890_123;
        let forward = (sum + (divisor - filled) * open).div_euclid(divisor);
        prop_assert_eq!(average.forward(Price(open)), Ok(Price(forward)), "F at {}", now);
    }
    Ok(())
}

fn prints(gap: i64) -> impl Strategy<Value = Vec<Print>> {
    let one = (0..gap, 0i64..20, 1i64..3_000_000_000_000);
    (prop::collection::vec(one, 1..300), -600i64..1_500).prop_map(|(steps, start)| {
        let (mut accepted, mut newest) = (start, i64::MIN);
        let mut all = Vec::new();
        for (gap, delay, price) in steps {
            accepted += gap;
            let published = accepted - delay;
            // The board takes a print only if it is newer than the one it holds.
            if published > newest {
                newest = published;
                all.push(Print {
                    price,
                    published,
                    accepted,
                });
            }
        }
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn equals_the_list(prints in prop_oneof![prints(12), prints(60), prints(400)], asked in prop::collection::vec(0i64..60, 300)) {
        let mut average = SettlementAverage::default();
        for (n, print) in prints.iter().enumerate() {
            let before = average;
            average.observe(EXPIRY, Price(print.price), START + print.published, START + print.accepted);
            let now = print.accepted + asked[n];
            let next = prints.get(n + 1).map_or(i64::MAX, |p| p.accepted);
            check(&average, &prints[..=n], now.min(next))?;
            // Looking on the way changes nothing.
            let mut looked = before.at(EXPIRY, START + print.accepted - asked[n].min(5));
            looked.observe(EXPIRY, Price(print.price), START + print.published, START + print.accepted);
            prop_assert_eq!(looked.at(EXPIRY, START + now), average.at(EXPIRY, START + now));
        }
        for now in [1_799, 1_800, 1_830, 1_800 + DAY - 1, 1_800 + DAY, 3 * DAY] {
            if prints.last().is_none_or(|p| p.accepted <= now) {
                check(&average, &prints, now)?;
                let failed = now >= 1_800 + DAY && by_list(&prints, now).0.is_none();
                prop_assert_eq!(average.has_failed(EXPIRY, START + now), failed);
            }
        }
    }
}
