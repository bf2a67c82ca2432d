//! The index out of several sources, and what may keep one from being taken.
use ballast_oracle::{combine, off_slow, Index, IndexPolicy, OracleError, Valid, SOURCES};
use proptest::prelude::*;

const POLICY: IndexPolicy = IndexPolicy {
    primary_alone: true,
    max_deviation_ppm: 10_000, // 1 %
};

fn source(price: i64, weight: u16) -> Option<Valid> {
    Some(Valid {
        price,
        confidence: 0,
        publish_time: 100,
        weight,
    })
}

fn price(sources: [Option<Valid>; SOURCES]) -> Result<i64, OracleError> {
    combine(&sources, &POLICY).map(|index| index.price)
}

#[test]
fn one_source_is_the_primary_where_the_policy_says_so() {
    let alone = [source(1_000, 1), None, None];
    let expected = Index {
        price: 1_000,
        confidence: 0,
        publish_time: 100,
        outliers: 0,
        apart: false,
        sources: 1,
    };
    assert_eq!(combine(&alone, &POLICY), Ok(expected));
    let strict = IndexPolicy {
        primary_alone: false,
        ..POLICY
    };
    assert_eq!(combine(&alone, &strict), Err(OracleError::TooFewSources));
    for others in [
        [None, source(1_000, 9), None],
        [None, None, source(1_000, 9)],
        [None; 3],
    ] {
        assert_eq!(combine(&others, &POLICY), Err(OracleError::TooFewSources));
    }
    assert_eq!(
        price([source(1_000, 1), source(9_000, 0), None]),
        Ok(1_000),
        "no weight, no say"
    );
    assert_eq!(
        price([source(1_000, 0), source(9_000, 1), None]),
        Err(OracleError::TooFewSources)
    );
    assert_eq!(price([source(0, 1), None, None]), Err(OracleError::TooFewSources));
    // Two of them will do without the primary.
    let strict = combine(&[None, source(1_000, 1), source(1_002, 1)], &strict);
    assert_eq!(strict.map(|index| index.price), Ok(1_001));
}

#[test]
fn the_median_is_by_weight() {
    // One each: the middle one, in whatever order they are listed.
    for [a, b, c] in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let prices = [10_000, 10_010, 10_030];
        assert_eq!(
            price([source(prices[a], 1), source(prices[b], 1), source(prices[c], 1)]),
            Ok(10_010)
        );
    }
    // Half of the weight on each side: the mean, rounded down.
    assert_eq!(price([source(10_000, 1), source(10_001, 1), None]), Ok(10_000));
    assert_eq!(price([source(10_003, 1), source(10_000, 1), None]), Ok(10_001));
    assert_eq!(
        price([source(10_000, 2), source(10_010, 1), source(10_021, 1)]),
        Ok(10_005)
    );
    assert_eq!(
        price([source(10_000, 1), source(10_010, 1), source(10_021, 2)]),
        Ok(10_015)
    );
    // More than half on one: that one.
    assert_eq!(
        price([source(10_000, 3), source(10_010, 1), source(10_020, 1)]),
        Ok(10_000)
    );
    assert_eq!(price([source(10_000, 2), source(10_010, 1), None]), Ok(10_000));
    assert_eq!(
        price([source(10_000, u16::MAX), source(10_010, 1), source(10_020, u16::MAX)]),
        Ok(10_010)
    );
    let top = [source(i64::MAX, 1), source(i64::MAX - 1, 1), None];
    assert_eq!(
        price(top),
        Ok(i64::MAX - 1),
        "the mean of the largest does not overflow"
    );
}

#[test]
fn the_spread_is_in_the_confidence_and_the_newest_time_in_the_index() {
    let valid = |price, confidence, publish_time| {
        Some(Valid {
            price,
            confidence,
            publish_time,
            weight: 1,
        })
    };
    let index = combine(
        &[valid(10_000, 7, 50), valid(10_010, 9, 60), valid(10_033, 8, 40)],
        &POLICY,
    );
    // 9 is the widest, 10,033 the farthest of 10,010.
    let expected = Index {
        price: 10_010,
        confidence: 32,
        publish_time: 60,
        outliers: 0,
        apart: false,
        sources: 3,
    };
    assert_eq!(index, Ok(expected));
    // Around a mean that was rounded down the spread is the larger half.
    let index = combine(&[valid(10_003, 0, 1), valid(10_000, 0, 1), None], &POLICY);
    assert_eq!(index.map(|index| (index.price, index.confidence)), Ok((10_001, 2)));
    let index = combine(&[valid(i64::MAX, i64::MAX, 1), valid(1, 0, 1), None], &POLICY);
    assert_eq!(
        index.map(|index| index.confidence),
        Ok(i64::MAX),
        "as wide as can be said"
    );
}

#[test]
fn one_that_lies_apart_is_left_out_and_named() {
    let index = |a, b, c| combine(&[source(a, 1), source(b, 1), source(c, 1)], &POLICY).expect("an index");
    // 1 % of 100,000 is 1,000.
    assert_eq!(
        (
            index(100_000, 101_000, 99_990).outliers,
            index(100_000, 101_001, 99_990).outliers
        ),
        (0, 0b010)
    );
    assert_eq!(
        (
            index(99_000, 100_000, 100_010).outliers,
            index(98_999, 100_000, 100_010).outliers
        ),
        (0, 0b001)
    );
    let without = index(100_000, 99_990, 200_000);
    let expected = Index {
        price: 99_995,
        confidence: 5,
        publish_time: 100,
        outliers: 0b100,
        apart: false,
        sources: 2,
    };
    assert_eq!(without, expected);
    // Its time and confidence go with it.
    let late = Some(Valid {
        price: 200_000,
        confidence: 50_000,
        publish_time: 999,
        weight: 1,
    });
    assert_eq!(
        combine(&[source(100_000, 1), source(99_990, 1), late], &POLICY),
        Ok(expected)
    );
}

#[test]
fn nobody_is_left_out_where_no_majority_agrees() {
    // Two: each is half the distance from their mean of 101,000, of which 1 % is 1,010.
    let two = |a, b, weight| combine(&[source(a, weight), source(b, 1), None], &POLICY).expect("an index");
    assert!(!two(99_990, 102_010, 1).apart);
    let apart = two(99_989, 102_011, 1);
    let expected = Index {
        price: 101_000,
        confidence: 1_011,
        publish_time: 100,
        outliers: 0,
        apart: true,
        sources: 2,
    };
    assert_eq!(apart, expected);
    // The heavier of two is the median, but one alone is no agreement.
    assert!(!two(100_000, 101_000, 2).apart);
    let heavier = two(100_000, 101_001, 2);
    assert_eq!(
        (heavier.apart, heavier.sources, heavier.price, heavier.confidence),
        (true, 2, 100_000, 1_001)
    );
    // All three apart.
    let three = combine(&[source(90_000, 1), source(100_000, 1), source(110_000, 1)], &POLICY).expect("an index");
    assert_eq!(
        (three.apart, three.outliers, three.price, three.confidence),
        (true, 0, 100_000, 10_000)
    );
    // Two agree, but the third has as much weight as both.
    let weights = combine(&[source(100_000, 1), source(100_000, 1), source(110_000, 2)], &POLICY).expect("an index");
    assert!(weights.apart && weights.outliers == 0);
    // Half is no majority: 101,010 is the mean, rounded down, and 1 % of it holds the two of one side alone.
    let half = combine(&[source(100_000, 1), source(100_000, 1), source(102_021, 2)], &POLICY).expect("an index");
    assert_eq!((half.apart, half.outliers, half.price), (true, 0, 101_010));
    let fewer = combine(&[source(100_000, 2), source(100_000, 1), source(110_000, 2)], &POLICY).expect("an index");
    assert_eq!((fewer.apart, fewer.outliers), (false, 0b100));
}

#[test]
fn a_price_without_a_second_is_held_to_the_slow_one() {
    let index = |price, sources, apart| Index {
        price,
        confidence: 0,
        publish_time: 100,
        outliers: 0,
        apart,
        sources,
    };
    let off = |price, seconds| off_slow(&index(price, 1, false), 1_000_000, seconds, 100_000);
    // 10 %, and as much for each minute.
    for (seconds, most) in [(0, 100_000), (30, 150_000), (60, 200_000), (540, 1_000_000)] {
        assert!(!off(1_000_000 + most, seconds), "{seconds}");
        assert!(off(1_000_001 + most, seconds), "{seconds}");
        assert!(!off((1_000_000 - most).max(1), seconds), "{seconds}");
        assert!(most == 1_000_000 || off(999_999 - most, seconds), "{seconds}");
    }
    assert!(
        !off_slow(&index(9_000_000, 2, false), 1_000_000, 0, 100_000),
        "two agree"
    );
    assert!(
        off_slow(&index(9_000_000, 2, true), 1_000_000, 0, 100_000),
        "two that do not"
    );
    assert!(
        !off_slow(&index(9_000_000, 1, false), 0, 0, 100_000),
        "no slow price yet"
    );
    assert!(!off_slow(&index(i64::MAX, 1, false), i64::MAX - 1, u32::MAX, u32::MAX));
    assert!(off_slow(&index(i64::MAX, 1, false), 1, u32::MAX, u32::MAX));
    assert!(off_slow(&index(1, 1, false), i64::MAX, 0, 999_999));
    assert!(!off_slow(&index(1, 1, false), i64::MAX, 0, 1_000_000));
}

/// The median by its definition: as many copies of each price as it weighs, in order, and the middle of them.
fn naive_median(sources: &[(i64, u16)]) -> i64 {
    let mut copies: Vec<i64> = Vec::new();
    for (price, weight) in sources {
        copies.extend(std::iter::repeat_n(*price, usize::from(*weight)));
    }
    copies.sort_unstable();
    let (low, high) = (copies[(copies.len() - 1) / 2], copies[copies.len() / 2]);
    low + (high - low) / 2
}

fn sources() -> impl Strategy<Value = Vec<(i64, u16, i64)>> {
    // Near each other and far apart.
    let price = prop_oneof![990_000i64..1_010_000, 1i64..3_000_000];
    prop::collection::vec((price, 1u16..6, 0i64..1_000), 2..=3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Against the definition, written once more without any of the crate's.
    #[test]
    fn an_index_is_what_its_definition_says(list in sources(), ppm in 0u32..50_000) {
        let mut slots = [None; SOURCES];
        for (slot, (price, weight, confidence)) in slots.iter_mut().zip(&list) {
            *slot = Some(Valid { price: *price, confidence: *confidence, publish_time: 1, weight: *weight });
        }
        let index = combine(&slots, &IndexPolicy { primary_alone: false, max_deviation_ppm: ppm }).expect("two at least");
        let pairs = |list: &[(i64, u16, i64)]| list.iter().map(|(p, w, _)| (*p, *w)).collect::<Vec<_>>();
        let median = naive_median(&pairs(&list));
        let near = |price: i64| i128::from((price - median).abs()) * 1_000_000 <= i128::from(median) * i128::from(ppm);
        let agreeing: Vec<_> = list.iter().copied().filter(|(price, ..)| near(*price)).collect();
        let weight = |list: &[(i64, u16, i64)]| list.iter().map(|(_, w, _)| u32::from(*w)).sum::<u32>();
        let majority = agreeing.len() >= 2 && 2 * weight(&agreeing) > weight(&list);
        let kept = if majority { &agreeing } else { &list };
        let price = naive_median(&pairs(kept));
        let spread = kept.iter().map(|(p, ..)| (p - price).abs()).max().expect("two at least");
        let widest = kept.iter().map(|(.., c)| *c).max().expect("two at least");
        prop_assert_eq!(index.price, price);
        prop_assert_eq!(index.confidence, widest + spread);
        prop_assert_eq!(usize::from(index.sources), kept.len());
        prop_assert_eq!(index.apart, !majority);
        for (number, (price, ..)) in list.iter().enumerate() {
            prop_assert_eq!(index.outliers >> number & 1 == 1, majority && !near(*price));
        }
    }

    /// One source of three, whatever it says, moves the index no farther than the other two and their limit.
    #[test]
    fn one_of_three_equals_can_not_carry_the_index_away(a in 990_000i64..1_010_000, b in 990_000i64..1_010_000, liar in 1i64..i64::MAX) {
        let index = combine(&[source(a, 1), source(b, 1), source(liar, 1)], &POLICY).expect("an index");
        prop_assert!((a.min(b)..=a.max(b)).contains(&index.price));
    }
}
