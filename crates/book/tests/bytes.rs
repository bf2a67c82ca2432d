//! Bytes that no book wrote, and the shapes that a tree may take.
mod common;

use ballast_book::{
    init, match_incoming, size, Book, BookError, BookRef, Handle, Incoming, Kind, Order, SelfTrade, Side, MAX_CAPACITY,
    MAX_DEPTH, MIN_CAPACITY,
};
use common::{Bytes, Rng, Script};

fn load_both(bytes: &mut [u8]) -> Result<(), BookError> {
    let read = BookRef::load(bytes).map(|_| ());
    let changed = Book::load(bytes).map(|_| ());
    assert_eq!(read, changed);
    read
}

#[test]
fn a_book_has_the_stated_size() {
    // A header of 32 bytes and two nodes of 104 an order of capacity.
    assert_eq!(size(64), 32 + 128 * 104);
    assert_eq!(size(1_024), 213_024);
}

#[test]
fn only_capacities_in_range_are_accepted() {
    for capacity in [MIN_CAPACITY, 65, 999, MAX_CAPACITY] {
        let bytes = Bytes::new(capacity);
        assert_eq!(bytes.view().capacity(), capacity);
        assert!(bytes.view().is_empty());
        bytes.view().check().unwrap();
    }
    for capacity in [0, 1, MIN_CAPACITY - 1, MAX_CAPACITY + 1, 32_768, 65_536, u32::MAX] {
        let mut words = vec![0_u64; size(capacity.min(70_000)) / 8];
        assert_eq!(
            init(bytemuck::cast_slice_mut(&mut words), capacity),
            Err(BookError::Capacity)
        );
        // And where the header says so.
        let mut bytes = Bytes::new(64);
        bytes.raw()[8..12].copy_from_slice(&capacity.to_le_bytes());
        assert_eq!(load_both(bytes.raw()), Err(BookError::Capacity));
    }
}

#[test]
fn wrong_sizes_are_refused() {
    let mut bytes = Bytes::new(64);
    for len in [0, 1, 31, 32, 33, 136, size(64) - 104, size(64) - 8, size(64) - 1] {
        let part = &mut bytes.raw()[..len];
        assert_eq!(load_both(part), Err(BookError::Size), "{len}");
        part.fill(0);
        assert_eq!(init(part, 64), Err(BookError::Size), "{len}");
        bytes = Bytes::new(64);
    }
    let mut longer = vec![0_u64; size(65) / 8];
    let longer = bytemuck::cast_slice_mut(&mut longer);
    assert_eq!(init(longer, 64), Err(BookError::Size));
    longer[..size(64)].copy_from_slice(bytes.raw());
    assert_eq!(load_both(longer), Err(BookError::Size));
}

#[test]
fn misaligned_bytes_are_refused() {
    let mut words = vec![0_u64; size(64) / 8 + 1];
    for offset in 1..8 {
        let bytes = &mut bytemuck::cast_slice_mut(&mut words)[offset..offset + size(64)];
        assert_eq!(init(bytes, 64), Err(BookError::Misaligned));
        assert_eq!(load_both(bytes), Err(BookError::Misaligned));
    }
}

#[test]
fn a_book_is_initialized_once_and_before_it_is_loaded() {
    let mut words = vec![0_u64; size(64) / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    assert_eq!(load_both(bytes), Err(BookError::Capacity));
    assert_eq!(init(bytes, 64), Ok(()));
    assert_eq!(init(bytes, 64), Err(BookError::Initialized));
}

#[test]
fn counts_beyond_the_capacity_are_refused() {
    // Nodes ever used, and the counts of bids and asks.
    for (offset, most) in [(12, 128_u16), (22, 64), (30, 64)] {
        let mut bytes = Bytes::new(64);
        bytes.raw()[offset..offset + 2].copy_from_slice(&most.to_le_bytes());
        assert_eq!(load_both(bytes.raw()), Ok(()));
        bytes.raw()[offset..offset + 2].copy_from_slice(&(most + 1).to_le_bytes());
        assert_eq!(load_both(bytes.raw()), Err(BookError::Corrupt));
    }
}

/// Fills a book with orders of both sides at prices near each other, and frees some nodes.
fn busy(rng: &mut Rng) -> Bytes {
    let mut bytes = Bytes::new(64);
    let mut book = bytes.book();
    for _ in 0..rng.below(200) {
        let side = rng.pick(&Side::BOTH);
        let sequence = book.next_sequence();
        let order = Order {
            price: rng.below(50) as i64,
            lots: 1 + rng.below(9) as i64,
            expires_at: rng.below(3) as i64,
            sequence,
            ..Order::default()
        };
        let _ = book.insert(side, order);
        if rng.once_in(3) {
            let _ = book.remove(Handle(rng.below(128) as u32));
        }
    }
    bytes
}

/// Writes random values over links, states, whole nodes or the header.
fn corrupt(rng: &mut Rng, bytes: &mut Bytes) {
    let raw = bytes.raw();
    let len = raw.len() as u64;
    for _ in 0..1 + rng.below(20) {
        let node = 32 + 104 * rng.below(128);
        let (at, count) = match rng.below(6) {
            0 => (rng.below(len), 1),
            // The links and states of a node.
            1..=3 => (node + 88 + rng.below(12), 1 + rng.below(3)),
            4 => (node, 104),
            // All of the header but the capacity.
            _ => (rng.pick(&[0, 12, 13, 14, 16, 18, 20, 22, 24, 26, 28, 30]), 2),
        };
        for byte in &mut raw[at as usize..(at + count).min(len) as usize] {
            *byte = match rng.below(3) {
                0 => rng.next() as u8,
                1 => rng.below(128) as u8,
                _ => 0,
            };
        }
    }
    raw[8..12].copy_from_slice(&64_u32.to_le_bytes());
}

fn use_every_operation(rng: &mut Rng, bytes: &mut Bytes) {
    let Ok(mut book) = Book::load(bytes.raw()) else { return };
    for _ in 0..12 {
        let side = rng.pick(&Side::BOTH);
        let handle = Handle(rng.below(140) as u32);
        let price = if rng.once_in(9) {
            rng.next() as i64
        } else {
            rng.below(50) as i64
        };
        let lots = if rng.once_in(9) {
            rng.next() as i64
        } else {
            1 + rng.below(30) as i64
        };
        let _ = (
            book.best(side),
            book.worst(side),
            book.next(handle),
            book.side_of(handle),
            book.order(handle),
        );
        let _ = (
            book.find(handle, rng.below(99)),
            book.would_evict(side, price),
            book.is_empty(),
        );
        let _ = book.take_value(side, lots, 1);
        assert!(book.orders(side).count() <= 64);
        let sequence = if rng.once_in(4) {
            rng.next()
        } else {
            book.next_sequence()
        };
        let _ = book.insert(
            side,
            Order {
                price,
                lots,
                sequence,
                ..Order::default()
            },
        );
        let _ = book.reduce(handle, lots);
        let _ = book.remove(handle);
        let incoming = Incoming {
            side,
            limit: price,
            lots,
            kind: rng.pick(&[Kind::Limit, Kind::PostOnly, Kind::ImmediateOrCancel, Kind::FillOrKill]),
            self_trade: rng.pick(&[SelfTrade::CancelTaker, SelfTrade::CancelMaker, SelfTrade::Decrement]),
            max_matches: rng.below(40) as u16,
            now: 1,
        };
        let mut script = Script {
            salt: rng.next(),
            missing: 20,
            own: 4,
            refused: 5,
            trimmed: 5,
            events: vec![],
        };
        let _ = match_incoming(&mut book, &incoming, rng.below(4) as i64, &mut script);
        assert!(script.events.len() <= 3 * usize::from(incoming.max_matches));
        let _ = book.check();
    }
}

#[test]
fn nothing_panics_on_corrupted_bytes() {
    let mut rng = Rng(42);
    let mut found = 0;
    for _ in 0..20_000 {
        let mut bytes = busy(&mut rng);
        corrupt(&mut rng, &mut bytes);
        found += u64::from(BookRef::load(bytes.raw()).is_ok_and(|book| book.check().is_err()));
        use_every_operation(&mut rng, &mut bytes);
    }
    assert!(found > 10_000, "more often than not a law is broken: {found}");
}

#[test]
fn nothing_panics_on_random_bytes() {
    let mut rng = Rng(43);
    for _ in 0..5_000 {
        let mut bytes = Bytes::new(64);
        let links = rng.once_in(2);
        for word in bytemuck::cast_slice_mut::<u8, u16>(bytes.raw()) {
            *word = if links {
                rng.below(130) as u16
            } else {
                rng.next() as u16
            };
        }
        // A header that is let in.
        let raw = bytes.raw();
        raw[8..12].copy_from_slice(&64_u32.to_le_bytes());
        raw[12..14].copy_from_slice(&100_u16.to_le_bytes());
        raw[22..24].copy_from_slice(&(rng.below(65) as u16).to_le_bytes());
        raw[30..32].copy_from_slice(&(rng.below(65) as u16).to_le_bytes());
        use_every_operation(&mut rng, &mut bytes);
    }
}

/// Nodes of the least AVL tree of this height.
fn least(height: u32) -> i64 {
    match height {
        0 => 0,
        1 => 1,
        _ => 1 + least(height - 1) + least(height - 2),
    }
}

/// Adds those prices of the least tree of `height` from `low` on that are `depth` below its root. The higher subtree is the better one;
/// with `zigzag` its own higher subtree is the worse one, so that lowering it takes a double rotation.
fn add_level(book: &mut Book<'_>, height: u32, low: i64, better_is_higher: bool, zigzag: bool, depth: u32) {
    if height == 0 {
        return;
    }
    let (high_part, low_part) = (height - 1, height.saturating_sub(2));
    let (better, worse) = if better_is_higher {
        (high_part, low_part)
    } else {
        (low_part, high_part)
    };
    let root = low + least(better);
    if depth == 0 {
        let sequence = book.next_sequence();
        book.insert(
            Side::Ask,
            Order {
                price: root,
                lots: 1,
                sequence,
                ..Order::default()
            },
        )
        .unwrap();
        return;
    }
    let below_higher = better_is_higher != zigzag;
    let (for_better, for_worse) = if better_is_higher {
        (below_higher, better_is_higher)
    } else {
        (better_is_higher, below_higher)
    };
    add_level(book, better, low, for_better, zigzag, depth - 1);
    add_level(book, worse, root + 1, for_worse, zigzag, depth - 1);
}

/// The highest tree that a full side can have is the least one of height [`MAX_DEPTH`]: it is accepted, and so is every removal from it,
/// whose rotations go all the way up.
#[test]
fn the_highest_tree_of_the_largest_book_is_within_the_depth() {
    assert_eq!(MAX_DEPTH, 14);
    assert!(least(MAX_DEPTH) <= i64::from(MAX_CAPACITY) && i64::from(MAX_CAPACITY) < least(MAX_DEPTH + 1));
    for zigzag in [false, true] {
        for from_worst in [false, true] {
            let mut bytes = Bytes::new(MAX_CAPACITY);
            let mut book = bytes.book();
            for depth in 0..MAX_DEPTH {
                add_level(&mut book, MAX_DEPTH, 0, true, zigzag, depth);
            }
            assert_eq!(i64::from(book.len(Side::Ask)), least(MAX_DEPTH));
            book.check().unwrap();
            // As full as the side gets, below the deepest orders.
            while book.len(Side::Ask) < MAX_CAPACITY {
                let sequence = book.next_sequence();
                let price = if from_worst { i64::MAX } else { i64::MIN };
                book.insert(
                    Side::Ask,
                    Order {
                        price,
                        lots: 1,
                        sequence,
                        ..Order::default()
                    },
                )
                .unwrap();
                book.check().unwrap();
            }
            while let Some(end) = if from_worst {
                book.worst(Side::Ask)
            } else {
                book.best(Side::Ask)
            } {
                book.remove(end).unwrap();
                book.check().unwrap();
            }
        }
    }
}

#[test]
fn handles_are_refused_once_their_order_is_gone() {
    let mut bytes = Bytes::new(64);
    let mut book = bytes.book();
    let first = Order {
        price: 7,
        lots: 3,
        sequence: book.next_sequence(),
        ..Order::default()
    };
    let handle = book.insert(Side::Bid, first).unwrap();
    assert_eq!(book.find(handle, 1), Ok(&first));
    assert_eq!(book.remove(handle), Ok(first));
    assert_eq!(book.find(handle, 1), Err(BookError::UnknownOrder));
    let second = Order {
        price: 7,
        lots: 3,
        sequence: book.next_sequence(),
        ..Order::default()
    };
    assert_eq!(book.insert(Side::Ask, second), Ok(handle), "the node is used again");
    assert_eq!(book.find(handle, 1), Err(BookError::UnknownOrder));
    assert_eq!(book.find(handle, 2), Ok(&second));
    assert_eq!(book.side_of(handle), Some(Side::Ask));
}

#[test]
fn a_sequence_number_at_the_end_of_the_range_is_refused() {
    let mut bytes = Bytes::new(64);
    bytes.raw()[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut book = bytes.book();
    let sequence = book.next_sequence();
    let order = Order {
        price: 7,
        lots: 3,
        sequence,
        ..Order::default()
    };
    assert_eq!(book.insert(Side::Bid, order), Err(BookError::Sequence));
}
