//! CC0114 runtime-contract. What is demanded of each function is in
//! [`super::contract`].

use cranelift_codegen::ir::Inst;

use super::{Rule, cc0101, cc0113, contract, examples};
use crate::check::Check;
use crate::graph::Edge;
use crate::profile::{Callee, FunctionRole};
use crate::report::OperationKind;
use crate::state::{Since, State};

pub(crate) const RULE: Rule = Rule {
    id: "CC0114",
    name: "runtime-contract",
    statement: "A function of the runtime does what its callers take for granted, on every path that returns. The \
                entry runs its continuation when it is told to, ends it, and goes to the parent; a trampoline passes \
                the payload on as its name says, and the results back; the trap function goes to the driver and never \
                returns; a search gives the first handler on the way out, with its code, and gives up only behind the \
                last; a new slot is one of a reservation, with a fresh context; an invocation reports how it ended. Where another \
                rule says the same of every program, that one is reported as well.",
    why: "Every other rule believes these functions: a fault in one of them is a fault of all programs.",
    bugs: "",
    help: "do what `clif-cont-abi` says of the symbol, on every path",
    passing: examples::TRAMPOLINE,
    fault: &[("v1 = load.i64 notrap aligned region0 v0+72", "v1 = uload32.i64 notrap aligned region0 v0+72")],
};

/// A call that is no switch.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    contract::slots::asks(c, inst, state);
    match c.a.role {
        FunctionRole::Entry => contract::stack::runs(c, inst, state),
        FunctionRole::Enter => contract::stack::passes(c, inst, state),
        FunctionRole::Invoke if c.a.callee_of(inst) == Some(Callee::HostFunction) => {
            contract::driver::current(c, inst, state);
        }
        FunctionRole::NewSlot => contract::slots::reserves(c, inst, state),
        _ => {}
    }
}

/// A return.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    match c.a.role {
        FunctionRole::Entry | FunctionRole::Trap => {
            c.require(false, &RULE, inst, "the function returns, though there is nobody to return to");
        }
        FunctionRole::Enter => contract::stack::passed(c, inst, state),
        FunctionRole::SearchSuspend | FunctionRole::SearchSwitch => contract::search::found(c, inst, state),
        FunctionRole::NewSlot | FunctionRole::Grow => contract::slots::made(c, inst, state),
        FunctionRole::Begin => contract::slots::begun(c, inst, state),
        FunctionRole::Invoke => contract::driver::reported(c, inst, state),
        FunctionRole::Reclaim => contract::slots::reclaimed(c, inst, state),
        // where its walk ends is CC0113's
        FunctionRole::Drop => c.notes.returned = true,
        FunctionRole::Program | FunctionRole::Trampoline => {}
    }
}

/// An edge that leads back: only a walk, or a stack that is used again, goes in a
/// circle.
pub(crate) fn edge(c: &mut Check<'_>, edge: &Edge, state: &State) {
    if !c.a.goes_round(edge) {
        return;
    }
    let waited = |c: &Check<'_>, by: &dyn Fn(&Check<'_>, Inst) -> bool| match state.since {
        Since::Inst(i) => by(c, i),
        _ => false,
    };
    let holds = match c.a.role {
        FunctionRole::Entry => waited(c, &|c, i| {
            c.a.switch_kinds[i].is_some_and(OperationKind::ends) && contract::stack::comes_from(c, edge, i)
        }),
        FunctionRole::Invoke => {
            waited(c, &|c, i| c.a.callee_of(i) == Some(Callee::HostFunction)) && contract::driver::goes_on(c, edge)
        }
        FunctionRole::Program | FunctionRole::Drop | FunctionRole::Reclaim => true,
        role => role.is_search(),
    };
    c.require(holds, &RULE, edge.inst, "the function goes in a circle");
    if c.a.role == FunctionRole::Entry && holds {
        let quiet = contract::stack::leaves_alone(c, state);
        c.require(quiet, &RULE, edge.inst, "a record is written behind the continuation's end");
    }
}

/// What the function is for happens at all.
pub(crate) fn judge(c: &mut Check<'_>) {
    let needed: &[OperationKind] = match c.a.role {
        FunctionRole::Entry if c.a.profile.throws() => {
            &[OperationKind::Enter, OperationKind::Return, OperationKind::Throw]
        }
        FunctionRole::Entry => &[OperationKind::Enter, OperationKind::Return],
        FunctionRole::Trap => &[OperationKind::Trap],
        FunctionRole::Invoke => &[OperationKind::Invoke],
        FunctionRole::Drop | FunctionRole::Reclaim => &[OperationKind::End],
        _ => &[],
    };
    let func = c.a.func;
    let Some(first) = func.layout.entry_block().and_then(|b| func.layout.first_inst(b)) else { return };
    for kind in needed {
        let does = c.notes.report.operations.iter().any(|o| o.kind == *kind);
        let message = format!("the function has no `{}`", kind.name());
        match kind {
            OperationKind::Enter => c.require(does, &RULE, first, &message),
            OperationKind::End => c.contract(does, &cc0113::RULE, first, &message),
            _ => c.contract(does, &cc0101::RULE, first, &message),
        }
    }
    if !matches!(c.a.role, FunctionRole::Program | FunctionRole::Entry | FunctionRole::Invoke) {
        contract::ends(c);
    }
    let returns = !matches!(c.a.role, FunctionRole::Program | FunctionRole::Entry | FunctionRole::Trap);
    if returns {
        let done = c.notes.returned;
        c.require(done, &RULE, first, "the function never does what it is for, or never returns");
    }
}
