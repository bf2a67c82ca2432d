//! A book that is changed in place.
use crate::layout::{self, Ends, Header, Node, FREE, NIL};
use crate::tree::Tree;
use crate::{BookError, BookRef, Handle, Order, Orders, Side};

/// A book that is changed in place. It answers what [`BookRef`] answers, by the methods of the same names.
pub struct Book<'a> {
    header: &'a mut Header,
    nodes: &'a mut [Node],
}

impl<'a> Book<'a> {
    /// The book in `bytes`, after checks of their number and alignment and of the counts in its header.
    ///
    /// Errors: [`BookError::Size`], [`BookError::Misaligned`], [`BookError::Capacity`], [`BookError::Corrupt`].
    pub fn load(bytes: &'a mut [u8]) -> Result<Book<'a>, BookError> {
        let (header, nodes) = layout::load_mut(bytes)?;
        Ok(Book { header, nodes })
    }

    /// Takes the next sequence number: the first is 1, and none comes twice.
    pub fn next_sequence(&mut self) -> u64 {
        let sequence = self.header.next_sequence;
        // At the end of the range, which a counter of orders does not reach, `insert` refuses the number.
        self.header.next_sequence = sequence.saturating_add(1);
        sequence
    }

    /// Adds an order behind those of its side with the same price and lower sequence numbers.
    ///
    /// Errors: [`BookError::Lots`] where it has none, [`BookError::Sequence`] where its number was not taken from
    /// [`Book::next_sequence`] or an order at its price has it, [`BookError::Full`], [`BookError::Corrupt`].
    pub fn insert(&mut self, side: Side, order: Order) -> Result<Handle, BookError> {
        if order.lots <= 0 {
            return Err(BookError::Lots);
        }
        if order.sequence >= self.header.next_sequence {
            return Err(BookError::Sequence);
        }
        if self.len(side) >= self.capacity() {
            return Err(BookError::Full);
        }
        let place = self.tree(side).place(side, order.price, order.sequence)?;
        let index = self.allocate()?;
        *self.node_mut(index)? = Node::new(order, side);
        let mut tree = self.tree(side);
        tree.insert(index, place)?;
        tree.ends.len = tree.ends.len.checked_add(1).ok_or(BookError::Corrupt)?;
        Ok(Handle(u32::from(index)))
    }

    /// Takes an order out and returns it.
    ///
    /// Errors: [`BookError::UnknownOrder`], [`BookError::Corrupt`].
    pub fn remove(&mut self, handle: Handle) -> Result<Order, BookError> {
        let order = *self.order(handle).ok_or(BookError::UnknownOrder)?;
        self.drop_order(handle)?;
        Ok(order)
    }

    /// Takes `lots` lots off an order, which keeps its place.
    ///
    /// Errors: [`BookError::UnknownOrder`], [`BookError::Lots`] where `lots` is not positive or would leave none.
    pub fn reduce(&mut self, handle: Handle, lots: i64) -> Result<(), BookError> {
        let left = self.order(handle).ok_or(BookError::UnknownOrder)?.lots;
        if lots <= 0 || lots >= left {
            return Err(BookError::Lots);
        }
        let index = u16::try_from(handle.0).map_err(|_| BookError::UnknownOrder)?;
        self.node_mut(index)?.order.lots = left.checked_sub(lots).ok_or(BookError::Lots)?;
        Ok(())
    }

    /// Takes an order out.
    pub(crate) fn drop_order(&mut self, handle: Handle) -> Result<(), BookError> {
        let side = self.side_of(handle).ok_or(BookError::UnknownOrder)?;
        let index = u16::try_from(handle.0).map_err(|_| BookError::UnknownOrder)?;
        let mut tree = self.tree(side);
        tree.remove(index)?;
        tree.ends.len = tree.ends.len.checked_sub(1).ok_or(BookError::Corrupt)?;
        let free = self.header.free;
        let node = self.node_mut(index)?;
        node.state = FREE;
        node.next = free;
        self.header.free = index;
        Ok(())
    }

    /// The book to be read.
    pub fn view(&self) -> BookRef<'_> {
        BookRef {
            header: self.header,
            nodes: self.nodes,
        }
    }

    /// A node that holds no order, no longer counted as free.
    fn allocate(&mut self) -> Result<u16, BookError> {
        let index = self.header.free;
        if index != NIL {
            let node = self.node_mut(index)?;
            if node.state != FREE {
                return Err(BookError::Corrupt);
            }
            self.header.free = node.next;
            return Ok(index);
        }
        let index = self.header.allocated;
        if usize::from(index) >= self.nodes.len() {
            return Err(BookError::Corrupt);
        }
        self.header.allocated = index.checked_add(1).ok_or(BookError::Corrupt)?;
        Ok(index)
    }

    fn tree(&mut self, side: Side) -> Tree<'_> {
        let [bids, asks] = &mut self.header.sides;
        let ends: &mut Ends = match side {
            Side::Bid => bids,
            Side::Ask => asks,
        };
        Tree {
            nodes: self.nodes,
            ends,
        }
    }

    fn node_mut(&mut self, index: u16) -> Result<&mut Node, BookError> {
        self.nodes.get_mut(usize::from(index)).ok_or(BookError::Corrupt)
    }
}

/// What [`BookRef`] answers.
impl Book<'_> {
    /// See [`BookRef::capacity`].
    pub fn capacity(&self) -> u32 {
        self.view().capacity()
    }

    /// See [`BookRef::len`].
    pub fn len(&self, side: Side) -> u32 {
        self.view().len(side)
    }

    /// See [`BookRef::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.view().is_empty()
    }

    /// See [`BookRef::best`].
    pub fn best(&self, side: Side) -> Option<Handle> {
        self.view().best(side)
    }

    /// See [`BookRef::worst`].
    pub fn worst(&self, side: Side) -> Option<Handle> {
        self.view().worst(side)
    }

    /// See [`BookRef::next`].
    pub fn next(&self, handle: Handle) -> Option<Handle> {
        self.view().next(handle)
    }

    /// See [`BookRef::order`].
    pub fn order(&self, handle: Handle) -> Option<&Order> {
        self.view().order(handle)
    }

    /// See [`BookRef::side_of`].
    pub fn side_of(&self, handle: Handle) -> Option<Side> {
        self.view().side_of(handle)
    }

    /// See [`BookRef::find`].
    pub fn find(&self, handle: Handle, sequence: u64) -> Result<&Order, BookError> {
        self.view().find(handle, sequence)
    }

    /// See [`BookRef::would_evict`].
    pub fn would_evict(&self, side: Side, price: i64) -> Option<Handle> {
        self.view().would_evict(side, price)
    }

    /// See [`BookRef::take_value`].
    pub fn take_value(&self, side: Side, lots: i64, now: i64) -> Option<i128> {
        self.view().take_value(side, lots, now)
    }

    /// See [`BookRef::orders`].
    pub fn orders(&self, side: Side) -> Orders<'_> {
        self.view().orders(side)
    }

    /// See [`BookRef::check`].
    pub fn check(&self) -> Result<(), &'static str> {
        self.view().check()
    }
}
