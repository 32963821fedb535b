//! Two things change places.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Function, Opcode};
use fastrand::Rng;

use crate::aspect::Aspect;
use crate::func::{Operand, edge_args, edges, edges_mut, opcode, operand, set_operand, target};
use crate::scope::{self, Site};

/// Two different operands of one type, but not those of an instruction that
/// does not mind.
pub(super) fn operands(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    use cranelift_codegen::ir::Opcode::*;
    let symmetric = func.dfg.insts[site.inst].cond_code().is_some_and(|c| matches!(c, IntCC::Equal | IntCC::NotEqual));
    if symmetric || matches!(opcode(func, site.inst), Iadd | Imul | Band | Bor | Bxor) {
        return None;
    }
    let mut pairs = vec![];
    for (n, a) in site.operands.iter().enumerate() {
        for b in &site.operands[n + 1..] {
            let (Some(x), Some(y)) = (operand(func, site.inst, *a), operand(func, site.inst, *b)) else { continue };
            if x != y && func.dfg.value_type(x) == func.dfg.value_type(y) {
                pairs.push((*a, x, *b, y));
            }
        }
    }
    let (a, x, b, y) = rng.choice(pairs)?;
    set_operand(func, site.inst, a, y)?;
    set_operand(func, site.inst, b, x)
}

/// Two different successors.
pub(super) fn successors(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.whole {
        return None;
    }
    let all = edges(func, site.inst);
    let what: Vec<_> = all.iter().map(|e| (target(func, e), edge_args(func, e))).collect();
    let mut pairs = vec![];
    for a in 0..what.len() {
        pairs.extend((a + 1..what.len()).filter(|b| what[a] != what[*b]).map(|b| (a, b)));
    }
    if site.aspect == Aspect::Dispatch && !site.runtime && opcode(func, site.inst) == Opcode::BrTable {
        // which handler is served where is the program's own; the default comes first
        let first = EffectKind::Suspend.code() as usize + 1;
        pairs.retain(|(a, _)| *a < first);
    }
    let (a, b) = rng.choice(pairs)?;
    edges_mut(func, site.inst).swap(a, b);
    Some(())
}

/// The words of an object change places.
pub(super) fn words(func: &mut Function, site: &Site) -> Option<()> {
    let (contref, revision) = scope::words(func, site.inst)?;
    let [x, y] = [contref, revision].map(|i| operand(func, i, Operand::Arg(0)));
    set_operand(func, contref, Operand::Arg(0), y?)?;
    set_operand(func, revision, Operand::Arg(0), x?)
}
