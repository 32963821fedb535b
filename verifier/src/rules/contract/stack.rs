//! Where a stack starts: the entry function, and the trampolines that it calls.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::{Inst, InstructionData, Opcode, Value};

use crate::check::Check;
use crate::graph::{Edge, EdgeKind};
use crate::profile::Role;
use crate::rules::cc0114::RULE;
use crate::rules::{cc0107, cc0108, cc0113, cc0204};
use crate::state::{Fact, Since, State};

/// The entry calls its continuation's function where it was told to go on.
pub(crate) fn runs(c: &mut Check<'_>, inst: Inst, state: &State) {
    if !matches!(c.a.func.dfg.insts[inst], InstructionData::CallIndirect { .. }) {
        return;
    }
    once(c, inst, state);
    let told = is_told(c, EffectKind::Resume, state);
    c.contract(told, &cc0107::RULE, inst, "the function is called where the entry need not have been told to go on");
}

/// Nothing was called since control came here, and the continuation goes on.
fn once(c: &mut Check<'_>, inst: Inst, state: &State) {
    let before = match state.since {
        Since::Inst(i) => c.a.func.dfg.insts[i].opcode() == Opcode::CallIndirect,
        _ => false,
    };
    c.require(!before, &RULE, inst, "the function is called a second time");
    let ended = state.knows(Fact::Ended(c.a.active));
    c.contract(!ended, &cc0113::RULE, inst, "the function is called behind the continuation's end");
}

/// Is the word with which control came this effect?
pub(crate) fn is_told(c: &mut Check<'_>, effect: EffectKind, state: &State) -> bool {
    let code = c.a.profile.effect(effect);
    let code = c.a.syms.constant(code);
    let first = c.a.rpo[0];
    state.equals(code).any(|word| c.every_origin(word, &|a, s, _| a.is_switched(s) || a.param(s) == Some((first, 0))))
}

/// Is there nothing but jumps between a switch and an edge?
pub(crate) fn comes_from(c: &Check<'_>, edge: &Edge, switch: Inst) -> bool {
    let home = c.a.func.layout.inst_block(switch);
    let mut block = edge.from;
    for _ in 0..MAX_HOPS {
        if Some(block) == home {
            return true;
        }
        let mut edges = c.a.edges_to(block);
        match (edges.next(), edges.next()) {
            (Some(only), None) if only.is_always() || only.kind == EdgeKind::Returned => block = only.from,
            _ => return false,
        }
    }
    false
}

/// Was no record written since then? They are the next user's.
pub(crate) fn leaves_alone(c: &Check<'_>, state: &State) -> bool {
    let records = |base| base == c.a.store_context || c.a.is_contref(base);
    !state.cells().iter().any(|cell| records(cell.base) && c.a.func.dfg.insts[cell.by].opcode().can_store())
}

/// So many jumps are followed from a stack's last switch.
const MAX_HOPS: usize = 8;

/// Slots and types of a call's values behind its first argument.
struct Passed {
    params: Vec<(u32, Value)>,
    behind: u32,
    results: Vec<(u32, Value)>,
    /// The exception, where there are any.
    thrown: Option<Value>,
}

fn passed_by(c: &Check<'_>, call: Inst) -> Option<Passed> {
    let func = c.a.func;
    let InstructionData::CallIndirect { .. } = func.dfg.insts[call] else { return None };
    let size = |v: &Value| func.dfg.value_type(*v).bytes();
    let params = func.dfg.inst_args(call).get(1..)?;
    let (thrown, results) = match func.dfg.inst_results(call) {
        [exn, rest @ ..] if c.a.profile.throws() => (Some(*exn), rest),
        all => (None, all),
    };
    let (slots, behind) = c.a.profile.payload_layout(params.iter().map(size));
    let params = slots.into_iter().zip(params.iter().copied()).collect();
    let (slots, _) = c.a.profile.payload_layout(results.iter().map(size));
    let results = slots.into_iter().zip(results.iter().copied()).collect();
    Some(Passed { params, behind, results, thrown })
}

/// Is it loaded from this slot of the running continuation's payload, as it is?
fn is_loaded(c: &mut Check<'_>, v: Value, slot: u32) -> bool {
    let func = c.a.func;
    let v = c.a.resolve(v);
    let Some(inst) = func.dfg.value_def(v).inst() else { return false };
    let InstructionData::Load { opcode: Opcode::Load, .. } = func.dfg.insts[inst] else { return false };
    let at = c.a.profile.field(Role::Payload(slot)).offset;
    let active = c.a.active;
    c.a.access(inst).is_some_and(|access| access.base == active && access.offset == at)
}

/// A trampoline's call: arguments from the payload, the function from the slot
/// behind them.
pub(crate) fn passes(c: &mut Check<'_>, inst: Inst, state: &State) {
    once(c, inst, state);
    let func = c.a.func;
    let Some(passed) = passed_by(c, inst) else {
        c.require(false, &RULE, inst, "a trampoline calls nothing but its continuation's function");
        return;
    };
    let name = c.a.name.clone();
    if let Some((params, results)) = c.a.profile.enter_types(&name) {
        let types = |list: &[(u32, Value)]| -> Vec<String> {
            list.iter().map(|(_, v)| func.dfg.value_type(*v).to_string()).collect()
        };
        let same = types(&passed.params) == params && types(&passed.results) == results;
        c.contract(same, &cc0204::RULE, inst, "the types of the call are not those of the trampoline's name");
    }
    let function = func.dfg.inst_args(inst).first().copied();
    let whole = function
        .is_some_and(|v| func.dfg.value_type(v).bits() == c.a.profile.word_bits() && is_loaded(c, v, passed.behind));
    c.contract(whole, &cc0204::RULE, inst, "what is called is not the word in the payload slot behind the parameters");
    for (slot, v) in passed.params {
        let right = is_loaded(c, v, slot);
        c.contract(right, &cc0204::RULE, inst, "an argument is not what is in its payload slot");
    }
}

/// A trampoline's end: the results in the payload, or the exception.
pub(crate) fn passed(c: &mut Check<'_>, inst: Inst, state: &State) {
    let func = c.a.func;
    let called = match state.since {
        Since::Inst(i) => passed_by(c, i),
        _ => None,
    };
    let Some(passed) = called else {
        c.require(false, &RULE, inst, "the trampoline returns without having called the function");
        return;
    };
    c.notes.returned = true;
    if let Some(exn) = passed.thrown {
        let exn = c.a.value(exn);
        let given = func.dfg.inst_args(inst).first().map(|v| c.a.value(*v));
        let same = given.is_some_and(|given| state.same(given, exn));
        c.contract(same, &cc0108::RULE, inst, "the trampoline does not hand on what the function threw");
        if state.knows(Fact::NonNull(exn)) {
            return;
        }
    }
    for (slot, v) in passed.results {
        let at = c.a.profile.field(Role::Payload(slot)).offset;
        let (value, size) = (c.a.value(v), func.dfg.value_type(v).bytes());
        let stored = state.cell(c.a.active, at).is_some_and(|cell| {
            cell.value == value && cell.size == size && func.dfg.insts[cell.by].opcode().can_store()
        });
        c.contract(stored, &cc0204::RULE, inst, "a result is not in its payload slot when the trampoline returns");
    }
}
