//! Integers wider than a register, as limbs of 64 bits.

use anyhow::{bail, Result};
use llvm_sys::{LLVMIntPredicate::*, LLVMOpcode, LLVMOpcode::*};

use super::ir::Value;
use super::ops::Lowering;

fn is_zero(value: Value) -> bool {
    value.const_u64() == Some(0)
}

impl Lowering<'_> {
    /// The `count` low limbs of `value`, lowest first; limbs known to be zero come out as the constant 0.
    fn limbs(&self, value: Value, count: u32) -> Vec<Value> {
        let b = &self.b;
        let value = value.zext_source().unwrap_or(value);
        let known = value.ty().int_width().div_ceil(64);
        let ty = b.module.int_type(64 * known);
        let value = b.zext(value, ty);
        (0..count)
            .map(|k| match k {
                _ if k >= known => b.t.i64.constant(0),
                0 => b.trunc(value, b.t.i64),
                _ => b.trunc(b.lshr(value, ty.constant(64 * u64::from(k))), b.t.i64),
            })
            .collect()
    }

    /// The low and high word of a 128-bit value.
    pub fn split(&self, value: Value) -> (Value, Value) {
        let limbs = self.limbs(value, 2);
        (limbs[0], limbs[1])
    }

    /// A 128-bit value from its low and high word.
    pub fn join(&self, low: Value, high: Value) -> Value {
        self.join_limbs(&[low, high])
    }

    fn join_limbs(&self, limbs: &[Value]) -> Value {
        let b = &self.b;
        let ty = b.module.int_type(64 * limbs.len() as u32);
        let mut value = b.zext(limbs[0], ty);
        for (k, limb) in limbs.iter().enumerate().skip(1) {
            let shifted = b.shl(b.zext(*limb, ty), ty.constant(64 * k as u64));
            value = b.or(value, shifted);
        }
        value
    }

    /// The high word of the unsigned product of two words.
    fn high_unsigned(&self, x: Value, y: Value) -> Value {
        let b = &self.b;
        if is_zero(x) || is_zero(y) {
            return b.t.i64.constant(0);
        }
        let (mask, half) = (b.t.i64.constant(0xffff_ffff), b.t.i64.constant(32));
        let (x0, x1) = (b.and(x, mask), b.lshr(x, half));
        let (y0, y1) = (b.and(y, mask), b.lshr(y, half));
        let low = b.mul(x0, y0);
        let middle = b.add(b.mul(x1, y0), b.lshr(low, half));
        let cross = b.add(b.mul(x0, y1), b.and(middle, mask));
        let high = b.add(b.mul(x1, y1), b.lshr(middle, half));
        b.add(high, b.lshr(cross, half))
    }

    /// The high word of the signed product of two words.
    pub fn high_signed(&self, x: Value, y: Value) -> Value {
        let b = &self.b;
        let sign = b.t.i64.constant(63);
        let high = self.high_unsigned(x, y);
        let high = b.sub(high, b.and(b.ashr(x, sign), y));
        b.sub(high, b.and(b.ashr(y, sign), x))
    }

    /// The product of two wide integers of one type, modulo its width, by the schoolbook method.
    pub fn multiply_wide(&self, x: Value, y: Value) -> Value {
        let ty = x.ty();
        let count = ty.int_width().div_ceil(64);
        let (x, y) = (self.limbs(x, count), self.limbs(y, count));
        let count = count as usize;
        let mut sum = vec![self.b.t.i64.constant(0); count];
        for (i, a) in x.iter().enumerate() {
            for (j, b) in y.iter().enumerate().take(count - i) {
                if is_zero(*a) || is_zero(*b) {
                    continue;
                }
                self.accumulate(&mut sum, i + j, self.b.mul(*a, *b));
                if i + j + 1 < count {
                    self.accumulate(&mut sum, i + j + 1, self.high_unsigned(*a, *b));
                }
            }
        }
        self.b.trunc(self.join_limbs(&sum), ty)
    }

    /// Adds `value` to limb `at` of `sum` and carries to the limbs above.
    fn accumulate(&self, sum: &mut [Value], at: usize, value: Value) {
        let b = &self.b;
        let mut value = value;
        for k in at..sum.len() {
            if is_zero(value) {
                return;
            }
            if is_zero(sum[k]) {
                sum[k] = value;
                return;
            }
            sum[k] = b.add(sum[k], value);
            if k + 1 < sum.len() {
                value = b.zext(b.icmp(LLVMIntULT, sum[k], value), b.t.i64);
            }
        }
    }

    /// Calls a helper of the runtime, `u64 helper(out, a_low, a_high, b_low, b_high)`; returns its result and the
    /// first `out_words` words that it wrote.
    pub fn call_helper(
        &self,
        function: Value,
        helper: &str,
        (x, y): (Value, Value),
        out_words: u64,
    ) -> (Value, Vec<Value>) {
        let b = &self.b;
        let ((x_low, x_high), (y_low, y_high)) = (self.split(x), self.split(y));
        let out = self.scratch(function);
        let result = b.call(helper, b.t.i64, &[out, x_low, x_high, y_low, y_high]);
        let words = (0..out_words).map(|k| b.load(b.t.i64, b.offset(out, 8 * k), 8));
        (result, words.collect())
    }

    /// Division and remainder of 65 to 128 bits: a call of the runtime.
    pub fn divide_wide(&self, function: Value, i: Value) -> Result<Value> {
        let b = &self.b;
        let (ty, opcode) = (i.ty(), i.opcode());
        if ty.int_width() > 128 {
            bail!("a division of {} bits has no lowering", ty.int_width());
        }
        let helper = match opcode {
            LLVMUDiv => "__sbf_udiv128",
            LLVMURem => "__sbf_urem128",
            LLVMSDiv => "__sbf_sdiv128",
            _ => "__sbf_srem128",
        };
        let extend = |value| match Self::is_signed(opcode) {
            true => b.sext(value, b.t.i128),
            false => b.zext(value, b.t.i128),
        };
        let operands = (extend(i.operand(0)), extend(i.operand(1)));
        let (low, high) = self.call_helper(function, helper, operands, 1);
        Ok(b.trunc(self.join(low, high[0]), ty))
    }

    /// Signed division and remainder of at most 64 bits, by the unsigned one of the magnitudes.
    pub fn divide_signed(&self, i: Value) -> Value {
        let b = &self.b;
        let (x, y) = (b.sext(i.operand(0), b.t.i64), b.sext(i.operand(1), b.t.i64));
        let sign = b.t.i64.constant(63);
        let (x_sign, y_sign) = (b.ashr(x, sign), b.ashr(y, sign));
        let x = b.sub(b.xor(x, x_sign), x_sign);
        let y = b.sub(b.xor(y, y_sign), y_sign);
        let result = if i.opcode() == LLVMSRem {
            b.sub(b.xor(b.urem(x, y), x_sign), x_sign)
        } else {
            let sign = b.xor(x_sign, y_sign);
            b.sub(b.xor(b.udiv(x, y), sign), sign)
        };
        b.trunc(result, i.ty())
    }

    /// A shift of 65 to 128 bits by a variable amount.
    pub fn shift_wide(&self, i: Value) -> Result<Value> {
        let b = &self.b;
        let ty = i.ty();
        if ty.int_width() > 128 {
            bail!("a variable shift of {} bits has no lowering", ty.int_width());
        }
        let value = match i.opcode() {
            LLVMAShr => b.sext(i.operand(0), b.t.i128),
            _ => b.zext(i.operand(0), b.t.i128),
        };
        Ok(b.trunc(self.shift_128(i.opcode(), value, i.operand(1)), ty))
    }

    /// A 128-bit shift; `amount` is below 128.
    pub fn shift_128(&self, opcode: LLVMOpcode, value: Value, amount: Value) -> Value {
        let b = &self.b;
        let word = |k| b.t.i64.constant(k);
        let (low, high) = self.split(value);
        let amount = b.trunc(b.zext(amount, b.t.i128), b.t.i64);
        let within = b.and(amount, word(63));
        // The other word moves by 64 - within, in two steps because a shift by 64 is undefined.
        let rest = b.sub(word(63), within);
        let by_a_word = b.icmp(LLVMIntNE, b.and(amount, word(64)), word(0));
        if opcode == LLVMShl {
            let moved_low = b.shl(low, within);
            let carried = b.lshr(b.lshr(low, word(1)), rest);
            let moved_high = b.or(b.shl(high, within), carried);
            let low = b.select(by_a_word, word(0), moved_low);
            return self.join(low, b.select(by_a_word, moved_low, moved_high));
        }
        let arithmetic = opcode == LLVMAShr;
        let moved_high = if arithmetic {
            b.ashr(high, within)
        } else {
            b.lshr(high, within)
        };
        let fill = if arithmetic { b.ashr(high, word(63)) } else { word(0) };
        let carried = b.shl(b.shl(high, word(1)), rest);
        let moved_low = b.or(b.lshr(low, within), carried);
        let low = b.select(by_a_word, moved_high, moved_low);
        self.join(low, b.select(by_a_word, fill, moved_high))
    }
}
