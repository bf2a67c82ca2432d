//! Governed parameters and their hard bounds (methodology, section 4).
use crate::RiskError;
use ballast_fixed::{mul_div_ceil, Dollars, Ratio};

/// Correlation levels a portfolio is netted over at most.
pub const MAX_LEVELS: usize = 4;
/// Clusters over all levels at most. Their ids are 1 to 8; 0 means that the asset stands alone on that level.
pub const MAX_CLUSTERS: usize = 8;

/// What positions and collateral of one account may add up to: $20bn.
///
/// Within it no product of the engine leaves its integer type; above it everything is [`RiskError::Overflow`].
pub const MAX_GROSS: Dollars = Dollars(2_000_000_000_000_000_000);

/// Risk parameters of one asset, as the table of section 4 lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AssetParams {
    /// ψ: the price scan range.
    pub scan_range: Ratio,
    /// b: the buffer per notional, in initial and maintenance margin alike.
    pub buffer: Ratio,
    /// β: basis between two matched legs, per notional.
    pub basis: Ratio,
    /// λ: the part of ψ that a matched linear pair keeps.
    pub spread: Ratio,
    /// λ_o: the part of ψ that any other matched pair keeps.
    pub option_spread: Ratio,
    /// som: the floor per short option, per index value of its underlying.
    pub short_option_minimum: Ratio,
    /// v_u: the relative rise of volatility at 30 days.
    pub vol_up: Ratio,
    /// v_d: the relative fall of volatility at 30 days.
    pub vol_down: Ratio,
    /// D: the depth of the market; above it positions and collateral cost extra.
    pub depth: Dollars,
    /// ρ: how fast the extra cost grows above the depth; 0 switches it off.
    pub concentration: Ratio,
    /// h for new risk and withdrawals.
    pub haircut_initial: Ratio,
    /// h for liquidation; at most the initial one.
    pub haircut_maintenance: Ratio,
    /// η: the part of a rise of collateral that may cover a short, 0 to 1.
    pub hedge_recognition: Ratio,
    /// The asset's cluster on each level; 0 where it stands alone. A cluster belongs to one level.
    pub clusters: [u8; MAX_LEVELS],
}

fn within(value: Ratio, low: i64, high: i64) -> bool {
    (low..=high).contains(&value.0)
}

impl AssetParams {
    /// Checks every field against its hard bounds, whatever governance decides.
    ///
    /// Fails with [`RiskError::InvalidParameter`].
    pub fn validate(&self) -> Result<(), RiskError> {
        const ONE: i64 = Ratio::SCALE;
        // Taken apart so that a new field cannot be forgotten here.
        let AssetParams {
            scan_range,
            buffer,
            basis,
            spread,
            option_spread,
            short_option_minimum,
            vol_up,
            vol_down,
            depth,
            concentration,
            haircut_initial,
            haircut_maintenance,
            hedge_recognition,
            clusters,
        } = *self;
        // A fall beyond 95 % is the shock floor's business, see `PortfolioParams::shock_floor`.
        let ranges = within(scan_range, 0, Self::LARGEST_SCAN_RANGE.0)
            && within(buffer, 0, ONE)
            && within(basis, 0, ONE)
            && within(spread, 0, 4_000_000_000)
            && within(option_spread, 0, 4_000_000_000)
            && within(short_option_minimum, 0, ONE)
            && within(vol_up, 0, Self::LARGEST_VOL_UP.0)
            && within(vol_down, 0, ONE)
            && (Self::MIN_DEPTH..=MAX_GROSS).contains(&depth)
            && within(concentration, 0, ONE)
            && within(haircut_initial, 0, ONE)
            && within(haircut_maintenance, 0, haircut_initial.0)
            && within(hedge_recognition, 0, ONE);
        let clusters_known = clusters.iter().all(|&id| usize::from(id) <= MAX_CLUSTERS);
        if ranges && clusters_known {
            Ok(())
        } else {
            Err(RiskError::InvalidParameter)
        }
    }

    /// The parameters with volatility shocks wider by a part of them, rounded up and held within their bounds.
    ///
    /// # Errors
    /// [`RiskError::Overflow`] for parameters outside their bounds.
    pub fn widened(&self, by: Ratio) -> Result<AssetParams, RiskError> {
        let wider = |x: Ratio, most: Ratio| -> Result<Ratio, RiskError> {
            let added = mul_div_ceil(x.0, by.0, Ratio::SCALE)?;
            Ok(x.plus(Ratio(added))?.min(most.max(x)))
        };
        Ok(AssetParams {
            vol_up: wider(self.vol_up, AssetParams::LARGEST_VOL_UP)?,
            vol_down: wider(self.vol_down, Ratio::ONE)?,
            ..*self
        })
    }

    /// The largest ψ.
    pub const LARGEST_SCAN_RANGE: Ratio = Ratio(950_000_000);
    /// The largest v_u.
    pub const LARGEST_VOL_UP: Ratio = Ratio(10_000_000_000);
    /// The least depth a market may be given: $1.
    pub const MIN_DEPTH: Dollars = Dollars(100_000_000);
}

/// Risk parameters of the portfolio as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortfolioParams {
    /// Maintenance over initial, the buffer aside: 0.70.
    pub maintenance_factor: Ratio,
    /// The deepest fall a scenario assumes: 0.95.
    pub shock_floor: Ratio,
    /// w_k: the weight of each level. They add up to 1; an unused level weighs 0.
    pub level_weights: [Ratio; MAX_LEVELS],
    /// The part of a bucket's long option value that is asked as margin: 0.05.
    pub net_option_value: Ratio,
    /// The part of matched vega of different expiries that is asked as margin: 0.25.
    pub vega_offset: Ratio,
}

impl PortfolioParams {
    /// The parameters of sections 1 to 3: levels 0.50 without netting, 0.25 {BTC, ETH}, 0.25 {BTC, ETH, SOL}.
    pub const DEFAULT: PortfolioParams = PortfolioParams {
        maintenance_factor: Ratio::from_ppm(700_000),
        shock_floor: Ratio::from_ppm(950_000),
        level_weights: [
            Ratio::from_ppm(500_000),
            Ratio::from_ppm(250_000),
            Ratio::from_ppm(250_000),
            Ratio::ZERO,
        ],
        net_option_value: Ratio::from_ppm(50_000),
        vega_offset: Ratio::from_ppm(250_000),
    };

    /// Checks every field against its hard bounds, and that the weights add up to exactly 1.
    ///
    /// Fails with [`RiskError::InvalidParameter`].
    pub fn validate(&self) -> Result<(), RiskError> {
        const ONE: i64 = Ratio::SCALE;
        let PortfolioParams {
            maintenance_factor,
            shock_floor,
            level_weights,
            net_option_value,
            vega_offset,
        } = *self;
        let mut total = Ratio::ZERO;
        for weight in level_weights {
            if !within(weight, 0, ONE) {
                return Err(RiskError::InvalidParameter);
            }
            total = total.plus(weight)?;
        }
        if total == Ratio::ONE
            && within(maintenance_factor, 0, ONE)
            && within(shock_floor, 1, ONE)
            && within(net_option_value, 0, ONE)
            && within(vega_offset, 0, ONE)
        {
            Ok(())
        } else {
            Err(RiskError::InvalidParameter)
        }
    }
}

impl Default for PortfolioParams {
    fn default() -> PortfolioParams {
        PortfolioParams::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;

    const DEFAULTS: [AssetParams; 5] = [
        defaults::BTC,
        defaults::ETH,
        defaults::SOL,
        defaults::MID_CAP,
        defaults::STABLE,
    ];

    #[test]
    fn the_table_is_within_the_bounds() {
        assert!(DEFAULTS.iter().all(|p| p.validate().is_ok()));
        assert_eq!(PortfolioParams::DEFAULT.validate(), Ok(()));
    }

    /// The table of section 4, row by row: BTC, ETH, SOL, mid cap; in 10⁻⁹ and dollars.
    #[test]
    fn the_defaults_are_the_table() {
        let row = |field: fn(&AssetParams) -> Ratio| {
            let values = [0, 1, 2, 3].map(|i: usize| field(&DEFAULTS[i]).0);
            values.map(|v| v / 1_000_000) // in 0.1 %
        };
        assert_eq!(row(|p| p.scan_range), [95, 120, 190, 240]);
        assert_eq!(row(|p| p.buffer), [5, 5, 10, 10]);
        assert_eq!(row(|p| p.basis), [15, 20, 30, 40]);
        assert_eq!(row(|p| p.spread), [1_000; 4]);
        assert_eq!(row(|p| p.option_spread), [200; 4]);
        assert_eq!(row(|p| p.short_option_minimum), [10, 10, 15, 20]);
        assert_eq!(row(|p| p.vol_up), [400, 400, 450, 500]);
        assert_eq!(row(|p| p.vol_down), [250; 4]);
        assert_eq!(row(|p| p.concentration), [20, 20, 30, 50]);
        assert_eq!(row(|p| p.haircut_initial), [150, 150, 250, 500]);
        assert_eq!(row(|p| p.haircut_maintenance), [100, 100, 200, 400]);
        assert_eq!(row(|p| p.hedge_recognition), [1_000, 1_000, 1_000, 0]);
        let depths = [0, 1, 2, 3].map(|i: usize| DEFAULTS[i].depth.0 / 100_000_000_000_000);
        assert_eq!(depths, [25, 15, 5, 1]); // million dollars
        let stable = defaults::STABLE;
        assert_eq!(
            (stable.haircut_initial, stable.haircut_maintenance),
            (Ratio(20_000_000), Ratio(10_000_000))
        );
        assert_eq!(stable.scan_range, Ratio::ZERO);
    }

    #[test]
    fn each_field_has_its_bound() {
        let refused = |change: fn(&mut AssetParams)| {
            let mut params = defaults::BTC;
            change(&mut params);
            assert_eq!(params.validate(), Err(RiskError::InvalidParameter));
        };
        refused(|p| p.scan_range = Ratio(950_000_001));
        refused(|p| p.scan_range = Ratio(-1));
        refused(|p| p.buffer = Ratio(1_000_000_001));
        refused(|p| p.basis = Ratio(-1));
        refused(|p| p.spread = Ratio(4_000_000_001));
        refused(|p| p.option_spread = Ratio(-1));
        refused(|p| p.short_option_minimum = Ratio(-1));
        refused(|p| p.vol_up = Ratio(10_000_000_001));
        refused(|p| p.vol_down = Ratio(1_000_000_001));
        refused(|p| p.depth = Dollars(99_999_999));
        refused(|p| p.depth = Dollars(MAX_GROSS.0 + 1));
        refused(|p| p.concentration = Ratio(1_000_000_001));
        refused(|p| p.haircut_initial = Ratio(1_000_000_001));
        refused(|p| p.haircut_maintenance = Ratio(150_000_001)); // above the initial one
        refused(|p| p.hedge_recognition = Ratio(1_000_000_001));
        refused(|p| p.clusters[3] = 9);
    }

    #[test]
    fn weights_add_up_to_one() {
        let refused = |change: fn(&mut PortfolioParams)| {
            let mut params = PortfolioParams::DEFAULT;
            change(&mut params);
            assert_eq!(params.validate(), Err(RiskError::InvalidParameter));
        };
        refused(|p| p.level_weights[3] = Ratio(1));
        refused(|p| p.level_weights = [Ratio(2_000_000_000), Ratio(-1_000_000_000), Ratio(0), Ratio(0)]);
        refused(|p| p.maintenance_factor = Ratio(1_000_000_001));
        refused(|p| p.shock_floor = Ratio::ZERO);
        refused(|p| p.net_option_value = Ratio(-1));
        refused(|p| p.vega_offset = Ratio(1_000_000_001));
    }
}
