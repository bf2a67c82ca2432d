//! Prices, quantities and amounts.
use crate::{mul_div_ceil, mul_div_floor, Checked, Notional, Overflow, Ratio};

/// A price in 10⁻⁹ USD for one whole unit of an asset; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(pub i64);

/// A signed quantity in 10⁻⁹ of a whole unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(pub i64);

/// A signed number of an instrument's lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lots(pub i64);

/// Dollars in 10⁻⁸, signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub i64);

/// An amount of the quote asset in its native 10⁻⁶, signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuoteAmount(pub i64);

impl Price {
    /// What `quantity` is worth. Exact: the product of two 64-bit integers fits.
    pub const fn times(self, quantity: Quantity) -> Notional {
        Notional((self.0 as i128).wrapping_mul(quantity.0 as i128))
    }

    /// self · (1 + ratio), rounded down. Fails on overflow.
    pub fn scaled_floor(self, ratio: Ratio) -> Checked<Price> {
        const NARROW: u64 = 1 << 29; // a bit over a half, and two such factors with 2³⁴ fit 64 bits
        if self.0 >= 0 && ratio.0.unsigned_abs() < NARROW {
            return self.moved_floor(ratio);
        }
        let factor = Ratio::ONE.plus(ratio)?;
        mul_div_floor(self.0, factor.0, Ratio::SCALE).map(Price)
    }

    /// self + ⌊self · ratio⌋ without a 128-bit division, which is dear on chain, for a price that is not negative and |ratio| < 2²⁹.
    #[inline(always)]
    fn moved_floor(self, ratio: Ratio) -> Checked<Price> {
        const ONE: u64 = Ratio::SCALE.unsigned_abs();
        let (price, size) = (self.0.unsigned_abs(), ratio.0.unsigned_abs());
        let (whole, part) = ((price / ONE).wrapping_mul(size), (price % ONE).wrapping_mul(size)); // below 2⁶³ and 2⁵⁹
        let (carry, rest) = (part / ONE, part % ONE);
        let moved = whole.wrapping_add(carry) as i64; // below 2⁶³
        let moved = if ratio.0 >= 0 {
            moved
        } else {
            moved.wrapping_neg().wrapping_sub(i64::from(rest != 0))
        };
        self.0.checked_add(moved).map(Price).ok_or(Overflow)
    }
}

impl Lots {
    /// The quantity of so many lots of `lot_size` (10⁻⁹ units each). Fails on overflow.
    pub fn quantity(self, lot_size: Quantity) -> Checked<Quantity> {
        if i32::try_from(self.0).is_ok() && i32::try_from(lot_size.0).is_ok() {
            return Ok(Quantity(self.0.wrapping_mul(lot_size.0))); // below 2⁶²; the check of larger products is dear on chain
        }
        self.0.checked_mul(lot_size.0).map(Quantity).ok_or(Overflow)
    }
}

macro_rules! arithmetic {
    ($($t:ident),*) => {$(
        impl $t {
            /// Nothing.
            pub const ZERO: $t = $t(0);

            /// self + other. Fails on overflow.
            pub fn plus(self, other: $t) -> Checked<$t> {
                self.0.checked_add(other.0).map($t).ok_or(Overflow)
            }

            /// self − other. Fails on overflow.
            pub fn minus(self, other: $t) -> Checked<$t> {
                self.0.checked_sub(other.0).map($t).ok_or(Overflow)
            }

            /// −self. Fails for the most negative value.
            pub fn negated(self) -> Checked<$t> {
                self.0.checked_neg().map($t).ok_or(Overflow)
            }

            /// |self|. Fails for the most negative value.
            pub fn magnitude(self) -> Checked<$t> {
                self.0.checked_abs().map($t).ok_or(Overflow)
            }

            /// self · ratio, rounded down (towards −∞); exact in between.
            pub fn times_floor(self, ratio: Ratio) -> Checked<$t> {
                mul_div_floor(self.0, ratio.0, Ratio::SCALE).map($t)
            }

            /// self · ratio, rounded up (towards +∞); exact in between.
            pub fn times_ceil(self, ratio: Ratio) -> Checked<$t> {
                mul_div_ceil(self.0, ratio.0, Ratio::SCALE).map($t)
            }
        }
    )*};
}
arithmetic!(Lots, Quantity, Dollars, QuoteAmount);

impl QuoteAmount {
    /// Units of [`Dollars`] in one unit of the quote asset at par.
    const DOLLARS_PER_UNIT: i64 = 100;

    /// In dollars at par. Exact; fails on overflow.
    pub fn dollars(self) -> Checked<Dollars> {
        self.0
            .checked_mul(QuoteAmount::DOLLARS_PER_UNIT)
            .map(Dollars)
            .ok_or(Overflow)
    }
}

impl Dollars {
    /// At par in the quote asset, rounded down (towards −∞).
    pub fn quote_floor(self) -> QuoteAmount {
        QuoteAmount(self.0.div_euclid(QuoteAmount::DOLLARS_PER_UNIT))
    }

    /// At par in the quote asset, rounded up (towards +∞).
    pub fn quote_ceil(self) -> QuoteAmount {
        let down = self.0.div_euclid(QuoteAmount::DOLLARS_PER_UNIT);
        let exact = self.0.rem_euclid(QuoteAmount::DOLLARS_PER_UNIT) == 0;
        QuoteAmount(down.wrapping_add(i64::from(!exact))) // |down| ≤ 2⁶³ / 100
    }
}
