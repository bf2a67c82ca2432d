//! The exact product of a price and a quantity.
use crate::{div_ceil, div_floor, times_64, Checked, Dollars, Overflow, QuoteAmount, Ratio};

/// Dollars in 10⁻¹⁸, signed: what price × quantity gives before any rounding.
///
/// One [`Price`](crate::Price) times one [`Quantity`](crate::Quantity) always fits; sums are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notional(pub i128);

impl Notional {
    /// Nothing.
    pub const ZERO: Notional = Notional(0);
    /// 10⁻¹⁸ USD in one unit of [`Dollars`].
    pub const PER_DOLLAR_UNIT: i128 = 10_000_000_000;
    /// 10⁻¹⁸ in one unit of [`QuoteAmount`].
    pub const PER_QUOTE_UNIT: i128 = 1_000_000_000_000;

    /// An amount of the quote asset at par. Exact.
    pub const fn from_quote(amount: QuoteAmount) -> Notional {
        Notional((amount.0 as i128).wrapping_mul(Notional::PER_QUOTE_UNIT)) // 2⁶³ · 10¹² < 2¹²⁷
    }

    /// A dollar amount. Exact.
    pub const fn from_dollars(amount: Dollars) -> Notional {
        Notional((amount.0 as i128).wrapping_mul(Notional::PER_DOLLAR_UNIT)) // 2⁶³ · 10¹⁰ < 2¹²⁷
    }

    /// self + other. Fails on overflow.
    pub fn plus(self, other: Notional) -> Checked<Notional> {
        self.0.checked_add(other.0).map(Notional).ok_or(Overflow)
    }

    /// self − other. Fails on overflow.
    pub fn minus(self, other: Notional) -> Checked<Notional> {
        self.0.checked_sub(other.0).map(Notional).ok_or(Overflow)
    }

    /// −self. Fails for the most negative value.
    pub fn negated(self) -> Checked<Notional> {
        self.0.checked_neg().map(Notional).ok_or(Overflow)
    }

    /// |self|. Fails for the most negative value.
    pub fn magnitude(self) -> Checked<Notional> {
        self.0.checked_abs().map(Notional).ok_or(Overflow)
    }

    /// In dollars, rounded down (towards −∞).
    pub fn floor(self) -> Checked<Dollars> {
        if self.0 == 0 {
            return Ok(Dollars::ZERO);
        }
        narrow(div_floor(self.0, Notional::PER_DOLLAR_UNIT)?).map(Dollars)
    }

    /// In dollars, rounded up (towards +∞).
    pub fn ceil(self) -> Checked<Dollars> {
        narrow(div_ceil(self.0, Notional::PER_DOLLAR_UNIT)?).map(Dollars)
    }

    /// At par in the quote asset, rounded down (towards −∞).
    pub fn quote_floor(self) -> Checked<QuoteAmount> {
        narrow(div_floor(self.0, Notional::PER_QUOTE_UNIT)?).map(QuoteAmount)
    }

    /// At par in the quote asset, rounded up (towards +∞).
    pub fn quote_ceil(self) -> Checked<QuoteAmount> {
        narrow(div_ceil(self.0, Notional::PER_QUOTE_UNIT)?).map(QuoteAmount)
    }

    /// self · ratio in dollars, rounded down; exact in between. Fails on overflow.
    pub fn times_floor(self, ratio: Ratio) -> Checked<Dollars> {
        if self.0 == 0 {
            return Ok(Dollars::ZERO); // books without collateral ask for this often
        }
        narrow(div_floor(self.times(ratio)?, Notional::PER_RATIO_DOLLAR)?).map(Dollars)
    }

    /// self · ratio in dollars, rounded up; exact in between. Fails on overflow.
    pub fn times_ceil(self, ratio: Ratio) -> Checked<Dollars> {
        if self.0 == 0 {
            return Ok(Dollars::ZERO);
        }
        narrow(div_ceil(self.times(ratio)?, Notional::PER_RATIO_DOLLAR)?).map(Dollars)
    }

    /// self · ratio in 10⁻²⁷ USD. Fails on overflow.
    fn times(self, ratio: Ratio) -> Checked<i128> {
        times_64(self.0, ratio.0)
    }

    /// Units of (10⁻¹⁸ USD · 10⁻⁹) in one unit of [`Dollars`]: notional × ratio over dollars.
    pub const PER_RATIO_DOLLAR: i128 = 10_000_000_000_000_000_000;
}

fn narrow(value: i128) -> Checked<i64> {
    i64::try_from(value).map_err(|_| Overflow)
}
