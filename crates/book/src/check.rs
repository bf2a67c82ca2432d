//! Every structural law of a book, for tests and audits.
use crate::layout::{Node, FREE, NIL};
use crate::tree::{BETTER, LEVEL, MAX_DEPTH, WORSE};
use crate::{BookRef, Side};

/// A walk through a side, best order first.
struct Walk {
    side: Side,
    last: u16,
    seen: u32,
}

impl BookRef<'_> {
    /// Checks every structural law in time linear in the book; the error names the law that does not hold.
    ///
    /// The orders of a side ascend strictly by priority through the tree, with lots and with sequence numbers that were taken; the heights
    /// of siblings differ by at most one, as noted; parents and threads agree with the tree; counts are right; every node that was ever
    /// used and holds no order is free, once.
    pub fn check(self) -> Result<(), &'static str> {
        for side in Side::BOTH {
            self.check_side(side)?;
        }
        self.check_free()
    }

    fn check_side(self, side: Side) -> Result<(), &'static str> {
        let ends = self.ends(side);
        let mut walk = Walk {
            side,
            last: NIL,
            seen: 0,
        };
        self.check_subtree(ends.root, NIL, MAX_DEPTH, &mut walk)?;
        if walk.seen != self.len(side) {
            return Err("a side's count is not that of its orders");
        }
        let after = self
            .nodes
            .get(usize::from(walk.last))
            .map_or(ends.best, |last| last.next);
        match walk.last == ends.worst && after == NIL {
            true => Ok(()),
            false => Err("a side's last order is not its worst"),
        }
    }

    /// Checks the orders below `index` and returns their height.
    fn check_subtree(self, index: u16, parent: u16, depth: u32, walk: &mut Walk) -> Result<u32, &'static str> {
        if index == NIL {
            return Ok(0);
        }
        let depth = depth.checked_sub(1).ok_or("a tree is too high")?;
        let node = self
            .nodes
            .get(usize::from(index))
            .ok_or("a link leads out of the book")?;
        if index >= self.header.allocated {
            return Err("an order lies in a node that was never allocated");
        }
        if node.parent != parent {
            return Err("a node does not know its parent");
        }
        let [better, worse] = node.children;
        let better = self.check_subtree(better, index, depth, walk)?;
        self.check_order(index, node, walk)?;
        let worse = self.check_subtree(worse, index, depth, walk)?;
        let heavy = match (better, worse) {
            (a, b) if a == b => LEVEL,
            (a, b) if a == b.saturating_add(1) => BETTER,
            (a, b) if b == a.saturating_add(1) => WORSE,
            _ => return Err("a tree is out of balance"),
        };
        match node.heavy == heavy {
            true => Ok(better.max(worse).saturating_add(1)),
            false => Err("a node's balance is not noted right"),
        }
    }

    fn check_order(self, index: u16, node: &Node, walk: &mut Walk) -> Result<(), &'static str> {
        let side = walk.side;
        if node.state != Node::state_of(side) {
            return Err("an order is not of the side that it hangs in");
        }
        if node.order.lots <= 0 {
            return Err("an order rests without lots");
        }
        if node.order.sequence >= self.header.next_sequence {
            return Err("an order's sequence number was not taken");
        }
        let threaded = match self.nodes.get(usize::from(walk.last)) {
            Some(last) => {
                if (side.rank(last.order.price), last.order.sequence)
                    >= (side.rank(node.order.price), node.order.sequence)
                {
                    return Err("two orders are not in order");
                }
                last.next == index
            }
            None => self.ends(side).best == index,
        };
        if !threaded || node.previous != walk.last {
            return Err("the thread does not follow the tree");
        }
        walk.last = index;
        walk.seen = walk.seen.saturating_add(1);
        Ok(())
    }

    fn check_free(self) -> Result<(), &'static str> {
        let mut at = self.header.free;
        let mut free = 0_u32;
        while at != NIL {
            free = free.saturating_add(1);
            let node = self
                .nodes
                .get(usize::from(at))
                .ok_or("a free node lies out of the book")?;
            if free > u32::from(self.header.allocated) || at >= self.header.allocated || node.state != FREE {
                return Err("a free node is in use");
            }
            at = node.next;
        }
        let used = self.len(Side::Bid).saturating_add(self.len(Side::Ask));
        match free.saturating_add(used) == u32::from(self.header.allocated) {
            true => Ok(()),
            false => Err("a node is neither free nor in use"),
        }
    }
}
