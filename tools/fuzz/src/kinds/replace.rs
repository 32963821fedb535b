//! Another value, another callee, another block.

use cranelift_codegen::ir::{BlockCall, FuncRef, Function, InstructionData};
use fastrand::Rng;

use crate::func::{available, edge_args, edges, edges_mut, operand as get, set_operand, target as block_of};
use crate::scope::Site;

/// Another value of the same type that is there.
pub(super) fn operand(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    let at = rng.choice(site.operands.iter().copied())?;
    let old = get(func, site.inst, at)?;
    let mut others = available(func, site.inst, func.dfg.value_type(old));
    others.retain(|v| func.dfg.resolve_aliases(*v) != old);
    let new = rng.choice(others)?;
    set_operand(func, site.inst, at, new)
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

fn another(func: &Function, old: FuncRef, rng: &mut Rng) -> Option<FuncRef> {
    let signature = |f: FuncRef| &func.dfg.signatures[func.dfg.ext_funcs[f].signature];
    let others = func.dfg.ext_funcs.keys().filter(|f| *f != old && signature(*f) == signature(old));
    rng.choice(others.collect::<Vec<_>>())
}
