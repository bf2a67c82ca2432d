//! What the property tests of linear books and those with options share.
use ballast_fixed::{Dollars, Ratio};
use ballast_risk::{defaults, AssetParams};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// Assets of an account.
pub const ASSETS: usize = 4;
/// Their parameters.
pub const DEFAULTS: [AssetParams; ASSETS] = [defaults::BTC, defaults::ETH, defaults::SOL, defaults::MID_CAP];

/// Ten thousand cases of a fixed seed: a run says the same on every machine.
pub fn config(seed: u64) -> ProptestConfig {
    ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    }
}

/// The defaults without concentration charges and size haircuts.
pub fn without_size() -> [AssetParams; ASSETS] {
    DEFAULTS.map(|p| AssetParams {
        concentration: Ratio::ZERO,
        ..p
    })
}

/// The defaults with one of an asset's haircuts raised, or ρ.
pub fn with_haircut(asset: usize, which: Haircut, by: i64) -> [AssetParams; ASSETS] {
    let mut raised = DEFAULTS;
    let p = &mut raised[asset];
    match which {
        Haircut::Initial => p.haircut_initial.0 += by,
        Haircut::Maintenance => p.haircut_maintenance.0 += by,
        Haircut::Size => p.concentration.0 += by,
    }
    raised
}

/// What collateral is cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haircut {
    /// h for new risk.
    Initial,
    /// h for liquidation.
    Maintenance,
    /// ρ, which grows with size.
    Size,
}

/// Every haircut.
pub const HAIRCUTS: [Haircut; 3] = [Haircut::Initial, Haircut::Maintenance, Haircut::Size];

/// Whether one figure is at most the other, but for rounding.
pub fn at_most(less: Dollars, more: Dollars, units: i64) -> bool {
    less.0 <= more.0 + units
}
