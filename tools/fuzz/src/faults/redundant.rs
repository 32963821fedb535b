//! Checks that cannot fail: to leave one out, or to weaken it, is no fault.
//!
//! Decided on the function's text alone, not by what the verifier thinks: a
//! contref cannot be null that was tested before, that a switch gave or that the
//! pool did, also if it was stored and loaded in between; a revision is current that was loaded from, or stored to, the same
//! contref, and nobody else ran since.

use clif_cont_verifier::Profile;
use clif_cont_verifier::profile::Callee;
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Function, Inst, InstructionData, Opcode, Value};

use crate::func::{
    Operand, callee, constant, def, edge_args, edges, inner_param, insts, opcode, operand, predecessors, target,
};
use crate::scope::{is_pure, is_switch};

/// The value that a check tests, without what tests it for zero.
fn tested(func: &Function, check: Inst) -> Option<Value> {
    let v = operand(func, check, Operand::Arg(0))?;
    match def(func, v).map(|d| func.dfg.insts[d]) {
        Some(InstructionData::IntCompare { args, .. }) => Some(word(func, args[0])),
        _ => Some(word(func, v)),
    }
}

/// What the contref of an object is, also of one in a value of two words, where
/// it is the lower one.
fn word(func: &Function, v: Value) -> Value {
    let mut v = func.dfg.resolve_aliases(v);
    while let Some(d) = def(func, v) {
        let wide = |v: Value| func.dfg.value_type(v).bits() == 128;
        let shifted = |v: Value| def(func, v).is_some_and(|d| opcode(func, d) == Opcode::Ishl);
        let next = match func.dfg.insts[d] {
            InstructionData::Unary { opcode: Opcode::Ireduce, arg } if wide(arg) => arg,
            InstructionData::Unary { opcode: Opcode::Uextend, arg } if wide(v) => arg,
            InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] } if wide(v) && shifted(x) => y,
            InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] } if wide(v) && shifted(y) => x,
            _ => break,
        };
        v = func.dfg.resolve_aliases(next);
    }
    v
}

/// Can the contref that is tested not be null anyway?
pub(super) fn null_check(func: &Function, check: Inst, profile: &Profile) -> bool {
    let tree = DominatorTree::with_function(func, &ControlFlowGraph::with_function(func));
    tested(func, check).is_some_and(|v| never_null(func, (&tree, profile), v, check, &mut vec![]))
}

fn never_null(
    func: &Function,
    (tree, profile): (&DominatorTree, &Profile),
    v: Value,
    at: Inst,
    seen: &mut Vec<Value>,
) -> bool {
    let v = word(func, v);
    if seen.contains(&v) {
        return true;
    }
    seen.push(v);
    for other in insts(func).filter(|i| *i != at && tested(func, *i) == Some(v)) {
        let known = match func.dfg.insts[other] {
            InstructionData::CondTrap { opcode: Opcode::Trapz, .. } => tree.dominates(other, at, &func.layout),
            InstructionData::Brif { blocks, .. } => non_null_edge(func, other).is_some_and(|edge| {
                let block = target(func, &blocks[edge]);
                predecessors(func, block).len() == 1
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
                // the branch that tests it may be the one that passes it on
                Some(arg) if tested(func, branch) == Some(word(func, arg)) => non_null_edge(func, branch) == Some(s),
                Some(arg) => never_null(func, (tree, profile), arg, branch, seen),
                None => is_switch(func, branch),
            }
        });
    };
    if is_switch(func, d)
        || callee(func, d).is_some_and(|c| matches!(profile.callee(&c), Callee::Grow | Callee::NewCont))
    {
        return true;
    }
    if let Some(stored) = forwarded(func, d, profile) {
        return never_null(func, (tree, profile), stored, d, seen);
    }
    let pure = opcode(func, d) == Opcode::Band;
    pure && func.dfg.inst_args(d).first().is_some_and(|a| never_null(func, (tree, profile), *a, d, seen))
}

/// The successor of a branch that a value other than 0 leads to.
fn non_null_edge(func: &Function, branch: Inst) -> Option<usize> {
    if opcode(func, branch) != Opcode::Brif {
        return None;
    }
    match def(func, operand(func, branch, Operand::Arg(0))?).map(|d| func.dfg.insts[d]) {
        Some(InstructionData::IntCompare { cond, args, .. }) if constant(func, args[1]) == Some(0) => match cond {
            IntCC::Equal => Some(1),
            IntCC::NotEqual => Some(0),
            _ => None,
        },
        Some(InstructionData::IntCompare { .. }) => None,
        _ => Some(0),
    }
}

/// What was stored where a value is loaded from, just before.
fn forwarded(func: &Function, load: Inst, profile: &Profile) -> Option<Value> {
    let InstructionData::Load { arg: to, offset: at, .. } = func.dfg.insts[load] else { return None };
    let mut inst = load;
    loop {
        inst = match func.layout.prev_inst(inst) {
            Some(before) => before,
            None => match predecessors(func, func.layout.inst_block(inst)?)[..] {
                [(branch, _)] => branch,
                _ => return None,
            },
        };
        match func.dfg.insts[inst] {
            InstructionData::Store { args: [v, base], offset, .. } if offset == at && same(func, base, to, 4) => {
                return Some(v);
            }
            // elsewhere in the same place; anything else might be there as well
            InstructionData::Store { args: [_, base], .. } if same(func, base, to, 4) => {}
            _ if opcode(func, inst).can_store() || is_barrier(func, inst, profile) => return None,
            _ => {}
        }
    }
}

/// Are two values computed alike?
fn same(func: &Function, a: Value, b: Value, depth: usize) -> bool {
    let (a, b) = (func.dfg.resolve_aliases(a), func.dfg.resolve_aliases(b));
    if a == b {
        return true;
    }
    let (Some(x), Some(y)) = (def(func, a), def(func, b)) else { return false };
    if depth == 0 || !is_pure(func, x) || opcode(func, x) != opcode(func, y) {
        return false;
    }
    let args = |i| func.dfg.inst_args(i);
    // what has no operands is compared as it is
    if args(x).is_empty() {
        return func.dfg.insts[x] == func.dfg.insts[y];
    }
    args(x).len() == args(y).len() && args(x).iter().zip(args(y)).all(|(a, b)| same(func, *a, *b, depth - 1))
}

/// Is the revision that is compared known to be the one that is loaded?
pub(super) fn revision_check(func: &Function, check: Inst, profile: &Profile) -> bool {
    let Some(condition) = operand(func, check, Operand::Arg(0)).and_then(|v| def(func, v)) else { return false };
    let InstructionData::IntCompare { args, .. } = func.dfg.insts[condition] else { return false };
    let args = args.map(|a| func.dfg.resolve_aliases(a));
    (0..2).any(|n| {
        let Some(load) = def(func, args[n]) else { return false };
        let InstructionData::Load { arg: base, offset, .. } = func.dfg.insts[load] else { return false };
        let witness = args[1 - n];
        let origin = |i: Inst| match func.dfg.insts[i] {
            InstructionData::Load { arg, offset: o, .. } => {
                i != load
                    && same(func, arg, base, 8)
                    && o == offset
                    && func.dfg.inst_results(i).first() == Some(&witness)
            }
            InstructionData::Store { args: [stored, arg], offset: o, .. } => {
                same(func, arg, base, 8) && o == offset && same(func, stored, witness, 8)
            }
            _ => false,
        };
        // the optimiser may have left one load of the two
        witness == args[n] || all_paths_from(func, load, &origin, profile)
    })
}

/// Do all ways to an instruction come from one that `origin` accepts, and is
/// there no call or switch in between?
fn all_paths_from(func: &Function, to: Inst, origin: &dyn Fn(Inst) -> bool, profile: &Profile) -> bool {
    let mut queue = vec![to];
    let mut seen = vec![];
    while let Some(from) = queue.pop() {
        let mut at = from;
        loop {
            match func.layout.prev_inst(at) {
                Some(before) if origin(before) => break,
                Some(before) if is_barrier(func, before, profile) => return false,
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
                        if is_barrier(func, branch, profile) {
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

fn is_barrier(func: &Function, inst: Inst, profile: &Profile) -> bool {
    if is_switch(func, inst) {
        return true;
    }
    let consumes_nothing =
        |c: String| matches!(profile.callee(&c), Callee::Grow | Callee::NewSlot | Callee::NewCont | Callee::Harmless);
    opcode(func, inst).is_call() && !callee(func, inst).is_some_and(consumes_nothing)
}
