//! Matching an order against the other side of a book.
//!
//! The loop takes the best resting order again and again, until nothing is left to fill, the price no longer crosses, or it has to stop.
//! It never passes over an order: one that can't trade is removed or stops the loop, so price and time priority hold. Each resting order
//! that it looks into counts against [`Incoming::max_matches`], whatever becomes of it.
use crate::{Book, BookError, Handle, Order, Side};
use core::fmt;

/// What becomes of the part of an order that does not trade at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may rest.
    Limit,
    /// It may rest, and nothing may trade at once: an order that would is refused.
    PostOnly,
    /// It is dropped.
    ImmediateOrCancel,
    /// There must be none.
    FillOrKill,
}

/// What happens where an order meets one of the same wallet. The two never trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTrade {
    /// Matching stops and the rest of the incoming order is dropped.
    CancelTaker,
    /// The resting order is removed.
    CancelMaker,
    /// The lots of the smaller order are taken off both.
    Decrement,
}

/// An order that comes to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its side; it trades with the other one.
    pub side: Side,
    /// The worst price that it trades at, in 10⁻⁹ USD.
    pub limit: i64,
    /// Its size, positive.
    pub lots: i64,
    /// What becomes of its rest.
    pub kind: Kind,
    /// What happens where it meets an order of the same wallet.
    pub self_trade: SelfTrade,
    /// How many resting orders may be looked into.
    pub max_matches: u16,
    /// The time in unix seconds.
    pub now: i64,
}

/// Whose order has been met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The owner's account is not at hand: matching stops before the order.
    Missing,
    /// The owner is of the same wallet as the incoming order.
    Own,
    /// The owner is of another wallet.
    Other,
}

/// What the owner of a resting order makes of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// So many lots have traded, from 0 to those asked for. Where they are fewer, the rest of the order leaves the book
    /// ([`Removal::NotCarried`]), because no worse order may trade before it.
    Filled(i64),
    /// Nothing has traded, and the order leaves the book for this reason.
    Removed(Removal),
}

/// Why an order, or a part of one, leaves the book without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It has expired.
    Expired,
    /// Its owner's account can't carry it, or it may only reduce a position that is no longer there.
    NotCarried,
    /// It met an order of the same wallet.
    SelfTrade,
    /// What is left is less than the smallest order.
    TooSmall,
    /// Its price is outside the band in which orders may trade.
    OutsideBand,
}

/// The accounts behind the resting orders.
pub trait Makers {
    /// Why an account can't be read or written; it ends matching.
    type Error;

    /// Whose order this is. Asked once of every order before anything else happens to it.
    fn present(&mut self, order: &Order) -> Result<Standing, Self::Error>;

    /// Why an order that has not expired can't trade with anybody, whoever owns it: it leaves the book as an expired one does.
    fn voids(&self, _order: &Order) -> Option<Removal> {
        None
    }

    /// Trades `lots` (positive, at most `order.lots`) at `order.price` with the owner, or says why not. `order` is as it rests before; it
    /// leaves the book when all of `order.lots` trade.
    fn fill(&mut self, order: &Order, handle: Handle, lots: i64) -> Result<Verdict, Self::Error>;

    /// Tells that `lots` (positive, at most `order.lots`) leave the book without a trade, so that what was reserved for them is freed.
    /// `order` is as it rests before, after a fill; it leaves the book when `lots` is `order.lots`.
    fn released(&mut self, order: &Order, handle: Handle, lots: i64, why: Removal) -> Result<(), Self::Error>;
}

/// Why matching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing of the order is left.
    Done,
    /// No order rests that it crosses.
    Price,
    /// The account behind the next order is not at hand.
    MakerMissing,
    /// [`Incoming::max_matches`] orders were looked into and more cross.
    MatchLimit,
    /// The next order is of the same wallet, under [`SelfTrade::CancelTaker`].
    SelfTrade,
}

/// What became of an incoming order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Lots that traded.
    pub filled: i64,
    /// Lots that are left to rest or to be dropped, see [`Outcome::may_rest`]. Those decremented in a self-trade are neither filled nor
    /// left.
    pub remaining: i64,
    /// Why matching ended.
    pub stopped: Stop,
    /// Resting orders that were looked into.
    pub matches: u16,
    rests: bool,
}

impl Outcome {
    /// Whether what remains may rest: the order is of a kind that rests, what remains is not under the smallest order, and the book would
    /// not be crossed. Otherwise it is dropped.
    pub const fn may_rest(&self) -> bool {
        self.rests
    }
}

/// Why an order is not matched. The book and the accounts may have been changed before: undo the whole transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchError<E> {
    /// A post-only order crosses an order that trades: quote a worse price.
    WouldCross,
    /// A fill-or-kill order can't be filled whole: ask for fewer lots, at a worse price, or with more makers' accounts.
    NotFilled,
    /// [`Makers::fill`] says that more lots traded than were asked for, or fewer than none.
    Overfilled,
    /// [`BookError::Lots`] for an incoming order without lots, or [`BookError::Corrupt`].
    Book(BookError),
    /// What [`Makers`] returned.
    Makers(E),
}

impl<E> From<BookError> for MatchError<E> {
    fn from(error: BookError) -> MatchError<E> {
        MatchError::Book(error)
    }
}

impl<E: fmt::Display> fmt::Display for MatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MatchError::WouldCross => f.write_str("a post-only order would trade: quote a worse price"),
            MatchError::NotFilled => f.write_str(
                "the order can't be filled whole: ask for fewer lots, at a worse price, or with more makers' accounts",
            ),
            MatchError::Overfilled => f.write_str("a maker filled another number of lots than it was asked for"),
            MatchError::Book(error) => error.fmt(f),
            MatchError::Makers(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for MatchError<E> {}

/// Matches an order against the other side of the book, best price first and then the lowest sequence number.
///
/// * Expired orders and those that [`Makers::voids`] are removed on the way; so are those that their owner can't carry, and what a fill or a self-trade leaves under
///   `min_lots` of an order.
/// * A maker's account that is not at hand stops matching without an error.
/// * A post-only order only removes expired and void orders, and is refused when another one crosses it, whoever owns that.
/// * The rest is not put into the book: that is the caller's, where [`Outcome::may_rest`].
pub fn match_incoming<M: Makers>(
    book: &mut Book<'_>,
    incoming: &Incoming,
    min_lots: i64,
    makers: &mut M,
) -> Result<Outcome, MatchError<M::Error>> {
    if incoming.lots <= 0 {
        return Err(BookError::Lots.into());
    }
    let mut matching = Matching {
        book,
        incoming,
        min_lots,
        makers,
        filled: 0,
        remaining: incoming.lots,
        matches: 0,
    };
    let stopped = loop {
        if let Some(stop) = matching.step()? {
            break stop;
        }
    };
    let Matching {
        filled,
        remaining,
        matches,
        ..
    } = matching;
    if incoming.kind == Kind::FillOrKill && filled != incoming.lots {
        return Err(MatchError::NotFilled);
    }
    let rests =
        matches!(incoming.kind, Kind::Limit | Kind::PostOnly) && stopped == Stop::Price && remaining >= min_lots;
    Ok(Outcome {
        filled,
        remaining,
        stopped,
        matches,
        rests,
    })
}

/// Matching under way.
struct Matching<'m, 'b, M> {
    book: &'m mut Book<'b>,
    incoming: &'m Incoming,
    min_lots: i64,
    makers: &'m mut M,
    filled: i64,
    remaining: i64,
    matches: u16,
}

impl<M: Makers> Matching<'_, '_, M> {
    /// Deals with the best resting order; says when to stop.
    fn step(&mut self) -> Result<Option<Stop>, MatchError<M::Error>> {
        if self.remaining == 0 {
            return Ok(Some(Stop::Done));
        }
        let Some(handle) = self.book.best(self.incoming.side.opposite()) else {
            return Ok(Some(Stop::Price));
        };
        let order = self.book.order(handle).ok_or(BookError::Corrupt)?;
        if !self.incoming.side.crosses(self.incoming.limit, order.price) {
            return Ok(Some(Stop::Price));
        }
        if order.lots <= 0 {
            return Err(BookError::Corrupt.into());
        }
        let void = match order.has_expired(self.incoming.now) {
            true => Some(Removal::Expired),
            false => self.makers.voids(order),
        };
        if self.incoming.kind == Kind::PostOnly && void.is_none() {
            return Err(MatchError::WouldCross);
        }
        if self.matches >= self.incoming.max_matches {
            return Ok(Some(Stop::MatchLimit));
        }
        self.matches = self.matches.saturating_add(1);
        match (self.makers.present(order).map_err(MatchError::Makers)?, void) {
            (Standing::Missing, _) => return Ok(Some(Stop::MakerMissing)),
            (_, Some(why)) => self.release(handle, why)?,
            (Standing::Own, _) => match self.incoming.self_trade {
                SelfTrade::CancelTaker => return Ok(Some(Stop::SelfTrade)),
                SelfTrade::CancelMaker => self.release(handle, Removal::SelfTrade)?,
                SelfTrade::Decrement => self.decrement(handle)?,
            },
            (Standing::Other, _) => self.fill(handle)?,
        }
        Ok(None)
    }

    /// Trades with the resting order as far as its owner carries it.
    fn fill(&mut self, handle: Handle) -> Result<(), MatchError<M::Error>> {
        let order = self.book.order(handle).ok_or(BookError::Corrupt)?;
        let asked = self.remaining.min(order.lots);
        let filled = match self.makers.fill(order, handle, asked).map_err(MatchError::Makers)? {
            Verdict::Removed(why) => return self.release(handle, why),
            Verdict::Filled(0) => return self.release(handle, Removal::NotCarried),
            Verdict::Filled(filled) if (1..=asked).contains(&filled) => filled,
            Verdict::Filled(_) => return Err(MatchError::Overfilled),
        };
        self.filled = self.filled.checked_add(filled).ok_or(BookError::Lots)?;
        self.take_off(handle, filled)?;
        if filled < asked {
            return self.release(handle, Removal::NotCarried);
        }
        self.release_dust(handle)
    }

    /// Takes the lots of the smaller order off both.
    fn decrement(&mut self, handle: Handle) -> Result<(), MatchError<M::Error>> {
        let order = self.book.order(handle).ok_or(BookError::Corrupt)?;
        let lots = self.remaining.min(order.lots);
        self.makers
            .released(order, handle, lots, Removal::SelfTrade)
            .map_err(MatchError::Makers)?;
        self.take_off(handle, lots)?;
        self.release_dust(handle)
    }

    /// Takes `lots` lots off the incoming order and the resting one, which leaves the book when it has no more.
    fn take_off(&mut self, handle: Handle, lots: i64) -> Result<(), BookError> {
        let left = self.book.order(handle).ok_or(BookError::Corrupt)?.lots;
        self.remaining = self.remaining.checked_sub(lots).ok_or(BookError::Lots)?;
        match lots < left {
            true => self.book.reduce(handle, lots),
            false => self.book.drop_order(handle),
        }
    }

    /// Removes what is left of the resting order where it is too small to rest.
    fn release_dust(&mut self, handle: Handle) -> Result<(), MatchError<M::Error>> {
        match self.book.order(handle) {
            Some(order) if order.lots < self.min_lots => self.release(handle, Removal::TooSmall),
            _ => Ok(()),
        }
    }

    /// Removes the resting order without a trade.
    fn release(&mut self, handle: Handle, why: Removal) -> Result<(), MatchError<M::Error>> {
        let order = self.book.order(handle).ok_or(BookError::Corrupt)?;
        self.makers
            .released(order, handle, order.lots, why)
            .map_err(MatchError::Makers)?;
        Ok(self.book.drop_order(handle)?)
    }
}
