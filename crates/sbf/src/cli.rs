//! The command line: our own, and that of `cargo build-sbf`, which `anchor build` calls.

use std::path::PathBuf;

use anyhow::{bail, Context, Result};

/// What `--help` prints.
pub const USAGE: &str = "\
Builds Solana programs with Debian's rustc and LLVM.

usage: ballast-sbf build [OPTIONS] [-- CARGO ARGUMENTS]
       cargo-build-sbf   [OPTIONS] [-- CARGO ARGUMENTS]

  --manifest-path FILE   the program's Cargo.toml (default: the current folder's)
  --out DIR              where the .so goes, also --sbf-out-dir (default: the workspace's target/deploy)
  --max-size BYTES       fail if the program is larger
  --target-dir DIR       intermediate files (default: target/sbf)
  --dump DIR             write the intermediate code and the object with names
  --features, --no-default-features, --all-features, --package, --workspace, --locked, --offline, --frozen,
  --jobs, --verbose, --quiet   as cargo's
  --version              the versions found
";

/// Options of cargo's that are passed on, and whether a value follows.
const PASSED_ON: [(&str, bool); 14] = [
    ("--all-features", false),
    ("--features", true),
    ("--frozen", false),
    ("--jobs", true),
    ("-j", true),
    ("--locked", false),
    ("--no-default-features", false),
    ("--offline", false),
    ("--package", true),
    ("-p", true),
    ("--quiet", false),
    ("--verbose", false),
    ("-v", false),
    ("--workspace", false),
];

/// Options of `cargo build-sbf` that are about Solana's own tools and are followed by a value.
const IGNORED_WITH_VALUE: [&str; 3] = ["--sbf-sdk", "--tools-version", "--rust-version"];

/// What to build and where to put it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The program's Cargo.toml.
    pub manifest_path: Option<PathBuf>,
    /// Where the program goes, if not to its workspace's `target/deploy`.
    pub out_dir: Option<PathBuf>,
    /// Where everything intermediate goes.
    pub target_dir: Option<PathBuf>,
    /// The size in bytes above which the build fails.
    pub max_size: Option<u64>,
    /// Where the intermediate code goes, if it is wanted.
    pub dump: Option<PathBuf>,
    /// Arguments for cargo.
    pub cargo_args: Vec<String>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// A build.
    Build(BuildOptions),
    /// The versions found.
    Version,
    /// The usage.
    Help,
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// A value is missing or not of its kind, or the architecture is one that the builder cannot write.
pub fn parse(args: impl Iterator<Item = String>) -> Result<Request> {
    let mut args = args.peekable();
    // `cargo build-sbf` passes its own name.
    args.next_if(|a| a == "build" || a == "build-sbf");
    let mut options = BuildOptions::default();
    while let Some(arg) = args.next() {
        let (name, inline) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_string(), Some(value.to_string())),
            _ => (arg.clone(), None),
        };
        let mut value = || {
            let next = inline.clone().or_else(|| args.next());
            next.with_context(|| format!("{name} needs a value\n\n{USAGE}"))
        };
        match name.as_str() {
            "--help" | "-h" => return Ok(Request::Help),
            "--version" | "-V" => return Ok(Request::Version),
            "--manifest-path" => options.manifest_path = Some(value()?.into()),
            "--out" | "--sbf-out-dir" => options.out_dir = Some(value()?.into()),
            "--target-dir" => options.target_dir = Some(value()?.into()),
            "--dump" => options.dump = Some(value()?.into()),
            "--max-size" => {
                let text = value()?;
                let bytes = text
                    .parse()
                    .with_context(|| format!("--max-size {text} is not a number of bytes"))?;
                options.max_size = Some(bytes);
            }
            "--arch" => check_architecture(&value()?)?,
            "--" => options.cargo_args.extend(args.by_ref()),
            _ => match PASSED_ON.iter().find(|(known, _)| *known == name) {
                Some((_, true)) => {
                    let value = value()?;
                    options.cargo_args.extend([name, value]);
                }
                Some((_, false)) => options.cargo_args.push(name),
                None => {
                    if IGNORED_WITH_VALUE.contains(&name.as_str()) {
                        value()?;
                    }
                    eprintln!("ballast-sbf: ignoring {arg}, which has no meaning here");
                }
            },
        }
    }
    Ok(Request::Build(options))
}

/// Every cluster loads sBPF v0; later versions have another file format.
fn check_architecture(name: &str) -> Result<()> {
    match name {
        "v0" | "sbfv0" | "sbf" | "0" => Ok(()),
        other => bail!("--arch {other}: this builder writes sBPF v0 only, which every cluster loads; leave --arch out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(args: &[&str]) -> BuildOptions {
        match parse(args.iter().map(ToString::to_string)) {
            Ok(Request::Build(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn our_own_command_line() {
        let options = build(&[
            "build",
            "--manifest-path",
            "p/Cargo.toml",
            "--out",
            "o",
            "--max-size",
            "700000",
            "--locked",
        ]);
        assert_eq!(options.manifest_path, Some("p/Cargo.toml".into()));
        assert_eq!(options.out_dir, Some("o".into()));
        assert_eq!(options.max_size, Some(700_000));
        assert_eq!(options.cargo_args, ["--locked"]);
    }

    #[test]
    fn the_command_line_of_cargo_build_sbf() {
        let options = build(&[
            "build-sbf",
            "--sbf-sdk",
            "/sdk",
            "--arch",
            "v0",
            "--force-tools-install",
            "--sbf-out-dir=o",
            "--features",
            "a b",
            "--",
            "--offline",
            "--locked",
        ]);
        assert_eq!(options.out_dir, Some("o".into()));
        assert_eq!(options.cargo_args, ["--features", "a b", "--offline", "--locked"]);
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        for args in [&["--arch", "v3"][..], &["--max-size", "many"], &["--manifest-path"]] {
            assert!(parse(args.iter().map(ToString::to_string)).is_err(), "{args:?}");
        }
    }
}
