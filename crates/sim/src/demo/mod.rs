//! The demo: a clearing house from nothing to a liquidation, in acts.
//!
//! Every transaction runs the compiled program; after every one of them the invariants are checked. A figure that is not the expected
//! one, a refusal, a broken invariant, or a liquidation that does not come ends it with an error.
mod conservation;
mod figures;
mod market;
mod options;
mod overview;
mod preview;
mod stage;

use std::io::Write;

pub use options::{Options, Prices, SYMBOLS};
pub use stage::Stage;

use crate::prices::date;
use crate::replay;
use crate::world::{World, START};

/// Why the demo ended early.
#[derive(Debug)]
pub enum Failure {
    /// The command line or a file is not usable.
    Input(String),
    /// Something is not as it must be.
    Deviation(String),
    /// The output was closed.
    Output(std::io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Failure::Input(what) => f.write_str(what),
            Failure::Deviation(what) => write!(f, "deviation: {what}"),
            Failure::Output(error) => write!(f, "output: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Plays all acts and prints them to `out`.
///
/// # Errors
/// See [`Failure`].
pub fn run(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let elf = std::fs::read(&options.program)
        .map_err(|e| Failure::Input(format!("{}: {e}; run `make build` first", options.program.display())))?;
    if !elf.starts_with(b"\x7fELF") {
        let path = options.program.display();
        return Err(Failure::Input(format!(
            "{path} is not a compiled program; run `make build`"
        )));
    }
    let prices = match &options.prices {
        Some(folder) => Prices::load(folder, options)?,
        None => Prices::builtin(),
    };
    let mut stage = Stage::new(World::starting_at(&elf, START, Prices::builtin().at(0)), out);
    overview::genesis(&mut stage, elf.len())?;
    let mut residents = figures::play(&mut stage)?;
    preview::play(&mut stage)?;
    market::play(&mut stage)?;
    if options.prices.is_some() {
        conservation::report(&mut stage, "Conservation after the first acts")?;
        residents.clear();
        stage.move_to(World::starting_at(&elf, prices.from, prices.at(prices.from)));
        let day = date::format(prices.from);
        stage.say(format!(
            "The replay has an exchange of its own; its genesis is on {day} UTC."
        ))?;
    }
    replay::play(&mut stage, &prices, residents, options.prices.is_none())?;
    conservation::report(&mut stage, "Act 8. Conservation")?;
    overview::invariants(&mut stage)?;
    overview::compute(&mut stage)
}
