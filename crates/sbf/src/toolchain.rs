//! Which compiler, sources of std and LLVM are there, and whether the builder was proven with them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{bail, Context, Result};

/// Debian's compiler. Its version matches the sources of std that Debian packages, and its LLVM the one linked here.
pub const RUSTC: &str = "/usr/bin/rustc";
/// Debian's cargo, of the same version.
pub const CARGO: &str = "/usr/bin/cargo";
/// The sources of Rust, from Debian's `rust-web-src`.
pub const RUST_SOURCE: &str = "/usr/lib/rustlib/src/rust";

const INSTALL: &str = "run scripts/setup.sh, which installs rustc-web, cargo-web, rust-web-src and llvm-22-dev";

/// The versions that decide what a program compiles to.
#[derive(Debug, PartialEq, Eq)]
pub struct Versions {
    /// The compiler.
    pub rustc: String,
    /// The sources that std is built from.
    pub rust_source: String,
    /// The LLVM of the link step.
    pub llvm: String,
}

impl Versions {
    /// The versions that the arithmetic vectors were run with at length.
    pub fn proven() -> Self {
        Versions {
            rustc: "1.96.0".into(),
            rust_source: "1.96.0".into(),
            llvm: "22.1.8".into(),
        }
    }

    /// The versions on this machine.
    ///
    /// # Errors
    /// Something is not installed, or rustc's LLVM writes bitcode that the link step's LLVM does not read.
    pub fn found() -> Result<Self> {
        let output = Command::new(RUSTC)
            .arg("-vV")
            .env_remove("LD_LIBRARY_PATH")
            .output()
            .with_context(|| format!("{RUSTC} is missing: {INSTALL}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rustc = field(&text, "release: ").with_context(|| format!("{RUSTC} states no version: {INSTALL}"))?;
        let rustc_llvm = field(&text, "LLVM version: ").unwrap_or_default();
        let version_file = Path::new(RUST_SOURCE).join("src/version");
        let rust_source = fs::read_to_string(&version_file)
            .with_context(|| format!("{} is missing: {INSTALL}", version_file.display()))?;
        let found = Versions {
            rustc,
            rust_source: rust_source.trim().into(),
            llvm: crate::link::llvm_version(),
        };
        found.check_consistent(&rustc_llvm)?;
        Ok(found)
    }

    fn check_consistent(&self, rustc_llvm: &str) -> Result<()> {
        if self.rustc != self.rust_source {
            bail!(
                "rustc is {} but the sources of std are {}: std only builds with its own compiler; {INSTALL}",
                self.rustc,
                self.rust_source
            );
        }
        let major = |version: &str| version.split('.').next().and_then(|v| v.parse::<u32>().ok());
        if major(rustc_llvm) > major(&self.llvm) {
            bail!(
                "rustc writes bitcode of LLVM {rustc_llvm}, the link step has LLVM {}: it needs the same or a newer one",
                self.llvm
            );
        }
        Ok(())
    }

    /// One word for file names and messages.
    pub fn label(&self) -> String {
        format!("rustc-{}-source-{}-llvm-{}", self.rustc, self.rust_source, self.llvm)
    }
}

/// The rest of the line that starts with `key`.
fn field(text: &str, key: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .map(|v| v.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(rustc: &str, rust_source: &str, llvm: &str) -> Versions {
        Versions {
            rustc: rustc.into(),
            rust_source: rust_source.into(),
            llvm: llvm.into(),
        }
    }

    #[test]
    fn a_compiler_newer_than_its_sources_is_refused() {
        let error = versions("1.97.0", "1.96.0", "22.1.8").check_consistent("22.1.8");
        assert!(error
            .unwrap_err()
            .to_string()
            .contains("std only builds with its own compiler"));
    }

    #[test]
    fn bitcode_of_a_newer_llvm_is_refused() {
        assert!(versions("1.97.0", "1.97.0", "22.1.8")
            .check_consistent("23.1.0")
            .is_err());
        assert!(versions("1.97.0", "1.97.0", "22.1.8")
            .check_consistent("21.1.0")
            .is_ok());
    }

    #[test]
    fn fields_are_read_from_the_verbose_version() {
        let text = "rustc 1.96.0\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(field(text, "release: ").as_deref(), Some("1.96.0"));
        assert_eq!(field(text, "LLVM version: ").as_deref(), Some("22.1.8"));
        assert_eq!(field(text, "host: "), None);
    }
}
