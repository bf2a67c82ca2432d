//! Building instructions. On soundness see the top of `ir`.

use std::ffi::c_char;

use llvm_sys::core::*;
use llvm_sys::prelude::*;
use llvm_sys::{LLVMAttributeFunctionIndex, LLVMIntPredicate};

use super::{attribute_kind, Module, Type, Types, Value, UNNAMED};

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
            // SAFETY: see the top of `ir`.
            raw: unsafe { LLVMCreateBuilderInContext(module.context) },
            module,
            t: module.types(),
        }
    }

    /// From now on instructions go before `instruction`.
    pub fn position_before(&self, instruction: Value) {
        // SAFETY: see the top of `ir`.
        unsafe { LLVMPositionBuilderBefore(self.raw, instruction.0) }
    }

    fn binary(&self, build: BinaryBuilder, a: Value, b: Value) -> Value {
        // SAFETY: see the top of `ir`; the verifier checks the types.
        Value(unsafe { build(self.raw, a.0, b.0, UNNAMED) })
    }

    binary_operations! {
        add = LLVMBuildAdd, sub = LLVMBuildSub, mul = LLVMBuildMul, udiv = LLVMBuildUDiv, urem = LLVMBuildURem,
        and = LLVMBuildAnd, or = LLVMBuildOr, xor = LLVMBuildXor,
        shl = LLVMBuildShl, lshr = LLVMBuildLShr, ashr = LLVMBuildAShr,
    }

    pub fn not(&self, a: Value) -> Value {
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMBuildNot(self.raw, a.0, UNNAMED) })
    }

    pub fn icmp(&self, predicate: LLVMIntPredicate, a: Value, b: Value) -> Value {
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMBuildICmp(self.raw, predicate, a.0, b.0, UNNAMED) })
    }

    pub fn select(&self, condition: Value, a: Value, b: Value) -> Value {
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMBuildSelect(self.raw, condition.0, a.0, b.0, UNNAMED) })
    }

    /// Zero extension, or the value itself when it has the type already.
    pub fn zext(&self, a: Value, to: Type) -> Value {
        if a.ty() == to {
            return a;
        }
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMBuildZExt(self.raw, a.0, to.0, UNNAMED) })
    }

    /// Sign extension, or the value itself when it has the type already.
    pub fn sext(&self, a: Value, to: Type) -> Value {
        if a.ty() == to {
            return a;
        }
        // SAFETY: see the top of `ir`.
        Value(unsafe { LLVMBuildSExt(self.raw, a.0, to.0, UNNAMED) })
    }

    /// Truncation, or the value itself when it has the type already.
    pub fn trunc(&self, a: Value, to: Type) -> Value {
        if a.ty() == to {
            return a;
        }
        // SAFETY: see the top of `ir`.
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
        // SAFETY: see the top of `ir`.
        unsafe {
            let load = LLVMBuildLoad2(self.raw, ty.0, from.0, UNNAMED);
            LLVMSetAlignment(load, align);
            Value(load)
        }
    }

    pub fn store(&self, value: Value, to: Value, align: u32) {
        // SAFETY: see the top of `ir`.
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
        // SAFETY: see the top of `ir`.
        unsafe { LLVMBuildRet(self.raw, value.0) };
    }

    /// A call of `callee`, whose function type is `ty`.
    pub fn call_value(&self, ty: Type, callee: Value, args: &[Value]) -> Value {
        let mut raw: Vec<LLVMValueRef> = args.iter().map(|a| a.0).collect();
        // SAFETY: see the top of `ir`; the verifier checks the arguments.
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
        // SAFETY: see the top of `ir`.
        unsafe {
            let attribute = LLVMCreateEnumAttribute(self.module.context, attribute_kind("noreturn"), 0);
            LLVMAddCallSiteAttribute(call.0, LLVMAttributeFunctionIndex, attribute);
        }
    }

    /// `words` u64 on the stack, at the start of `function`.
    pub fn stack_words(&self, function: Value, words: usize) -> Value {
        let before = Builder::new(self.module);
        before.position_before(function.first_instruction());
        // SAFETY: see the top of `ir`.
        unsafe {
            let area = LLVMBuildAlloca(before.raw, LLVMArrayType2(self.t.i64.0, words as u64), UNNAMED);
            LLVMSetAlignment(area, 8);
            LLVMDisposeBuilder(before.raw);
            Value(area)
        }
    }
}
