//! Optimising a program's function: what Cranelift makes of it, and what of that the
//! verifier of the protocol could not see in the result.
//!
//! A continuation that is handed the value that was just received from it is handed
//! what is in its payload already; the optimiser then removes the store. In the
//! result that looks like a store that was forgotten. So it is noted here.

use std::collections::BTreeMap;

use clif_cont_abi::{HostFn, Region, symbols};
use cranelift_codegen::ir::{ExternalName, Function, Inst, InstructionData, Opcode};
use cranelift_codegen::isa::TargetIsa;

use crate::compile::{CompileError, optimize};
use crate::{OperationTypes, ProgFunction};

impl ProgFunction {
    /// Replaces the function by what Cranelift's optimiser makes of it, at the level of
    /// `isa`'s flags. It must have passed [`crate::compile::verify`].
    ///
    /// # Errors
    ///
    /// What Cranelift cannot handle.
    pub fn optimize(&mut self, isa: &dyn TargetIsa) -> Result<(), CompileError> {
        let after = optimize(&self.func, isa)?;
        for (inst, offsets) in removed(self, &after) {
            let kept = self.kept.entry(inst).or_default();
            kept.extend(offsets);
            kept.sort_unstable();
            kept.dedup();
        }
        self.func = after;
        Ok(())
    }
}

/// The stores to payloads that an optimiser removed, by the operation that they were for:
/// a `cont.bind` in front of them, or the switch behind them in their block.
fn removed(before: &ProgFunction, after: &Function) -> BTreeMap<Inst, Vec<i32>> {
    let func = &before.func;
    let mut all = BTreeMap::new();
    for block in func.layout.blocks() {
        let mut offsets = vec![];
        let mut bind = None;
        for inst in func.layout.block_insts(block) {
            if let Some(OperationTypes::ContBind(..)) = before.operations.get(&inst) {
                bind = Some(inst);
            }
            if let Some(offset) = stored_to_payload(func, inst)
                && after.layout.inst_block(inst).is_none()
            {
                offsets.push(offset);
            }
            if is_switch(func, inst) && !offsets.is_empty() {
                all.insert(inst, std::mem::take(&mut offsets));
            }
        }
        if let Some(bind) = bind
            && !offsets.is_empty()
        {
            all.insert(bind, offsets);
        }
    }
    all
}

fn stored_to_payload(func: &Function, inst: Inst) -> Option<i32> {
    let InstructionData::Store { opcode: Opcode::Store, offset, .. } = func.dfg.insts[inst] else { return None };
    let region = func.dfg.insts[inst].memflags_data(&func.dfg)?.alias_region()?;
    (func.dfg.alias_regions[region].user_id == Region::Payload.id()).then_some(offset.into())
}

fn is_switch(func: &Function, inst: Inst) -> bool {
    match func.dfg.insts[inst] {
        InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => {
            let name = &func.dfg.ext_funcs[func_ref].name;
            [symbols::SWITCH, HostFn::Switch.symbol()].iter().any(|s| *name == ExternalName::testcase(s))
        }
        _ => func.dfg.insts[inst].opcode() == Opcode::StackSwitch,
    }
}
