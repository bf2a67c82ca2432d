//! Class defaults, overrides per asset, and the levels of the calculator's input.
//!
//! Parameters are kept in 10⁻⁹. What a file gives beyond that is rounded against the account.
use crate::decimal::Rounding;
use crate::input::{number, number_field, object, required, text};
use ballast_fixed::{Dollars, Ratio};
use ballast_risk::{defaults, AssetParams, PortfolioParams, MAX_CLUSTERS, MAX_GROSS, MAX_LEVELS};
use serde_json::{Map, Value};

/// Per level, per cluster: the names of its assets.
pub type Levels = Vec<Vec<Vec<String>>>;

/// Part of the methodology and not governed: the script has them as parameters, with these values.
const FIXED: [(&str, f64); 9] = [
    ("vol_floor", 0.05),
    ("short_pow", 0.30),
    ("long_pow", 0.13),
    ("skew_cap", 0.15),
    ("skew_width", 4.0),
    ("skew_vol", 0.6),
    ("theta_days", 1.0),
    ("min_T", 1.0 / 8_760.0),
    ("vol_abs", 0.10),
];

/// Warns of a fixed parameter that the file has another value for.
fn fixed(name: &str, value: &Value, place: &str, warnings: &mut Vec<String>) -> bool {
    let Some((_, fixed)) = FIXED.iter().find(|(known, _)| *known == name) else {
        return false;
    };
    if value.as_f64().is_none_or(|v| (v - fixed).abs() > 1e-12) {
        warnings.push(format!("{place} is {fixed} in this engine, whatever the file says"));
    }
    true
}

/// The portfolio's parameters and the clusters of each level.
pub fn portfolio(params: Option<&Value>, warnings: &mut Vec<String>) -> Result<(PortfolioParams, Levels), String> {
    let mut out = PortfolioParams::DEFAULT;
    let names = |list: &[&str]| vec![list.iter().map(|n| n.to_string()).collect()];
    let mut levels = vec![Vec::new(), names(&["BTC", "ETH"]), names(&["BTC", "ETH", "SOL"])];
    let Some(params) = params else {
        return Ok((out, levels));
    };
    for (name, value) in object(params, "params")? {
        let place = format!("params.{name}");
        match name.as_str() {
            "mm_factor" => out.maintenance_factor = ratio(value, &place, Rounding::Up)?,
            // The file has it as a negative return.
            "shock_floor" => {
                let floor = number(value, &place)?.negated();
                out.shock_floor = narrow(floor.scaled(9, Rounding::Up)?, &place)?;
            }
            "levels" => (out.level_weights, levels) = read_levels(value)?,
            "vega_offset" => out.vega_offset = ratio(value, &place, Rounding::Up)?,
            "nov_discount" => out.net_option_value = ratio(value, &place, Rounding::Up)?,
            known if fixed(known, value, &place, warnings) => {}
            _ => warnings.push(format!("{place} is unknown and was left out")),
        }
    }
    out.validate().map_err(|_| {
        "params: mm_factor must be 0 to 1, shock_floor −1 to below 0, and the levels' weights must add up to 1"
            .to_string()
    })?;
    Ok((out, levels))
}

fn read_levels(value: &Value) -> Result<([Ratio; MAX_LEVELS], Levels), String> {
    let list = value.as_array().ok_or("params.levels must be a list")?;
    if list.is_empty() || list.len() > MAX_LEVELS {
        return Err(format!("params.levels: give 1 to {MAX_LEVELS} levels"));
    }
    let mut weights = [Ratio::ZERO; MAX_LEVELS];
    let mut levels = Levels::new();
    for (index, level) in list.iter().enumerate() {
        let place = format!("params.levels[{index}]");
        let level = object(level, &place)?;
        weights[index] = ratio(required(level, "w", &place)?, &format!("{place}.w"), Rounding::Down)?;
        let clusters = required(level, "clusters", &place)?;
        let clusters = clusters
            .as_array()
            .ok_or_else(|| format!("{place}.clusters must be a list"))?;
        let mut names = Vec::new();
        for cluster in clusters {
            let cluster = cluster
                .as_array()
                .ok_or_else(|| format!("{place}: a cluster must be a list of assets"))?;
            let cluster: Result<Vec<String>, String> = cluster
                .iter()
                .map(|name| text(name, &place).map(str::to_string))
                .collect();
            names.push(cluster?);
        }
        levels.push(names);
    }
    if levels.iter().map(Vec::len).sum::<usize>() > MAX_CLUSTERS {
        return Err(format!("params.levels: at most {MAX_CLUSTERS} clusters in all"));
    }
    // Weights like 1/3 add up to 1 only before they are cut to 10⁻⁹: the rest goes where it nets least.
    let missing = Ratio::SCALE - weights.iter().map(|w| w.0).sum::<i64>();
    if (0..list.len() as i64).contains(&missing) {
        let least = (0..levels.len()).min_by_key(|&k| levels[k].iter().map(Vec::len).sum::<usize>());
        weights[least.unwrap_or(0)].0 += missing;
    }
    Ok((weights, levels))
}

/// An asset's parameters: its class, then the overrides. Also its daily volatility.
pub fn asset(
    name: &str,
    fields: &Map<String, Value>,
    levels: &Levels,
    warnings: &mut Vec<String>,
) -> Result<(AssetParams, f64), String> {
    let place = format!("asset {name}");
    let class = match fields.get("class") {
        Some(class) => text(class, &format!("{place}: class"))?,
        None => "MID",
    };
    let (mut params, mut daily_volatility) = match class {
        "BTC" => (defaults::BTC, 0.032),
        "ETH" => (defaults::ETH, 0.041),
        "SOL" => (defaults::SOL, 0.060),
        "MID" => (defaults::MID_CAP, 0.065),
        "STABLE" => (defaults::STABLE, 0.0),
        other => {
            return Err(format!(
                "{place}: class {other} is unknown; use BTC, ETH, SOL, MID or STABLE"
            ))
        }
    };
    for (field, value) in fields {
        let place = format!("{place}: {field}");
        match field.as_str() {
            "price" | "slow" | "class" => {}
            // A stablecoin has no options, and 0 in the script's table.
            "vol_abs" if class != "STABLE" => {
                fixed(field, value, &place, warnings);
            }
            "vol_abs" => {}
            "sig" => daily_volatility = value.as_f64().ok_or_else(|| format!("{place} must be a number"))?,
            "depth" => params.depth = depth(fields, &place)?,
            "hedge" => params.hedge_recognition = ratio(value, &place, Rounding::Down)?,
            field => match slot(&mut params, field) {
                Some(slot) => *slot = ratio(value, &place, Rounding::Up)?,
                None => warnings.push(format!("{place} is unknown and was left out")),
            },
        }
    }
    params.clusters = clusters(name, levels)?;
    params.validate().map_err(|_| {
        format!(
            "{place}: a parameter is out of bounds: psr 0 to 0.95; lam, lam_opt 0 to 4; vol_up 0 to 10; depth at least 1; \
             h_mm at most h_im; all others 0 to 1"
        )
    })?;
    Ok((params, daily_volatility))
}

fn slot<'a>(params: &'a mut AssetParams, field: &str) -> Option<&'a mut Ratio> {
    Some(match field {
        "psr" => &mut params.scan_range,
        "buffer" => &mut params.buffer,
        "basis" => &mut params.basis,
        "lam" => &mut params.spread,
        "lam_opt" => &mut params.option_spread,
        "som" => &mut params.short_option_minimum,
        "vol_up" => &mut params.vol_up,
        "vol_dn" => &mut params.vol_down,
        "rho" => &mut params.concentration,
        "h_im" => &mut params.haircut_initial,
        "h_mm" => &mut params.haircut_maintenance,
        _ => return None,
    })
}

/// No account of the engine's domain reaches a depth beyond its bound, so a deeper market is one of that depth.
fn depth(fields: &Map<String, Value>, place: &str) -> Result<Dollars, String> {
    let depth = number_field(fields, "depth", place)?.scaled(8, Rounding::Down)?;
    i64::try_from(depth.min(i128::from(MAX_GROSS.0)))
        .map(Dollars)
        .map_err(|_| format!("{place} must be above 0"))
}

fn clusters(name: &str, levels: &Levels) -> Result<[u8; MAX_LEVELS], String> {
    let mut out = [0; MAX_LEVELS];
    let mut id = 0;
    for (slot, clusters) in out.iter_mut().zip(levels) {
        for cluster in clusters {
            id += 1;
            if cluster.iter().any(|member| member == name) {
                if *slot != 0 {
                    return Err(format!("asset {name} is in two clusters of one level"));
                }
                *slot = id;
            }
        }
    }
    Ok(out)
}

fn ratio(value: &Value, place: &str, rounding: Rounding) -> Result<Ratio, String> {
    narrow(number(value, place)?.scaled(9, rounding)?, place)
}

fn narrow(value: i128, place: &str) -> Result<Ratio, String> {
    i64::try_from(value)
        .map(Ratio)
        .map_err(|_| format!("{place} is too large"))
}
