//! The calling convention: five 64-bit argument registers and one 64-bit result.
//!
//! Every definition, declaration and call whose function type does not fit is rewritten. The new signature follows
//! from the old type alone, so that both ends of an indirect call agree:
//! * aggregates and 128-bit integers are flattened to slots of at most 64 bits;
//! * a result of more than one slot is returned by its first slot in the register and the others through a pointer
//!   that comes as the first argument;
//! * of more than five slots, the first four are registers and the fifth points to the others.

use anyhow::{bail, Context, Result};
use llvm_sys::LLVMOpcode::{LLVMCall, LLVMRet};
use llvm_sys::LLVMTypeKind::*;

use super::ir::{function_type, Type, Value};
use super::ops::Lowering;

/// Arguments that are passed in registers.
const REGISTERS: usize = 5;

/// How a function type is passed.
struct Convention {
    /// The parameters and result as the program has them.
    params: Vec<Type>,
    result: Type,
    /// The slots of the result.
    result_slots: Vec<Type>,
    /// The slots of the arguments, with the pointer for the result first if there is one.
    slots: Vec<Type>,
    /// More than one slot of result.
    wide_result: bool,
    /// More slots than registers.
    spills: bool,
    /// The function type to use instead.
    ty: Type,
}

impl Convention {
    /// Slots that travel in the spill area.
    fn spilled(&self) -> usize {
        if self.spills {
            self.slots.len() - (REGISTERS - 1)
        } else {
            0
        }
    }
}

/// The stack space of a function for its own calls. One area each is enough: the callee reads the arguments in its
/// prologue, and the caller reads the results right after the call.
struct CallAreas {
    arguments: Option<Value>,
    results: Option<Value>,
}

impl Lowering<'_> {
    /// Rewrites the whole module to the calling convention.
    ///
    /// # Errors
    /// A type that cannot be passed, with the function it is in.
    pub fn lower_calls(&self) -> Result<()> {
        let module = self.b.module;
        let at = |f: Value| format!("in function `{}`", super::readable(&f.name()));
        for function in module.functions() {
            if !function.is_intrinsic() {
                self.rewrite_function(function).with_context(|| at(function))?;
            }
        }
        for function in module.functions() {
            if function.has_body() {
                self.rewrite_calls(function).with_context(|| at(function))?;
            }
            function.drop_sret();
        }
        Ok(())
    }

    /// The convention for a function type, or nothing when it fits as it is.
    fn convention(&self, ty: Type) -> Result<Option<Convention>> {
        let (params, result, variadic) = ty.signature();
        if variadic {
            bail!("variable arguments have no calling convention here");
        }
        let mut result_slots = vec![];
        self.flatten(result, &mut result_slots)?;
        let wide_result = result_slots.len() > 1;
        let mut slots = if wide_result { vec![self.b.t.ptr] } else { vec![] };
        for param in &params {
            self.flatten(*param, &mut slots)?;
        }
        let same_result = result_slots.is_empty() || result_slots == [result];
        let spills = slots.len() > REGISTERS;
        if same_result && !spills && slots == params {
            return Ok(None);
        }
        let mut registers = slots.clone();
        if spills {
            registers.truncate(REGISTERS - 1);
            registers.push(self.b.t.ptr);
        }
        let register = result_slots.first().copied().unwrap_or(self.b.t.void);
        let ty = function_type(register, &registers);
        Ok(Some(Convention {
            params,
            result,
            result_slots,
            slots,
            wide_result,
            spills,
            ty,
        }))
    }

    /// The slots of a type.
    fn flatten(&self, ty: Type, out: &mut Vec<Type>) -> Result<()> {
        match ty.kind() {
            LLVMVoidTypeKind => {}
            LLVMIntegerTypeKind if ty.int_width() > 128 => {
                bail!("an integer of {} bits cannot be passed", ty.int_width())
            }
            LLVMIntegerTypeKind if ty.int_width() > 64 => out.extend([self.b.t.i64; 2]),
            LLVMIntegerTypeKind | LLVMPointerTypeKind | LLVMDoubleTypeKind | LLVMFloatTypeKind => {
                out.push(ty);
            }
            LLVMStructTypeKind | LLVMArrayTypeKind => {
                for element in ty.elements() {
                    self.flatten(element, out)?;
                }
            }
            kind => bail!("a value of kind {kind:?} cannot be passed"),
        }
        Ok(())
    }

    /// A value as its slots.
    fn explode(&self, value: Value, out: &mut Vec<Value>) {
        let ty = value.ty();
        match ty.kind() {
            LLVMIntegerTypeKind if ty.int_width() > 64 => {
                let (low, high) = self.split(value);
                out.extend([low, high]);
            }
            LLVMStructTypeKind | LLVMArrayTypeKind => {
                for k in 0..ty.elements().len() {
                    self.explode(self.b.extract(value, k as u32), out);
                }
            }
            _ => out.push(value),
        }
    }

    /// A value of type `ty` from its slots.
    fn implode(&self, ty: Type, slots: &mut impl Iterator<Item = Value>) -> Result<Value> {
        let mut next = || {
            slots
                .next()
                .context("a value has fewer slots than its type, a defect of the builder")
        };
        match ty.kind() {
            LLVMIntegerTypeKind if ty.int_width() > 64 => {
                let (low, high) = (next()?, next()?);
                Ok(self.b.trunc(self.join(low, high), ty))
            }
            LLVMStructTypeKind | LLVMArrayTypeKind => {
                let mut value = ty.poison();
                for (k, element) in ty.elements().into_iter().enumerate() {
                    let part = self.implode(element, slots)?;
                    value = self.b.insert(value, part, k as u32);
                }
                Ok(value)
            }
            _ => next(),
        }
    }

    fn store_slot(&self, value: Value, area: Value, index: usize) {
        let b = &self.b;
        let value = if value.ty() == b.t.i1 {
            b.zext(value, b.t.i8)
        } else {
            value
        };
        b.store(value, b.offset(area, 8 * index as u64), 8);
    }

    fn load_slot(&self, ty: Type, area: Value, index: usize) -> Value {
        let b = &self.b;
        let stored = if ty == b.t.i1 { b.t.i8 } else { ty };
        b.trunc(b.load(stored, b.offset(area, 8 * index as u64), 8), ty)
    }

    /// Gives a function the signature of its convention.
    fn rewrite_function(&self, old: Value) -> Result<()> {
        let Some(convention) = self.convention(old.function_type())? else {
            return Ok(());
        };
        let name = old.name();
        old.clear_name();
        let new = self.b.module.add_function(&name, convention.ty);
        new.take_over_function(old);
        if new.has_body() {
            self.b.position_before(new.first_instruction());
            self.unpack_arguments(old, new, &convention)?;
            self.pack_results(new, &convention);
        }
        old.replace_with(new);
        old.delete_function();
        Ok(())
    }

    /// Rebuilds the old parameters at the start of the function.
    fn unpack_arguments(&self, old: Value, new: Value, convention: &Convention) -> Result<()> {
        let slots = &convention.slots;
        let in_registers = slots.len() - convention.spilled();
        let mut values: Vec<Value> = (0..in_registers).map(|k| new.param(k)).collect();
        if convention.spills {
            let area = new.param(REGISTERS - 1);
            for (k, slot) in slots[in_registers..].iter().enumerate() {
                values.push(self.load_slot(*slot, area, k));
            }
        }
        let mut values = values.into_iter().skip(usize::from(convention.wide_result));
        for (k, ty) in convention.params.iter().enumerate() {
            let value = self.implode(*ty, &mut values)?;
            old.param(k).replace_with(value);
        }
        Ok(())
    }

    /// Returns the first slot in the register and the others through the first argument.
    fn pack_results(&self, new: Value, convention: &Convention) {
        if convention.result_slots.is_empty() {
            return;
        }
        for ret in new.instructions() {
            if ret.opcode() != LLVMRet {
                continue;
            }
            self.b.position_before(ret);
            let mut slots = vec![];
            self.explode(ret.operand(0), &mut slots);
            for (k, slot) in slots.iter().enumerate().skip(1) {
                self.store_slot(*slot, new.param(0), k - 1);
            }
            self.b.ret(slots[0]);
            ret.erase();
        }
    }

    /// Makes the calls of a function follow the convention of what they call.
    fn rewrite_calls(&self, function: Value) -> Result<()> {
        let mut calls = vec![];
        for call in function.instructions() {
            if call.opcode() != LLVMCall || call.callee().is_inline_asm() {
                continue;
            }
            if call.callee().as_function().is_some_and(Value::is_intrinsic) {
                continue;
            }
            if let Some(convention) = self.convention(call.called_type())? {
                calls.push((call, convention));
            }
        }
        let most = |words: fn(&Convention) -> usize| calls.iter().map(|(_, c)| words(c)).max().unwrap_or(0);
        let area = |words: usize| (words > 0).then(|| self.b.stack_words(function, words));
        let areas = CallAreas {
            arguments: area(most(Convention::spilled)),
            results: area(most(|c| c.result_slots.len().saturating_sub(1))),
        };
        for (call, convention) in calls {
            self.rewrite_call(call, &convention, &areas)?;
        }
        Ok(())
    }

    fn rewrite_call(&self, call: Value, convention: &Convention, areas: &CallAreas) -> Result<()> {
        self.b.position_before(call);
        let mut slots: Vec<Value> = vec![];
        if convention.wide_result {
            slots.extend(areas.results);
        }
        for k in 0..convention.params.len() {
            self.explode(call.argument(k), &mut slots);
        }
        if let (true, Some(area)) = (convention.spills, areas.arguments) {
            for (k, slot) in slots.drain(REGISTERS - 1..).enumerate() {
                self.store_slot(slot, area, k);
            }
            slots.push(area);
        }
        let new = self.b.call_value(convention.ty, call.callee(), &slots);
        new.take_over_call(call);
        if !convention.result_slots.is_empty() {
            let mut values = vec![new];
            if let (true, Some(area)) = (convention.wide_result, areas.results) {
                for (k, slot) in convention.result_slots[1..].iter().enumerate() {
                    values.push(self.load_slot(*slot, area, k));
                }
            }
            let result = self.implode(convention.result, &mut values.into_iter())?;
            call.replace_with(result);
        }
        call.erase();
        Ok(())
    }
}
