//! Builds Solana programs with Debian's rustc and LLVM, without Solana's own compiler.
//!
//! One executable in four roles: the command (`ballast-sbf build`), a stand-in for `cargo build-sbf`, which
//! `anchor build` calls, and during the build the compiler that cargo calls and the linker that rustc calls. See
//! docs/building.md.

mod cli;
mod driver;
mod link;
mod rustc_wrapper;
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
    let args: Vec<_> = std::env::args_os().collect();
    if rustc_wrapper::is_call(&args) {
        return rustc_wrapper::run(&args);
    }
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
