//! References and globals.

use clif_cont_abi::Trap;
use clif_cont_program::ValType;
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{I32, I64};
use wasmparser::Operator;

use super::Translator;
use super::stack::Operand;
use crate::constant::Const;
use crate::error::Result;

impl Translator<'_, '_, '_> {
    /// Translates an operator on references; `false` when it is none.
    pub(super) fn reference(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::RefNull { hty } => {
                let ty = self.env.shared.module.heap_repr(hty, self.offset)?;
                let zero = self.b.ins().iconst(self.env.shared.word(), 0);
                let null = if ty == ValType::Cont { Operand::Two([zero, zero]) } else { Operand::One(zero) };
                self.stack.push(null);
            }
            Operator::RefFunc { function_index } => {
                let reference = self.env.descriptor(&mut self.b, function_index);
                self.push1(reference);
            }
            Operator::RefIsNull => {
                let reference = self.pop()?;
                let null = self.b.ins().icmp_imm_u(IntCC::Equal, reference.values()[0], 0);
                self.push_bool(null);
            }
            Operator::RefAsNonNull => {
                let reference = self.pop()?;
                self.trap_unless(reference.values()[0], Trap::NullReference);
                self.stack.push(reference);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A number that never changes is a constant; everything else is in memory.
    pub(super) fn global_get(&mut self, index: u32) -> Result<()> {
        let global = self.env.shared.module.globals[index as usize];
        if !global.mutable {
            let value = match global.init {
                Const::I32(v) => Some(self.b.ins().iconst(I32, i64::from(v as u32))),
                Const::I64(v) => Some(self.b.ins().iconst(I64, v)),
                Const::F32(v) => Some(self.b.ins().f32const(Ieee32::with_bits(v))),
                Const::F64(v) => Some(self.b.ins().f64const(Ieee64::with_bits(v))),
                Const::Null | Const::NullCont | Const::Func(_) | Const::I31(_) | Const::Object(_) => None,
            };
            if let Some(value) = value {
                self.push1(value);
                return Ok(());
            }
        }
        let name = self.env.shared.symbols.global(index);
        let address = self.env.symbol(&mut self.b, &name);
        self.load_operand(&[global.ty], address)
    }

    pub(super) fn global_set(&mut self, index: u32) -> Result<()> {
        let value = self.pop()?;
        let name = self.env.shared.symbols.global(index);
        let address = self.env.symbol(&mut self.b, &name);
        self.store_operand(value, address);
        Ok(())
    }
}
