//! The account as a whole: netting over assets, requirements and equities (methodology, sections 2 to 4).
use crate::scenario::{product, worst_loss, ScenarioPnl, SCENARIOS};
use crate::{AssetReport, PortfolioParams, RiskError, MAX_CLUSTERS, MAX_GROSS, MAX_LEVELS};
use ballast_fixed::{div_ceil, mul_div_floor, Dollars, QuoteAmount, Ratio};

/// The account's cash and what the quote asset is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cash {
    /// Cash; the only balance that can be negative.
    pub amount: QuoteAmount,
    /// q: the price of the quote asset in dollars.
    pub quote_price: Ratio,
    /// That price is fresh and at least 0.98. Else positive cash counts nothing in E_w.
    pub quote_trusted: bool,
}

impl Cash {
    /// Cash at par, with a quote asset that is trusted.
    pub const fn at_par(amount: QuoteAmount) -> Cash {
        Cash {
            amount,
            quote_price: Ratio::ONE,
            quote_trusted: true,
        }
    }

    /// What a sum in the quote asset counts for: ·min(1, q) when positive, ·max(1, q) when negative; rounded down.
    fn value(&self, sum: Dollars) -> Result<Dollars, RiskError> {
        let factor = if sum > Dollars::ZERO {
            self.quote_price.min(Ratio::ONE)
        } else {
            self.quote_price.max(Ratio::ONE)
        };
        if factor == Ratio::ONE {
            return Ok(sum); // at par, the usual case
        }
        Ok(sum.times_floor(factor)?)
    }
}

/// Requirement and equity of an account. Requirements are rounded up, equities down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarginReport {
    /// IM = K + buffer.
    pub initial: Dollars,
    /// MM = 0.70·K + buffer.
    pub maintenance: Dollars,
    /// R: the scan after netting over the levels.
    pub scan: Dollars,
    /// Σ over the clusters of a level of their worst loss, before the level's weight; 0 where the weight is 0.
    pub levels: [Dollars; MAX_LEVELS],
    /// Σ of the assets' charges.
    pub charge: Dollars,
    /// Σ of the assets' floors for short options.
    pub short_option_minimum: Dollars,
    /// Σ of the assets' concentration charges.
    pub concentration: Dollars,
    /// Σ of the assets' charges on net long option value.
    pub net_option_value: Dollars,
    /// Σ of the assets' buffers.
    pub buffer: Dollars,
    /// Σ|N| over all positions.
    pub gross: Dollars,
    /// E_mm: at the index.
    pub equity_maintenance: Dollars,
    /// E_mm with every stale or wide asset moved in the account's favour: what liquidation is decided on.
    /// Equal to `equity_maintenance` while all prices are fresh and tight.
    pub equity_liquidation: Dollars,
    /// E_im: each asset as a whole at its worse price. What new risk is decided on.
    pub equity_initial: Dollars,
    /// E_w: as E_im without gains. What withdrawals are decided on.
    pub equity_withdrawal: Dollars,
    /// Σ credit_im at the lowest prices: cash may be owed down to minus this much.
    pub credit_initial: Dollars,
    /// Σ unrealised P&L at the index.
    pub unrealised: Dollars,
    /// Cash, P&L and collateral without haircuts, at the index: bankrupt at 0 or less once the collateral is sold.
    pub equity_unhaircut: Dollars,
    /// What the account's method asks for by itself, initial: the lower bound of `initial`. 0 by the portfolio's.
    pub method_initial: Dollars,
    /// The same for `maintenance`.
    pub method_maintenance: Dollars,
}

impl MarginReport {
    /// E_mm / MM in 10⁻⁹, rounded down and held within an `i64`; `None` when MM is 0.
    pub fn health_ppb(&self) -> Option<i64> {
        ratio_ppb(self.equity_maintenance, self.maintenance)
    }

    /// E_im / IM in 10⁻⁹, rounded down and held within an `i64`; `None` when IM is 0.
    pub fn health_initial_ppb(&self) -> Option<i64> {
        ratio_ppb(self.equity_initial, self.initial)
    }

    /// The liquidation trigger of section 8: E_mm, stale and wide prices moved in the account's favour, is below MM.
    pub fn is_liquidatable(&self) -> bool {
        self.equity_liquidation < self.maintenance
    }

    /// This report with the side of liquidation of another one: of the same account by the terms that it is judged by for that, where they
    /// are not those for new risk. Where a narrower scan range should ask for more, the initial margin is raised to it: MM ≤ IM.
    pub fn with_maintenance_of(&self, other: &MarginReport) -> MarginReport {
        MarginReport {
            initial: self.initial.max(other.maintenance),
            maintenance: other.maintenance,
            method_maintenance: other.method_maintenance,
            equity_maintenance: other.equity_maintenance,
            equity_liquidation: other.equity_liquidation,
            ..*self
        }
    }

    /// E_im − IM. Fails on overflow.
    pub fn surplus_initial(&self) -> Result<Dollars, RiskError> {
        Ok(self.equity_initial.minus(self.initial)?)
    }

    /// E_mm − MM. Fails on overflow.
    pub fn surplus_maintenance(&self) -> Result<Dollars, RiskError> {
        Ok(self.equity_maintenance.minus(self.maintenance)?)
    }

    /// E_w − IM: what may leave the account. Fails on overflow.
    pub fn surplus_withdrawal(&self) -> Result<Dollars, RiskError> {
        Ok(self.equity_withdrawal.minus(self.initial)?)
    }
}

fn ratio_ppb(equity: Dollars, requirement: Dollars) -> Option<i64> {
    if requirement <= Dollars::ZERO {
        return None;
    }
    let out_of_range = if equity < Dollars::ZERO { i64::MIN } else { i64::MAX };
    Some(mul_div_floor(equity.0, Ratio::SCALE, requirement.0).unwrap_or(out_of_range))
}

/// Sums of the assets' equities, P&L and credits apart: P&L counts in the quote asset.
#[derive(Clone, Copy, Debug, Default)]
struct EquitySums {
    unrealised_index: Dollars,
    unrealised_initial: Dollars,
    unrealised_liquidation: Dollars,
    loss_withdrawal: Dollars,
    credit_maintenance: Dollars,
    credit_initial: Dollars,
    credit_liquidation: Dollars,
    credit_withdrawal: Dollars,
    collateral_value: Dollars,
}

/// Adds one vector to another.
#[inline(never)] // inlined it would keep copies of both on the stack
fn accumulate(sums: &mut ScenarioPnl, parts: &ScenarioPnl) -> Result<(), RiskError> {
    for (sum, &part) in sums.iter_mut().zip(parts) {
        *sum = sum.checked_add(part).ok_or(RiskError::Overflow)?;
    }
    Ok(())
}

/// Sums an account over its assets.
#[derive(Clone, Copy, Debug)]
pub struct Portfolio<'a> {
    params: &'a PortfolioParams,
    clusters: [ScenarioPnl; MAX_CLUSTERS],
    /// The level of each cluster plus one; 0 while it is empty.
    cluster_levels: [u8; MAX_CLUSTERS],
    report: MarginReport,
    equity: EquitySums,
}

impl<'a> Portfolio<'a> {
    /// An account without assets.
    pub fn new(params: &'a PortfolioParams) -> Self {
        Portfolio {
            params,
            clusters: [[0; SCENARIOS]; MAX_CLUSTERS],
            cluster_levels: [0; MAX_CLUSTERS],
            report: MarginReport::default(),
            equity: EquitySums::default(),
        }
    }

    /// Empties it, for the same account or another one.
    pub fn clear(&mut self) {
        *self = Portfolio::new(self.params);
    }

    /// Adds an asset. The order of the assets changes nothing.
    ///
    /// Fails outside the domain, and with [`RiskError::InvalidParameter`] when a cluster turns up on two levels.
    #[inline(never)]
    pub fn add(&mut self, asset: &AssetReport, clusters: &[u8; MAX_LEVELS]) -> Result<(), RiskError> {
        for (level, &cluster) in (0u8..).zip(clusters) {
            self.add_to_level(level, cluster, asset)?;
        }
        let (report, equity) = (&mut self.report, &mut self.equity);
        let add = |sum: &mut Dollars, part: Dollars| -> Result<(), RiskError> {
            *sum = sum.plus(part)?;
            Ok(())
        };
        add(&mut report.charge, asset.charge)?;
        add(&mut report.short_option_minimum, asset.short_option_minimum)?;
        add(&mut report.concentration, asset.concentration)?;
        add(&mut report.net_option_value, asset.net_option_value)?;
        add(&mut report.buffer, asset.buffer)?;
        add(&mut report.gross, asset.gross)?;
        if asset.method.0 != Dollars::ZERO {
            add(&mut report.method_initial, asset.method.0)?;
            add(&mut report.method_maintenance, asset.method.1)?;
        }
        add(&mut report.credit_initial, asset.credit_floor)?;
        add(&mut equity.unrealised_index, asset.unrealised_index)?;
        add(&mut equity.unrealised_initial, asset.unrealised_initial)?;
        add(&mut equity.unrealised_liquidation, asset.unrealised_liquidation)?;
        add(&mut equity.loss_withdrawal, asset.loss_withdrawal)?;
        add(&mut equity.credit_maintenance, asset.credit_maintenance)?;
        add(&mut equity.credit_initial, asset.credit_initial)?;
        add(&mut equity.credit_liquidation, asset.credit_liquidation)?;
        add(&mut equity.credit_withdrawal, asset.credit_withdrawal)?;
        add(&mut equity.collateral_value, asset.collateral_value)?;
        if self.report.gross.plus(self.equity.collateral_value)? > MAX_GROSS {
            return Err(RiskError::Overflow);
        }
        Ok(())
    }

    fn add_to_level(&mut self, level: u8, cluster: u8, asset: &AssetReport) -> Result<(), RiskError> {
        let index = usize::from(level);
        if self.params.level_weights[index] == Ratio::ZERO {
            return Ok(());
        }
        let Some(slot) = usize::from(cluster).checked_sub(1) else {
            self.report.levels[index] = self.report.levels[index].plus(asset.scan)?;
            return Ok(());
        };
        let tag = level.wrapping_add(1); // level < MAX_LEVELS
        let (Some(pnl), Some(known)) = (self.clusters.get_mut(slot), self.cluster_levels.get_mut(slot)) else {
            return Err(RiskError::InvalidParameter);
        };
        if *known != 0 && *known != tag {
            return Err(RiskError::InvalidParameter);
        }
        *known = tag;
        accumulate(pnl, &asset.pnl)
    }

    /// Requirement and equities of the account with this cash. Changes nothing: it may be asked again with other cash.
    #[inline(never)]
    pub fn finish(&self, cash: Cash) -> Result<MarginReport, RiskError> {
        let mut out = self.report;
        for (pnl, &tag) in self.clusters.iter().zip(&self.cluster_levels) {
            if let Some(level) = usize::from(tag).checked_sub(1) {
                out.levels[level] = out.levels[level].plus(worst_loss(pnl)?)?;
            }
        }
        let mut weighted = 0i128;
        let levels = out.levels.iter().zip(self.params.level_weights);
        for (level, weight) in levels.filter(|(_, weight)| *weight != Ratio::ZERO) {
            weighted = product(i128::from(level.0), weight)?
                .checked_add(weighted)
                .ok_or(RiskError::Overflow)?;
        }
        let scan = div_ceil(weighted, i128::from(Ratio::SCALE))?;
        out.scan = Dollars(i64::try_from(scan).map_err(|_| RiskError::Overflow)?);
        let required = (out.scan.plus(out.charge)?)
            .max(out.short_option_minimum)
            .plus(out.concentration)?
            .plus(out.net_option_value)?;
        let initial = required.plus(out.buffer)?;
        let maintenance = required.times_ceil(self.params.maintenance_factor)?.plus(out.buffer)?;
        // No method requires less than the portfolio's.
        out.initial = initial.max(out.method_initial);
        out.maintenance = maintenance.max(out.method_maintenance);
        self.equities(cash, &mut out)?;
        Ok(out)
    }

    fn equities(&self, cash: Cash, out: &mut MarginReport) -> Result<(), RiskError> {
        let sums = &self.equity;
        let amount = cash.amount.dollars()?;
        let equity = |unrealised: Dollars, credit: Dollars| -> Result<Dollars, RiskError> {
            Ok(cash.value(amount.plus(unrealised)?)?.plus(credit)?)
        };
        out.unrealised = sums.unrealised_index;
        out.equity_maintenance = equity(sums.unrealised_index, sums.credit_maintenance)?;
        out.equity_liquidation = equity(sums.unrealised_liquidation, sums.credit_liquidation)?;
        out.equity_initial = equity(sums.unrealised_initial, sums.credit_initial)?;
        out.equity_unhaircut = equity(sums.unrealised_index, sums.collateral_value)?;
        let withdrawable = if cash.quote_trusted {
            amount
        } else {
            amount.min(Dollars::ZERO)
        };
        out.equity_withdrawal = cash
            .value(withdrawable.plus(sums.loss_withdrawal)?)?
            .plus(sums.credit_withdrawal)?;
        Ok(())
    }
}
