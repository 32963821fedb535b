//! The switches of suspend and of switch.

use cranelift_codegen::ir::Inst;

use super::{buffers, resume};
use crate::check::Check;
use crate::profile::{ChainShape, Role};
use crate::report::Verdict;
use crate::rules::{cc0004, cc0101, cc0103, cc0109, cc0206};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;

/// What a search found: the last stack below the handler's, that one, and the
/// handler's index.
type Found = (Sym, Sym, Sym);

fn found(c: &mut Check<'_>, inst: Inst, last: Sym, state: &State) -> Option<Found> {
    let all = state.facts().iter().filter_map(|f| match *f {
        Fact::Found(l, r, i) if l == last => Some((l, r, i)),
        _ => None,
    });
    // with the resumer, where it is the same on every path
    let found = all.max_by_key(|(_, resumer, _)| *resumer != c.a.zero);
    if found.is_none() {
        let message = "the context is not that of the last stack below a handler that was found";
        c.fail(&cc0101::RULE, Verdict::Violated, inst, message);
    }
    found
}

/// The switch of a suspend.
pub(crate) fn suspend(c: &mut Check<'_>, shape: &ChainShape, site: &SwitchSite, state: &State) {
    let inst = site.inst;
    let message = "a suspend leaves and enters by one control context, that of the suspended chain's last ancestor";
    c.require(site.from == site.to, &cc0101::RULE, inst, message);
    let Some(last) = c.a.context_of(site.from) else {
        return c.fail(&cc0101::RULE, Verdict::Violated, inst, "what is left is not the control context of a stack");
    };
    let Some((last, _, index)) = found(c, inst, last, state) else { return };
    let passed = c.a.handler_index(site.word) == Some(index);
    c.require(passed, &cc0101::RULE, inst, "the index that is passed is not that of the handler that was found");
    cut(c, shape, inst, last, state);
    left(c, shape, inst, last, state);
}

/// What a suspended chain is left like.
fn left(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, last: Sym, state: &State) {
    let own = c.a.active;
    let ends = c.a.stored(own, Role::LastAncestor, state) == Some(last);
    c.require(ends, &cc0103::RULE, inst, "the last ancestor of what is suspended is not recorded");
    resume::stands(c, inst, own, shape.suspended, state);
    // what wakes it up puts its values there
    let buffer = c.a.stored(own, Role::ValuesData, state).map(|s| c.a.syms.split_add(s));
    let capacity = c.a.stored(own, Role::ValuesCapacity, state).and_then(|s| c.a.syms.as_const(s));
    match (buffer.map(|(base, add)| (c.a.syms.node(base), add)), capacity) {
        (Some((Node::StackAddr(slot), 0)), Some(n)) if n > 0 => {
            let size = c.a.func.sized_stack_slots.get(slot).map_or(0, |s| u64::from(s.size));
            let fits = n * u64::from(shape.entry_bytes) <= size;
            let by = state.cell(own, c.a.at(Role::ValuesCapacity)).map_or(inst, |cell| cell.by);
            c.require(fits, &cc0206::RULE, by, "the buffer's stack slot is smaller than its capacity");
        }
        _ => c.fail(
            &crate::rules::cc0205::RULE,
            Verdict::Violated,
            inst,
            "no buffer is in place for the values with which the continuation goes on",
        ),
    }
    buffers::handed(c, inst, own, state);
}

/// The link to the handler's stack is cut.
fn cut(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, last: Sym, state: &State) {
    let none = c.a.syms.constant(shape.no_stack);
    let now = (c.a.stored(last, Role::ParentKind, state), c.a.stored(last, Role::Parent, state));
    let cut = now == (Some(none), Some(c.a.zero));
    c.require(cut, &cc0103::RULE, inst, "the suspended chain is still linked to the stack with the handler");
}

/// The switch of a switch; the contref that is entered, where it is known.
pub(crate) fn switch(c: &mut Check<'_>, shape: &ChainShape, site: &SwitchSite, state: &State) -> Option<Sym> {
    let inst = site.inst;
    let Some(last) = c.a.context_of(site.from) else {
        c.fail(&cc0101::RULE, Verdict::Violated, inst, "what is left is not the control context of a stack");
        return None;
    };
    let (last, resumer, _) = found(c, inst, last, state)?;
    let (entered_last, object) = copied(c, shape, site, state)?;
    cut(c, shape, inst, last, state);
    left(c, shape, inst, last, state);
    let kind = state
        .cells()
        .iter()
        .map(|cell| cell.value)
        .find(|v| c.a.loaded_from(*v) == Some((last, c.a.at(Role::ParentKind))));
    let kind = kind.or_else(|| c.a.stored(entered_last, Role::ParentKind, state));
    let kind_of_last = kind.filter(|k| c.a.loaded_from(*k) == Some((last, c.a.at(Role::ParentKind))));
    match kind_of_last {
        Some(kind) => resume::linked(c, inst, entered_last, (kind, resumer), state),
        None => c.fail(
            &cc0103::RULE,
            Verdict::Violated,
            inst,
            "the last ancestor of what is entered is not linked to its new parent",
        ),
    }
    resume::active(c, shape, inst, object, state);
    resume::stands(c, inst, object, shape.running, state);
    let own = c.a.active;
    for i in 1..shape.limits {
        let kept = c.a.stored(own, Role::Limit(i), state).is_some();
        c.require(kept, &cc0109::RULE, inst, "a limit of the stack that is left is not kept");
    }
    resume::limits(c, shape, inst, object, state);
    // others hold it from here on
    let current = state.obj(own).is_some_and(|o| o.stale.is_none());
    c.require(current, &cc0004::RULE, inst, "no object of the stack that is left is handed over");
    Some(object)
}

/// The words of the entered context were moved into this frame, and those of
/// the one that is left into their place: its last stack, and its object.
fn copied(c: &mut Check<'_>, shape: &ChainShape, site: &SwitchSite, state: &State) -> Option<(Sym, Sym)> {
    let inst = site.inst;
    let word = c.a.profile.word_bytes() as i32;
    let (from, _) = c.a.syms.split_add(site.from);
    let (frame, at) = c.a.syms.split_add(site.to);
    if !matches!(c.a.syms.node(frame), Node::StackAddr(_)) {
        let message = "a switch enters by a copy of the context, for its place holds the resumer's afterwards";
        c.fail(&cc0101::RULE, Verdict::Violated, inst, message);
        return None;
    }
    let below = -(shape.context_below_top as i32);
    let mut top = None;
    let mut whole = true;
    for i in 0..shape.context_words as i32 {
        let entered = state.cell(frame, at as i32 + i * word).and_then(|cell| c.a.loaded_from(cell.value));
        let Some((base, offset)) = entered else {
            whole = false;
            continue;
        };
        whole &= offset == below + i * word && top.is_none_or(|t| t == base);
        top = Some(base);
        let left = state.cell(base, offset).filter(|cell| c.a.func.dfg.insts[cell.by].opcode().can_store());
        let moved = left.and_then(|cell| c.a.loaded_from(cell.value)) == Some((from, below + i * word));
        whole &= moved;
    }
    c.require(whole, &cc0101::RULE, inst, "the words of the two control contexts are not moved as a switch needs them");
    let context = c.a.syms.add_const(top?, (-shape.context_below_top) as u64, c.a.profile.word_bits());
    buffers::aligned(c, inst, frame, word as u32);
    if let Node::StackAddr(slot) = c.a.syms.node(frame) {
        let size = c.a.func.sized_stack_slots.get(slot).map_or(0, |s| i64::from(s.size));
        let end = at + i64::from(shape.context_words) * i64::from(word);
        let message = "the stack slot is smaller than the control context that is copied to it";
        c.require(at >= 0 && end <= size, &cc0206::RULE, inst, message);
    }
    resume::entered(c, context, inst, state)
}
