//! The rules of matching, one by one, by hand.
mod common;

use ballast_book::{
    match_incoming, BookError, Handle, Incoming, Kind, Makers, MatchError, Order, Outcome, Removal, SelfTrade, Side,
    Standing, Stop, Verdict,
};
use common::Bytes;

const NOW: i64 = 1_000;

/// Makers who do as told, by the first byte of the owner.
#[derive(Default)]
struct Told {
    missing: Vec<u8>,
    own: Vec<u8>,
    verdicts: Vec<(u8, Verdict)>,
    /// Owner, price and lots.
    fills: Vec<(u8, i64, i64)>,
    /// Owner, lots, what the order had before, and why.
    released: Vec<(u8, i64, i64, Removal)>,
    fails: bool,
}

impl Makers for Told {
    type Error = &'static str;

    fn present(&mut self, order: &Order) -> Result<Standing, &'static str> {
        let owner = order.owner[0];
        if self.fails {
            return Err("an account is not what it should be");
        }
        Ok(match (self.missing.contains(&owner), self.own.contains(&owner)) {
            (true, _) => Standing::Missing,
            (_, true) => Standing::Own,
            _ => Standing::Other,
        })
    }

    fn fill(&mut self, order: &Order, _: Handle, lots: i64) -> Result<Verdict, &'static str> {
        let owner = order.owner[0];
        self.fills.push((owner, order.price, lots));
        let told = self.verdicts.iter().find(|(who, _)| *who == owner);
        Ok(told.map_or(Verdict::Filled(lots), |(_, verdict)| *verdict))
    }

    fn released(&mut self, order: &Order, _: Handle, lots: i64, why: Removal) -> Result<(), &'static str> {
        self.released.push((order.owner[0], lots, order.lots, why));
        Ok(())
    }
}

/// Asks of owners 1, 2, 3, ...: price, lots and when they expire.
fn asks(orders: &[(i64, i64, i64)]) -> Bytes {
    let mut bytes = Bytes::new(64);
    for (owner, (price, lots, expires_at)) in (1..).zip(orders) {
        let mut book = bytes.book();
        let sequence = book.next_sequence();
        let order = Order {
            owner: [owner; 32],
            price: *price,
            lots: *lots,
            expires_at: *expires_at,
            sequence,
            ..Order::default()
        };
        book.insert(Side::Ask, order).unwrap();
    }
    bytes
}

/// Owners of the asks and their lots, best first.
fn left(bytes: &Bytes) -> Vec<(u8, i64)> {
    bytes.view().check().unwrap();
    bytes
        .view()
        .orders(Side::Ask)
        .map(|(_, order)| (order.owner[0], order.lots))
        .collect()
}

fn bid(lots: i64) -> Incoming {
    Incoming {
        side: Side::Bid,
        limit: 105,
        lots,
        kind: Kind::Limit,
        self_trade: SelfTrade::CancelTaker,
        max_matches: 16,
        now: NOW,
    }
}

fn take(bytes: &mut Bytes, incoming: Incoming, makers: &mut Told) -> Result<Outcome, MatchError<&'static str>> {
    match_incoming(&mut bytes.book(), &incoming, 1, makers)
}

#[test]
fn the_best_price_trades_first_and_then_the_earliest() {
    let mut bytes = asks(&[(103, 5, 0), (101, 5, 0), (101, 5, 0), (106, 5, 0), (102, 5, 0)]);
    let mut makers = Told::default();
    let outcome = take(&mut bytes, bid(12), &mut makers).unwrap();
    assert_eq!(makers.fills, [(2, 101, 5), (3, 101, 5), (5, 102, 2)]);
    assert_eq!(
        (outcome.filled, outcome.remaining, outcome.stopped, outcome.matches),
        (12, 0, Stop::Done, 3)
    );
    assert!(!outcome.may_rest());
    assert_eq!(left(&bytes), [(5, 3), (1, 5), (4, 5)]);
}

#[test]
fn the_rest_may_rest_below_what_it_does_not_reach() {
    let mut bytes = asks(&[(103, 5, 0), (106, 5, 0)]);
    let outcome = take(&mut bytes, bid(12), &mut Told::default()).unwrap();
    assert_eq!(
        (outcome.filled, outcome.remaining, outcome.stopped),
        (5, 7, Stop::Price)
    );
    assert!(outcome.may_rest());
    let dropped = Incoming {
        kind: Kind::ImmediateOrCancel,
        limit: 200,
        ..bid(12)
    };
    let outcome = take(&mut bytes, dropped, &mut Told::default()).unwrap();
    assert_eq!((outcome.filled, outcome.remaining, outcome.may_rest()), (5, 7, false));
    assert_eq!(left(&bytes), []);
}

#[test]
fn a_rest_under_the_smallest_order_does_not_rest() {
    for (min_lots, rests) in [(7, true), (8, false)] {
        let mut bytes = asks(&[(103, 5, 0)]);
        let outcome = match_incoming(&mut bytes.book(), &bid(12), min_lots, &mut Told::default()).unwrap();
        assert_eq!((outcome.remaining, outcome.may_rest()), (7, rests));
    }
}

#[test]
fn an_order_expires_at_its_second() {
    // Owner 1 expires now, owner 2 a second later, owner 3 never.
    let mut bytes = asks(&[(101, 5, NOW), (102, 5, NOW + 1), (103, 5, 0)]);
    let mut makers = Told::default();
    let outcome = take(&mut bytes, bid(6), &mut makers).unwrap();
    assert_eq!(makers.released, [(1, 5, 5, Removal::Expired)]);
    assert_eq!(makers.fills, [(2, 102, 5), (3, 103, 1)]);
    assert_eq!(outcome.matches, 3, "the removal counts");
}

#[test]
fn a_missing_account_stops_matching_even_before_an_expired_order() {
    for expires_at in [0, NOW] {
        let mut bytes = asks(&[(101, 5, 0), (102, 5, expires_at), (103, 5, 0)]);
        let mut makers = Told {
            missing: vec![2],
            ..Told::default()
        };
        let outcome = take(&mut bytes, bid(12), &mut makers).unwrap();
        assert_eq!(
            (outcome.filled, outcome.remaining, outcome.stopped),
            (5, 7, Stop::MakerMissing)
        );
        assert!(!outcome.may_rest(), "the book would be crossed");
        assert_eq!(left(&bytes), [(2, 5), (3, 5)]);
    }
}

#[test]
fn nothing_is_asked_of_the_makers_beyond_the_limit_of_matches() {
    let mut bytes = asks(&[(101, 5, NOW), (102, 5, 0), (103, 5, 0)]);
    let mut makers = Told::default();
    let outcome = take(
        &mut bytes,
        Incoming {
            max_matches: 2,
            ..bid(12)
        },
        &mut makers,
    )
    .unwrap();
    assert_eq!(
        (outcome.filled, outcome.stopped, outcome.matches),
        (5, Stop::MatchLimit, 2)
    );
    assert!(!outcome.may_rest(), "the book would be crossed");
    assert_eq!(makers.fills, [(2, 102, 5)]);
    // Where the limit is reached together with the last order that crosses, the rest may rest.
    let outcome = take(
        &mut bytes,
        Incoming {
            max_matches: 1,
            ..bid(12)
        },
        &mut Told::default(),
    )
    .unwrap();
    assert_eq!((outcome.stopped, outcome.may_rest()), (Stop::Price, true));
}

#[test]
fn an_order_that_is_not_carried_leaves_and_matching_goes_on() {
    let mut bytes = asks(&[(101, 5, 0), (102, 5, 0), (103, 5, 0), (104, 5, 0)]);
    let mut makers = Told {
        verdicts: vec![
            (1, Verdict::Removed(Removal::NotCarried)),
            (2, Verdict::Removed(Removal::OutsideBand)),
            (3, Verdict::Filled(0)),
        ],
        ..Told::default()
    };
    let outcome = take(&mut bytes, bid(4), &mut makers).unwrap();
    assert_eq!(outcome.filled, 4);
    let why = [
        (1, Removal::NotCarried),
        (2, Removal::OutsideBand),
        (3, Removal::NotCarried),
    ];
    assert_eq!(makers.released, why.map(|(owner, why)| (owner, 5, 5, why)));
    assert_eq!(left(&bytes), [(4, 1)]);
}

#[test]
fn what_a_maker_trims_leaves_with_the_rest_of_the_order() {
    // Of 10 lots, 8 are asked for and 3 accepted: the other 7 leave, and 5 come from the next.
    let mut bytes = asks(&[(101, 10, 0), (102, 9, 0)]);
    let mut makers = Told {
        verdicts: vec![(1, Verdict::Filled(3))],
        ..Told::default()
    };
    let outcome = take(&mut bytes, bid(8), &mut makers).unwrap();
    assert_eq!(outcome.filled, 8);
    assert_eq!(makers.fills, [(1, 101, 8), (2, 102, 5)]);
    assert_eq!(makers.released, [(1, 7, 7, Removal::NotCarried)]);
    assert_eq!(left(&bytes), [(2, 4)]);
}

#[test]
fn attack_a_maker_that_fills_more_than_asked_is_refused() {
    for filled in [9, -1, i64::MIN] {
        let mut bytes = asks(&[(101, 10, 0)]);
        let mut makers = Told {
            verdicts: vec![(1, Verdict::Filled(filled))],
            ..Told::default()
        };
        assert_eq!(take(&mut bytes, bid(8), &mut makers), Err(MatchError::Overfilled));
        assert_eq!(makers.fills, [(1, 101, 8)], "refused at once");
    }
}

#[test]
fn dust_leaves_after_the_fill() {
    let mut bytes = asks(&[(101, 10, 0), (102, 10, 0)]);
    let mut makers = Told::default();
    // 3 lots are left of the first; the smallest order is 4.
    let outcome = match_incoming(&mut bytes.book(), &bid(7), 4, &mut makers).unwrap();
    assert_eq!((outcome.filled, outcome.stopped), (7, Stop::Done));
    assert_eq!(makers.released, [(1, 3, 3, Removal::TooSmall)]);
    // 4 lots are left of the second.
    match_incoming(&mut bytes.book(), &bid(6), 4, &mut makers).unwrap();
    assert_eq!(left(&bytes), [(2, 4)]);
}

#[test]
fn a_post_only_order_is_refused_where_it_crosses_a_live_order() {
    let post = |limit| Incoming {
        kind: Kind::PostOnly,
        limit,
        ..bid(4)
    };
    let mut bytes = asks(&[(101, 5, NOW), (102, 5, 0)]);
    let mut makers = Told {
        own: vec![2],
        ..Told::default()
    };
    assert_eq!(
        take(&mut bytes, post(102), &mut makers),
        Err(MatchError::WouldCross),
        "one's own order as well"
    );
    // What was removed before is undone with the transaction; below the live order it is not.
    let mut bytes = asks(&[(101, 5, NOW), (102, 5, 0)]);
    let outcome = take(&mut bytes, post(101), &mut Told::default()).unwrap();
    assert_eq!(
        (outcome.filled, outcome.remaining, outcome.stopped),
        (0, 4, Stop::Price)
    );
    assert!(outcome.may_rest());
    assert_eq!(left(&bytes), [(2, 5)]);
    // An expired order whose account is not at hand can't be removed, and the book must not be crossed.
    let mut bytes = asks(&[(101, 5, NOW)]);
    let outcome = take(
        &mut bytes,
        post(101),
        &mut Told {
            missing: vec![1],
            ..Told::default()
        },
    )
    .unwrap();
    assert_eq!((outcome.stopped, outcome.may_rest()), (Stop::MakerMissing, false));
}

#[test]
fn a_fill_or_kill_order_is_filled_whole_or_refused() {
    let whole = |lots| Incoming {
        kind: Kind::FillOrKill,
        ..bid(lots)
    };
    let fresh = || asks(&[(101, 5, 0), (102, 5, 0), (106, 5, 0)]);
    let outcome = take(&mut fresh(), whole(10), &mut Told::default()).unwrap();
    assert_eq!((outcome.filled, outcome.stopped), (10, Stop::Done));
    assert_eq!(
        take(&mut fresh(), whole(11), &mut Told::default()),
        Err(MatchError::NotFilled)
    );
    let missing = &mut Told {
        missing: vec![2],
        ..Told::default()
    };
    assert_eq!(take(&mut fresh(), whole(10), missing), Err(MatchError::NotFilled));
    let short = Incoming {
        max_matches: 1,
        ..whole(10)
    };
    assert_eq!(
        take(&mut fresh(), short, &mut Told::default()),
        Err(MatchError::NotFilled)
    );
    // Lots that are decremented do not trade.
    let own = Incoming {
        self_trade: SelfTrade::Decrement,
        ..whole(10)
    };
    let makers = &mut Told {
        own: vec![1],
        ..Told::default()
    };
    assert_eq!(take(&mut fresh(), own, makers), Err(MatchError::NotFilled));
}

#[test]
fn self_trades_never_happen() {
    let fresh = || asks(&[(101, 5, 0), (102, 5, 0), (103, 5, 0)]);
    let own = || Told {
        own: vec![2],
        ..Told::default()
    };
    let by = |self_trade| Incoming { self_trade, ..bid(12) };

    let (mut bytes, mut makers) = (fresh(), own());
    let outcome = take(&mut bytes, by(SelfTrade::CancelTaker), &mut makers).unwrap();
    assert_eq!(
        (outcome.filled, outcome.remaining, outcome.stopped),
        (5, 7, Stop::SelfTrade)
    );
    assert!(!outcome.may_rest());
    assert_eq!(makers.released, []);
    assert_eq!(left(&bytes), [(2, 5), (3, 5)]);

    let (mut bytes, mut makers) = (fresh(), own());
    let outcome = take(&mut bytes, by(SelfTrade::CancelMaker), &mut makers).unwrap();
    assert_eq!(
        (outcome.filled, outcome.remaining, outcome.stopped),
        (10, 2, Stop::Price)
    );
    assert_eq!(makers.released, [(2, 5, 5, Removal::SelfTrade)]);
    assert_eq!(left(&bytes), []);

    let (mut bytes, mut makers) = (fresh(), own());
    let outcome = take(&mut bytes, by(SelfTrade::Decrement), &mut makers).unwrap();
    // 5 trade, 5 are taken off both, and the last 2 trade with owner 3.
    assert_eq!((outcome.filled, outcome.remaining, outcome.stopped), (7, 0, Stop::Done));
    assert_eq!(makers.fills, [(1, 101, 5), (3, 103, 2)]);
    assert_eq!(makers.released, [(2, 5, 5, Removal::SelfTrade)]);

    // A smaller incoming order leaves a part of the resting one, which leaves as well where it is dust.
    for (min_lots, rest) in [(2, vec![(2, 2), (3, 5)]), (3, vec![(3, 5)])] {
        let (mut bytes, mut makers) = (fresh(), own());
        let small = Incoming {
            lots: 8,
            ..by(SelfTrade::Decrement)
        };
        let outcome = match_incoming(&mut bytes.book(), &small, min_lots, &mut makers).unwrap();
        assert_eq!((outcome.filled, outcome.remaining, outcome.stopped), (5, 0, Stop::Done));
        assert_eq!(makers.released[0], (2, 3, 5, Removal::SelfTrade));
        assert_eq!(
            makers.released.get(1),
            (min_lots == 3).then_some(&(2, 2, 2, Removal::TooSmall))
        );
        assert_eq!(left(&bytes), rest);
    }
}

#[test]
fn an_own_order_that_has_expired_is_only_removed() {
    let mut bytes = asks(&[(101, 5, NOW), (102, 5, 0)]);
    let mut makers = Told {
        own: vec![1],
        ..Told::default()
    };
    let outcome = take(&mut bytes, bid(5), &mut makers).unwrap();
    assert_eq!((outcome.filled, outcome.stopped), (5, Stop::Done));
    assert_eq!(makers.released, [(1, 5, 5, Removal::Expired)]);
}

#[test]
fn asks_match_bids_the_other_way_around() {
    let mut bytes = Bytes::new(64);
    for (owner, price) in [(1, -5), (2, 7), (3, 6), (4, 7)] {
        let mut book = bytes.book();
        let sequence = book.next_sequence();
        book.insert(
            Side::Bid,
            Order {
                owner: [owner; 32],
                price,
                lots: 2,
                sequence,
                ..Order::default()
            },
        )
        .unwrap();
    }
    let mut makers = Told::default();
    let ask = Incoming {
        side: Side::Ask,
        limit: 6,
        ..bid(9)
    };
    let outcome = take(&mut bytes, ask, &mut makers).unwrap();
    assert_eq!(makers.fills, [(2, 7, 2), (4, 7, 2), (3, 6, 2)]);
    assert_eq!(
        (outcome.remaining, outcome.stopped, outcome.may_rest()),
        (3, Stop::Price, true)
    );
}

#[test]
fn errors_of_the_accounts_and_of_the_order_end_matching() {
    let mut bytes = asks(&[(101, 5, 0)]);
    let mut makers = Told {
        fails: true,
        ..Told::default()
    };
    assert_eq!(
        take(&mut bytes, bid(5), &mut makers),
        Err(MatchError::Makers("an account is not what it should be"))
    );
    for lots in [0, -1, i64::MIN] {
        assert_eq!(
            take(&mut bytes, bid(lots), &mut Told::default()),
            Err(MatchError::Book(BookError::Lots))
        );
    }
}
