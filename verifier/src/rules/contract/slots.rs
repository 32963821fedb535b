//! The stack pool: new slots, and what is done with those of a dead chain.

use cranelift_codegen::ir::Inst;

use crate::check::Check;
use crate::place::Kind;
use crate::profile::{Callee, FunctionRole, Role};
use crate::rules::{cc0101, cc0103, cc0113};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};

/// Memory is reserved for slots only: aligned to them, and not beyond their
/// number.
pub(crate) fn reserves(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.callee_of(inst) != Some(Callee::Reserve) {
        return;
    }
    let func = c.a.func;
    let args: Vec<Option<u64>> = func
        .dfg
        .inst_args(inst)
        .iter()
        .map(|v| {
            let s = c.a.value(*v);
            c.a.syms.as_const(s)
        })
        .collect();
    let (bytes, align) = (c.a.profile.reservation_bytes(), c.a.profile.stack.slot_size);
    let holds = args == [Some(bytes), Some(align)];
    c.contract(holds, &cc0113::RULE, inst, "the reservation has not the size and the alignment of its slots");
    let limit = c.a.profile.max_slots();
    let (store, at) = (c.a.store_context, c.a.profile.field(Role::Slots).offset);
    let few = state.facts().iter().any(|f| match *f {
        Fact::Below(n, k) => c.a.syms.as_const(k) == Some(limit) && c.a.loaded_from(n) == Some((store, at)),
        _ => false,
    });
    c.contract(few, &cc0113::RULE, inst, "more slots are made than a store may have");
    let field = |c: &Check<'_>, s: Sym, role| c.a.loaded_from(s) == Some((store, c.a.profile.field(role).offset));
    let used_up = state.facts().iter().any(|f| match *f {
        Fact::Equal(a, b) => {
            [(a, b), (b, a)].into_iter().any(|(a, b)| field(c, a, Role::NextSlot) && field(c, b, Role::SlotsEnd))
        }
        _ => false,
    });
    c.contract(used_up, &cc0113::RULE, inst, "memory is reserved though the last reservation is not used up");
}

/// A slot is made only where none is free.
pub(crate) fn asks(c: &mut Check<'_>, inst: Inst, state: &State) {
    if !matches!(c.a.callee_of(inst), Some(Callee::Grow | Callee::NewSlot)) || c.a.role == FunctionRole::Grow {
        return;
    }
    let none = state.equals(c.a.zero).any(|s| c.a.kind(s) == Kind::Free);
    c.contract(none, &cc0113::RULE, inst, "a slot is made though there may be a free one");
}

/// A stack of a dead chain is given up: there is one, and it is no driver's.
pub(crate) fn abandons(c: &mut Check<'_>, inst: Inst, stack: Sym, state: &State) {
    let driver = state.facts().iter().any(|f| match *f {
        Fact::Differ(a, b) => {
            (a == stack && c.a.kind(b) == Kind::Driver) || (b == stack && c.a.kind(a) == Kind::Driver)
        }
        _ => false,
    });
    let some = state.knows(Fact::NonNull(stack));
    c.contract(some && driver, &cc0113::RULE, inst, "the walk along the chain may go beyond its last stack");
}

/// A function that makes slots returns.
pub(crate) fn made(c: &mut Check<'_>, inst: Inst, state: &State) {
    let func = c.a.func;
    let Some(&v) = func.dfg.inst_args(inst).first() else { return };
    let contref = c.a.value(v);
    if c.a.role == FunctionRole::Grow {
        c.notes.returned = true;
        let new = c.a.kind(contref) == Kind::NewSlot && c.is_non_null(contref, state);
        c.contract(new, &cc0113::RULE, inst, "no slot is given, and nothing traps");
        return;
    }
    if c.a.syms.as_const(contref) == Some(0) {
        refused(c, inst, state);
        return;
    }
    c.notes.returned = true;
    let formula = c.a.is_slot_contref(contref);
    c.contract(formula, &cc0113::RULE, inst, "the ContRef is not where the slot's own code will look for it");
    context(c, inst, contref, state);
    let at = |c: &Check<'_>, base, role| state.cell(base, c.a.profile.field(role).offset).map(|cell| cell.value);
    let store = c.a.store_context;
    let owner = at(c, contref, Role::Store) == Some(store);
    c.contract(owner, &cc0113::RULE, inst, "the slot does not say to which store it belongs");
    let slots = c.a.profile.field(Role::Slots).offset;
    let counted = at(c, store, Role::Slots).is_some_and(|n| {
        let (before, add) = c.a.syms.split_add(n);
        add == 1 && c.a.loaded_from(before) == Some((store, slots))
    });
    c.contract(counted, &cc0113::RULE, inst, "the slot is not counted");
    // the slot is cut off what is left of the reservation, or of a new one
    let Some(base) = c.a.slot_of(contref) else { return };
    let (size, bits) = (c.a.profile.stack.slot_size, c.a.profile.word_bits());
    let next = c.a.syms.add_const(base, size, bits);
    let cut = at(c, store, Role::NextSlot) == Some(next);
    c.contract(cut, &cc0113::RULE, inst, "the next slot is not the one behind this");
    let guarded = state.knows(Fact::Told(base));
    c.contract(guarded, &cc0113::RULE, inst, "the host is not told of the slot's guard");
    let origins = c.origins(base).unwrap_or_default();
    let unused = !origins.is_empty()
        && origins.iter().all(|o| {
            let known = c.known_on(o.edge, state);
            is_unused(c, o.value, &known)
        });
    c.contract(unused, &cc0113::RULE, inst, "the slot is neither the next one nor the first of a reservation");
}

/// Is it the base of memory that nobody uses, up to the end that the store
/// knows of?
fn is_unused(c: &mut Check<'_>, base: Sym, state: &State) -> bool {
    let store = c.a.store_context;
    let (next, end) = (c.a.profile.field(Role::NextSlot).offset, c.a.profile.field(Role::SlotsEnd).offset);
    if c.a.loaded_from(base) == Some((store, next)) {
        return state.facts().iter().any(|f| match *f {
            Fact::Differ(a, b) => {
                let other = if a == base { b } else { a };
                (a == base || b == base) && c.a.loaded_from(other) == Some((store, end))
            }
            _ => false,
        });
    }
    let reserved = c.a.def(base).is_some_and(|(i, _)| c.a.callee_of(i) == Some(Callee::Reserve));
    let behind = c.a.syms.add_const(base, c.a.profile.reservation_bytes(), c.a.profile.word_bits());
    let known = state.cell(store, end).is_some_and(|cell| cell.value == behind);
    reserved && known && state.knows(Fact::NonNull(base))
}

/// No slot is made only where there is no memory, or there are too many.
fn refused(c: &mut Check<'_>, inst: Inst, state: &State) {
    let limit = c.a.profile.max_slots();
    let zero = c.a.zero;
    let arrivals = c.arrivals(inst);
    let holds = arrivals.into_iter().all(|edge| {
        let state = c.known_on(edge, state);
        let many = |f: &Fact| matches!(*f, Fact::NotBelow(_, k) if c.a.syms.as_const(k) == Some(limit));
        let reserved = |s| c.a.def(s).is_some_and(|(i, _)| c.a.callee_of(i) == Some(Callee::Reserve));
        state.facts().iter().any(many) || state.equals(zero).any(reserved)
    });
    c.contract(holds, &cc0113::RULE, inst, "no slot is made though there may be memory for one");
}

/// The control context of a stack on which nothing has run.
pub(crate) fn context(c: &mut Check<'_>, inst: Inst, contref: Sym, state: &State) {
    let at = |c: &Check<'_>, role| state.cell(contref, c.a.profile.field(role).offset).map(|cell| cell.value);
    let bias = u64::from(c.a.profile.initial_sp_bias());
    let top = c.a.syms.add_const(contref, bias.wrapping_neg(), c.a.profile.word_bits());
    let sp = at(c, Role::ContextSp) == Some(top);
    c.contract(sp, &cc0101::RULE, inst, "the stack pointer of a fresh context is not the top of its stack");
    let fp = at(c, Role::ContextFp) == Some(c.a.zero);
    c.contract(fp, &cc0101::RULE, inst, "the frame pointer of a fresh context is not 0");
    let pc = at(c, Role::ContextPc).is_some_and(|pc| match c.a.syms.node(pc) {
        Node::FuncAddr(f) => c.a.is_named(f, c.a.profile.entry_symbol()),
        _ => false,
    });
    c.contract(pc, &cc0101::RULE, inst, "a fresh context does not start in the entry function");
}

/// The slot of an invocation: one of its own, alone in its chain, or none.
pub(crate) fn begun(c: &mut Check<'_>, inst: Inst, state: &State) {
    c.notes.returned = true;
    let func = c.a.func;
    let Some(&v) = func.dfg.inst_args(inst).first() else { return };
    let contref = c.a.value(v);
    let at = c.a.profile.field(Role::LastAncestor).offset;
    let zero = c.a.zero;
    for edge in c.arrivals(inst) {
        let state = c.known_on(edge, state);
        let slot = c.on_edge(edge, contref);
        let none = state.same(slot, zero);
        let alone = state.cell(slot, at).is_some_and(|cell| cell.value == slot);
        let own = state.knows(Fact::Taken(slot));
        c.contract(none || own, &cc0113::RULE, inst, "what is given is no slot of the pool");
        c.contract(none || alone, &cc0103::RULE, inst, "the slot of an invocation is not its own last ancestor");
        if none {
            let new = c.origins(slot).unwrap_or_default();
            let asked = new.iter().any(|o| c.a.kind(o.value) == Kind::NewSlot);
            c.contract(asked, &cc0113::RULE, inst, "no slot is given, and none was asked for");
        }
    }
}

/// A walk along a dead chain is over behind its last stack only.
pub(crate) fn reclaimed(c: &mut Check<'_>, inst: Inst, state: &State) {
    c.notes.returned = true;
    let zero = c.a.zero;
    let arrivals = c.arrivals(inst);
    let is_end = |c: &Check<'_>, s: Sym| s == zero || c.a.kind(s) == Kind::Driver;
    let holds = arrivals.into_iter().all(|edge| {
        c.known_on(edge, state).facts().iter().any(|f| match *f {
            Fact::Equal(a, b) => {
                let walked = |s: Sym| c.a.param(s).is_some() || c.a.kind(s) == Kind::Trapped;
                (is_end(c, a) && walked(b)) || (is_end(c, b) && walked(a))
            }
            _ => false,
        })
    });
    c.contract(holds, &cc0113::RULE, inst, "the walk along the chain ends before its last stack");
}
