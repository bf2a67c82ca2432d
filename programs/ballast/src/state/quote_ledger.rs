//! Which of a maker's signed quotes are used up.
use anchor_lang::prelude::*;

use super::assert_layout;
use crate::error::{ensure, fail, BallastError};

/// Nonces that can be filled at a time: from the floor on.
pub const QUOTE_WINDOW: u64 = 1_024;
/// Quotes that may be filled in part at a time.
pub const MAX_PARTIAL_QUOTES: usize = 32;
/// Highest floor: no window reaches past the numbers.
pub const MAX_QUOTE_FLOOR: u64 = u64::MAX / 2;

/// A nonce of which a part is filled.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PartialQuote {
    /// The nonce.
    pub nonce: u64,
    /// Units filled; 0 where the slot is free.
    pub units: u64,
    /// Unix seconds from which the last of the quotes filled under this nonce can't be filled.
    pub expires_at: i64,
}

/// What a maker's margin account has filled and cancelled: PDA of the margin account. No quote of it can be filled without.
///
/// A nonce under the floor is void. From the floor on there is a bit for each of [`QUOTE_WINDOW`] nonces, at the nonce modulo the window.
#[account(zero_copy)]
#[derive(Debug)]
pub struct QuoteLedger {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// The maker's margin account.
    pub margin_account: Pubkey,
    /// The lowest nonce that can be filled.
    pub floor: u64,
    /// Nonces that are filled or cancelled, a bit each.
    pub spent: [u64; 16],
    /// Nonces that are filled in part.
    pub partial: [PartialQuote; MAX_PARTIAL_QUOTES],
    /// Room to grow.
    pub _reserved: [u8; 64],
}
assert_layout!(PartialQuote, 24, nonce = 0, units = 8, expires_at = 16);
assert_layout!(
    QuoteLedger,
    1_008,
    version = 0,
    margin_account = 8,
    floor = 40,
    spent = 48,
    partial = 176
);
const _: () = assert!(QUOTE_WINDOW == 16 * 64);

impl QuoteLedger {
    /// Uses up `units` of a nonce that offers `max_units` until `expires_at`; returns the units that are left.
    ///
    /// # Errors
    /// [`BallastError::QuoteVoid`], [`BallastError::QuoteNonceTooHigh`], [`BallastError::QuoteSpent`], [`BallastError::QuoteTooLarge`] when less
    /// is left, [`BallastError::TooManyPartialQuotes`] when something would be left and every slot is taken by a quote that may still be filled.
    pub fn fill(&mut self, nonce: u64, units: u64, max_units: u64, expires_at: i64, now: i64) -> Result<u64> {
        self.check_open(nonce)?;
        let slot = self.partial_slot(nonce);
        let filled = slot.and_then(|at| self.partial.get(at)).copied().unwrap_or_default();
        let total = filled.units.checked_add(units).ok_or(BallastError::QuoteTooLarge)?;
        let left = max_units.checked_sub(total).ok_or(BallastError::QuoteTooLarge)?;
        if left == 0 {
            self.spend(nonce);
            return Ok(0);
        }
        let at = match slot {
            Some(at) => at,
            None => self.free_slot(now)?,
        };
        *self.partial.get_mut(at).ok_or(BallastError::TooManyPartialQuotes)? = PartialQuote {
            nonce,
            units: total,
            expires_at: filled.expires_at.max(expires_at),
        };
        Ok(left)
    }

    /// Makes a nonce one that can't be filled.
    ///
    /// # Errors
    /// As [`QuoteLedger::fill`] for a nonce outside of the window or used up.
    pub fn cancel(&mut self, nonce: u64) -> Result<()> {
        self.check_open(nonce)?;
        self.spend(nonce);
        Ok(())
    }

    /// Makes every nonce under `floor` void.
    ///
    /// # Errors
    /// [`BallastError::QuoteFloorOutOfRange`] unless it rises, to [`MAX_QUOTE_FLOOR`] at most.
    pub fn raise_floor(&mut self, floor: u64) -> Result<()> {
        let rises = floor > self.floor && floor <= MAX_QUOTE_FLOOR;
        ensure!(rises, BallastError::QuoteFloorOutOfRange);
        // The bits of the nonces that leave the window are those of the ones that enter it.
        let end = floor.min(self.floor.saturating_add(QUOTE_WINDOW));
        let mut nonce = self.floor;
        while nonce < end {
            let whole = nonce.is_multiple_of(64) && end.saturating_sub(nonce) >= 64;
            let (word, mask) = bit(nonce);
            if let Some(word) = self.spent.get_mut(word) {
                *word &= if whole { 0 } else { !mask };
            }
            nonce = nonce.saturating_add(if whole { 64 } else { 1 });
        }
        for slot in self.partial.iter_mut().filter(|slot| slot.nonce < floor) {
            *slot = PartialQuote::default();
        }
        self.floor = floor;
        Ok(())
    }

    fn check_open(&self, nonce: u64) -> Result<()> {
        let above = nonce.checked_sub(self.floor).ok_or(BallastError::QuoteVoid)?;
        ensure!(above < QUOTE_WINDOW, BallastError::QuoteNonceTooHigh);
        ensure!(!self.is_spent(nonce), BallastError::QuoteSpent);
        Ok(())
    }

    fn is_spent(&self, nonce: u64) -> bool {
        let (word, mask) = bit(nonce);
        self.spent.get(word).is_some_and(|bits| bits & mask != 0)
    }

    /// Sets a nonce's bit and frees its slot.
    fn spend(&mut self, nonce: u64) {
        let (word, mask) = bit(nonce);
        if let Some(word) = self.spent.get_mut(word) {
            *word |= mask;
        }
        if let Some(slot) = self.partial_slot(nonce).and_then(|at| self.partial.get_mut(at)) {
            *slot = PartialQuote::default();
        }
    }

    fn partial_slot(&self, nonce: u64) -> Option<usize> {
        self.partial
            .iter()
            .position(|slot| slot.units != 0 && slot.nonce == nonce)
    }

    /// A free slot. Where there is none, what has expired makes room: its nonce is spent, so that nothing of it is forgotten.
    fn free_slot(&mut self, now: i64) -> Result<usize> {
        if let Some(at) = self.partial.iter().position(|slot| slot.units == 0) {
            return Ok(at);
        }
        let expired = self.partial.iter().position(|slot| slot.expires_at <= now);
        let at = expired.ok_or_else(|| fail(BallastError::TooManyPartialQuotes))?;
        if let Some(nonce) = self.partial.get(at).map(|slot| slot.nonce) {
            self.spend(nonce);
        }
        Ok(at)
    }
}

/// The word and the mask of a nonce's bit.
fn bit(nonce: u64) -> (usize, u64) {
    let at = nonce % QUOTE_WINDOW;
    ((at / 64) as usize, 1u64 << (at % 64))
}

#[cfg(test)]
mod tests;
