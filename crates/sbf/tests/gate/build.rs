//! Runs the builder as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The vectors' Cargo.toml.
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/Cargo.toml");

/// A folder for what the tests build.
pub fn output_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// `ballast-sbf build` of the vectors with more arguments.
pub fn build_vectors(out: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ballast-sbf"))
        .args(["build", "--manifest-path", VECTORS, "--locked", "--out"])
        .arg(out)
        .args(arguments)
        // Cargo would build std again whenever two workspaces take turns in one folder.
        .arg("--target-dir")
        .arg(output_folder("sbf"))
        // The gate is running: the builder must not start it for versions that are not proven.
        .env("BALLAST_SBF_GATE", "1")
        .output()
        .expect("the builder starts")
}

/// The bytes of the vectors program, built once per process.
pub fn vectors() -> &'static [u8] {
    static PROGRAM: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let out = output_folder("vectors");
        let output = build_vectors(&out, &[]);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        std::fs::read(out.join("ballast_sbf_vectors.so")).map_err(|error| error.to_string())
    });
    match program {
        Ok(bytes) => bytes,
        Err(messages) => panic!("the vectors do not build:\n{messages}"),
    }
}
