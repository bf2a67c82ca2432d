//! The margin engine as an offline calculator.
//!
//! `cargo run -q -p ballast-risk --example margin -- FILE.json` reads an account, its markets and prices in the format of the
//! reference margin script and prints requirement, charges, equities and the scenario table as JSON, in dollars. Beyond that
//! format an asset may have a `slow` price, an option market a `slow_iv` and the `fixed` part of its settlement average, and the file a
//! `quote_price`; without them they are the index, `iv`, 0 and par.
mod compute;
mod decimal;
mod input;
mod options;
mod output;
mod parameters;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: margin FILE.json");
        return ExitCode::from(2);
    };
    match run(&path) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?;
    let input = input::read(&text)?;
    for warning in &input.warnings {
        eprintln!("warning: {path}: {warning}");
    }
    let outcome = compute::compute(&input)?;
    let answer = output::render(&outcome, input.levels).map_err(|e| e.to_string())?;
    serde_json::to_string_pretty(&answer).map_err(|e| e.to_string())
}
