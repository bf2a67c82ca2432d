//! The slow mean of a volatility surface and how fast a surface and a basis may move (margin.md sections 4 and 5).
use crate::slow_price::closed_part;
use crate::surface::{floor_volatility, Surface, LEAST_SECONDS};
use ballast_fixed::kernel::{root_years, Q48};
use ballast_fixed::{mul_div_floor, Checked, Ratio};

/// Time constant of the mean: one hour.
pub const MEAN_SECONDS: u32 = 3_600;
/// Longest time that a move is allowed for; a publisher that was silent for longer may not jump further.
const MAX_ELAPSED: u32 = 3_600;
/// Largest move of σ_atm, and of the volatility that the variance floor stands for, in an hour as a part of σ_atm: as much again, three times
/// over.
const VOLATILITY_SPEED: Ratio = Ratio(3_000_000_000);
/// Largest move of skew and curvature in an hour.
const SHAPE_SPEED: Ratio = Ratio(300_000_000);
/// Largest move of a basis in an hour.
const BASIS_SPEED: Ratio = Ratio(20_000_000);
/// |basis| ≤ 30 % a year · T + 0.5 %.
const BASIS_RATE: Ratio = Ratio(300_000_000);
const BASIS_MARGIN: Ratio = Ratio(5_000_000);
const YEAR: i64 = 31_536_000;

/// Oldest surface at which options are priced as they stand, seconds.
pub const FRESH_SECONDS: i64 = 900;

/// How much wider volatility shocks are on a surface of this age, as a part of them: nothing up to [`FRESH_SECONDS`], then evenly up to as
/// much again at an hour, rounded up.
pub fn widening(age: i64) -> Ratio {
    const HOUR: i64 = 3_600;
    let over = age.clamp(FRESH_SECONDS, HOUR).wrapping_sub(FRESH_SECONDS); // 0 to 2,700
    let part = over.wrapping_mul(Ratio::SCALE).wrapping_add(HOUR - FRESH_SECONDS - 1);
    Ratio(part / (HOUR - FRESH_SECONDS))
}

/// Largest basis either way of an expiry `seconds` away; rounded down.
///
/// # Errors
/// `Overflow` past three hundred years.
pub fn basis_bound(seconds: i64) -> Checked<Ratio> {
    let by_time = mul_div_floor(BASIS_RATE.0, seconds.max(0), YEAR)?;
    Ratio(by_time).plus(BASIS_MARGIN)
}

/// Whether a basis, 10⁻⁹, moves no faster than it may in `elapsed` seconds.
pub fn is_basis_within_speed(old: i64, new: i64, elapsed: u32) -> bool {
    new.abs_diff(old) <= allowance(BASIS_SPEED, elapsed)
}

/// Whether the surface of an expiry `seconds` away moves no faster than it may in `elapsed` seconds.
///
/// The floor is held to the speed of volatility: with a day to go, a total variance of 0.005 is 135 %.
///
/// # Errors
/// `Overflow` for a volatility out of its bounds.
pub fn is_within_speed(old: &Surface, new: &Surface, elapsed: u32, seconds: i64) -> Checked<bool> {
    let relative = allowance(VOLATILITY_SPEED, elapsed);
    let relative = Ratio(i64::try_from(relative).unwrap_or(i64::MAX));
    let volatility = mul_div_floor(old.at_the_money.0, relative.0, Ratio::SCALE)?.unsigned_abs();
    let root = root_years(seconds.max(LEAST_SECONDS));
    let least = |surface: &Surface| floor_volatility(Q48::from_ratio(surface.variance_floor), root).0;
    let floor = least(new).abs_diff(least(old)); // of the volatilities that options are priced at
    let allowed = Q48::from_ratio(Ratio(i64::try_from(volatility).unwrap_or(i64::MAX))); // to the nearest: equality is refused
    let shape = allowance(SHAPE_SPEED, elapsed);
    Ok(new.at_the_money.0.abs_diff(old.at_the_money.0) <= volatility
        && new.skew.0.abs_diff(old.skew.0) <= shape
        && new.curvature.0.abs_diff(old.curvature.0) <= shape
        && (floor == 0 || floor < allowed.0.unsigned_abs()))
}

/// speed · elapsed in 10⁻⁹, rounded down.
fn allowance(speed: Ratio, elapsed: u32) -> u64 {
    let elapsed = u64::from(elapsed.min(MAX_ELAPSED));
    speed.0.unsigned_abs().saturating_mul(elapsed) / 3_600
}

/// The slow mean after `elapsed` seconds in which the surface stood at `current`; rounded towards where it was.
///
/// # Errors
/// `Overflow` for a surface out of its bounds.
pub fn advance(slow: &Surface, current: &Surface, elapsed: u32) -> Checked<Surface> {
    let closed = closed_part(MEAN_SECONDS, elapsed)?;
    let toward = |from: Ratio, to: Ratio| -> Checked<Ratio> {
        let gap = to.minus(from)?.0;
        // |gap| < 2⁶³ and the part at most 2⁶³: the product fits, and the quotient is no larger than the gap.
        let step = (u128::from(gap.unsigned_abs()).wrapping_mul(u128::from(closed)) >> 63) as i64;
        from.plus(Ratio(if gap < 0 { step.wrapping_neg() } else { step }))
    };
    Ok(Surface {
        at_the_money: toward(slow.at_the_money, current.at_the_money)?,
        skew: toward(slow.skew, current.skew)?,
        curvature: toward(slow.curvature, current.curvature)?,
        variance_floor: toward(slow.variance_floor, current.variance_floor)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Surface = Surface {
        at_the_money: Ratio(600_000_000),
        skew: Ratio(-100_000_000),
        curvature: Ratio(20_000_000),
        variance_floor: Ratio::ZERO,
    };

    /// 30 % · ¼ + 0.5 % = 8 %.
    #[test]
    fn a_basis_is_bound_by_its_time() {
        assert_eq!(basis_bound(YEAR / 4), Ok(Ratio(80_000_000)));
        assert_eq!(basis_bound(-1), Ok(BASIS_MARGIN));
        // 2 % an hour: 0.0333… % a minute.
        assert!(is_basis_within_speed(1_000_000, 1_333_333, 60));
        assert!(!is_basis_within_speed(1_000_000, 1_333_334, 60));
        assert!(is_basis_within_speed(-10_000_000, 10_000_000, u32::MAX));
        assert!(!is_basis_within_speed(-10_000_000, 10_000_001, u32::MAX));
    }

    /// 300 % an hour are 5 % a minute: from 60 % to 57 % or 63 %. Shapes: 0.30 an hour, 0.005 a minute.
    #[test]
    fn a_surface_has_a_top_speed() {
        let within = |change: fn(&mut Surface), elapsed| {
            let mut new = CALM;
            change(&mut new);
            is_within_speed(&CALM, &new, elapsed, 86_400).unwrap()
        };
        assert!(within(|s| s.at_the_money = Ratio(630_000_000), 60));
        assert!(!within(|s| s.at_the_money = Ratio(630_000_001), 60));
        assert!(within(|s| s.at_the_money = Ratio(570_000_000), 60));
        assert!(!within(|s| s.at_the_money = Ratio(569_999_999), 60));
        assert!(within(|s| s.skew = Ratio(-105_000_000), 60));
        assert!(!within(|s| s.skew = Ratio(-105_000_001), 60));
        assert!(!within(|s| s.curvature = Ratio(25_000_001), 60));
        assert!(within(|_| (), 0));
        assert!(!within(|s| s.skew = Ratio(-100_000_001), 0));
    }

    /// 60 % at the money: 3 points a minute. 73 days are 0.2 years, a floor of 0.05 is 50 % there: to 0.2·0.53² = 0.05618 or 0.2·0.47² =
    /// 0.04418. From no floor to 3 %: 0.03²·T, which is 2.46575·10⁻⁶ a day before expiry and 1.0274·10⁻⁷ in the last hour.
    #[test]
    fn a_variance_floor_moves_as_fast_as_volatility() {
        let within = |old: i64, new: i64, elapsed, seconds| {
            let floor = |variance_floor| Surface {
                variance_floor: Ratio(variance_floor),
                ..CALM
            };
            is_within_speed(&floor(old), &floor(new), elapsed, seconds).unwrap()
        };
        const DAY: i64 = 86_400;
        for (old, seconds, fine, fast) in [
            (50_000_000, 73 * DAY, 56_179_999, 56_180_001),
            (50_000_000, 73 * DAY, 44_180_001, 44_179_999),
            (0, DAY, 2_465, 2_466),
            (0, 3_600, 102, 103),
            (0, 0, 102, 103),
            (0, -DAY, 102, 103),
        ] {
            assert!(within(old, fine, 60, seconds), "{old} to {fine}");
            assert!(!within(old, fast, 60, seconds), "{old} to {fast}");
            assert!(
                within(old, old, 0, seconds) && !within(old, old + 1, 0, seconds),
                "{old}"
            );
        }
        // 135 % a day before expiry, and what an hour allows: 180 points, 1.8²/365 = 0.0088767….
        assert!(!within(0, 5_000_000, 60, DAY));
        assert!(within(0, 8_876_712, 3_600, DAY) && !within(0, 8_876_713, u32::MAX, DAY));
    }

    /// An hour closes 1 − 1/e = 0.632120558… of the gap: 60 % to 90 % makes 78.96361676… %.
    #[test]
    fn the_mean_follows() {
        let high = Surface {
            at_the_money: Ratio(900_000_000),
            skew: Ratio(-200_000_000),
            ..CALM
        };
        let after = advance(&CALM, &high, 3_600).unwrap();
        assert_eq!(after.at_the_money, Ratio(789_636_167));
        assert_eq!(after.skew, Ratio(-163_212_055)); // −0.1 − 0.0632120558…
        assert_eq!(after.curvature, CALM.curvature);
        assert_eq!(advance(&CALM, &high, 0), Ok(CALM));
        assert_eq!(advance(&high, &high, 77), Ok(high));
    }
}
