//! How a perpetual's funding ends with a delisting: at a standing premium, on the hour and within one, however late it is noticed.
use ballast_fixed::{Price, Ratio};
use ballast_risk::funding::{KeptIndex, Premium};
use ballast_risk::impact::ImpactMid;
use ballast_risk::index_history::{hour_of, place_of, IndexIntegral, HOUR, KEPT_HOURS};

const DOLLAR: i64 = 1_000_000_000;
/// 0.05 % an hour.
const MOST: Ratio = Ratio(500_000);
/// The beginning of some hour.
const NINE: i64 = 450_009 * HOUR;

/// An index at one price that is posted again every now and then, and of which the last 24 full hours are kept.
struct Index {
    integral: IndexIntegral,
    hours: [i128; KEPT_HOURS],
}

impl Index {
    const PRICE: Price = Price(30_000 * DOLLAR);

    fn new() -> Index {
        Index {
            integral: IndexIntegral { time: NINE, sum: 0 },
            hours: [0; KEPT_HOURS],
        }
    }

    fn post(&mut self, now: i64) {
        let hours = &mut self.hours;
        let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
        self.integral = self.integral.advanced(Index::PRICE, now, keep).unwrap();
    }

    fn source(&self) -> KeptIndex<impl Fn(i64) -> i128 + '_> {
        KeptIndex {
            integral: self.integral,
            index: Index::PRICE,
            kept: |hour| self.hours[place_of(hour)],
        }
    }
}

/// A book that shows $8 over the index from nine o'clock on: a dollar a unit for every hour from ten o'clock on.
fn market(index: &Index) -> Premium {
    let mut premium = Premium::start(&index.source(), NINE).unwrap();
    premium.mid = ImpactMid {
        price: Index::PRICE.0 + 8 * DOLLAR,
        until: i64::MAX,
    };
    premium
}

fn finish(premium: &mut Premium, index: &Index, ends_at: i64) {
    let hour = hour_of(ends_at);
    // Each call may close some of the hours only.
    for _ in 0..KEPT_HOURS {
        premium.finish(&index.source(), MOST, hour).unwrap();
    }
    assert_eq!(premium.funding.hour, hour);
}

/// What a unit has paid by the end, where somebody looked at these times, in seconds from nine o'clock, and last so long after the end.
fn paid(ends_at: i64, looks: &[i64], late: i64) -> i64 {
    let mut index = Index::new();
    let mut premium = market(&index);
    for look in looks {
        index.post(NINE + look);
        premium.observe(&index.source(), MOST, NINE + look).unwrap();
    }
    for time in (NINE..=ends_at + late).step_by(1_700) {
        index.post(time.max(index.integral.time)); // the feed goes on
    }
    index.post(ends_at + late);
    finish(&mut premium, &index, ends_at);
    premium.funding.at(ends_at).unwrap()
}

/// Noon: from ten to eleven and from eleven to twelve, a dollar each.
const NOON: i64 = NINE + 3 * HOUR;

#[test]
fn an_end_at_a_full_hour_pays_the_hours_before_it() {
    for late in [0, 1, HOUR, 10 * HOUR, 19 * HOUR] {
        assert_eq!(paid(NOON, &[], late), 2 * DOLLAR, "{late}");
    }
    for late in [0, HOUR, 10 * HOUR, 22 * HOUR, 25 * HOUR, 100 * HOUR] {
        assert_eq!(paid(NOON, &[HOUR, 2 * HOUR], late), 2 * DOLLAR, "{late}");
    }
    assert_eq!(paid(NOON, &[HOUR - 1, HOUR + 1, 7_777], 22 * HOUR), 2 * DOLLAR);
}

/// A quarter past twelve: ¼ of the dollar that the hour from twelve on costs.
#[test]
fn an_end_within_an_hour_pays_its_part() {
    let ends_at = NOON + 900;
    let all = 2 * DOLLAR + DOLLAR / 4;
    for late in [0, 1, HOUR, 10 * HOUR, 19 * HOUR] {
        assert_eq!(paid(ends_at, &[], late), all, "{late}");
    }
    for late in [0, HOUR, 10 * HOUR, 22 * HOUR] {
        assert_eq!(paid(ends_at, &[HOUR, 2 * HOUR], late), all, "{late}");
    }
    // The hour from eleven to twelve is not kept any more a day later: what it showed is not paid over the last quarter.
    assert_eq!(paid(ends_at, &[HOUR, 2 * HOUR], 25 * HOUR), 2 * DOLLAR);
    // Unless somebody had looked after it.
    assert_eq!(paid(ends_at, &[HOUR, 2 * HOUR, 3 * HOUR], 25 * HOUR), all);
}

/// The last look was at ten: what ten to eleven costs is known and paid. 23 hours after noon the oldest hour that is kept begins at noon, so
/// what the hours before it showed is not paid.
#[test]
fn hours_that_are_not_kept_pay_nothing() {
    assert_eq!(paid(NOON, &[HOUR], 23 * HOUR), DOLLAR);
    assert_eq!(paid(NOON + 1_800, &[HOUR], 23 * HOUR), DOLLAR);
    // An hour sooner the hour from eleven is still kept: it is paid over the one from twelve.
    assert_eq!(paid(NOON, &[HOUR], 22 * HOUR), DOLLAR);
    assert_eq!(paid(NOON + 1_800, &[HOUR], 21 * HOUR + 1_800), DOLLAR + DOLLAR / 2);
}

/// For days nobody has looked before the end: the last 23 hours count, the first of which is only shown and not yet paid.
#[test]
fn an_end_after_days_without_a_look_pays_what_is_kept() {
    assert_eq!(paid(NINE + 50 * HOUR, &[], 0), 22 * DOLLAR);
    // An hour of them is lost with each hour that passes.
    assert_eq!(paid(NINE + 50 * HOUR, &[], 2 * HOUR), 20 * DOLLAR);
    assert_eq!(paid(NINE + 50 * HOUR, &[], 30 * HOUR), 0);
}

/// What the book shows after the end, and whoever looks again, changes nothing.
#[test]
fn nothing_counts_after_the_end() {
    for mid in [0, 31_000 * DOLLAR] {
        let mut index = Index::new();
        let mut premium = market(&index);
        index.post(NOON + 2 * HOUR);
        finish(&mut premium, &index, NOON + 900);
        let funding = premium.funding;
        premium.mid.price = mid;
        index.post(NOON + 9 * HOUR);
        finish(&mut premium, &index, NOON + 900);
        assert_eq!(premium.funding, funding);
    }
}

/// A discount of a dollar for the last hour: shorts pay an eighth of it, a third of which falls into the last twenty minutes, rounded down.
#[test]
fn shorts_pay_at_a_discount() {
    let mut index = Index::new();
    let mut premium = market(&index);
    premium.mid.price = 0;
    index.post(NINE + 2 * HOUR);
    premium.observe(&index.source(), MOST, NINE + 2 * HOUR).unwrap();
    premium.mid.price = Index::PRICE.0 - DOLLAR;
    index.post(NOON + 5 * HOUR);
    finish(&mut premium, &index, NOON + 1_200);
    assert_eq!(premium.funding.at(NOON + 1_200), Ok(-41_666_667));
}
