//! Values: what instructions, functions and globals are made of. On soundness see the top of `ir`.

use llvm_sys::core::*;
use llvm_sys::prelude::*;
use llvm_sys::{LLVMAttributeFunctionIndex, LLVMOpcode, LLVMRealPredicate};

use super::{attribute_kind, collect, Type, Value, UNNAMED};

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
        // SAFETY: see the top of `ir`.
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
        // SAFETY: see the top of `ir`.
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
        // SAFETY: see the top of `ir`.
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
        // SAFETY: see the top of `ir`.
        let is_function = unsafe { !LLVMIsAFunction(self.0).is_null() };
        is_function.then_some(self)
    }

    /// Whether it is inline assembly.
    pub fn is_inline_asm(self) -> bool {
        // SAFETY: see the top of `ir`.
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
