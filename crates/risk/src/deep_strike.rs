//! Strikes far under their forward (methodology, section 2): there a call is the forward less its strike and a put is nothing, and the
//! kernel, whose F/K ends, need not be asked how far under.
use crate::surface::LEAST_VOLATILITY;
use crate::{OptionLeg, RiskError, Volatilities};
use ballast_fixed::kernel::ln_price;
use ballast_fixed::{Notional, Price};

/// F/K at most of what is priced. The largest shock makes 12,400 of it, which the kernel prices; it ends at 32,000.
const LARGEST_RATIO: u64 = 1_000;

/// K′ = F/1,000, rounded up: the least strike that is priced as it is. An option below it is priced at K′, and a call is worth K′ − K more:
/// by parity call(K) = call(K′) + (K′ − K) − (put(K′) − put(K)).
///
/// What that leaves out, put(K′) − put(K), is never negative and under K′: at 100 % and two years 4·10⁻⁹ of F at most, at 400 % and two
/// years 10⁻³ of it.
pub(crate) fn least_strike(forward: Price) -> Price {
    Price((forward.0.max(0) as u64).div_ceil(LARGEST_RATIO) as i64)
}

/// A position in such an option as the engine prices it.
pub(crate) struct DeepLeg {
    /// The same at K′.
    pub leg: OptionLeg,
    pub volatilities: Volatilities,
    /// q·(K′ − K) for calls: what it is worth beyond `leg`.
    pub rest: Notional,
}

impl DeepLeg {
    /// The leg at K′. What a put at K′ is worth more is taken against the account: a short one, or a short call, owes it, and a long one
    /// is priced at the least volatility, where it is nothing and a call is the forward less its strike.
    #[inline(never)]
    pub fn new(leg: &OptionLeg, volatilities: Volatilities, least: Price) -> Result<DeepLeg, RiskError> {
        let long = leg.quantity.0 > 0;
        let rest = if leg.call {
            Price(least.0.wrapping_sub(leg.strike.0)).times(leg.quantity) // 0 < K < K′
        } else {
            Notional::ZERO
        };
        Ok(DeepLeg {
            leg: OptionLeg {
                strike: least,
                ln_strike: ln_price(least),
                ..*leg
            },
            volatilities: if long {
                Volatilities::same(LEAST_VOLATILITY)
            } else {
                volatilities
            },
            rest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::Surface;
    use crate::{defaults, AssetBook, AssetReport, Bucket, Expiry, OptionBook, PortfolioParams, PriceState};
    use ballast_fixed::{Quantity, Ratio};
    extern crate std;
    use proptest::prelude::*;

    const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;
    const USD: i64 = 1_000_000_000;
    const BTC: Price = Price(100_000 * USD);

    fn expiry(percent: i64, seconds: i64) -> Expiry {
        let surface = Surface::flat(Ratio(percent * 10_000_000));
        Expiry {
            forward: BTC,
            slow_forward: BTC,
            seconds,
            fixed: Ratio::ZERO,
            moving: Ratio::ONE,
            surface,
            slow_surface: surface,
        }
    }

    fn month() -> Expiry {
        expiry(65, 30 * 86_400)
    }

    /// A position in an option that was bought or sold for F − K, or nothing.
    fn leg(call: bool, strike: i64, quantity: i64) -> OptionLeg {
        let premium = if call { BTC.0 - strike } else { 0 };
        OptionLeg {
            strike: Price(strike),
            ln_strike: ln_price(Price(strike)),
            call,
            quantity: Quantity(quantity),
            quote: Price(-premium).times(Quantity(quantity)),
        }
    }

    fn report(expiry: &Expiry, legs: &[OptionLeg]) -> AssetReport {
        let mut memory = OptionBook::default();
        let mut book = AssetBook::with_options(&defaults::BTC, &PARAMS, PriceState::default(), BTC, &mut memory);
        book.begin_expiry(0, expiry).unwrap();
        for leg in legs {
            book.add_option(leg).unwrap();
        }
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        out
    }

    fn future(quantity: i64) -> AssetReport {
        let value = BTC.times(Quantity(quantity));
        let mut book = AssetBook::new(&defaults::BTC, &PARAMS, PriceState::default());
        book.add_linear(Bucket::Expiry(0), value, value, value.negated().unwrap())
            .unwrap();
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        out
    }

    /// 10⁻⁸ dollars: what a strike's rounding of a thousandfold ratio may come to.
    const ROUNDING: i64 = 20_000;

    fn near(value: i64, dollars: i64) {
        assert!(
            value.abs_diff(dollars * 100_000_000) <= ROUNDING as u64,
            "{value} against {dollars} dollars"
        );
    }

    /// As a short future of 100,000: 9.5 % of it and 0.5 %; 0.7 · 9,500 + 500. What was received is owed, no more and no less.
    #[test]
    fn a_short_call_requires_what_a_short_future_does() {
        for strike in [1, 5 * USD, 50 * USD, 99 * USD, 100 * USD, 101 * USD] {
            let out = report(&month(), &[leg(true, strike, -USD)]);
            let (initial, maintenance) = out.alone(&PARAMS).unwrap();
            near(out.scan.0, 9_500);
            near(initial.0, 10_000);
            near(maintenance.0, 7_150);
            near(out.unrealised_index.0, 0);
            assert!(
                out.option_value.0.abs_diff(-(BTC.0 - strike) / 10) <= ROUNDING as u64,
                "{strike}"
            );
        }
    }

    #[test]
    fn a_put_is_worth_nothing_and_moves_by_nothing() {
        for (strike, quantity) in [(1, -USD), (1, USD), (5 * USD, -USD), (99 * USD, USD)] {
            let out = report(&month(), &[leg(false, strike, quantity)]);
            near(out.scan.0, 0);
            near(out.option_value.0, 0);
            near(out.net_delta.0, 0);
        }
    }

    /// At 400 % and two years put(100) is 92.03 of a forward of 100,000, computed with erfc: what the short call owes more than F − K,
    /// and the long one is not credited.
    #[test]
    fn what_a_put_may_be_worth_is_taken_against_the_account() {
        let widest = expiry(400, 730 * 86_400);
        let value = |quantity| report(&widest, &[leg(true, 5 * USD, quantity)]).option_value.0;
        let exact = (100_000 - 5) * 100_000_000;
        assert!((exact - ROUNDING..=exact).contains(&value(USD)), "{}", value(USD));
        let owed = -value(-USD) - exact;
        assert!((9_203_400_000..9_203_600_000).contains(&owed), "{owed}");
        let mark = widest.option_mark(&leg(true, 5 * USD, USD)).unwrap().0;
        assert!((mark - 100_087_034_807_204).abs() < 1_000_000, "{mark}");
        let bounds = widest.option_bounds(&leg(true, 5 * USD, USD), &[BTC]).unwrap();
        assert!(bounds.least.0 <= BTC.0 - 5 * USD && bounds.most.0 >= mark);
        let bounds = widest.option_bounds(&leg(false, 5 * USD, USD), &[BTC]).unwrap();
        assert!(bounds.least == Price(0) && bounds.most.0 < 100 * USD);
    }

    #[test]
    fn marks_are_the_forward_less_the_strike() {
        for strike in [1, USD, 5 * USD, 99 * USD, 100 * USD] {
            let mark = |call| month().option_mark(&leg(call, strike, USD)).unwrap().0;
            assert!((mark(true) - (BTC.0 - strike)).abs() <= 10, "{strike}: {}", mark(true));
            assert!(mark(false) <= 10, "{strike}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, rng_seed: proptest::test_runner::RngSeed::Fixed(19_730_501), ..ProptestConfig::default() })]

        /// However far under the forward a strike lies, a short call requires no less than its future, less what rounding comes to; and the
        /// buffer of its own strike, since a call is worth that less.
        #[test]
        fn a_short_call_never_requires_less_than_its_future(
            digits in 0u32..14,
            part in 1i64..10,
            quantity in 1i64..1_000 * USD,
            percent in 5i64..=400,
            seconds in 3_600i64..730 * 86_400,
        ) {
            let strike = (part * 10i64.pow(digits)).min(BTC.0 / 10);
            let out = report(&expiry(percent, seconds), &[leg(true, strike, -quantity)]);
            let (call, future) = (out.alone(&PARAMS).unwrap(), future(-quantity).alone(&PARAMS).unwrap());
            // What remains of the put when the price rises is what the call loses less than the future; at the money's own volatility
            // of these ranges it is under K.
            let put = Price(strike.max(least_strike(BTC).0)).times(Quantity(quantity)).ceil().unwrap().0;
            prop_assert!(call.0.0 + put + ROUNDING >= future.0.0, "{call:?} {future:?}");
            prop_assert!(call.1.0 + put + ROUNDING >= future.1.0, "{call:?} {future:?}");
            let exact = Price(BTC.0 - strike).times(Quantity(quantity)).floor().unwrap().0;
            prop_assert!(out.option_value.0 <= ROUNDING - exact, "{out:?}");
        }
    }
}
