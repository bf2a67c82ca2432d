//! How often each instruction went through and was refused, and with which errors.
use std::collections::BTreeMap;
use std::fmt;

use ballast_sim::world::Outcome;

use crate::act::Act;

/// What must go through in a walk.
const THROUGH: [&str; 23] = [
    "place_order, rests",
    "place_order, at once",
    "cancel_order",
    "cancel_all_orders",
    "cancel_stale_orders",
    "reconcile_owner",
    "fill_quote",
    "cancel_quote",
    "raise_quote_floor",
    "block_trade",
    "update_funding",
    "fix_settlement",
    "settle_expiry",
    "waive_claim",
    "close_instrument",
    "settle_pnl",
    "deposit",
    "withdraw",
    "flag",
    "liquidate",
    "delist_instrument",
    "set_settlement_price",
    "claim_referral",
];
/// What must be refused at times.
const REFUSED: [&str; 10] = [
    "place_order, rests",
    "place_order, at once",
    "fill_quote",
    "block_trade",
    "settle_expiry",
    "waive_claim",
    "close_instrument",
    "withdraw",
    "delist_instrument",
    "set_settlement_price",
];

/// The counts.
#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<&'static str, (u32, u32)>,
    errors: BTreeMap<(&'static str, u32), u32>,
}

impl Tally {
    /// Counts an outcome.
    pub fn count(&mut self, act: &Act, outcome: &Outcome) {
        let count = self.counts.entry(act.name()).or_default();
        match outcome {
            Ok(_) => count.0 += 1,
            Err(refused) => {
                count.1 += 1;
                let code = refused.code.expect("a refusal has a number");
                *self.errors.entry((act.name(), code)).or_default() += 1;
            }
        }
    }

    /// Fails where an instruction never went through, or was never refused.
    pub fn everything_happened(&self) {
        for name in THROUGH {
            let through = self.counts.get(name).is_some_and(|c| c.0 > 0);
            assert!(through, "{name} never went through");
        }
        for name in REFUSED {
            assert!(self.counts[name].1 > 0, "{name} was never refused");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (name, (through, refused)) in &self.counts {
            write!(f, "  {name:<22}{through:>6} through {refused:>6} refused ")?;
            for ((_, code), n) in self.errors.iter().filter(|((of, _), _)| of == name) {
                write!(f, " {code}:{n}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
