//! Builds Solana programs with Debian's rustc and LLVM, without Solana's own compiler.
//!
//! One executable in three roles: the command (`ballast-sbf build`), a stand-in for `cargo build-sbf`, which
//! `anchor build` calls, and the linker that rustc calls during the build. See docs/building.md.

mod cli;
mod driver;
mod link;
mod std_source;
mod toolchain;

use std::process::ExitCode;

use anyhow::Result;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ballast-sbf: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    if let Some(runtime) = std::env::var_os(link::RUNTIME_VARIABLE) {
        return link::run(runtime);
    }
    match cli::parse(std::env::args().skip(1))? {
        cli::Request::Build(options) => driver::build(&options)?,
        cli::Request::Help => print!("{}", cli::USAGE),
        cli::Request::Version => {
            let found = toolchain::Versions::found()?;
            println!("ballast-sbf {} ({})", env!("CARGO_PKG_VERSION"), found.label());
        }
    }
    Ok(())
}
