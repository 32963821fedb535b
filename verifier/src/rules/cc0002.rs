//! CC0002 revision-check.

use clif_cont_abi::Trap;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Inst, InstructionData, Opcode, Value};

use super::{Rule, cc0005, examples};
use crate::check::Check;
use crate::graph::Edge;
use crate::place::Access;
use crate::profile::{Callee, FunctionRole, Role};
use crate::report::Verdict;
use crate::state::State;
use crate::sym::Sym;

pub(crate) const RULE: Rule = Rule {
    id: "CC0002",
    name: "revision-check",
    statement: "The witness of an object is compared for equality with the revision of the same contref, at full \
                width, and a mismatch traps, before anything else is read or written through the contref. No such \
                comparison is made and then not looked at.",
    why: "Without it an object that was used before runs whatever its continuation, or the slot's next user, waits \
          for.",
    bugs: "",
    help: "load the revision, compare it with the object's witness, and trap with `continuation already consumed` \
           where they differ",
    passing: examples::BIND,
    fault: &[("brif v4, block3, block4", "jump block3")],
};

/// Is a ContRef's content the operation's to use?
pub(crate) fn is_owned(c: &mut Check<'_>, access: &Access, state: &State) -> bool {
    state.obj(access.base).is_some_and(|o| o.stale.is_none()) || c.is_trusted(access.base, access.kind, state)
}

/// A check succeeds on this edge: on the other one the operation traps.
pub(crate) fn edge(c: &mut Check<'_>, edge: &Edge, state: &State) {
    let here = state.objs().iter().any(|o| o.check == edge.inst && o.bump.is_none());
    let func = c.a.func;
    if !here || c.a.role != FunctionRole::Program || func.dfg.insts[edge.inst].opcode() != Opcode::Brif {
        return;
    }
    let others: Vec<_> = c.a.edges_from(edge.from).filter(|e| e.to != edge.to).map(|e| e.to).collect();
    for mut to in others {
        // a branch to a jump to the trap
        let mut hops = 0;
        let traps = loop {
            let mut insts = func.layout.block_insts(to);
            let call = insts.rfind(|i| c.a.callee_of(*i) == Some(Callee::Trap));
            if let Some(call) = call {
                break c.a.trap_code(call) == Some(Trap::Consumed.code().into());
            }
            let next = c.a.edges_from(to).next().filter(|e| e.is_always()).map(|e| e.to);
            hops += 1;
            match next {
                Some(next) if hops < MAX_HOPS => to = next,
                _ => break false,
            }
        };
        let message = "where the revision is another one, the operation does not trap as on a consumed continuation";
        c.require(traps, &RULE, edge.inst, message);
    }
}

/// So many jumps are followed from a check to its trap.
const MAX_HOPS: usize = 8;

/// Every access to a ContRef beyond its revision.
pub(crate) fn access(c: &mut Check<'_>, access: &Access, state: &State) {
    let loads_revision = access.stored.is_none() && access.place.role() == Some(Role::Revision);
    if loads_revision || c.a.is_slot_contref(access.base) {
        return;
    }
    let runtime_pool = c.a.role == FunctionRole::Begin || access.place.role() == Some(Role::Parent);
    if runtime_pool && access_of_free(c, access) {
        return;
    }
    if is_owned(c, access, state) {
        c.proven();
    } else if state.obj(access.base).is_none() && !cc0005::narrowed(c, access, state) {
        c.fail(
            &RULE,
            Verdict::Violated,
            access.inst,
            "a continuation is used whose revision was not compared with the object's witness on this path",
        );
        cc0005::cut(c, access.inst, access.base);
    }
}

/// The head of the free list, before it is taken.
fn access_of_free(c: &mut Check<'_>, access: &Access) -> bool {
    c.every_origin(access.base, &|a, s, _| matches!(a.kind(s), crate::place::Kind::Free | crate::place::Kind::NewSlot))
}

/// Comparisons of revisions, and what a branch or a trap on a condition looks at.
pub(crate) fn compare(c: &mut Check<'_>, inst: Inst, data: &InstructionData) {
    if c.a.role != FunctionRole::Program {
        return;
    }
    match *data {
        InstructionData::IntCompare { args, cond: IntCC::Equal | IntCC::NotEqual, .. }
            if args.into_iter().any(|v| c.a.is_revision(v)) =>
        {
            c.notes.comparisons.push(inst);
        }
        // what it looks at was seen before
        InstructionData::Brif { arg, .. } | InstructionData::CondTrap { arg, .. }
            if !c.notes.comparisons.is_empty() =>
        {
            decides(c, arg, MAX_TERMS);
        }
        _ => {}
    }
}

/// A condition of more terms, one in another, is not taken apart.
const MAX_TERMS: u32 = 4;

fn decides(c: &mut Check<'_>, condition: Value, terms: u32) {
    let func = c.a.func;
    let Some(inst) = func.dfg.value_def(c.a.resolve(condition)).inst() else { return };
    match func.dfg.insts[inst] {
        InstructionData::IntCompare { .. }
            if !c.notes.decisions.insert(inst) || c.notes.comparisons.contains(&inst) => {}
        InstructionData::IntCompare { .. } | InstructionData::Unary { .. } | InstructionData::Binary { .. }
            if terms > 0 =>
        {
            for v in func.dfg.inst_args(inst) {
                decides(c, *v, terms - 1);
            }
        }
        _ => {}
    }
}

/// The ContRef whose revision it was loaded from.
fn revision_of(c: &mut Check<'_>, v: Value) -> Option<Sym> {
    let load = c.a.func.dfg.value_def(c.a.resolve(v)).inst()?;
    c.a.access(load).filter(|access| access.place.role() == Some(Role::Revision)).map(|access| access.base)
}

/// Was the comparison found to be missing where the continuation is used?
fn is_missed(c: &mut Check<'_>, comparison: Inst) -> bool {
    let args = c.a.func.dfg.inst_args(comparison).to_vec();
    let contrefs: Vec<Sym> = args.into_iter().filter_map(|v| revision_of(c, v)).collect();
    let found: Vec<Inst> = c.notes.report.findings.iter().filter(|f| f.rule == RULE.id).map(|f| f.inst).collect();
    found.into_iter().any(|inst| {
        let used = c.a.access(inst).map(|access| access.base).or_else(|| c.a.switch_site(inst).map(|site| site.to));
        // or it is the operand of a call that drops it
        let operand = || c.a.func.dfg.inst_args(inst).first().map(|v| c.a.value(*v));
        used.or_else(operand).is_some_and(|used| contrefs.contains(&used))
    })
}

/// An expression that is deeper is not gone through.
const MAX_DEPTH: u32 = 8;

/// Is a value computed with, directly or by way of other computations?
fn depends(c: &Check<'_>, inst: Inst, on: Value, depth: u32) -> bool {
    let func = c.a.func;
    func.dfg.inst_args(inst).iter().any(|v| {
        let v = c.a.resolve(*v);
        let def = func.dfg.value_def(v).inst().filter(|i| depth > 0 && c.a.only_computes(*i));
        v == on || def.is_some_and(|i| !func.dfg.insts[i].opcode().can_load() && depends(c, i, on, depth - 1))
    })
}

/// The comparison of a revision that nothing looks at: a check is missing, also
/// where it would have been one of an object that was just made.
pub(crate) fn judge(c: &mut Check<'_>) {
    let idle: Vec<Inst> = c.notes.comparisons.iter().copied().filter(|i| !c.notes.decisions.contains(*i)).collect();
    for inst in idle {
        let operands = |c: &mut Check<'_>, i: Inst| {
            let mut pair = c.a.func.dfg.inst_args(i).iter().map(|v| c.a.value(*v)).collect::<Vec<_>>();
            pair.sort_unstable();
            pair
        };
        let own = operands(c, inst);
        let others: Vec<Inst> =
            c.notes.comparisons.iter().copied().filter(|i| c.notes.decisions.contains(*i)).collect();
        if others.into_iter().any(|i| operands(c, i) == own) || is_used(c, inst) || is_missed(c, inst) {
            continue;
        }
        // the same in other terms
        let loaded: Vec<Value> = c.a.func.dfg.inst_args(inst).to_vec();
        let loaded: Vec<Value> = loaded.into_iter().filter(|v| revision_of(c, *v).is_some()).collect();
        let layout = &c.a.func.layout;
        let mut insts = layout.blocks().flat_map(|b| layout.block_insts(b)).filter(|i| c.notes.decisions.contains(*i));
        if insts.any(|i| loaded.iter().any(|v| depends(c, i, c.a.resolve(*v), MAX_DEPTH))) {
            continue;
        }
        c.fail(&RULE, Verdict::Violated, inst, "the comparison of the revision with the witness decides nothing");
    }
}

/// Is there any use of the instruction's results?
fn is_used(c: &Check<'_>, inst: Inst) -> bool {
    let func = c.a.func;
    let results = func.dfg.inst_results(inst);
    let used = |v: Value| results.contains(&func.dfg.resolve_aliases(v));
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).any(|i| func.dfg.inst_values(i).any(used))
}
