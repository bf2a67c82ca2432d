//! The price shocks of section 1 as the pricing kernel takes them: 1 + δ and ln(1 + δ).
use crate::scenario::PriceMoves;
use ballast_fixed::kernel::{ln, Q48};
use ballast_fixed::Ratio;

/// 3p of scenarios 0 to 13, which come in pairs: with volatility up, and down.
const NORMAL: [i8; 7] = [0, 1, -1, 2, -2, 3, -3];
/// 3p of scenarios 14 to 19, with volatility up.
const EXTREME: [i8; 6] = [-6, 6, -12, 12, 24, 36];

/// What divides the P&L of scenarios 14 to 19.
pub(crate) const WEIGHTS: [Weight; EXTREME.len()] = {
    const fn weight(divisor: u8) -> Weight {
        Weight {
            halvings: divisor.trailing_zeros() as u8,
            third: divisor == 12,
        }
    }
    [weight(2), weight(2), weight(4), weight(4), weight(8), weight(12)]
};

/// w = 2^−halvings, and a third of it in the last extreme, 1/12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    halvings: u8,
    third: bool,
}

impl Weight {
    /// w·x, rounded down. The only one with a third is a rise of price and volatility, where a call gains: x ≥ 0 but for rounding.
    #[inline(always)]
    pub fn of(self, x: Q48) -> Q48 {
        let x = if self.third {
            (x.0.max(0) as u64 / 3) as i64
        } else {
            x.0
        };
        Q48(x.wrapping_shr(u32::from(self.halvings)))
    }
}

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
    /// Of scenarios 0 to 13, one a pair.
    pub normal: [Shock; NORMAL.len()],
    /// Of scenarios 14 to 19.
    pub extreme: [Shock; EXTREME.len()],
}

impl Shocks {
    /// Makes this the table of ψ, the shock floor and the part of a settlement average that is still open (1 outside the window).
    /// Costs nothing where it is that already: twelve logarithms are a fifth of an option.
    ///
    /// 0 ≤ ψ ≤ 0.95, 0 ≤ floor ≤ 1, 0 ≤ open ≤ 1, as [`crate::AssetBook`] has checked.
    #[inline(never)]
    pub fn make(&mut self, scan_range: Ratio, floor: Ratio, open: Ratio) {
        let made_of = [scan_range, floor, open];
        if self.made_of == made_of && self.normal[0].factor == Q48::ONE {
            return;
        }
        self.made_of = made_of;
        let part = Q48::from_ratio(open);
        let deepest = Q48::from_ratio(floor);
        let largest = Q48::from_ratio(Ratio(scan_range.0.wrapping_mul(36))).0 as u64; // 108 thirds of ψ: below 2⁵⁴
        let slots = self.normal.iter_mut().chain(&mut self.extreme);
        for (slot, thirds) in slots.zip(NORMAL.into_iter().chain(EXTREME)) {
            // 36ψ and 3·floor are below 2³⁶, and 36·2⁵⁴ fits.
            let multiple = i64::from(thirds.unsigned_abs());
            let cut = thirds < 0 && scan_range.0.wrapping_mul(multiple) > floor.0.wrapping_mul(3);
            let size = if cut {
                deepest
            } else {
                Q48((largest.wrapping_mul(multiple as u64) / 108) as i64)
            };
            let size = if open == Ratio::ONE { size } else { size.times(part) };
            let delta = if thirds < 0 { Q48(size.0.wrapping_neg()) } else { size };
            *slot = Shock::new(delta);
        }
    }

    /// P&L of a linear notional in dollars, each value rounded down by less than 3 units and 2⁻⁴⁶ of the notional.
    pub fn linear(&self, notional: i64) -> PriceMoves {
        let pnl = |shock: &Shock| Q48(notional).times(shock.delta()).0;
        let [_, rise1, fall1, rise2, fall2, rise3, fall3] = &self.normal;
        let [crash2, _, crash4, ..] = &self.extreme;
        PriceMoves {
            rise: [rise1, rise2, rise3].map(pnl),
            fall: [fall1, fall2, fall3].map(pnl),
            crash: [pnl(crash2) >> 1, pnl(crash4) >> 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Volatility, TABLE};
    extern crate std;
    use std::vec::Vec;

    fn table() -> Shocks {
        let mut shocks = Shocks::default();
        shocks.make(Ratio(240_000_000), Ratio(950_000_000), Ratio::ONE);
        shocks
    }

    #[test]
    fn the_shocks_are_those_of_the_table() {
        use Volatility::{DayLess, Down, TiltDown, TiltUp, Up, Wings};
        let expect = |index: usize, thirds: i8, volatility: Volatility| {
            assert_eq!((TABLE[index].thirds, TABLE[index].volatility), (thirds, volatility));
        };
        for (pair, thirds) in NORMAL.into_iter().enumerate() {
            expect(2 * pair, thirds, Up);
            expect(2 * pair + 1, thirds, Down);
        }
        for (index, (thirds, weight)) in EXTREME.into_iter().zip(WEIGHTS).enumerate() {
            expect(14 + index, thirds, Up);
            assert_eq!(weight.of(Q48(96)).0 * i64::from(TABLE[14 + index].divisor), 96);
        }
        for (index, volatility) in [TiltUp, TiltDown, Wings, DayLess].into_iter().enumerate() {
            expect(20 + index, 0, volatility);
        }
    }

    /// ψ = 24 %: −4ψ would be −96 % and is held at −95 %; 1 + 12ψ = 3.88.
    #[test]
    fn shocks_stop_at_the_floor() {
        let shocks = table();
        let all: Vec<Shock> = shocks.normal.into_iter().chain(shocks.extreme).collect();
        let near = |index: usize, value: f64| {
            let shock = all[index];
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
