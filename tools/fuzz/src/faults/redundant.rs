//! Checks that cannot fail, so that to leave one out, or to weaken it, is no
//! fault; and checks that cannot succeed, so that nothing behind them is one.
//!
//! Decided on the function's text alone, not by what the verifier thinks: a
//! contref cannot be null that was tested before, that a switch gave or that the
//! pool did, also if it was stored and loaded in between; a revision is current
//! that was loaded from, or stored to, the same contref, and nobody else ran
//! since. It is not when the one behind it was stored.

use clif_cont_verifier::Profile;
use clif_cont_verifier::profile::Callee;
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::immediates::Offset32;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, Value};

use crate::func::{
    Operand, callee, constant, def, edge_args, edges, inner_param, insts, opcode, operand, predecessors, target,
};
use crate::scope::{is_pure, is_switch};

/// The value that a check tests, without what tests it for zero.
fn tested(func: &Function, check: Inst) -> Option<Value> {
    let v = operand(func, check, Operand::Arg(0))?;
    Some(compared(func, v).map_or_else(|| word(func, v), |(_, args)| word(func, args[0])))
}

/// The comparison that a condition is, also one that a program tests once more, as
/// it does with what `ref.is_null` gave it.
fn compared(func: &Function, v: Value) -> Option<(IntCC, [Value; 2])> {
    let InstructionData::IntCompare { cond, args, .. } = func.dfg.insts[condition(func, v)?] else { return None };
    let inner = compared(func, args[0]).filter(|_| constant(func, args[1]) == Some(0));
    match (cond, inner) {
        (IntCC::Equal, Some((inner, words))) => Some((inner.complement(), words)),
        (IntCC::NotEqual, Some(inner)) => Some(inner),
        _ => Some((cond, args)),
    }
}

/// What defines a condition, also one that was extended to a program's word.
fn condition(func: &Function, v: Value) -> Option<Inst> {
    let d = def(func, v)?;
    match func.dfg.insts[d] {
        InstructionData::Unary { opcode: Opcode::Uextend, arg } => {
            def(func, arg).filter(|c| opcode(func, *c) == Opcode::Icmp).or(Some(d))
        }
        _ => Some(d),
    }
}

/// What the contref of an object is, also of one in a value of two words, where
/// it is the lower one.
fn word(func: &Function, v: Value) -> Value {
    let mut v = func.dfg.resolve_aliases(v);
    while let Some(d) = def(func, v) {
        let wide = |v: Value| func.dfg.value_type(v).bits() == 128;
        let shifted = |v: Value| def(func, v).is_some_and(|d| opcode(func, d) == Opcode::Ishl);
        // what is left of a word that was shifted up, in the lower half, is 0
        let empty = |v: Value| match def(func, v).map(|d| func.dfg.insts[d]) {
            Some(InstructionData::Unary { opcode: Opcode::Ireduce, arg }) => wide(arg) && shifted(arg),
            _ => false,
        };
        let next = match func.dfg.insts[d] {
            InstructionData::Unary { opcode: Opcode::Ireduce, arg } if wide(arg) => arg,
            InstructionData::Unary { opcode: Opcode::Uextend, arg } if wide(v) => arg,
            InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] } if wide(v) && shifted(x) => y,
            InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] } if wide(v) && shifted(y) => x,
            InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] } if empty(x) => y,
            InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] } if empty(y) => x,
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
            InstructionData::CondTrap { opcode, .. } => {
                let goes_on = opcode == Opcode::Trapz;
                tells_non_null(func, other) == Some(goes_on) && tree.dominates(other, at, &func.layout)
            }
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
    tells_non_null(func, branch).map(|holds| usize::from(!holds))
}

/// Is the value that an instruction tests other than 0 where its condition holds, or
/// where it does not?
fn tells_non_null(func: &Function, check: Inst) -> Option<bool> {
    match compared(func, operand(func, check, Operand::Arg(0))?) {
        Some((IntCC::Equal, args)) if constant(func, args[1]) == Some(0) => Some(false),
        Some((IntCC::NotEqual, args)) if constant(func, args[1]) == Some(0) => Some(true),
        Some(_) => None,
        None => Some(true),
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
    comparisons(func, check).into_iter().any(|(load, read)| {
        // the optimiser may have left one load of the two
        let own = func.dfg.inst_results(load).first() == Some(&read.witness);
        own || all_paths_from(func, load, read, profile, |i, read| match func.dfg.insts[i] {
            InstructionData::Load { arg, offset, .. } => {
                let loaded = func.dfg.inst_results(i).first() == Some(&read.witness);
                (i != load && read.is_at(func, arg, offset) && loaded).then_some(true)
            }
            InstructionData::Store { args: [stored, arg], offset, .. } if read.is_at(func, arg, offset) => {
                Some(same(func, stored, read.witness, 8))
            }
            _ => None,
        })
    })
}

/// Is the revision that is compared known to be the one behind it?
pub(super) fn fails(func: &Function, check: Inst, profile: &Profile) -> bool {
    comparisons(func, check).into_iter().any(|(load, read)| {
        all_paths_from(func, load, read, profile, |i, read| match func.dfg.insts[i] {
            InstructionData::Store { args: [stored, arg], offset, .. } if read.is_at(func, arg, offset) => {
                Some(follows(func, stored, read.witness))
            }
            _ => None,
        })
    })
}

/// Is it the sum of the other and a constant that is not 0?
fn follows(func: &Function, next: Value, v: Value) -> bool {
    let Some(InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] }) =
        def(func, next).map(|d| func.dfg.insts[d])
    else {
        return false;
    };
    let adds = |a, b| same(func, a, v, 8) && constant(func, b).is_some_and(|c| c != 0);
    adds(a, b) || adds(b, a)
}

/// A word of memory, and what it is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Read {
    base: Value,
    offset: Offset32,
    witness: Value,
}

impl Read {
    fn is_at(&self, func: &Function, base: Value, offset: Offset32) -> bool {
        offset == self.offset && same(func, base, self.base, 8)
    }

    /// The same in terms of one edge's arguments. Nothing where one of them is
    /// what a call came back with.
    fn before(self, func: &Function, block: Block, (branch, s): (Inst, usize)) -> Option<Self> {
        let call = edges(func, branch).get(s)?;
        let args = edge_args(func, call);
        let on_edge = |v: Value| match inner_param(func, v) {
            Some((b, i)) if b == block => args.get(i)?.as_value().map(|v| func.dfg.resolve_aliases(v)),
            _ => Some(v),
        };
        Some(Self { base: on_edge(self.base)?, witness: on_edge(self.witness)?, ..self })
    }
}

/// The loads that a check compares, each with what it compares them with.
fn comparisons(func: &Function, check: Inst) -> Vec<(Inst, Read)> {
    let Some(condition) = operand(func, check, Operand::Arg(0)).and_then(|v| def(func, v)) else { return vec![] };
    let InstructionData::IntCompare { args, .. } = func.dfg.insts[condition] else { return vec![] };
    let [a, b] = args.map(|a| func.dfg.resolve_aliases(a));
    let loaded = |(v, witness)| {
        let load = def(func, v)?;
        let InstructionData::Load { arg, offset, .. } = func.dfg.insts[load] else { return None };
        Some((load, Read { base: func.dfg.resolve_aliases(arg), offset, witness }))
    };
    [(a, b), (b, a)].into_iter().filter_map(loaded).collect()
}

/// Do all ways to an instruction come from one that `origin` accepts, behind
/// which there is neither one that it refuses, nor a call or a switch? Where
/// paths meet, the question is asked of what each of them hands over.
fn all_paths_from(
    func: &Function,
    to: Inst,
    read: Read,
    profile: &Profile,
    origin: impl Fn(Inst, &Read) -> Option<bool>,
) -> bool {
    let mut queue = vec![(to, read)];
    let mut seen = vec![];
    'paths: while let Some((from, read)) = queue.pop() {
        let mut at = from;
        while let Some(before) = func.layout.prev_inst(at) {
            match origin(before, &read) {
                Some(true) => continue 'paths,
                Some(false) => return false,
                None if is_barrier(func, before, profile) => return false,
                None => at = before,
            }
        }
        let Some(block) = func.layout.inst_block(at) else { return false };
        if seen.contains(&(block, read)) {
            // every turn of a circle began somewhere
            continue;
        }
        seen.push((block, read));
        let all = predecessors(func, block);
        if all.is_empty() {
            return false;
        }
        for edge in all {
            match read.before(func, block, edge) {
                Some(read) if !is_barrier(func, edge.0, profile) => queue.push((edge.0, read)),
                _ => return false,
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
