//! Writes a program's IDL as `anchor build` does, without the Anchor command line:
//! `ballast-idl PROGRAM_DIR TARGET_DIR [CARGO ARGUMENTS]` writes `TARGET_DIR/idl/NAME.json` and
//! `TARGET_DIR/types/NAME.ts`.
//!
//! It compiles the program for this machine with the feature `idl-build` and runs the tests that Anchor's macros
//! generate, so it wants a CARGO_TARGET_DIR of its own. An account or type shows up only if an instruction uses it.

mod typescript;

use std::fs;
use std::path::{Path, PathBuf};

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result};

const USAGE: &str = "usage: ballast-idl PROGRAM_DIR TARGET_DIR [CARGO ARGUMENTS]";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let program = PathBuf::from(args.next().context(USAGE)?);
    let target = PathBuf::from(args.next().context(USAGE)?);
    let mut cargo_args = vec!["--lib".to_string()];
    cargo_args.extend(args);
    // anchor-lang-idl mishandles the variable that rustup sets for what `cargo run` starts.
    std::env::remove_var("RUSTUP_TOOLCHAIN");
    let idl = IdlBuilder::new()
        .program_path(program.canonicalize().with_context(|| program.display().to_string())?)
        .cargo_args(cargo_args)
        .build()?;
    let json = serde_json::to_value(&idl)?;
    let name = &idl.metadata.name;
    let pretty = format!("{}\n", serde_json::to_string_pretty(&json)?);
    write(&target.join("idl").join(format!("{name}.json")), &pretty)?;
    let typescript = typescript::type_of(name, &json)?;
    write(&target.join("types").join(format!("{name}.ts")), &typescript)
}

/// Writes a file unless it has this content already, so that what depends on it stays fresh.
fn write(path: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::write(path, content).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}
