//! Runs the engine over an input.
use crate::input::{Asset, Input, Position};
use crate::options::OptionPosition;
use ballast_fixed::Dollars;
use ballast_risk::{
    isolated_linear, AssetBook, AssetReport, Bucket, MarginReport, OptionBook, Portfolio, PriceState, RiskError,
};

/// What the engine says.
pub struct Outcome<'a> {
    pub margin: MarginReport,
    /// The assets that are part of the requirement.
    pub assets: Vec<(&'a Asset, AssetReport)>,
    /// Σ of the initial margins of the positions, each alone.
    pub isolated: Dollars,
}

/// Margin of the whole account.
pub fn compute(input: &Input) -> Result<Outcome<'_>, String> {
    let mut options = OptionBook::default();
    let mut portfolio = Portfolio::new(&input.portfolio);
    let mut assets = Vec::new();
    let mut isolated = Dollars::ZERO;
    for asset in &input.assets {
        let report = asset_report(input, asset, &mut options).map_err(|e| format!("asset {}: {e}", asset.name))?;
        portfolio.add(&report, &asset.params.clusters).map_err(explain)?;
        isolated = isolated
            .plus(isolated_margin(input, asset, &mut options)?)
            .map_err(|e| explain(e.into()))?;
        let scanned = asset.collateral.is_some() && asset.params.scan_range.0 > 0;
        if scanned || !asset.positions.is_empty() || !asset.options.is_empty() {
            assets.push((asset, report));
        }
    }
    let margin = portfolio.finish(input.cash).map_err(explain)?;
    Ok(Outcome {
        margin,
        assets,
        isolated,
    })
}

fn explain(error: RiskError) -> String {
    error.to_string()
}

/// Σ of the initial margins of the asset's positions, each alone.
fn isolated_margin(input: &Input, asset: &Asset, options: &mut OptionBook) -> Result<Dollars, String> {
    let mut sum = Dollars::ZERO;
    let mut add = |margin: Dollars| -> Result<(), String> {
        sum = sum.plus(margin).map_err(|e| explain(e.into()))?;
        Ok(())
    };
    for position in &asset.positions {
        add(isolated_linear(&asset.params, &input.portfolio, position.value.index)
            .map_err(explain)?
            .0)?;
    }
    for option in &asset.options {
        let alone = Asset {
            positions: Vec::new(),
            options: vec![*option],
            collateral: None,
            ..asset.clone()
        };
        let report = asset_report(input, &alone, options)?;
        add(report.alone(&input.portfolio).map_err(explain)?.0)?;
    }
    Ok(sum)
}

fn asset_report(input: &Input, asset: &Asset, options: &mut OptionBook) -> Result<AssetReport, String> {
    let state = PriceState::default();
    let mut book = AssetBook::with_options(&asset.params, &input.portfolio, state, asset.index, options);
    if let Some(value) = asset.collateral {
        book.set_collateral(value.index, value.slow).map_err(explain)?;
    }
    for position in asset.positions.iter().filter(|p| p.expiry.is_none()) {
        add_linear(&mut book, Bucket::Perpetual, position)?;
    }
    let mut expiries: Vec<i64> = (asset.positions.iter().filter_map(|p| p.expiry))
        .chain(asset.options.iter().map(|o| o.expires))
        .collect();
    expiries.sort_unstable();
    expiries.dedup();
    for (number, expiry) in expiries.into_iter().enumerate() {
        let number = u8::try_from(number).map_err(|_| "more than 256 expiries")?;
        let of_expiry: Vec<&OptionPosition> = asset.options.iter().filter(|o| o.expires == expiry).collect();
        if let Some(first) = of_expiry.first() {
            if of_expiry.iter().any(|o| o.expiry != first.expiry) {
                return Err(format!("options that expire at {expiry} differ in forward or fixed"));
            }
            book.begin_expiry(number, &first.expiry).map_err(explain)?;
        }
        for option in of_expiry {
            book.add_option_at(&option.leg, option.volatilities).map_err(explain)?;
        }
        for position in asset.positions.iter().filter(|p| p.expiry == Some(expiry)) {
            add_linear(&mut book, Bucket::Expiry(number), position)?;
        }
    }
    let mut report = AssetReport::default();
    book.finish(&mut report).map_err(explain)?;
    Ok(report)
}

fn add_linear(book: &mut AssetBook<'_>, bucket: Bucket, position: &Position) -> Result<(), String> {
    book.add_linear(bucket, position.value.index, position.value.slow, position.quote)
        .map_err(explain)
}
