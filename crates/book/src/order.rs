//! A resting order, its side and its handle.
use bytemuck::{Pod, Zeroable};

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Side {
    /// Orders to buy: a higher price is better.
    Bid = 0,
    /// Orders to sell: a lower price is better.
    Ask = 1,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Side; 2] = [Side::Bid, Side::Ask];

    /// The side that this one trades with.
    pub const fn opposite(self) -> Side {
        match self {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        }
    }

    /// The sign of the lots that an order of this side adds to its owner's position: 1 for a bid, -1 for an ask.
    pub const fn sign(self) -> i64 {
        match self {
            Side::Bid => 1,
            Side::Ask => -1,
        }
    }

    /// Whether an order of this side with the limit `limit` trades at `price`, in 10⁻⁹ USD.
    pub const fn crosses(self, limit: i64, price: i64) -> bool {
        match self {
            Side::Bid => price <= limit,
            Side::Ask => price >= limit,
        }
    }

    /// Whether `price` is better than `than` among the resting orders of this side.
    pub const fn better(self, price: i64, than: i64) -> bool {
        self.rank(price) < self.rank(than)
    }

    /// The place of a price among those of its side: the lower the better. Complementing a number turns the order around and, unlike
    /// negating it, does not overflow.
    pub(crate) const fn rank(self, price: i64) -> i64 {
        match self {
            Side::Bid => !price,
            Side::Ask => price,
        }
    }
}

/// A resting order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Order {
    /// Key of the margin account that the order belongs to.
    pub owner: [u8; 32],
    /// The owner's own number for the order; the book does not look at it.
    pub client_order_id: u64,
    /// Limit price in 10⁻⁹ USD.
    pub price: i64,
    /// What is left of the order, positive; the side gives the sign.
    pub lots: i64,
    /// What the owner's account reserves for each lot, in 10⁻⁸ USD; the book does not look at it.
    pub reserve_per_lot: i64,
    /// The unix second from which the order no longer trades; 0 for never.
    pub expires_at: i64,
    /// Time priority: of two orders at one price the one with the lower number comes first.
    pub sequence: u64,
    /// A sum of [`Order::REDUCE_ONLY`] and bits that the book does not look at.
    pub flags: u8,
    /// Zero.
    pub padding: [u8; 7],
}

impl Order {
    /// The flag of an order that may only reduce its owner's position.
    pub const REDUCE_ONLY: u8 = 1;

    /// Whether the order may only reduce its owner's position.
    pub const fn is_reduce_only(&self) -> bool {
        self.flags & Order::REDUCE_ONLY != 0
    }

    /// Whether the order no longer trades at the unix second `now`.
    pub const fn has_expired(&self, now: i64) -> bool {
        self.expires_at != 0 && self.expires_at <= now
    }
}

/// Where an order rests: its number in the book. It stays the same while the order rests and goes to another order afterwards, so keep
/// the order's sequence number with it ([`crate::BookRef::find`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub u32);

const _: () = assert!(size_of::<Order>() == 88);
