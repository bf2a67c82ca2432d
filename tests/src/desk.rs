//! An options desk on ETH, and how a requirement is pinned from both sides.
use ballast::error::BallastError;
use ballast::instructions::Summary;
use ballast::state::InstrumentKind;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{Outcome, User, World, ETH, START};

use crate::refusal::refuses;
use crate::setup::*;
use crate::{elf, ok};

/// Lots of ETH instruments in a unit.
const LOTS: f64 = 1_000.0;
/// What the first position locks, dollars.
const RESERVE: f64 = 2.0;

/// BTC at 100,000, ETH at 3,000, SOL at 100, and flat volatility surfaces on ETH.
pub struct Desk {
    /// The world.
    pub w: World,
    expiries: Vec<i64>,
    percent: i64,
}

/// Legs of a package: instruments and units of ETH, bought when positive.
pub type Book<'a> = &'a [(usize, f64)];

impl Desk {
    /// A desk whose surfaces say `percent`.
    pub fn new(percent: i64) -> Desk {
        Desk {
            w: World::starting_at(&elf(), START, [100_000.0, 3_000.0, 100.0]),
            expiries: Vec::new(),
            percent,
        }
    }

    /// Lists an option that expires in `hours` and publishes its expiry's surface if it is new.
    pub fn option(&mut self, kind: InstrumentKind, strike: i64, hours: i64) -> usize {
        let expiry = self.w.vm.now() + hours * 3_600;
        let index = list_option(&mut self.w, ETH, kind, expiry, strike);
        if !self.expiries.contains(&expiry) {
            self.expiries.push(expiry);
            let outcome = publish(&mut self.w, ETH, &[flat(expiry, self.percent)]);
            ok(&self.w, outcome);
        }
        index
    }

    /// A call of thirty days.
    pub fn call(&mut self, strike: i64) -> usize {
        self.option(InstrumentKind::Call, strike, 30 * 24)
    }

    /// A put of thirty days.
    pub fn put(&mut self, strike: i64) -> usize {
        self.option(InstrumentKind::Put, strike, 30 * 24)
    }

    /// Publishes every surface again, at `percent`.
    pub fn publish(&mut self, percent: i64) -> Outcome {
        let updates: Vec<_> = self.expiries.iter().map(|e| flat(*e, percent)).collect();
        publish(&mut self.w, ETH, &updates)
    }

    /// The mark in dollars.
    ///
    /// # Panics
    /// Without one.
    pub fn mark(&self, instrument: usize) -> f64 {
        let board = self.w.board();
        let mark = board.mark(&board.instruments[instrument], self.w.vm.now());
        mark.expect("a mark").0 as f64 / 1e9
    }

    /// The tick below the mark, dollars; at least one tick.
    pub fn price(&self, instrument: usize) -> f64 {
        let tick = self.w.board().instruments[instrument].tick_size as f64 / 1e9;
        ((self.mark(instrument) / tick + 1e-6).floor() * tick).max(tick)
    }

    /// A book as the legs of one trade, each at the tick below its mark.
    pub fn legs(&self, book: Book) -> Vec<Leg> {
        let leg = |(instrument, units): &(usize, f64)| Leg {
            instrument: *instrument,
            lots: (units * LOTS).round() as i64,
            price: (self.price(*instrument) * 1e9).round() as i64,
        };
        book.iter().map(leg).collect()
    }

    /// What the taker's equity loses by opening a book, dollars: the reserve, fees of 5 basis points, and what its prices are off the marks.
    pub fn cost(&self, book: Book) -> f64 {
        let leg = |(instrument, units): &(usize, f64)| {
            let price = self.price(*instrument);
            units * (price - self.mark(*instrument)) + 0.0005 * price * units.abs()
        };
        RESERVE + book.iter().map(leg).sum::<f64>()
    }

    /// A trade of the book at the marks.
    pub fn trade(&mut self, book: Book, taker: &User, maker: &User) -> Outcome {
        let legs = self.legs(book);
        self.w.trade_package(taker, maker, &legs)
    }

    /// Opens the book between two users.
    pub fn open(&mut self, book: Book, taker: &User, maker: &User) {
        let outcome = self.trade(book, taker, maker);
        ok(&self.w, outcome);
    }

    /// A trader with `dollars` of cash, to the unit.
    pub fn trader(&mut self, dollars: f64) -> User {
        let user = self.w.user();
        set_cash(&mut self.w, &user, (dollars * USD as f64).round() as i64);
        user
    }

    /// The user's summary.
    pub fn summary(&mut self, user: &User) -> Summary {
        self.w.summary(&user.account.margin_account)
    }

    /// Opening `book` takes `required` dollars of equity: with less, as with the `naive` amount, it is refused and nothing moves; with it, it
    /// goes through. Returns who then holds it, and who holds the other side.
    ///
    /// # Panics
    /// When it is not so.
    #[track_caller]
    pub fn takes(&mut self, book: Book, naive: f64, required: f64) -> (User, User) {
        let maker = trader(&mut self.w, 20_000_000);
        let slack = 0.01 + rounding(self.gross(book));
        assert!(naive < required - slack, "{naive} would do");
        let (cost, legs) = (self.cost(book), self.legs(book));
        for short in [naive.max(100.0), required - slack] {
            let poor = self.trader(short + cost);
            refuses(&mut self.w, BallastError::InsufficientMargin, |w| {
                w.trade_package(&poor, &maker, &legs)
            });
        }
        let user = self.trader(required + cost + slack);
        self.open(book, &user, &maker);
        self.requires(&user, required, self.gross(book));
        (user, maker)
    }

    /// The account requires this initial margin: never less, and no more than what margin.md section 7 allows for rounding.
    ///
    /// # Panics
    /// When it requires less or more.
    #[track_caller]
    pub fn requires(&mut self, user: &User, required: f64, gross: f64) {
        let margin = self.summary(user).initial_margin as f64 / 1e8;
        let above = margin - required;
        // The reference's own last digits are worth 10⁻⁷ of a dollar at most.
        assert!(
            (-1e-7..=rounding(gross) + 1e-7).contains(&above),
            "{margin} is {above} above {required}"
        );
    }

    fn gross(&self, book: Book) -> f64 {
        book.iter().map(|(_, units)| units.abs() * 3_000.0).sum()
    }
}

/// 10⁻⁹ of gross notional, and a unit of 10⁻⁸ dollars for each of at most eight legs.
fn rounding(gross: f64) -> f64 {
    gross * 1e-9 + 8e-8
}

/// A book with all quantities the other way round.
pub fn reversed(book: Book) -> Vec<(usize, f64)> {
    book.iter().map(|(instrument, units)| (*instrument, -units)).collect()
}
