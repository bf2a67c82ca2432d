use super::*;
use crate::state::{MAX_BOOKS, MAX_ORDERS};

const DOLLAR: i64 = 100_000_000;
const UNIT: i64 = 2_000_000; // cash at the start: the two dollars that get locked

fn account() -> Box<MarginAccount> {
    let mut account: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
    account.cash = UNIT;
    account
}

fn owner() -> Box<OwnerRecord> {
    bytemuck::allocation::zeroed_box()
}

fn instrument() -> Instrument {
    Instrument {
        kind: 1,
        asset: 3,
        generation: 1,
        lot_size: 1_000,
        ..Instrument::default()
    }
}

fn order(sequence: u64, lots: i64, reserve_per_lot: i64) -> Order {
    Order {
        client_order_id: sequence * 10,
        lots,
        reserve_per_lot,
        sequence,
        ..Order::default()
    }
}

fn slot(index: u16, side: Side, order: &Order) -> OrderSlot {
    OrderSlot {
        client_order_id: order.client_order_id,
        sequence: order.sequence,
        instrument: index,
        side: side as u8,
        ..OrderSlot::default()
    }
}

struct Case {
    account: Box<MarginAccount>,
    owner: Box<OwnerRecord>,
    instrument: Instrument,
}

impl Case {
    fn new() -> Case {
        Case {
            account: account(),
            owner: owner(),
            instrument: instrument(),
        }
    }

    fn open(&mut self, index: u16, side: Side, order: &Order) -> Result<()> {
        let market = OrderMarket {
            index,
            instrument: &self.instrument,
        };
        let slot = slot(index, side, order);
        self.account.open_order(&mut self.owner, market, slot, side, order)
    }

    fn shrink(&mut self, index: u16, side: Side, order: &mut Order, lots: i64) -> Result<()> {
        let market = OrderMarket {
            index,
            instrument: &self.instrument,
        };
        self.account.shrink_order(market, side, order, lots)?;
        order.lots -= lots;
        Ok(())
    }

    fn fill(&mut self, side: Side, order: &mut Order, lots: i64, position: [i64; 2]) {
        let market = OrderMarket {
            index: 0,
            instrument: &self.instrument,
        };
        let position = position.map(Lots);
        self.account.fill_order(market, side, order, lots, position).unwrap();
        order.lots -= lots;
    }

    /// What the record counts, in lots of the instrument.
    fn counted(&self) -> u64 {
        self.owner.open_interest[3] / 1_000
    }

    fn reconcile(&mut self) {
        self.account.reconcile(&mut self.owner).unwrap();
    }
}

fn refused(result: Result<()>, error: BallastError) {
    let refusal = result.unwrap_err();
    assert!(matches!(refusal, Error::AnchorError(e) if e.error_code_number == u32::from(error)));
}

#[test]
fn the_larger_side_of_each_market_is_reserved() {
    let mut case = Case::new();
    let bid = order(1, 10, DOLLAR);
    let mut ask = order(2, 4, 5 * DOLLAR);
    case.open(0, Side::Bid, &bid).unwrap();
    assert_eq!(case.account.order_reserve, 10 * DOLLAR);
    case.open(0, Side::Ask, &ask).unwrap();
    assert_eq!(case.account.order_reserve, 20 * DOLLAR);
    case.open(1, Side::Ask, &order(1, 1, DOLLAR)).unwrap();
    assert_eq!(case.account.order_reserve, 21 * DOLLAR);
    assert_eq!((case.account.order_count(), case.counted()), (3, 15));
    case.shrink(0, Side::Ask, &mut ask, 3).unwrap(); // 5 dollars of asks are left beside 10 of bids
    assert_eq!(case.account.order_reserve, 11 * DOLLAR);
    case.shrink(0, Side::Ask, &mut ask, 1).unwrap();
    assert_eq!(case.account.order_count(), 2);
    assert!(case.account.find_order(0, OrderId::Sequence(2)).is_none());
    assert!(case.account.find_order(0, OrderId::Client(10)).is_some());
}

#[test]
fn the_reserve_of_two_dollars_stands_while_there_is_an_order_or_a_position() {
    let mut case = Case::new();
    let mut bid = order(1, 10, DOLLAR);
    case.open(0, Side::Bid, &bid).unwrap();
    assert_eq!((case.account.cash, case.account.reserve), (0, UNIT));
    let at = case.account.open_position(0, &case.instrument).unwrap();
    case.shrink(0, Side::Bid, &mut bid, 10).unwrap();
    assert_eq!((case.account.cash, case.account.reserve), (0, UNIT));
    assert!(case.account.drop_if_empty(at).unwrap());
    assert_eq!((case.account.cash, case.account.reserve), (UNIT, 0));
    case.account.open_position(0, &case.instrument).unwrap();
    let mut bid = order(2, 1, DOLLAR);
    case.open(0, Side::Bid, &bid).unwrap();
    assert!(case.account.drop_if_empty(at).unwrap());
    case.account.reserve -= 500_000; // a bounty
    case.shrink(0, Side::Bid, &mut bid, 1).unwrap();
    assert_eq!((case.account.cash, case.account.reserve), (UNIT - 500_000, 0));
}

#[test]
fn the_reserve_pays_for_nothing_but_the_last_of_the_last_position() {
    let mut case = Case::new();
    let at = case.account.open_position(0, &case.instrument).unwrap();
    case.account.positions[at].quote = -5;
    let draws = |account: &mut MarginAccount, amount: i64| account.reserve_pays(at, QuoteAmount(amount)).unwrap();
    // Not with lots, another position or an order, nor more than there is.
    case.account.positions[at].lots = 1;
    assert!(!draws(&mut case.account, 1));
    case.account.positions[at].lots = 0;
    let other = case.account.open_position(1, &case.instrument).unwrap();
    assert!(!draws(&mut case.account, 1));
    assert!(case.account.drop_if_empty(other).unwrap());
    let mut bid = order(1, 10, DOLLAR);
    case.open(0, Side::Bid, &bid).unwrap();
    assert!(!draws(&mut case.account, 1));
    case.shrink(0, Side::Bid, &mut bid, 10).unwrap();
    assert!(!draws(&mut case.account, UNIT + 1));
    assert_eq!((case.account.cash, case.account.reserve), (0, UNIT));
    assert!(draws(&mut case.account, UNIT));
    assert_eq!((case.account.cash, case.account.reserve), (UNIT, 0));
}

/// Short 4, a bid of 10 is filled by 6 and then by 4: |position| goes 4, 2, 6. The record counts 4 + 10 all the while, and 6 once it has been
/// reconciled.
#[test]
fn a_fill_without_the_record_leaves_what_it_counts() {
    let mut case = Case::new();
    case.owner.open_interest[3] = 4_000;
    let mut bid = order(1, 10, DOLLAR);
    case.open(0, Side::Bid, &bid).unwrap();
    assert_eq!(case.counted(), 14);
    case.fill(Side::Bid, &mut bid, 6, [-4, 2]);
    assert_eq!((case.counted(), case.account.books[0].excess), (14, 8_000)); // 14 − 2 − 4
    assert_eq!(
        (case.account.books[0].bid_lots, case.account.order_reserve),
        (4, 4 * DOLLAR)
    );
    case.fill(Side::Bid, &mut bid, 4, [2, 6]);
    assert_eq!((case.counted(), case.account.books[0].excess), (14, 8_000)); // 14 − 6
    assert_eq!(case.account.order_count(), 0);
    assert!(case.account.has_excess());
    case.reconcile();
    assert_eq!(case.counted(), 6);
    assert_eq!(case.account.books[0], OpenOrders::default());
}

/// Long 10, a reduce-only ask of 7 reserves nothing and counts nothing; its fill leaves 3, and 7 in the record to be taken off.
#[test]
fn a_reduce_only_order_reserves_and_counts_nothing() {
    let mut case = Case::new();
    case.owner.open_interest[3] = 10_000;
    let mut ask = Order {
        flags: Order::REDUCE_ONLY,
        ..order(1, 7, 0)
    };
    case.open(0, Side::Ask, &ask).unwrap();
    assert_eq!((case.counted(), case.account.order_reserve), (10, 0));
    assert_eq!((case.account.books[0].ask_lots, case.account.order_count()), (0, 1));
    case.fill(Side::Ask, &mut ask, 7, [10, 3]);
    assert_eq!(case.account.books[0].excess, 7_000);
    case.reconcile();
    assert_eq!(case.counted(), 3);
}

#[test]
fn thirty_two_orders_and_eight_markets_are_the_most() {
    let mut case = Case::new();
    for sequence in 1..=MAX_ORDERS as u64 {
        case.open(0, Side::Bid, &order(sequence, 1, 1)).unwrap();
    }
    refused(case.open(0, Side::Bid, &order(33, 1, 1)), BallastError::TooManyOrders);
    let mut case = Case::new();
    for index in 0..MAX_BOOKS as u16 {
        case.open(index, Side::Bid, &order(1, 1, 1)).unwrap();
    }
    refused(case.open(8, Side::Bid, &order(1, 1, 1)), BallastError::TooManyOrders);
    case.open(7, Side::Ask, &order(2, 1, 1)).unwrap();
    // A market in which nothing rests gives its slot back as soon as the record has been told.
    let mut first = order(1, 1, 1);
    case.shrink(0, Side::Bid, &mut first, 1).unwrap();
    assert!(case.account.has_excess());
    case.open(8, Side::Bid, &order(1, 1, 1)).unwrap();
    assert!(!case.account.has_excess());
}

#[test]
fn more_than_rests_is_not_taken_off() {
    let with_one = || {
        let mut case = Case::new();
        case.open(0, Side::Bid, &order(1, 3, DOLLAR)).unwrap();
        case
    };
    let mut larger = order(1, 4, DOLLAR);
    refused(
        with_one().shrink(0, Side::Bid, &mut larger, 4),
        BallastError::MathOverflow,
    );
    let mut unknown = order(9, 1, DOLLAR);
    for index in [0, 1] {
        refused(
            with_one().shrink(index, Side::Bid, &mut unknown, 1),
            BallastError::OrderMissing,
        );
    }
}

/// Orders come and go at random in two markets; in the end nothing is reserved, counted or locked, and at every step the reserve is that of
/// the orders.
#[test]
fn what_came_leaves_again() {
    let mut case = Case::new();
    let mut resting: Vec<(u16, Side, Order)> = Vec::new();
    let mut seed = 7u64;
    for sequence in 1..=5_000u64 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        let pick = (seed >> 33) as usize;
        if resting.len() < MAX_ORDERS && pick % 5 < 3 {
            let (index, side) = ((pick % 2) as u16, Side::BOTH[pick / 2 % 2]);
            let mut new = order(sequence, 1 + (pick % 1_000) as i64, (seed >> 40) as i64);
            new.flags = u8::from(pick.is_multiple_of(7)); // some may only reduce
            case.open(index, side, &new).unwrap();
            resting.push((index, side, new));
        } else if !resting.is_empty() {
            let at = pick % resting.len();
            let (index, side, mut gone) = resting.swap_remove(at);
            let lots = 1 + (seed >> 20) as i64 % gone.lots;
            case.shrink(index, side, &mut gone, lots).unwrap();
            if gone.lots > 0 {
                resting.push((index, side, gone));
            }
        }
        let side_reserve = |index: u16, side: Side| -> i64 {
            let of = resting
                .iter()
                .filter(|(i, s, o)| (*i, *s) == (index, side) && !o.is_reduce_only());
            of.map(|(_, _, o)| o.lots * o.reserve_per_lot).sum()
        };
        let reserve = |index| side_reserve(index, Side::Bid).max(side_reserve(index, Side::Ask));
        assert_eq!(case.account.order_reserve, reserve(0) + reserve(1));
        assert_eq!(case.account.order_count(), resting.len());
        if pick.is_multiple_of(11) {
            case.reconcile();
            let lots = resting
                .iter()
                .filter(|(_, _, o)| !o.is_reduce_only())
                .map(|(_, _, o)| o.lots);
            assert_eq!(case.counted(), lots.sum::<i64>() as u64);
        }
    }
    for (index, side, mut gone) in resting {
        let lots = gone.lots;
        case.shrink(index, side, &mut gone, lots).unwrap();
    }
    case.reconcile();
    let empty = account();
    assert_eq!(bytemuck::bytes_of(&*case.account), bytemuck::bytes_of(&*empty));
    assert_eq!(case.counted(), 0);
}
