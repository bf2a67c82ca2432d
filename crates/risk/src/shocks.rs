//! The price shocks of section 1 as the pricing kernel takes them: 1 + δ and ln(1 + δ).
use crate::scenario::{PriceMoves, SCENARIOS};
use ballast_fixed::kernel::{ln, Q48};
use ballast_fixed::Ratio;

/// Distinct price shocks of the 24 scenarios.
const SHOCKS: usize = 13;

/// 3p of each: none, ±⅓, ±⅔, ±1, then the extremes.
const THIRDS: [i8; SHOCKS] = [0, 1, -1, 2, -2, 3, -3, -6, 6, -12, 12, 24, 36];

/// Which volatility a scenario prices at, as the index of an option's seven total volatilities.
pub(crate) mod volatility {
    /// σ at the time to expiry: today's price.
    pub const BASE: u8 = 0;
    /// σ↑.
    pub const UP: u8 = 1;
    /// σ↓.
    pub const DOWN: u8 = 2;
    /// σ(1 + 0.15k).
    pub const TILT_UP: u8 = 3;
    /// σ(1 − 0.15k).
    pub const TILT_DOWN: u8 = 4;
    /// σ(1 + 0.15|k|).
    pub const WINGS: u8 = 5;
    /// σ with a day less.
    pub const DAY_LESS: u8 = 6;
    /// How many there are.
    pub const COUNT: usize = 7;
}

/// A scenario as an option is priced in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Index of its shock.
    pub shock: u8,
    /// Index of its volatility.
    pub volatility: u8,
    /// w is 2 to the minus this,
    pub halvings: u8,
    /// and a third of it in the last extreme, 1/12.
    pub third: bool,
}

impl Row {
    /// w·x, rounded down. The only scenario of a third is a rise of price and volatility, where a call gains: x ≥ 0 but for rounding.
    #[inline(always)]
    pub fn weighted(&self, x: Q48) -> Q48 {
        let x = if self.third {
            (x.0.max(0) as u64 / 3) as i64
        } else {
            x.0
        };
        Q48(x.wrapping_shr(u32::from(self.halvings)))
    }
}

const fn row(shock: u8, volatility: u8, divisor: u8) -> Row {
    Row {
        shock,
        volatility,
        halvings: divisor.trailing_zeros() as u8,
        third: divisor == 12,
    }
}

/// The table of section 1 in these indices; a test compares it with [`crate::scenario::TABLE`].
pub(crate) const ROWS: [Row; SCENARIOS] = {
    use volatility::{DAY_LESS, DOWN, TILT_DOWN, TILT_UP, UP, WINGS};
    [
        row(0, UP, 1),
        row(0, DOWN, 1),
        row(1, UP, 1),
        row(1, DOWN, 1),
        row(2, UP, 1),
        row(2, DOWN, 1),
        row(3, UP, 1),
        row(3, DOWN, 1),
        row(4, UP, 1),
        row(4, DOWN, 1),
        row(5, UP, 1),
        row(5, DOWN, 1),
        row(6, UP, 1),
        row(6, DOWN, 1),
        row(7, UP, 2),
        row(8, UP, 2),
        row(9, UP, 4),
        row(10, UP, 4),
        row(11, UP, 8),
        row(12, UP, 12),
        row(0, TILT_UP, 1),
        row(0, TILT_DOWN, 1),
        row(0, WINGS, 1),
        row(0, DAY_LESS, 1),
    ]
};

/// A relative price change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shock {
    /// 1 + δ, 0 to 12.4.
    pub factor: Q48,
    /// ln(1 + δ).
    pub ln: Q48,
}

impl Shock {
    /// For δ from −1.
    pub fn new(delta: Q48) -> Shock {
        let factor = Q48::ONE.plus(delta);
        Shock { factor, ln: ln(factor) }
    }

    /// δ.
    pub fn delta(&self) -> Q48 {
        self.factor.minus(Q48::ONE)
    }
}

/// The shocks of one scan range, each δ = max(p·ψ, −floor) to 2⁻⁴⁸.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shocks {
    made_of: [Ratio; 3],
    shocks: [Shock; SHOCKS],
}

impl Shocks {
    /// Makes this the table of ψ, the shock floor and the part of a settlement average that is still open (1 outside the window).
    /// Costs nothing where it is that already: twelve logarithms are a fifth of an option.
    ///
    /// 0 ≤ ψ ≤ 0.95, 0 ≤ floor ≤ 1, 0 ≤ open ≤ 1, as [`crate::AssetBook`] has checked.
    #[inline(never)]
    pub fn make(&mut self, scan_range: Ratio, floor: Ratio, open: Ratio) {
        let made_of = [scan_range, floor, open];
        if self.made_of == made_of && self.shocks[0].factor == Q48::ONE {
            return;
        }
        self.made_of = made_of;
        let part = Q48::from_ratio(open);
        for (slot, thirds) in self.shocks.iter_mut().zip(THIRDS) {
            // 36ψ and 3·floor are below 2³⁶.
            let size = scan_range.0.wrapping_mul(i64::from(thirds.unsigned_abs()));
            let cut = thirds < 0 && size > floor.0.wrapping_mul(3);
            let size = if cut {
                Q48::from_ratio(floor)
            } else {
                Q48((Q48::from_ratio(Ratio(size)).0 as u64 / 3) as i64) // not negative
            };
            let size = if open == Ratio::ONE { size } else { size.times(part) };
            let delta = if thirds < 0 { Q48(size.0.wrapping_neg()) } else { size };
            *slot = Shock::new(delta);
        }
    }

    /// All of them, by the index of a [`Row`].
    pub fn all(&self) -> &[Shock; SHOCKS] {
        &self.shocks
    }

    /// P&L of a linear notional in dollars, each value rounded down by less than 3 units and 2⁻⁴⁶ of the notional.
    pub fn linear(&self, notional: i64) -> PriceMoves {
        let pnl = |index: usize| Q48(notional).times(self.shocks[index].delta()).0;
        PriceMoves {
            rise: [pnl(1), pnl(3), pnl(5)],
            fall: [pnl(2), pnl(4), pnl(6)],
            crash: [pnl(7) >> 1, pnl(9) >> 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Volatility, TABLE};

    fn table() -> Shocks {
        let mut shocks = Shocks::default();
        shocks.make(Ratio(240_000_000), Ratio(950_000_000), Ratio::ONE);
        shocks
    }

    #[test]
    fn the_rows_are_those_of_the_table() {
        for (row, scenario) in ROWS.iter().zip(TABLE) {
            assert_eq!(THIRDS[usize::from(row.shock)], scenario.thirds);
            let weighted = row.weighted(Q48(96)).0;
            assert_eq!(weighted * i64::from(scenario.divisor), 96);
            let expected = match scenario.volatility {
                Volatility::Up => volatility::UP,
                Volatility::Down => volatility::DOWN,
                Volatility::TiltUp => volatility::TILT_UP,
                Volatility::TiltDown => volatility::TILT_DOWN,
                Volatility::Wings => volatility::WINGS,
                Volatility::DayLess => volatility::DAY_LESS,
            };
            assert_eq!(row.volatility, expected);
        }
    }

    /// ψ = 24 %: −4ψ would be −96 % and is held at −95 %; 1 + 12ψ = 3.88.
    #[test]
    fn shocks_stop_at_the_floor() {
        let shocks = table();
        let near = |index: usize, value: f64| {
            let shock = shocks.all()[index];
            assert!(
                (shock.factor.0 as f64 / (1u64 << 48) as f64 - value).abs() < 1e-14,
                "{index}"
            );
            assert!(
                (shock.ln.0 as f64 / (1u64 << 48) as f64 - value.ln()).abs() < 1e-13,
                "{index}"
            );
        };
        near(0, 1.0);
        near(1, 1.08);
        near(6, 0.76);
        near(7, 0.52);
        near(9, 0.05);
        near(12, 3.88);
    }

    #[test]
    fn a_half_fixed_average_halves_the_shocks() {
        let mut shocks = table();
        shocks.make(Ratio(240_000_000), Ratio(950_000_000), Ratio(500_000_000));
        let moves = shocks.linear(1_000_000_000);
        assert!((moves.rise[2] - 120_000_000).abs() <= 3);
        assert!((moves.crash[1] + 475_000_000 / 4).abs() <= 3);
    }
}
