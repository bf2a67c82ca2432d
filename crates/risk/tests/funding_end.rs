//! The last hour of a delisted perpetual's funding, however late somebody closes it.
use ballast_fixed::{Price, Ratio};
use ballast_risk::funding::{KeptIndex, Premium};
use ballast_risk::impact::ImpactMid;
use ballast_risk::index_history::{start_of, IndexIntegral};

const USD: i64 = 1_000_000_000;
const BEGIN: i64 = 500_000;
const MOST: Ratio = Ratio(5_000_000);

/// An index of $100 since `BEGIN`, with a last price `hours` after it; hours up to 23 before that are kept.
fn index(hours: i64) -> KeptIndex<impl Fn(i64) -> i128> {
    let sum = |hour: i64| i128::from(100 * USD) * i128::from((hour - BEGIN) * 3_600);
    KeptIndex {
        integral: IndexIntegral {
            time: start_of(BEGIN + hours),
            sum: sum(BEGIN + hours),
        },
        index: Price(100 * USD),
        kept: sum,
    }
}

/// A book with a mid of $100.40 from the beginning on: an hour's funding is an eighth of 40 cents, 5 cents.
fn started() -> Premium {
    let mut premium = Premium::start(&index(0), start_of(BEGIN)).unwrap();
    premium.mid = ImpactMid {
        price: 100_400_000_000,
        until: i64::MAX,
    };
    premium
}

#[test]
fn an_end_is_what_looking_then_would_have_given() {
    let mut looked = started();
    looked.observe(&index(0), MOST, start_of(BEGIN + 3) + 600).unwrap();
    assert_eq!((looked.funding.rate, looked.funding.index), (50_000_000, 100_000_000));
    // The first hour pays nothing, the second and the third 5 cents each, so far; 20 hours later the same comes out.
    for late in [3, 4, 23] {
        let mut premium = started();
        premium.finish(&index(late), MOST, BEGIN + 3).unwrap();
        assert_eq!(premium.funding, looked.funding, "{late} hours");
        let mut by_hours = started();
        for left in [2, 1, 0, 0] {
            let is_done = by_hours.finish_hours(&index(late), MOST, BEGIN + 3, 1).unwrap();
            assert_eq!((is_done, BEGIN + 3 - by_hours.funding.hour), (left == 0, left));
        }
        assert_eq!(by_hours, premium, "an hour a call");
        let before = premium;
        premium.finish(&index(late), MOST, BEGIN + 3).unwrap();
        assert_eq!(premium, before, "a second time nothing");
    }
}

/// Days later nothing is known of the index then: the hour that was known is paid for, the others are not.
#[test]
fn an_end_is_reached_without_its_index() {
    for late in [27, 100, 10_000] {
        let mut premium = started();
        premium.observe(&index(0), MOST, start_of(BEGIN + 1)).unwrap();
        premium.finish(&index(late), MOST, BEGIN + 3).unwrap();
        let funding = premium.funding;
        assert_eq!(
            (funding.hour, funding.rate, funding.index),
            (BEGIN + 3, 0, 50_000_000),
            "{late}"
        );
        let mut far = started();
        far.finish(&index(late), MOST, BEGIN + 9_000).unwrap();
        assert_eq!(far.funding.hour, BEGIN + 9_000);
        // Four hours a call: six calls.
        let mut by_hours = started();
        let calls = (1..20).find(|_| by_hours.finish_hours(&index(late), MOST, BEGIN + 9_000, 4).unwrap());
        assert_eq!((calls, by_hours), (Some(6), far));
    }
}
