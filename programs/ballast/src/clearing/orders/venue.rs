//! A market at one moment, as every order of an instruction meets it.
use anchor_lang::prelude::*;
use ballast_book::{Order, Side};
use ballast_fixed::{Lots, Notional, Price};
use ballast_risk::price_use::PriceUse;

use crate::clearing::check_price;
use crate::error::{ensure, BallastError, OrError};
use crate::state::{Exchange, Instrument, Market, OrderMarket, Position, RiskBoard};

/// A market with its instrument and prices.
pub struct Venue<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its board.
    pub board: &'a RiskBoard,
    /// Index of the instrument on the board.
    pub index: u16,
    /// The instrument.
    pub instrument: &'a Instrument,
    /// Its mark.
    pub mark: Price,
    /// Its asset's index.
    pub index_price: Price,
    /// Whether anybody may take on risk here: the price, the surface and the quote asset are fresh.
    pub takes_risk: bool,
    /// Unix seconds.
    pub now: i64,
}

impl<'a> Venue<'a> {
    /// The market at `now`; refused once its instrument has expired.
    pub fn new(exchange: &'a Exchange, board: &'a RiskBoard, market: &Market, now: i64) -> Result<Venue<'a>> {
        let instrument = board.instrument(market.instrument)?;
        ensure!(!instrument.is_expired(now), BallastError::InstrumentExpired);
        let mut venue = Venue {
            exchange,
            board,
            index: market.instrument,
            instrument,
            mark: board.mark(instrument, now)?,
            index_price: board.asset(instrument.asset)?.price.index(),
            takes_risk: false,
            now,
        };
        venue.takes_risk = venue.check_fresh().is_ok() && board.quote_state(now).1;
        Ok(venue)
    }

    /// The market as accounts count their orders in it.
    pub fn orders(&self) -> OrderMarket<'a> {
        OrderMarket {
            index: self.index,
            instrument: self.instrument,
        }
    }

    /// Checks that a price is on the tick and within the band around the mark.
    pub fn check_price(&self, price: Price) -> Result<()> {
        check_price(
            &self.exchange.limits,
            self.instrument,
            price,
            self.mark,
            self.index_price,
        )
    }

    /// Whether an order blocks the book: by a fresh price it is out of the band on the side of the mark on which it comes before every order
    /// that may trade. One on the other side is only far away.
    pub fn blocks(&self, side: Side, order: &Order) -> bool {
        let ahead = match side {
            Side::Bid => order.price > self.mark.0,
            Side::Ask => order.price < self.mark.0,
        };
        ahead && self.check_fresh().is_ok() && self.check_price(Price(order.price)).is_err()
    }

    /// Refuses to add to a position while its price or its volatility surface is stale.
    pub fn check_fresh(&self) -> Result<()> {
        let asset = self.board.asset(self.instrument.asset)?;
        ensure!(asset.price.permits(PriceUse::Trade, self.now), BallastError::StalePrice);
        ensure!(asset.is_fresh(self.instrument, self.now)?, BallastError::SurfaceStale);
        Ok(())
    }

    /// What a lot bought (sold, for an ask) at `price` loses against the mark; negative for a gain. Exact.
    pub fn loss_of_a_lot(&self, side: Side, price: Price) -> Result<Notional> {
        let lot = self.instrument.lot_size();
        let (paid, worth) = (price.times(lot), self.mark.times(lot));
        match side {
            Side::Bid => paid.minus(worth).or_error(),
            Side::Ask => worth.minus(paid).or_error(),
        }
    }

    /// A position of this size in the instrument, with no quote and nothing pending.
    pub fn position(&self, lots: Lots) -> Result<Position> {
        Ok(Position {
            instrument: self.index,
            asset: self.instrument.asset,
            kind: self.instrument.kind,
            generation: self.instrument.generation,
            expiry: self.instrument.expiry,
            strike: self.instrument.strike,
            lots: lots.0,
            funding_index: self.instrument.funding_at(self.now)?,
            ..Position::default()
        })
    }
}
