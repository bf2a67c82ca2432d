//! The 24 scenarios (methodology, section 1) and what a linear leg gains or loses in them.
use crate::RiskError;
use ballast_fixed::{div_rem_floor, times_64, Dollars, Notional, Ratio};

/// Scenarios a portfolio is revalued in.
pub const SCENARIOS: usize = 24;

/// Profit or loss in each scenario, in units of [`Dollars`].
pub type ScenarioPnl = [i64; SCENARIOS];

/// What a scenario does to implied volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// σ↑.
    Up,
    /// σ↓.
    Down,
    /// σ(1 + 0.15k).
    TiltUp,
    /// σ(1 − 0.15k).
    TiltDown,
    /// σ(1 + 0.15|k|).
    Wings,
    /// Unchanged, with one day less to expiry.
    DayLess,
}

/// One row of the table of section 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// 3p: the price shock in thirds of the scan range ψ.
    pub thirds: i8,
    /// What happens to volatility.
    pub volatility: Volatility,
    /// 1/w: the loss is divided by it.
    pub divisor: u8,
}

const fn row(thirds: i8, volatility: Volatility, divisor: u8) -> Scenario {
    Scenario {
        thirds,
        volatility,
        divisor,
    }
}

/// The table of section 1.
pub const TABLE: [Scenario; SCENARIOS] = {
    use Volatility::{DayLess, Down, TiltDown, TiltUp, Up, Wings};
    [
        row(0, Up, 1),
        row(0, Down, 1),
        row(1, Up, 1),
        row(1, Down, 1),
        row(-1, Up, 1),
        row(-1, Down, 1),
        row(2, Up, 1),
        row(2, Down, 1),
        row(-2, Up, 1),
        row(-2, Down, 1),
        row(3, Up, 1),
        row(3, Down, 1),
        row(-3, Up, 1),
        row(-3, Down, 1),
        row(-6, Up, 2),
        row(6, Up, 2),
        row(-12, Up, 4),
        row(12, Up, 4),
        row(24, Up, 8),
        row(36, Up, 12),
        row(0, TiltUp, 1),
        row(0, TiltDown, 1),
        row(0, Wings, 1),
        row(0, DayLess, 1),
    ]
};

/// The greatest loss in any scenario, never negative: L of section 1.
pub fn worst_loss(pnl: &ScenarioPnl) -> Result<Dollars, RiskError> {
    let least = pnl.iter().fold(0, |least, &x| x.min(least));
    Ok(Dollars(least).negated()?)
}

/// The scenario of the least profit; the first of several.
pub fn worst_scenario(pnl: &ScenarioPnl) -> u8 {
    let mut worst = (0u8, i64::MAX);
    for (index, &x) in (0u8..).zip(pnl) {
        if x < worst.1 {
            worst = (index, x);
        }
    }
    worst.0
}

/// P&L of a book without options, in units of [`Dollars`]: it depends on the price alone, so eight values stand for the table.
///
/// In the rises beyond ψ the weight 1/p undoes the shock p·ψ, so they equal the rise by ψ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PriceMoves {
    /// At +⅓ψ, +⅔ψ and +ψ.
    pub rise: [i64; 3],
    /// At −⅓ψ, −⅔ψ and −ψ.
    pub fall: [i64; 3],
    /// At −2ψ and −4ψ, weighted.
    pub crash: [i64; 2],
}

impl PriceMoves {
    /// Both books together. Fails on overflow.
    pub fn plus(&self, other: &PriceMoves) -> Result<PriceMoves, RiskError> {
        let mut sum = *self;
        let pairs = (sum.rise.iter_mut().zip(other.rise))
            .chain(sum.fall.iter_mut().zip(other.fall))
            .chain(sum.crash.iter_mut().zip(other.crash));
        for (a, b) in pairs {
            *a = a.checked_add(b).ok_or(RiskError::Overflow)?;
        }
        Ok(sum)
    }

    /// The whole table of 24.
    pub fn expand(&self) -> ScenarioPnl {
        let [r1, r2, r3] = self.rise;
        let [f1, f2, f3] = self.fall;
        let [c2, c4] = self.crash;
        [
            0, 0, r1, r1, f1, f1, r2, r2, f2, f2, r3, r3, f3, f3, c2, r3, c4, r3, r3, r3, 0, 0, 0, 0,
        ]
    }
}

/// ⌊k·x/(3·unit)⌋ for k = 1, 2, 3, and whether each was exact. One division for the three; 0 < unit ≤ 10¹⁹.
#[inline(always)]
pub(crate) fn thirds(x: i128, unit: i128) -> Result<[(i64, bool); 3], RiskError> {
    let (quotient, rest) = div_rem_floor(x, unit)?;
    let mut out = [(0, true); 3];
    for (k, slot) in (1i128..).zip(out.iter_mut()) {
        // k·x/unit = k·quotient + k·rest/unit, where 0 ≤ k·rest < 3·unit fits; then ⌊⌊k·x/unit⌋/3⌋ = ⌊k·x/(3·unit)⌋.
        let part = rest.wrapping_mul(k);
        let carry = i64::from(part >= unit).wrapping_add(i64::from(part >= unit.wrapping_mul(2)));
        let whole = i64::try_from(quotient.wrapping_mul(k)) // |quotient| ≤ 2¹²⁷/unit; units below 10¹⁸ are not used
            .ok()
            .and_then(|v| v.checked_add(carry))
            .ok_or(RiskError::Overflow)?;
        let exact = part == i128::from(carry).wrapping_mul(unit) && whole.wrapping_rem(3) == 0;
        *slot = (whole.div_euclid(3), exact);
    }
    Ok(out)
}

/// Scenario P&L of a net linear notional, each value rounded down, and whether all of them are exact.
///
/// Needs ψ ≤ the shock floor, so that only the two crashes can reach it.
pub(crate) fn linear_moves(
    net: Notional,
    scan_range: Ratio,
    shock_floor: Ratio,
) -> Result<(PriceMoves, bool), RiskError> {
    const UNIT: i128 = Notional::PER_RATIO_DOLLAR;
    let scaled = product(net.0, scan_range)?;
    let mut moves = PriceMoves::default();
    let mut all_exact = true;
    for (k, (up, exact)) in thirds(scaled, UNIT)?.into_iter().enumerate() {
        // ⌊−x⌋ = −⌈x⌉.
        let down = up
            .checked_neg()
            .and_then(|x| x.checked_sub(i64::from(!exact)))
            .ok_or(RiskError::Overflow)?;
        (moves.rise[k], moves.fall[k]) = (up, down);
        all_exact &= exact;
    }
    moves.crash = [moves.fall[2]; 2];
    for (slot, multiple) in moves.crash.iter_mut().zip([2i64, 4]) {
        let shock = scan_range.0.checked_mul(multiple).ok_or(RiskError::Overflow)?;
        if shock > shock_floor.0 {
            let loss = product(net.0, shock_floor)?.checked_neg().ok_or(RiskError::Overflow)?;
            let divisor = UNIT.checked_mul(i128::from(multiple)).ok_or(RiskError::Overflow)?;
            let (value, rest) = div_rem_floor(loss, divisor)?;
            *slot = i64::try_from(value).map_err(|_| RiskError::Overflow)?;
            all_exact &= rest == 0;
        }
    }
    Ok((moves, all_exact))
}

/// x·ratio without rounding.
pub(crate) fn product(x: i128, ratio: Ratio) -> Result<i128, RiskError> {
    Ok(times_64(x, ratio.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Ratio = Ratio(950_000_000);

    fn usd(dollars: i64) -> i64 {
        dollars * 100_000_000
    }

    fn notional(dollars: i64) -> Notional {
        Notional::from_dollars(Dollars(usd(dollars)))
    }

    /// p·w of every row of section 1, in twelfths so that it is whole: what a linear position loses, in ψ.
    #[test]
    fn the_table_is_that_of_the_methodology() {
        let twelfths: [i64; SCENARIOS] = [
            0, 0, 4, 4, -4, -4, 8, 8, -8, -8, 12, 12, -12, -12, -12, 12, -12, 12, 12, 12, 0, 0, 0, 0,
        ];
        for (index, (row, expected)) in TABLE.iter().zip(twelfths).enumerate() {
            assert_eq!(
                i64::from(row.thirds) * 4 / i64::from(row.divisor),
                expected,
                "scenario {index}"
            );
        }
        assert_eq!(TABLE.map(|row| row.thirds)[14..20], [-6, 6, -12, 12, 24, 36]);
        assert_eq!(
            TABLE[..14]
                .iter()
                .filter(|row| row.volatility == Volatility::Up)
                .count(),
            7
        );
        assert!(TABLE[14..20].iter().all(|row| row.volatility == Volatility::Up));
    }

    #[test]
    fn the_eight_values_expand_to_their_rows() {
        let moves = PriceMoves {
            rise: [4, 8, 12],
            fall: [-4, -8, -12],
            crash: [-120, -121],
        };
        for (row, value) in TABLE.iter().zip(moves.expand()) {
            let expected = match row.thirds {
                -6 => -120,
                -12 => -121,
                thirds => i64::from(thirds) * 4 / i64::from(row.divisor),
            };
            assert_eq!(value, expected, "{row:?}");
        }
    }

    #[test]
    fn thirds_round_down() {
        // 7/3, 14/3, 21/3 and −7/3, −14/3, −21/3.
        assert_eq!(thirds(7, 1), Ok([(2, false), (4, false), (7, true)]));
        assert_eq!(thirds(-7, 1), Ok([(-3, false), (-5, false), (-7, true)]));
        assert_eq!(thirds(29, 10), Ok([(0, false), (1, false), (2, false)]));
        assert_eq!(thirds(30, 10), Ok([(1, true), (2, true), (3, true)]));
        assert_eq!(thirds(i128::MAX, 1), Err(RiskError::Overflow));
    }

    #[test]
    fn a_long_bitcoin_loses_psi_at_most() {
        let (moves, exact) = linear_moves(notional(100_000), Ratio(95_000_000), FLOOR).unwrap();
        // A third of 9,500 is 3,166.66…: down in both directions.
        assert_eq!(moves.rise, [316_666_666_666, 633_333_333_333, usd(9_500)]);
        assert_eq!(moves.fall, [-316_666_666_667, -633_333_333_334, -usd(9_500)]);
        assert_eq!(moves.crash, [-usd(9_500), -usd(9_500)]);
        assert!(!exact);
        assert_eq!(worst_loss(&moves.expand()), Ok(Dollars(usd(9_500))));
        assert_eq!(worst_scenario(&moves.expand()), 12);
    }

    #[test]
    fn a_crash_stops_at_the_shock_floor() {
        // ψ = 60 %: −2ψ is cut to ½·95 %, −4ψ to ¼·95 %.
        let (long, exact) = linear_moves(notional(1_000), Ratio(600_000_000), FLOOR).unwrap();
        assert_eq!(long.crash, [-usd(475), -usd(237) - 50_000_000]);
        assert!(exact);
        let (short, _) = linear_moves(notional(-1_000), Ratio(600_000_000), FLOOR).unwrap();
        assert_eq!(short.crash, [usd(475), usd(237) + 50_000_000]);
        assert_eq!(short.rise[2], -usd(600));
        // ψ = 23.75 %: −4ψ is the floor itself, so nothing is cut.
        let (edge, _) = linear_moves(notional(1_000), Ratio(237_500_000), FLOOR).unwrap();
        assert_eq!(edge.crash, [edge.fall[2]; 2]);
    }

    #[test]
    fn dust_rounds_against_the_account() {
        let (dust, exact) = linear_moves(Notional(1), Ratio(1), FLOOR).unwrap();
        assert_eq!((dust.rise, dust.fall, exact), ([0; 3], [-1; 3], false));
        let (none, exact) = linear_moves(Notional::ZERO, Ratio(1), FLOOR).unwrap();
        assert_eq!((none, exact), (PriceMoves::default(), true));
    }

    #[test]
    fn gains_everywhere_are_no_loss() {
        assert_eq!(worst_loss(&[5; SCENARIOS]), Ok(Dollars::ZERO));
        assert_eq!(worst_scenario(&[5; SCENARIOS]), 0);
        let mut pnl = [0; SCENARIOS];
        pnl[7] = i64::MIN;
        assert_eq!(worst_loss(&pnl), Err(RiskError::Overflow));
    }
}
