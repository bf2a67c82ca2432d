//! Published and independently computed values: option prices and greeks of the literature and of other projects, and functions.
use crate::reference::power_of_ten;
use crate::wide::Wide;
use ballast_fixed::kernel::{
    call, cdf, exp, greeks, ln, put, root_years, sqrt, Greeks, Moneyness, TotalVolatility, Q48,
};
use ballast_fixed::Price;

/// x to the nearest unit.
fn q48(x: Wide) -> Q48 {
    let units = (Wide::scaled(1, 1) + x.abs() * Wide::from(1 << 48)).whole();
    Q48(if x.is_negative() { -units } else { units })
}

fn wide(x: Q48) -> Wide {
    Wide::scaled(x.0, 48)
}

/// The rows of a table of N columns, without its comments; it must have `count` of them.
fn rows<const N: usize>(file: &str, count: usize) -> Vec<[&str; N]> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<_> = lines
        .map(|line| line.split(',').collect::<Vec<_>>().try_into().unwrap())
        .collect();
    assert_eq!(rows.len(), count);
    rows
}

/// A price in USD to the nearest 10⁻⁹.
fn price(usd: Wide) -> Price {
    let scaled = Wide::scaled(1, 1) + usd * Wide::from(1_000_000_000);
    Price(scaled.whole())
}

fn assert_near(name: &str, found: Wide, expected: &str, tolerance: Wide) {
    let error = (found - Wide::parse(expected)).abs();
    let within = !(tolerance - error).is_negative();
    assert!(
        within,
        "{name}: {} against {expected}, {:e} apart",
        found.to_f64(),
        error.to_f64()
    );
}

/// What the kernel says of an option on a forward, in USD.
struct Priced {
    call: Wide,
    put: Wide,
    greeks: Greeks,
    strike: Wide,
}

fn priced(forward: Price, strike: Price, sigma: Wide, years: Wide) -> Priced {
    let moneyness = Moneyness::new(forward, strike);
    let volatility = TotalVolatility::new(q48(sigma), q48(years.sqrt()));
    let strike = Wide::from(strike.0).over(1_000_000_000);
    Priced {
        call: wide(call(&moneyness, &volatility)) * strike,
        put: wide(put(&moneyness, &volatility)) * strike,
        greeks: greeks(&moneyness, &volatility, q48(years)),
        strike,
    }
}

#[test]
fn haugs_option_prices() {
    for [kind, forward, discount, strike, years, sigma, printed, digits] in rows(include_str!("haug.csv"), 28) {
        let found = priced(
            price(Wide::parse(forward)),
            price(Wide::parse(strike)),
            Wide::parse(sigma),
            Wide::parse(years),
        );
        let value = if kind == "C" { found.call } else { found.put } * Wide::parse(discount);
        let name = format!("Haug {kind} {forward} {strike} {years} {sigma}");
        assert_near(&name, value, printed, power_of_ten(4));
        // The forward is rounded to 10⁻⁹.
        assert_near(&name, value, digits, power_of_ten(9));
    }
}

/// An option on an asset with a carry: spot, strike, yield q, rate r, T, σ.
struct Spot {
    spot: &'static str,
    strike: &'static str,
    dividend: &'static str,
    rate: &'static str,
    years: &'static str,
    sigma: &'static str,
}

impl Spot {
    /// [call, put, call delta, gamma, vega, call theta, put theta] of the spot's option, from the forward's.
    fn values(&self) -> [Wide; 7] {
        let parse = |text| Wide::parse(text);
        let (spot, years, rate) = (parse(self.spot), parse(self.years), parse(self.rate));
        let drift = rate - parse(self.dividend);
        let growth = (drift * years).exp();
        let discount = (-(rate * years)).exp();
        let forward = price(spot * growth);
        let found = priced(forward, price(parse(self.strike)), parse(self.sigma), years);
        let exact_forward = spot * growth;
        let delta = wide(found.greeks.delta);
        let put_delta = delta - Wide::from(1);
        let theta = wide(found.greeks.theta) * found.strike;
        // V(t) = e^(−rτ)·B(S·e^((r−q)τ), τ): ∂V/∂t = rV + e^(−rτ)·(∂B/∂t − (r − q)·F·∂B/∂F).
        let decay =
            |value: Wide, delta: Wide| rate * discount * value + discount * (theta - drift * exact_forward * delta);
        [
            discount * found.call,
            discount * found.put,
            discount * growth * delta,
            discount * growth * growth * wide(found.greeks.gamma) / found.strike,
            discount * wide(found.greeks.vega) * found.strike,
            decay(found.call, delta),
            decay(found.put, put_delta),
        ]
    }
}

const CALL: usize = 0;
const PUT: usize = 1;
const CALL_DELTA: usize = 2;
const GAMMA: usize = 3;
const VEGA: usize = 4;
const CALL_THETA: usize = 5;
const PUT_THETA: usize = 6;

#[test]
fn haugs_greeks() {
    // As quoted by QuantLib's test suite (europeanoption.cpp, testGreekValues); as printed, then recomputed to 20 digits.
    let gamma = Spot {
        spot: "55",
        strike: "60",
        dividend: "0",
        rate: "0.1",
        years: "0.75",
        sigma: "0.3",
    }
    .values()[GAMMA];
    assert_near("gamma", gamma, "0.0278", power_of_ten(4));
    assert_near("gamma", gamma, "0.027821160476940840546", power_of_ten(8));
    let vega = Spot {
        spot: "55",
        strike: "60",
        dividend: "0",
        rate: "0.1",
        years: "0.75",
        sigma: "0.3",
    }
    .values()[VEGA];
    assert_near("vega", vega, "18.9358", power_of_ten(4));
    assert_near("vega", vega, "18.935777349617859597", power_of_ten(8));
    let theta = Spot {
        spot: "430",
        strike: "405",
        dividend: "0.05",
        rate: "0.07",
        years: "0.08333333333333333",
        sigma: "0.2",
    }
    .values()[PUT_THETA];
    assert_near("theta", theta, "-31.1924", power_of_ten(3));
    assert_near("theta", theta, "-31.192350304270553268", power_of_ten(8));
}

#[test]
fn hulls_examples() {
    // J. C. Hull, Options, Futures, and Other Derivatives: as printed, then recomputed to 20 digits.
    let hull_bsm_put = Spot {
        spot: "42",
        strike: "40",
        dividend: "0",
        rate: "0.1",
        years: "0.5",
        sigma: "0.2",
    }
    .values();
    assert_near("hull_bsm_put price", hull_bsm_put[PUT], "0.81", power_of_ten(2));
    assert_near(
        "hull_bsm_put price",
        hull_bsm_put[PUT],
        "0.80859937290009358326",
        power_of_ten(8),
    );
    let hull_greeks = Spot {
        spot: "49",
        strike: "50",
        dividend: "0",
        rate: "0.05",
        years: "0.3846",
        sigma: "0.2",
    }
    .values();
    assert_near("hull_greeks price", hull_greeks[CALL], "2.4", power_of_ten(1));
    assert_near(
        "hull_greeks price",
        hull_greeks[CALL],
        "2.4004610869656614051",
        power_of_ten(8),
    );
    assert_near("hull_greeks delta", hull_greeks[CALL_DELTA], "0.522", power_of_ten(3));
    assert_near(
        "hull_greeks delta",
        hull_greeks[CALL_DELTA],
        "0.52160163397157612869",
        power_of_ten(8),
    );
    assert_near("hull_greeks gamma", hull_greeks[GAMMA], "0.066", power_of_ten(3));
    assert_near(
        "hull_greeks gamma",
        hull_greeks[GAMMA],
        "0.065545377252478673424",
        power_of_ten(8),
    );
    assert_near("hull_greeks vega", hull_greeks[VEGA], "12.1", power_of_ten(1));
    assert_near(
        "hull_greeks vega",
        hull_greeks[VEGA],
        "12.105242754243843603",
        power_of_ten(8),
    );
    assert_near("hull_greeks theta", hull_greeks[CALL_THETA], "-4.31", power_of_ten(2));
    assert_near(
        "hull_greeks theta",
        hull_greeks[CALL_THETA],
        "-4.3053899645461043429",
        power_of_ten(8),
    );
    let hull_index = Spot {
        spot: "930",
        strike: "900",
        dividend: "0.03",
        rate: "0.08",
        years: "0.16666666666666666",
        sigma: "0.2",
    }
    .values();
    assert_near("hull_index price", hull_index[CALL], "51.83", power_of_ten(2));
    assert_near(
        "hull_index price",
        hull_index[CALL],
        "51.832956796490848186",
        power_of_ten(8),
    );
    let hull_black76 = Spot {
        spot: "60",
        strike: "60",
        dividend: "0.09",
        rate: "0.09",
        years: "0.3333333333333333",
        sigma: "0.25",
    }
    .values();
    assert_near("hull_black76 price", hull_black76[PUT], "3.35", power_of_ten(2));
    assert_near(
        "hull_black76 price",
        hull_black76[PUT],
        "3.3499243696768302773",
        power_of_ten(8),
    );
}

#[test]
fn lyras_black_76_prices() {
    // derivexyz/lyra-utils, test/math/Black76.t.sol, testPrices: F = 1,000, K = 700, years of 365 days.
    // Their tolerance of 10⁻¹² is taken of max(F, K), as the methodology states errors.
    let (forward, strike) = (Price(1_000_000_000_000), Price(700_000_000_000));
    let tolerance = power_of_ten(12) * Wide::from(1_000);
    for (seconds, sigma, discount, call, put, delta) in [
        (
            172800,
            "0.75",
            "0.9998904169635637",
            "299.967125089526177817",
            "0.00000000045708468",
            "0.999999999944921",
        ),
        (
            31536000,
            "5",
            "0.9801986733067553",
            "970.034553583819047162",
            "675.974951591792546424",
            "0.9949346359666408",
        ),
    ] {
        let found = priced(
            forward,
            strike,
            Wide::parse(sigma),
            Wide::from(seconds).over(31_536_000),
        );
        let discount = Wide::parse(discount);
        assert_near("call", found.call * discount, call, tolerance);
        assert_near("put", found.put * discount, put, tolerance);
        assert_near("delta", wide(found.greeks.delta), delta, power_of_ten(12));
    }
}

#[test]
fn black_76_by_mpmath() {
    for [forward, strike, seconds, sigma, expected @ ..] in rows::<10>(include_str!("mpmath.csv"), 32) {
        let seconds: i64 = seconds.parse().unwrap();
        let years = Wide::from(seconds).over(31_536_000);
        let (sigma, name) = (Wide::parse(sigma), format!("F {forward} K {strike} T {seconds} s"));
        let (f, k) = (Wide::parse(forward), Wide::parse(strike));
        let found = priced(price(f), price(k), sigma, years);
        // Prices: 2·10⁻¹³ of max(F, K) is their tolerance. Greeks: 10⁻⁹ of 1/(v·max(F, K)), K·√T and K·v/2T a year.
        let larger = if (f - k).is_negative() { k } else { f };
        let billionth = power_of_ten(9);
        let v = sigma * years.sqrt();
        let of_price = larger * (power_of_ten(13) + power_of_ten(13));
        assert_near(&name, found.call, expected[0], of_price);
        assert_near(&name, found.put, expected[1], of_price);
        assert_near(&name, wide(found.greeks.delta), expected[2], billionth);
        assert_near(
            &name,
            wide(found.greeks.gamma) / k,
            expected[3],
            billionth / (v * larger),
        );
        assert_near(
            &name,
            wide(found.greeks.vega) * k,
            expected[4],
            billionth * k * years.sqrt(),
        );
        let a_day = (wide(found.greeks.theta) * k).over(365);
        assert_near(
            &name,
            a_day,
            expected[5],
            (billionth * k * v / (years + years)).over(365),
        );
    }
}

#[test]
fn functions_by_mpmath() {
    // Computed with mpmath (40 digits): argument and value.
    for (x, expected) in [
        ("-6.5", "0.000000000040160005838591178083"),
        ("-3.090232306167813", "0.0010000000000000018234"),
        ("-1.959963984540054", "0.025000000000000013765"),
        ("-1", "0.15865525393145705141"),
        ("0", "0.5"),
        ("1.2815515655446004", "0.89999999999999998825"),
        ("3", "0.99865010196836990547"),
        ("4.5", "0.99999660232687526994"),
        ("6", "0.99999999901341235496"),
    ] {
        assert_near("cdf", wide(cdf(q48(Wide::parse(x)))), expected, power_of_ten(13));
    }
    for (x, expected) in [
        ("0.1", "-2.302585092994045684"),
        ("0.5", "-0.69314718055994530942"),
        ("1", "0"),
        ("1.000001", "0.00000099999950000033333308"),
        ("1.5", "0.40546510810816438198"),
        ("1234.567891", "7.1184763020077896201"),
    ] {
        assert_near(
            "ln",
            wide(ln(q48(Wide::parse(x)))),
            expected,
            power_of_ten(13) + power_of_ten(13),
        );
    }
    for (x, expected) in [
        ("0.000114155251141552", "0.010684346079267181806"),
        ("0.00273972602739726", "0.052342392259021367737"),
        ("1", "1"),
    ] {
        let x = Wide::parse(x);
        // What half a unit of x is in its root comes on top.
        let tolerance = power_of_ten(14) + Wide::scaled(1, 50) / x.sqrt();
        assert_near("sqrt", wide(sqrt(q48(x))), expected, tolerance);
    }
    // The first two are an hour and a day in years, which have a better way.
    for (seconds, expected) in [(3_600, "0.010684346079267181806"), (86_400, "0.052342392259021367737")] {
        assert_near("root_years", wide(root_years(seconds)), expected, power_of_ten(14));
    }
    for (x, expected) in [
        ("-20", "0.000000002061153622438557828"),
        ("-0.5", "0.6065306597126334236"),
        ("-0.001", "0.99900049983337499167"),
        ("3.4011973816621555", "30.000000000000003738"),
    ] {
        // 10⁻¹³ of the value; Q48 has no more than a unit.
        let tolerance = Wide::parse(expected) * power_of_ten(13) + Wide::scaled(1, 48);
        assert_near("exp", wide(exp(q48(Wide::parse(x)))), expected, tolerance);
    }
}
