//! `make demo`: the clearing house from nothing to a liquidation. Exits with 1 when anything deviates and with 2 on unusable input.
use std::io::{stdout, Write};
use std::process::ExitCode;

use ballast_sim::demo::{run, Failure, Options};
use clap::Parser;

fn main() -> ExitCode {
    let options = Options::parse();
    let mut out = stdout().lock();
    let result = run(&options, &mut out).and_then(|()| out.flush().map_err(Failure::Output));
    let Err(failure) = result else {
        return ExitCode::SUCCESS;
    };
    let _ = out.flush(); // what was said before the failure
    eprintln!("demo: {failure}");
    match failure {
        Failure::Input(_) => ExitCode::from(2),
        Failure::Deviation(_) | Failure::Output(_) => ExitCode::FAILURE,
    }
}
