//! Which pairs of assets net against each other, how they have moved together, and what is left of the levels' weights by it.
use anchor_lang::prelude::*;
use ballast_fixed::Ratio;
use ballast_risk::correlation::{effective_weights, Correlation, PairFactor};
use ballast_risk::funding::IndexSource;
use ballast_risk::{RiskError, MAX_LEVELS};

use super::{assert_layout, Asset, RiskBoard};
use crate::error::{BallastError, OrError};

/// Pairs of assets that are in one cluster.
pub const MAX_PAIRS: usize = 16;

/// Two assets of a cluster (margin.md section 4, "Dynamic parameters").
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CorrelationPair {
    /// The one of the lower index.
    pub a: u8,
    /// The other one.
    pub b: u8,
    /// The levels on which both are in one cluster, level k as bit k; 0 where the slot is free.
    pub levels: u8,
    /// Zero.
    pub _padding: u8,
    /// The hours before this one are counted, hours since 1970.
    pub hour: u32,
    /// Returns counted.
    pub returns: u16,
    /// Zero.
    pub _padding2: [u8; 6],
    /// Correlation under which the pair nets less, 10⁻⁹.
    pub reference: i64,
    /// Σ r_a·r_b, weighted, in units of 2⁻⁴⁸.
    pub covariance: i64,
    /// The same of r_a².
    pub variance_a: i64,
    /// The same of r_b².
    pub variance_b: i64,
}
assert_layout!(
    CorrelationPair,
    48,
    a = 0,
    b = 1,
    levels = 2,
    hour = 4,
    returns = 8,
    reference = 16,
    covariance = 24
);

impl CorrelationPair {
    fn correlation(&self) -> Correlation {
        Correlation {
            hour: self.hour,
            returns: self.returns,
            covariance: self.covariance,
            variance_a: self.variance_a,
            variance_b: self.variance_b,
        }
    }

    fn set(&mut self, known: &Correlation) {
        (self.hour, self.returns) = (known.hour, known.returns);
        self.covariance = known.covariance;
        (self.variance_a, self.variance_b) = (known.variance_a, known.variance_b);
    }
}

/// ∫ index dt at full hours, of an asset that is listed.
fn hourly(asset: Option<&Asset>) -> impl Fn(i64) -> std::result::Result<Option<i128>, RiskError> + '_ {
    move |hour| match asset {
        Some(asset) => Ok(asset.index_source().at_hour(hour)?),
        None => Ok(None),
    }
}

impl RiskBoard {
    /// Takes a slot for each pair that the asset at `index`, listed last, makes with another one of its clusters.
    ///
    /// # Errors
    /// [`BallastError::BoardFull`] where there are no more.
    pub fn add_pairs(&mut self, index: u8, reference: i64, now: i64) -> Result<()> {
        let new = self.asset(index)?.params();
        for other in 0..index {
            let levels = self.asset(other)?.params().joined_levels(&new);
            if levels == 0 {
                continue;
            }
            let slot = self.pairs.iter_mut().find(|pair| pair.levels == 0);
            let slot = slot.ok_or(BallastError::BoardFull)?;
            *slot = CorrelationPair {
                a: other,
                b: index,
                levels,
                hour: u32::try_from(now.div_euclid(3_600)).map_err(|_| BallastError::MathOverflow)?,
                reference,
                ..CorrelationPair::default()
            };
        }
        Ok(())
    }

    /// Counts at most `most` full hours of each pair, and takes the weights that they leave.
    pub fn update_correlations(&mut self, most: u32, now: i64) -> Result<()> {
        let mut factors = [PairFactor {
            levels: 0,
            factor: Ratio::ONE,
        }; MAX_PAIRS];
        for (pair, factor) in self.pairs.iter_mut().zip(&mut factors) {
            if pair.levels == 0 {
                continue;
            }
            let mut known = pair.correlation();
            let [a, b] = [pair.a, pair.b].map(|index| hourly(self.assets.get(usize::from(index))));
            known.advance(&a, &b, now, most).or_error()?;
            pair.set(&known);
            *factor = PairFactor {
                levels: pair.levels,
                factor: known.factor(Ratio(pair.reference)),
            };
        }
        let table: [Ratio; MAX_LEVELS] = self.level_weights.map(Ratio);
        self.effective_weights = effective_weights(&table, &factors).or_error()?.map(|weight| weight.0);
        Ok(())
    }
}
