//! CC0204 payload-types.

use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::place::{Access, Kind};
use crate::profile::{FunctionRole, Role};
use crate::report::OperationKind;
use crate::report::Verdict;
use crate::state::{Since, State};
use crate::sym::Sym;

pub(crate) const RULE: Rule = Rule {
    id: "CC0204",
    name: "payload-types",
    statement: "Types and widths of payload values agree on both sides of a switch. On CLIF alone it is decided that \
                what is handed over fills the payload from its last value on without a gap (a value of two slots may \
                leave the first one); the rest takes the types of tags and continuations. Under `wasmtime-48` every value that a buffer's length counts is stored, in the buffer that belongs to the continuation's state.",
    why: "A slot that was not written holds what its last user left there: a value of another type, or an object that \
          nobody may have.",
    bugs: "wt #14085",
    help: "store every value of the payload before the switch",
    passing: examples::SWITCH,
    fault: &[(
        "    v23 = stack_switch v15, v0, v19\n",
        "    store notrap aligned region3 v22, v0+96\n    v23 = stack_switch v15, v0, v19\n",
    )],
};

/// A payload that is read or written: the running continuation's, that of what
/// came back, or of the object of an operation.
pub(crate) fn access(c: &mut Check<'_>, access: &Access, state: &State) {
    if c.a.role != FunctionRole::Program || !matches!(access.place.role(), Some(Role::Payload(_))) {
        return;
    }
    let kind = c.a.kind(access.base);
    let other =
        matches!(kind, Kind::Parent(_) | Kind::Last(_) | Kind::Driver | Kind::Found(..) | Kind::DriverRecord(_));
    c.require(!other, &RULE, access.inst, "the payload of a continuation is used that is not the operation's");
    // what a resumer's own payload holds is of no operation
    let resumed = match state.since {
        Since::Inst(i) => c.a.switch_kinds[i].is_some_and(OperationKind::installs_handlers),
        _ => false,
    };
    if access.stored.is_none() && access.base == c.a.active && resumed {
        let message = "the resumer's own payload is read where another continuation came back";
        c.fail(&RULE, Verdict::Violated, access.inst, message);
    }
}

/// What is stored of the running continuation's payload is stored on every path.
pub(crate) fn everywhere(c: &mut Check<'_>, inst: Inst, state: &State) {
    for (store, role) in state.dirty.iter().copied() {
        let Role::Payload(_) = role else { continue };
        let known = state.cell(c.a.active, c.a.profile.field(role).offset).is_some();
        if !known {
            let message = "a value of the payload is stored on some of the paths only";
            c.fail_with(&RULE, Verdict::Violated, inst, message, vec![(store, "stored here".into())]);
        }
    }
}

/// An exception is handed over.
pub(crate) fn exception(c: &mut Check<'_>, inst: Inst, contref: Sym, state: &State) {
    let cell = state.cell(contref, c.a.profile.field(Role::Payload(0)).offset).copied();
    let stored = cell.filter(|cell| c.a.func.dfg.insts[cell.by].opcode().can_store());
    c.require(stored.is_some(), &RULE, inst, "no exception is stored to the payload before the switch");
    let Some(cell) = stored else { return };
    let word = cell.size == c.a.profile.word_bytes();
    c.require(word, &RULE, inst, "what is stored to the payload is no exception reference");
    // the entry throws what was thrown, see CC0101
    if c.a.role == FunctionRole::Program {
        let some = c.is_non_null(cell.value, state);
        c.require(some, &RULE, inst, "what is raised in the continuation may be null");
    }
}

/// The payload of this ContRef is handed over.
pub(crate) fn filled(c: &mut Check<'_>, inst: Inst, contref: Sym, state: &State) {
    // what the operation itself supplies is written where it cannot fail any
    // more; what was bound before comes behind it
    let layout = &c.a.func.layout;
    let block = layout.inst_block(inst);
    // slots written, in order: cells are by offset, and so are slots
    let mut expected = 0;
    let mut gap = None;
    for cell in state.cells().iter().filter(|cell| cell.base == contref) {
        let Some(Role::Payload(slot)) = c.a.profile.contref_field(cell.offset).map(|f| f.role) else { continue };
        if !c.a.func.dfg.insts[cell.by].opcode().can_store() || layout.inst_block(cell.by) != block {
            continue;
        }
        let wide = cell.size > c.a.profile.field(Role::Payload(slot)).size;
        let aligned = slot == expected || (wide && slot == 1 && expected == 0);
        if !aligned && gap.is_none() {
            gap = Some(cell.by);
        }
        expected = slot + if wide { 2 } else { 1 };
    }
    match gap {
        None => c.proven(),
        Some(store) => c.fail_with(
            &RULE,
            Verdict::Violated,
            inst,
            "a payload slot is not written, though one behind it is",
            vec![(store, "written here".into())],
        ),
    }
}
