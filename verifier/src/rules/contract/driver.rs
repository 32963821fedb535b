//! The driver: how an invocation runs a stack, and what it reports.

use clif_cont_abi::{EffectKind, Trap};
use cranelift_codegen::ir::Inst;

use crate::check::Check;
use crate::graph::Edge;
use crate::place::Kind;
use crate::profile::{Callee, Role};
use crate::report::OperationKind;
use crate::rules::{cc0103, cc0105, cc0107, cc0108, cc0113};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;

fn cell(c: &Check<'_>, base: Sym, role: Role, state: &State) -> Option<Sym> {
    state.cell(base, c.a.profile.field(role).offset).map(|cell| cell.value)
}

/// The driver runs a stack: its own invocation's, which hangs on it, or the one
/// that called a host function that succeeded.
pub(crate) fn runs(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    current(c, site.inst, state);
    for origin in c.origins(site.to).unwrap_or_default() {
        let known = c.known_on(origin.edge, state);
        match c.a.kind(origin.value) {
            Kind::Handed => {
                let linked = cell(c, origin.value, Role::Parent, &known) == Some(site.from);
                c.contract(linked, &cc0103::RULE, site.inst, "the invocation's stack does not hang on its driver");
            }
            Kind::Back(word) => {
                let called = known.codes(word) == 1 << c.a.profile.effect(EffectKind::HostCall);
                c.contract(called, &cc0107::RULE, site.inst, "what came back is run though it called no host function");
                let status = succeeded(c, origin.value, &known);
                c.contract(
                    status,
                    &cc0108::RULE,
                    site.inst,
                    "the program goes on though its host function may have failed",
                );
            }
            _ => {}
        }
    }
}

/// The driver leaves, to a stack or to the host: until it is done it is the current one,
/// whatever it has stored since it was made so.
pub(crate) fn current(c: &mut Check<'_>, inst: Inst, state: &State) {
    let holds = c.arrivals(inst).into_iter().chain([None]).all(|edge| {
        let stored = cell(c, c.a.store_context, Role::Driver, &c.known_on(edge, state));
        stored.is_none_or(|driver| matches!(c.a.kind(driver), Kind::DriverRecord(_)))
    });
    c.contract(holds, &cc0105::RULE, inst, "the outer driver is put back before the invocation is over");
}

/// Does an edge lead to the driver's switch?
pub(crate) fn goes_on(c: &Check<'_>, edge: &Edge) -> bool {
    let mut block = edge.to;
    for _ in 0..MAX_HOPS {
        if c.a.func.layout.block_insts(block).any(|i| c.a.switch_kinds[i] == Some(OperationKind::Invoke)) {
            return true;
        }
        match c.a.edges_from(block).next().filter(|e| e.is_always()) {
            Some(next) => block = next.to,
            None => return false,
        }
    }
    false
}

/// So many jumps are followed to the driver's switch.
const MAX_HOPS: usize = 8;

/// Is the last host function's status 0?
fn succeeded(c: &mut Check<'_>, caller: Sym, state: &State) -> bool {
    let mut words = state.equals(c.a.zero);
    words.any(|s| is_status(c, s, Some(caller)))
}

/// Is it what calling a host function gave, for that caller?
fn is_status(c: &mut Check<'_>, s: Sym, caller: Option<Sym>) -> bool {
    let Some((call, _)) = c.a.def(s) else { return false };
    if c.a.callee_of(call) != Some(Callee::HostFunction) {
        return false;
    }
    let func = c.a.func;
    let given = func.dfg.inst_args(call).first().map(|v| c.a.value(*v));
    given.is_some_and(|given| caller.is_none_or(|caller| caller == given) && matches!(c.a.kind(given), Kind::Back(_)))
}

/// The outcome of an invocation is that of its last switch.
pub(crate) fn reported(c: &mut Check<'_>, inst: Inst, state: &State) {
    c.notes.returned = true;
    let func = c.a.func;
    let Some(&v) = func.dfg.inst_args(inst).first() else { return };
    let outcome = c.a.value(v);
    let outcome = whole(c, outcome);
    // where the paths of all outcomes meet
    for (edge, state) in ways(c, outcome, inst, state) {
        let value = edge.unwrap_or(outcome);
        match c.a.syms.as_const(value) {
            Some(0) => only(c, inst, EffectKind::Return, &state),
            Some(code) if code == u64::from(Trap::UncaughtException.code()) && c.a.profile.throws() => {
                only(c, inst, EffectKind::Throw, &state);
            }
            _ => stopped(c, inst, value, &state),
        }
    }
}

/// Without the bits that a return of 32 bits does away with.
fn whole(c: &Check<'_>, s: Sym) -> Sym {
    match c.a.syms.node(s) {
        Node::And(inner, m) if m == u64::from(u32::MAX) => inner,
        _ => s,
    }
}

/// What the outcome is on each edge into the block whose parameter it is.
fn ways(c: &mut Check<'_>, outcome: Sym, inst: Inst, state: &State) -> Vec<(Option<Sym>, State)> {
    let Some((block, i)) = c.a.param(outcome).filter(|(block, _)| *block != c.a.rpo[0]) else {
        return c.arrivals(inst).into_iter().map(|edge| (None, c.known_on(edge, state).into_owned())).collect();
    };
    let edges = c.a.edges_to(block);
    edges.filter_map(|e| c.a.edge_state(e).map(|state| (c.a.edge_arg(e, i), state))).collect()
}

/// The codes with which the driver's switch may have come back here.
fn codes(c: &Check<'_>, state: &State) -> u64 {
    let switches =
        c.a.rpo.iter().flat_map(|b| c.a.func.layout.block_insts(*b)).filter(|i| c.a.switch_kinds[*i].is_some());
    let words = switches.filter_map(|i| c.a.syms.find(Node::Switched(i)));
    words.fold(u64::MAX, |all, word| all & state.codes(word))
}

fn only(c: &mut Check<'_>, inst: Inst, effect: EffectKind, state: &State) {
    let holds = codes(c, state) == 1 << c.a.profile.effect(effect);
    c.contract(holds, &cc0107::RULE, inst, "the outcome that is reported is not that of the effect that came back");
}

/// The program was stopped: by a trap, a host function, or an effect that there
/// is none of. What was abandoned can be reclaimed.
fn stopped(c: &mut Check<'_>, inst: Inst, code: Sym, state: &State) {
    let trapped = cell(c, c.a.store_context, Role::Trapped, state);
    let from_there = trapped.is_some_and(|s| c.every_origin(s, &|a, s, _| matches!(a.kind(s), Kind::Back(_))));
    c.contract(from_there, &cc0113::RULE, inst, "where the abandoned chain begins is not stored for its reclamation");
    let handed = c.a.func.dfg.block_params(c.a.rpo[0]).first().copied().map(|v| c.a.value(v));
    let ended = handed.is_some_and(|own| cell(c, own, Role::Parent, state) == Some(c.a.zero));
    c.contract(ended, &cc0103::RULE, inst, "the abandoned chain does not end at the invocation's own stack");
    for origin in c.origins(code).unwrap_or_default() {
        let known = c.known_on(origin.edge, state);
        let holds = is_reason(c, origin.value, &known);
        c.contract(
            holds,
            &cc0107::RULE,
            inst,
            "the trap code that is reported is not the reason for which the program stopped",
        );
    }
}

fn is_reason(c: &mut Check<'_>, code: Sym, state: &State) -> bool {
    let came = codes(c, state);
    let is = |c: &Check<'_>, effect| came == 1 << c.a.profile.effect(effect);
    let store = c.a.store_context;
    if c.a.loaded_from(code) == Some((store, c.a.profile.field(Role::TrapCode).offset)) {
        // as the last trap left it
        return is(c, EffectKind::Trap) && cell(c, store, Role::TrapCode, state) == Some(code);
    }
    if is_status(c, code, None) {
        return is(c, EffectKind::HostCall) && state.knows(Fact::NonNull(code));
    }
    let mut served = vec![EffectKind::Return, EffectKind::HostCall, EffectKind::Trap];
    served.extend(c.a.profile.throws().then_some(EffectKind::Throw));
    let none = served.into_iter().all(|effect| came & (1 << c.a.profile.effect(effect)) == 0);
    none && c.a.syms.as_const(code) == Some(Trap::UnexpectedEffect.code().into())
}
