//! Orders: what the books hold is what the accounts count (C2), a fill is no worse than what its side asked for (C3), and what rests or fills
//! is covered (C4).
use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast::instructions::{OrderArgs, OrderKind};
use ballast::state::{MarginAccount, OpenOrders};
use ballast_book::{Order, Side};

use super::figures::{ceil, floor, reduces, worth, MILLION, QUOTE};
use super::risk::{reduced, tradable, traded};
use super::withdrawable::better_than_marks;
use super::{equal, fees, holds, Broken, Change, Invariant, Leg, Moment, Party, Picture};

const C2: Invariant = Invariant::C2;
const C3: Invariant = Invariant::C3;

/// A resting order with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its side.
    pub side: Side,
    /// Its handle.
    pub handle: u32,
    /// The order.
    pub order: Order,
}

/// C2 of the orders.
///
/// * no book is crossed, and no order is empty
/// * every account's slots are its orders in the books, one for one, and what it reserves and counts is their sum
/// * every owner's record counts |positions|, resting orders and what is noted as too much
pub fn check(picture: &Picture) -> Result<(), Broken> {
    for book in &picture.books {
        let best = |side| {
            let of = book.iter().filter(move |r| r.side == side).map(|r| r.order.price);
            of.max_by_key(|price| if side == Side::Bid { *price } else { -*price })
        };
        if let (Some(bid), Some(ask)) = (best(Side::Bid), best(Side::Ask)) {
            holds(C2, "no book is crossed", bid < ask)?;
        }
        let fine = book.iter().all(|r| r.order.lots > 0);
        holds(C2, "every order has lots", fine)?;
    }
    for (key, account) in &picture.accounts {
        account_counts(picture, key, account)?;
    }
    owners_count(picture)
}

fn account_counts(picture: &Picture, key: &Pubkey, account: &MarginAccount) -> Result<(), Broken> {
    let mut slots: Vec<_> = (account.orders.iter().filter(|slot| slot.sequence != 0))
        .map(|s| (s.instrument, s.sequence, s.handle, s.side, s.client_order_id))
        .collect();
    let mut held = Vec::new();
    let mut reserve = 0;
    for (instrument, book) in (0u16..).zip(&picture.books) {
        let mut sums = OpenOrders::default();
        for resting in book.iter().filter(|r| r.order.owner == key.to_bytes()) {
            let order = &resting.order;
            let side = resting.side as u8;
            held.push((instrument, order.sequence, resting.handle, side, order.client_order_id));
            sums.count += 1;
            if order.is_reduce_only() {
                continue;
            }
            let (lots, reserved) = match resting.side {
                Side::Bid => (&mut sums.bid_lots, &mut sums.bid_reserve),
                Side::Ask => (&mut sums.ask_lots, &mut sums.ask_reserve),
            };
            *lots += order.lots;
            *reserved += order.lots * order.reserve_per_lot;
        }
        reserve += sums.bid_reserve.max(sums.ask_reserve);
        let counted = account
            .books
            .iter()
            .find(|b| b.generation != 0 && b.instrument == instrument);
        let counted = counted.copied().unwrap_or_default();
        let counted = (
            counted.count,
            counted.bid_lots,
            counted.ask_lots,
            counted.bid_reserve,
            counted.ask_reserve,
        );
        let same = counted
            == (
                sums.count,
                sums.bid_lots,
                sums.ask_lots,
                sums.bid_reserve,
                sums.ask_reserve,
            );
        holds(C2, "an account counts its orders in a market", same)?;
    }
    slots.sort_unstable();
    held.sort_unstable();
    holds(C2, "an account's slots are its orders", slots == held)?;
    equal(
        C2,
        "what an account's orders reserve",
        account.order_reserve.into(),
        reserve.into(),
    )?;
    let idle = account.position_count == 0 && slots.is_empty();
    holds(
        C2,
        "nothing is locked without position or order",
        !idle || account.reserve == 0,
    )
}

fn owners_count(picture: &Picture) -> Result<(), Broken> {
    let mut sums: BTreeMap<Pubkey, BTreeMap<u8, i128>> = BTreeMap::new();
    for account in picture.accounts.values() {
        let of = sums.entry(account.owner).or_default();
        let size = |instrument: u16| i128::from(picture.board.instruments[usize::from(instrument)].lot_size);
        for position in account.positions() {
            *of.entry(position.asset).or_default() += i128::from(position.lots).abs() * size(position.instrument);
        }
        for book in account.books.iter().filter(|book| book.generation != 0) {
            let lots = i128::from(book.bid_lots) + i128::from(book.ask_lots);
            *of.entry(book.asset).or_default() += lots * size(book.instrument) + i128::from(book.excess);
        }
    }
    for (key, owner) in &picture.owners {
        for (asset, counted) in (0u8..).zip(owner.open_interest) {
            let held = sums.get(key).and_then(|of| of.get(&asset)).copied();
            equal(C2, "an owner's open interest", counted.into(), held.unwrap_or(0))?;
        }
    }
    Ok(())
}

/// What an order asked for, and the accounts that it may have met.
pub struct Placed<'a> {
    /// The instrument.
    pub instrument: usize,
    /// The order.
    pub order: &'a OrderArgs,
    /// Its account.
    pub taker: &'a Party<'a>,
    /// The others that were passed.
    pub makers: &'a [Party<'a>],
}

impl Placed<'_> {
    fn side(&self) -> Side {
        match self.order.side {
            ballast::instructions::OrderSide::Bid => Side::Bid,
            ballast::instructions::OrderSide::Ask => Side::Ask,
        }
    }

    /// The prices at which a maker's orders rested on the side that was met; those of all makers without a key.
    fn prices(&self, change: &Change, key: Option<&Pubkey>) -> Vec<i64> {
        let is =
            |r: &&Resting| r.side == self.side().opposite() && key.is_none_or(|key| r.order.owner == key.to_bytes());
        let book = change.before.books[self.instrument].iter();
        book.filter(is).map(|r| r.order.price).collect()
    }

    /// C3: nobody gets less than he asked for, and only the market's position moves.
    pub fn as_asked(&self, change: &Change, keys: &[Pubkey]) -> Result<(), Broken> {
        let moved = self.moved(self.taker);
        let sign = i128::from(self.side().sign());
        let within = moved * sign >= 0 && moved.abs() <= i128::from(self.order.lots);
        holds(C3, "an order trades its own lots", within)?;
        let prices = self.prices(change, None);
        self.gets(self.taker, self.order.price, &prices, fees::rates(&self.taker.before).0)?;
        fees::taken(self.taker, self.instrument, &prices)?;
        for (maker, key) in self.makers.iter().zip(keys) {
            let prices = self.prices(change, Some(key));
            let worst = match self.side() {
                Side::Bid => prices.iter().min(),
                Side::Ask => prices.iter().max(),
            };
            let moved = self.moved(maker);
            holds(C3, "a maker trades on the other side", moved * sign <= 0)?;
            holds(
                C3,
                "a maker trades where he has an order",
                moved == 0 || worst.is_some(),
            )?;
            let rate = fees::rates(&maker.before).1;
            self.gets(maker, worst.copied().unwrap_or(1), &prices, rate)?;
            fees::made(maker, self.instrument, &prices)?;
        }
        Ok(())
    }

    fn moved(&self, party: &Party) -> i128 {
        i128::from(party.after.lots(self.instrument)) - i128::from(party.before.lots(self.instrument))
    }

    /// A party that may have traded pays no more than `worst` and its fee, each of at most 16 fills rounded by less than two units, and gains
    /// no more than `prices` are better than the marks.
    fn gets(&self, party: &Party, worst: i64, prices: &[i64], fee_ppm: i128) -> Result<(), Broken> {
        let lots = self.moved(party) as i64;
        let lot_size = party.before.picture.board.instruments[self.instrument].lot_size;
        let notional = worth(lots, lot_size, worst);
        // At a worse price a rebate is larger: it only has to be no less than none.
        let fee = ceil(notional.abs() * fee_ppm, QUOTE * MILLION).max(0);
        let got = i128::from(party.after.quote(self.instrument)) - i128::from(party.before.quote(self.instrument));
        let least = floor(-notional, QUOTE) - fee - 32;
        holds(C3, "a fill is no worse than its limit", lots == 0 || got >= least)?;
        holds(C3, "nothing is paid for no lots", lots != 0 || got == 0)?;
        holds(
            C3,
            "other positions stay",
            party.keeps_other_positions(&[self.instrument]),
        )?;
        holds(C3, "balances stay", party.keeps_balances())?;
        equal(C3, "cash and reserve", party.after.balance(), party.before.balance())?;
        let best = match lots >= 0 {
            true => prices.iter().min(),
            false => prices.iter().max(),
        };
        let legs: Vec<Leg> = best
            .filter(|_| lots != 0)
            .map(|price| Leg {
                instrument: self.instrument,
                lots,
                price: *price,
            })
            .into_iter()
            .collect();
        better_than_marks(party, &legs, 32 + fees::most_rebate(party, self.instrument, prices))
    }

    /// C4: what rests and what fills is covered, on both sides. `keys` are the makers'.
    pub fn is_covered(&self, change: &Change, keys: &[Pubkey]) -> Result<(), Broken> {
        let traded = self.moved(self.taker) != 0;
        let makers = self.makers.iter().filter(|maker| self.moved(maker) != 0);
        let all_reduce = makers
            .chain(traded.then_some(self.taker))
            .all(|party| self.shrinks(party));
        if traded {
            tradable(change.before, self.instrument, all_reduce)?;
        }
        let added = self.counted(&self.taker.after) > self.counted(&self.taker.before);
        let immediate = matches!(self.order.kind, OrderKind::ImmediateOrCancel | OrderKind::FillOrKill);
        if traded || added {
            self.carries(self.taker, added, self.order.reduce_only && immediate)?;
        }
        let makers = self.makers.iter().zip(keys);
        for (maker, key) in makers.filter(|(maker, _)| self.moved(maker) != 0) {
            let last = match self.closed_first(change, maker, key)? {
                Some(between) => {
                    let first = Party {
                        before: maker.before.clone(),
                        after: between.clone(),
                    };
                    self.carries(&first, false, true)?;
                    &Party {
                        before: between,
                        after: maker.after.clone(),
                    }
                }
                None => maker,
            };
            self.carries(last, false, true)?;
        }
        Ok(())
    }

    /// A maker is judged fill by fill: one whose orders turned its position around, when those of them had traded that only reduced it. None
    /// where no order did only that.
    fn closed_first<'m>(&self, change: &Change, maker: &Party<'m>, key: &Pubkey) -> Result<Option<Moment<'m>>, Broken> {
        let (picture, side) = (maker.before.picture, self.side().opposite());
        let held = i128::from(maker.before.lots(self.instrument));
        let moved = self.moved(maker);
        if held * moved >= 0 || moved.abs() <= held.abs() {
            return Ok(None);
        }
        let mut left = held.abs() as i64;
        let mut account = maker.before.account.clone();
        let mut positions = account.positions.iter_mut();
        let position = positions.find(|p| p.lots != 0 && usize::from(p.instrument) == self.instrument);
        let Some(position) = position else {
            return Ok(None);
        };
        let mine = change.before.books[self.instrument].iter();
        for resting in mine.filter(|r| r.side == side && r.order.owner == key.to_bytes()) {
            let order = &resting.order;
            let lots = if order.is_reduce_only() {
                order.lots.min(left)
            } else {
                order.lots
            };
            if lots > left || order.has_expired(picture.now) {
                continue;
            }
            left -= lots;
            let leg = Leg {
                instrument: self.instrument,
                lots: lots * side.sign(),
                price: order.price,
            };
            let lot_size = picture.board.instruments[self.instrument].lot_size;
            let paid = fees::fee(picture, &leg, fees::rates(&maker.before).1);
            position.lots += leg.lots;
            position.quote += (floor(-worth(leg.lots, lot_size, leg.price), QUOTE) - paid) as i64;
        }
        if i128::from(left) == held.abs() {
            return Ok(None);
        }
        account.order_reserve = maker.after.account.order_reserve;
        Moment::of(picture, &account).map(Some)
    }

    fn shrinks(&self, party: &Party) -> bool {
        reduces(party.before.lots(self.instrument), party.after.lots(self.instrument))
    }

    /// Lots of the account's orders in the market that may add to its position.
    fn counted(&self, moment: &Moment) -> i64 {
        let of = moment.account.books.iter().filter(|b| b.generation != 0);
        of.filter(|b| usize::from(b.instrument) == self.instrument)
            .map(|b| b.bid_lots + b.ask_lots)
            .sum()
    }

    fn carries(&self, party: &Party, added: bool, may_reduce_below: bool) -> Result<(), Broken> {
        let legs = [Leg {
            instrument: self.instrument,
            lots: self.moved(party) as i64,
            price: 0,
        }];
        let shrinks = self.shrinks(party) && !added;
        if party.before.maintenance_surplus() < 0 && shrinks && may_reduce_below {
            return reduced(party, &legs);
        }
        traded(party, &legs, shrinks)
    }
}
