//! Where the demo plays: a world whose invariants are checked after every transaction, and what is printed.
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;

use anchor_lang::prelude::Pubkey;
use ballast::margin;
use ballast::state::{MarginAccount, RiskBoard};
use ballast_risk::MarginReport;

use super::Failure;
use crate::invariants::Watch;
use crate::vm::{Receipt, Refused};
use crate::world::{Outcome, World};

/// A world and where the demo is printed.
pub struct Stage<'a> {
    /// The world.
    pub world: World,
    /// Most compute units of each kind of transaction.
    pub compute: BTreeMap<&'static str, u64>,
    out: &'a mut dyn Write,
}

impl<'a> Stage<'a> {
    /// A stage in `world` that prints to `out`.
    pub fn new(mut world: World, out: &'a mut dyn Write) -> Stage<'a> {
        world.watch = Some(Watch::default());
        Stage {
            world,
            compute: BTreeMap::new(),
            out,
        }
    }

    /// Goes on in another world.
    pub fn move_to(&mut self, mut world: World) {
        world.watch = self.world.watch.take();
        self.world = world;
    }

    /// What has been checked so far.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when an invariant was broken after any transaction, also one that is not counted here.
    pub fn watched(&self) -> Result<Watch, Failure> {
        let watch = self.world.watch.clone().unwrap_or_default();
        watch
            .verdict()
            .map_err(|broken| Failure::Deviation(broken.to_string()))?;
        Ok(watch)
    }

    /// Prints a line or a table.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn say(&mut self, what: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{what}").map_err(Failure::Output)
    }

    /// The receipt of a transaction that must go through, after the invariants have been checked.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when it was refused or an invariant is broken.
    pub fn done(&mut self, what: &'static str, outcome: Outcome) -> Result<Receipt, Failure> {
        let receipt = outcome.map_err(|refused| refusal(what, &refused))?;
        self.count(what, &receipt)?;
        Ok(receipt)
    }

    /// Counts a transaction whose invariants have been checked.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when one is broken.
    pub fn count(&mut self, what: &'static str, receipt: &Receipt) -> Result<(), Failure> {
        let most = self.compute.entry(what).or_default();
        *most = receipt.compute_units.max(*most);
        self.watched().map(drop)
    }

    /// Posts prices (asset, dollars) as of now and refreshes the board with them.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when the board refuses them.
    pub fn refresh(&mut self, prices: &[(u8, f64)]) -> Result<Receipt, Failure> {
        for (asset, price) in prices {
            self.world.post_price(*asset, *price);
        }
        let assets: Vec<u8> = prices.iter().map(|(asset, _)| *asset).collect();
        let outcome = self.world.refresh(&assets);
        self.done("refresh_prices", outcome)
    }

    /// The margin of an account, by the engine.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when it can't be computed.
    pub fn margin(&self, account: &Pubkey) -> Result<MarginReport, Failure> {
        self.evaluate(&self.world.board(), &self.world.margin_account(account))
    }

    /// The same of an account on a board at hand.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when it can't be computed.
    pub fn evaluate(&self, board: &RiskBoard, account: &MarginAccount) -> Result<MarginReport, Failure> {
        margin::evaluate(board, account, self.world.vm.now())
            .map_err(|e| Failure::Deviation(format!("the margin can't be computed: {e}")))
    }

    /// Asserts a figure.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when it is another.
    pub fn expect(&self, what: &str, got: i64, expected: i64) -> Result<(), Failure> {
        if got == expected {
            return Ok(());
        }
        Err(Failure::Deviation(format!(
            "{what}: {got} where {expected} is expected"
        )))
    }
}

/// A refused transaction as a deviation, with the program's own words.
fn refusal(what: &str, refused: &Refused) -> Failure {
    let said = refused.logs.iter().find(|line| line.contains("Error Message"));
    let why = said.cloned().unwrap_or_else(|| format!("{:?}", refused.error));
    Failure::Deviation(format!("{what} was refused: {why}"))
}
