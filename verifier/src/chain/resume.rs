//! The switch of a resume, and of a resume that throws.

use cranelift_codegen::ir::Inst;

use super::buffers;
use crate::check::Check;
use crate::place::Kind;
use crate::profile::{Callee, ChainShape, Role};
use crate::report::{OperationKind, Verdict};
use crate::rules::{Rule, cc0001, cc0101, cc0103, cc0105, cc0106, cc0109, cc0201, cc0204};
use crate::state::{Fact, State};
use crate::sym::Sym;
use crate::transfer::SwitchSite;

/// Judges it; the contref that is resumed, where it is known.
pub(crate) fn resume(
    c: &mut Check<'_>,
    shape: &ChainShape,
    site: &SwitchSite,
    kind: OperationKind,
    state: &State,
) -> Option<Sym> {
    let inst = site.inst;
    let message = "a resume leaves and enters by one control context, that of the resumed chain's last ancestor";
    c.require(site.from == site.to, &cc0101::RULE, inst, message);
    let (last, object) = entered(c, site.to, inst, state)?;
    let own_link = c.a.own_link();
    linked(c, inst, last, own_link, state);
    let cleared = c.a.stored(object, Role::LastAncestor, state) == Some(c.a.zero);
    c.require(
        cleared,
        &cc0103::RULE,
        inst,
        "a chain that runs keeps its last ancestor, which only a suspended one has",
    );
    active(c, shape, inst, object, state);
    let own = c.a.active;
    stands(c, inst, object, shape.running, state);
    stands(c, inst, own, shape.parent, state);
    for i in 0..shape.limits {
        let kept = c.a.stored(own, Role::Limit(i), state).is_some();
        c.require(kept, &cc0109::RULE, inst, "a limit of the resumer is not kept for its return");
    }
    limits(c, shape, inst, object, state);
    handlers(c, inst, state);
    if kind == OperationKind::ResumeThrow {
        let one = c.a.syms.constant(1);
        let there = c.a.stored(object, Role::ValuesLength, state) == Some(one);
        c.require(there, &cc0204::RULE, inst, "the exception is not handed over");
        exception(c, inst, object, state);
    } else {
        buffers::grown(c, inst, object, state);
    }
    Some(object)
}

/// What is raised is an exception: made here, or tested for null.
fn exception(c: &mut Check<'_>, inst: Inst, object: Sym, state: &State) {
    let Some(data) = c.a.held(object, Role::ValuesData, state) else { return };
    let (base, add) = c.a.syms.split_add(data);
    let Some(raised) = state.cell(base, add as i32).map(|cell| cell.value) else { return };
    let zero = c.a.zero;
    let tested = state.facts().iter().any(|f| match *f {
        Fact::Differ(a, b) => a == raised && b == zero,
        Fact::NonNull(a) => a == raised,
        _ => false,
    });
    let holds = tested || !given(c, raised);
    c.require(holds, &cc0001::RULE, inst, "what is raised was not tested for null");
}

/// Does a word come from outside: from the caller, or from another function? Of
/// what is computed or loaded here, the allocator says what it is.
fn given(c: &mut Check<'_>, word: Sym) -> bool {
    let (mut seen, mut left) = (vec![], vec![word]);
    while let Some(s) = left.pop() {
        if c.a.def(s).is_some_and(|(i, _)| c.a.callee_of(i) == Some(Callee::Unknown)) {
            return true;
        }
        let Some((block, i)) = c.a.param(s) else { continue };
        if seen.contains(&s) {
            continue;
        }
        seen.push(s);
        let mut edges = c.a.edges_to(block).peekable();
        if edges.peek().is_none() {
            return true;
        }
        for edge in edges {
            match c.a.edge_arg(edge, i) {
                Some(arg) => left.push(arg),
                None if c.a.callee_of(edge.inst) == Some(Callee::Unknown) => return true,
                None => {}
            }
        }
    }
    false
}

/// Whose context is entered: the last stack of a chain, and the chain's object.
pub(crate) fn entered(c: &mut Check<'_>, context: Sym, inst: Inst, state: &State) -> Option<(Sym, Sym)> {
    let Some(last) = c.a.context_of(context) else {
        c.fail(&cc0101::RULE, Verdict::Violated, inst, "what is entered is not the control context of a stack");
        return None;
    };
    if let Kind::Last(object) = c.a.kind(last) {
        c.proven();
        return Some((last, object));
    }
    let message = if state.obj(last).is_some() {
        "the context that is entered is that of the chain's head, not of its last ancestor"
    } else {
        "the context that is entered is not that of a resumed chain's last ancestor"
    };
    c.fail(&cc0101::RULE, Verdict::Violated, inst, message);
    None
}

/// A chain hangs on its new parent.
pub(crate) fn linked(c: &mut Check<'_>, inst: Inst, last: Sym, (kind, parent): super::Link, state: &State) {
    let now = (c.a.stored(last, Role::ParentKind, state), c.a.stored(last, Role::Parent, state));
    let holds = now == (Some(kind), Some(parent));
    c.require(holds, &cc0103::RULE, inst, "the last ancestor of what is entered is not linked to its new parent");
}

/// The entered continuation is the active one.
pub(crate) fn active(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, object: Sym, state: &State) {
    let store = c.a.store_context;
    let kind = c.a.syms.constant(shape.continuation);
    let now = (c.a.held(store, Role::ActiveKind, state), c.a.held(store, Role::ActiveStack, state));
    let holds = now == (Some(kind), Some(object));
    c.require(holds, &cc0105::RULE, inst, "the continuation that is entered is not made the active stack");
}

/// A stack's state was set for the switch.
pub(crate) fn stands(c: &mut Check<'_>, inst: Inst, stack: Sym, to: u64, state: &State) {
    let now = c.a.stored(stack, Role::State, state).and_then(|s| c.a.syms.as_const(s));
    c.require(now == Some(to), &cc0106::RULE, inst, "a stack's state is not set before others can see it");
}

/// The limits in force are those of the stack that is entered.
pub(crate) fn limits(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, object: Sym, state: &State) {
    let store = c.a.store_context;
    for i in 0..shape.limits {
        let force = c.a.stored(store, Role::StoreLimit(i), state);
        let holds = force.is_some() && force == c.a.held(object, Role::Limit(i), state);
        c.require(holds, &cc0109::RULE, inst, "a limit of the continuation that is entered is not put in force");
    }
}

/// The handler list, as others find it.
fn handlers(c: &mut Check<'_>, inst: Inst, state: &State) {
    const RULE: &Rule = &cc0201::RULE;
    let own = c.a.active;
    let constant = |c: &Check<'_>, role| c.a.stored(own, role, state).and_then(|s| c.a.syms.as_const(s));
    let Some(length) = constant(c, Role::HandlersLength).filter(|n| *n > 0) else {
        let other = [Role::HandlersCapacity, Role::Handlers]
            .into_iter()
            .any(|role| c.a.stored(own, role, state).is_some_and(|s| s != c.a.zero));
        return c.require(!other, RULE, inst, "a handler list is installed without its length");
    };
    buffers::filled(c, inst, own, Role::HandlersLength, length, state);
    let first_switch = constant(c, Role::FirstSwitchHandler);
    let holds = first_switch.is_some_and(|n| n <= length);
    c.require(holds, RULE, inst, "where the switch handlers begin in the list is not said");
    c.notes.installed.push((inst, first_switch.unwrap_or(length)));
}
