//! Funding depends on the books and the prices alone: whatever else looks at a market in between changes no digit of it.
use ballast_fixed::{Price, Ratio};
use ballast_risk::funding::{Funding, KeptIndex, Premium};
use ballast_risk::impact::ImpactMid;
use ballast_risk::index_history::{place_of, start_of, IndexIntegral, HOUR, KEPT_HOURS};
use proptest::prelude::*;

const DOLLAR: i64 = 1_000_000_000;
/// The beginning of some hour.
const START: i64 = 480_000 * HOUR;
/// 0.05 % an hour.
const MOST: Ratio = Ratio(500_000);

/// What changes funding.
#[derive(Clone, Copy, Debug)]
enum Change {
    Price(i64),
    Book(ImpactMid),
}

/// A perpetual and its index, as accounts keep them.
struct Market {
    integral: IndexIntegral,
    hours: [i128; KEPT_HOURS],
    index: i64,
    premium: Premium,
}

impl Market {
    fn new() -> Market {
        let mut market = Market {
            integral: IndexIntegral::default(),
            hours: [0; KEPT_HOURS],
            index: 30_000 * DOLLAR,
            premium: Premium::default(),
        };
        market.keep(START);
        let premium = Premium::start(&market.source(), START).unwrap();
        Market { premium, ..market }
    }

    fn source(&self) -> KeptIndex<impl Fn(i64) -> i128 + '_> {
        KeptIndex {
            integral: self.integral,
            index: Price(self.index),
            kept: |hour| self.hours[place_of(hour)],
        }
    }

    /// The same price again.
    fn keep(&mut self, now: i64) {
        let hours = &mut self.hours;
        let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
        self.integral = self.integral.advanced(Price(self.index), now, keep).unwrap();
    }

    fn crank(&mut self, now: i64) {
        let mut premium = self.premium;
        premium.observe(&self.source(), MOST, now).unwrap();
        self.premium = premium;
    }

    /// Closes so many hours at most.
    fn crank_some(&mut self, now: i64, hours: i64) {
        let mut premium = self.premium;
        let is_done = premium.observe_hours(&self.source(), MOST, now, hours).unwrap();
        assert_eq!(is_done, premium.observed_at == now);
        self.premium = premium;
    }

    fn change(&mut self, change: Change, now: i64) {
        match change {
            Change::Price(price) => {
                self.keep(now);
                self.index = price;
            }
            Change::Book(mid) => {
                self.crank(now);
                self.premium.mid = mid;
            }
        }
    }
}

/// Changes with the seconds that pass before each, a third of a day at most.
fn changes() -> impl Strategy<Value = Vec<(i64, Change)>> {
    let gap = prop_oneof![0..5i64, 0..900i64, 0..8 * HOUR];
    let price = (20_000 * DOLLAR..40_000 * DOLLAR).prop_map(Change::Price);
    let book = (-300 * DOLLAR..300 * DOLLAR, 0..6i64).prop_map(|(over, hours)| {
        let price = 30_000 * DOLLAR + over;
        Change::Book(match hours {
            0 => ImpactMid::default(),
            _ => ImpactMid {
                price,
                until: if hours == 5 { i64::MAX } else { hours },
            },
        })
    });
    prop::collection::vec((gap, prop_oneof![price, book]), 1..60)
}

fn run(changes: &[(i64, Change)], looks: &[(i64, bool)]) -> (Premium, i64) {
    run_by(changes, looks, i64::MAX)
}

/// Feeds the changes, and between them looks, each of which closes `hours` at most, and repeated prices wherever `looks` puts them; funding
/// at the end.
fn run_by(changes: &[(i64, Change)], looks: &[(i64, bool)], hours: i64) -> (Premium, i64) {
    let (mut market, mut now) = (Market::new(), START);
    let (mut looks, mut last_look) = (looks.iter().cycle(), START);
    for (gap, change) in changes {
        let then = now + gap;
        while let Some((wait, is_price)) = looks.next().filter(|(wait, _)| now + wait < then) {
            now += wait;
            if *is_price {
                market.keep(now);
            } else {
                market.crank_some(now, hours);
            }
        }
        now = then;
        // Somebody looks before the hours kept run out, whoever else does.
        if then - last_look > 15 * HOUR {
            market.crank(then);
            last_look = then;
        }
        // Hours that a book stands are counted from its change on.
        let change = match *change {
            Change::Book(mid) if mid.until != i64::MAX => Change::Book(ImpactMid {
                until: start_of(now.div_euclid(HOUR) + mid.until),
                ..mid
            }),
            change => change,
        };
        market.change(change, now);
    }
    market.crank(now + 2_000);
    (market.premium, now + 2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Never looking, and looking at any times, give the same bit for bit.
    #[test]
    fn funding_does_not_depend_on_who_looks(
        changes in changes(),
        looks in prop::collection::vec((1..3 * HOUR, any::<bool>()), 1..20),
    ) {
        let never = run(&changes, &[]);
        prop_assert_eq!(never, run(&changes, &looks));
        prop_assert_eq!(never, run(&changes, &[(61, false)]));
        prop_assert_eq!(never, run(&changes, &[(599, true)]));
        prop_assert_eq!(never, run_by(&changes, &looks, 1));
        prop_assert_eq!(never, run_by(&changes, &looks, 4));
    }

    /// What is paid within an hour rises evenly, and funding is continuous where one hour follows another.
    #[test]
    fn funding_is_continuous(index in -1_000_000i64..1_000_000, rate in -1_000_000i64..1_000_000, second in 0..HOUR) {
        let hour = 7;
        let funding = Funding { index, rate, hour };
        let (a, b) = (funding.at(start_of(hour) + second).unwrap(), funding.at(start_of(hour) + second + 1).unwrap());
        prop_assert!((b - a).abs() <= rate.abs() / HOUR + 1);
        let next = Funding { index: index + rate, rate: -rate, hour: hour + 1 };
        prop_assert_eq!(funding.at(start_of(hour + 1)), next.at(start_of(hour + 1)));
    }
}
