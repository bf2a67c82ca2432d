//! Floating point by calls of compiler-builtins' soft-float functions.
//!
//! Programs should have none; std's formatting has some, and a program that logs a float must not fail to build.

use anyhow::{bail, Result};
use llvm_sys::{LLVMIntPredicate, LLVMIntPredicate::*, LLVMOpcode::*, LLVMRealPredicate::*, LLVMTypeKind};

use super::ir::{Type, Value};
use super::ops::Lowering;

/// Functions of compiler-builtins that the lowering may introduce calls to.
const SOFT_FLOAT: [&str; 32] = [
    "__adddf3",
    "__subdf3",
    "__muldf3",
    "__divdf3",
    "__addsf3",
    "__subsf3",
    "__mulsf3",
    "__divsf3",
    "__extendsfdf2",
    "__truncdfsf2",
    "__eqdf2",
    "__nedf2",
    "__gedf2",
    "__gtdf2",
    "__ledf2",
    "__ltdf2",
    "__unorddf2",
    "__eqsf2",
    "__nesf2",
    "__gesf2",
    "__gtsf2",
    "__lesf2",
    "__ltsf2",
    "__unordsf2",
    "__floatdidf",
    "__floatundidf",
    "__floatdisf",
    "__floatundisf",
    "__fixdfdi",
    "__fixunsdfdi",
    "__fixsfdi",
    "__fixunssfdi",
];

/// Whether the lowering may introduce calls of the function `name`, so that it must survive until then.
pub fn is_runtime_function(name: &str) -> bool {
    name.starts_with("__sbf_") || SOFT_FLOAT.contains(&name)
}

/// How compiler-builtins' names abbreviate a float type.
fn suffix(ty: Type) -> Result<&'static str> {
    match ty.kind() {
        LLVMTypeKind::LLVMDoubleTypeKind => Ok("df"),
        LLVMTypeKind::LLVMFloatTypeKind => Ok("sf"),
        kind => bail!("a float of kind {kind:?} has no lowering: use integers"),
    }
}

impl Lowering<'_> {
    /// An arithmetic operation, comparison or conversion of floats.
    pub fn float_operation(&self, function: Value, i: Value) -> Result<Value> {
        let b = &self.b;
        let (ty, opcode) = (i.ty(), i.opcode());
        let operator = match opcode {
            LLVMFAdd => "add",
            LLVMFSub => "sub",
            LLVMFMul => "mul",
            LLVMFDiv => "div",
            LLVMFCmp => return self.float_comparison(i),
            LLVMFPExt => return Ok(b.call("__extendsfdf2", ty, &[i.operand(0)])),
            LLVMFPTrunc => return Ok(b.call("__truncdfsf2", ty, &[i.operand(0)])),
            LLVMUIToFP | LLVMSIToFP => return self.int_to_float(i.operand(0), ty, Self::is_signed(opcode)),
            LLVMFPToUI | LLVMFPToSI => return self.float_to_int(function, i.operand(0), ty, Self::is_signed(opcode)),
            _ => bail!("the remainder of floats has no lowering: use integers"),
        };
        let name = format!("__{operator}{}3", suffix(ty)?);
        Ok(b.call(&name, ty, &[i.operand(0), i.operand(1)]))
    }

    fn int_to_float(&self, value: Value, to: Type, signed: bool) -> Result<Value> {
        let b = &self.b;
        let suffix = suffix(to)?;
        let wide = value.ty().int_width() > 64;
        let through = if wide { b.t.i128 } else { b.t.i64 };
        let value = if signed {
            b.sext(value, through)
        } else {
            b.zext(value, through)
        };
        if !wide {
            let un = if signed { "" } else { "un" };
            return Ok(b.call(&format!("__float{un}di{suffix}"), to, &[value]));
        }
        if suffix != "df" {
            bail!("a conversion of 128 bits to f32 has no lowering: use integers");
        }
        let name = if signed { "__sbf_floattidf" } else { "__sbf_floatuntidf" };
        let (low, high) = self.split(value);
        Ok(b.call(name, to, &[low, high]))
    }

    /// The conversions of compiler-builtins saturate, which the ones that do not saturate leave open.
    pub fn float_to_int(&self, function: Value, value: Value, to: Type, signed: bool) -> Result<Value> {
        let b = &self.b;
        let suffix = suffix(value.ty())?;
        let bits = to.int_width();
        let result = if bits > 64 {
            let name = if signed { "__sbf_fixdfti" } else { "__sbf_fixunsdfti" };
            let value = if suffix == "sf" {
                b.call("__extendsfdf2", b.t.f64, &[value])
            } else {
                value
            };
            let out = self.scratch(function);
            let low = b.call(name, b.t.i64, &[value, out]);
            self.join(low, b.load(b.t.i64, out, 8))
        } else {
            let uns = if signed { "" } else { "uns" };
            b.call(&format!("__fix{uns}{suffix}di"), b.t.i64, &[value])
        };
        Ok(if bits == 64 || bits == 128 {
            result
        } else {
            self.saturate(result, to, signed)
        })
    }

    fn saturate(&self, value: Value, to: Type, signed: bool) -> Value {
        let b = &self.b;
        let ty = value.ty();
        let bits = u64::from(to.int_width());
        // 2^k - 1
        let limit = |k| b.sub(b.shl(ty.constant(1), ty.constant(k)), ty.constant(1));
        let clamp = |value, predicate, bound| b.select(b.icmp(predicate, value, bound), bound, value);
        let value = if signed {
            let (highest, lowest) = (limit(bits - 1), b.not(limit(bits - 1)));
            clamp(clamp(value, LLVMIntSGT, highest), LLVMIntSLT, lowest)
        } else {
            clamp(value, LLVMIntUGT, limit(bits))
        };
        b.trunc(value, to)
    }

    fn float_comparison(&self, i: Value) -> Result<Value> {
        let b = &self.b;
        let (x, y) = (i.operand(0), i.operand(1));
        let suffix = suffix(x.ty())?;
        let compare = |name: &str, predicate: LLVMIntPredicate| {
            let order = b.call(&format!("__{name}{suffix}2"), b.t.i32, &[x, y]);
            b.icmp(predicate, order, order.ty().constant(0))
        };
        Ok(match i.float_predicate() {
            LLVMRealPredicateFalse => b.t.i1.constant(0),
            LLVMRealPredicateTrue => b.t.i1.constant(1),
            LLVMRealOEQ => compare("eq", LLVMIntEQ),
            LLVMRealUNE => compare("ne", LLVMIntNE),
            LLVMRealOGE => compare("ge", LLVMIntSGE),
            LLVMRealOGT => compare("gt", LLVMIntSGT),
            LLVMRealOLE => compare("le", LLVMIntSLE),
            LLVMRealOLT => compare("lt", LLVMIntSLT),
            LLVMRealUGE => compare("lt", LLVMIntSGE),
            LLVMRealUGT => compare("le", LLVMIntSGT),
            LLVMRealULE => compare("gt", LLVMIntSLE),
            LLVMRealULT => compare("ge", LLVMIntSLT),
            LLVMRealUNO => compare("unord", LLVMIntNE),
            LLVMRealORD => compare("unord", LLVMIntEQ),
            LLVMRealUEQ => b.or(compare("unord", LLVMIntNE), compare("eq", LLVMIntEQ)),
            LLVMRealONE => b.and(compare("unord", LLVMIntEQ), compare("ne", LLVMIntNE)),
        })
    }
}
