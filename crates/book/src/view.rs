//! What can be asked of a book.
use crate::layout::{self, Ends, Header, Node};
use crate::{BookError, Handle, Order, Side};

/// Orders that [`BookRef::take_value`] looks at, at most.
pub const MAX_IMPACT_ORDERS: u32 = 32;

/// A book that is only read.
#[derive(Clone, Copy)]
pub struct BookRef<'a> {
    pub(crate) header: &'a Header,
    pub(crate) nodes: &'a [Node],
}

impl<'a> BookRef<'a> {
    /// The book in `bytes`, after checks of their number and alignment and of the counts in its header.
    ///
    /// Errors: [`BookError::Size`], [`BookError::Misaligned`], [`BookError::Capacity`], [`BookError::Corrupt`].
    pub fn load(bytes: &'a [u8]) -> Result<BookRef<'a>, BookError> {
        let (header, nodes) = layout::load(bytes)?;
        Ok(BookRef { header, nodes })
    }

    /// Orders that a side can hold.
    pub fn capacity(self) -> u32 {
        self.header.capacity
    }

    /// Orders that rest on a side.
    pub fn len(self, side: Side) -> u32 {
        u32::from(self.ends(side).len)
    }

    /// Whether no order rests on either side.
    pub fn is_empty(self) -> bool {
        self.len(Side::Bid) == 0 && self.len(Side::Ask) == 0
    }

    /// The order that trades first.
    pub fn best(self, side: Side) -> Option<Handle> {
        self.handle(self.ends(side).best)
    }

    /// The order that trades last.
    pub fn worst(self, side: Side) -> Option<Handle> {
        self.handle(self.ends(side).worst)
    }

    /// The order that trades after this one.
    pub fn next(self, handle: Handle) -> Option<Handle> {
        self.handle(self.node(handle)?.next)
    }

    /// The order at `handle`, where one rests.
    pub fn order(self, handle: Handle) -> Option<&'a Order> {
        Some(&self.node(handle)?.order)
    }

    /// The side of the order at `handle`, where one rests.
    pub fn side_of(self, handle: Handle) -> Option<Side> {
        self.node(handle)?.side()
    }

    /// The order with this sequence number at `handle`; [`BookError::UnknownOrder`] when none or another one rests there.
    pub fn find(self, handle: Handle, sequence: u64) -> Result<&'a Order, BookError> {
        self.order(handle)
            .filter(|order| order.sequence == sequence)
            .ok_or(BookError::UnknownOrder)
    }

    /// The order that a new one at `price` displaces: the worst of a full side, where its price is worse. A new order at the same price is
    /// the later one, so it displaces none.
    pub fn would_evict(self, side: Side, price: i64) -> Option<Handle> {
        if self.len(side) < self.capacity() {
            return None;
        }
        let worst = self.worst(side)?;
        side.better(price, self.order(worst)?.price).then_some(worst)
    }

    /// Σ price · lots in 10⁻⁹ USD over the best `lots` lots of a side that trade at the unix second `now`, without rounding.
    ///
    /// None where the side has fewer, where they are not among its best [`MAX_IMPACT_ORDERS`] orders (expired ones, which are passed over,
    /// included), and for a number of lots that is not positive.
    pub fn take_value(self, side: Side, lots: i64, now: i64) -> Option<i128> {
        let mut left = if lots > 0 { lots } else { return None };
        let mut value = Products::new(lots);
        let mut at = self.best(side);
        for _ in 0..MAX_IMPACT_ORDERS {
            let node = self.node(at?)?;
            if !node.order.has_expired(now) {
                let taken = left.min(node.order.lots);
                if taken <= 0 {
                    return None; // not written by this crate
                }
                value.add(node.order.price, taken);
                left = left.wrapping_sub(taken); // 0 < taken ≤ left
                if left == 0 {
                    return Some(value.sum());
                }
            }
            at = self.handle(node.next);
        }
        None
    }

    /// The orders of a side, best first.
    pub fn orders(self, side: Side) -> Orders<'a> {
        Orders {
            book: self,
            at: self.ends(side).best,
            left: self.len(side),
        }
    }

    pub(crate) fn ends(self, side: Side) -> &'a Ends {
        let [bids, asks] = &self.header.sides;
        match side {
            Side::Bid => bids,
            Side::Ask => asks,
        }
    }

    /// The node of a resting order.
    pub(crate) fn node(self, handle: Handle) -> Option<&'a Node> {
        self.nodes.get(handle.0 as usize).filter(|node| node.side().is_some())
    }

    fn handle(self, index: u16) -> Option<Handle> {
        (usize::from(index) < self.nodes.len()).then_some(Handle(u32::from(index)))
    }
}

/// Σ price · lots where the lots add up to a known number.
///
/// Products of 128 bits are dear on chain, so fewer than 2³¹ lots are multiplied with the two halves of a price by themselves.
struct Products {
    few: bool,
    high: i64,
    low: i64,
    wide: i128,
}

impl Products {
    /// No products yet; of `lots` lots there will be at most.
    fn new(lots: i64) -> Products {
        Products {
            few: lots < 1 << 31,
            high: 0,
            low: 0,
            wide: 0,
        }
    }

    fn add(&mut self, price: i64, lots: i64) {
        if self.few {
            // A half is in ±2³², the lots of all products together under 2³¹.
            self.high = self.high.wrapping_add((price >> 32).wrapping_mul(lots));
            self.low = self.low.wrapping_add((price & 0xFFFF_FFFF).wrapping_mul(lots));
        } else {
            // A price is in ±2⁶³, the lots of all products together under 2⁶³.
            self.wide = self.wide.wrapping_add(i128::from(price).wrapping_mul(i128::from(lots)));
        }
    }

    fn sum(&self) -> i128 {
        self.wide
            .wrapping_add(i128::from(self.high) << 32)
            .wrapping_add(i128::from(self.low))
    }
}

/// The orders of a side, best first: see [`BookRef::orders`].
#[derive(Clone)]
pub struct Orders<'a> {
    book: BookRef<'a>,
    at: u16,
    left: u32,
}

impl<'a> Iterator for Orders<'a> {
    type Item = (Handle, &'a Order);

    #[inline] // on chain a market's book is walked after each change
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let node = self.book.nodes.get(usize::from(self.at))?;
        node.side()?;
        let handle = Handle(u32::from(self.at));
        self.at = node.next;
        Some((handle, &node.order))
    }
}
