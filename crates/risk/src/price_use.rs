//! What a price still allows when it is not fresh and tight, by what it is needed for; and how far it may be off.
//!
//! One table for every instruction: an unrelated bad feed never blocks an exit and never protects another leg from liquidation.
use crate::{PriceState, RiskError};
use ballast_fixed::kernel::{sqrt, Q48};
use ballast_fixed::{mul_div_ceil, Price, Ratio};

/// How good the price of an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Quality {
    /// Fresh, with a confidence within its limit and sources that agree.
    Tight = 0,
    /// Fresh, but its confidence is beyond the limit or its sources lie apart.
    Wide = 1,
    /// Older than its limit.
    Stale = 2,
}

/// What a price is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PriceUse {
    /// Deposit, repay, cancel, reduce.
    Exit = 0,
    /// A trade that adds risk.
    AddRisk = 1,
    /// A withdrawal.
    Withdraw = 2,
    /// Taking a leg in this asset from an account that is liquidated.
    Liquidate = 3,
    /// A settlement price, and turning P&L into cash.
    Settle = 4,
    /// A trade in this very asset that adds to a position.
    Trade = 5,
}

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// At the price itself.
    Yes,
    /// If the account passes with this asset at the bound that is worse for it: [`against`].
    AtWorseBound,
    /// If the account fails with this asset at the bound that is better for it as well: [`favour`].
    OutsideBand,
    /// Not at all.
    No,
}

/// Rows by [`Quality`], columns by [`PriceUse`].
const TABLE: [[Permission; 6]; 3] = {
    use Permission::{AtWorseBound, No, OutsideBand, Yes};
    [
        [Yes, Yes, Yes, Yes, Yes, Yes],
        [Yes, AtWorseBound, AtWorseBound, OutsideBand, No, AtWorseBound],
        [AtWorseBound, AtWorseBound, AtWorseBound, No, No, No],
    ]
};

/// What a price of this quality allows.
///
/// An exit is judged by what it changes: at a bound it is valued there before and after.
pub const fn permission(quality: Quality, price_use: PriceUse) -> Permission {
    TABLE[quality as usize][price_use as usize]
}

/// How long a feed may be silent before what its asset adds to the liquidation equity is cut to its own maintenance margin, seconds.
pub const DEAD_AFTER: i64 = 3_600;
const DAY: i64 = 86_400;

/// A confidence relative to the price it belongs to, rounded up and at most 1.
///
/// # Errors
/// [`RiskError::InvalidParameter`] for a price that is not positive or a negative confidence.
pub fn confidence_ratio(confidence: Price, price: Price) -> Result<Ratio, RiskError> {
    if price.0 <= 0 || confidence.0 < 0 {
        return Err(RiskError::InvalidParameter);
    }
    if confidence >= price {
        return Ok(Ratio::ONE);
    }
    Ok(Ratio(mul_div_ceil(confidence.0, Ratio::SCALE, price.0)?))
}

/// How far a price may be off against the account, as a part of it: where risk is added or a withdrawal is valued. Rounded up, at most 1.
///
/// A wide one by its confidence; a stale one by its last confidence and what three standard deviations of its age may be:
/// ψ·√(age / 1 day), at most ψ. `age` is in seconds since it was published, `scan_range` the ψ in force.
pub fn against(quality: Quality, confidence: Ratio, scan_range: Ratio, age: i64) -> Ratio {
    bound(quality, confidence, scan_range, scan_range, age)
}

/// How far a price may be off in the account's favour, as a part of it: where it is asked whether the account is to be liquidated.
/// Rounded up, at most 1.
///
/// The same as [`against`], but what a stale price is moved by besides its last confidence is at most ψ/4 (margin.md section 8).
pub fn favour(quality: Quality, confidence: Ratio, scan_range: Ratio, age: i64) -> Ratio {
    let quarter = Ratio(scan_range.0.saturating_add(3) / 4);
    bound(quality, confidence, scan_range, quarter, age)
}

/// The price as a liquidation is to take it: moved by [`favour`], and dead after [`DEAD_AFTER`].
pub fn liquidation_state(quality: Quality, confidence: Ratio, scan_range: Ratio, age: i64) -> PriceState {
    PriceState {
        uncertainty: favour(quality, confidence, scan_range, age),
        dead: quality == Quality::Stale && age > DEAD_AFTER,
    }
}

fn bound(quality: Quality, confidence: Ratio, scan_range: Ratio, most: Ratio, age: i64) -> Ratio {
    let moved = match quality {
        Quality::Tight => return Ratio::ZERO,
        Quality::Wide => Ratio::ZERO,
        Quality::Stale => diffusion(scan_range, age).min(most),
    };
    Ratio(confidence.0.max(0).saturating_add(moved.0)).min(Ratio::ONE)
}

/// ψ·√(age / 1 day), rounded up; ψ itself from a day on. ψ is held within 0 to 1.
fn diffusion(scan_range: Ratio, age: i64) -> Ratio {
    const BITS: u32 = 32;
    let scan_range = scan_range.max(Ratio::ZERO).min(Ratio::ONE);
    if age >= DAY {
        return scan_range;
    }
    if age <= 0 {
        return Ratio::ZERO;
    }
    // The root to 2⁻³², rounded up: at most 2³² + 1. ψ is at most 2³⁰, so the product fits.
    let root = (sqrt(Q48::quotient(age, DAY)).0 >> (48u32.wrapping_sub(BITS))).wrapping_add(1);
    let product = scan_range.0.wrapping_mul(root);
    Ratio(product.wrapping_add((1 << BITS) - 1) >> BITS).min(scan_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::{AtWorseBound, No, OutsideBand, Yes};
    use PriceUse::{AddRisk, Exit, Liquidate, Settle, Trade, Withdraw};
    use Quality::{Stale, Tight, Wide};

    const PSI: Ratio = Ratio(95_000_000);
    const CONFIDENCE: Ratio = Ratio(1_000_000);

    /// The table of the design, cell by cell.
    #[test]
    fn the_table() {
        for (quality, price_use, expected) in [
            (Tight, Exit, Yes),
            (Tight, AddRisk, Yes),
            (Tight, Withdraw, Yes),
            (Tight, Liquidate, Yes),
            (Tight, Settle, Yes),
            (Tight, Trade, Yes),
            (Wide, Exit, Yes),
            (Wide, AddRisk, AtWorseBound),
            (Wide, Withdraw, AtWorseBound),
            (Wide, Liquidate, OutsideBand),
            (Wide, Settle, No),
            (Wide, Trade, AtWorseBound),
            (Stale, Exit, AtWorseBound),
            (Stale, AddRisk, AtWorseBound),
            (Stale, Withdraw, AtWorseBound),
            (Stale, Liquidate, No),
            (Stale, Settle, No),
            (Stale, Trade, No),
        ] {
            assert_eq!(permission(quality, price_use), expected, "{quality:?} {price_use:?}");
        }
    }

    #[test]
    fn a_tight_price_is_not_off_and_a_wide_one_by_its_confidence() {
        for age in [0, 60, 1_000_000] {
            assert_eq!(against(Tight, CONFIDENCE, PSI, age), Ratio::ZERO);
            assert_eq!(favour(Tight, CONFIDENCE, PSI, age), Ratio::ZERO);
            assert_eq!(against(Wide, CONFIDENCE, PSI, age), CONFIDENCE);
            assert_eq!(favour(Wide, CONFIDENCE, PSI, age), CONFIDENCE);
        }
    }

    #[test]
    fn a_stale_price_is_off_by_more_as_it_ages() {
        // √(15 min / 1 day) = 0.1020620726159658: 9.5 % of it is 0.96958968985…%, and 0.1 % of confidence.
        assert_eq!(against(Stale, CONFIDENCE, PSI, 900), Ratio(1_000_000 + 9_695_897));
        assert_eq!(favour(Stale, CONFIDENCE, PSI, 900), Ratio(1_000_000 + 9_695_897));
        // A quarter of ψ is reached after a sixteenth of a day, ψ itself after a day.
        assert_eq!(favour(Stale, CONFIDENCE, PSI, 5_399), Ratio(1_000_000 + 23_747_801));
        assert_eq!(favour(Stale, CONFIDENCE, PSI, 5_400), Ratio(1_000_000 + 23_750_000));
        assert_eq!(favour(Stale, CONFIDENCE, PSI, 5_401), Ratio(1_000_000 + 23_750_000));
        // The root of a quarter is a half; what it may be rounded by is added.
        assert_eq!(against(Stale, CONFIDENCE, PSI, 21_600), Ratio(1_000_000 + 47_500_001));
        assert_eq!(against(Stale, CONFIDENCE, PSI, 86_399), Ratio(1_000_000 + 94_999_451));
        assert_eq!(against(Stale, CONFIDENCE, PSI, 86_400), Ratio(1_000_000 + 95_000_000));
        assert_eq!(against(Stale, CONFIDENCE, PSI, i64::MAX), Ratio(1_000_000 + 95_000_000));
        assert_eq!(against(Stale, CONFIDENCE, PSI, 0), CONFIDENCE);
        assert_eq!(against(Stale, CONFIDENCE, PSI, i64::MIN), CONFIDENCE);
    }

    #[test]
    fn bounds_never_fall_with_age_and_stay_within_one() {
        let mut last = Ratio::ZERO;
        for age in (0..90_000).step_by(7) {
            let now = against(Stale, CONFIDENCE, PSI, age);
            let exact = PSI.0 as f64 * (age.min(DAY) as f64 / DAY as f64).sqrt() + CONFIDENCE.0 as f64;
            assert!(
                now >= last && (now.0 as f64) > exact - 1e-3 && (now.0 as f64) < exact + 1.3,
                "{age}"
            );
            last = now;
        }
        assert_eq!(against(Stale, Ratio::ONE, PSI, 900), Ratio::ONE);
        assert_eq!(against(Wide, Ratio(i64::MAX), PSI, 900), Ratio::ONE);
        assert_eq!(against(Stale, Ratio(i64::MIN), Ratio(i64::MAX), DAY), Ratio::ONE);
        assert_eq!(favour(Stale, Ratio(i64::MAX), Ratio(i64::MIN), DAY), Ratio::ONE);
        // A quarter is rounded up.
        assert_eq!(favour(Stale, Ratio::ZERO, Ratio(5), DAY), Ratio(2));
    }

    #[test]
    fn a_feed_is_dead_after_an_hour() {
        assert!(!liquidation_state(Stale, CONFIDENCE, PSI, 3_600).dead);
        assert!(liquidation_state(Stale, CONFIDENCE, PSI, 3_601).dead);
        assert!(!liquidation_state(Wide, CONFIDENCE, PSI, 3_601).dead);
        assert_eq!(liquidation_state(Tight, CONFIDENCE, PSI, 5), PriceState::default());
    }

    #[test]
    fn a_confidence_is_rounded_up_and_held() {
        let price = Price(3_000_000_000);
        assert_eq!(confidence_ratio(Price(1), price), Ok(Ratio(1))); // 0.33
        assert_eq!(confidence_ratio(Price(3_000_000), price), Ok(Ratio(1_000_000)));
        assert_eq!(confidence_ratio(Price(0), price), Ok(Ratio::ZERO));
        assert_eq!(confidence_ratio(Price(i64::MAX), price), Ok(Ratio::ONE));
        assert_eq!(confidence_ratio(Price(1), Price(0)), Err(RiskError::InvalidParameter));
        assert_eq!(confidence_ratio(Price(-1), price), Err(RiskError::InvalidParameter));
    }
}
