//! The calculator's input: the JSON format of the reference margin script, read exactly.
use crate::decimal::{Decimal, Rounding};
use crate::options::{self, OptionPosition};
use crate::parameters;
use ballast_fixed::{Notional, Price, QuoteAmount, Ratio};
use ballast_risk::{AssetParams, Cash, PortfolioParams};
use serde_json::{Map, Value};

/// A file, checked and in the engine's units.
#[derive(Clone, Debug)]
pub struct Input {
    pub portfolio: PortfolioParams,
    /// How many levels the file (or the default) has.
    pub levels: usize,
    pub assets: Vec<Asset>,
    pub cash: Cash,
    /// What seemed odd but does not stop the computation.
    pub warnings: Vec<String>,
}

/// An asset with the account's positions and collateral in it.
#[derive(Clone, Debug)]
pub struct Asset {
    pub name: String,
    pub params: AssetParams,
    /// To 9 decimals, rounded down.
    pub index: Price,
    /// Standard deviation of a day, for the reported value at risk alone.
    pub daily_volatility: f64,
    /// In the order of the file.
    pub positions: Vec<Position>,
    pub options: Vec<OptionPosition>,
    pub collateral: Option<Values>,
}

/// A linear position.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// `None` for a perpetual.
    pub expiry: Option<i64>,
    pub value: Values,
    /// −quantity · entry price.
    pub quote: Notional,
}

/// A value at the index and at the slow price.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    pub index: Notional,
    pub slow: Notional,
}

/// An asset's prices.
pub struct Prices {
    pub index: Decimal,
    pub slow: Decimal,
}

/// Reads the text of an input file. Errors name the field and say what to do.
pub fn read(text: &str) -> Result<Input, String> {
    let root: Value = serde_json::from_str(text).map_err(|e| format!("not valid JSON: {e}"))?;
    let root = object(&root, "the input")?;
    let account = object(required(root, "account", "the input")?, "account")?;
    let mut warnings = Vec::new();
    let (portfolio, clusters) = parameters::portfolio(root.get("params"), &mut warnings)?;
    let mut assets = Vec::new();
    let mut prices = Vec::new();
    for (name, fields) in object(required(root, "assets", "the input")?, "assets")? {
        let place = format!("asset {name}");
        let fields = object(fields, &place)?;
        let (params, daily_volatility) = parameters::asset(name, fields, &clusters, &mut warnings)?;
        let index = positive(fields, "price", &place)?;
        let slow = match fields.get("slow") {
            Some(_) => positive(fields, "slow", &place)?,
            None => index.clone(),
        };
        let rounded = options::price(&index, &place)?;
        prices.push(Prices { index, slow });
        assets.push(Asset {
            name: name.clone(),
            params,
            index: rounded,
            daily_volatility,
            positions: Vec::new(),
            options: Vec::new(),
            collateral: None,
        });
    }
    read_positions(root, account, &prices, &mut assets)?;
    read_collateral(account, &prices, &mut assets)?;
    Ok(Input {
        portfolio,
        levels: clusters.len(),
        assets,
        cash: read_cash(root, account)?,
        warnings,
    })
}

fn read_positions(
    root: &Map<String, Value>,
    account: &Map<String, Value>,
    prices: &[Prices],
    assets: &mut [Asset],
) -> Result<(), String> {
    let positions = required(account, "positions", "account")?;
    let positions = positions.as_array().ok_or("account.positions must be a list")?;
    for (number, position) in positions.iter().enumerate() {
        let place = format!("position {}", number + 1);
        let position = object(position, &place)?;
        let name = text(required(position, "market", &place)?, &format!("{place}: market"))?;
        let market = (root.get("markets").and_then(|m| m.get(name)))
            .ok_or_else(|| format!("{place}: market {name} is not under \"markets\""))?;
        let market = object(market, &format!("market {name}"))?;
        let place = format!("market {name}");
        let asset = text(required(market, "asset", &place)?, &format!("{place}: asset"))?;
        let asset = find(assets, asset, &place)?;
        let quantity = number_field(position, "qty", &format!("position in {name}"))?;
        if market.get("kind").and_then(Value::as_str) == Some("option") {
            let time = required(root, "time", "the input")?
                .as_i64()
                .ok_or("time must be whole seconds")?;
            let option = options::read(market, &quantity, &prices[asset], time, &place)?;
            assets[asset].options.push(option);
            continue;
        }
        let expiry = expiry(market, &place)?;
        let mark = positive(market, "mark", &place)?;
        let entry = match position.get("entry") {
            Some(_) => number_field(position, "entry", &format!("position in {name}"))?,
            None => mark.clone(),
        };
        assets[asset]
            .positions
            .push(value_position(&quantity, &mark, &entry, &prices[asset], expiry)?);
    }
    Ok(())
}

/// Values a position exactly; beyond 10⁻¹⁸ USD its size is rounded up and its P&L down.
fn value_position(
    quantity: &Decimal,
    mark: &Decimal,
    entry: &Decimal,
    prices: &Prices,
    expiry: Option<i64>,
) -> Result<Position, String> {
    let value = quantity.times(mark);
    let profit = value.plus(&quantity.times(entry).negated());
    let index = value.scaled(18, Rounding::Away)?;
    let quote = profit
        .scaled(18, Rounding::Down)?
        .checked_sub(index)
        .ok_or("an amount is too large")?;
    let slow = value.times(&prices.slow).quotient_floor(&prices.index, 18)?;
    // With one price for both, the two valuations are the same to the last digit.
    let slow = if prices.slow == prices.index { index } else { slow };
    Ok(Position {
        expiry,
        value: Values {
            index: Notional(index),
            slow: Notional(slow),
        },
        quote: Notional(quote),
    })
}

fn expiry(market: &Map<String, Value>, place: &str) -> Result<Option<i64>, String> {
    match text(required(market, "kind", place)?, &format!("{place}: kind"))? {
        "perp" => Ok(None),
        "future" => {
            let expiry = required(market, "expiry", place)?;
            let expiry = expiry
                .as_i64()
                .ok_or_else(|| format!("{place}: expiry must be whole seconds"))?;
            Ok(Some(expiry))
        }
        other => Err(format!("{place}: kind {other} is unknown; use perp, future or option")),
    }
}

fn read_collateral(account: &Map<String, Value>, prices: &[Prices], assets: &mut [Asset]) -> Result<(), String> {
    let Some(collateral) = account.get("collateral") else {
        return Ok(());
    };
    for (name, quantity) in object(collateral, "account.collateral")? {
        let place = format!("collateral {name}");
        let asset = find(assets, name, &place)?;
        let quantity = number(quantity, &place)?;
        if quantity.is_negative() {
            return Err(format!("{place} is negative: only cash can be negative"));
        }
        let value = |price: &Decimal| quantity.times(price).scaled(18, Rounding::Down).map(Notional);
        assets[asset].collateral = Some(Values {
            index: value(&prices[asset].index)?,
            slow: value(&prices[asset].slow)?,
        });
    }
    Ok(())
}

/// Cash in native units of 10⁻⁶, rounded down; the quote asset is at par unless the file says otherwise.
fn read_cash(root: &Map<String, Value>, account: &Map<String, Value>) -> Result<Cash, String> {
    let cash = match account.get("cash") {
        Some(cash) => number(cash, "account.cash")?,
        None => Decimal::zero(),
    };
    let amount = i64::try_from(cash.scaled(6, Rounding::Down)?).map_err(|_| "account.cash is too large")?;
    let quote_price = match root.get("quote_price") {
        Some(_) => positive(root, "quote_price", "the input")?.scaled(9, Rounding::Down)?,
        None => i128::from(Ratio::SCALE),
    };
    let quote_price = i64::try_from(quote_price).map_err(|_| "quote_price is too large")?;
    Ok(Cash {
        amount: QuoteAmount(amount),
        quote_price: Ratio(quote_price),
        quote_trusted: quote_price >= 980_000_000,
    })
}

fn find(assets: &[Asset], name: &str, place: &str) -> Result<usize, String> {
    (assets.iter().position(|a| a.name == name)).ok_or_else(|| format!("{place}: asset {name} is not under \"assets\""))
}

pub fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{place} must be an object"))
}

pub fn required<'a>(fields: &'a Map<String, Value>, name: &str, place: &str) -> Result<&'a Value, String> {
    fields.get(name).ok_or_else(|| format!("{place} lacks \"{name}\""))
}

pub fn text<'a>(value: &'a Value, place: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("{place} must be a string"))
}

pub fn number(value: &Value, place: &str) -> Result<Decimal, String> {
    let number = value.as_number().ok_or_else(|| format!("{place} must be a number"))?;
    Decimal::parse(number.as_str()).map_err(|e| format!("{place}: {e}"))
}

pub fn number_field(fields: &Map<String, Value>, name: &str, place: &str) -> Result<Decimal, String> {
    number(required(fields, name, place)?, &format!("{place}: {name}"))
}

pub fn positive(fields: &Map<String, Value>, name: &str, place: &str) -> Result<Decimal, String> {
    let value = number_field(fields, name, place)?;
    if value.is_negative() || value.is_zero() {
        return Err(format!("{place}: {name} must be above 0"));
    }
    Ok(value)
}
