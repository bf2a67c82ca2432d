//! How often each instruction went through and was refused, and with which errors.
use std::collections::BTreeMap;
use std::fmt;

use ballast::state::RiskBoard;
use ballast_sim::world::Outcome;

use crate::act::Act;

/// Every instruction of the program.
const INSTRUCTIONS: [&str; 19] = [
    "create_exchange",
    "list_asset",
    "list_collateral",
    "list_instrument",
    "open_margin_account",
    "close_margin_account",
    "deposit",
    "withdraw",
    "refresh_prices",
    "block_trade",
    "settle_pnl",
    "flag",
    "unflag",
    "liquidate",
    "fund_insurance",
    "set_volatility_publisher",
    "refresh_surface",
    "set_margin_method",
    "preview",
];

/// The counts.
#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<&'static str, (u32, u32)>,
    errors: BTreeMap<(&'static str, u32), u32>,
    /// What went through with options in it, and packages of several legs with options.
    options: BTreeMap<&'static str, u32>,
    packages: u32,
}

impl Tally {
    /// Counts an outcome.
    pub fn count(&mut self, act: &Act, outcome: &Outcome, board: &RiskBoard) {
        let instruments = act.instruments();
        if outcome.is_ok() && instruments.iter().any(|i| board.instruments[*i].is_option()) {
            *self.options.entry(act.name()).or_default() += 1;
            self.packages += u32::from(act.name() == "block_trade" && instruments.len() > 1);
        }
        let count = self.counts.entry(act.name()).or_default();
        match outcome {
            Ok(_) => count.0 += 1,
            Err(refused) => {
                count.1 += 1;
                let code = refused
                    .code
                    .unwrap_or_else(|| panic!("a refusal has a number: {:?}", refused));
                *self.errors.entry((act.name(), code)).or_default() += 1;
            }
        }
    }

    /// Counts an instruction of the authority that went through.
    pub fn governed(&mut self, name: &'static str) {
        self.counts.entry(name).or_default().0 += 1;
    }

    /// Fails where an instruction never went through, or one that moves money was never refused.
    pub fn everything_happened(&self) {
        for name in INSTRUCTIONS {
            assert!(
                self.counts.get(name).is_some_and(|c| c.0 > 0),
                "{name} never went through"
            );
        }
        for name in [
            "deposit",
            "withdraw",
            "block_trade",
            "settle_pnl",
            "flag",
            "unflag",
            "liquidate",
            "refresh_prices",
            "refresh_surface",
        ] {
            assert!(self.counts[name].1 > 0, "{name} was never refused");
        }
        for name in ["block_trade", "settle_pnl", "liquidate"] {
            let count = self.options.get(name).copied().unwrap_or(0);
            assert!(count > 0, "{name} never went through with an option");
        }
        assert!(self.packages > 0, "no package with an option went through");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (name, (through, refused)) in &self.counts {
            write!(f, "  {name:<22}{through:>5} through {refused:>5} refused ")?;
            for ((_, code), n) in self.errors.iter().filter(|((of, _), _)| of == name) {
                write!(f, " {code}:{n}")?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "  with options: {:?}, packages of them: {}",
            self.options, self.packages
        )
    }
}
