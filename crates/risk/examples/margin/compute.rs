//! Runs the engine over an input.
use crate::input::{Asset, Input};
use ballast_fixed::Dollars;
use ballast_risk::{isolated_linear, AssetBook, AssetReport, Bucket, MarginReport, Portfolio, PriceState, RiskError};

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
    let explain = |error: RiskError| error.to_string();
    let mut portfolio = Portfolio::new(&input.portfolio);
    let mut assets = Vec::new();
    let mut isolated = Dollars::ZERO;
    for asset in &input.assets {
        let report = asset_report(input, asset).map_err(|e| format!("asset {}: {e}", asset.name))?;
        portfolio.add(&report, &asset.params.clusters).map_err(explain)?;
        for position in &asset.positions {
            let (initial, _) =
                isolated_linear(&asset.params, &input.portfolio, position.value.index).map_err(explain)?;
            isolated = isolated.plus(initial).map_err(|e| explain(e.into()))?;
        }
        let scanned = asset.collateral.is_some() && asset.params.scan_range.0 > 0;
        if scanned || !asset.positions.is_empty() {
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

fn asset_report(input: &Input, asset: &Asset) -> Result<AssetReport, String> {
    let mut book = AssetBook::new(&asset.params, &input.portfolio, PriceState::default());
    if let Some(value) = asset.collateral {
        book.set_collateral(value.index, value.slow)
            .map_err(|e| e.to_string())?;
    }
    let mut expiries: Vec<i64> = asset.positions.iter().filter_map(|p| p.expiry).collect();
    expiries.sort_unstable();
    expiries.dedup();
    let mut legs = Vec::new();
    for position in &asset.positions {
        let bucket = match position.expiry.map(|e| expiries.partition_point(|&x| x < e)) {
            None => Bucket::Perpetual,
            Some(index) => Bucket::Expiry(u8::try_from(index).map_err(|_| "more than 256 expiries")?),
        };
        legs.push((bucket, position));
    }
    legs.sort_by_key(|&(bucket, _)| bucket);
    for (bucket, position) in legs {
        book.add_linear(bucket, position.value.index, position.value.slow, position.quote)
            .map_err(|e| e.to_string())?;
    }
    let mut report = AssetReport::default();
    book.finish(&mut report).map_err(|e| e.to_string())?;
    Ok(report)
}
