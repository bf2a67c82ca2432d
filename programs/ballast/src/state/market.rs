//! One instrument's settlement pool, open interest and dues. The order book lies behind this header.
use anchor_lang::prelude::*;
use ballast_fixed::{Checked, Lots, Price, Quantity, QuoteAmount};

use super::{assert_layout, Wide, DISCRIMINATOR};
use crate::error::{ensure, BallastError, OrError};

/// A market, created by the client and taken over by `list_instrument`; its key is recorded on the exchange.
///
/// Σ (position quotes + pending funding) + fees due + insurance due + residual + funding dust = pool; while positions settle, see
/// [`Market::settle_lots`].
#[account(zero_copy)]
#[derive(Debug)]
pub struct Market {
    /// Layout version.
    pub version: u8,
    /// Zero.
    pub _padding: u8,
    /// Index of the instrument on the board.
    pub instrument: u16,
    /// Generation of the instrument.
    pub generation: u32,
    /// The exchange.
    pub exchange: Pubkey,
    /// Quote settled by losers and not yet paid to winners, quote units.
    pub pool: i64,
    /// Lots held long, which is what is held short; while positions settle, those that are still held long.
    pub open_interest: i64,
    /// Trading fees charged to positions and not yet realised, quote units.
    pub fees_due: i64,
    /// The insurance fund's part of fees and liquidations, charged and not yet realised, quote units.
    pub insurance_due: i64,
    /// What rounding has left and owners have waived, quote units; never negative.
    pub residual: i64,
    /// Positions with lots or quote.
    pub positions: u64,
    /// Events of this market. Each generation of the instrument counts from 2⁴⁰ above the one before, so that a market at an address that
    /// was used before repeats no number.
    pub sequence: u64,
    /// Lots that `settle_expiry` has taken out of positions, signed; 0 before the settlement price stands.
    pub settled_lots: i64,
    /// Smallest order that may rest, lots.
    pub min_order_lots: i64,
    /// Notional by which the book of a perpetual is measured, dollars (10⁻⁸).
    pub impact_notional: i64,
    /// Largest funding of an hour, in 10⁻⁶ of the index.
    pub max_funding_ppm: u32,
    /// Orders that each side of the book has room for.
    pub book_capacity: u32,
    /// What the book of a perpetual has shown over time.
    pub premium: Premium,
    /// What rounding of funding has left below a quote unit, 10⁻¹⁸ USD.
    pub funding_dust: u64,
    /// Room for the insurance share and the ledger of losses.
    pub _reserved: [u8; 248],
}

/// What the book of a perpetual has shown over its index (margin.md section 5), sums in 10⁻⁹ USD · seconds, and the funding that follows.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Premium {
    /// Σ (impact mid − index) · time since the listing.
    pub sum: Wide,
    /// Up to when it stands, unix seconds.
    pub observed_at: i64,
    /// The asset's ∫ index dt at that time.
    pub observed_index_sum: Wide,
    /// The sum when the current hour began.
    pub hour_sum: Wide,
    /// The sum at the last update of the mark.
    pub marked_sum: Wide,
    /// The time of that update, unix seconds.
    pub marked_at: i64,
    /// The impact mid since the book last changed, 10⁻⁹ USD; 0 where it lacks the depth.
    pub mid: i64,
    /// Until when that stands, unix seconds.
    pub mid_until: i64,
    /// What a unit held long has paid since the listing, 10⁻⁹ USD, up to the beginning of `funding_hour`.
    pub funding_index: i64,
    /// What a unit held long pays over `funding_hour`, evenly, 10⁻⁹ USD.
    pub funding_rate: i64,
    /// The hour up to which the book was observed, hours since 1970. The board has it once it is told.
    pub funding_hour: i64,
}
assert_layout!(
    Premium,
    120,
    sum = 0,
    observed_at = 16,
    observed_index_sum = 24,
    hour_sum = 40,
    marked_sum = 56,
    marked_at = 72,
    mid = 80,
    mid_until = 88,
    funding_index = 96,
    funding_rate = 104,
    funding_hour = 112
);
assert_layout!(
    Market,
    504,
    version = 0,
    instrument = 2,
    generation = 4,
    exchange = 8,
    pool = 40,
    open_interest = 48,
    fees_due = 56,
    insurance_due = 64,
    residual = 72,
    positions = 80,
    sequence = 88,
    settled_lots = 96,
    min_order_lots = 104,
    impact_notional = 112,
    max_funding_ppm = 120,
    book_capacity = 124,
    premium = 128,
    funding_dust = 248,
);

impl Market {
    /// Bytes of a market's account whose book has room for `capacity` orders a side: discriminator, header and book.
    pub const fn size(capacity: u32) -> usize {
        ballast_book::size(capacity).saturating_add(DISCRIMINATOR + size_of::<Market>())
    }

    /// The header and the book in a market account's data. Its owner and discriminator have been checked.
    pub fn split(data: &mut [u8]) -> Result<(&mut Market, &mut [u8])> {
        let body = data.get_mut(DISCRIMINATOR..).ok_or(BallastError::AccountTooSmall)?;
        let (header, book) = body
            .split_at_mut_checked(size_of::<Market>())
            .ok_or(BallastError::AccountTooSmall)?;
        let header = bytemuck::try_from_bytes_mut(header).map_err(|_| BallastError::AccountTooSmall)?;
        Ok((header, book))
    }

    /// Adds `amount` to the pool (a loss settled) or takes it out (a gain settled, negative).
    pub fn move_pool(&mut self, amount: QuoteAmount) -> Result<()> {
        let pool = self.pool.checked_add(amount.0).ok_or(BallastError::MathOverflow)?;
        ensure!(pool >= 0, BallastError::MathOverflow);
        self.pool = pool;
        Ok(())
    }

    /// Takes fees and the fund's dues out of what the pool holds; returns (fees, insurance).
    pub fn realise_dues(&mut self) -> Result<(QuoteAmount, QuoteAmount)> {
        let insurance = self.insurance_due.min(self.pool).max(0);
        self.move_pool(QuoteAmount(insurance.wrapping_neg()))?; // 0 ≤ insurance
        self.insurance_due = self.insurance_due.saturating_sub(insurance);
        let fees = self.fees_due.min(self.pool).max(0);
        self.move_pool(QuoteAmount(fees.wrapping_neg()))?; // 0 ≤ fees
        self.fees_due = self.fees_due.saturating_sub(fees);
        Ok((QuoteAmount(fees), QuoteAmount(insurance)))
    }

    /// Takes settled lots out of the open interest; `value` of them is what a position received for a whole number of quote units, and
    /// `price` what the instrument pays for good. What their rounding leaves, over all positions, is the residual's.
    ///
    /// With L lots settled so far, Σ quotes − ⌊L · price⌋ + dues + residual = pool.
    pub fn settle_lots(&mut self, lots: Lots, lot_size: Quantity, price: Price, value: QuoteAmount) -> Result<()> {
        let paid = |lots: i64| -> Checked<QuoteAmount> { price.times(Lots(lots).quantity(lot_size)?).quote_floor() };
        let before = self.settled_lots;
        let after = before.checked_add(lots.0).ok_or(BallastError::MathOverflow)?;
        let left = paid(after)
            .and_then(|sum| sum.minus(paid(before)?)?.minus(value))
            .or_error()?;
        self.residual = self.residual.checked_add(left.0).ok_or(BallastError::MathOverflow)?;
        self.settled_lots = after;
        self.open_interest = self
            .open_interest
            .checked_sub(lots.0.max(0))
            .ok_or(BallastError::MathOverflow)?;
        Ok(())
    }

    /// Pays out what the pool still owes of fees and of the insurance fund's part, and with the last position gone what rounding has left;
    /// returns (fees, insurance). Nothing is left in it.
    ///
    /// # Errors
    /// [`BallastError::MarketInUse`] with positions.
    pub fn empty(&mut self) -> Result<(QuoteAmount, QuoteAmount)> {
        let is_closed = self.positions == 0 && self.open_interest == 0 && self.settled_lots == 0;
        ensure!(is_closed, BallastError::MarketInUse);
        let (fees, insurance) = self.realise_dues()?;
        let owed = self.fees_due != 0 || self.insurance_due != 0;
        ensure!(!owed && self.pool == self.residual, BallastError::MarketInUse);
        let insurance = insurance.plus(QuoteAmount(self.residual)).or_error()?;
        (self.pool, self.residual, self.funding_dust) = (0, 0, 0);
        Ok((fees, insurance))
    }

    /// The next event number.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence = self.sequence.saturating_add(1);
        self.sequence
    }
}
