//! Operations that the BPF backend cannot select, rewritten to ones that it can.
//!
//! The backend has 64-bit registers, unsigned 64-bit division and nothing else: wide multiplication, division,
//! variable wide shifts and overflow checks become limb arithmetic or calls of the runtime (`crates/sbf/runtime`),
//! floats become calls of compiler-builtins, memory intrinsics become loads and stores or syscalls.

use std::cell::RefCell;
use std::collections::HashMap;

use anyhow::{bail, Context, Result};
use llvm_sys::{LLVMIntPredicate::*, LLVMOpcode, LLVMOpcode::*};

use super::ir::{Builder, Module, Value};

/// Fixed-size copies up to this many bytes are loads and stores: a memory syscall costs at least 10 compute
/// units and about 5 instructions to set up.
const INLINE_COPY_BYTES: u64 = 56;
/// The same for fills, which need no loads.
const INLINE_FILL_BYTES: u64 = 96;

/// What becomes of an instruction.
pub enum Rewrite {
    /// It stays.
    Keep,
    /// It goes; nothing uses its result.
    Delete,
    /// It goes and this value takes its place.
    Replace(Value),
}

/// The state of the lowering: where code is inserted, and the scratch space of each function.
pub struct Lowering<'m> {
    /// Inserts before the instruction that is being rewritten.
    pub b: Builder<'m>,
    scratch: RefCell<HashMap<Value, Value>>,
}

impl<'m> Lowering<'m> {
    /// A lowering of `module`.
    pub fn new(module: &'m Module) -> Self {
        Lowering {
            b: Builder::new(module),
            scratch: RefCell::default(),
        }
    }

    /// Rewrites every instruction of the module that the backend lacks.
    ///
    /// # Errors
    /// An operation without a lowering, with the function it is in.
    pub fn lower_operations(&self) -> Result<()> {
        for function in self.b.module.functions() {
            for instruction in function.instructions() {
                self.b.position_before(instruction);
                let rewrite = self
                    .rewrite(function, instruction)
                    .with_context(|| format!("in function `{}`", super::readable(&function.name())))?;
                match rewrite {
                    Rewrite::Keep => continue,
                    Rewrite::Delete => {}
                    Rewrite::Replace(value) => instruction.replace_with(value),
                }
                instruction.erase();
            }
        }
        Ok(())
    }

    fn rewrite(&self, function: Value, i: Value) -> Result<Rewrite> {
        let bits = i.ty().int_width();
        Ok(match i.opcode() {
            LLVMMul if bits > 64 => Rewrite::Replace(self.multiply_wide(i.operand(0), i.operand(1))),
            LLVMUDiv | LLVMURem | LLVMSDiv | LLVMSRem if bits > 64 => Rewrite::Replace(self.divide_wide(function, i)?),
            LLVMSDiv | LLVMSRem => Rewrite::Replace(self.divide_signed(i)),
            LLVMShl | LLVMLShr | LLVMAShr if bits > 64 && !i.operand(1).is_const_int() => {
                Rewrite::Replace(self.shift_wide(i)?)
            }
            LLVMFAdd | LLVMFSub | LLVMFMul | LLVMFDiv | LLVMFCmp | LLVMFPExt | LLVMFPTrunc | LLVMUIToFP
            | LLVMSIToFP | LLVMFPToUI | LLVMFPToSI | LLVMFRem => Rewrite::Replace(self.float_operation(function, i)?),
            LLVMUnreachable => {
                let after_abort = i
                    .previous()
                    .is_some_and(|p| p.opcode() == LLVMCall && p.never_returns());
                if !after_abort {
                    self.b.abort();
                }
                Rewrite::Keep
            }
            LLVMAtomicRMW | LLVMAtomicCmpXchg | LLVMFence => {
                bail!("an atomic operation is left, a defect of the builder: its passes should have removed it")
            }
            LLVMInvoke => bail!("unwinding code: build with panic = \"abort\""),
            LLVMCall => self.intrinsic_call(function, i)?,
            _ => Rewrite::Keep,
        })
    }

    /// Calls of LLVM's intrinsics; other calls stay.
    fn intrinsic_call(&self, function: Value, i: Value) -> Result<Rewrite> {
        let name = i.callee().as_function().map(Value::name).unwrap_or_default();
        let Some(name) = name.strip_prefix("llvm.") else {
            return Ok(Rewrite::Keep);
        };
        let mut parts = name.split('.');
        let family = parts.next().unwrap_or_default();
        let variant = parts.next().unwrap_or_default();
        Ok(match family {
            "trap" | "debugtrap" | "ubsantrap" => {
                self.b.abort();
                Rewrite::Delete
            }
            "memcpy" | "memmove" => {
                self.copy(i.operand(0), i.operand(1), i.operand(2), family == "memmove");
                Rewrite::Delete
            }
            "memset" => {
                self.fill(i.operand(0), i.operand(1), i.operand(2));
                Rewrite::Delete
            }
            "bpf" if variant == "passthrough" => Rewrite::Replace(i.operand(1)),
            "umul" | "smul" if variant == "with" => self.multiply_overflowing(function, i, family == "smul")?,
            "fshl" | "fshr" if i.ty().int_width() > 64 && !i.operand(2).is_const_int() => {
                Rewrite::Replace(self.funnel_shift(i, family == "fshl")?)
            }
            "fptoui" | "fptosi" => {
                Rewrite::Replace(self.float_to_int(function, i.operand(0), i.ty(), family == "fptosi")?)
            }
            "ceil" | "floor" | "trunc" | "round" | "sqrt" | "pow" | "powi" | "exp" | "log" | "rint" | "roundeven"
            | "fma" | "fmuladd" | "copysign" | "minnum" | "maxnum" | "minimum" | "maximum" => {
                bail!("the float operation {name} has no lowering: use integers")
            }
            _ => Rewrite::Keep,
        })
    }

    /// `mul.with.overflow` of 64 and 128 bits; narrower ones stay.
    fn multiply_overflowing(&self, function: Value, i: Value, signed: bool) -> Result<Rewrite> {
        let b = &self.b;
        let (x, y) = (i.operand(0), i.operand(1));
        let result = match (x.ty().int_width(), signed) {
            (0..=63, _) => return Ok(Rewrite::Keep),
            (64, false) => {
                let product = b.mul(x, y);
                b.pair(product, self.overflow_unsigned(x, y, product))
            }
            (64, true) => {
                let product = b.mul(x, y);
                let sign = b.ashr(product, b.t.i64.constant(63));
                b.pair(product, b.icmp(LLVMIntNE, self.high_signed(x, y), sign))
            }
            (128, _) => {
                let helper = if signed { "__sbf_smulo128" } else { "__sbf_umulo128" };
                let (overflow, words) = self.call_helper(function, helper, (x, y), 2);
                let overflow = b.icmp(LLVMIntNE, overflow, b.t.i64.constant(0));
                b.pair(self.join(words[0], words[1]), overflow)
            }
            (bits, _) => bail!("an overflow check of a {bits}-bit product has no lowering"),
        };
        Ok(Rewrite::Replace(result))
    }

    /// Whether the 64-bit product of `x` and `y` wrapped: a comparison when one is constant, else a division,
    /// which is cheaper than the high half.
    fn overflow_unsigned(&self, x: Value, y: Value, product: Value) -> Value {
        let b = &self.b;
        let (variable, constant) = if x.is_const_int() { (y, x) } else { (x, y) };
        match constant.const_u64() {
            Some(0) => b.t.i1.constant(0),
            Some(k) => b.icmp(LLVMIntUGT, variable, b.t.i64.constant(u64::MAX / k)),
            None => {
                let is_zero = b.icmp(LLVMIntEQ, x, b.t.i64.constant(0));
                let divisor = b.select(is_zero, b.t.i64.constant(1), x);
                let wrapped = b.icmp(LLVMIntNE, b.udiv(product, divisor), y);
                b.select(is_zero, b.t.i1.constant(0), wrapped)
            }
        }
    }

    /// `fshl` and `fshr` of 128 bits by a variable amount.
    fn funnel_shift(&self, i: Value, left: bool) -> Result<Value> {
        let b = &self.b;
        let ty = i.ty();
        if ty.int_width() != 128 {
            bail!("a funnel shift of {} bits has no lowering", ty.int_width());
        }
        let amount = b.and(i.operand(2), ty.constant(127));
        let rest = b.sub(ty.constant(127), amount);
        Ok(if left {
            let high = self.shift_128(LLVMShl, i.operand(0), amount);
            let low = b.lshr(i.operand(1), ty.constant(1));
            b.or(high, self.shift_128(LLVMLShr, low, rest))
        } else {
            let low = self.shift_128(LLVMLShr, i.operand(1), amount);
            let high = b.shl(i.operand(0), ty.constant(1));
            b.or(low, self.shift_128(LLVMShl, high, rest))
        })
    }

    /// `memcpy` or `memmove` of `bytes` bytes.
    fn copy(&self, to: Value, from: Value, bytes: Value, may_overlap: bool) {
        match bytes.const_u64() {
            Some(0) => {}
            Some(k) if k <= INLINE_COPY_BYTES => self.copy_inline(to, from, k, may_overlap),
            // sol_memcpy_ aborts on overlap, even when both ends are the same, which llvm.memcpy allows.
            _ => {
                let bytes = self.b.zext(bytes, self.b.t.i64);
                self.b.call("sol_memmove_", self.b.t.void, &[to, from, bytes]);
            }
        }
    }

    fn copy_inline(&self, to: Value, from: Value, bytes: u64, may_overlap: bool) {
        let b = &self.b;
        let load = |(at, ty): &(u64, _)| b.load(*ty, b.offset(from, *at), 1);
        let parts = self.parts(bytes);
        if may_overlap {
            let values: Vec<Value> = parts.iter().map(load).collect();
            for ((at, _), value) in parts.iter().zip(values) {
                b.store(value, b.offset(to, *at), 1);
            }
        } else {
            for part in &parts {
                b.store(load(part), b.offset(to, part.0), 1);
            }
        }
    }

    /// `memset` of `bytes` bytes with the byte `value`.
    fn fill(&self, to: Value, value: Value, bytes: Value) {
        let b = &self.b;
        let Some(count) = bytes.const_u64().filter(|k| *k <= INLINE_FILL_BYTES) else {
            b.call("sol_memset_", b.t.void, &[to, value, b.zext(bytes, b.t.i64)]);
            return;
        };
        let every_byte = 0x0101_0101_0101_0101;
        let word = match value.const_u64() {
            Some(byte) => b.t.i64.constant((byte & 0xff) * every_byte),
            None => b.mul(b.zext(value, b.t.i64), b.t.i64.constant(every_byte)),
        };
        for (at, ty) in self.parts(count) {
            b.store(b.trunc(word, ty), b.offset(to, at), 1);
        }
    }

    /// `bytes` bytes as offsets and types of the widest loads or stores.
    fn parts(&self, bytes: u64) -> Vec<(u64, super::ir::Type)> {
        let t = &self.b.t;
        let mut parts = vec![];
        let mut at = 0;
        for (width, ty) in [(8, t.i64), (4, t.i32), (2, t.i16), (1, t.i8)] {
            while bytes - at >= width {
                parts.push((at, ty));
                at += width;
            }
        }
        parts
    }

    /// Two words on the stack of `function` for the second result of a helper. It is read back at once, so one
    /// place per function is enough.
    pub fn scratch(&self, function: Value) -> Value {
        *self
            .scratch
            .borrow_mut()
            .entry(function)
            .or_insert_with(|| self.b.stack_words(function, 2))
    }

    /// Whether `opcode` works on signed operands.
    pub fn is_signed(opcode: LLVMOpcode) -> bool {
        matches!(opcode, LLVMSDiv | LLVMSRem | LLVMAShr | LLVMSIToFP | LLVMFPToSI)
    }
}
