//! Products and quotients of dollars.
use super::*;

/// A few thousand pairs over all magnitudes.
fn pairs(mut check: impl FnMut(i64, i64)) {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    for round in 0..4_000u32 {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let (a, b) = (next() >> (1 + round % 62), next() >> (1 + round / 62 % 62));
        check(a as i64, b as i64);
    }
}

#[test]
fn dollars_are_the_exact_product() {
    pairs(|price, quantity| {
        let exact = i128::from(price) * i128::from(quantity) / 10_000_000_000;
        let expected = i64::try_from(exact)
            .ok()
            .filter(|&x| x <= MAX_GROSS.0)
            .ok_or(RiskError::Overflow);
        assert_eq!(
            dollars(Price(price), Quantity(quantity)),
            expected,
            "{price} {quantity}"
        );
        assert_eq!(dollars(Price(price), Quantity(-quantity)), expected);
    });
    assert_eq!(dollars(Price(i64::MAX), Quantity(i64::MIN)), Err(RiskError::Overflow));
    assert_eq!(
        dollars(Price(20_000_000_000), Quantity(1_000_000_000_000_000_000)),
        Ok(MAX_GROSS.0)
    );
}

#[test]
fn quotients_are_exact_to_a_unit() {
    pairs(|a, b| {
        let (a, b) = (a.max(1), b.max(1));
        let exact = ((i128::from(a) << 48) / i128::from(b)).min(1 << 62);
        let error = i128::from(quotient(a, b).0) - exact;
        assert!((0..=1).contains(&error), "{a} / {b}: {error}");
    });
    assert_eq!(quotient(1, 0), Q48(1 << 62));
}

#[test]
fn rounding_up_is_never_below() {
    pairs(|amount, ratio| {
        let (amount, ratio) = (Dollars(amount >> 1), Ratio(ratio % (Ratio::SCALE + 1)));
        let exact = amount.times_ceil(ratio).unwrap();
        let up = scaled_up(amount, ratio).unwrap();
        assert!(
            exact <= up && up.0 <= exact.0 + 4 + (amount.0 >> 45),
            "{amount:?} {ratio:?}"
        );
    });
    assert_eq!(
        scaled_up(Dollars(1), Ratio(1_000_000_001)),
        Err(RiskError::InvalidParameter)
    );
    assert_eq!(scaled_up(Dollars(1), Ratio(-1)), Err(RiskError::InvalidParameter));
}
