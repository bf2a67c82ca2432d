//! The bytes of a quote. Program and clients use this one encoder and this one decoder.
use anchor_lang::prelude::*;

use crate::clearing::MAX_LEGS;
use crate::error::{ensure, fail, BallastError};

/// What every quote begins with. A transaction never does: the first byte would be a message version that Solana keeps for what is signed
/// off chain, so that no signature of a quote is one of a transaction.
pub const TAG: [u8; 16] = *b"\xffballast quote 1";
/// Bytes in front of the legs: tag, three keys, three numbers and the number of legs.
const HEAD_LEN: usize = 16 + 3 * 32 + 3 * 8 + 1;
/// Bytes of a leg.
pub const LEG_LEN: usize = 2 + 4 + 8 + 8;
/// Bytes of the longest quote.
pub const MAX_LEN: usize = HEAD_LEN + MAX_LEGS * LEG_LEN;

/// One leg of a quote's unit, as the taker sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteLeg {
    /// The instrument.
    pub instrument: u16,
    /// Its generation: a slot that is used again is another instrument.
    pub generation: u32,
    /// Lots of one unit that the taker buys (sells, when negative).
    pub lots: i64,
    /// 10⁻⁹ USD.
    pub price: i64,
}

/// A maker's offer to trade up to `max_units` of a package with whoever brings it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// The exchange.
    pub exchange: Pubkey,
    /// The maker's margin account.
    pub maker: Pubkey,
    /// The margin account that may take it; the default key for anyone's.
    pub taker: Pubkey,
    /// Number of the quote, used up by what is filled. Quotes of one number are alternatives: together they fill no more than each allows.
    pub nonce: u64,
    /// Unix seconds from which it can't be filled.
    pub expires_at: i64,
    /// Units on offer.
    pub max_units: u64,
    /// One unit: one to eight legs.
    pub legs: Vec<QuoteLeg>,
}

impl Quote {
    /// The bytes that the maker signs, all integers little-endian: tag, exchange, maker, taker, nonce, `expires_at`, `max_units`, the number of
    /// legs in a byte, and of each leg instrument, generation, lots and price.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAX_LEN);
        bytes.extend_from_slice(&TAG);
        for key in [&self.exchange, &self.maker, &self.taker] {
            bytes.extend_from_slice(key.as_ref());
        }
        bytes.extend_from_slice(&self.nonce.to_le_bytes());
        bytes.extend_from_slice(&self.expires_at.to_le_bytes());
        bytes.extend_from_slice(&self.max_units.to_le_bytes());
        // More legs than a byte counts are more than any quote has: the decoder refuses either.
        bytes.push(u8::try_from(self.legs.len()).unwrap_or(u8::MAX));
        for leg in &self.legs {
            bytes.extend_from_slice(&leg.instrument.to_le_bytes());
            bytes.extend_from_slice(&leg.generation.to_le_bytes());
            bytes.extend_from_slice(&leg.lots.to_le_bytes());
            bytes.extend_from_slice(&leg.price.to_le_bytes());
        }
        bytes
    }

    /// Reads a quote. A quote has one encoding: nothing may be missing and nothing may follow.
    ///
    /// # Errors
    /// [`BallastError::QuoteMalformed`].
    pub fn decode(bytes: &[u8]) -> Result<Quote> {
        let mut reader = Reader(bytes);
        ensure!(reader.take::<16>()? == TAG, BallastError::QuoteMalformed);
        let mut quote = Quote {
            exchange: Pubkey::new_from_array(reader.take()?),
            maker: Pubkey::new_from_array(reader.take()?),
            taker: Pubkey::new_from_array(reader.take()?),
            nonce: u64::from_le_bytes(reader.take()?),
            expires_at: i64::from_le_bytes(reader.take()?),
            max_units: u64::from_le_bytes(reader.take()?),
            legs: Vec::new(),
        };
        let [count] = reader.take()?;
        let count = usize::from(count);
        ensure!((1..=MAX_LEGS).contains(&count), BallastError::QuoteMalformed);
        quote.legs.reserve_exact(count);
        for _ in 0..count {
            quote.legs.push(QuoteLeg {
                instrument: u16::from_le_bytes(reader.take()?),
                generation: u32::from_le_bytes(reader.take()?),
                lots: i64::from_le_bytes(reader.take()?),
                price: i64::from_le_bytes(reader.take()?),
            });
        }
        ensure!(reader.0.is_empty(), BallastError::QuoteMalformed);
        Ok(quote)
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let parts = self.0.split_first_chunk::<N>();
        let (first, rest) = parts.ok_or_else(|| fail(BallastError::QuoteMalformed))?;
        self.0 = rest;
        Ok(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(legs: usize) -> Quote {
        let leg = |n: usize| QuoteLeg {
            instrument: 0x0102 + n as u16,
            generation: 0x0304_0506,
            lots: -7 - n as i64,
            price: 0x0708_090a_0b0c_0d0e,
        };
        Quote {
            exchange: Pubkey::new_from_array([1; 32]),
            maker: Pubkey::new_from_array([2; 32]),
            taker: Pubkey::new_from_array([3; 32]),
            nonce: 0x1112_1314_1516_1718,
            expires_at: 0x2122_2324_2526_2728,
            max_units: 0x3132_3334_3536_3738,
            legs: (0..legs).map(leg).collect(),
        }
    }

    fn is_malformed(bytes: &[u8]) -> bool {
        Quote::decode(bytes).is_err_and(|e| e == fail(BallastError::QuoteMalformed))
    }

    /// Every byte, written by hand.
    #[test]
    fn the_layout_is_the_documented_one() {
        let mut expected = b"\xffballast quote 1".to_vec();
        expected.extend([1; 32]);
        expected.extend([2; 32]);
        expected.extend([3; 32]);
        expected.extend([0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]);
        expected.extend([0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21]);
        expected.extend([0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31]);
        expected.push(1);
        expected.extend([0x02, 0x01, 0x06, 0x05, 0x04, 0x03]);
        expected.extend([0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        expected.extend([0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08, 0x07]);
        assert_eq!(quote(1).encode(), expected);
        assert_eq!(expected.len(), 159);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for legs in 1..=MAX_LEGS {
            let bytes = quote(legs).encode();
            assert_eq!(bytes.len(), HEAD_LEN + legs * LEG_LEN);
            assert_eq!(Quote::decode(&bytes).unwrap(), quote(legs));
        }
        assert_eq!(MAX_LEN, 313);
    }

    #[test]
    fn refuses_every_other_number_of_bytes_or_legs() {
        let bytes = quote(2).encode();
        for len in 0..bytes.len() {
            assert!(is_malformed(&bytes[..len]), "{len} bytes");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(is_malformed(&longer));
        for legs in [0, MAX_LEGS + 1, 300] {
            assert!(is_malformed(&quote(legs).encode()), "{legs} legs");
        }
        // The count says less or more than there is.
        for count in [1, 3] {
            let mut other = bytes.clone();
            other[HEAD_LEN - 1] = count;
            assert!(is_malformed(&other));
        }
    }

    #[test]
    fn refuses_another_tag() {
        for at in 0..TAG.len() {
            let mut other = quote(1).encode();
            other[at] ^= 1;
            assert!(is_malformed(&other), "byte {at}");
        }
    }

    /// A transaction's message begins with its number of signatures, at most 127, or with 128 and its version, of which 127 is kept for
    /// messages that are no transactions.
    #[test]
    fn no_transaction_begins_like_a_quote() {
        assert_eq!(TAG[0] & 0x80, 0x80);
        assert_eq!(TAG[0] & 0x7f, 127);
    }
}
