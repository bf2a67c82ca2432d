//! By which parameters and prices an account is judged at a moment: the table's, widened by what the price has done and by what is known of
//! it.
use anchor_lang::prelude::*;
use ballast_fixed::{mul_div_ceil, Ratio};
use ballast_risk::price_use::{against, liquidation_state, permission, Permission, PriceUse, Quality};
use ballast_risk::scan_scale::ONE;
use ballast_risk::{AssetParams, PortfolioParams, PriceState};

use super::{Asset, PriceFeed};
use crate::error::{ensure, BallastError, OrError};

/// What an account is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Whether it may add risk or withdraw: doubt counts against it.
    ForRisk,
    /// Whether it is to be liquidated: doubt counts in its favour, and a wider scan range has ten minutes' grace.
    ForLiquidation,
}

/// An asset's parameters and how its price is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The parameters in force.
    pub params: AssetParams,
    /// How far the price may be off.
    pub price: PriceState,
    /// Whether they are the same for both judgements.
    pub are_certain: bool,
}

impl PriceFeed {
    /// How good the price is at `now`.
    pub fn quality(&self, now: i64) -> Quality {
        if !self.is_fresh(now) {
            Quality::Stale
        } else if self.is_tight() {
            Quality::Tight
        } else {
            Quality::Wide
        }
    }

    /// Whether the table by action lets the price be used so at all; at which bound, the margin of the account says.
    pub fn permits(&self, price_use: PriceUse, now: i64) -> bool {
        permission(self.quality(now), price_use) != Permission::No
    }
}

impl Asset {
    /// How far the price may be off against an account, as a part of it.
    pub fn doubt(&self, now: i64) -> Result<Ratio> {
        let (multiple, _) = self.scale.multiples(now);
        let quality = self.price.quality(now);
        if quality == Quality::Tight {
            return Ok(Ratio::ZERO);
        }
        let scan_range = mul_div_ceil(self.params.scan_range, i64::from(multiple), i64::from(ONE)).or_error()?;
        let age = now.saturating_sub(self.price.publish_time);
        Ok(against(quality, Ratio(self.price.width), Ratio(scan_range), age))
    }

    /// The asset's terms at `now` with `feed` for its price.
    ///
    /// A haircut for liquidation counts the confidence only as far as a tight price may have it: what is wider is the feed's fault, and moves
    /// the price in the account's favour instead.
    ///
    /// # Errors
    /// [`BallastError::PriceMissing`] before the first price.
    pub fn terms(&self, feed: &PriceFeed, judged: Judged, portfolio: &PortfolioParams, now: i64) -> Result<Terms> {
        let mut terms = self.plain_terms();
        if !self.is_plain(feed, now) {
            self.set_terms(&mut terms, feed, judged, portfolio, now)?;
        }
        Ok(terms)
    }

    /// The table as it stands, at the price's word.
    #[inline(always)]
    pub fn plain_terms(&self) -> Terms {
        Terms {
            params: self.params(),
            price: PriceState::default(),
            are_certain: true,
        }
    }

    /// Whether these are the terms: nothing is in doubt and nothing widened.
    #[inline(always)]
    pub fn is_plain(&self, feed: &PriceFeed, now: i64) -> bool {
        feed.width == 0 && self.scale.is_at_rest() && feed.is_fresh(now)
    }

    /// Makes plain terms those of [`Asset::terms`].
    ///
    /// # Errors
    /// As [`Asset::terms`].
    #[inline(never)]
    pub fn set_terms(
        &self,
        terms: &mut Terms,
        feed: &PriceFeed,
        judged: Judged,
        portfolio: &PortfolioParams,
        now: i64,
    ) -> Result<()> {
        ensure!(feed.index > 0, BallastError::PriceMissing);
        let (initial, maintenance) = self.scale.multiples(now);
        let quality = feed.quality(now);
        let (multiple, confidence) = match judged {
            Judged::ForRisk => (initial, feed.width),
            Judged::ForLiquidation => (maintenance, feed.width.min(feed.tight())),
        };
        terms.are_certain = initial == maintenance && quality == Quality::Tight;
        if multiple != ONE || confidence != 0 {
            terms.params = terms.params.scaled(multiple, Ratio(confidence), portfolio).or_error()?;
        }
        if quality != Quality::Tight {
            let (width, age) = (Ratio(feed.width), now.saturating_sub(feed.publish_time));
            let scan_range = terms.params.scan_range;
            terms.price = match judged {
                Judged::ForRisk => PriceState {
                    uncertainty: against(quality, width, scan_range, age),
                    dead: false,
                },
                Judged::ForLiquidation => liquidation_state(quality, width, scan_range, age),
            };
        }
        Ok(())
    }
}
