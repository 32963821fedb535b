//! The searches for a handler.
//!
//! A search walks along the parents, and in each resumer's table along one of
//! its two lists. Both walks are loops: what they begin with, and how they go
//! on, is looked at on the edges into the blocks whose parameters they are.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::{Block, Inst};

use crate::check::Check;
use crate::place::Kind;
use crate::profile::{FunctionRole, Role};
use crate::rules::cc0114::RULE;
use crate::rules::{cc0103, cc0201};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};

/// Offset of the first entry of the list, and from one to the next.
fn list(c: &Check<'_>) -> (i32, i64) {
    let word = i64::from(c.a.profile.word_bytes());
    match c.a.role {
        FunctionRole::SearchSuspend => (c.a.profile.field(Role::SuspendHandlers).offset, word),
        _ => (c.a.profile.field(Role::SwitchHandlers).offset, -word),
    }
}

/// A search returns a resumer with a handler, the last stack below it, and, for
/// a suspend, the handler's code.
pub(crate) fn found(c: &mut Check<'_>, inst: Inst, state: &State) {
    c.notes.returned = true;
    let func = c.a.func;
    let args: Vec<Sym> = func.dfg.inst_args(inst).iter().map(|v| c.a.value(*v)).collect();
    let [last, resumer, ref code @ ..] = args[..] else {
        c.require(false, &RULE, inst, "the search does not return a place");
        return;
    };
    let linked = c.a.kind(resumer) == Kind::Parent(last);
    c.contract(linked, &cc0103::RULE, inst, "the resumer that is returned is not the parent of the last stack");
    // the entry at which the search stopped is the tag looked for
    let tag = func.dfg.block_params(c.a.rpo[0]).get(1).map(|v| c.a.value(*v));
    let hit = tag.and_then(|tag| state.equals(tag).find(|s| is_entry(c, *s)));
    c.contract(hit.is_some(), &cc0201::RULE, inst, "the search returns though no entry was found equal to the tag");
    let (Some(entry), Some(tag)) = (hit, tag) else { return };
    outwards(c, inst, last, entry);
    let Some((at, _)) = c.a.loaded_from(entry) else { return };
    let index = along(c, inst, at, resumer, entry, tag);
    if let (Some(&code), Some(index)) = (code.first(), index) {
        handler_code(c, inst, code, index, state);
    }
}

fn is_entry(c: &Check<'_>, s: Sym) -> bool {
    c.a.loads_table(s) && c.a.loaded_from(s).is_some_and(|(_, offset)| offset == list(c).0)
}

/// The stacks are passed one by one, from the running one on, each behind the
/// end of its resumer's list.
fn outwards(c: &mut Check<'_>, inst: Inst, last: Sym, entry: Sym) {
    let mut holds = false;
    if let Some((block, i)) = c.a.param(last) {
        holds = c.a.edges_to(block).all(|e| {
            let Some(state) = c.a.edge_state(e) else { return true };
            let Some(arg) = c.a.edge_arg(e, i) else { return false };
            let ended = state.knows(Fact::equal(entry, c.a.zero));
            let inner = c.a.kind(arg) == Kind::Parent(last);
            (arg == c.a.active && !c.a.is_back(e)) || (inner && ended && c.is_linked_on(arg, &state))
        });
    }
    c.contract(holds, &cc0103::RULE, inst, "a resumer is passed over, or one is looked at twice");
}

/// The entries of a list are compared one by one; the parameter that counts
/// them.
fn along(c: &mut Check<'_>, inst: Inst, at: Sym, resumer: Sym, entry: Sym, tag: Sym) -> Option<Sym> {
    let handlers = c.a.profile.field(Role::Handlers).offset;
    let (_, step) = list(c);
    let zero = c.a.zero;
    let Some((block, i)) = c.a.param(at).filter(|(block, _)| *block != c.a.rpo[0]) else {
        c.contract(false, &cc0201::RULE, inst, "the search looks at no more than the first entry of a list");
        return None;
    };
    let bits = c.a.profile.word_bits();
    let next = c.a.syms.add_const(at, step as u64, bits);
    let mut holds = true;
    let mut begins = vec![];
    for e in c.a.edges_to(block) {
        let Some(state) = c.a.edge_state(e) else { continue };
        let begin = c.a.edge_arg(e, i).and_then(|arg| {
            if c.a.loaded_from(arg) == Some((resumer, handlers)) {
                return Some(true);
            }
            // the entry before it was another tag, and not the list's end
            let other = state.knows(Fact::Differ(entry, tag)) || state.knows(Fact::Differ(tag, entry));
            (arg == next && other && state.knows(Fact::NonNull(entry))).then_some(false)
        });
        holds &= begin.is_some();
        begins.push((*e, begin == Some(true)));
    }
    c.contract(holds, &cc0201::RULE, inst, "an entry of the list is passed over, or the list's end is");
    if c.a.role == FunctionRole::SearchSwitch {
        return None;
    }
    // what counts with it
    let counts = |c: &mut Check<'_>, n: usize| {
        let Some(v) = c.a.func.dfg.block_params(block).get(n).copied() else { return false };
        let index = c.a.value(v);
        let next = c.a.syms.add_const(index, 1, bits);
        n != i && begins.iter().all(|(e, begin)| c.a.edge_arg(e, n) == Some(if *begin { zero } else { next }))
    };
    let n = (0..c.a.func.dfg.block_params(block).len()).find(|n| counts(c, *n));
    c.contract(n.is_some(), &cc0201::RULE, inst, "the entries of the list are not counted");
    n.and_then(|n| parameter(c, block, n))
}

fn parameter(c: &mut Check<'_>, block: Block, n: usize) -> Option<Sym> {
    let v = c.a.func.dfg.block_params(block).get(n).copied()?;
    Some(c.a.value(v))
}

/// The effect code of the handler of that index.
fn handler_code(c: &mut Check<'_>, inst: Inst, code: Sym, index: Sym, state: &State) {
    let (first, far) = (c.a.profile.effect(EffectKind::Suspend), c.a.profile.effect(EffectKind::SuspendFar));
    let near = c.a.profile.near_handlers();
    let limit = c.a.syms.constant(near);
    let bits = c.a.profile.word_bits();
    let own = c.a.syms.add_const(index, first, bits);
    let holds = if code == own {
        c.a.syms.as_const(index).is_some_and(|i| i < near) || state.knows(Fact::Below(index, limit))
    } else if c.a.syms.as_const(code) == Some(far) {
        let at = c.a.profile.field(Role::HandlerIndex).offset;
        let stored = state.cell(c.a.store_context, at).is_some_and(|cell| cell.value == index);
        stored && state.knows(Fact::NotBelow(index, limit))
    } else {
        false
    };
    c.contract(holds, &cc0201::RULE, inst, "the effect code is not that of the entry that was found");
}

/// The search gives up: behind the end of the outermost resumer's list.
pub(crate) fn gives_up(c: &Check<'_>, state: &State) -> bool {
    let nulls: Vec<Sym> = state.equals(c.a.zero).collect();
    let ended = nulls.iter().any(|s| is_entry(c, *s));
    let outermost = nulls.iter().any(|s| match c.a.kind(*s) {
        Kind::Parent(resumer) => matches!(c.a.kind(resumer), Kind::Parent(_)),
        _ => false,
    });
    ended && outermost
}

impl Check<'_> {
    /// Is it known here that this resumer has one of its own?
    fn is_linked_on(&self, resumer: Sym, state: &State) -> bool {
        let at = self.a.profile.field(Role::Parent).offset;
        state.facts().iter().any(|f| match *f {
            Fact::NonNull(s) => {
                matches!(self.a.syms.node(s), Node::Value(_)) && self.a.loaded_from(s) == Some((resumer, at))
            }
            _ => false,
        })
    }
}
