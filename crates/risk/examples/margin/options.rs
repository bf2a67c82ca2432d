//! Options in the calculator's input: per market forward, strike, iv and expiry, as the reference margin script has them.
use crate::decimal::{Decimal, Rounding};
use crate::input::{number_field, positive, required, Prices};
use ballast_fixed::kernel::{ln_price, Q48};
use ballast_fixed::{Notional, Price, Quantity, Ratio};
use ballast_risk::surface::Surface;
use ballast_risk::{Expiry, OptionLeg, Volatilities};
use serde_json::{Map, Value};

/// A position in an option, with its expiry's prices.
#[derive(Clone, Copy, Debug)]
pub struct OptionPosition {
    /// Unix seconds.
    pub expires: i64,
    /// As the engine takes it; the surfaces are not used, each option has its own volatility.
    pub expiry: Expiry,
    pub leg: OptionLeg,
    pub volatilities: Volatilities,
}

/// Reads a position. Prices and quantities have 9 decimals; what a file gives beyond that makes the position larger.
pub fn read(
    market: &Map<String, Value>,
    quantity: &Decimal,
    prices: &Prices,
    time: i64,
    place: &str,
) -> Result<OptionPosition, String> {
    let call = required(market, "call", place)?;
    let call = call
        .as_bool()
        .ok_or_else(|| format!("{place}: call must be true or false"))?;
    let expires = required(market, "expiry", place)?
        .as_i64()
        .ok_or_else(|| format!("{place}: expiry must be whole seconds"))?;
    let forward = positive(market, "forward", place)?;
    let slow_forward = if prices.slow == prices.index {
        price(&forward, place)?
    } else {
        let slow = forward.times(&prices.slow).quotient_floor(&prices.index, 9)?;
        narrow(slow, "the forward at the slow price", place).map(Price)?
    };
    let strike = price(&positive(market, "strike", place)?, place)?;
    let current = volatility(market, "iv", place)?;
    let slow = match market.get("slow_iv") {
        Some(_) => volatility(market, "slow_iv", place)?,
        None => current,
    };
    let fixed = fixed(market, place)?;
    let moving = Ratio::ONE
        .minus(fixed)
        .map_err(|_| format!("{place}: fixed must be 0 to 1"))?;
    let unused = Surface::flat(Ratio::ONE);
    Ok(OptionPosition {
        expires,
        expiry: Expiry {
            forward: price(&forward, place)?,
            slow_forward,
            seconds: expires.saturating_sub(time),
            fixed,
            moving,
            surface: unused,
            slow_surface: unused,
        },
        leg: OptionLeg {
            strike,
            ln_strike: ln_price(strike),
            call,
            quantity: narrow(quantity.scaled(9, Rounding::Away)?, "qty", place).map(Quantity)?,
            quote: Notional::ZERO,
        },
        volatilities: Volatilities { current, slow },
    })
}

/// The part of the settlement average that is fixed: 0 unless the market says otherwise.
fn fixed(market: &Map<String, Value>, place: &str) -> Result<Ratio, String> {
    match market.get("fixed") {
        Some(_) => narrow(
            number_field(market, "fixed", place)?.scaled(9, Rounding::Down)?,
            "fixed",
            place,
        )
        .map(Ratio),
        None => Ok(Ratio::ZERO),
    }
}

pub fn price(value: &Decimal, place: &str) -> Result<Price, String> {
    let price = narrow(value.scaled(9, Rounding::Down)?, "a price", place)?;
    if price == 0 {
        return Err(format!("{place}: a price is below 0.000000001"));
    }
    Ok(Price(price))
}

/// To the nearest 2⁻⁴⁸.
fn volatility(market: &Map<String, Value>, field: &str, place: &str) -> Result<Q48, String> {
    let units = Decimal::parse("281474976710656")?;
    let value = positive(market, field, place)?
        .times(&units)
        .plus(&Decimal::parse("0.5")?);
    let value = narrow(value.scaled(0, Rounding::Down)?, field, place)?;
    let bounds = ballast_risk::surface::LEAST_VOLATILITY.0..=ballast_risk::surface::LARGEST_VOLATILITY.0;
    if !bounds.contains(&value) {
        return Err(format!("{place}: {field} must be 0.05 to 4"));
    }
    Ok(Q48(value))
}

fn narrow(value: i128, what: &str, place: &str) -> Result<i64, String> {
    i64::try_from(value).map_err(|_| format!("{place}: {what} is too large"))
}
