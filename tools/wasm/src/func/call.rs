//! Calls: direct, through a table, through a reference, and as tail calls.

use clif_cont_abi::Trap;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use wasmparser::Operator;

use super::Translator;
use crate::error::Result;
use crate::types::{Heap, Ty, TypeId};

/// A callee as a code address, or a function known by name.
enum Callee {
    Func(u32),
    Code(Value, TypeId),
}

impl Translator<'_, '_, '_> {
    /// Translates a call; `false` when it is none.
    pub(super) fn call(&mut self, op: &Operator<'_>) -> Result<bool> {
        let module = self.env.shared.module;
        let (callee, tail) = match *op {
            Operator::Call { function_index } => (Callee::Func(function_index), false),
            Operator::ReturnCall { function_index } => (Callee::Func(function_index), true),
            Operator::CallIndirect { type_index, table_index }
            | Operator::ReturnCallIndirect { type_index, table_index } => {
                let ty = module.type_ids[type_index as usize];
                let code = self.table_callee(table_index, ty)?;
                (Callee::Code(code, ty), matches!(op, Operator::ReturnCallIndirect { .. }))
            }
            Operator::CallRef { type_index } | Operator::ReturnCallRef { type_index } => {
                let ty = module.type_ids[type_index as usize];
                let reference = self.pop1()?;
                let code = self.callee(reference);
                (Callee::Code(code, ty), matches!(op, Operator::ReturnCallRef { .. }))
            }
            _ => return Ok(false),
        };
        self.emit_call(callee, tail)?;
        Ok(true)
    }

    fn emit_call(&mut self, callee: Callee, tail: bool) -> Result<()> {
        let shared = self.env.shared;
        let sig = match callee {
            Callee::Func(index) => shared.module.funcs[index as usize].sig.clone(),
            Callee::Code(_, ty) => shared.module.types.sig(ty, self.offset)?,
        };
        let args = self.pop_n(sig.params.len())?;
        let call = match callee {
            Callee::Func(index) => {
                let func = self.env.func(self.b.func, index);
                if tail { self.b.ins().return_call(func, &args) } else { self.b.ins().call(func, &args) }
            }
            Callee::Code(code, _) => {
                let signature = self.env.sig(self.b.func, shared.signature(&sig));
                if tail {
                    self.b.ins().return_call_indirect(signature, code, &args)
                } else {
                    self.b.ins().call_indirect(signature, code, &args)
                }
            }
        };
        if tail {
            self.reachable = false;
            return Ok(());
        }
        let mut results = self.b.inst_results(call).to_vec();
        if shared.throws() {
            let exn = results.remove(0);
            self.env.raise_if(&mut self.b, exn);
        }
        self.push_all(&sig.results, &results)
    }

    /// The code of a function reference, which may be null.
    pub(super) fn callee(&mut self, reference: Value) -> Value {
        self.trap_unless(reference, Trap::NullFunction);
        self.b.ins().load(self.env.shared.word(), MemFlagsData::trusted(), reference, 0)
    }

    /// The code of a table's element, after the checks of `call_indirect`.
    fn table_callee(&mut self, table: u32, ty: TypeId) -> Result<Value> {
        let index = self.pop1()?;
        let shared = self.env.shared;
        let (word, bytes) = (shared.word(), shared.target.abi.word());
        let slot = self.table_slot(table, index, Trap::UndefinedElement);
        let reference = self.b.ins().load(word, MemFlagsData::trusted(), slot, 0);
        self.trap_unless(reference, Trap::UninitializedElement);

        let types = &shared.module.types;
        let implied = match shared.module.tables[table as usize].elem_type {
            Ty::Ref { heap: Heap::Declared(elem), .. } => types.is_subtype(elem, ty),
            _ => false,
        };
        if !implied {
            let actual = self.b.ins().load(word, MemFlagsData::trusted(), reference, bytes);
            // types that may be called as `ty`: more than itself only where it is not final
            let mut matches = None;
            for id in types.subtypes(ty) {
                let equal = self.b.ins().icmp_imm_u(IntCC::Equal, actual, id.word() as i64);
                matches = Some(match matches {
                    Some(before) => self.b.ins().bor(before, equal),
                    None => equal,
                });
            }
            if let Some(matches) = matches {
                self.trap_unless(matches, Trap::IndirectCallType);
            }
        }
        Ok(self.b.ins().load(word, MemFlagsData::trusted(), reference, 0))
    }
}
