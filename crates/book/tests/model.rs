//! A million random operations on the book and on a naive one, equal after each.
mod common;

use ballast_book::{match_incoming, Book, BookError, Handle, Incoming, Kind, Order, SelfTrade, Side};
use common::{expired, naive_match, Bytes, Naive, Resting, Rng, Script};

/// How prices are drawn.
#[derive(Clone, Copy, Debug)]
enum Prices {
    /// Eight levels, the same for both sides: many orders at one price, and books that would cross.
    Few,
    /// Levels that are seldom shared.
    Many,
    /// Both ends of the range and zero.
    Extreme,
    /// Each a little worse than the one before, then better: the tree grows on one side.
    Ramp,
}

struct Run {
    rng: Rng,
    bytes: Bytes,
    naive: Naive,
    prices: Prices,
    capacity: u32,
    /// Of an insertion, in hundredths: above half the book fills, below it empties.
    inserts: u64,
    now: i64,
    sequence: u64,
    ramp: i64,
    /// Handles that once held an order, with its number.
    stale: Vec<(Handle, u64)>,
    operation: &'static str,
    counts: [u64; 8],
}

impl Run {
    fn new(seed: u64, capacity: u32, prices: Prices) -> Run {
        Run {
            rng: Rng(seed),
            bytes: Bytes::new(capacity),
            naive: Naive::new(capacity),
            prices,
            capacity,
            inserts: 60,
            now: 1_000,
            sequence: 0,
            ramp: 0,
            stale: vec![],
            operation: "",
            counts: [0; 8],
        }
    }

    fn price(&mut self) -> i64 {
        match self.prices {
            Prices::Few => 100 + self.rng.below(8) as i64,
            Prices::Many => self.rng.below(1 << 40) as i64,
            Prices::Extreme => self
                .rng
                .pick(&[i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]),
            Prices::Ramp => {
                self.ramp += if self.now / 500 % 2 == 0 { 1 } else { -1 };
                self.ramp
            }
        }
    }

    fn side(&mut self) -> Side {
        self.rng.pick(&Side::BOTH)
    }

    fn handle(&mut self) -> Option<(Handle, Order)> {
        let len = self.naive.bids.len() + self.naive.asks.len();
        if len == 0 {
            return None;
        }
        let at = self.rng.below(len as u64) as usize;
        self.naive.all().nth(at).map(|r| (r.handle, r.order))
    }

    fn insert(&mut self) {
        self.operation = "insert";
        let side = self.side();
        let price = self.price();
        let order = Order {
            owner: [self.rng.below(9) as u8; 32],
            client_order_id: self.rng.next(),
            price,
            lots: if self.rng.once_in(50) {
                i64::MAX
            } else {
                1 + self.rng.below(20) as i64
            },
            reserve_per_lot: self.rng.below(100) as i64,
            expires_at: if self.rng.once_in(4) {
                self.now + 1 + self.rng.below(2_000) as i64
            } else {
                0
            },
            sequence: self.sequence + 1,
            flags: self.rng.below(2) as u8,
            padding: [0; 7],
        };
        let mut book = self.bytes.book();
        self.sequence += 1;
        assert_eq!(book.next_sequence(), self.sequence);
        let full = self.naive.side(side).len() == self.capacity as usize;
        let worst = self.naive.side(side).last().copied().filter(|_| full);
        let displaced = worst.filter(|worst| match side {
            Side::Bid => worst.order.price < price,
            Side::Ask => worst.order.price > price,
        });
        assert_eq!(book.would_evict(side, price), displaced.map(|r| r.handle));
        if full {
            self.counts[0] += 1;
            assert_eq!(book.insert(side, order), Err(BookError::Full));
        }
        if let Some(displaced) = displaced {
            self.operation = "evict";
            self.counts[1] += 1;
            assert_eq!(book.remove(displaced.handle), Ok(displaced.order));
            self.naive.side(side).pop();
            self.stale.push((displaced.handle, displaced.order.sequence));
        }
        if !full || displaced.is_some() {
            let handle = book.insert(side, order).unwrap();
            assert!(self.naive.all().all(|r| r.handle != handle), "a handle given twice");
            self.naive.insert(side, Resting { handle, order });
            assert_eq!(book.find(handle, order.sequence), Ok(&order));
        }
    }

    fn cancel(&mut self) {
        self.operation = "cancel";
        if let Some((handle, order)) = self.handle() {
            self.counts[2] += 1;
            let mut book = self.bytes.book();
            assert_eq!(book.find(handle, order.sequence), Ok(&order));
            assert_eq!(book.remove(handle), Ok(order));
            assert_eq!(self.naive.remove(handle), Some(order));
            assert_eq!(book.remove(handle), Err(BookError::UnknownOrder));
            assert_eq!(book.reduce(handle, 1), Err(BookError::UnknownOrder));
            self.stale.push((handle, order.sequence));
        }
    }

    fn cancel_stale_handle(&mut self) {
        self.operation = "cancel what is gone";
        if self.stale.is_empty() {
            return;
        }
        let (handle, sequence) = self.rng.pick(&self.stale);
        self.counts[3] += 1;
        assert_eq!(self.bytes.view().find(handle, sequence), Err(BookError::UnknownOrder));
        let outside = Handle(2 * self.capacity + self.rng.below(1 << 31) as u32);
        assert_eq!(self.bytes.book().remove(outside), Err(BookError::UnknownOrder));
    }

    fn reduce(&mut self) {
        self.operation = "reduce";
        if let Some((handle, order)) = self.handle() {
            self.counts[4] += 1;
            let lots = self.rng.below(24) as i64 - 1;
            let reduced = self.bytes.book().reduce(handle, lots);
            if lots <= 0 || lots >= order.lots {
                assert_eq!(reduced, Err(BookError::Lots));
            } else {
                assert_eq!(reduced, Ok(()));
                self.naive.find(handle).unwrap().lots -= lots;
            }
        }
    }

    fn expire(&mut self) {
        self.operation = "expire";
        let gone: Vec<Resting> = self
            .naive
            .all()
            .filter(|r| expired(&r.order, self.now))
            .copied()
            .collect();
        let mut book = self.bytes.book();
        for resting in gone {
            self.counts[5] += 1;
            assert_eq!(book.remove(resting.handle), Ok(resting.order));
            self.naive.remove(resting.handle).unwrap();
            self.stale.push((resting.handle, resting.order.sequence));
        }
    }

    fn take(&mut self) {
        self.operation = "take";
        let incoming = Incoming {
            side: self.side(),
            limit: self.price(),
            lots: if self.rng.once_in(20) {
                i64::MAX
            } else {
                1 + self.rng.below(60) as i64
            },
            kind: self
                .rng
                .pick(&[Kind::Limit, Kind::ImmediateOrCancel, Kind::FillOrKill, Kind::PostOnly]),
            self_trade: self
                .rng
                .pick(&[SelfTrade::CancelTaker, SelfTrade::CancelMaker, SelfTrade::Decrement]),
            max_matches: self.rng.below(12) as u16,
            now: self.now,
        };
        let min_lots = self.rng.below(4) as i64;
        let mut script = Script {
            salt: self.rng.next(),
            missing: 9,
            own: 5,
            refused: 6,
            trimmed: 7,
            events: Vec::new(),
        };
        let mut naive_script = script.clone();
        let before: Vec<Resting> = self.naive.side(incoming.side.opposite()).clone();
        let expected = naive_match(
            self.naive.side(incoming.side.opposite()),
            &incoming,
            min_lots,
            &mut naive_script,
        );
        let outcome = match_incoming(&mut self.bytes.book(), &incoming, min_lots, &mut script);
        assert_eq!(script.events, naive_script.events, "{incoming:?}");
        match (outcome, expected) {
            (Ok(outcome), Ok(expected)) => {
                self.counts[6] += 1;
                assert_eq!(outcome.filled, expected.filled);
                assert_eq!(outcome.remaining, expected.remaining);
                assert_eq!(outcome.stopped, expected.stopped);
                assert_eq!(outcome.matches, expected.matches);
                assert_eq!(outcome.may_rest(), expected.rests);
            }
            (outcome, expected) => {
                self.counts[7] += 1;
                assert_eq!(outcome.map(|_| ()), expected.map(|_| ()));
            }
        }
        let left = self.naive.side(incoming.side.opposite());
        let gone = before.iter().filter(|old| left.iter().all(|r| r.handle != old.handle));
        self.stale.extend(gone.map(|r| (r.handle, r.order.sequence)));
    }

    fn query(&mut self) {
        let side = self.side();
        let lots = if self.rng.once_in(9) {
            self.rng.next() as i64
        } else {
            self.rng.below(300) as i64
        };
        assert_eq!(
            self.bytes.view().take_value(side, lots, self.now),
            self.naive.take_value(side, lots, self.now),
            "{side:?} {lots}"
        );
    }

    fn step(&mut self) {
        self.now += 1;
        // Phases that fill the book to the brim and empty it again.
        if self.rng.once_in(u64::from(self.capacity) * 8) {
            self.inserts = self.rng.pick(&[10, 35, 50, 70, 95]);
        }
        let roll = self.rng.below(100);
        match roll {
            _ if roll < self.inserts => self.insert(),
            _ => match self.rng.below(16) {
                0..=7 => self.cancel(),
                8 => self.cancel_stale_handle(),
                9..=11 => self.reduce(),
                12..=14 => self.take(),
                _ => self.expire(),
            },
        }
        if self.stale.len() > 64 {
            let drop = self.stale.len() - 64;
            self.stale.drain(..drop);
        }
        self.query();
    }

    fn run(&mut self, steps: u64) {
        for step in 0..steps {
            self.step();
            let (operation, prices, capacity) = (self.operation, self.prices, self.capacity);
            let context = || format!("after {operation}, step {step}, capacity {capacity}, {prices:?}");
            self.naive.assert_equals(self.bytes.view(), &context);
        }
    }

    /// Nothing of what the run is to reach was missed.
    fn assert_covered(&self) {
        assert!(self.counts.iter().all(|count| *count > 0), "{:?}", self.counts);
    }
}

fn run(seed: u64, capacity: u32, prices: Prices, steps: u64) {
    let mut run = Run::new(seed, capacity, prices);
    run.run(steps);
    run.assert_covered();
}

#[test]
fn small_books_with_few_prices() {
    run(1, 64, Prices::Few, 250_000);
}

#[test]
fn small_books_with_many_prices() {
    run(2, 64, Prices::Many, 250_000);
}

#[test]
fn small_books_with_extreme_prices() {
    run(3, 65, Prices::Extreme, 150_000);
}

#[test]
fn books_whose_prices_rise_and_fall() {
    run(4, 100, Prices::Ramp, 150_000);
}

#[test]
fn the_largest_book_with_few_prices() {
    run(5, 1_024, Prices::Few, 70_000);
}

#[test]
fn the_largest_book_with_many_prices() {
    run(6, 1_024, Prices::Many, 70_000);
}

#[test]
fn the_largest_book_with_prices_that_rise_and_fall() {
    run(7, 1_024, Prices::Ramp, 60_000);
}

#[test]
fn sequence_numbers_are_the_books_own() {
    let mut bytes = Bytes::new(64);
    let mut book: Book<'_> = bytes.book();
    let order = Order {
        price: 5,
        lots: 1,
        sequence: 1,
        ..Order::default()
    };
    assert_eq!(book.insert(Side::Bid, order), Err(BookError::Sequence), "not taken yet");
    assert_eq!(book.next_sequence(), 1);
    assert_eq!(book.insert(Side::Bid, order), Ok(Handle(0)));
    assert_eq!(
        book.insert(Side::Bid, order),
        Err(BookError::Sequence),
        "another order's"
    );
    assert_eq!(book.insert(Side::Ask, Order { lots: 0, ..order }), Err(BookError::Lots));
    assert_eq!(book.len(Side::Bid), 1);
    assert_eq!(book.check(), Ok(()));
}
