//! The compiler as cargo calls it, with crate identities that do not depend on where the sources lie.
//!
//! Cargo hashes the absolute path of std's sources into `-C metadata`, from which rustc makes symbol names, and the
//! order of the code follows from those. Here the identity of a crate for the chain is its package, version, name and
//! configuration, which no two crates of one program share.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::driver::TARGET;
use crate::toolchain::RUSTC;

/// How cargo passes a crate's identity: `-C metadata=HASH`.
const METADATA: &str = "metadata=";

/// Whether these arguments are those of a compiler that cargo calls through a wrapper.
pub fn is_call(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|first| first == RUSTC)
}

/// Becomes the compiler.
///
/// # Errors
/// The compiler does not start.
pub fn run(args: &[OsString]) -> Result<()> {
    let args: Vec<String> = args.iter().skip(2).map(|a| a.to_string_lossy().into_owned()).collect();
    let package = ["CARGO_PKG_NAME", "CARGO_PKG_VERSION"].map(|name| std::env::var(name).unwrap_or_default());
    let error = Command::new(RUSTC).args(with_stable_identity(args, &package)).exec();
    Err(error).context(RUSTC)
}

/// The arguments with another `-C metadata` if they compile a crate for the chain.
fn with_stable_identity(args: Vec<String>, package: &[String; 2]) -> Vec<String> {
    let follows = |option: &str, value: &str| args.windows(2).any(|pair| pair[0] == option && pair[1] == value);
    if !follows("--target", TARGET) {
        return args;
    }
    let mut hasher = DefaultHasher::new();
    package.hash(&mut hasher);
    for pair in args.windows(2) {
        if ["--crate-name", "--crate-type", "--cfg"].contains(&pair[0].as_str()) {
            pair.hash(&mut hasher);
        }
    }
    let identity = format!("{METADATA}{:016x}", hasher.finish());
    args.into_iter()
        .map(|arg| {
            if arg.starts_with(METADATA) {
                identity.clone()
            } else {
                arg
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(args: &str, version: &str) -> String {
        let args = args.split(' ').map(String::from).collect();
        let args = with_stable_identity(args, &["core".into(), version.into()]);
        args.into_iter()
            .find(|arg| arg.starts_with(METADATA))
            .unwrap_or_default()
    }

    const CORE: &str = "--crate-name core --target sbf-solana-solana -C metadata=";

    #[test]
    fn the_identity_does_not_depend_on_cargos_hash() {
        assert_eq!(
            identity(&format!("{CORE}aaaa"), "1"),
            identity(&format!("{CORE}bbbb"), "1")
        );
    }

    #[test]
    fn versions_and_configurations_have_identities_of_their_own() {
        let one = identity(&format!("{CORE}aaaa"), "1");
        assert_ne!(one, identity(&format!("{CORE}aaaa"), "2"));
        assert_ne!(one, identity(&format!("{CORE}aaaa --cfg feature=\"x\""), "1"));
    }

    #[test]
    fn crates_for_this_machine_keep_cargos_identity() {
        assert_eq!(identity("--crate-name core -C metadata=aaaa", "1"), "metadata=aaaa");
    }
}
