//! What the book refuses.
use core::fmt;

/// Why an operation on a book has no result. All but [`BookError::Corrupt`] leave the book as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookError {
    /// The bytes are not as many as [`crate::size`] of the book's capacity: pass all bytes of the book and no others.
    Size,
    /// The bytes do not start at a multiple of eight: put a header of a multiple of eight bytes before them.
    Misaligned,
    /// The capacity is outside [`crate::MIN_CAPACITY`] to [`crate::MAX_CAPACITY`]; of bytes that were never initialized it is zero.
    Capacity,
    /// The bytes hold a book already.
    Initialized,
    /// The side holds as many orders as its capacity: evict [`crate::BookRef::would_evict`] first, or offer a better price.
    Full,
    /// No such order rests: it was filled, cancelled, evicted or has expired.
    UnknownOrder,
    /// An order's lots must be positive, and a reduction must leave some of them.
    Lots,
    /// The sequence number is another order's or was not taken from [`crate::Book::next_sequence`].
    Sequence,
    /// The bytes are not what this crate writes. The book may have been changed in part: undo the whole transaction.
    Corrupt,
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BookError::Size => "the bytes are not as many as a book of this capacity has",
            BookError::Misaligned => "a book must start at a multiple of eight bytes",
            BookError::Capacity => "a book's capacity must be from 64 to 1,024 orders a side",
            BookError::Initialized => "the bytes hold a book already",
            BookError::Full => "the side is full and its worst order is not worse: offer a better price",
            BookError::UnknownOrder => "no such order rests: it was filled, cancelled, evicted or has expired",
            BookError::Lots => "an order's lots must be positive, and a reduction must leave some of them",
            BookError::Sequence => "an order needs a sequence number of its own, taken from the book",
            BookError::Corrupt => "the bytes of the book are not what the book writes",
        })
    }
}

impl core::error::Error for BookError {}
