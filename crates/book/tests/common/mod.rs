//! A naive book and a naive matcher to compare with: sorted vectors, nothing shared with the crate but its types.
#![allow(dead_code)] // Each test uses some of it.

use ballast_book::{
    init, size, Book, BookRef, Handle, Incoming, Kind, Makers, MatchError, Order, Removal, SelfTrade, Side, Standing,
    Stop, Verdict,
};

/// The bytes of a book, aligned as an account's data are.
pub struct Bytes(Vec<u64>);

impl Bytes {
    pub fn new(capacity: u32) -> Bytes {
        let mut bytes = Bytes(vec![0; size(capacity) / 8]);
        init(bytes.raw(), capacity).unwrap();
        bytes
    }

    pub fn raw(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }

    pub fn book(&mut self) -> Book<'_> {
        Book::load(self.raw()).unwrap()
    }

    pub fn snapshot(&self) -> Bytes {
        Bytes(self.0.clone())
    }

    pub fn view(&self) -> BookRef<'_> {
        BookRef::load(bytemuck::cast_slice(&self.0)).unwrap()
    }
}

/// SplitMix64: a sequence that is the same on every machine.
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// From 0 to `below` - 1.
    pub fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resting {
    pub handle: Handle,
    pub order: Order,
}

/// A book as anybody would write it first.
#[derive(Clone)]
pub struct Naive {
    pub capacity: usize,
    pub bids: Vec<Resting>,
    pub asks: Vec<Resting>,
}

impl Naive {
    pub fn new(capacity: u32) -> Naive {
        Naive {
            capacity: capacity as usize,
            bids: vec![],
            asks: vec![],
        }
    }

    pub fn side(&mut self, side: Side) -> &mut Vec<Resting> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    pub fn insert(&mut self, side: Side, resting: Resting) {
        let orders = self.side(side);
        orders.push(resting);
        match side {
            Side::Bid => orders.sort_by_key(|r| (-i128::from(r.order.price), r.order.sequence)),
            Side::Ask => orders.sort_by_key(|r| (i128::from(r.order.price), r.order.sequence)),
        }
    }

    pub fn remove(&mut self, handle: Handle) -> Option<Order> {
        for orders in [&mut self.bids, &mut self.asks] {
            if let Some(at) = orders.iter().position(|r| r.handle == handle) {
                return Some(orders.remove(at).order);
            }
        }
        None
    }

    pub fn find(&mut self, handle: Handle) -> Option<&mut Order> {
        self.bids
            .iter_mut()
            .chain(&mut self.asks)
            .find(|r| r.handle == handle)
            .map(|r| &mut r.order)
    }

    pub fn all(&self) -> impl Iterator<Item = &Resting> {
        self.bids.iter().chain(&self.asks)
    }

    /// Compares every order of both sides, forwards by the thread, and what can be asked of the ends; checks every structural law.
    pub fn assert_equals(&self, book: BookRef<'_>, context: &dyn Fn() -> String) {
        for (side, orders) in [(Side::Bid, &self.bids), (Side::Ask, &self.asks)] {
            assert_eq!(book.len(side) as usize, orders.len(), "{}", context());
            assert_eq!(book.best(side), orders.first().map(|r| r.handle), "{}", context());
            assert_eq!(book.worst(side), orders.last().map(|r| r.handle), "{}", context());
            let mut at = book.best(side);
            for resting in orders {
                assert_eq!(at, Some(resting.handle), "{}", context());
                assert_eq!(book.order(resting.handle), Some(&resting.order), "{}", context());
                assert_eq!(book.side_of(resting.handle), Some(side), "{}", context());
                at = book.next(resting.handle);
            }
            assert_eq!(at, None, "{}", context());
        }
        assert_eq!(book.is_empty(), self.bids.is_empty() && self.asks.is_empty());
        book.check().unwrap_or_else(|law| panic!("{law}: {}", context()));
    }

    /// Σ price · lots of the best lots, lot by lot where that matters: order by order here.
    pub fn take_value(&self, side: Side, lots: i64, now: i64) -> Option<i128> {
        let orders = if side == Side::Bid { &self.bids } else { &self.asks };
        let mut left = i128::from(lots);
        let mut value = 0;
        for resting in orders.iter().take(32).filter(|r| !expired(&r.order, now)) {
            let taken = left.min(i128::from(resting.order.lots));
            value += taken * i128::from(resting.order.price);
            left -= taken;
        }
        (lots > 0 && left == 0).then_some(value)
    }
}

pub fn expired(order: &Order, now: i64) -> bool {
    order.expires_at != 0 && now >= order.expires_at
}

/// What the makers were asked and told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    Present {
        sequence: u64,
    },
    Fill {
        order: Order,
        handle: Handle,
        asked: i64,
        filled: i64,
    },
    Released {
        order: Order,
        handle: Handle,
        lots: i64,
        why: Removal,
    },
}

/// Makers whose answers follow from a number and the order alone.
#[derive(Clone)]
pub struct Script {
    pub salt: u64,
    /// One order in so many belongs to an account that is not at hand, to the taker's wallet, to a maker who can't carry it, and to one
    /// who carries it in part; 0 for none.
    pub missing: u64,
    pub own: u64,
    pub refused: u64,
    pub trimmed: u64,
    pub events: Vec<Event>,
}

impl Script {
    /// Everybody is there and carries everything.
    pub fn plain() -> Script {
        Script {
            salt: 0,
            missing: 0,
            own: 0,
            refused: 0,
            trimmed: 0,
            events: vec![],
        }
    }

    fn one_in(&self, n: u64, question: u64, sequence: u64) -> bool {
        n != 0 && mix(self.salt ^ mix(sequence.wrapping_mul(8) + question)).is_multiple_of(n)
    }

    pub fn standing(&self, order: &Order) -> Standing {
        if self.one_in(self.missing, 1, order.sequence) {
            Standing::Missing
        } else if self.one_in(self.own, 2, order.sequence) {
            Standing::Own
        } else {
            Standing::Other
        }
    }

    pub fn verdict(&self, order: &Order, asked: i64) -> Verdict {
        if self.one_in(self.refused, 3, order.sequence) {
            let why = if order.sequence.is_multiple_of(2) {
                Removal::NotCarried
            } else {
                Removal::OutsideBand
            };
            Verdict::Removed(why)
        } else if self.one_in(self.trimmed, 4, order.sequence) {
            Verdict::Filled(asked / 2)
        } else {
            Verdict::Filled(asked)
        }
    }
}

impl Makers for Script {
    type Error = ();

    fn present(&mut self, order: &Order) -> Result<Standing, ()> {
        self.events.push(Event::Present {
            sequence: order.sequence,
        });
        Ok(self.standing(order))
    }

    fn fill(&mut self, order: &Order, handle: Handle, lots: i64) -> Result<Verdict, ()> {
        let verdict = self.verdict(order, lots);
        let filled = if let Verdict::Filled(filled) = verdict {
            filled
        } else {
            0
        };
        self.events.push(Event::Fill {
            order: *order,
            handle,
            asked: lots,
            filled,
        });
        Ok(verdict)
    }

    fn released(&mut self, order: &Order, handle: Handle, lots: i64, why: Removal) -> Result<(), ()> {
        self.events.push(Event::Released {
            order: *order,
            handle,
            lots,
            why,
        });
        Ok(())
    }
}

/// What the naive matcher says.
#[derive(Debug, PartialEq)]
pub struct NaiveOutcome {
    pub filled: i64,
    pub remaining: i64,
    pub stopped: Stop,
    pub matches: u16,
    pub rests: bool,
}

/// The rules of matching, one order at a time over a sorted vector.
pub fn naive_match(
    orders: &mut Vec<Resting>,
    incoming: &Incoming,
    min_lots: i64,
    script: &mut Script,
) -> Result<NaiveOutcome, MatchError<()>> {
    let (mut filled, mut remaining, mut matches) = (0, incoming.lots, 0);
    let crossing = |order: &Order| match incoming.side {
        Side::Bid => incoming.limit >= order.price,
        Side::Ask => incoming.limit <= order.price,
    };
    let stopped = loop {
        let Some(&Resting { handle, order }) = orders.first().filter(|r| crossing(&r.order)) else {
            break if remaining == 0 { Stop::Done } else { Stop::Price };
        };
        let live = !expired(&order, incoming.now);
        if remaining == 0 {
            break Stop::Done;
        } else if live && incoming.kind == Kind::PostOnly {
            return Err(MatchError::WouldCross);
        } else if matches == incoming.max_matches {
            break Stop::MatchLimit;
        }
        matches += 1;
        script.events.push(Event::Present {
            sequence: order.sequence,
        });
        let standing = script.standing(&order);
        if standing == Standing::Missing {
            break Stop::MakerMissing;
        }
        // What trades, what is decremented, and why the rest leaves, if it does.
        let most = remaining.min(order.lots);
        let (traded, decremented, mut leaves) = match (live, standing, incoming.self_trade) {
            (false, ..) => (0, 0, Some(Removal::Expired)),
            (true, Standing::Own, SelfTrade::CancelTaker) => break Stop::SelfTrade,
            (true, Standing::Own, SelfTrade::CancelMaker) => (0, 0, Some(Removal::SelfTrade)),
            (true, Standing::Own, SelfTrade::Decrement) => (0, most, None),
            _ => match script.verdict(&order, most) {
                Verdict::Removed(why) => (0, 0, Some(why)),
                Verdict::Filled(n) => (n, 0, (n < most).then_some(Removal::NotCarried)),
            },
        };
        if live && standing == Standing::Other {
            script.events.push(Event::Fill {
                order,
                handle,
                asked: most,
                filled: traded,
            });
        }
        if decremented > 0 {
            script.events.push(Event::Released {
                order,
                handle,
                lots: decremented,
                why: Removal::SelfTrade,
            });
        }
        filled += traded;
        remaining -= traded + decremented;
        let rest = Order {
            lots: order.lots - traded - decremented,
            ..order
        };
        if leaves.is_none() && rest.lots < min_lots {
            leaves = Some(Removal::TooSmall);
        }
        if let Some(why) = leaves.filter(|_| rest.lots > 0) {
            script.events.push(Event::Released {
                order: rest,
                handle,
                lots: rest.lots,
                why,
            });
        }
        if rest.lots == 0 || leaves.is_some() {
            orders.remove(0);
        } else {
            orders[0].order = rest;
        }
    };
    if incoming.kind == Kind::FillOrKill && filled < incoming.lots {
        return Err(MatchError::NotFilled);
    }
    let may = match incoming.kind {
        Kind::Limit | Kind::PostOnly => remaining > 0 && remaining >= min_lots,
        Kind::ImmediateOrCancel | Kind::FillOrKill => false,
    };
    let crossed = orders.first().is_some_and(|r| crossing(&r.order));
    Ok(NaiveOutcome {
        filled,
        remaining,
        stopped,
        matches,
        rests: may && !crossed,
    })
}
