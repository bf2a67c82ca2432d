//! The part of LLVM's C interface that the link step uses, behind handles.
//!
//! Why the unsafe calls in this file are sound: handles are created only here, all of them belong to the one
//! [`Module`] of the link step, nothing of LLVM is freed before the process ends, and the link step runs on one
//! thread. The only handles that go stale are those of erased instructions and deleted functions; the callers
//! erase an instruction last and never look at it again.

use std::ffi::{c_char, c_void, CStr, CString};

use anyhow::{bail, Result};
use llvm_sys::analysis::{LLVMVerifierFailureAction, LLVMVerifyModule};
use llvm_sys::core::*;
use llvm_sys::prelude::*;
use llvm_sys::{
    LLVMAttributeFunctionIndex, LLVMDiagnosticSeverity, LLVMIntPredicate, LLVMLinkage, LLVMOpcode, LLVMRealPredicate,
    LLVMTypeKind, LLVMVisibility,
};

/// Values get no names: nobody reads the intermediate code in a normal build.
const UNNAMED: *const c_char = c"".as_ptr();

/// The attributes of functions and calls that mean the same after the calling convention changed.
const KEPT_ATTRIBUTES: [&str; 8] = [
    "noreturn",
    "nounwind",
    "cold",
    "noinline",
    "inlinehint",
    "alwaysinline",
    "optsize",
    "minsize",
];

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
        // SAFETY: see the top of the file.
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
        // SAFETY: see the top of the file; the list of diagnostics lives as long as the process.
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
        // SAFETY: see the top of the file.
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
        // SAFETY: see the top of the file.
        unsafe {
            if LLVMPrintModuleToFile(self.raw, c_path.as_ptr(), &mut message) != 0 {
                bail!("{}: {}", path.display(), text_of(message));
            }
        }
        Ok(())
    }

    /// All functions, defined or only declared.
    pub fn functions(&self) -> Vec<Value> {
        // SAFETY: see the top of the file.
        let first = unsafe { LLVMGetFirstFunction(self.raw) };
        collect(first, LLVMGetNextFunction).into_iter().map(Value).collect()
    }

    /// All global variables.
    pub fn globals(&self) -> Vec<Value> {
        // SAFETY: see the top of the file.
        let first = unsafe { LLVMGetFirstGlobal(self.raw) };
        collect(first, LLVMGetNextGlobal).into_iter().map(Value).collect()
    }

    /// Lets the optimiser remove and change what nobody outside of the module needs.
    pub fn internalize(&self, keep: impl Fn(&str) -> bool) {
        // SAFETY: see the top of the file.
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
        // SAFETY: see the top of the file.
        let found = unsafe { LLVMGetNamedFunction(self.raw, c_name.as_ptr()) };
        if found.is_null() {
            self.add_function(name, function_type(returns, params))
        } else {
            Value(found)
        }
    }

    /// A new function; LLVM renames it when the name is taken.
    pub fn add_function(&self, name: &str, ty: Type) -> Value {
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMAddFunction(self.raw, c_string(name).as_ptr(), ty.0) })
    }

    /// The types of this module's context.
    pub fn types(&self) -> Types {
        let c = self.context;
        // SAFETY: see the top of the file.
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
        // SAFETY: see the top of the file.
        Type(unsafe { LLVMIntTypeInContext(self.context, bits) })
    }

    fn pair_type(&self, a: Type, b: Type) -> Type {
        let mut parts = [a.0, b.0];
        // SAFETY: see the top of the file.
        Type(unsafe { LLVMStructTypeInContext(self.context, parts.as_mut_ptr(), 2, 0) })
    }
}

/// The type of a function.
pub fn function_type(returns: Type, params: &[Type]) -> Type {
    let mut raw: Vec<LLVMTypeRef> = params.iter().map(|p| p.0).collect();
    // SAFETY: see the top of the file.
    Type(unsafe { LLVMFunctionType(returns.0, raw.as_mut_ptr(), raw.len() as u32, 0) })
}

impl Type {
    /// The kind of type.
    pub fn kind(self) -> LLVMTypeKind {
        // SAFETY: see the top of the file.
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
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMConstInt(self.0, value, 0) })
    }

    /// A value without content, to insert into.
    pub fn poison(self) -> Value {
        // SAFETY: see the top of the file.
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

impl Value {
    /// The symbol name, empty when there is none.
    pub fn name(self) -> String {
        let mut len = 0;
        // SAFETY: LLVM returns a pointer to `len` bytes.
        unsafe {
            let start = LLVMGetValueName2(self.0, &mut len);
            String::from_utf8_lossy(std::slice::from_raw_parts(start.cast(), len)).into_owned()
        }
    }

    /// Its type.
    pub fn ty(self) -> Type {
        // SAFETY: see the top of the file.
        Type(unsafe { LLVMTypeOf(self.0) })
    }

    /// Whether a function or global has no content here.
    pub fn is_declaration(self) -> bool {
        // SAFETY: called for functions and globals only.
        unsafe { LLVMIsDeclaration(self.0) != 0 }
    }

    /// Whether a global variable may be written to.
    pub fn is_writable_global(self) -> bool {
        // SAFETY: called for globals only.
        unsafe { LLVMIsGlobalConstant(self.0) == 0 && !self.is_declaration() }
    }

    /// The operation of an instruction.
    pub fn opcode(self) -> LLVMOpcode {
        // SAFETY: called for instructions only.
        unsafe { LLVMGetInstructionOpcode(self.0) }
    }

    /// Operand `index` of an instruction.
    pub fn operand(self, index: u32) -> Value {
        // SAFETY: the callers know the operation and so the number of operands.
        Value(unsafe { LLVMGetOperand(self.0, index) })
    }

    /// Whether it is a constant integer.
    pub fn is_const_int(self) -> bool {
        // SAFETY: see the top of the file.
        unsafe { !LLVMIsAConstantInt(self.0).is_null() }
    }

    /// Its value, if it is a constant integer of at most 64 bits.
    pub fn const_u64(self) -> Option<u64> {
        let small = self.is_const_int() && self.ty().int_width() <= 64;
        // SAFETY: it is a constant integer of at most 64 bits.
        small.then(|| unsafe { LLVMConstIntGetZExtValue(self.0) })
    }

    /// The operand, if this is a zero extension.
    pub fn zext_source(self) -> Option<Value> {
        // SAFETY: see the top of the file.
        let is_zext = unsafe { !LLVMIsAZExtInst(self.0).is_null() };
        is_zext.then(|| self.operand(0))
    }

    /// The predicate of a floating-point comparison.
    pub fn float_predicate(self) -> LLVMRealPredicate {
        // SAFETY: called for comparisons only.
        unsafe { LLVMGetFCmpPredicate(self.0) }
    }

    /// The instruction before this one in its block.
    pub fn previous(self) -> Option<Value> {
        // SAFETY: called for instructions only.
        let previous = unsafe { LLVMGetPreviousInstruction(self.0) };
        (!previous.is_null()).then_some(Value(previous))
    }

    /// Replaces every use of this value.
    pub fn replace_with(self, other: Value) {
        // SAFETY: the types agree, which the verifier checks afterwards.
        unsafe { LLVMReplaceAllUsesWith(self.0, other.0) }
    }

    /// Removes an instruction whose result is not used any more. The handle is stale afterwards.
    pub fn erase(self) {
        // SAFETY: called once, last, for an instruction.
        unsafe { LLVMInstructionEraseFromParent(self.0) }
    }

    /// All instructions of a function, in order.
    pub fn instructions(self) -> Vec<Value> {
        // SAFETY: called for functions only.
        let blocks = collect(unsafe { LLVMGetFirstBasicBlock(self.0) }, LLVMGetNextBasicBlock);
        let firsts = blocks.into_iter().map(|b| unsafe { LLVMGetFirstInstruction(b) });
        firsts
            .flat_map(|first| collect(first, LLVMGetNextInstruction))
            .map(Value)
            .collect()
    }

    /// Whether a function has code in this module.
    pub fn has_body(self) -> bool {
        // SAFETY: called for functions only.
        unsafe { LLVMCountBasicBlocks(self.0) > 0 }
    }

    /// The first instruction of a function that has a body.
    pub fn first_instruction(self) -> Value {
        // SAFETY: called for functions with a body; a block has a terminator at least.
        Value(unsafe { LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(self.0)) })
    }

    /// The type of a function (its own type is a pointer).
    pub fn function_type(self) -> Type {
        // SAFETY: called for functions only.
        Type(unsafe { LLVMGlobalGetValueType(self.0) })
    }

    /// Parameter `index` of a function.
    pub fn param(self, index: usize) -> Value {
        // SAFETY: the callers know the function's type.
        Value(unsafe { LLVMGetParam(self.0, index as u32) })
    }

    /// Whether a function is one of LLVM's intrinsics.
    pub fn is_intrinsic(self) -> bool {
        // SAFETY: called for functions only.
        unsafe { LLVMGetIntrinsicID(self.0) != 0 }
    }

    /// The callee of a call: a function, or a pointer to one.
    pub fn callee(self) -> Value {
        // SAFETY: called for calls only.
        Value(unsafe { LLVMGetCalledValue(self.0) })
    }

    /// This value, if it is a function.
    pub fn as_function(self) -> Option<Value> {
        // SAFETY: see the top of the file.
        let is_function = unsafe { !LLVMIsAFunction(self.0).is_null() };
        is_function.then_some(self)
    }

    /// Whether it is inline assembly.
    pub fn is_inline_asm(self) -> bool {
        // SAFETY: see the top of the file.
        unsafe { !LLVMIsAInlineAsm(self.0).is_null() }
    }

    /// The type of the function that a call expects.
    pub fn called_type(self) -> Type {
        // SAFETY: called for calls only.
        Type(unsafe { LLVMGetCalledFunctionType(self.0) })
    }

    /// Argument `index` of a call.
    pub fn argument(self, index: usize) -> Value {
        // SAFETY: the callers know the called type.
        Value(unsafe { LLVMGetArgOperand(self.0, index as u32) })
    }

    /// Whether a call never returns, by its own attribute or the callee's.
    pub fn never_returns(self) -> bool {
        let kind = attribute_kind("noreturn");
        let at = LLVMAttributeFunctionIndex;
        // SAFETY: called for calls only.
        unsafe {
            !LLVMGetCallSiteEnumAttribute(self.0, at, kind).is_null()
                || self
                    .callee()
                    .as_function()
                    .is_some_and(|f| !LLVMGetEnumAttributeAtIndex(f.0, at, kind).is_null())
        }
    }

    /// Makes `self`, a new function, stand in for `old`: linkage, attributes and body move over.
    pub fn take_over_function(self, old: Value) {
        // SAFETY: both are functions of the module; `old` is an empty shell afterwards.
        unsafe {
            LLVMSetLinkage(self.0, LLVMGetLinkage(old.0));
            LLVMSetFunctionCallConv(self.0, LLVMGetFunctionCallConv(old.0));
            let at = LLVMAttributeFunctionIndex;
            let mut list = vec![std::ptr::null_mut(); LLVMGetAttributeCountAtIndex(old.0, at) as usize];
            if !list.is_empty() {
                LLVMGetAttributesAtIndex(old.0, at, list.as_mut_ptr());
            }
            for attribute in kept_attributes(list) {
                LLVMAddAttributeAtIndex(self.0, at, attribute);
            }
            for block in collect(LLVMGetFirstBasicBlock(old.0), LLVMGetNextBasicBlock) {
                LLVMRemoveBasicBlockFromParent(block);
                LLVMAppendExistingBasicBlock(self.0, block);
            }
        }
    }

    /// Takes a function's name away, so that another one can have it.
    pub fn clear_name(self) {
        // SAFETY: an empty name.
        unsafe { LLVMSetValueName2(self.0, UNNAMED, 0) }
    }

    /// Deletes a function without uses. The handle is stale afterwards.
    pub fn delete_function(self) {
        // SAFETY: called once, last, after all uses were replaced.
        unsafe { LLVMDeleteFunction(self.0) }
    }

    /// Gives `self`, a new call, the calling convention and attributes of the call `old`.
    pub fn take_over_call(self, old: Value) {
        // SAFETY: both are calls.
        unsafe {
            LLVMSetInstructionCallConv(self.0, LLVMGetInstructionCallConv(old.0));
            let at = LLVMAttributeFunctionIndex;
            let mut list = vec![std::ptr::null_mut(); LLVMGetCallSiteAttributeCount(old.0, at) as usize];
            if !list.is_empty() {
                LLVMGetCallSiteAttributes(old.0, at, list.as_mut_ptr());
            }
            for attribute in kept_attributes(list) {
                LLVMAddCallSiteAttribute(self.0, at, attribute);
            }
        }
    }

    /// Removes `sret` from a function: the backend refuses it, and here it is an annotation only.
    pub fn drop_sret(self) {
        let kind = attribute_kind("sret");
        // SAFETY: called for functions; indices stay within the parameters.
        unsafe {
            for index in 1..=LLVMCountParams(self.0) {
                LLVMRemoveEnumAttributeAtIndex(self.0, index, kind);
            }
            for call in self.instructions() {
                if call.opcode() == LLVMOpcode::LLVMCall {
                    for index in 1..=LLVMGetNumArgOperands(call.0) {
                        LLVMRemoveCallSiteEnumAttribute(call.0, index, kind);
                    }
                }
            }
        }
    }
}

/// Those of `list` that are in [`KEPT_ATTRIBUTES`].
fn kept_attributes(list: Vec<LLVMAttributeRef>) -> impl Iterator<Item = LLVMAttributeRef> {
    let kept = KEPT_ATTRIBUTES.map(attribute_kind);
    // SAFETY: the attributes come from LLVM, and the kind is read of enum attributes only.
    list.into_iter()
        .filter(move |a| unsafe { LLVMIsEnumAttribute(*a) != 0 && kept.contains(&LLVMGetEnumAttributeKind(*a)) })
}

type BinaryBuilder = unsafe extern "C" fn(LLVMBuilderRef, LLVMValueRef, LLVMValueRef, *const c_char) -> LLVMValueRef;

/// Inserts instructions at one place of the module.
pub struct Builder<'m> {
    raw: LLVMBuilderRef,
    /// The module that is built into.
    pub module: &'m Module,
    /// Its types.
    pub t: Types,
}

macro_rules! binary_operations {
    ($($name:ident = $function:ident),* $(,)?) => {$(
        pub fn $name(&self, a: Value, b: Value) -> Value {
            self.binary($function, a, b)
        }
    )*};
}

#[allow(missing_docs)] // one-to-one with the IR's instructions
impl<'m> Builder<'m> {
    pub fn new(module: &'m Module) -> Self {
        Builder {
            // SAFETY: see the top of the file.
            raw: unsafe { LLVMCreateBuilderInContext(module.context) },
            module,
            t: module.types(),
        }
    }

    /// From now on instructions go before `instruction`.
    pub fn position_before(&self, instruction: Value) {
        // SAFETY: see the top of the file.
        unsafe { LLVMPositionBuilderBefore(self.raw, instruction.0) }
    }

    fn binary(&self, build: BinaryBuilder, a: Value, b: Value) -> Value {
        // SAFETY: see the top of the file; the verifier checks the types.
        Value(unsafe { build(self.raw, a.0, b.0, UNNAMED) })
    }

    binary_operations! {
        add = LLVMBuildAdd, sub = LLVMBuildSub, mul = LLVMBuildMul, udiv = LLVMBuildUDiv, urem = LLVMBuildURem,
        and = LLVMBuildAnd, or = LLVMBuildOr, xor = LLVMBuildXor,
        shl = LLVMBuildShl, lshr = LLVMBuildLShr, ashr = LLVMBuildAShr,
    }

    pub fn not(&self, a: Value) -> Value {
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMBuildNot(self.raw, a.0, UNNAMED) })
    }

    pub fn icmp(&self, predicate: LLVMIntPredicate, a: Value, b: Value) -> Value {
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMBuildICmp(self.raw, predicate, a.0, b.0, UNNAMED) })
    }

    pub fn select(&self, condition: Value, a: Value, b: Value) -> Value {
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMBuildSelect(self.raw, condition.0, a.0, b.0, UNNAMED) })
    }

    /// Zero extension, or the value itself when it has the type already.
    pub fn zext(&self, a: Value, to: Type) -> Value {
        if a.ty() == to {
            return a;
        }
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMBuildZExt(self.raw, a.0, to.0, UNNAMED) })
    }

    /// Sign extension, or the value itself when it has the type already.
    pub fn sext(&self, a: Value, to: Type) -> Value {
        if a.ty() == to {
            return a;
        }
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMBuildSExt(self.raw, a.0, to.0, UNNAMED) })
    }

    /// Truncation, or the value itself when it has the type already.
    pub fn trunc(&self, a: Value, to: Type) -> Value {
        if a.ty() == to {
            return a;
        }
        // SAFETY: see the top of the file.
        Value(unsafe { LLVMBuildTrunc(self.raw, a.0, to.0, UNNAMED) })
    }

    /// `base` plus `bytes`.
    pub fn offset(&self, base: Value, bytes: u64) -> Value {
        if bytes == 0 {
            return base;
        }
        let mut index = [self.t.i64.constant(bytes).0];
        // SAFETY: the callers stay within the object.
        Value(unsafe { LLVMBuildInBoundsGEP2(self.raw, self.t.i8.0, base.0, index.as_mut_ptr(), 1, UNNAMED) })
    }

    pub fn load(&self, ty: Type, from: Value, align: u32) -> Value {
        // SAFETY: see the top of the file.
        unsafe {
            let load = LLVMBuildLoad2(self.raw, ty.0, from.0, UNNAMED);
            LLVMSetAlignment(load, align);
            Value(load)
        }
    }

    pub fn store(&self, value: Value, to: Value, align: u32) {
        // SAFETY: see the top of the file.
        unsafe { LLVMSetAlignment(LLVMBuildStore(self.raw, value.0, to.0), align) }
    }

    pub fn extract(&self, aggregate: Value, index: u32) -> Value {
        // SAFETY: the callers know the type.
        Value(unsafe { LLVMBuildExtractValue(self.raw, aggregate.0, index, UNNAMED) })
    }

    pub fn insert(&self, aggregate: Value, value: Value, index: u32) -> Value {
        // SAFETY: the callers know the type.
        Value(unsafe { LLVMBuildInsertValue(self.raw, aggregate.0, value.0, index, UNNAMED) })
    }

    /// A struct of two values.
    pub fn pair(&self, a: Value, b: Value) -> Value {
        let pair = self.module.pair_type(a.ty(), b.ty()).poison();
        self.insert(self.insert(pair, a, 0), b, 1)
    }

    pub fn ret(&self, value: Value) {
        // SAFETY: see the top of the file.
        unsafe { LLVMBuildRet(self.raw, value.0) };
    }

    /// A call of `callee`, whose function type is `ty`.
    pub fn call_value(&self, ty: Type, callee: Value, args: &[Value]) -> Value {
        let mut raw: Vec<LLVMValueRef> = args.iter().map(|a| a.0).collect();
        // SAFETY: see the top of the file; the verifier checks the arguments.
        Value(unsafe { LLVMBuildCall2(self.raw, ty.0, callee.0, raw.as_mut_ptr(), raw.len() as u32, UNNAMED) })
    }

    /// A call of the function `name`, which is declared when needed.
    pub fn call(&self, name: &str, returns: Type, args: &[Value]) -> Value {
        let types: Vec<Type> = args.iter().map(|a| a.ty()).collect();
        let function = self.module.function(name, returns, &types);
        self.call_value(function.function_type(), function, args)
    }

    /// A call of the abort syscall.
    pub fn abort(&self) {
        let call = self.call("abort", self.t.void, &[]);
        // SAFETY: see the top of the file.
        unsafe {
            let attribute = LLVMCreateEnumAttribute(self.module.context, attribute_kind("noreturn"), 0);
            LLVMAddCallSiteAttribute(call.0, LLVMAttributeFunctionIndex, attribute);
        }
    }

    /// `words` u64 on the stack, at the start of `function`.
    pub fn stack_words(&self, function: Value, words: usize) -> Value {
        let before = Builder::new(self.module);
        before.position_before(function.first_instruction());
        // SAFETY: see the top of the file.
        unsafe {
            let area = LLVMBuildAlloca(before.raw, LLVMArrayType2(self.t.i64.0, words as u64), UNNAMED);
            LLVMSetAlignment(area, 8);
            LLVMDisposeBuilder(before.raw);
            Value(area)
        }
    }
}
