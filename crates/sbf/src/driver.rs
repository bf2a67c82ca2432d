//! The build: checks the toolchain, prepares std, builds the runtime and then the program.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;

use crate::cli::BuildOptions;
use crate::link::{DUMP_VARIABLE, RUNTIME_VARIABLE};
use crate::std_source;
use crate::toolchain::{Versions, CARGO, RUSTC};

/// The target, described by the file of this name beside this crate's Cargo.toml. A name and not a path, because
/// cargo puts the path into symbol names, and programs must not depend on where they are built.
pub const TARGET: &str = "sbf-solana-solana";
/// Set for the builds of the test gate, which must not start the gate again.
const INSIDE_GATE: &str = "BALLAST_SBF_GATE";

/// Cargo's and rustup's own variables, which are about another toolchain.
const FOREIGN_VARIABLES: [&str; 10] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
    "LD_LIBRARY_PATH",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// The folders of a build.
struct Folders {
    /// This crate.
    builder: PathBuf,
    /// The repository, whose place must not show in the program.
    workspace: PathBuf,
    /// Everything intermediate.
    work: PathBuf,
    /// The patched sources of std.
    library: PathBuf,
}

impl Folders {
    fn new(options: &BuildOptions) -> Result<Self> {
        let builder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let workspace = builder.join("../..").canonicalize()?;
        let work = match &options.target_dir {
            Some(folder) => std::path::absolute(folder)?,
            None => workspace.join("target/sbf"),
        };
        fs::create_dir_all(&work).with_context(|| work.display().to_string())?;
        let library = work.join("library");
        Ok(Folders {
            builder,
            workspace,
            work,
            library,
        })
    }

    fn release(&self) -> PathBuf {
        self.work.join(TARGET).join("release")
    }
}

/// Builds the program that `options` name into their output folder.
///
/// # Errors
/// A tool is missing, the program does not compile, does not fit the machine or is larger than allowed.
pub fn build(options: &BuildOptions) -> Result<()> {
    let versions = Versions::found()?;
    let folders = Folders::new(options)?;
    // Until the end of the build: what one build removes another one may be about to copy.
    let lock_file = folders.work.join("lock");
    let lock = File::create(&lock_file).with_context(|| lock_file.display().to_string())?;
    if wants_gate(&versions, std::env::var_os(INSIDE_GATE).is_some()) {
        run_gate(&versions, &folders)?;
    }
    lock.lock().context("waiting for another build")?;
    if std_source::prepare(&folders.library, &versions)? {
        eprintln!("prepared std {} in {}", versions.rust_source, folders.library.display());
    }
    let runtime = build_runtime(&folders)?;
    forget_stale_programs(&folders, &runtime)?;
    let programs = build_program(options, &folders, &runtime)?;
    ensure!(
        !programs.is_empty(),
        "no program was built: the package needs crate-type = [\"cdylib\", \"lib\"] and an entry point"
    );
    let out_dir = match &options.out_dir {
        Some(folder) => folder.clone(),
        None => default_out_dir(options)?,
    };
    for program in &programs {
        deliver(program, &out_dir, options.max_size)?;
    }
    Ok(())
}

/// Whether the tests must pass before a build: with versions that they were not written with, but not in a build that they themselves ask for.
fn wants_gate(versions: &Versions, inside_gate: bool) -> bool {
    *versions != Versions::proven() && !inside_gate
}

/// Runs the arithmetic vectors and failing paths with versions that they were not yet run with.
fn run_gate(versions: &Versions, folders: &Folders) -> Result<()> {
    let stamp = folders.work.join(format!("passed-{}", versions.label()));
    if stamp.exists() {
        return Ok(());
    }
    eprintln!(
        "found {}, but the builder was proven with {}: running its tests first",
        versions.label(),
        Versions::proven().label()
    );
    let status = Command::new("cargo")
        .args(["test", "--locked", "--package", "ballast-sbf"])
        .current_dir(&folders.workspace)
        .env(INSIDE_GATE, "1")
        .status()
        .context("cargo is missing")?;
    ensure!(
        status.success(),
        "the builder's tests fail with {}: do not deploy what it builds; install the proven versions {}",
        versions.label(),
        Versions::proven().label()
    );
    fs::write(stamp, "")?;
    Ok(())
}

/// Cargo and rustc of Debian, set to compile for the chain.
fn cargo(folders: &Folders) -> Result<Command> {
    let builder = std::env::current_exe().context("the builder's own path")?;
    let mut command = Command::new(CARGO);
    for variable in FOREIGN_VARIABLES {
        command.env_remove(variable);
    }
    command
        .env("RUSTC", RUSTC)
        // -Zbuild-std and the target's description are not stable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1")
        .env("RUST_TARGET_PATH", &folders.builder)
        .env("CARGO_TARGET_DIR", &folders.work)
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", &folders.library)
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(folders))
        .env("RUSTC_WRAPPER", &builder)
        .env("CARGO_TARGET_SBF_SOLANA_SOLANA_LINKER", &builder);
    Ok(command)
}

/// Compiler flags; the paths of this machine become the same everywhere, so that the bytes do not depend on them.
fn rust_flags(folders: &Folders) -> String {
    let registry = cargo_home().join("registry/src");
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    // Within the workspace cargo names std's sources by the path from there.
    let library = folders
        .library
        .strip_prefix(&folders.workspace)
        .unwrap_or(&folders.library);
    let flags = [
        "--cfg=target_os=\"solana\"".into(),
        "-Aexplicit_builtin_cfgs_in_flags".into(),
        "-Zunstable-options".into(),
        // The last one that fits wins.
        remap(&folders.workspace, "/ballast"),
        remap(&folders.library, "/rust"),
        remap(library, "/rust"),
        remap(&registry, "/cargo"),
    ];
    flags.join("\x1f")
}

fn cargo_home() -> PathBuf {
    match (std::env::var_os("CARGO_HOME"), std::env::var_os("HOME")) {
        (Some(folder), _) => folder.into(),
        (None, Some(home)) => Path::new(&home).join(".cargo"),
        (None, None) => PathBuf::from("/"),
    }
}

/// The library that is linked into every program.
fn build_runtime(folders: &Folders) -> Result<PathBuf> {
    let status = cargo(folders)?
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "-Zbuild-std=core",
            "--target",
            TARGET,
        ])
        .arg("--manifest-path")
        .arg(folders.builder.join("runtime/Cargo.toml"))
        .status()
        .with_context(|| format!("{CARGO} is missing: run scripts/setup.sh"))?;
    ensure!(status.success(), "the runtime does not compile");
    Ok(folders.release().join("libballast_sbf_runtime.rlib"))
}

/// Cargo does not know that a program depends on its linker and on the runtime: when one of them changed, the
/// programs linked so far are removed, and cargo makes them again.
fn forget_stale_programs(folders: &Folders, runtime: &Path) -> Result<()> {
    let mut hasher = DefaultHasher::new();
    for file in [std::env::current_exe()?.as_path(), runtime] {
        fs::read(file)
            .with_context(|| file.display().to_string())?
            .hash(&mut hasher);
    }
    let stamp = format!("{:016x}\n", hasher.finish());
    let stamp_file = folders.work.join("linked-with");
    if fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
        return Ok(());
    }
    for folder in [folders.release(), folders.release().join("deps")] {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            // The empty ones are those of dependencies, which have no code in them.
            if path.extension() == Some(OsStr::new("so")) && fs::metadata(&path)?.len() > 0 {
                fs::remove_file(path)?;
            }
        }
    }
    fs::write(stamp_file, stamp)?;
    Ok(())
}

/// A linked program and its name.
struct Program {
    name: String,
    file: PathBuf,
}

/// Compiles and links; returns the programs that came out.
fn build_program(options: &BuildOptions, folders: &Folders, runtime: &Path) -> Result<Vec<Program>> {
    let mut command = cargo(folders)?;
    command.args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET]);
    command.arg("--message-format=json-render-diagnostics");
    if let Some(manifest) = &options.manifest_path {
        command.arg("--manifest-path").arg(manifest);
    }
    command.args(&options.cargo_args);
    command.env(RUNTIME_VARIABLE, runtime);
    if let Some(folder) = &options.dump {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        command.env(DUMP_VARIABLE, std::path::absolute(folder)?);
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{CARGO} is missing: run scripts/setup.sh"))?;
    if !output.status.success() {
        bail!("the program does not build; the reason is above");
    }
    programs_in(&String::from_utf8_lossy(&output.stdout))
}

/// The programs in cargo's messages: shared libraries that are not empty, which those of dependencies are.
fn programs_in(messages: &str) -> Result<Vec<Program>> {
    let mut programs = vec![];
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).with_context(|| format!("cargo's message: {line}"))?;
        let name = message["target"]["name"].as_str().unwrap_or_default();
        let files = message["filenames"].as_array().map(Vec::as_slice).unwrap_or_default();
        for file in files.iter().filter_map(Value::as_str).filter(|f| f.ends_with(".so")) {
            let for_the_chain = file.contains(TARGET);
            if for_the_chain && fs::metadata(file).is_ok_and(|m| m.len() > 0) {
                programs.push(Program {
                    name: name.replace('-', "_"),
                    file: file.into(),
                });
            }
        }
    }
    Ok(programs)
}

/// `target/deploy` of the program's workspace, where `anchor build` looks, from whichever folder it calls.
fn default_out_dir(options: &BuildOptions) -> Result<PathBuf> {
    let mut command = Command::new(CARGO);
    command.args(["locate-project", "--workspace", "--message-format=plain"]);
    if let Some(manifest) = &options.manifest_path {
        command.arg("--manifest-path").arg(manifest);
    }
    let output = command
        .env_remove("LD_LIBRARY_PATH")
        .env("RUSTC", RUSTC)
        .output()
        .context(CARGO)?;
    let manifest = String::from_utf8_lossy(&output.stdout);
    let root = Path::new(manifest.trim())
        .parent()
        .context("the program's workspace is not found")?;
    Ok(root.join("target/deploy"))
}

/// Copies a program to the output folder, unless it is there already, and checks and prints its size.
fn deliver(program: &Program, out_dir: &Path, max_size: Option<u64>) -> Result<()> {
    let bytes = fs::read(&program.file).with_context(|| program.file.display().to_string())?;
    fs::create_dir_all(out_dir).with_context(|| out_dir.display().to_string())?;
    let target = out_dir.join(format!("{}.so", program.name));
    if fs::read(&target).ok().as_deref() != Some(&bytes) {
        fs::write(&target, &bytes).with_context(|| target.display().to_string())?;
    }
    let (name, size) = (target.display(), bytes.len() as u64);
    eprintln!("{name}: {size} bytes");
    match max_size {
        Some(limit) if size > limit => bail!(
            "{name} has {size} bytes, {} more than the {limit} allowed",
            size - limit
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unproven_versions_run_the_tests_first() {
        let proven = Versions::proven();
        assert!(!wants_gate(&proven, false));
        let change: [fn(&mut Versions); 3] = [|v| v.rust_source.push('1'), |v| v.rustc.push('1'), |v| v.llvm.push('1')];
        for change in change {
            let mut versions = Versions::proven();
            change(&mut versions);
            assert!(wants_gate(&versions, false));
            assert!(
                !wants_gate(&versions, true),
                "the tests' own builds would ask for them for ever"
            );
        }
    }

    #[test]
    fn messages_without_programs_are_passed_over() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"a"},"filenames":["/x/liba.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"m"},"filenames":["/nowhere/release/libm.so"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert!(programs_in(messages).unwrap().is_empty());
    }
}
