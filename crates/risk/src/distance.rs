//! How far one price may move before an account can be liquidated. Reported, no part of the requirement.
//!
//! The search knows nothing of positions: it asks for the account's surplus E_mm − MM at a move, as liquidation would see it, and narrows
//! a bracket of two moves that were both asked for: at the one the account holds, at the other it does not.
//!
//! In one asset's move the surplus of a linear book on fresh prices is made of straight pieces, and it is concave. All linear figures of
//! the asset are multiples of its price, so each of them, its spread charge too (the lesser of two sums, but of two that move as one), is its
//! value now times 1 + the move; what is left is the worst scenario of a cluster, the largest of several straight lines, and equity, the
//! least of some. The chord of a bracket without a corner inside hits the root itself, so
//! the search is exact and finite there: a few evaluations for each corner, and one more for the other end. The concentration charge,
//! haircuts that grow with size and options bend the surplus, and a stale price, moved in the account's favour, adds corners of the other
//! kind; the search is then the method of false position (Illinois), held to halving the bracket in three evaluations. Options also let
//! it dip and recover. What is nearest is therefore looked for outward from the start in equal steps, and a dip between two of them goes
//! unseen: more steps see more.
use ballast_fixed::{Dollars, Ratio};

/// Which moves are looked at, relative to the price: 0.10 is a rise of 10 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where to start.
    pub from: Ratio,
    /// Where to end, above or below.
    pub to: Ratio,
    /// In how many equal steps, at least one.
    pub steps: u8,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Most moves that are evaluated.
    pub evaluations: u32,
    /// A bracket of this width is narrow enough; at least 10⁻⁹.
    pub tolerance: Ratio,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// The farthest move looked at that the account survives, before the first that it does not. The start when it does not survive that.
    pub safe: Ratio,
    /// The nearest move looked at that makes it liquidatable; `None` where none was met up to `safe`.
    pub liquidatable: Option<Ratio>,
}

/// The nearest move of the span at which `surplus` is negative, from both sides.
///
/// # Errors
/// Those of `surplus`.
pub fn distance<E>(
    span: &Span,
    effort: &Effort,
    mut surplus: impl FnMut(Ratio) -> Result<Dollars, E>,
) -> Result<Distance, E> {
    let mut left = effort.evaluations;
    let mut evaluate = |at: i64| {
        left = left.saturating_sub(1);
        surplus(Ratio(at)).map(|value| (value.0, left))
    };
    let (mut safe, mut left) = evaluate(span.from.0).map(|(value, left)| ((span.from.0, value), left))?;
    if safe.1 < 0 {
        return Ok(found(span.from.0, Some(span.from.0)));
    }
    let steps = i128::from(span.steps.max(1));
    let length = i128::from(span.to.0).wrapping_sub(i128::from(span.from.0)); // two 64-bit numbers
    let mut step = 1i128;
    while step <= steps && left > 0 {
        let part = length.wrapping_mul(step).checked_div(steps).unwrap_or(length); // 65 and 8 bits
        let at = span.from.0.saturating_add(part as i64); // no longer than the length, so it fits with `from`
        let value;
        (value, left) = evaluate(at)?;
        if value < 0 {
            let bracket = Bracket {
                safe,
                broken: (at, value),
            };
            return bracket.narrow(effort.tolerance.0.max(1), left, |at| Ok(evaluate(at)?.0));
        }
        safe = (at, value);
        step = step.wrapping_add(1);
    }
    Ok(found(safe.0, None))
}

fn found(safe: i64, liquidatable: Option<i64>) -> Distance {
    Distance {
        safe: Ratio(safe),
        liquidatable: liquidatable.map(Ratio),
    }
}

/// Two moves and the surplus at them: not negative at the first, negative at the second.
struct Bracket {
    safe: (i64, i64),
    broken: (i64, i64),
}

impl Bracket {
    fn width(&self) -> u64 {
        self.safe.0.abs_diff(self.broken.0)
    }

    /// The move that lies `by` from the safe end towards the other.
    fn inside(&self, by: u64) -> i64 {
        if self.broken.0 > self.safe.0 {
            self.safe.0.saturating_add_unsigned(by)
        } else {
            self.safe.0.saturating_sub_unsigned(by)
        }
    }

    /// Where the chord between the weights of both ends meets zero, at least `tolerance` from either.
    fn chord(&self, weights: (i64, i64), tolerance: u64) -> i64 {
        let (high, low) = (i128::from(weights.0), i128::from(weights.1).wrapping_neg());
        let total = high.wrapping_add(low); // two positive 64-bit numbers
        let width = self.width();
        let part = i128::from(width).wrapping_mul(high).checked_div(total); // 64 and 63 bits
        let part = part.and_then(|p| u64::try_from(p).ok()).unwrap_or(width >> 1);
        self.inside(part.min(width.saturating_sub(tolerance)).max(tolerance))
    }

    fn narrow<E>(
        mut self,
        tolerance: i64,
        evaluations: u32,
        mut evaluate: impl FnMut(i64) -> Result<i64, E>,
    ) -> Result<Distance, E> {
        let tolerance = tolerance.unsigned_abs();
        // The chord's ends: an end that stays twice is halved, or the other would creep.
        let mut weights = (self.safe.1, self.broken.1);
        let mut last = None;
        let mut width = self.width();
        for evaluation in 1..=evaluations {
            if self.width() <= tolerance {
                break;
            }
            let third = evaluation.is_multiple_of(3);
            let creeps = third && self.width() > width >> 1;
            let at = if creeps {
                self.inside(self.width() >> 1)
            } else {
                self.chord(weights, tolerance)
            };
            let value = evaluate(at)?;
            let holds = value >= 0;
            let again = last == Some(holds);
            if holds {
                self.safe = (at, value);
                weights = (value, if again { weights.1 >> 1 } else { self.broken.1 });
            } else {
                self.broken = (at, value);
                weights = (if again { weights.0 >> 1 } else { self.safe.1 }, value);
            }
            last = Some(holds);
            if third {
                width = self.width();
            }
        }
        Ok(found(self.safe.0, Some(self.broken.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;

    const PERCENT: i64 = 10_000_000;

    fn span(from: i64, to: i64, steps: u8) -> Span {
        Span {
            from: Ratio(from),
            to: Ratio(to),
            steps,
        }
    }

    /// The bracket and how many evaluations it took.
    fn run(span: Span, evaluations: u32, tolerance: i64, surplus: impl Fn(i64) -> i64) -> (i64, Option<i64>, u32) {
        let effort = Effort {
            evaluations,
            tolerance: Ratio(tolerance),
        };
        let mut count = 0;
        let result = distance::<Infallible>(&span, &effort, |at| {
            count += 1;
            Ok(Dollars(surplus(at.0)))
        });
        let found = result.unwrap_or_default();
        (found.safe.0, found.liquidatable.map(|r| r.0), count)
    }

    /// Long 100,000 dollars with 2,850 of surplus and 7.15 % of maintenance: 2,850 + 92,850·m is 0 at m = −3.06946688…%.
    fn long(at: i64) -> i64 {
        285_000_000_000 + ((at as i128 * 9_285_000_000_000) / 1_000_000_000) as i64
    }

    #[test]
    fn a_straight_line_takes_a_handful() {
        let (safe, broken, count) = run(span(0, -100 * PERCENT, 1), 40, 1, long);
        assert_eq!((safe, broken), (-30_694_668, Some(-30_694_669)));
        assert!(count <= 5, "{count}");
        // Upwards it never ends.
        assert_eq!(
            run(span(0, 1_000 * PERCENT, 4), 40, 1, long),
            (1_000 * PERCENT, None, 5)
        );
    }

    #[test]
    fn corners_are_passed_exactly() {
        // Falls by 1 a unit up to 5 %, by 5 up to 9 %, by 100 from there: 10⁹ − 5·10⁷ − 2·10⁸ = 7.5·10⁸ is left at 9 %, gone 7.5·10⁶ later.
        let surplus = |at: i64| {
            let (first, second) = (at.min(5 * PERCENT), (at.min(9 * PERCENT) - 5 * PERCENT).max(0));
            1_000_000_000 - first - 5 * second - 100 * (at - 9 * PERCENT).max(0)
        };
        let (safe, broken, count) = run(span(0, 1_000 * PERCENT, 1), 40, 1, surplus);
        assert_eq!((safe, broken), (97_500_000, Some(97_500_001)));
        assert!(count < 34, "{count}: no better than halving 10¹⁰ moves");
    }

    #[test]
    fn the_nearest_dip_is_found_where_a_step_meets_it() {
        // Under water between 20 % and 30 %, and again from 80 %.
        let surplus = |at: i64| {
            let percent = at / (PERCENT / 1_000);
            let dip = (percent - 20_000).abs().min((percent - 30_000).abs());
            match percent {
                20_001..=29_999 => -dip,
                ..=80_000 => dip.min(80_000 - percent),
                _ => 80_000 - percent,
            }
        };
        let (safe, broken, _) = run(span(0, 100 * PERCENT, 20), 60, PERCENT / 1_000, surplus);
        assert!(safe <= 20 * PERCENT && broken.is_some_and(|b| b > 20 * PERCENT && b - safe <= PERCENT / 1_000));
        // In two steps it goes unseen.
        let (safe, _, _) = run(span(0, 100 * PERCENT, 2), 60, PERCENT / 1_000, surplus);
        assert!(safe > 79 * PERCENT, "{safe}");
    }

    #[test]
    fn an_account_under_water_is_at_no_distance() {
        assert_eq!(run(span(0, 100 * PERCENT, 8), 40, 1, |_| -1), (0, Some(0), 1));
        assert_eq!(run(span(0, 100 * PERCENT, 8), 40, 1, |_| 0), (100 * PERCENT, None, 9));
    }

    #[test]
    fn ends_are_both_evaluated_and_the_budget_is_kept() {
        // Convex, concave and with a jump, on either side.
        let curves: [fn(i64) -> i64; 4] = [
            |at| 1_000_000 - (at.abs() / 1_000) * (at.abs() / 1_000) / 7,
            |at| 1_000_000_000_000 / (1 + at.abs() / 1_000) - 3_000_000,
            |at| if at.abs() < 123_456_789 { 1 << 50 } else { -1 },
            |at| if at.abs() < 123_456_789 { 1 } else { -(1 << 50) },
        ];
        for curve in curves {
            for to in [100 * PERCENT, -100 * PERCENT] {
                for evaluations in [3, 8, 66] {
                    let (safe, broken, count) = run(span(0, to, 1), evaluations, 1_000, curve);
                    let broken = broken.expect("it ends");
                    assert!(curve(safe) >= 0 && curve(broken) < 0 && count <= evaluations);
                    if evaluations == 66 {
                        assert!((broken - safe).abs() <= 1_000, "{safe} {broken}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_budget_that_ends_in_the_steps_says_how_far_it_came() {
        assert_eq!(run(span(0, 100 * PERCENT, 10), 4, 1, |_| 1), (30 * PERCENT, None, 4));
    }
}
