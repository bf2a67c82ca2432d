//! The bytes of a book: a header, then the nodes of both sides, which share them.
use crate::tree::LEVEL;
use crate::{BookError, Order, Side};
use bytemuck::{Pod, Zeroable};

/// The least capacity of a side.
pub const MIN_CAPACITY: u32 = 64;
/// The largest capacity of a side.
pub const MAX_CAPACITY: u32 = 1_024;

/// No node. Out of range of every book, so following it finds nothing.
pub(crate) const NIL: u16 = u16::MAX;

/// State of a node that holds no order.
pub(crate) const FREE: u8 = 0;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Header {
    /// Higher than the sequence number of every order there ever was.
    pub next_sequence: u64,
    /// Orders a side.
    pub capacity: u32,
    /// Nodes that were ever in use; those after were not written yet.
    pub allocated: u16,
    /// First of the nodes that were in use and are free again, linked by [`Node::next`].
    pub free: u16,
    /// The trees of the bids and of the asks.
    pub sides: [Ends; 2],
}

/// A side's tree.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Ends {
    pub root: u16,
    pub best: u16,
    pub worst: u16,
    pub len: u16,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Node {
    pub order: Order,
    pub parent: u16,
    /// The better orders below this one, and the worse ones.
    pub children: [u16; 2],
    /// The next better order of the side, whatever the shape of the tree.
    pub previous: u16,
    /// The next worse order of the side; of a free node, the next free one.
    pub next: u16,
    /// [`FREE`], or [`Node::state_of`] the side that the order rests on.
    pub state: u8,
    /// Which child is the root of the higher subtree, or [`crate::tree::LEVEL`].
    pub heavy: u8,
    pub padding: [u8; 4],
}

impl Node {
    /// An order that hangs nowhere yet.
    pub const fn new(order: Order, side: Side) -> Node {
        Node {
            order,
            parent: NIL,
            children: [NIL; 2],
            previous: NIL,
            next: NIL,
            state: Node::state_of(side),
            heavy: LEVEL,
            padding: [0; 4],
        }
    }

    pub const fn state_of(side: Side) -> u8 {
        match side {
            Side::Bid => 1,
            Side::Ask => 2,
        }
    }

    pub const fn side(&self) -> Option<Side> {
        match self.state {
            1 => Some(Side::Bid),
            2 => Some(Side::Ask),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Header>() == 32);
const _: () = assert!(size_of::<Node>() == 104);
const _: () = assert!(2 * MAX_CAPACITY < NIL as u32);

/// Bytes of a book with `capacity` orders a side.
pub const fn size(capacity: u32) -> usize {
    nodes(capacity)
        .saturating_mul(size_of::<Node>())
        .saturating_add(size_of::<Header>())
}

/// Nodes of a book with `capacity` orders a side.
const fn nodes(capacity: u32) -> usize {
    (capacity as usize).saturating_mul(2)
}

/// Writes an empty book of `capacity` orders a side over zeroed bytes. Its first sequence number is 1.
///
/// Errors: [`BookError::Capacity`], [`BookError::Size`], [`BookError::Misaligned`], and [`BookError::Initialized`] where the bytes do
/// not start with zeros.
pub fn init(bytes: &mut [u8], capacity: u32) -> Result<(), BookError> {
    check_capacity(capacity)?;
    if bytes.len() != size(capacity) {
        return Err(BookError::Size);
    }
    let (header, _) = split_mut(bytes)?;
    if bytemuck::bytes_of(header).iter().any(|byte| *byte != 0) {
        return Err(BookError::Initialized);
    }
    let empty = Ends {
        root: NIL,
        best: NIL,
        worst: NIL,
        len: 0,
    };
    *header = Header {
        next_sequence: 1,
        capacity,
        allocated: 0,
        free: NIL,
        sides: [empty; 2],
    };
    Ok(())
}

/// Header and nodes of a book that [`init`] wrote.
pub(crate) fn load(bytes: &[u8]) -> Result<(&Header, &[Node]), BookError> {
    let (header, nodes) = bytes.split_at_checked(size_of::<Header>()).ok_or(BookError::Size)?;
    let header: &Header = bytemuck::try_from_bytes(header).map_err(|_| BookError::Misaligned)?;
    let nodes: &[Node] = bytemuck::try_cast_slice(nodes).map_err(|_| BookError::Size)?;
    check(header, nodes)?;
    Ok((header, nodes))
}

/// The same to be changed.
pub(crate) fn load_mut(bytes: &mut [u8]) -> Result<(&mut Header, &mut [Node]), BookError> {
    let (header, nodes) = split_mut(bytes)?;
    check(header, nodes)?;
    Ok((header, nodes))
}

fn split_mut(bytes: &mut [u8]) -> Result<(&mut Header, &mut [Node]), BookError> {
    let (header, nodes) = bytes.split_at_mut_checked(size_of::<Header>()).ok_or(BookError::Size)?;
    let header: &mut Header = bytemuck::try_from_bytes_mut(header).map_err(|_| BookError::Misaligned)?;
    let nodes: &mut [Node] = bytemuck::try_cast_slice_mut(nodes).map_err(|_| BookError::Size)?;
    Ok((header, nodes))
}

fn check(header: &Header, nodes: &[Node]) -> Result<(), BookError> {
    check_capacity(header.capacity)?;
    if nodes.len() != self::nodes(header.capacity) {
        return Err(BookError::Size);
    }
    if usize::from(header.allocated) > nodes.len()
        || header.sides.iter().any(|side| u32::from(side.len) > header.capacity)
    {
        return Err(BookError::Corrupt);
    }
    Ok(())
}

fn check_capacity(capacity: u32) -> Result<(), BookError> {
    match (MIN_CAPACITY..=MAX_CAPACITY).contains(&capacity) {
        true => Ok(()),
        false => Err(BookError::Capacity),
    }
}
