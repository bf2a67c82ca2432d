//! What holds for any argument: parity, bounds, and that nothing panics.
use crate::sample::{Random, WHOLE};
use crate::wide::Wide;
use ballast_fixed::kernel::{
    call, cdf, exp, greeks, ln, ln_price, pdf, put, root_years, sqrt, Moneyness, TotalVolatility, ERROR, Q48,
};
use ballast_fixed::{Price, Ratio};
use proptest::prelude::*;

/// Any 64-bit number, small ones and powers of two as often as large ones.
fn any_integer() -> impl Strategy<Value = i64> {
    (any::<i64>(), 0..64u32).prop_map(|(x, shift)| x >> shift)
}

fn to_f64(x: Q48) -> f64 {
    x.0 as f64 * 2f64.powi(-48)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_arguments_have_a_price_within_its_bounds(
        ratio in any_integer(), logarithm in any_integer(), sigma in any_integer(), root in any_integer(), years in any_integer(),
    ) {
        let moneyness = Moneyness { ratio: Q48(ratio), ln: Q48(logarithm) };
        let volatility = TotalVolatility::new(Q48(sigma), Q48(root));
        let price = call(&moneyness, &volatility);
        let stated = (0..=32_000 << 48).contains(&ratio);
        prop_assert!(!stated || price.0 <= ratio && price.0 >= (ratio - Q48::ONE.0).max(0));
        prop_assert_eq!(put(&moneyness, &volatility).0, price.0.wrapping_sub(ratio).wrapping_add(Q48::ONE.0));
        let _ = greeks(&moneyness, &volatility, Q48(years));
        let _ = moneyness.shocked(Q48(sigma), Q48(root));
    }

    #[test]
    fn any_prices_have_a_moneyness_and_any_number_its_functions(a in any_integer(), b in any_integer()) {
        let moneyness = Moneyness::new(Price(a), Price(b));
        prop_assert!(moneyness.ratio >= Q48::ZERO && moneyness.ratio.0 <= 32_000 << 48);
        let x = Q48(a);
        prop_assert!(exp(x) >= Q48::ZERO && sqrt(x) >= Q48::ZERO && pdf(x) >= Q48::ZERO);
        prop_assert!(cdf(x) >= Q48::ZERO && cdf(x) <= Q48::ONE);
        prop_assert!(a == 0 || a == i64::MIN || cdf(x).0 + cdf(Q48(-a)).0 == Q48::ONE.0);
        prop_assert!(ln(x).0.abs() < 34 << 48 && ln_price(Price(a)).0.abs() < 24 << 48);
        prop_assert!(root_years(a).0 < 3 << 48);
        let _ = Q48::from_ratio(Ratio(a));
        let _ = x.times(Q48(b));
    }

    #[test]
    fn a_quotient_is_the_nearest(a in 1..i64::MAX, b in 1..i64::MAX, shifts in (0..63u32, 0..63u32)) {
        let (a, b) = ((a >> shifts.0).max(1), (b >> shifts.1).max(1));
        let exact = (i128::from(a) << 48) / i128::from(b);
        let rest = (i128::from(a) << 48) % i128::from(b);
        let nearest = exact + i128::from(rest * 2 >= i128::from(b));
        let held = i64::try_from(nearest).unwrap_or(i64::MAX);
        prop_assert_eq!(Q48::quotient(a, b).0, held);
    }

    #[test]
    fn a_ratio_is_the_nearest(ratio in any_integer()) {
        let twice = (i128::from(ratio.unsigned_abs()) << 49) / 1_000_000_000;
        let held = i64::try_from((twice + 1) / 2).unwrap_or(i64::MAX);
        prop_assert_eq!(Q48::from_ratio(Ratio(ratio)).0, if ratio < 0 { -held } else { held });
    }

    #[test]
    fn a_product_is_at_most_two_units_low(a in any_integer(), b in any_integer()) {
        let exact = i128::from(a) * i128::from(b);
        let magnitudes = i128::from(a).abs() + i128::from(b).abs();
        prop_assume!(magnitudes < 1 << 63 && exact.abs() < 32_767 << 96);
        let error = (exact >> 48) - i128::from(Q48(a).times(Q48(b)).0);
        prop_assert!((0..=2).contains(&error), "{}", error);
    }

    #[test]
    fn functions_are_within_their_stated_errors(a in any_integer(), price in 1..i64::MAX) {
        let x = Q48(a.checked_abs().unwrap_or(1).max(1));
        let wide = Wide::scaled(x.0, 48);
        let units = |found: Q48, exact: Wide| (Wide::scaled(found.0, 48) - exact).abs().to_f64() * 2f64.powi(48);
        prop_assert!(units(ln(x), wide.ln()) <= 1.0);
        prop_assert!(units(sqrt(x), wide.sqrt()) <= 1.0);
        let ln_billion = Wide::from(1_000_000_000).ln();
        prop_assert!(units(ln_price(Price(price)), Wide::scaled(price, 48).ln() + Wide::scaled(1, 48).inverse().ln() - ln_billion) <= 1.0);
        let seconds = price % 63_072_001;
        prop_assert!(units(root_years(seconds), Wide::from(seconds).over(31_536_000).sqrt()) <= 0.6);
        for x in [x.0, -x.0] {
            let held = Q48(x.clamp(-30 << 48, 10 << 48));
            let wide = Wide::scaled(held.0, 48);
            let expected = wide.exp();
            prop_assert!(units(exp(held), expected) <= 1.0f64.max(expected.to_f64() * 0.25), "e^{}", to_f64(held));
            prop_assert!(units(cdf(held), wide.cdf()) <= 2.0, "Φ({})", to_f64(held));
            prop_assert!(units(pdf(held), wide.pdf()) <= 1.5, "φ({})", to_f64(held));
        }
    }
}

#[test]
fn a_call_is_a_put_with_forward_and_strike_exchanged() {
    // C(F, K) = P(K, F): both sides take different ways through the kernel. In parts of the own strike: C/K = F/K · P/F.
    let mut random = Random(21);
    for _ in 0..100_000 {
        let point = WHOLE.near_the_money(&mut random);
        let volatility = point.volatility();
        let one = call(&point.moneyness(), &volatility);
        let other = put(&Moneyness::new(point.strike, point.forward), &volatility);
        let ratio = point.moneyness().ratio;
        let error = to_f64(one) - to_f64(other) * to_f64(ratio);
        let larger = to_f64(ratio).max(1.0);
        // Both errors, and that of the division into F, which is relative to F/K: its inverse is rounded to 2⁻⁴⁹.
        assert!(
            error.abs() <= larger * 2.0 * to_f64(ERROR) + larger * larger * 2f64.powi(-47),
            "{point:?}: {error:e}"
        );
    }
}
