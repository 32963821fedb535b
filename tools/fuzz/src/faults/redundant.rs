//! Checks that cannot fail: to leave one out, or to weaken it, is no fault.
//!
//! Decided on the function's text alone, not by what the verifier thinks: a
//! contref cannot be null that was tested before, that a switch gave or that the
//! pool did; a revision is current that was loaded from, or stored to, the same
//! contref, and nobody else ran since.

use clif_cont_abi::symbols;
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{Function, Inst, InstructionData, Opcode, Value};

use crate::func::{Operand, callee, def, edge_args, edges, inner_param, insts, opcode, operand, predecessors, target};
use crate::scope::is_switch;

/// The value that a check tests, without what tests it for zero.
fn tested(func: &Function, check: Inst) -> Option<Value> {
    let v = operand(func, check, Operand::Arg(0))?;
    match def(func, v).map(|d| func.dfg.insts[d]) {
        Some(InstructionData::IntCompare { args, .. }) => Some(func.dfg.resolve_aliases(args[0])),
        _ => Some(v),
    }
}

/// Can the contref that is tested not be null anyway?
pub(super) fn null_check(func: &Function, check: Inst) -> bool {
    let tree = DominatorTree::with_function(func, &ControlFlowGraph::with_function(func));
    tested(func, check).is_some_and(|v| never_null(func, &tree, v, check, &mut vec![]))
}

fn never_null(func: &Function, tree: &DominatorTree, v: Value, at: Inst, seen: &mut Vec<Value>) -> bool {
    let v = func.dfg.resolve_aliases(v);
    if seen.contains(&v) {
        return true;
    }
    seen.push(v);
    let before = insts(func).filter(|i| *i != at && tested(func, *i) == Some(v));
    for other in before {
        let known = match func.dfg.insts[other] {
            InstructionData::CondTrap { opcode: Opcode::Trapz, .. } => tree.dominates(other, at, &func.layout),
            InstructionData::Brif { blocks, .. } => blocks.iter().any(|edge| {
                let block = target(func, edge);
                predecessors(func, block).len() == 1
                    && !opcode_of_last(func, block).is_some_and(|o| o == Opcode::Trap)
                    && func.layout.inst_block(at).is_some_and(|b| tree.block_dominates(block, b))
            }),
            _ => false,
        };
        if known {
            return true;
        }
    }
    let Some(d) = def(func, v) else {
        let Some((block, i)) = inner_param(func, v) else { return false };
        return predecessors(func, block).into_iter().all(|(branch, s)| {
            let arg = edges(func, branch).get(s).and_then(|e| edge_args(func, e).get(i).copied());
            match arg.and_then(|a| a.as_value()) {
                Some(arg) => never_null(func, tree, arg, branch, seen),
                None => is_switch(func, branch),
            }
        });
    };
    if is_switch(func, d) || matches!(callee(func, d).as_deref(), Some(symbols::GROW)) {
        return true;
    }
    let pure = opcode(func, d) == Opcode::Band;
    pure && func.dfg.inst_args(d).first().is_some_and(|a| never_null(func, tree, *a, d, seen))
}

fn opcode_of_last(func: &Function, block: cranelift_codegen::ir::Block) -> Option<Opcode> {
    func.layout.last_inst(block).map(|last| opcode(func, last))
}

/// Is the revision that is compared known to be the one that is loaded?
pub(super) fn revision_check(func: &Function, check: Inst) -> bool {
    let Some(condition) = operand(func, check, Operand::Arg(0)).and_then(|v| def(func, v)) else { return false };
    let InstructionData::IntCompare { args, .. } = func.dfg.insts[condition] else { return false };
    let args = args.map(|a| func.dfg.resolve_aliases(a));
    (0..2).any(|n| {
        let Some(load) = def(func, args[n]) else { return false };
        let InstructionData::Load { arg: base, offset, .. } = func.dfg.insts[load] else { return false };
        let base = func.dfg.resolve_aliases(base);
        let witness = args[1 - n];
        let origin = |i: Inst| match func.dfg.insts[i] {
            InstructionData::Load { arg, offset: o, .. } => {
                i != load
                    && func.dfg.resolve_aliases(arg) == base
                    && o == offset
                    && func.dfg.inst_results(i).first() == Some(&witness)
            }
            InstructionData::Store { args: [stored, arg], offset: o, .. } => {
                func.dfg.resolve_aliases(arg) == base && o == offset && func.dfg.resolve_aliases(stored) == witness
            }
            _ => false,
        };
        // the optimiser may have left one load of the two
        witness == args[n] || all_paths_from(func, load, &origin)
    })
}

/// Do all ways to an instruction come from one that `origin` accepts, and is
/// there no call or switch in between?
fn all_paths_from(func: &Function, to: Inst, origin: &dyn Fn(Inst) -> bool) -> bool {
    let mut queue = vec![to];
    let mut seen = vec![];
    while let Some(from) = queue.pop() {
        let mut at = from;
        loop {
            match func.layout.prev_inst(at) {
                Some(before) if origin(before) => break,
                Some(before) if is_barrier(func, before) => return false,
                Some(before) => at = before,
                None => {
                    let Some(block) = func.layout.inst_block(at) else { return false };
                    let all = predecessors(func, block);
                    if all.is_empty() || seen.contains(&block) {
                        // the entry, or a circle: not from there
                        return false;
                    }
                    seen.push(block);
                    for (branch, _) in all {
                        if is_barrier(func, branch) {
                            return false;
                        }
                        queue.push(branch);
                    }
                    break;
                }
            }
        }
    }
    true
}

fn is_barrier(func: &Function, inst: Inst) -> bool {
    if is_switch(func, inst) {
        return true;
    }
    // making a stack consumes nothing
    let harmless = matches!(callee(func, inst).as_deref(), Some(symbols::GROW | symbols::NEW_SLOT));
    opcode(func, inst).is_call() && !harmless
}
