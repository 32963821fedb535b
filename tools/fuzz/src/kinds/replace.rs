//! Another value, another callee, another block.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{BlockArg, BlockCall, FuncRef, Function, InstBuilder, InstructionData, Opcode, Value};
use fastrand::Rng;

use super::Outcome;
use crate::aspect::Aspect;
use crate::func::{
    available, constant, constant_before, def, edge_args, edges, edges_mut, opcode, operand as get, set_operand,
    target as block_of,
};
use crate::scope::{Site, is_switch};

/// Another value of the same type that is there; of what a switch gives, another
/// result.
pub(super) fn operand(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<Outcome> {
    if is_switch(func, site.inst) && rng.bool() {
        return result(func, site, rng).map(|()| Outcome::OtherResult);
    }
    value(func, site, rng).map(|()| Outcome::InPlace)
}

fn result(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    let InstructionData::TryCall { exception, .. } = func.dfg.insts[site.inst] else { return None };
    let signature = func.dfg.exception_tables[exception].signature();
    let results = func.dfg.signatures[signature].returns.len() as u32;
    let call = *edges(func, site.inst).first()?;
    let mut args = edge_args(func, &call);
    let all = args.iter_mut().filter_map(|a| match a {
        BlockArg::TryCallRet(n) => Some(n),
        _ => None,
    });
    let used = rng.choice(all.collect::<Vec<_>>())?;
    let other = rng.choice((0..results).filter(|n| n != used).collect::<Vec<_>>())?;
    *used = other;
    let block = block_of(func, &call);
    edges_mut(func, site.inst)[0] = BlockCall::new(block, args, &mut func.dfg.value_lists);
    Some(())
}

fn value(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    let at = rng.choice(site.operands.iter().copied())?;
    let old = get(func, site.inst, at)?;
    let mut others = available(func, site.inst, func.dfg.value_type(old));
    others.retain(|v| func.dfg.resolve_aliases(*v) != old);
    if site.aspect == Aspect::Pair {
        // the object before it was consumed is an object, too, which a program may hand on
        others.retain(|v| !is_next(func, old, *v));
    }
    let new = rng.choice(others)?;
    set_operand(func, site.inst, at, new)
}

/// Is it the other value plus one, or what is loaded from the same place, which a check
/// has found to be that?
fn is_next(func: &Function, sum: Value, other: Value) -> bool {
    let Some(InstructionData::Binary { opcode: Opcode::Iadd, args }) = def(func, sum).map(|i| func.dfg.insts[i]) else {
        return false;
    };
    let place = |v: Value| match func.dfg.insts[def(func, v)?] {
        InstructionData::Load { arg, offset, .. } => Some((func.dfg.resolve_aliases(arg), offset)),
        _ => None,
    };
    let is_other = |v: Value| {
        func.dfg.resolve_aliases(v) == func.dfg.resolve_aliases(other) || place(v).is_some() && place(v) == place(other)
    };
    args.into_iter().any(is_other) && args.into_iter().any(|v| constant(func, v) == Some(1))
}

/// Another function, or another block.
pub(super) fn target(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.whole {
        return None;
    }
    match func.dfg.insts[site.inst] {
        InstructionData::Call { func_ref, .. }
        | InstructionData::TryCall { func_ref, .. }
        | InstructionData::FuncAddr { func_ref, .. } => {
            let other = another(func, func_ref, rng)?;
            if let InstructionData::Call { func_ref, .. }
            | InstructionData::TryCall { func_ref, .. }
            | InstructionData::FuncAddr { func_ref, .. } = &mut func.dfg.insts[site.inst]
            {
                *func_ref = other;
            }
            return Some(());
        }
        InstructionData::UnaryGlobalValue { global_value: old, .. } => {
            let others: Vec<_> = func.global_values.keys().filter(|g| *g != old).collect();
            let other = rng.choice(others)?;
            if let InstructionData::UnaryGlobalValue { global_value, .. } = &mut func.dfg.insts[site.inst] {
                *global_value = other;
            }
            return Some(());
        }
        _ => {}
    }
    let all = edges(func, site.inst);
    let n = rng.choice(site.edges.iter().copied())?;
    let (old, args) = (block_of(func, &all[n]), edge_args(func, &all[n]));
    let types: Vec<_> = func.dfg.block_param_types(old).collect();
    let entry = func.layout.entry_block();
    let same = |b: &cranelift_codegen::ir::Block| {
        *b != old && Some(*b) != entry && func.dfg.block_param_types(*b).eq(types.iter().copied())
    };
    let block = rng.choice(func.layout.blocks().filter(same).collect::<Vec<_>>())?;
    let call = BlockCall::new(block, args, &mut func.dfg.value_lists);
    edges_mut(func, site.inst)[n] = call;
    Some(())
}

/// A return in place of a jump or a branch of the runtime.
pub(super) fn leave(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.runtime || !matches!(opcode(func, site.inst), Opcode::Jump | Opcode::Brif | Opcode::BrTable) {
        return None;
    }
    let types: Vec<_> = func.signature.returns.iter().map(|p| p.value_type).collect();
    let mut results = vec![];
    for ty in types {
        results.push(match rng.choice(available(func, site.inst, ty)) {
            Some(v) => v,
            None => constant_before(func, site.inst, ty, 0)?,
        });
    }
    FuncCursor::new(func).at_inst(site.inst).ins().return_(&results);
    func.layout.remove_inst(site.inst);
    Some(())
}

fn another(func: &Function, old: FuncRef, rng: &mut Rng) -> Option<FuncRef> {
    let signature = |f: FuncRef| &func.dfg.signatures[func.dfg.ext_funcs[f].signature];
    let others = func.dfg.ext_funcs.keys().filter(|f| *f != old && signature(*f) == signature(old));
    rng.choice(others.collect::<Vec<_>>())
}
