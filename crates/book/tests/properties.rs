//! What holds of a market that only ever places orders by matching them first, whatever comes.
mod common;

use ballast_book::{match_incoming, BookRef, Incoming, Kind, MatchError, Order, Removal, SelfTrade, Side, Stop};
use common::{expired, naive_match, Bytes, Event, Naive, Resting, Script};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What comes to the market.
#[derive(Clone, Debug)]
enum Action {
    Place {
        incoming: Incoming,
        expires_in: i64,
        reserve_per_lot: i64,
        salt: u64,
    },
    Cancel {
        which: usize,
    },
}

fn incoming() -> impl Strategy<Value = Incoming> {
    let kind = prop_oneof![
        6 => Just(Kind::Limit),
        2 => Just(Kind::PostOnly),
        1 => Just(Kind::ImmediateOrCancel),
        1 => Just(Kind::FillOrKill)
    ];
    let self_trade = prop_oneof![
        Just(SelfTrade::CancelTaker),
        Just(SelfTrade::CancelMaker),
        Just(SelfTrade::Decrement)
    ];
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    (side, 90..110_i64, 1..40_i64, kind, self_trade, 0..8_u16).prop_map(
        |(side, limit, lots, kind, self_trade, max_matches)| Incoming {
            side,
            limit,
            lots,
            kind,
            self_trade,
            max_matches,
            now: 0,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let place =
        (incoming(), 0..60_i64, 0..50_i64, any::<u64>()).prop_map(|(incoming, expires_in, reserve_per_lot, salt)| {
            Action::Place {
                incoming,
                expires_in,
                reserve_per_lot,
                salt,
            }
        });
    prop_oneof![5 => place, 1 => (0..1_000_usize).prop_map(|which| Action::Cancel { which })]
}

/// Lots by what became of them, and what is reserved for each resting order.
#[derive(Clone, Default)]
struct Ledger {
    came: i64,
    traded: i64,
    released: i64,
    cancelled: i64,
    dropped: i64,
    reserved: BTreeMap<u64, i64>,
}

impl Ledger {
    fn free(&mut self, order: &Order, lots: i64) {
        let reserved = self
            .reserved
            .get_mut(&order.sequence)
            .expect("freed what was never reserved");
        *reserved -= lots * order.reserve_per_lot;
        assert!(*reserved >= 0);
    }

    /// Books what the makers were asked and told. Returns the lots that the taker traded.
    fn book(&mut self, events: &[Event]) -> i64 {
        let mut taken = 0;
        for event in events {
            match *event {
                Event::Present { .. } => {}
                Event::Fill {
                    order, filled, asked, ..
                } => {
                    assert!((0..=asked).contains(&filled) && asked <= order.lots);
                    self.traded += filled;
                    taken += filled;
                    self.free(&order, filled);
                }
                Event::Released { order, lots, .. } => {
                    assert!((1..=order.lots).contains(&lots));
                    self.released += lots;
                    self.free(&order, lots);
                }
            }
        }
        taken
    }

    /// Every lot that came is somewhere, and exactly what rests is reserved for.
    fn assert_matches(&self, book: BookRef<'_>) {
        let mut resting = 0;
        let mut reserved = BTreeMap::new();
        for side in Side::BOTH {
            for (_, order) in book.orders(side) {
                resting += order.lots;
                reserved.insert(order.sequence, order.lots * order.reserve_per_lot);
            }
        }
        // A trade takes a lot from the incoming order and one from the resting order.
        assert_eq!(
            self.came,
            2 * self.traded + self.released + self.cancelled + self.dropped + resting
        );
        let kept: BTreeMap<u64, i64> = self
            .reserved
            .iter()
            .filter(|(sequence, _)| reserved.contains_key(sequence))
            .map(|(s, r)| (*s, *r))
            .collect();
        assert_eq!(kept, reserved);
        let gone = self
            .reserved
            .iter()
            .filter(|(sequence, _)| !reserved.contains_key(sequence));
        assert!(
            gone.clone().all(|(_, r)| *r == 0),
            "what has left is still reserved for"
        );
    }
}

struct Market {
    bytes: Bytes,
    now: i64,
    min_lots: i64,
    ledger: Ledger,
}

impl Market {
    fn place(&mut self, incoming: &Incoming, expires_in: i64, reserve_per_lot: i64, salt: u64) {
        let mut script = Script {
            salt,
            missing: 12,
            own: 5,
            refused: 6,
            trimmed: 6,
            events: vec![],
        };
        let before = self.bytes.snapshot();
        let opposite = incoming.side.opposite();
        let matched = match_incoming(&mut self.bytes.book(), incoming, self.min_lots, &mut script);
        assert_priority(&script.events, incoming, self.bytes.view());
        let looked = script
            .events
            .iter()
            .filter(|e| matches!(e, Event::Present { .. }))
            .count();
        assert!(looked <= usize::from(incoming.max_matches), "work is bounded");
        let outcome = match matched {
            Ok(outcome) => outcome,
            Err(error) => {
                match error {
                    MatchError::WouldCross => assert_eq!(incoming.kind, Kind::PostOnly),
                    MatchError::NotFilled => assert_eq!(incoming.kind, Kind::FillOrKill),
                    other => panic!("{other:?}"),
                }
                // The transaction fails: nothing has happened.
                self.bytes = before;
                return;
            }
        };
        assert_eq!(looked, usize::from(outcome.matches));
        let (traded, decremented) = self.book_outcome(&script.events, incoming);
        assert_eq!(outcome.filled, traded);
        assert_eq!(outcome.filled + outcome.remaining + decremented, incoming.lots);
        if incoming.kind == Kind::PostOnly {
            assert_eq!(outcome.filled, 0);
        }
        let mut book = self.bytes.book();
        let crosses = book
            .best(opposite)
            .and_then(|best| book.order(best))
            .is_some_and(|best| incoming.side.crosses(incoming.limit, best.price));
        if outcome.may_rest() {
            assert!(!crosses && outcome.remaining >= self.min_lots.max(1));
            assert!(matches!(incoming.kind, Kind::Limit | Kind::PostOnly));
            let sequence = book.next_sequence();
            let order = Order {
                price: incoming.limit,
                lots: outcome.remaining,
                reserve_per_lot,
                expires_at: if expires_in == 0 { 0 } else { self.now + expires_in },
                sequence,
                ..Order::default()
            };
            if let Some(worst) = book.would_evict(incoming.side, order.price) {
                let evicted = book.remove(worst).unwrap();
                self.ledger.cancelled += evicted.lots;
                self.ledger.free(&evicted, evicted.lots);
            }
            match book.insert(incoming.side, order) {
                Ok(_) => drop(self.ledger.reserved.insert(sequence, order.lots * reserve_per_lot)),
                Err(_) => self.ledger.dropped += order.lots,
            }
        } else {
            self.ledger.dropped += outcome.remaining;
            let stopped = matches!(outcome.stopped, Stop::MakerMissing | Stop::MatchLimit | Stop::SelfTrade);
            assert_eq!(stopped, crosses && outcome.remaining > 0);
        }
    }

    /// Books a match. Returns the lots that traded and those that were taken off the incoming order without a trade.
    fn book_outcome(&mut self, events: &[Event], incoming: &Incoming) -> (i64, i64) {
        self.ledger.came += incoming.lots;
        let traded = self.ledger.book(events);
        let decremented = match incoming.self_trade {
            SelfTrade::Decrement => events.iter().map(|event| match event {
                Event::Released {
                    lots,
                    why: Removal::SelfTrade,
                    ..
                } => *lots,
                _ => 0,
            }),
            _ => return (traded, 0),
        };
        let decremented = decremented.sum();
        self.ledger.dropped += decremented;
        (traded, decremented)
    }

    fn cancel(&mut self, which: usize) {
        let view = self.bytes.view();
        let all: Vec<_> = Side::BOTH
            .into_iter()
            .flat_map(|side| view.orders(side))
            .map(|(h, o)| (h, *o))
            .collect();
        if all.is_empty() {
            return;
        }
        let (handle, order) = all[which % all.len()];
        assert_eq!(self.bytes.book().remove(handle), Ok(order));
        self.ledger.cancelled += order.lots;
        self.ledger.free(&order, order.lots);
    }

    fn assert_laws(&self) {
        let book = self.bytes.view();
        book.check().unwrap();
        self.ledger.assert_matches(book);
        let price = |side| {
            book.best(side)
                .and_then(|best| book.order(best))
                .map(|order| order.price)
        };
        if let (Some(bid), Some(ask)) = (price(Side::Bid), price(Side::Ask)) {
            assert!(bid < ask, "crossed at rest: {bid} and {ask}");
        }
        for (_, order) in Side::BOTH.into_iter().flat_map(|side| book.orders(side)) {
            assert!(order.lots >= self.min_lots, "dust rests");
        }
    }
}

/// Orders are met by price and then time, within the limit, and none that is left comes before one that was dealt with.
fn assert_priority(events: &[Event], incoming: &Incoming, book: BookRef<'_>) {
    let key = |order: &Order| (incoming.side.sign() * order.price, order.sequence);
    let mut last = None;
    for event in events {
        let (Event::Fill { order, .. } | Event::Released { order, .. }) = event else {
            continue;
        };
        assert!(last <= Some(key(order)), "an order was passed over");
        assert!(incoming.side.crosses(incoming.limit, order.price), "past the limit");
        last = Some(key(order));
    }
    for (_, order) in book.orders(incoming.side.opposite()) {
        assert!(last <= Some(key(order)), "an order was passed over");
    }
}

fn run(capacity_left: usize, min_lots: i64, actions: &[Action]) {
    let mut market = Market {
        bytes: Bytes::new(64),
        now: 1_000,
        min_lots,
        ledger: Ledger::default(),
    };
    // Orders far away that leave room for a few: the book gets full.
    for side in Side::BOTH {
        for _ in capacity_left..64 {
            let price = 100 - 90 * side.sign();
            let mut book = market.bytes.book();
            let sequence = book.next_sequence();
            let order = Order {
                price,
                lots: min_lots.max(1),
                sequence,
                ..Order::default()
            };
            book.insert(side, order).unwrap();
            market.ledger.came += order.lots;
            market.ledger.reserved.insert(sequence, 0);
        }
    }
    for action in actions {
        market.now += 3;
        match action {
            Action::Cancel { which } => market.cancel(*which),
            Action::Place {
                incoming,
                expires_in,
                reserve_per_lot,
                salt,
            } => {
                let incoming = Incoming {
                    now: market.now,
                    ..*incoming
                };
                market.place(&incoming, *expires_in, *reserve_per_lot, *salt);
            }
        }
        market.assert_laws();
    }
}

fn resting(side: Side) -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    let price = if side == Side::Bid { 95..108_i64 } else { 92..105_i64 };
    proptest::collection::vec(
        (price, 1..15_i64, prop_oneof![3 => Just(0_i64), 1 => 990..1_010_i64]),
        0..30,
    )
}

proptest! {
    #[test]
    fn markets_keep_their_laws(
        room in prop_oneof![Just(64_usize), 1..8_usize],
        min_lots in 0..6_i64,
        actions in proptest::collection::vec(action(), 1..150),
    ) {
        run(room, min_lots, &actions);
    }

    #[test]
    fn matching_is_what_the_naive_matcher_does(
        incoming in incoming(),
        orders in prop_oneof![Just(Side::Bid), Just(Side::Ask)].prop_flat_map(resting),
        min_lots in 0..6_i64,
        salt in any::<u64>(),
        odds in (0..9_u64, 0..9_u64, 0..9_u64, 0..9_u64),
    ) {
        let incoming = Incoming { now: 1_000, ..incoming };
        let side = incoming.side.opposite();
        let mut bytes = Bytes::new(64);
        let mut naive = Naive::new(64);
        for (price, lots, expires_at) in orders {
            let mut book = bytes.book();
            let order = Order { price, lots, expires_at, sequence: book.next_sequence(), ..Order::default() };
            let handle = book.insert(side, order).unwrap();
            naive.insert(side, Resting { handle, order });
        }
        let mut script =
            Script { salt, missing: odds.0, own: odds.1, refused: odds.2, trimmed: odds.3, events: vec![] };
        let mut naive_script = script.clone();
        let expected = naive_match(naive.side(side), &incoming, min_lots, &mut naive_script);
        let outcome = match_incoming(&mut bytes.book(), &incoming, min_lots, &mut script);
        prop_assert_eq!(script.events, naive_script.events);
        match (outcome, expected) {
            (Ok(outcome), Ok(expected)) => {
                prop_assert_eq!(
                    (outcome.filled, outcome.remaining, outcome.stopped, outcome.matches, outcome.may_rest()),
                    (expected.filled, expected.remaining, expected.stopped, expected.matches, expected.rests)
                );
            }
            (outcome, expected) => prop_assert_eq!(outcome.map(|_| ()), expected.map(|_| ())),
        }
        naive.assert_equals(bytes.view(), &|| format!("{incoming:?}"));
    }

    /// The value of the best lots, lot by lot.
    #[test]
    fn take_value_is_the_sum_of_its_lots(
        orders in proptest::collection::vec((any::<i64>(), 1..1_000_i64, 0..3_i64), 1..50),
        lots in 1..3_000_i64,
    ) {
        let mut bytes = Bytes::new(64);
        let mut book = bytes.book();
        for (price, lots, expires_at) in &orders {
            let order = Order { price: *price, lots: *lots, expires_at: *expires_at, sequence: book.next_sequence(), ..Order::default() };
            book.insert(Side::Ask, order).unwrap();
        }
        let each: Vec<i64> = bytes.view().orders(Side::Ask).take(32).filter(|(_, o)| !expired(o, 1))
            .flat_map(|(_, o)| std::iter::repeat_n(o.price, o.lots as usize)).collect();
        let value = each.get(..lots as usize).map(|best| best.iter().map(|price| i128::from(*price)).sum());
        prop_assert_eq!(bytes.view().take_value(Side::Ask, lots, 1), value);
    }
}

/// Around the numbers of lots at which products stop fitting 64 bits.
#[test]
fn take_value_is_exact_for_any_lots_and_prices() {
    let edges = [1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, i64::MAX];
    for price in [
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        0xFFFF_FFFF,
        1 << 32,
        i64::MAX - 1,
        i64::MAX,
    ] {
        for lots in edges {
            let mut bytes = Bytes::new(64);
            let mut book = bytes.book();
            // Half of the lots in a first order, the rest in a second one.
            for lots in [(lots / 2).max(1), i64::MAX] {
                let sequence = book.next_sequence();
                book.insert(
                    Side::Bid,
                    Order {
                        price,
                        lots,
                        sequence,
                        ..Order::default()
                    },
                )
                .unwrap();
            }
            assert_eq!(
                book.take_value(Side::Bid, lots, 1),
                Some(i128::from(price) * i128::from(lots)),
                "{lots} at {price}"
            );
        }
    }
}
