//! The link step: what rustc calls as its linker.
//!
//! The bitcode of all crates becomes one module; it is optimised as a closed program, lowered to what the BPF
//! backend can select, compiled to an object and written as the ELF that Solana's loader takes.

mod abi;
mod codegen;
mod elf;
mod float;
mod ir;
mod ops;
mod wide;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

pub use codegen::llvm_version;

/// Set by the driver, with the path of the runtime's library: the process is rustc's linker.
pub const RUNTIME_VARIABLE: &str = "BALLAST_SBF_RUNTIME";
/// Set by the driver when the intermediate code should be written to a folder.
pub const DUMP_VARIABLE: &str = "BALLAST_SBF_DUMP";

/// The symbol the loader starts the program at; Anchor's `#[program]` defines it.
const ENTRY_POINT: &str = "entrypoint";

/// Linker options of rustc's that are followed by a value of no interest here.
const OPTIONS_WITH_VALUE: [&str; 4] = ["-L", "--cpu", "--cpu-features", "--target"];

/// A symbol's name as written in the source, if it is a mangled one.
pub fn readable(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// What rustc asks for.
struct Request {
    output: PathBuf,
    inputs: Vec<PathBuf>,
    is_program: bool,
}

impl Request {
    fn parse(args: impl Iterator<Item = OsString>) -> Result<Self> {
        let mut args = args.map(|a| a.to_string_lossy().into_owned());
        let (mut output, mut inputs, mut exports) = (None, vec![], String::new());
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "-o" => output = args.next().map(PathBuf::from),
                "--export-symbols" => {
                    let list = args.next().context("--export-symbols without a file")?;
                    exports = fs::read_to_string(&list).with_context(|| list.clone())?;
                }
                option if OPTIONS_WITH_VALUE.contains(&option) => {
                    args.next();
                }
                option if option.starts_with('-') => {}
                // rustc's list of symbols as an object file, for linkers that need it as an input.
                input if input.ends_with("symbols.o") => {}
                input => inputs.push(PathBuf::from(input)),
            }
        }
        Ok(Request {
            output: output.context("rustc named no output")?,
            inputs,
            is_program: exports.lines().any(|line| line.trim() == ENTRY_POINT),
        })
    }
}

/// Does what rustc's linker does, with the process's arguments.
///
/// # Errors
/// Whatever makes the program unfit for the chain, with the name of the culprit.
pub fn run(runtime: OsString) -> Result<()> {
    let mut request = Request::parse(std::env::args_os().skip(1))?;
    if !request.is_program {
        // A dependency that also asks for a cdylib; nobody uses it.
        return Ok(fs::write(&request.output, b"")?);
    }
    request.inputs.push(runtime.into());
    let elf = link(&request.inputs)?;
    fs::write(&request.output, elf).with_context(|| request.output.display().to_string())
}

/// The program's ELF out of bitcode files and archives of them.
fn link(inputs: &[PathBuf]) -> Result<Vec<u8>> {
    let machine = codegen::Machine::new()?;
    let mut module = ir::Module::new();
    for input in inputs {
        add_input(&mut module, input)?;
    }

    module.forget_compiler_used();
    module.internalize(|name| name == ENTRY_POINT || float::is_runtime_function(name));
    machine.optimise(&module)?;
    dump(&module, "optimised.ll")?;

    let lowering = ops::Lowering::new(&module);
    lowering.lower_operations()?;
    module.internalize(|name| name == ENTRY_POINT);
    machine.remove_unused(&module)?;
    lowering.lower_calls()?;
    module.verify()?;
    machine.clean_up(&module)?;
    dump(&module, "lowered.ll")?;

    refuse_writable_statics(&module)?;
    let object = machine.emit(&module)?;
    if let Some(folder) = std::env::var_os(DUMP_VARIABLE) {
        // It still has every function's name: llvm-nm --print-size --size-sort shows what a program's size is made of.
        fs::write(Path::new(&folder).join("program.o"), &object)?;
    }
    elf::write(&object, ENTRY_POINT)
}

/// Adds the bitcode of one file; what holds none (metadata, empty objects) is skipped.
fn add_input(module: &mut ir::Module, path: &Path) -> Result<()> {
    let data = fs::read(path).with_context(|| path.display().to_string())?;
    let name = path.display().to_string();
    if !data.starts_with(b"!<arch>") {
        return add_bitcode(module, &name, &data);
    }
    let archive = object::read::archive::ArchiveFile::parse(&*data).with_context(|| name.clone())?;
    for member in archive.members() {
        let member = member.with_context(|| name.clone())?;
        let member_name = format!("{name}({})", String::from_utf8_lossy(member.name()));
        add_bitcode(module, &member_name, member.data(&*data)?)?;
    }
    Ok(())
}

fn add_bitcode(module: &mut ir::Module, name: &str, data: &[u8]) -> Result<()> {
    const RAW: &[u8] = b"BC\xc0\xde";
    const WRAPPED: &[u8] = &[0xde, 0xc0, 0x17, 0x0b];
    if data.starts_with(RAW) || data.starts_with(WRAPPED) {
        module.add_bitcode(name, data)?;
    }
    Ok(())
}

/// Solana maps a program read-only; its only writable memory is the stack and the heap.
fn refuse_writable_statics(module: &ir::Module) -> Result<()> {
    let writable: Vec<String> = module
        .globals()
        .into_iter()
        .filter(|global| global.is_writable_global())
        .map(|global| format!("`{}`", readable(&global.name())))
        .collect();
    if !writable.is_empty() {
        bail!(
            "writable static {}: a Solana program has none; make it a const, or keep the value in an account or \
             pass it as an argument",
            writable.join(", ")
        );
    }
    Ok(())
}

fn dump(module: &ir::Module, file: &str) -> Result<()> {
    match std::env::var_os(DUMP_VARIABLE) {
        Some(folder) => module.print_to(&Path::new(&folder).join(file)),
        None => Ok(()),
    }
}
