//! Every conversion and rounding by hand calculation.
use ballast_fixed::{Dollars, Lots, Notional, Overflow, Price, Quantity, QuoteAmount, Ratio};

const SIX_PERCENT: Ratio = Ratio(60_000_000);

#[test]
fn a_price_times_a_quantity_is_exact() {
    // $3.000000001 · 0.000000002 = 6.000000002·10⁻⁹ dollars.
    assert_eq!(Price(3_000_000_001).times(Quantity(2)), Notional(6_000_000_002));
    assert_eq!(Price(1).times(Quantity(-1)), Notional(-1));
    let largest = Price(i64::MAX).times(Quantity(i64::MIN));
    assert_eq!(largest, Notional(i128::from(i64::MAX) * i128::from(i64::MIN)));
}

#[test]
fn a_price_moves_by_a_ratio() {
    assert_eq!(Price(100).scaled_floor(SIX_PERCENT), Ok(Price(106)));
    assert_eq!(Price(101).scaled_floor(SIX_PERCENT), Ok(Price(107))); // 107.06
    assert_eq!(Price(101).scaled_floor(Ratio(-60_000_000)), Ok(Price(94))); // 94.94
    assert_eq!(Price(101).scaled_floor(Ratio(-1_000_000_000)), Ok(Price(0)));
    assert_eq!(Price(i64::MAX).scaled_floor(Ratio(1)), Err(Overflow));
}

#[test]
fn lots_have_a_size() {
    assert_eq!(Lots(-3).quantity(Quantity(1_000_000)), Ok(Quantity(-3_000_000)));
    assert_eq!(Lots(i64::MAX).quantity(Quantity(2)), Err(Overflow));
}

#[test]
fn sums_are_checked() {
    assert_eq!(Dollars(1).plus(Dollars(-3)), Ok(Dollars(-2)));
    assert_eq!(Dollars(i64::MAX).plus(Dollars(1)), Err(Overflow));
    assert_eq!(Dollars(i64::MIN).minus(Dollars(1)), Err(Overflow));
    assert_eq!(Dollars(i64::MIN).negated(), Err(Overflow));
    assert_eq!(Dollars(i64::MIN).magnitude(), Err(Overflow));
    assert_eq!(QuoteAmount(-5).magnitude(), Ok(QuoteAmount(5)));
    assert_eq!(Quantity(5).negated(), Ok(Quantity(-5)));
    assert_eq!(Notional(i128::MAX).plus(Notional(1)), Err(Overflow));
    assert_eq!(Notional(i128::MIN).minus(Notional(1)), Err(Overflow));
    assert_eq!(Notional(i128::MIN).negated(), Err(Overflow));
    assert_eq!(Notional(i128::MIN).magnitude(), Err(Overflow));
    assert_eq!(Notional(-2).magnitude(), Ok(Notional(2)));
    assert_eq!(Ratio(i64::MAX).plus(Ratio(1)), Err(Overflow));
    assert_eq!(Ratio(i64::MIN).minus(Ratio(1)), Err(Overflow));
}

#[test]
fn amounts_times_ratios_round_as_named() {
    // 6 % of 50 and of 51: 3 and 3.06.
    assert_eq!(Dollars(50).times_floor(SIX_PERCENT), Ok(Dollars(3)));
    assert_eq!(Dollars(50).times_ceil(SIX_PERCENT), Ok(Dollars(3)));
    assert_eq!(Dollars(51).times_floor(SIX_PERCENT), Ok(Dollars(3)));
    assert_eq!(Dollars(51).times_ceil(SIX_PERCENT), Ok(Dollars(4)));
    assert_eq!(Dollars(-51).times_floor(SIX_PERCENT), Ok(Dollars(-4)));
    assert_eq!(Dollars(-51).times_ceil(SIX_PERCENT), Ok(Dollars(-3)));
    assert_eq!(Ratio(3).times_floor(Ratio(500_000_000)), Ok(Ratio(1)));
    assert_eq!(Ratio(3).times_ceil(Ratio(500_000_000)), Ok(Ratio(2)));
    assert_eq!(Dollars(i64::MAX).times_floor(Ratio(1_000_000_001)), Err(Overflow));
}

#[test]
fn notionals_round_to_dollars_and_quote_as_named() {
    let value = Notional(25_000_000_001); // 2.5000000001·10⁻⁸ dollars
    assert_eq!((value.floor(), value.ceil()), (Ok(Dollars(2)), Ok(Dollars(3))));
    let debt = value.negated().unwrap();
    assert_eq!((debt.floor(), debt.ceil()), (Ok(Dollars(-3)), Ok(Dollars(-2))));
    assert_eq!(
        (value.quote_floor(), value.quote_ceil()),
        (Ok(QuoteAmount(0)), Ok(QuoteAmount(1)))
    );
    assert_eq!(
        (debt.quote_floor(), debt.quote_ceil()),
        (Ok(QuoteAmount(-1)), Ok(QuoteAmount(0)))
    );
    assert_eq!(Notional(i128::MAX).floor(), Err(Overflow));
    assert_eq!(Notional(i128::MIN).ceil(), Err(Overflow)); // −2¹²⁷ has no opposite to round
}

#[test]
fn notionals_times_ratios_are_rounded_once() {
    // 10⁻⁸ dollars · 1.5: 15,000,000,000·10⁻¹⁸.
    let unit = Notional::from_dollars(Dollars(1));
    let ratio = Ratio(1_500_000_000);
    assert_eq!(
        (unit.times_floor(ratio), unit.times_ceil(ratio)),
        (Ok(Dollars(1)), Ok(Dollars(2)))
    );
    assert_eq!(unit.negated().unwrap().times_floor(ratio), Ok(Dollars(-2)));
    assert_eq!(Notional(1).times_ceil(Ratio(1)), Ok(Dollars(1)));
    assert_eq!(Notional(-1).times_ceil(Ratio(1)), Ok(Dollars(0)));
    assert_eq!(Notional::ZERO.times_ceil(Ratio(i64::MAX)), Ok(Dollars(0)));
    assert_eq!(Notional(i128::MAX).times_floor(Ratio(2)), Err(Overflow));
    assert_eq!(Notional(i128::MAX).times_ceil(Ratio(1)), Err(Overflow)); // beyond the dollars
}

#[test]
fn quote_and_dollars_convert_at_par() {
    assert_eq!(QuoteAmount(-7).dollars(), Ok(Dollars(-700)));
    assert_eq!(QuoteAmount(i64::MAX).dollars(), Err(Overflow));
    for (dollars, down, up) in [
        (0, 0, 0),
        (1, 0, 1),
        (-1, -1, 0),
        (250, 2, 3),
        (-250, -3, -2),
        (300, 3, 3),
    ] {
        assert_eq!(Dollars(dollars).quote_floor(), QuoteAmount(down));
        assert_eq!(Dollars(dollars).quote_ceil(), QuoteAmount(up));
    }
    assert_eq!(Dollars(i64::MAX).quote_ceil(), QuoteAmount(i64::MAX / 100 + 1));
    assert_eq!(Dollars(i64::MIN).quote_floor(), QuoteAmount(i64::MIN / 100 - 1));
    assert_eq!(Notional::from_quote(QuoteAmount(3)), Notional(3_000_000_000_000));
    let least = Notional::from_quote(QuoteAmount(i64::MIN));
    assert_eq!(least.quote_floor(), Ok(QuoteAmount(i64::MIN)));
    assert_eq!(Notional::from_dollars(Dollars(i64::MIN)).floor(), Ok(Dollars(i64::MIN)));
}

#[test]
fn ratios_of_a_million() {
    assert_eq!(Ratio::from_ppm(i32::MAX), Ratio(2_147_483_647_000));
    assert_eq!(Ratio::from_ppm(-5), Ratio(-5_000));
}
