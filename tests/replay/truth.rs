//! The board as it would be had every source told the truth at every step.
use ballast::margin::evaluate;
use ballast::state::{MarginAccount, PriceFeed, RiskBoard, ScanRangeScale};
use ballast_fixed::{Price, Ratio};
use ballast_oracle::Index;
use ballast_risk::MarginReport;

use crate::path::{Path, ASSETS};

/// What true prices make of the board's assets.
pub struct Truth {
    assets: Vec<(PriceFeed, ScanRangeScale)>,
}

impl Truth {
    /// As the board stands, whose first prices are true.
    pub fn new(board: &RiskBoard) -> Truth {
        let assets = board.assets[..ASSETS].iter().map(|asset| (asset.price, asset.scale));
        Truth {
            assets: assets.collect(),
        }
    }

    /// Takes the true prices of now.
    pub fn observe(&mut self, path: &Path, board: &RiskBoard, now: i64) {
        for (n, (feed, scale)) in self.assets.iter_mut().enumerate() {
            let price = Price(nano(path.at(n, now)));
            let index = Index {
                price: price.0,
                confidence: 0,
                publish_time: now,
                outliers: 0,
                apart: false,
                sources: 3,
            };
            feed.accept(&index, 0).expect("a true price");
            scale.observe(price, now, Ratio(board.assets[n].params.scan_range), now);
        }
    }

    /// The board with the true index, slow price and variance of each asset, and all else as it is.
    pub fn board(&self, board: &RiskBoard) -> Box<RiskBoard> {
        self.at(board, |n| self.assets[n].0.index)
    }

    /// The same, with what was true when the source published whose price is the index.
    ///
    /// An update that is missed or late leaves the price of up to a minute before in force, and by that an account may be judged.
    pub fn when_published(&self, path: &Path, board: &RiskBoard) -> Box<RiskBoard> {
        self.at(board, |n| {
            let asset = &board.assets[n];
            let sources = asset.sources.sources.iter().filter(|source| source.kind != 0);
            let nearest = sources.min_by_key(|source| source.price.abs_diff(asset.price.index));
            nano(path.at(n, nearest.expect("a source").publish_time))
        })
    }

    fn at(&self, board: &RiskBoard, index: impl Fn(usize) -> i64) -> Box<RiskBoard> {
        let mut mirror = Box::new(*board);
        for (n, ((feed, scale), asset)) in self.assets.iter().zip(&mut mirror.assets).enumerate() {
            (asset.price.index, asset.price.slow) = (index(n), feed.slow);
            asset.scale = *scale;
        }
        mirror
    }
}

/// By how much an account is above its maintenance margin on a board, 10⁻⁸ dollars.
pub fn surplus(board: &RiskBoard, account: &MarginAccount, now: i64) -> (i64, MarginReport) {
    let report = evaluate(board, account, now).expect("an account's margin");
    (report.equity_liquidation.0 - report.maintenance.0, report)
}

/// A price in the board's units, as a Pyth update of exponent −8 says it.
pub fn nano(price: f64) -> i64 {
    (price * 1e8).round() as i64 * 10
}
