//! Prices options with the on-chain kernel: `cargo run -q -p ballast-risk --example price`.
//!
//! Each line of the standard input is `F K T sigma call|put`: forward and strike in USD (0.000001 to 10⁹), the time to expiry in years of
//! 365 days (a minute to 2 years), the volatility a year as a fraction (0.65 is 65 %; 0.01 to 10). Each gives one line of the standard
//! output, `price delta gamma vega theta` with 12 significant digits:
//!
//! | column | what |
//! |---|---|
//! | price | undiscounted Black-76, USD |
//! | delta | ∂price/∂F |
//! | gamma | ∂²price/∂F², a USD |
//! | vega | ∂price/∂σ for 1.00 of σ (100 percentage points), USD |
//! | theta | ∂price/∂t a year, USD; negative: the option decays |
//!
//! The arguments are read exactly, however many digits they have; the values are the kernel's, only scaled to dollars and printed
//! (docs/fixed-point.md has their error bounds). A line that cannot be priced is reported on the standard error with its number; the
//! others are priced, and the exit code is 1 at the end. Empty lines are skipped.
#[allow(dead_code)] // shared with the margin calculator, which needs all of it
#[path = "margin/decimal.rs"]
mod decimal;

use ballast_fixed::kernel::{call, greeks, put, sqrt, Moneyness, TotalVolatility, Q48};
use ballast_fixed::Price;
use decimal::{Decimal, Rounding};
use std::io::{stdin, stdout, BufRead, Write};
use std::process::ExitCode;

/// Digits printed.
const SIGNIFICANT: u32 = 12;

fn main() -> ExitCode {
    let (mut out, mut failed) = (stdout().lock(), false);
    for (index, line) in stdin().lock().split(b'\n').enumerate() {
        let answer = line
            .map_err(|e| format!("cannot be read: {e}"))
            .and_then(|line| answer(&String::from_utf8_lossy(&line)));
        match answer {
            Ok(None) => {}
            Ok(Some(text)) => {
                if writeln!(out, "{text}").is_err() {
                    return ExitCode::FAILURE; // nobody reads
                }
            }
            Err(error) => {
                eprintln!("line {}: {error}", index + 1);
                failed = true;
            }
        }
    }
    ExitCode::from(u8::from(failed))
}

/// What a line prints; nothing for an empty one.
fn answer(line: &str) -> Result<Option<String>, String> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let values = price(&Request::parse(line)?)?;
    let texts: Result<Vec<_>, _> = values.iter().map(significant).collect();
    texts.map(|texts| Some(texts.join(" ")))
}

/// One line.
struct Request {
    forward: Decimal,
    strike: Decimal,
    years: Decimal,
    sigma: Decimal,
    is_call: bool,
}

impl Request {
    fn parse(line: &str) -> Result<Request, String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [forward, strike, years, sigma, kind] = fields[..] else {
            return Err(format!(
                "{} fields instead of the five of `F K T sigma call|put`",
                fields.len()
            ));
        };
        let is_call = match kind {
            "call" => true,
            "put" => false,
            _ => return Err(format!("{kind} is neither call nor put")),
        };
        Ok(Request {
            forward: within("F", forward, "0.000001", "1000000000")?,
            strike: within("K", strike, "0.000001", "1000000000")?,
            // A minute is 1/525,600 of a year, 0.0000019026.
            years: within("T", years, "0.0000019", "2")?,
            sigma: within("sigma", sigma, "0.01", "10")?,
            is_call,
        })
    }
}

/// A number between two bounds, which belong to it.
fn within(name: &str, text: &str, low: &str, high: &str) -> Result<Decimal, String> {
    let value = Decimal::parse(text).map_err(|e| format!("{name}: {e}"))?;
    let (low_bound, high_bound) = (Decimal::parse(low)?, Decimal::parse(high)?);
    if value.plus(&low_bound.negated()).is_negative() || high_bound.plus(&value.negated()).is_negative() {
        return Err(format!("{name} is {text}, which is not between {low} and {high}"));
    }
    Ok(value)
}

/// Price, delta, gamma, vega and theta in USD.
fn price(request: &Request) -> Result<[Decimal; 5], String> {
    let moneyness = moneyness(&request.forward, &request.strike)?;
    let volatility = TotalVolatility::new(units(&request.sigma, 48)?, root(&request.years)?);
    let values = greeks(&moneyness, &volatility, units(&request.years, 48)?);
    let (value, delta) = if request.is_call {
        (call(&moneyness, &volatility), values.delta)
    } else {
        (put(&moneyness, &volatility), values.delta.minus(Q48::ONE))
    };
    let strike = &request.strike;
    Ok([
        number(value).times(strike),
        number(delta),
        quotient(&number(values.gamma), strike)?,
        number(values.vega).times(strike),
        number(values.theta).times(strike),
    ])
}

/// F/K and its logarithm. They stay the same when F and K are multiplied by one power of ten; by the largest that fits, all digits count.
fn moneyness(forward: &Decimal, strike: &Decimal) -> Result<Moneyness, String> {
    // The kernel holds F/K at 32,000, and below 1/32,000 too few digits of it are left for gamma.
    let apart = Decimal::parse("32000")?;
    let too_far = |a: &Decimal, b: &Decimal| b.times(&apart).plus(&a.negated()).is_negative();
    if too_far(forward, strike) || too_far(strike, forward) {
        return Err("F/K is not between 1/32,000 and 32,000".into());
    }
    let scaled = |x: &Decimal, places| {
        let integer = x.scaled(places, Rounding::Down).ok()?;
        i64::try_from(integer).ok().map(Price)
    };
    (9..=24)
        .rev()
        .find_map(|places| Some(Moneyness::new(scaled(forward, places)?, scaled(strike, places)?)))
        .ok_or_else(|| "F or K is too large".into())
}

/// √T, as √(2¹²·T) / 2⁶: a short T has few digits in units of 2⁻⁴⁸.
fn root(years: &Decimal) -> Result<Q48, String> {
    let root = sqrt(units(years, 48 + 12)?);
    Ok(Q48((root.0 + (1 << 5)) >> 6))
}

/// x in units of 2^-bits, to the nearest.
fn units(x: &Decimal, bits: u32) -> Result<Q48, String> {
    let twice = x.times(&Decimal::parse(&(1u128 << (bits + 1)).to_string())?);
    let twice = twice.scaled(0, Rounding::Down)?;
    i64::try_from((twice + 1) >> 1).map(Q48).map_err(|e| e.to_string())
}

/// x exactly: 2⁻⁴⁸ is 5⁴⁸ · 10⁻⁴⁸.
fn number(x: Q48) -> Decimal {
    let five = 5u128.pow(48);
    let unit = Decimal::parse(&format!("{five}e-48")).unwrap_or(Decimal::zero());
    let magnitude = Decimal::parse(&x.0.to_string()).unwrap_or(Decimal::zero());
    magnitude.times(&unit)
}

/// a / b for b > 0, to 18 digits or more.
fn quotient(a: &Decimal, b: &Decimal) -> Result<Decimal, String> {
    let magnitude = if a.is_negative() { a.negated() } else { a.clone() };
    let (digits, places) = widest(|places| magnitude.quotient_floor(b, places))?;
    let value = Decimal::parse(&format!("{digits}e{}", -places))?;
    Ok(if a.is_negative() { value.negated() } else { value })
}

/// The digits of a number with the most places that fit, and these places.
fn widest(digits: impl Fn(i64) -> Result<i128, String>) -> Result<(i128, i64), String> {
    (0..=60)
        .rev()
        .find_map(|places| digits(places).ok().map(|found| (found, places)))
        .ok_or_else(|| "a value is too large to print".into())
}

/// x with 12 significant digits, to the nearest; from 10¹⁵ on and below 10⁻⁷ with an exponent.
fn significant(x: &Decimal) -> Result<String, String> {
    let magnitude = if x.is_negative() { x.negated() } else { x.clone() };
    let (mut digits, mut places) = widest(|places| magnitude.scaled(places, Rounding::Down))?;
    if digits == 0 {
        return Ok("0".into());
    }
    let limit = 10i128.pow(SIGNIFICANT);
    while digits >= limit * 10 {
        digits /= 10;
        places -= 1;
    }
    if digits >= limit {
        digits = (digits + 5) / 10;
        places -= 1;
    }
    while digits < limit / 10 {
        digits *= 10;
        places += 1;
    }
    if digits == limit {
        digits /= 10;
        places -= 1;
    }
    let sign = if x.is_negative() { "-" } else { "" };
    Ok(format!("{sign}{}", written(&digits.to_string(), places)))
}

/// 12 digits with `places` of them after the point.
fn written(digits: &str, places: i64) -> String {
    let point = digits.len() as i64 - places;
    match point {
        -6..=0 => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        1..=11 => {
            let (whole, fraction) = digits.split_at(point as usize);
            format!("{whole}.{fraction}")
        }
        12..=15 => format!("{digits}{}", "0".repeat(point as usize - digits.len())),
        _ => format!("{}.{}e{}", &digits[..1], &digits[1..], point - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        let text = answer(line).unwrap().unwrap();
        text.split(' ').map(String::from).collect()
    }

    fn near(text: &str, expected: f64, relative: f64) {
        let error = (text.parse::<f64>().unwrap() / expected - 1.0).abs();
        assert!(error <= relative, "{text} against {expected}");
    }

    #[test]
    fn a_year_at_the_money() {
        // v = 0.2: C = F·(2Φ(0.1) − 1), Φ(0.1) = 0.539827837277029; φ(0.1) = 0.396952547477012.
        let call = texts("100 100 1 0.2 call");
        for (text, expected) in call.iter().zip([
            7.965_567_455_405_8,
            0.539_827_837_277_029,
            0.019_847_627_373_850_6,
            39.695_254_747_701_2,
            -3.969_525_474_770_12,
        ]) {
            near(text, expected, 1e-11);
        }
        let put = texts("100 100 1 0.2 put");
        assert_eq!((&put[0], &put[2..]), (&call[0], &call[2..]));
        near(&put[1], 0.539_827_837_277_029 - 1.0, 1e-11);
    }

    #[test]
    fn scale_changes_dollars_only() {
        let (one, other) = (
            texts("0.000001 0.000001 0.5 1 call"),
            texts("1000000000 1e9 0.5 1 call"),
        );
        near(&one[0], other[0].parse::<f64>().unwrap() * 1e-15, 1e-11);
        assert_eq!(one[1], other[1]);
        near(&one[2], other[2].parse::<f64>().unwrap() * 1e15, 1e-11);
    }

    #[test]
    fn lyras_price() {
        // derivexyz/lyra-utils, Black76.t.sol: F 1,000, K 700, a year at 500 %: call 970.034553583819, discounted by 0.9801986733067553.
        near(
            &texts("1000 700 1 5 call")[0],
            970.034_553_583_819 / 0.980_198_673_306_755_3,
            1e-12,
        );
    }

    #[test]
    fn numbers_have_twelve_digits() {
        for (number, expected) in [
            ("0.5", "0.500000000000"),
            ("-1234.56789012345", "-1234.56789012"),
            ("999999999999.96", "1000000000000"),
            ("0.0000001", "0.000000100000000000"),
            ("0.00000001234", "1.23400000000e-8"),
            ("1234567890123456", "1.23456789012e15"),
            ("0", "0"),
        ] {
            assert_eq!(significant(&Decimal::parse(number).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        for (line, expected) in [
            ("1 2 3", "3 fields"),
            ("1 1 1 0.5 calls", "neither call nor put"),
            ("x 1 1 0.5 call", "F: x is not a decimal number"),
            ("1 -1 1 0.5 call", "K is -1, which is not between"),
            ("1 1 2.01 0.5 call", "T is 2.01"),
            ("1 1 1 10.1 call", "sigma is 10.1"),
            ("1 100000 1 1 put", "F/K"),
        ] {
            let error = answer(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
        assert_eq!(answer("  "), Ok(None));
    }
}
