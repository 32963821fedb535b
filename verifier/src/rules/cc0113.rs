//! CC0113 ended-once.

use clif_cont_abi::SwitchModel;
use cranelift_codegen::ir::{Inst, Opcode, Value};

use super::{Rule, examples};
use crate::check::Check;
use crate::graph::Edge;
use crate::place::{Access, Kind};
use crate::profile::{Callee, FunctionRole, RecordKind, Role};
use crate::report::Verdict;
use crate::state::{Fact, Owed, Since, State};
use crate::transfer::{PoolUse, SwitchSite};

pub(crate) const RULE: Rule = Rule {
    id: "CC0113",
    name: "ended-once",
    statement: "However a continuation ends, its revision is incremented once, and its slot is put on the free list \
                once, or retired where the revision has reached its limit; its parent is read between its function and \
                its end. Functions that walk a chain end every stack of it. Programs never end a continuation themselves. A \
                slot has one user at a time: a new one is made only where none is free, and is cut off a reservation \
                once; of one that is taken an object is made.",
    why: "A slot that is free twice has two users; an object that survives its continuation runs the slot's next user.",
    bugs: "fx #253",
    help: "increment the revision and push the slot once, in the function that ends the continuation",
    passing: examples::ENTRY,
    fault: &[("    store notrap aligned region0 v18, v10+24\n", "")],
};

/// A store to the revision of a continuation that ends.
pub(crate) fn store(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.place.record() != Some(RecordKind::ContRef) || access.place.role() != Some(Role::Revision) {
        return;
    }
    let ends = matches!(c.a.role, FunctionRole::Entry | FunctionRole::Drop | FunctionRole::Reclaim);
    if !ends {
        // an object's own consumption is CC0003's
        if matches!(access.kind, Kind::Active | Kind::Parent(_) | Kind::Last(_) | Kind::Found(..))
            || c.a.role != FunctionRole::Program
        {
            c.fail(
                &RULE,
                Verdict::Violated,
                access.inst,
                "a continuation's revision is changed that no object was checked for",
            );
        }
        return;
    }
    if c.a.role == FunctionRole::Reclaim {
        super::contract::slots::abandons(c, access.inst, access.base, state);
    }
    begins(c, access);
    if c.a.role == FunctionRole::Entry {
        let parent = c.a.profile.field(Role::Parent).offset;
        let known = state.cell(access.base, parent).is_some();
        let message = "the continuation's parent was not read between its function and its end";
        c.require(known, &RULE, access.inst, message);
    }
    let Some(stored) = access.stored else { return };
    let value = c.a.value(stored);
    let current = state.cell(access.base, access.offset).map(|cell| cell.value);
    let next = current.map(|v| c.a.syms.add_const(v, 1, c.a.profile.word_bits()));
    let once = !state.knows(Fact::Ended(access.base));
    c.require(
        once && next == Some(value),
        &RULE,
        access.inst,
        "the end of a continuation does not increment its revision by one, once",
    );
}

/// A store to the head of the free list: its first slot is taken, or one is put in
/// front that has ended.
pub(crate) fn pool(c: &mut Check<'_>, access: &Access, state: &State) {
    let (Some(Role::Free), Some(stored)) = (access.place.role(), access.stored) else { return };
    let value = c.a.value(stored);
    let ends = matches!(c.a.role, FunctionRole::Entry | FunctionRole::Drop | FunctionRole::Reclaim);
    let message = match c.a.pool_use(access, value, state) {
        Some(PoolUse::Taken(_)) if ends => "a slot is taken where continuations end",
        Some(PoolUse::PutBack(_)) if !ends => "a slot is put on the free list where no continuation ends",
        Some(_) => return c.proven(),
        None => "what is stored as the first free slot is neither the next one nor one in front of the first",
    };
    c.fail(&RULE, Verdict::Violated, access.inst, message);
}

/// Control leaves, or goes round: what was taken has become a continuation.
pub(crate) fn taken(c: &mut Check<'_>, inst: Inst, state: &State) {
    super::cc0101::open(c, inst, state, &[Owed::Slot]);
}

/// A walk along a chain begins at its first stack.
fn begins(c: &mut Check<'_>, access: &Access) {
    let first = match c.a.role {
        FunctionRole::Drop => Kind::Handed,
        FunctionRole::Reclaim => Kind::Trapped,
        _ => return,
    };
    let Some((block, i)) = c.a.param(access.base) else { return };
    for edge in c.a.edges_to(block).copied().collect::<Vec<_>>() {
        if !c.a.is_back(&edge) && c.a.is_taken(&edge) {
            let begins = c.a.edge_arg(&edge, i).is_some_and(|s| c.a.kind(s) == first);
            c.require(begins, &RULE, access.inst, "the walk along the chain does not begin at its first stack");
        }
    }
}

/// A load of a stack's parent: the link holds something else once the slot is
/// free.
pub(crate) fn load(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.place.role() == Some(Role::Parent) && state.knows(Fact::Ended(access.base)) {
        let message = "the parent of a continuation is read after its end";
        c.fail(&RULE, Verdict::Violated, access.inst, message);
    }
}

/// A slot that was made has a use.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    if !c.a.callee_of(inst).is_some_and(Callee::is_harmless) {
        taken(c, inst, state);
    }
    if !matches!(c.a.callee_of(inst), Some(Callee::Grow | Callee::NewSlot)) {
        return;
    }
    let func = c.a.func;
    let Some(&slot) = func.dfg.inst_results(inst).first() else { return };
    let is_slot = |v: &Value| c.a.resolve(*v) == slot;
    // most uses are close behind
    let Some(here) = func.layout.inst_block(inst) else { return };
    let behind = std::iter::successors(Some(here), |b| func.layout.next_block(*b));
    let before = std::iter::successors(func.layout.prev_block(here), |b| func.layout.prev_block(*b));
    let mut insts = behind.chain(before).flat_map(|b| func.layout.block_insts(b));
    let used = insts.any(|i| func.dfg.inst_values(i).any(|v| is_slot(&v)));
    c.require(used, &RULE, inst, "a slot is made, and lost");
}

fn all_done(c: &mut Check<'_>, inst: Inst, state: &State) -> bool {
    let ended: Vec<_> = state
        .facts()
        .iter()
        .filter_map(|f| match f {
            Fact::Ended(k) => Some(*k),
            _ => None,
        })
        .collect();
    for k in &ended {
        let done = state.knows(Fact::Done(*k));
        c.require(done, &RULE, inst, "an ended continuation's slot is neither recycled nor retired");
        // the host has frames of its own for a stack that did not return
        let abandoned = c.a.role != FunctionRole::Entry && c.a.profile.switch_model() == SwitchModel::HostCall;
        let told = !abandoned || state.knows(Fact::Told(*k));
        c.require(told, &RULE, inst, "the host is not told that a stack was given up");
    }
    !ended.is_empty()
}

/// Stacks whose frames are given up are as if nothing had run on them.
fn starts_over(c: &mut Check<'_>, inst: Inst, state: &State) {
    let ended: Vec<Fact> = state.facts().iter().copied().filter(|f| matches!(f, Fact::Ended(_))).collect();
    for f in ended {
        if let Fact::Ended(contref) = f {
            super::contract::slots::context(c, inst, contref, state);
        }
    }
}

/// A walk along a chain comes to an end.
pub(crate) fn ends(c: &mut Check<'_>) {
    if !matches!(c.a.role, FunctionRole::Drop | FunctionRole::Reclaim) {
        return;
    }
    let func = c.a.func;
    let last = |b| func.layout.last_inst(b).filter(|i| func.dfg.insts[*i].opcode() == Opcode::Return);
    let returns = func.layout.blocks().filter(|b| c.a.is_reached(*b)).any(|b| last(b).is_some());
    let Some(first) = func.layout.entry_block().and_then(|b| func.layout.first_inst(b)) else { return };
    c.require(returns, &RULE, first, "the walk along the chain never ends");
}

/// The last switch of a stack.
pub(crate) fn ended(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let any = all_done(c, site.inst, state);
    let own = any && state.knows(Fact::Ended(c.a.active));
    c.require(own, &RULE, site.inst, "the continuation returns without its revision being incremented");
    // whoever ran in between may have made it another one's child
    let now = match (state.since, c.a.def(site.to)) {
        (Since::Inst(call), Some((load, _))) => c.a.graph.dominates(call, load, &c.a.func.layout),
        _ => true,
    };
    c.require(now, &RULE, site.inst, "the parent to which the continuation returns was read before its function ran");
}

/// The next turn of a walk along a chain.
pub(crate) fn turn(c: &mut Check<'_>, edge: &Edge, state: &State) {
    if !matches!(c.a.role, FunctionRole::Drop | FunctionRole::Reclaim) || !c.a.is_back(edge) {
        return;
    }
    let any = all_done(c, edge.inst, state);
    starts_over(c, edge.inst, state);
    let func = c.a.func;
    for (i, v) in func.dfg.block_params(edge.to).iter().enumerate() {
        let stack = c.a.value(*v);
        if !c.a.is_copy(*v) && c.a.is_marked(stack) {
            let next = c.a.edge_arg(edge, i).is_some_and(|n| c.a.kind(n) == Kind::Parent(stack));
            c.require(next, &RULE, edge.inst, "the walk along the chain does not go on at the stack's parent");
        }
    }
    c.require(any, &RULE, edge.inst, "a stack of the chain is passed without its continuation being ended");
}

/// The end of such a walk.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    match c.a.role {
        FunctionRole::Drop => {
            let any = all_done(c, inst, state);
            starts_over(c, inst, state);
            let outermost = state.facts().iter().any(|f| match *f {
                Fact::Equal(a, b) => [(a, b), (b, a)]
                    .into_iter()
                    .any(|(x, y)| matches!(c.a.kind(x), Kind::Last(_)) && state.knows(Fact::Ended(y))),
                _ => false,
            });
            c.require(any && outermost, &RULE, inst, "the walk along the chain does not end at its last ancestor");
        }
        FunctionRole::Reclaim => {
            all_done(c, inst, state);
            let at = c.a.profile.field(Role::Trapped).offset;
            let cleared = state.cell(c.a.store_context, at).is_some_and(|v| c.a.syms.as_const(v.value) == Some(0));
            c.require(cleared, &RULE, inst, "what was reclaimed can be reclaimed again");
        }
        _ => {}
    }
}
