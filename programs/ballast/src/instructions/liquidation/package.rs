//! The legs that one step of a liquidation takes over: one position, or several at once so that a hedge is not broken up.
use std::cell::RefMut;

use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Lots, Price, QuoteAmount};
use ballast_risk::price_use::PriceUse;
use ballast_risk::MarginReport;

use crate::clearing::{check_owner_open_interest, fill, release, touch, Change};
use crate::error::{ensure, fail, BallastError, OrError};
use crate::margin::Revaluation;
use crate::state::{Instrument, MarginAccount, Market, OwnerRecord, RiskBoard};

/// One leg of a step.
pub struct Leg<'a> {
    pub market: RefMut<'a, Market>,
    pub key: Pubkey,
    pub instrument: &'a Instrument,
    pub mark: Price,
    /// What the leg's size is measured by.
    size_price: Price,
    /// What the liquidatee held before the step.
    pub held: Lots,
    /// What the step takes of it, with the sign of what is held.
    pub taken: Lots,
}

impl<'a> Leg<'a> {
    /// A leg whose price and surface are fresh; [`Package::find`] says what of it is taken.
    pub fn new(board: &'a RiskBoard, market: RefMut<'a, Market>, key: Pubkey, now: i64) -> Result<Self> {
        let instrument = board.instrument(market.instrument)?;
        let asset = board.asset(instrument.asset)?;
        // What a leg is worth then stands for everyone: there is no risk to take over.
        let is_settled = asset.settled(instrument, now)?.is_some();
        ensure!(!is_settled, BallastError::InstrumentExpired);
        ensure!(asset.price.permits(PriceUse::Liquidate, now), BallastError::StalePrice);
        ensure!(asset.is_fresh(instrument, now)?, BallastError::SurfaceStale);
        let mark = board.mark(instrument, now)?;
        Ok(Leg {
            market,
            key,
            instrument,
            mark,
            size_price: board.size_price(instrument, mark)?,
            held: Lots(0),
            taken: Lots(0),
        })
    }

    /// What the liquidatee receives for so many lots at the mark. What a fraction of a quote unit leaves is the liquidator's to bear.
    fn received(&self, lots: Lots) -> Result<QuoteAmount> {
        let quantity = lots.quantity(self.instrument.lot_size()).or_error()?;
        self.mark.times(quantity).quote_ceil().or_error()
    }

    /// The size of so many lots, dollars.
    fn size(&self, lots: Lots) -> Result<Dollars> {
        let quantity = lots.quantity(self.instrument.lot_size()).or_error()?;
        let notional = self.size_price.times(quantity);
        notional.magnitude().or_error()?.ceil().or_error()
    }
}

/// The legs of a step, each in another instrument, the first one the market that the step's cost is charged in.
pub struct Package<'a> {
    pub legs: Vec<Leg<'a>>,
    /// Unix seconds.
    pub now: i64,
}

impl<'a> Package<'a> {
    /// Credits the funding that the account has pending on the legs, so that the step is judged in whole quote units.
    pub fn touch(&mut self, account: &mut MarginAccount) -> Result<()> {
        let now = self.now;
        self.legs
            .iter_mut()
            .try_for_each(|leg| touch(account, &mut leg.market, leg.instrument, now))
    }

    /// Looks up what the liquidatee holds of each leg, of which `lots` are to be taken: numbers, whatever the side, never more than is held.
    pub fn find(&mut self, account: &MarginAccount, lots: &[u64]) -> Result<()> {
        for (leg, lots) in self.legs.iter_mut().zip(lots) {
            let position = account.position(leg.market.instrument);
            leg.held = position.ok_or(BallastError::PositionMissing)?.lots();
            ensure!(*lots <= leg.held.0.unsigned_abs(), BallastError::LiquidatesTooMuch);
            leg.taken = signed(*lots, leg.held)?;
        }
        Ok(())
    }

    /// The leg that is used up first when the package is taken over and over again.
    pub fn scarcest(&self) -> Result<&Leg<'a>> {
        let times = |leg: &Leg, other: &Leg| {
            // 64-bit factors: the product fits.
            u128::from(leg.held.0.unsigned_abs()).wrapping_mul(u128::from(other.taken.0.unsigned_abs()))
        };
        let legs = self.legs.iter();
        let scarcest = legs.reduce(|a, b| if times(b, a) < times(a, b) { b } else { a });
        scarcest.ok_or_else(|| fail(BallastError::ZeroAmount))
    }

    /// The account's margin with the package taken as often as it is there: until the first leg is closed. The account is left as it was.
    pub fn evaluate_whole(&self, revaluation: &mut Revaluation, account: &mut MarginAccount) -> Result<MarginReport> {
        let scarcest = self.scarcest()?;
        let (held, taken) = (scarcest.held.0.unsigned_abs(), scarcest.taken.0.unsigned_abs());
        self.evaluate_after(revaluation, account, |leg| {
            let product = u128::from(leg.taken.0.unsigned_abs()).wrapping_mul(u128::from(held));
            let lots = product.checked_div(u128::from(taken)).ok_or(BallastError::ZeroAmount)?;
            signed(u64::try_from(lots).map_err(|_| BallastError::MathOverflow)?, leg.held)
        })
    }

    /// The account's margin with one lot less taken of the leg whose lots are finest, after the step. The account is left as it was.
    ///
    /// That lot is the least by which the package could have been smaller, and what it gives back moves the margin least: where the target
    /// stands without it, the step took more than was needed, however coarse the lots of the other legs are.
    pub fn evaluate_less(&self, revaluation: &mut Revaluation, account: &mut MarginAccount) -> Result<MarginReport> {
        let mut finest: Option<(Dollars, u16)> = None;
        for leg in &self.legs {
            let size = leg.size(Lots(1))?;
            if finest.is_none_or(|(least, _)| size < least) {
                finest = Some((size, leg.market.instrument));
            }
        }
        self.evaluate_after(revaluation, account, |leg| {
            let is_finest = finest.is_some_and(|(_, instrument)| instrument == leg.market.instrument);
            let lot = if is_finest { leg.taken.0.signum() } else { 0 };
            Ok(Lots(lot.wrapping_neg()))
        })
    }

    /// The account's margin if it gave so many lots of each leg at the mark. The account is left as it was.
    fn evaluate_after(
        &self,
        revaluation: &mut Revaluation,
        account: &mut MarginAccount,
        lots: impl Fn(&Leg) -> Result<Lots>,
    ) -> Result<MarginReport> {
        let mut saved = Vec::with_capacity(self.legs.len());
        for leg in &self.legs {
            let lots = lots(leg)?;
            let at = account
                .find(leg.market.instrument)
                .ok_or(BallastError::PositionMissing)?;
            let position = account.positions.get_mut(at).ok_or(BallastError::PositionMissing)?;
            saved.push((at, *position));
            position
                .fill(lots.negated().or_error()?, leg.received(lots)?)
                .or_error()?;
        }
        let report = revaluation.evaluate(account)?;
        for (at, position) in saved {
            *account.positions.get_mut(at).ok_or(BallastError::PositionMissing)? = position;
        }
        Ok(report)
    }

    /// Whether all that is held of the legs is so little that it may be closed at once.
    pub fn is_dust(&self, dust: Dollars) -> Result<bool> {
        Ok(self.sum(|leg| leg.size(leg.held))? <= dust)
    }

    /// The size of what is taken, dollars.
    pub fn size(&self) -> Result<Dollars> {
        self.sum(|leg| leg.size(leg.taken))
    }

    fn sum(&self, size: impl Fn(&Leg) -> Result<Dollars>) -> Result<Dollars> {
        self.legs
            .iter()
            .try_fold(Dollars::ZERO, |sum, leg| sum.plus(size(leg)?).or_error())
    }

    /// Moves the lots out of the liquidatee's positions at the marks; what a position leaves empty stays in its place.
    pub fn leave(&mut self, account: &mut MarginAccount, owner: &mut OwnerRecord) -> Result<()> {
        for leg in &mut self.legs {
            let change = Change {
                lots: leg.taken.negated().or_error()?,
                quote: leg.received(leg.taken)?,
                now: self.now,
            };
            fill(account, owner, &mut leg.market, leg.instrument, change)?;
        }
        Ok(())
    }

    /// Frees the slots of the legs in which nothing is left.
    pub fn release(&mut self, account: &mut MarginAccount) -> Result<()> {
        for leg in &mut self.legs {
            let at = account
                .find(leg.market.instrument)
                .ok_or(BallastError::PositionMissing)?;
            release(account, &mut leg.market, at)?;
        }
        Ok(())
    }

    /// Moves the lots into the liquidator's positions, the first of which has the part of the bounty that is not paid in cash.
    pub fn arrive(
        &mut self,
        board: &RiskBoard,
        account: &mut MarginAccount,
        owner: &mut OwnerRecord,
        bounty: QuoteAmount,
    ) -> Result<()> {
        let mut bounty = bounty;
        for leg in &mut self.legs {
            let change = Change {
                lots: leg.taken,
                quote: bounty.minus(leg.received(leg.taken)?).or_error()?,
                now: self.now,
            };
            bounty = QuoteAmount::ZERO;
            let filled = fill(account, owner, &mut leg.market, leg.instrument, change)?;
            if !filled.reduces() {
                check_owner_open_interest(board, leg.instrument, owner)?;
            }
            release(account, &mut leg.market, filled.at)?;
        }
        Ok(())
    }
}

/// `lots` with the sign of what is held.
fn signed(lots: u64, held: Lots) -> Result<Lots> {
    let lots = Lots(i64::try_from(lots).map_err(|_| BallastError::MathOverflow)?);
    if held.0 < 0 {
        return lots.negated().or_error();
    }
    Ok(lots)
}
