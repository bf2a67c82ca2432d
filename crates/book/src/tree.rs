//! One side's orders as an AVL tree whose nodes are also threaded in order.
use crate::layout::{Ends, Node, NIL};
use crate::{BookError, Side};

/// Orders from the root of the tree to a leaf, at most: the least AVL tree of height 14 has 986 nodes, that of height 15 has 1,596.
pub const MAX_DEPTH: u32 = 14;

/// Rounds of a loop along a path, the one that finds its end included. Of 64 bits and exclusive, which is cheapest on chain.
const STEPS: u64 = MAX_DEPTH as u64 + 1;

/// The child with better orders, as a place in [`Node::children`].
pub(crate) const BETTER: u8 = 0;
/// The child with worse orders.
pub(crate) const WORSE: u8 = 1;
/// [`Node::heavy`] where both subtrees are equally high.
pub(crate) const LEVEL: u8 = 2;

/// Where a new node goes: as the child `direction` of `parent`, or as the root of an empty tree.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    parent: u16,
    direction: u8,
}

/// The tree of one side. An error is always [`BookError::Corrupt`], if not said otherwise.
pub(crate) struct Tree<'t> {
    pub nodes: &'t mut [Node],
    pub ends: &'t mut Ends,
}

impl Node {
    fn child(&self, direction: u8) -> u16 {
        let [better, worse] = self.children;
        match direction {
            BETTER => better,
            _ => worse,
        }
    }

    fn child_mut(&mut self, direction: u8) -> &mut u16 {
        let [better, worse] = &mut self.children;
        match direction {
            BETTER => better,
            _ => worse,
        }
    }
}

const fn other(direction: u8) -> u8 {
    direction ^ 1
}

impl Tree<'_> {
    /// Where an order goes by price and then sequence number. [`BookError::Sequence`] when another order has both.
    pub fn place(&self, side: Side, price: i64, sequence: u64) -> Result<Place, BookError> {
        let rank = side.rank(price);
        let (mut parent, mut direction) = (NIL, BETTER);
        let mut at = self.ends.root;
        for _ in 0..STEPS {
            if at == NIL {
                return Ok(Place { parent, direction });
            }
            let node = self.node(at)?;
            let there = side.rank(node.order.price);
            parent = at;
            if rank < there || (rank == there && sequence < node.order.sequence) {
                direction = BETTER;
                [at, _] = node.children;
            } else {
                if rank == there && sequence == node.order.sequence {
                    return Err(BookError::Sequence);
                }
                direction = WORSE;
                [_, at] = node.children;
            }
        }
        Err(BookError::Corrupt)
    }

    /// Hangs the new node `index` into its place.
    pub fn insert(&mut self, index: u16, place: Place) -> Result<(), BookError> {
        let Place { parent, direction } = place;
        let (previous, next) = match self.nodes.get_mut(usize::from(parent)) {
            None => {
                self.ends.root = index;
                (NIL, NIL)
            }
            Some(above) => {
                *above.child_mut(direction) = index;
                match direction {
                    BETTER => (above.previous, parent),
                    _ => (parent, above.next),
                }
            }
        };
        let node = self.node_mut(index)?;
        node.parent = parent;
        node.previous = previous;
        node.next = next;
        self.thread(previous, index)?;
        self.thread(index, next)?;
        self.grown(parent, direction)
    }

    /// Takes the node `index` out. Its own links keep their values.
    pub fn remove(&mut self, index: u16) -> Result<(), BookError> {
        let Node {
            parent,
            children: [better, worse],
            previous,
            next,
            heavy,
            ..
        } = *self.node(index)?;
        self.thread(previous, next)?;
        if better == NIL || worse == NIL {
            let only = if better == NIL { worse } else { better };
            let direction = self.replace(parent, index, only)?;
            return self.shrunk(parent, direction);
        }
        // The next worse order is the best of the worse subtree, so it has no better child; it takes the place.
        let (from, direction) = self.cut_next(index, next, worse)?;
        let heir = self.node_mut(next)?;
        heir.heavy = heavy;
        *heir.child_mut(BETTER) = better;
        self.node_mut(better)?.parent = next;
        self.replace(parent, index, next)?;
        self.shrunk(from, direction)
    }

    /// Takes `next`, the next worse order of `index`, out of `worse`, the worse subtree of `index`, and hangs the rest of that below it.
    /// Returns where a subtree has become lower.
    fn cut_next(&mut self, index: u16, next: u16, worse: u16) -> Result<(u16, u8), BookError> {
        let heir = self.node(next)?;
        let (above, below) = (heir.parent, heir.child(WORSE));
        if heir.child(BETTER) != NIL {
            return Err(BookError::Corrupt);
        }
        if above == index {
            return Ok((next, WORSE));
        }
        *self.node_mut(above)?.child_mut(BETTER) = below;
        if below != NIL {
            self.node_mut(below)?.parent = above;
        }
        *self.node_mut(next)?.child_mut(WORSE) = worse;
        self.node_mut(worse)?.parent = next;
        Ok((above, BETTER))
    }

    /// Makes two nodes neighbours in order; [`NIL`] before the best and after the worst.
    fn thread(&mut self, previous: u16, next: u16) -> Result<(), BookError> {
        match previous {
            NIL => self.ends.best = next,
            _ => self.node_mut(previous)?.next = next,
        }
        match next {
            NIL => self.ends.worst = previous,
            _ => self.node_mut(next)?.previous = previous,
        }
        Ok(())
    }

    /// Puts `new` (may be [`NIL`]) where `old` hangs below `parent`, or at the root. Returns which child that is.
    fn replace(&mut self, parent: u16, old: u16, new: u16) -> Result<u8, BookError> {
        let direction = if parent == NIL {
            self.ends.root = new;
            BETTER
        } else {
            let above = self.node_mut(parent)?;
            let direction = if above.child(BETTER) == old { BETTER } else { WORSE };
            *above.child_mut(direction) = new;
            direction
        };
        if new != NIL {
            self.node_mut(new)?.parent = parent;
        }
        Ok(direction)
    }

    /// Restores the balance after the child `direction` of `at` has become higher by one.
    fn grown(&mut self, mut at: u16, mut direction: u8) -> Result<(), BookError> {
        for _ in 0..STEPS {
            if at == NIL {
                return Ok(());
            }
            let node = self.node_mut(at)?;
            if node.heavy == direction {
                return self.rotate(at, direction).map(|_| ());
            }
            if node.heavy != LEVEL {
                node.heavy = LEVEL;
                return Ok(());
            }
            node.heavy = direction;
            let below = at;
            at = node.parent;
            direction = self.direction(at, below);
        }
        Err(BookError::Corrupt)
    }

    /// Restores the balance after the child `direction` of `at` has become lower by one.
    fn shrunk(&mut self, mut at: u16, mut direction: u8) -> Result<(), BookError> {
        for _ in 0..STEPS {
            if at == NIL {
                return Ok(());
            }
            let node = self.node_mut(at)?;
            let above = node.parent;
            let heavy = node.heavy;
            if heavy == LEVEL {
                node.heavy = other(direction);
                return Ok(());
            }
            node.heavy = LEVEL;
            let next_direction = self.direction(above, at);
            if heavy != direction && !self.rotate(at, heavy)? {
                return Ok(());
            }
            direction = next_direction;
            at = above;
        }
        Err(BookError::Corrupt)
    }

    /// Which child of `parent` the node `index` is; of no use at the root.
    fn direction(&self, parent: u16, index: u16) -> u8 {
        match self.nodes.get(usize::from(parent)) {
            Some(above) if above.child(BETTER) != index => WORSE,
            _ => BETTER,
        }
    }

    /// Lowers the child `heavy` of `at`, which is higher than the other by two. Returns whether the whole subtree became lower.
    fn rotate(&mut self, at: u16, heavy: u8) -> Result<bool, BookError> {
        let light = other(heavy);
        let child = self.node(at)?.child(heavy);
        let balance = self.node(child)?.heavy;
        if balance != light {
            self.lift(at, heavy)?;
            // Only a removal finds the child level; the subtree then keeps its height.
            let lower = balance == heavy;
            self.node_mut(at)?.heavy = if lower { LEVEL } else { heavy };
            self.node_mut(child)?.heavy = if lower { LEVEL } else { light };
            return Ok(lower);
        }
        let middle = self.node(child)?.child(light);
        let balance = self.node(middle)?.heavy;
        self.lift(child, light)?;
        self.lift(at, heavy)?;
        self.node_mut(at)?.heavy = if balance == heavy { light } else { LEVEL };
        self.node_mut(child)?.heavy = if balance == light { heavy } else { LEVEL };
        self.node_mut(middle)?.heavy = LEVEL;
        Ok(true)
    }

    /// Lifts the child `direction` of `at` above it.
    fn lift(&mut self, at: u16, direction: u8) -> Result<(), BookError> {
        let node = self.node(at)?;
        let (parent, child) = (node.parent, node.child(direction));
        let lifted = self.node_mut(child)?;
        let inner = lifted.child(other(direction));
        *lifted.child_mut(other(direction)) = at;
        if inner != NIL {
            self.node_mut(inner)?.parent = at;
        }
        self.replace(parent, at, child)?;
        let node = self.node_mut(at)?;
        *node.child_mut(direction) = inner;
        node.parent = child;
        Ok(())
    }

    fn node(&self, index: u16) -> Result<&Node, BookError> {
        self.nodes.get(usize::from(index)).ok_or(BookError::Corrupt)
    }

    fn node_mut(&mut self, index: u16) -> Result<&mut Node, BookError> {
        self.nodes.get_mut(usize::from(index)).ok_or(BookError::Corrupt)
    }
}
