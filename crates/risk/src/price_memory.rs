//! What strikes were priced at, for an account that is evaluated several times in a row: its quantities change, prices do not.
use crate::expiry::Term;
use crate::option_book::Strike;
use crate::scenario::{ScenarioPnl, SCENARIOS};
use crate::shocks::{Shocks, WEIGHTS};
use alloc::vec::Vec;
use ballast_fixed::kernel::{call, Moneyness, TotalVolatility, Q48};
use ballast_fixed::{Price, Ratio};

/// Most expiries that are told apart.
const MOST_TERMS: usize = 12;

/// A strike of an expiry, per dollar's worth of strikes in calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PricedStrike {
    term: usize,
    price: Price,
    ln: Q48,
    sigma: Q48,
    /// Today's price of a call and the volatility that it has.
    pub mark: Q48,
    pub current: TotalVolatility,
    /// P&L in each scenario, as [`scenario_changes`] gives it.
    pub changes: ScenarioPnl,
}

/// Up to a number of strikes, found again by everything that their prices depend on.
#[derive(Clone, Debug)]
pub(crate) struct PriceMemory {
    most: usize,
    keeps: bool,
    terms: Vec<(Term, [Ratio; 3])>,
    strikes: Vec<PricedStrike>,
    /// The term of the bucket that is being filled, where it has a place.
    term: Option<usize>,
    /// Where the next strike is looked for first: accounts are walked in the same order each time.
    next: usize,
}

impl PriceMemory {
    pub fn new(most: usize) -> PriceMemory {
        PriceMemory {
            most,
            keeps: true,
            terms: Vec::new(),
            strikes: Vec::new(),
            term: None,
            next: 0,
        }
    }

    /// Keeps more from here on.
    pub fn resume(&mut self) {
        self.keeps = true;
    }

    /// Keeps no more from here on.
    pub fn pause(&mut self) {
        self.keeps = false;
    }

    /// The strikes that follow are of this term, under these shocks.
    pub fn enter(&mut self, term: &Term, shocks: &Shocks) {
        let made_of = shocks.made_of();
        let known = self.terms.iter().position(|(t, of)| *of == made_of && t == term);
        self.term = known.or_else(|| {
            if !self.keeps {
                return None;
            }
            // A vector that grew would leave its old buffer behind in the chain's heap.
            self.terms
                .reserve_exact(MOST_TERMS.min(self.most).saturating_sub(self.terms.len()));
            if self.terms.len() >= self.terms.capacity() {
                return None;
            }
            self.terms.push((*term, made_of));
            self.terms.len().checked_sub(1)
        });
    }

    /// What the strike was priced at, where it was.
    pub fn find(&mut self, strike: &Strike) -> Option<&PricedStrike> {
        let term = self.term?;
        let is = |known: &PricedStrike| {
            known.price == strike.price
                && known.sigma == strike.volatilities.current
                && known.term == term
                && known.ln == strike.ln
        };
        let at = if self.strikes.get(self.next).is_some_and(is) {
            self.next
        } else {
            self.strikes.iter().position(is)?
        };
        self.next = at.wrapping_add(1); // at most the length
        self.strikes.get(at)
    }

    /// Keeps a strike's changes, which `fill` computes; `None` where there is no room for them.
    pub fn keep(
        &mut self,
        strike: &Strike,
        mark: Q48,
        current: &TotalVolatility,
        fill: impl FnOnce(&mut ScenarioPnl),
    ) -> Option<&PricedStrike> {
        let term = self.term.filter(|_| self.keeps)?;
        // Once, to its full size: see `enter`.
        self.strikes.reserve_exact(self.most.saturating_sub(self.strikes.len()));
        if self.strikes.len() >= self.most {
            return None;
        }
        self.strikes.push(PricedStrike {
            term,
            price: strike.price,
            ln: strike.ln,
            sigma: strike.volatilities.current,
            mark,
            current: *current,
            changes: [0; SCENARIOS],
        });
        self.next = self.strikes.len();
        let kept = self.strikes.last_mut()?;
        fill(&mut kept.changes);
        Some(kept)
    }
}

/// The change of a call's price in each scenario, by the table of section 1: seven shocks with volatility up and down, six extremes with
/// volatility up, and today's price at other volatilities. `put` does with a place of `target` what is to be done with its change.
#[inline(always)]
pub(crate) fn scenario_changes(
    target: &mut ScenarioPnl,
    shocks: &Shocks,
    base: &Moneyness,
    mark: Q48,
    totals: &[TotalVolatility; 6],
    put: impl Fn(&mut i64, Q48),
) {
    let [_, up, down, tilt_up, tilt_down, day_less] = totals;
    let pnl = |moneyness: &Moneyness, total: &TotalVolatility| call(moneyness, total).minus(mark);
    // 24 are 14 and 10: both patterns always match.
    let Some((pairs, others)) = target.split_first_chunk_mut::<14>() else {
        return;
    };
    let [extremes @ .., with_tilt_up, with_tilt_down, with_wings, with_day_less] = others else {
        return;
    };
    for (shock, [with_up, with_down]) in shocks.normal.iter().zip(pairs.as_chunks_mut().0) {
        let shocked = base.shocked(shock.factor, shock.ln);
        put(with_up, pnl(&shocked, up));
        put(with_down, pnl(&shocked, down));
    }
    for ((shock, weight), place) in shocks.extreme.iter().zip(WEIGHTS).zip(extremes) {
        let shocked = base.shocked(shock.factor, shock.ln);
        put(place, weight.of(pnl(&shocked, up)));
    }
    let (higher, lower) = (pnl(base, tilt_up), pnl(base, tilt_down));
    put(with_tilt_up, higher);
    put(with_tilt_down, lower);
    // The wings are the one of the tilts that raises volatility: σ(1 + 0.15|k|).
    put(with_wings, if base.ln.0 <= 0 { higher } else { lower });
    put(with_day_less, pnl(base, day_less));
}
