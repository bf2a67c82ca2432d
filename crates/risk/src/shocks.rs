//! The price shocks of section 1 as the pricing kernel takes them: 1 + δ and ln(1 + δ).
use crate::scenario::PriceMoves;
use crate::RiskError;
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

/// Price shocks of an asset, the one of nothing aside.
pub const SHOCKS: usize = NORMAL.len() - 1 + EXTREME.len();

/// ln(1 + δ) of an asset's shocks, made when ψ was set ([`shock_logarithms`]) and stored for the engine to take over.
#[derive(Clone, Copy, Debug)]
pub struct ShockTable<'a> {
    /// ψ that it was made for; under another one the engine computes its own.
    pub scan_range: Ratio,
    /// The shock floor that it was made for.
    pub floor: Ratio,
    /// In units of 2⁻⁴⁸: of scenarios 2, 4 to 12, one a pair, then of 14 to 19.
    pub logarithms: &'a [i64; SHOCKS],
}

/// The logarithms of a [`ShockTable`], to the bit what the engine computes where there is none.
///
/// # Errors
/// [`RiskError::InvalidParameter`] for ψ outside 0 to the floor, or a floor above 1.
pub fn shock_logarithms(scan_range: Ratio, floor: Ratio) -> Result<[i64; SHOCKS], RiskError> {
    if scan_range < Ratio::ZERO || scan_range > floor || floor > Ratio::ONE {
        return Err(RiskError::InvalidParameter);
    }
    let mut shocks = Shocks::default();
    shocks.make(scan_range, floor, Ratio::ONE);
    let mut logarithms = [0; SHOCKS];
    let moved = shocks.normal.iter().skip(1).chain(&shocks.extreme);
    for (logarithm, shock) in logarithms.iter_mut().zip(moved) {
        *logarithm = shock.ln.0;
    }
    Ok(logarithms)
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
    /// Costs nothing where it is that already: twelve logarithms are a quarter of an option.
    ///
    /// 0 ≤ ψ ≤ 0.95, 0 ≤ floor ≤ 1, 0 ≤ open ≤ 1, as [`crate::AssetBook`] has checked.
    #[inline(never)]
    pub fn make(&mut self, scan_range: Ratio, floor: Ratio, open: Ratio) {
        let made_of = [scan_range, floor, open];
        if !self.is(made_of) {
            self.set_factors(made_of);
            for shock in self.moved() {
                shock.ln = ln(shock.factor);
            }
        }
    }

    /// The same outside the window with logarithms that were stored.
    #[inline(never)]
    pub fn take(&mut self, table: &ShockTable) {
        let made_of = [table.scan_range, table.floor, Ratio::ONE];
        if !self.is(made_of) {
            self.set_factors(made_of);
            for (shock, &ln) in self.moved().zip(table.logarithms) {
                shock.ln = Q48(ln);
            }
        }
    }

    /// ψ, the shock floor and the open part.
    pub fn made_of(&self) -> [Ratio; 3] {
        self.made_of
    }

    fn is(&self, made_of: [Ratio; 3]) -> bool {
        self.made_of == made_of && self.normal[0].factor == Q48::ONE
    }

    /// The shocks but the one of nothing.
    fn moved(&mut self) -> impl Iterator<Item = &mut Shock> {
        self.normal.iter_mut().skip(1).chain(&mut self.extreme)
    }

    fn set_factors(&mut self, made_of: [Ratio; 3]) {
        let [scan_range, floor, open] = made_of;
        self.made_of = made_of;
        self.normal[0].ln = Q48::ZERO;
        let deepest = Q48::from_ratio(floor).0;
        let largest = Q48::from_ratio(Ratio(scan_range.0.wrapping_mul(36))).0 as u64; // 108 thirds of ψ: below 2⁵⁴
        let part = Q48::from_ratio(open);
        let factor = |thirds: i8| {
            let size = (largest.wrapping_mul(u64::from(thirds.unsigned_abs())) / 108) as i64; // 36·2⁵⁴ fits
            let size = if thirds < 0 { size.min(deepest) } else { size };
            let size = if open == Ratio::ONE {
                Q48(size)
            } else {
                Q48(size).times(part)
            };
            if thirds < 0 {
                Q48::ONE.minus(size)
            } else {
                Q48::ONE.plus(size)
            }
        };
        for (shock, thirds) in self.normal.iter_mut().zip(NORMAL) {
            shock.factor = factor(thirds);
        }
        for (shock, thirds) in self.extreme.iter_mut().zip(EXTREME) {
            shock.factor = factor(thirds);
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

    /// What is stored is what would be computed, bit for bit, from ψ = 0 to the floor.
    #[test]
    fn a_stored_table_is_the_computed_one() {
        for floor in [Ratio(950_000_000), Ratio(600_000_001), Ratio::ONE] {
            for scan_range in [0, 1, 95_000_000, 190_000_001, 333_333_333, 599_999_999] {
                let scan_range = Ratio(scan_range);
                let logarithms = shock_logarithms(scan_range, floor).unwrap();
                let (mut taken, mut made) = (table(), table());
                taken.take(&ShockTable {
                    scan_range,
                    floor,
                    logarithms: &logarithms,
                });
                made.make(scan_range, floor, Ratio::ONE);
                assert_eq!(taken, made, "{scan_range:?} {floor:?}");
                assert_eq!(made.normal[0], Shock::new(Q48::ZERO));
            }
        }
        let refused = |scan_range, floor| {
            assert_eq!(
                shock_logarithms(Ratio(scan_range), Ratio(floor)),
                Err(RiskError::InvalidParameter)
            );
        };
        refused(-1, 950_000_000);
        refused(950_000_001, 950_000_000);
        refused(0, 1_000_000_001);
    }

    /// −ψ, −⅓ψ and the rest of ψ = 30 %: ln 1.1, ln 0.9, ln 1.2, ln 0.8, ln 1.3, ln 0.7, then −2ψ, +2ψ, −95 % for −4ψ, +4ψ, +8ψ, +12ψ.
    #[test]
    fn logarithms_are_stored_in_order() {
        let logarithms = shock_logarithms(Ratio(300_000_000), Ratio(950_000_000)).unwrap();
        let factors = [1.1, 0.9, 1.2, 0.8, 1.3, 0.7, 0.4, 1.6, 0.05, 2.2, 3.4, 4.6f64];
        for (logarithm, factor) in logarithms.into_iter().zip(factors) {
            let error = logarithm as f64 / (1u64 << 48) as f64 - factor.ln();
            assert!(error.abs() < 1e-13, "{factor}");
        }
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
