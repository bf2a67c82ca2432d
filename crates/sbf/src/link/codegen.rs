//! LLVM's passes and its BPF backend, with the options that Solana's machine needs.

use std::ffi::CString;

use anyhow::{bail, Result};
use llvm_sys::core::{LLVMDisposeMemoryBuffer, LLVMGetBufferSize, LLVMGetBufferStart, LLVMGetVersion};
use llvm_sys::error::LLVMGetErrorMessage;
use llvm_sys::target::{
    LLVMInitializeBPFAsmParser, LLVMInitializeBPFAsmPrinter, LLVMInitializeBPFTarget, LLVMInitializeBPFTargetInfo,
    LLVMInitializeBPFTargetMC,
};
use llvm_sys::target_machine::*;
use llvm_sys::transforms::pass_builder::*;

use super::ir::{text_of, Module};
use super::readable;

/// Options of LLVM's command line. The stack frame of Solana's machine is 4,096 bytes; unreachable code must not
/// become a call of a trap function; inlining must not grow a frame past what it saves.
const OPTIONS: [&str; 7] = [
    "ballast-sbf",
    "-bpf-stack-size=4096",
    "-bpf-disable-trap-unreachable",
    "-bpf-disable-serialize-icmp",
    "-bpf-disable-avoid-speculation",
    "-max-loads-per-memcmp=8",
    "-inline-max-stacksize=512",
];

/// What the backend says about a frame that is too large, behind the name of the function.
const FRAME_TOO_LARGE: &str = ": Looks like the BPF stack limit is exceeded";

/// The version of the LLVM library that this process runs with, for example "22.1.8".
pub fn llvm_version() -> String {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three places to write to.
    unsafe { LLVMGetVersion(&mut major, &mut minor, &mut patch) };
    format!("{major}.{minor}.{patch}")
}

/// The code generator for sBPF. It lives as long as the process.
pub struct Machine(LLVMTargetMachineRef);

impl Machine {
    /// Sets LLVM up; called once per process.
    pub fn new() -> Result<Self> {
        let options: Vec<CString> = OPTIONS.iter().filter_map(|o| CString::new(*o).ok()).collect();
        let pointers: Vec<_> = options.iter().map(|o| o.as_ptr()).collect();
        // SAFETY: the initialisers come before everything else; the strings outlive the call, which copies them.
        let machine = unsafe {
            LLVMInitializeBPFTargetInfo();
            LLVMInitializeBPFTarget();
            LLVMInitializeBPFTargetMC();
            LLVMInitializeBPFAsmPrinter();
            LLVMInitializeBPFAsmParser();
            let count = pointers.len() as i32;
            llvm_sys::support::LLVMParseCommandLineOptions(count, pointers.as_ptr(), std::ptr::null());
            LLVMCreateTargetMachine(
                LLVMGetTargetFromName(c"bpfel".as_ptr()),
                c"bpfel".as_ptr(),
                c"v2".as_ptr(),
                // Solana's machine allows it, and code that copies byte by byte would not fit.
                c"+allows-misaligned-mem-access".as_ptr(),
                LLVMCodeGenOptLevel::LLVMCodeGenLevelDefault,
                LLVMRelocMode::LLVMRelocStatic,
                LLVMCodeModel::LLVMCodeModelDefault,
            )
        };
        if machine.is_null() {
            bail!("this LLVM has no BPF backend: install Debian's llvm-22");
        }
        Ok(Machine(machine))
    }

    /// Optimises the closed program for size, which was both the smallest and the cheapest to run.
    pub fn optimise(&self, module: &Module) -> Result<()> {
        self.run(
            module,
            "globaldce,function(lower-atomic),default<Oz>,globaldce,function(expand-memcmp)",
        )
    }

    /// Removes what nothing refers to.
    pub fn remove_unused(&self, module: &Module) -> Result<()> {
        self.run(module, "globaldce")
    }

    /// Cleans up after the lowering. No instcombine, memcpyopt or loop-idiom here: they would bring wide
    /// operations and memory intrinsics back.
    pub fn clean_up(&self, module: &Module) -> Result<()> {
        self.run(
            module,
            "globaldce,function(sroa,early-cse<memssa>,simplifycfg,reassociate,gvn,dse,dce,simplifycfg),globaldce",
        )
    }

    fn run(&self, module: &Module, passes: &str) -> Result<()> {
        let c_passes = CString::new(passes)?;
        // SAFETY: module and machine live as long as the process; the options are freed after use.
        unsafe {
            let options = LLVMCreatePassBuilderOptions();
            LLVMPassBuilderOptionsSetLoopVectorization(options, 0);
            LLVMPassBuilderOptionsSetSLPVectorization(options, 0);
            LLVMPassBuilderOptionsSetLoopUnrolling(options, 0);
            LLVMPassBuilderOptionsSetMergeFunctions(options, 1);
            let error = LLVMRunPasses(module.raw(), c_passes.as_ptr(), self.0, options);
            LLVMDisposePassBuilderOptions(options);
            if !error.is_null() {
                bail!(
                    "LLVM refuses the passes {passes}: {}",
                    text_of(LLVMGetErrorMessage(error))
                );
            }
        }
        Ok(())
    }

    /// Compiles the module to a relocatable object.
    ///
    /// # Errors
    /// A stack frame of more than 4,096 bytes, with the function, or whatever else the backend refuses.
    pub fn emit(&self, module: &Module) -> Result<Vec<u8>> {
        let mut message = std::ptr::null_mut();
        let mut buffer = std::ptr::null_mut();
        // SAFETY: module and machine live as long as the process; the buffer is copied and freed.
        let object = unsafe {
            let kind = LLVMCodeGenFileType::LLVMObjectFile;
            if LLVMTargetMachineEmitToMemoryBuffer(self.0, module.raw(), kind, &mut message, &mut buffer) != 0 {
                bail!("code generation: {}", text_of(message));
            }
            let start = LLVMGetBufferStart(buffer).cast::<u8>();
            let object = std::slice::from_raw_parts(start, LLVMGetBufferSize(buffer)).to_vec();
            LLVMDisposeMemoryBuffer(buffer);
            object
        };
        let problems: Vec<String> = module.take_diagnostics().iter().map(|d| explain(d)).collect();
        if !problems.is_empty() {
            bail!("code generation:\n{}", problems.join("\n"));
        }
        Ok(object)
    }
}

/// A message of the backend with readable names, and with advice where we have some.
fn explain(diagnostic: &str) -> String {
    let message: Vec<String> = diagnostic.split(' ').map(readable).collect();
    let message = message.join(" ");
    match message.split_once(FRAME_TOO_LARGE) {
        Some((place, _)) => format!(
            "the stack frame of {} is larger than 4,096 bytes: box the large value, pass it by reference, or move \
             part of the function into another one marked #[inline(never)]",
            place.trim_start_matches("<unknown>:0:0: in ")
        ),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_too_large_is_explained_with_the_readable_name() {
        let diagnostic = "<unknown>:0:0: in function _RNvCs1234_7mycrate3foo void (ptr): Looks like the BPF stack \
                          limit is exceeded. Please move large on stack variables into BPF per-cpu array map.";
        let text = explain(diagnostic);
        assert!(
            text.starts_with("the stack frame of function mycrate::foo void (ptr) is larger than"),
            "{text}"
        );
    }

    #[test]
    fn other_messages_stay() {
        assert_eq!(explain("something else"), "something else");
    }
}
