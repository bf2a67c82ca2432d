//! The part of LLVM's C interface that the link step uses, behind handles.
//!
//! Why the unsafe calls in here are sound: handles are created only here, all of them belong to the one
//! [`Module`] of the link step, nothing of LLVM is freed before the process ends, and the link step runs on one
//! thread. The only handles that go stale are those of erased instructions and deleted functions; the callers
//! erase an instruction last and never look at it again.

mod builder;
mod value;

use std::ffi::{c_char, c_void, CStr, CString};

use anyhow::{bail, Result};
use llvm_sys::analysis::{LLVMVerifierFailureAction, LLVMVerifyModule};
use llvm_sys::core::*;
use llvm_sys::prelude::*;
use llvm_sys::{LLVMDiagnosticSeverity, LLVMLinkage, LLVMTypeKind, LLVMVisibility};

pub use builder::Builder;

/// Values get no names: nobody reads the intermediate code in a normal build.
const UNNAMED: *const c_char = c"".as_ptr();

/// An IR value: a constant, an instruction, an argument, a function or a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(LLVMValueRef);

/// An IR type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Type(LLVMTypeRef);

/// The types that the lowering builds with.
#[derive(Clone, Copy)]
pub struct Types {
    pub i1: Type,
    pub i8: Type,
    pub i16: Type,
    pub i32: Type,
    pub i64: Type,
    pub i128: Type,
    pub f64: Type,
    pub ptr: Type,
    pub void: Type,
}

/// The program as one LLVM module, with the errors and warnings that LLVM reported about it.
pub struct Module {
    context: LLVMContextRef,
    raw: LLVMModuleRef,
    diagnostics: *mut Vec<String>,
    empty: bool,
}

/// The text behind a C string of LLVM's, or nothing for a null pointer.
///
/// # Safety
/// `text` is null or a valid C string.
pub unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Collects errors and warnings; LLVM calls it with the list that [`Module::new`] registered.
extern "C" fn collect_diagnostic(info: LLVMDiagnosticInfoRef, list: *mut c_void) {
    // SAFETY: `list` is the leaked Vec registered in `Module::new`, used on this thread only.
    unsafe {
        use LLVMDiagnosticSeverity::{LLVMDSError, LLVMDSWarning};
        if matches!(LLVMGetDiagInfoSeverity(info), LLVMDSError | LLVMDSWarning) {
            let text = text_of(LLVMGetDiagInfoDescription(info));
            (*list.cast::<Vec<String>>()).push(text);
        }
    }
}

/// Follows one of LLVM's linked lists.
fn collect<T>(first: *mut T, next: unsafe extern "C" fn(*mut T) -> *mut T) -> Vec<*mut T> {
    let mut out = vec![];
    let mut item = first;
    while !item.is_null() {
        out.push(item);
        // SAFETY: see the top of `ir`.
        item = unsafe { next(item) };
    }
    out
}

fn c_string(text: &str) -> CString {
    // Symbol names come from object files, where a NUL ends the name.
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

fn attribute_kind(name: &str) -> u32 {
    // SAFETY: pointer and length of one string.
    unsafe { LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len()) }
}

impl Module {
    /// An empty module in a context of its own.
    pub fn new() -> Self {
        // SAFETY: see the top of `ir`; the list of diagnostics lives as long as the process.
        unsafe {
            let context = LLVMContextCreate();
            let diagnostics = Box::into_raw(Box::<Vec<String>>::default());
            LLVMContextSetDiagnosticHandler(context, Some(collect_diagnostic), diagnostics.cast());
            let raw = LLVMModuleCreateWithNameInContext(c"program".as_ptr(), context);
            Module {
                context,
                raw,
                diagnostics,
                empty: true,
            }
        }
    }

    /// The module for calls that this file does not wrap.
    pub fn raw(&self) -> LLVMModuleRef {
        self.raw
    }

    /// What LLVM reported since the last call, without repetitions.
    pub fn take_diagnostics(&self) -> Vec<String> {
        // SAFETY: LLVM only writes the list during its own calls, and none is running.
        let mut list = std::mem::take(unsafe { &mut *self.diagnostics });
        list.dedup();
        list
    }

    /// Links one bitcode file into the module, without its debug information.
    pub fn add_bitcode(&mut self, name: &str, bitcode: &[u8]) -> Result<()> {
        let c_name = c_string(name);
        // SAFETY: the buffer is copied; the sub-module is consumed by the linking.
        unsafe {
            let buffer =
                LLVMCreateMemoryBufferWithMemoryRangeCopy(bitcode.as_ptr().cast(), bitcode.len(), c_name.as_ptr());
            let mut part = std::ptr::null_mut();
            if llvm_sys::bit_reader::LLVMParseBitcodeInContext2(self.context, buffer, &mut part) != 0 {
                bail!(
                    "{name}: this LLVM cannot read the bitcode; rustc's LLVM must not be newer ({})",
                    self.take_diagnostics().join("; ")
                );
            }
            llvm_sys::debuginfo::LLVMStripModuleDebugInfo(part);
            if std::mem::replace(&mut self.empty, false) {
                LLVMSetTarget(self.raw, LLVMGetTarget(part));
                LLVMSetDataLayout(self.raw, LLVMGetDataLayoutStr(part));
            }
            if llvm_sys::linker::LLVMLinkModules2(self.raw, part) != 0 {
                bail!("{name}: does not link: {}", self.take_diagnostics().join("; "));
            }
        }
        Ok(())
    }

    /// Fails when the module is not well-formed, with LLVM's description.
    pub fn verify(&self) -> Result<()> {
        let mut message = std::ptr::null_mut();
        // SAFETY: see the top of `ir`.
        unsafe {
            let action = LLVMVerifierFailureAction::LLVMReturnStatusAction;
            if LLVMVerifyModule(self.raw, action, &mut message) != 0 {
                bail!(
                    "the lowering made invalid code, a defect of the builder: {}",
                    text_of(message)
                );
            }
        }
        Ok(())
    }

    /// Writes the module as text, to look at.
    pub fn print_to(&self, path: &std::path::Path) -> Result<()> {
        let c_path = c_string(&path.to_string_lossy());
        let mut message = std::ptr::null_mut();
        // SAFETY: see the top of `ir`.
        unsafe {
            if LLVMPrintModuleToFile(self.raw, c_path.as_ptr(), &mut message) != 0 {
                bail!("{}: {}", path.display(), text_of(message));
            }
        }
        Ok(())
    }

    /// All functions, defined or only declared.
    pub fn functions(&self) -> Vec<Value> {
        // SAFETY: see the top of `ir`.
        let first = unsafe { LLVMGetFirstFunction(self.raw) };
        collect(first, LLVMGetNextFunction).into_iter().map(Value).collect()
    }

    /// All global variables.
    pub fn globals(&self) -> Vec<Value> {
        // SAFETY: see the top of `ir`.
        let first = unsafe { LLVMGetFirstGlobal(self.raw) };
        collect(first, LLVMGetNextGlobal).into_iter().map(Value).collect()
    }

    /// Lets the optimiser remove and change what nobody outside of the module needs.
    pub fn internalize(&self, keep: impl Fn(&str) -> bool) {
        // SAFETY: see the top of `ir`.
        unsafe {
            for value in self.functions().into_iter().chain(self.globals()) {
                let name = value.name();
                if !value.is_declaration() && !keep(&name) && !name.starts_with("llvm.") {
                    LLVMSetLinkage(value.0, LLVMLinkage::LLVMInternalLinkage);
                    LLVMSetVisibility(value.0, LLVMVisibility::LLVMDefaultVisibility);
                }
            }
        }
    }

    /// Drops rustc's list of symbols to keep: the link step decides that by the entry point.
    pub fn forget_compiler_used(&self) {
        // SAFETY: the list is a global that no code refers to.
        unsafe {
            let list = LLVMGetNamedGlobal(self.raw, c"llvm.compiler.used".as_ptr());
            if !list.is_null() {
                LLVMDeleteGlobal(list);
            }
        }
    }

    /// The function `name`, declared as `returns(params)` unless it is there already.
    pub fn function(&self, name: &str, returns: Type, params: &[Type]) -> Value {
        let c_name = c_string(name);
        // SAFETY: see the top of `ir`.
        let found = unsafe { LLVMGetNamedFunction(self.raw, c_name.as_ptr()) };
        if found.is_null() {
            self.add_function(name, function_type(returns, params))
        } else {
            Value(found)
        }
    }

    /// A new function; LLVM renames it when the name is taken.
    pub fn add_function(&self, name: &str, ty: Type) -> Value {
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMAddFunction(self.raw, c_string(name).as_ptr(), ty.0) })
    }

    /// The types of this module's context.
    pub fn types(&self) -> Types {
        let c = self.context;
        // SAFETY: see the top of `ir`.
        unsafe {
            Types {
                i1: Type(LLVMInt1TypeInContext(c)),
                i8: Type(LLVMInt8TypeInContext(c)),
                i16: Type(LLVMInt16TypeInContext(c)),
                i32: Type(LLVMInt32TypeInContext(c)),
                i64: Type(LLVMInt64TypeInContext(c)),
                i128: Type(LLVMInt128TypeInContext(c)),
                f64: Type(LLVMDoubleTypeInContext(c)),
                ptr: Type(LLVMPointerTypeInContext(c, 0)),
                void: Type(LLVMVoidTypeInContext(c)),
            }
        }
    }

    /// An integer type of `bits` bits.
    pub fn int_type(&self, bits: u32) -> Type {
        // SAFETY: see the top of `ir`.
        Type(unsafe { LLVMIntTypeInContext(self.context, bits) })
    }

    fn pair_type(&self, a: Type, b: Type) -> Type {
        let mut parts = [a.0, b.0];
        // SAFETY: see the top of `ir`.
        Type(unsafe { LLVMStructTypeInContext(self.context, parts.as_mut_ptr(), 2, 0) })
    }
}

/// The type of a function.
pub fn function_type(returns: Type, params: &[Type]) -> Type {
    let mut raw: Vec<LLVMTypeRef> = params.iter().map(|p| p.0).collect();
    // SAFETY: see the top of `ir`.
    Type(unsafe { LLVMFunctionType(returns.0, raw.as_mut_ptr(), raw.len() as u32, 0) })
}

impl Type {
    /// The kind of type.
    pub fn kind(self) -> LLVMTypeKind {
        // SAFETY: see the top of `ir`.
        unsafe { LLVMGetTypeKind(self.0) }
    }

    /// Bits of an integer type, 0 for every other type.
    pub fn int_width(self) -> u32 {
        if self.kind() != LLVMTypeKind::LLVMIntegerTypeKind {
            return 0;
        }
        // SAFETY: it is an integer type.
        unsafe { LLVMGetIntTypeWidth(self.0) }
    }

    /// The element types of a struct or an array, nothing for every other type.
    pub fn elements(self) -> Vec<Type> {
        // SAFETY: each call is made for the kind of type it is meant for.
        unsafe {
            match self.kind() {
                LLVMTypeKind::LLVMStructTypeKind => (0..LLVMCountStructElementTypes(self.0))
                    .map(|k| Type(LLVMStructGetTypeAtIndex(self.0, k)))
                    .collect(),
                LLVMTypeKind::LLVMArrayTypeKind => {
                    let element = Type(LLVMGetElementType(self.0));
                    vec![element; LLVMGetArrayLength2(self.0) as usize]
                }
                _ => vec![],
            }
        }
    }

    /// The constant `value` of this integer type.
    pub fn constant(self, value: u64) -> Value {
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMConstInt(self.0, value, 0) })
    }

    /// A value without content, to insert into.
    pub fn poison(self) -> Value {
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMGetPoison(self.0) })
    }

    /// Of a function type: the parameters, the result and whether it takes variable arguments.
    pub fn signature(self) -> (Vec<Type>, Type, bool) {
        // SAFETY: the buffer has the length that LLVM states.
        unsafe {
            let mut raw = vec![std::ptr::null_mut(); LLVMCountParamTypes(self.0) as usize];
            LLVMGetParamTypes(self.0, raw.as_mut_ptr());
            let params = raw.into_iter().map(Type).collect();
            let variadic = LLVMIsFunctionVarArg(self.0) != 0;
            (params, Type(LLVMGetReturnType(self.0)), variadic)
        }
    }
}
