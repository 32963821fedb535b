//! CC0107 effect-decoded.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::{Inst, InstructionData, Opcode};
use smallvec::SmallVec;

use super::{Rule, examples};
use crate::check::Check;
use crate::graph::Edge;
use crate::place::{Access, Kind};
use crate::profile::{Callee, FunctionRole, Role};
use crate::report::{OperationKind, Verdict};
use crate::state::{Since, State};
use crate::sym::{Node, Sym};

pub(crate) const RULE: Rule = Rule {
    id: "CC0107",
    name: "effect-decoded",
    statement: "The result of every switch is told apart exhaustively before the operation goes on: every effect that \
                cannot occur there traps. Payload and results are read, and an object is made, only on the edge of the \
                one effect that they belong to. An effect that was told apart leads on, and not back to where it was not. \
                Under `wasmtime-48` the effect is above bit 32 of the word, and who came back is read from the chain.",
    why: "A payload read as something else lets a program forge references: a sandbox escape.",
    bugs: "wt #13028 (sandbox escape)",
    help: "branch on the effect code first, with a trap for every other code",
    passing: examples::RESUME,
    fault: &[("brif v27, block5, block6", "brif v27, block6, block5")],
};

/// An access through what came back, or to the payload.
pub(crate) fn access(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.stored.is_some() {
        return;
    }
    let role = access.place.role();
    if let Kind::Back(switched) = access.kind {
        came_back(c, access.inst, switched, role == Some(Role::Revision), state);
    } else if let (Some(Role::Payload(_)), Some(&switch)) = (role, state.undecoded.first()) {
        c.fail_with(
            &RULE,
            Verdict::Violated,
            access.inst,
            "a payload is read before the effect that came back is known",
            vec![(switch, "came back here".into())],
        );
    } else if let (Some(Role::Payload(slot)), Since::Inst(switch)) = (role, state.since) {
        raised(c, access, slot, switch, state);
    }
}

/// Where an exception is to be raised, it is all that there is in the payload.
fn raised(c: &mut Check<'_>, access: &Access, slot: u32, switch: Inst, state: &State) {
    let Some(word) = c.a.syms.find(Node::Switched(switch)) else { return };
    if access.base != c.a.active || state.codes(word) != 1 << c.a.profile.effect(EffectKind::ResumeThrow) {
        return;
    }
    if slot == 0 && access.size == c.a.profile.word_bytes() {
        return c.proven();
    }
    let message = "a payload is read where an exception is to be raised";
    c.fail_with(&RULE, Verdict::Violated, access.inst, message, vec![(switch, "came back here".into())]);
}

fn came_back(c: &mut Check<'_>, inst: Inst, switched: Sym, makes_object: bool, state: &State) {
    let codes = state.codes(switched);
    let suspends = c.a.profile.suspending_codes();
    // one of the effects with which a continuation ends
    let ended = codes.is_power_of_two() && codes & c.a.profile.ending_codes() != 0;
    // which of two suspends it was is a matter of types: the same layout serves both
    let holds = codes & !suspends == 0 || (ended && !makes_object);
    if holds {
        return c.proven();
    }
    let Node::Switched(switch) = c.a.syms.node(switched) else { return };
    let message = match (ended, makes_object) {
        (true, _) => "an object is made of a continuation that has ended",
        (_, true) => "an object is made of what came back, which on this path need not be suspended",
        _ => "a payload is read where more than one effect may have come back",
    };
    c.fail_with(&RULE, Verdict::Violated, inst, message, vec![(switch, "came back here".into())]);
}

/// A branch on the effect, one side of which is never taken.
pub(crate) fn dead_arm(c: &mut Check<'_>, edge: &Edge) {
    if c.a.func.dfg.insts[edge.inst].opcode() == Opcode::Brif {
        let message = "a branch on what came back always goes the same way";
        c.fail(&RULE, Verdict::Violated, edge.inst, message);
    }
}

/// Whether the program goes on with every effect that may occur, as far as
/// that does not depend on the handler table.
pub(crate) fn judge(c: &mut Check<'_>) {
    let switches: Vec<(Inst, OperationKind)> = c.notes.report.operations.iter().map(|o| (o.inst, o.kind)).collect();
    for (inst, kind) in switches {
        if c.a.switch_kinds[inst].is_none() || matches!(kind, OperationKind::Trap | OperationKind::Invoke) {
            continue;
        }
        let served = c.notes.served.get(&inst).copied().unwrap_or_default();
        let must = match kind {
            kind if kind.installs_handlers() => c.a.profile.ending_codes(),
            _ => c.a.expected_codes(kind),
        };
        c.require(served & must == must, &RULE, inst, "the operation does not go on with an effect that may end it");
        if kind.installs_handlers() {
            super::cc0201::dispatch(c, inst, served & c.a.profile.suspending_codes());
        }
    }
    unreachable_arms(c);
}

/// Code for what came back that nothing leads to. Where the operation goes on with no suspend
/// at all, though it has such code, its dispatch is wrong; otherwise the program has a reason.
fn unreachable_arms(c: &mut Check<'_>) {
    let func = c.a.func;
    let mut told: SmallVec<[Inst; 4]> = SmallVec::new();
    for inst in c.a.unreached() {
        let InstructionData::Load { arg, .. } = func.dfg.insts[inst] else { continue };
        let Some(Kind::Back(switched)) = c.a.known(arg).map(|s| c.a.kind(s)) else { continue };
        let Node::Switched(switch) = c.a.syms.node(switched) else { continue };
        if told.contains(&switch) {
            continue;
        }
        told.push(switch);
        let resumes = c.notes.report.operations.iter().any(|o| o.inst == switch && o.kind.installs_handlers());
        let served = c.notes.served.get(&switch).copied().unwrap_or_default();
        if resumes && served & c.a.profile.suspending_codes() == 0 {
            let message = "no branch leads to where a suspend is handled";
            c.fail_with(&RULE, Verdict::Violated, switch, message, vec![(inst, "what came back is used here".into())]);
        } else {
            c.fail(&RULE, Verdict::Violated, inst, "unreachable code uses what came back");
        }
    }
}

/// The operation is over, though the effect is not known.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    match state.undecoded.first() {
        None => c.proven(),
        Some(&switch) => c.fail_with(
            &RULE,
            Verdict::Violated,
            switch,
            "the program goes on without having excluded the effects that cannot occur here",
            vec![(inst, "it goes on here".into())],
        ),
    }
}

/// Control goes round behind the switch: that tells nothing of its effect.
pub(crate) fn circles(c: &mut Check<'_>, edge: &Edge, state: &State) {
    let layout = &c.a.func.layout;
    let behind = |switch: &Inst| {
        let home = layout.inst_block(*switch);
        home.is_some_and(|home| home != edge.to && c.a.graph.block_dominates(home, edge.to))
    };
    if state.undecoded.iter().any(behind) {
        return leave(c, edge.inst, state);
    }
    // what has just been told apart was not known where this leads to
    let told = state.decoded().iter().find(|(word, codes)| {
        let Node::Switched(switch) = c.a.syms.node(*word) else { return false };
        let before = c.a.edges_to(edge.to).filter(|e| !c.a.goes_round(e)).filter_map(|e| c.a.on_edge(e));
        behind(&switch) && before.fold(0, |all, state| all | state.codes(*word)) != *codes
    });
    if told.is_some() {
        let message = "an effect is told apart, and nothing is done with it";
        c.fail(&RULE, Verdict::Violated, edge.inst, message);
    }
}

/// A call: other code runs, or the host is handed what came back.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    match c.a.callee_of(inst) {
        None | Some(Callee::Trap) => return,
        Some(callee) if callee.is_harmless() => return,
        _ => leave(c, inst, state),
    }
    if c.a.role != FunctionRole::Invoke {
        return;
    }
    let args: Vec<Sym> = {
        let func = c.a.func;
        func.dfg.inst_args(inst).iter().map(|v| c.a.value(*v)).collect()
    };
    let called = 1 << c.a.profile.effect(EffectKind::HostCall);
    for arg in args {
        if let Kind::Back(switched) = c.a.kind(arg) {
            let only = state.codes(switched) == called;
            c.require(only, &RULE, inst, "a host function is called where the effect need not be a host call");
        }
    }
}
