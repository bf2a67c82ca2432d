//! The option of the methodology's section 0: ETH at 3,000, a 30-day call at the money, σ = 65 %.
use ballast_fixed::kernel::{ln_price, Q48};
use ballast_fixed::{Dollars, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::slow_surface::widening;
use ballast_risk::surface::Surface;
use ballast_risk::{defaults, isolated_linear, AssetBook, AssetReport, Bucket, Cash, Expiry, MarginReport, OptionBook};
use ballast_risk::{Method, OptionLeg, Portfolio, PortfolioParams, PriceState, RiskError, Volatilities};

const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;
const USD: i64 = 1_000_000_000;
const MONTH: i64 = 2_592_000;

fn month(sigma: i64, slow_sigma: i64) -> Expiry {
    Expiry {
        forward: Price(3_000 * USD),
        slow_forward: Price(3_000 * USD),
        seconds: MONTH,
        fixed: Ratio::ZERO,
        moving: Ratio::ONE,
        surface: Surface::flat(Ratio(sigma)),
        slow_surface: Surface::flat(Ratio(slow_sigma)),
    }
}

/// `quantity` in thousandths.
fn option(call: bool, strike: i64, quantity: i64) -> OptionLeg {
    let strike = Price(strike * USD);
    OptionLeg {
        strike,
        ln_strike: ln_price(strike),
        call,
        quantity: Quantity(quantity * 1_000_000),
        quote: Notional::ZERO,
    }
}

/// Options and, in thousandths, futures of the expiry; values at the index, and at the slow price 10 % below it where asked.
fn book(expiry: &Expiry, price: PriceState, options: &[OptionLeg], futures: i64) -> AssetReport {
    let mut memory = OptionBook::default();
    let mut book = AssetBook::with_options(&defaults::ETH, &PARAMS, price, Price(3_000 * USD), &mut memory);
    book.begin_expiry(0, expiry).unwrap();
    for leg in options {
        book.add_option(leg).unwrap();
    }
    if futures != 0 {
        let quantity = Quantity(futures * 1_000_000);
        let [value, slow] = [expiry.forward, expiry.slow_forward].map(|price| price.times(quantity));
        book.add_linear(Bucket::Expiry(0), value, slow, value.negated().unwrap())
            .unwrap();
    }
    let mut out = AssetReport::default();
    book.finish(&mut out).unwrap();
    out
}

fn margin(report: &AssetReport, cash: i64) -> MarginReport {
    let mut sum = Portfolio::new(&PARAMS);
    sum.add(report, &defaults::ETH.clusters).unwrap();
    sum.finish(Cash::at_par(QuoteAmount(cash * 1_000_000))).unwrap()
}

fn cents(x: Dollars) -> i64 {
    (x.0 + 500_000) / 1_000_000
}

#[test]
fn ten_calls_against_their_delta_cost_a_fifth() {
    let calls = option(true, 3_000, 10_000);
    let month = month(650_000_000, 650_000_000);
    let fresh = PriceState::default();
    let m = margin(&book(&month, fresh, &[calls], -5_370), 0);
    assert_eq!(cents(m.initial), 76_988);
    // Alone: the calls may lose nearly their premium, the futures are an outright.
    let future = Price(3_000 * USD).times(Quantity(-5_370_000_000));
    let (futures, _) = isolated_linear(&defaults::ETH, &PARAMS, future).unwrap();
    let (alone, _) = book(&month, fresh, &[calls], 0).alone(&PARAMS).unwrap();
    assert_eq!(cents(Dollars(alone.0 + futures.0)), 399_048);
}

/// At the money a call is worth F·(2Φ(σ√T/2) − 1) = F·erf(σ√T/√8): σ√T = 0.65·√(30/365), to 20 digits 222.70545121019037289.
const CALL: f64 = 222.705_451_210;

fn near(x: Dollars, expected: f64, tolerance: f64) {
    let value = x.0 as f64 / 1e8;
    assert!((value - expected).abs() <= tolerance, "{value} against {expected}");
}

#[test]
fn premium_and_value_are_profit_together() {
    let bought = OptionLeg {
        quote: Notional::from_dollars(Dollars(-250 * 100_000_000)),
        ..option(true, 3_000, 1_000)
    };
    let report = book(&month(650_000_000, 650_000_000), PriceState::default(), &[bought], 0);
    near(report.option_value, CALL, 1e-6);
    near(report.unrealised_index, CALL - 250.0, 1e-6);
    near(report.net_option_value, CALL * 0.05, 1e-6);
    // Bought dear: the loss counts in a withdrawal, a gain would not.
    let m = margin(&report, 1_000);
    near(m.equity_maintenance, 1_000.0 + CALL - 250.0, 1e-6);
    near(m.equity_withdrawal, 1_000.0 + CALL - 250.0, 1e-6);
    let cheap = OptionLeg {
        quote: Notional::ZERO,
        ..bought
    };
    let report = book(&month(650_000_000, 650_000_000), PriceState::default(), &[cheap], 0);
    assert_eq!(margin(&report, 1_000).equity_withdrawal, Dollars(1_000 * 100_000_000));
}

/// The slow mean is 75 %: 3,000·erf(0.75·√(30/365)/√8) = 256.84482017695552945.
#[test]
fn new_risk_takes_the_worse_surface() {
    let dear = 256.844_820_177;
    let month = month(650_000_000, 750_000_000);
    let long = book(&month, PriceState::default(), &[option(true, 3_000, 1_000)], 0);
    near(long.unrealised_index, CALL, 1e-6);
    near(long.unrealised_initial, CALL, 1e-6);
    let short = book(&month, PriceState::default(), &[option(true, 3_000, -1_000)], 0);
    near(short.unrealised_index, -CALL, 1e-6);
    near(short.unrealised_initial, -dear, 1e-6);
    near(short.unrealised_liquidation, -CALL, 1e-6);
    // A short put of the strike is worth the same, and each is taken at its own worse volatility.
    let legs = [option(true, 3_000, 1_000), option(false, 3_000, -1_000)];
    near(
        book(&month, PriceState::default(), &legs, 0).unrealised_initial,
        CALL - dear,
        2e-3,
    );
}

/// On a surface that is out of date an option may be worth by now what the volatility shocks make of it: 65 % go to 91 % or to 48.75 %, which is
/// 3,000·erf(σ·√(30/365)/√8) = 311.355586951… or 167.134760080…. Liquidation, and what a future of the expiry may lose, are not touched.
#[test]
fn new_risk_takes_a_stale_surface_at_its_shocks() {
    let report = |quantity, stale: bool| {
        let mut memory = OptionBook::default();
        let (fresh, price) = (PriceState::default(), Price(3_000 * USD));
        let mut book = AssetBook::with_options(&defaults::ETH, &PARAMS, fresh, price, &mut memory);
        if stale {
            book.set_stale_surface(Ratio::ZERO);
        }
        book.begin_expiry(0, &month(650_000_000, 650_000_000)).unwrap();
        book.add_option(&option(true, 3_000, quantity)).unwrap();
        let value = price.times(Quantity(7_000_000_000));
        book.add_linear(Bucket::Expiry(0), value, value, value.negated().unwrap())
            .unwrap();
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        out
    };
    for (quantity, then) in [(-1_000, 311.355_586_951), (1_000, 167.134_760_080)] {
        let (fresh, stale) = (report(quantity, false), report(quantity, true));
        let doubt = (then - CALL).abs();
        near(
            Dollars(fresh.unrealised_initial.0 - stale.unrealised_initial.0),
            doubt,
            1e-6,
        );
        near(Dollars(fresh.loss_withdrawal.0 - stale.loss_withdrawal.0), doubt, 1e-6);
        let same = AssetReport {
            unrealised_initial: fresh.unrealised_initial,
            loss_withdrawal: fresh.loss_withdrawal,
            ..stale
        };
        assert_eq!(same, fresh);
    }
    // Without options there is nothing to doubt.
    let mut book = AssetBook::new(&defaults::ETH, &PARAMS, PriceState::default());
    book.set_stale_surface(Ratio::ONE);
    book.add_linear(Bucket::Perpetual, Notional(1), Notional(1), Notional(-1))
        .unwrap();
    let mut out = AssetReport::default();
    book.finish(&mut out).unwrap();
    assert_eq!((out.unrealised_initial, out.loss_withdrawal), (Dollars(0), Dollars(0)));
}

/// An hour old, the surface's shocks are twice as wide: 65 % go to 65 · 1.8 = 117 % or to 65 · 0.5 = 32.5 %; the call is then worth
/// 3,000·erf(σ·√(30/365)/√8), 399.575833 or 111.473542, and what it might lose counts in the scan as well.
#[test]
fn an_old_surface_has_wider_shocks() {
    let report = |quantity, widening| {
        let mut memory = OptionBook::default();
        let mut book = AssetBook::with_options(
            &defaults::ETH,
            &PARAMS,
            PriceState::default(),
            Price(3_000 * USD),
            &mut memory,
        );
        book.set_stale_surface(widening);
        book.begin_expiry(0, &month(650_000_000, 650_000_000)).unwrap();
        book.add_option(&option(true, 3_000, quantity)).unwrap();
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        out
    };
    for (quantity, then) in [(-1_000, 399.575_832_903), (1_000, 111.473_542_385)] {
        let wide = report(quantity, Ratio::ONE);
        let doubt = Dollars(wide.unrealised_index.0 - wide.unrealised_initial.0);
        near(doubt, (then - CALL).abs(), 1e-4);
        assert!(wide.scan > report(quantity, Ratio::ZERO).scan || quantity > 0);
    }
    // From 900 seconds to an hour it widens evenly: half way at 2,250.
    assert_eq!(
        [0, 900, 2_250, 3_600, 1 << 40].map(widening),
        [0, 0, 500_000_000, 1_000_000_000, 1_000_000_000].map(Ratio)
    );
    assert_eq!(widening(901), Ratio(370_371)); // 1/2,700, rounded up
}

/// A call struck at a tenth of the price is worth F − K: 2,700 at the index, 2,400 at a slow price 10 % lower.
#[test]
fn new_risk_takes_the_worse_price() {
    let expiry = Expiry {
        slow_forward: Price(2_700 * USD),
        ..month(650_000_000, 650_000_000)
    };
    let deep = option(true, 300, 1_000);
    let report = book(&expiry, PriceState::default(), &[deep], 0);
    near(report.unrealised_index, 2_700.0, 1e-6);
    near(report.unrealised_initial, 2_400.0, 1e-6);
    // Hedged with a future the asset as a whole does not care.
    near(
        book(&expiry, PriceState::default(), &[deep], -1_000).unrealised_initial,
        2_700.0,
        1e-6,
    );
    // Short, the index is the worse one.
    let short = option(true, 300, -1_000);
    near(
        book(&expiry, PriceState::default(), &[short], 0).unrealised_initial,
        -2_700.0,
        1e-6,
    );
}

#[test]
fn an_uncertain_price_moves_options_with_their_asset() {
    let month = month(650_000_000, 650_000_000);
    let price = PriceState {
        uncertainty: Ratio(100_000_000),
        dead: false,
    };
    let report = book(&month, price, &[option(true, 300, 1_000)], 0);
    near(report.unrealised_index, 2_700.0, 1e-6);
    near(report.unrealised_liquidation, 3_000.0, 1e-6);
    near(report.unrealised_initial, 2_400.0, 1e-6);
    let hedged = book(&month, price, &[option(true, 300, 1_000)], -1_000);
    near(hedged.unrealised_liquidation, 2_700.0, 1e-6);
    // A straddle gains either way, so doubt is in its favour and today is the worst.
    let straddle = book(
        &month,
        price,
        &[option(true, 3_000, 1_000), option(false, 3_000, 1_000)],
        0,
    );
    assert!(straddle.unrealised_liquidation > straddle.unrealised_index);
    assert_eq!(straddle.unrealised_initial, straddle.unrealised_index);
}

/// Half of the average is fixed: shocks and deltas halve, and so does a future's scan; its buffer does not.
#[test]
fn the_window_scales_shocks() {
    let expiry = Expiry {
        fixed: Ratio(500_000_000),
        moving: Ratio(500_000_000),
        seconds: 900,
        ..month(650_000_000, 650_000_000)
    };
    let future = book(&expiry, PriceState::default(), &[], 1_000);
    near(future.scan, 180.0, 1e-6); // 12 %·½·3,000
    near(future.net_delta, 1_500.0, 1e-6);
    near(future.buffer, 15.0, 1e-9);
    let deep = book(&expiry, PriceState::default(), &[option(true, 300, 1_000)], 0);
    near(deep.scan, 180.0, 1e-6);
    near(deep.net_delta, 1_500.0, 1e-6);
    let fixed = Expiry {
        fixed: Ratio::ONE,
        moving: Ratio::ZERO,
        ..expiry
    };
    near(
        book(&fixed, PriceState::default(), &[option(true, 300, 1_000)], 0).scan,
        0.0,
        1e-6,
    );
}

/// Half fixed at 2,800 and the index at 3,000: F is 2,900, and what moves is half the index. Shocks and deltas are of that, not of half of F.
#[test]
fn the_window_shocks_the_open_part_at_the_index() {
    let expiry = Expiry {
        forward: Price(2_900 * USD),
        slow_forward: Price(2_900 * USD),
        fixed: Ratio(500_000_000),
        moving: Ratio(517_241_380), // 1,500/2,900, rounded up
        seconds: 900,
        ..month(650_000_000, 650_000_000)
    };
    let deep = book(&expiry, PriceState::default(), &[option(true, 300, 1_000)], 0);
    near(deep.scan, 180.0, 1e-5); // 12 %·1,500, where half of F would be 174
    near(deep.net_delta, 1_500.0, 1e-5);
    let doubtful = PriceState {
        uncertainty: Ratio(100_000_000),
        dead: false,
    };
    let report = book(&expiry, doubtful, &[option(true, 300, 1_000)], 0);
    near(report.unrealised_index, 2_600.0, 1e-6);
    near(report.unrealised_liquidation, 2_750.0, 1e-5); // 10 % of 1,500
    near(report.unrealised_initial, 2_450.0, 1e-5);
}

/// A delisted perpetual with half of its average fixed: 12 %·½·3,000 of scan. Against a whole future, half of it is matched: 12 % + 2 % of
/// 1,500. It comes before every position.
#[test]
fn the_window_of_a_perpetual_scales_shocks() {
    let half = Expiry {
        fixed: Ratio(500_000_000),
        moving: Ratio(500_000_000),
        ..month(650_000_000, 650_000_000)
    };
    let unit = Price(3_000 * USD).times(Quantity(1_000_000_000));
    let mut memory = OptionBook::default();
    let mut both = |future: bool| {
        let price = PriceState::default();
        let mut book = AssetBook::with_options(&defaults::ETH, &PARAMS, price, Price(3_000 * USD), &mut memory);
        book.begin_perpetual(&half).unwrap();
        book.add_linear(Bucket::Perpetual, unit, unit, Notional::ZERO).unwrap();
        assert_eq!(book.begin_perpetual(&half), Err(RiskError::OutOfOrder));
        if future {
            let short = unit.negated().unwrap();
            book.add_linear(Bucket::Expiry(0), short, short, Notional::ZERO)
                .unwrap();
        }
        let mut report = AssetReport::default();
        book.finish(&mut report).unwrap();
        report
    };
    near(both(false).scan, 180.0, 1e-6);
    let hedged = both(true);
    near(hedged.scan, 180.0, 1e-6);
    near(hedged.spread, 210.0, 1e-6);
    near(hedged.net_delta, -1_500.0, 1e-6);
    let mut book = AssetBook::with_options(
        &defaults::ETH,
        &PARAMS,
        PriceState::default(),
        Price(3_000 * USD),
        &mut memory,
    );
    book.add_linear(Bucket::Perpetual, unit, unit, Notional::ZERO).unwrap();
    assert_eq!(book.begin_perpetual(&half), Err(RiskError::OutOfOrder));
}

/// Long call and short put are a future, for the spread charge too: λψ + β = 14 % of 3,000 as between futures.
#[test]
fn a_synthetic_future_is_charged_as_one() {
    let mut memory = OptionBook::default();
    let mut book = AssetBook::with_options(
        &defaults::ETH,
        &PARAMS,
        PriceState::default(),
        Price(3_000 * USD),
        &mut memory,
    );
    let value = Price(3_000 * USD).times(Quantity(-1_000_000_000));
    book.add_linear(Bucket::Perpetual, value, value, value.negated().unwrap())
        .unwrap();
    book.begin_expiry(4, &month(650_000_000, 650_000_000)).unwrap();
    book.add_option(&option(true, 3_000, 1_000)).unwrap();
    book.add_option(&option(false, 3_000, -1_000)).unwrap();
    let mut out = AssetReport::default();
    book.finish(&mut out).unwrap();
    near(out.spread, 420.0, 1e-5);
    near(out.matched_linear, 3_000.0, 1e-5);
    near(out.scan, 0.0, 1e-5);
    // One short unit of an option at 1 % of the index.
    near(out.short_option_minimum, 30.0, 1e-5);
}

#[test]
fn order_and_domain_are_checked() {
    let mut memory = OptionBook::default();
    let month = month(650_000_000, 650_000_000);
    let mut without = AssetBook::new(&defaults::ETH, &PARAMS, PriceState::default());
    assert_eq!(without.begin_expiry(0, &month), Err(RiskError::InvalidParameter));
    assert_eq!(
        without.add_option(&option(true, 3_000, 1)),
        Err(RiskError::InvalidParameter)
    );
    let mut book = AssetBook::with_options(
        &defaults::ETH,
        &PARAMS,
        PriceState::default(),
        Price(3_000 * USD),
        &mut memory,
    );
    assert_eq!(
        book.add_option(&option(true, 3_000, 1)),
        Err(RiskError::OutOfOrder),
        "no expiry"
    );
    book.begin_expiry(3, &month).unwrap();
    assert_eq!(book.begin_expiry(3, &month), Err(RiskError::OutOfOrder));
    assert_eq!(book.begin_expiry(2, &month), Err(RiskError::OutOfOrder));
    assert_eq!(book.add_option(&option(true, 0, 1)), Err(RiskError::InvalidParameter));
    // $20bn are 6,666,666.67 options.
    assert_eq!(book.add_option(&option(true, 3_000, 6_666_666_666)), Ok(()));
    assert_eq!(book.add_option(&option(true, 3_000, 1)), Err(RiskError::Overflow));
    assert_eq!(
        book.add_option(&option(true, i64::MAX / USD, i64::MAX / USD)),
        Err(RiskError::Overflow)
    );
    let wild = Volatilities::same(Q48::ONE.plus(Q48::ONE).plus(Q48(1 << 50)));
    assert_eq!(
        book.add_option_at(&option(true, 3_000, 0), wild),
        Err(RiskError::InvalidParameter)
    );
}

/// BTC-like arithmetic on ETH: ψ + b = 12.5 %, 0.70·ψ + b = 8.9 %.
#[test]
fn methods_never_ask_for_less() {
    let by = |method: Method, legs: &[OptionLeg], futures: i64, collateral: i64| {
        let mut memory = OptionBook::default();
        let index = Price(3_000 * USD);
        let mut book = AssetBook::with_options(&defaults::ETH, &PARAMS, PriceState::default(), index, &mut memory);
        book.set_method(method);
        let held = index.times(Quantity(collateral * USD));
        book.set_collateral(held, held).unwrap();
        let perpetual = index.times(Quantity(1_000_000_000));
        book.add_linear(Bucket::Perpetual, perpetual, perpetual, perpetual.negated().unwrap())
            .unwrap();
        book.begin_expiry(0, &month(650_000_000, 650_000_000)).unwrap();
        for leg in legs {
            book.add_option(leg).unwrap();
        }
        let future = index.times(Quantity(futures * USD));
        book.add_linear(Bucket::Expiry(0), future, future, future.negated().unwrap())
            .unwrap();
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        let m = margin(&out, 0);
        (m.initial, m.maintenance)
    };
    // 3,000 long against 9,000 short: 12,000, 6,000 after netting, 3,000 with one ETH held.
    let figures = |(initial, maintenance): (Dollars, Dollars), dollars: i64| {
        near(initial, dollars as f64 * 0.125, 1e-6);
        near(maintenance, dollars as f64 * 0.089, 1e-6);
    };
    figures(by(Method::Linear, &[], -3, 0), 12_000);
    figures(by(Method::Linear, &[], -3, 1), 12_000);
    // A deep call adds its whole delta of 3,000 to both, in spite of its direction.
    let deep = option(true, 300, 1_000);
    figures(by(Method::Linear, &[deep], -3, 0), 15_000);
    // The portfolio's spread charge and buffers are the larger part here: netting may not undercut them.
    for (legs, futures, collateral) in [
        (&[] as &[OptionLeg], -3, 0),
        (&[], -3, 1),
        (&[deep], -3, 0),
        (&[deep], 2, 3),
    ] {
        let [linear, adjusted, portfolio] =
            [Method::Linear, Method::RiskAdjusted, Method::Portfolio].map(|m| by(m, legs, futures, collateral));
        assert!(adjusted.0 >= portfolio.0 && adjusted.1 >= portfolio.1);
        assert!(linear.0 >= portfolio.0 && linear.1 >= portfolio.1);
    }
    // Long only, nothing nets: all of 9,000.
    figures(by(Method::RiskAdjusted, &[], 2, 0), 9_000);
}
