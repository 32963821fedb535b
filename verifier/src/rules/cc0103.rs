//! CC0103 linked.

use clif_cont_abi::Trap;
use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::module::Word;
use crate::place::{Access, Kind};
use crate::profile::{FunctionRole, Role};
use crate::report::{OperationKind, Verdict};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0103",
    name: "linked",
    statement: "Before the switch a resume makes the running continuation the parent of the resumed chain's last \
                ancestor (not of its head), and a switch makes the resumer that was found its parent; suspend and \
                switch record the last stack below that resumer as the suspended chain's last ancestor. In this \
                profile a suspended chain keeps its stale parent link, which nobody reads. A fresh continuation is its \
                own last ancestor, and knows its trampoline and its function. No link is set without a switch behind it. \
                A search goes from parent to parent, and every walk goes on in every turn. Under `wasmtime-48` a suspend and a switch also cut the link behind that last stack, both its words, and a resume clears the last ancestor of what runs then.",
    why: "The next search, return or trap walks the links, and arrives in somebody else's chain, or in a freed slot.",
    bugs: "Wizard #213",
    help: "load the last ancestor of the continuation that is resumed, and store the link there",
    passing: examples::RESUME,
    fault: &[("store notrap aligned region1 v16, v20+32", "store notrap aligned region1 v16, v0+32")],
};

/// The bytes of a CLIF type, by its name.
fn type_bytes(name: &str) -> u32 {
    let (lane, lanes) = name.split_once('x').unwrap_or((name, "1"));
    let bits = |text: &str| text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().unwrap_or(0);
    bits(lane).div_ceil(8) * bits(lanes)
}

fn cell(c: &Check<'_>, base: Sym, role: Role, state: &State) -> Option<Sym> {
    state.cell(base, c.a.profile.field(role).offset).map(|cell| cell.value)
}

/// A resumed chain hangs on its new resumer.
pub(crate) fn resumed(c: &mut Check<'_>, site: &SwitchSite, kind: OperationKind, state: &State) {
    let last = cell(c, site.to, Role::LastAncestor, state);
    let parent = last.and_then(|l| cell(c, l, Role::Parent, state));
    let holds = match (kind, parent) {
        (kind, Some(p)) if kind.installs_handlers() => p == c.a.active,
        (_, Some(p)) => {
            let code = c.a.syms.constant(0);
            state.facts().iter().any(|f| matches!(f, Fact::Found(_, r, k) if *r == p && *k == code))
        }
        _ => false,
    };
    if holds {
        return c.proven();
    }
    let on_head = last != Some(site.to) && cell(c, site.to, Role::Parent, state).is_some();
    let message = match (on_head, kind) {
        (true, _) => "the parent is set on the head of the resumed chain, not on its last ancestor",
        (_, kind) if kind.installs_handlers() => {
            "the running continuation is not made the parent of the resumed chain's last ancestor"
        }
        _ => "the resumer that was found is not made the parent of the chain that runs now",
    };
    c.fail(&RULE, Verdict::Violated, site.inst, message);
}

/// A suspended chain ends below the resumer with the handler.
pub(crate) fn suspended(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let last = cell(c, c.a.active, Role::LastAncestor, state);
    let resumer = match c.a.classify(site, state) {
        Some(OperationKind::Suspend) => Some(site.to),
        _ => {
            let head = cell(c, site.to, Role::LastAncestor, state);
            head.and_then(|l| cell(c, l, Role::Parent, state))
        }
    };
    let holds = last.zip(resumer).is_some_and(|(last, resumer)| {
        state.facts().iter().any(|f| matches!(f, Fact::Found(l, r, _) if *l == last && *r == resumer))
    });
    let elsewhere = resumer.is_none_or(|r| !state.facts().iter().any(|f| matches!(f, Fact::Found(_, x, _) if *x == r)));
    if holds {
        c.proven();
    } else if !elsewhere {
        c.fail(
            &RULE,
            Verdict::Violated,
            site.inst,
            "the last ancestor of what is suspended is not set to the last stack below the handler's resumer",
        );
    }
}

/// A trap because of what came back: nothing is linked, for the switch was done.
pub(crate) fn trap_call(c: &mut Check<'_>, inst: Inst, code: Option<u64>, state: &State) {
    if code == Some(Trap::UnexpectedEffect.code().into()) {
        left(c, inst, state);
    }
}

/// A return, with links set and no switch since.
pub(crate) fn left(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.role != FunctionRole::Program {
        return;
    }
    match state.dirty.iter().find(|(_, role)| *role != Role::Revision) {
        None => c.proven(),
        Some((store, Role::Payload(_))) => c.fail_with(
            &super::cc0204::RULE,
            Verdict::Violated,
            *store,
            "the running continuation's payload is written with no switch behind it",
            vec![(inst, "the operation is over here".into())],
        ),
        Some((store, _)) => c.fail_with(
            &RULE,
            Verdict::Violated,
            *store,
            "a link, or a handler table, is set with no switch behind it",
            vec![(inst, "the operation is over here".into())],
        ),
    }
}

/// Is it something else for sure? A number, what the protocol has its own use for, the
/// address of data, or what constant data holds that is none of a function.
fn is_no_function(c: &Check<'_>, value: Sym) -> bool {
    let data = |name: &str| c.module.is_some_and(|module| module.is_data(name));
    match c.a.syms.node(value) {
        Node::FuncAddr(_) => false,
        Node::Symbol(symbol) => c.a.symbol_name(symbol).is_some_and(|name| data(&name)),
        Node::Value(_) => {
            let loaded = c.a.loaded_from(value);
            let word = loaded.and_then(|(base, at)| c.constant_word(base, at));
            let other = word.is_some_and(|word| !matches!(word, Word::Address(name) if !data(name)));
            let record = loaded.is_some_and(|(base, _)| base == c.a.store_context || c.a.is_contref(base));
            other || record || c.a.is_contref(value)
        }
        Node::Select(..) | Node::Pure(..) => false,
        _ => true,
    }
}

/// The first object of a fresh continuation: everything else is in place.
pub(crate) fn fresh(c: &mut Check<'_>, access: &Access, state: &State) {
    let slot = access.base;
    if access.place.role() != Some(Role::Revision)
        || c.a.role != FunctionRole::Program
        || !state.knows(Fact::Taken(slot))
        // its object was made before: this is the check of an operation on it
        || state.obj(slot).is_some()
        || matches!(c.a.kind(slot), Kind::Back(_))
    {
        return;
    }
    let own = cell(c, slot, Role::LastAncestor, state) == Some(slot);
    c.require(own, &RULE, access.inst, "a fresh continuation is not its own last ancestor");
    let enter = cell(c, slot, Role::Handlers, state).and_then(|f| match c.a.syms.node(f) {
        Node::FuncAddr(f) => c.a.enter_name(f),
        _ => None,
    });
    c.require(enter.is_some(), &RULE, access.inst, "a fresh continuation has no entry trampoline for its function");
    // what it is is a matter of types; where, the trampoline's name says
    let params = enter.as_deref().and_then(|name| c.a.profile.enter_types(name)).map(|(params, _)| params);
    let sizes: Option<Vec<u32>> = params.map(|list| list.iter().map(|ty| type_bytes(ty)).collect());
    let behind = sizes.map(|sizes| c.a.profile.payload_layout(sizes.into_iter()).1);
    let callee = state.cells().iter().filter(|cell| cell.base == slot).find(|cell| {
        let stored = c.a.func.dfg.insts[cell.by].opcode().can_store();
        let field = c.a.profile.contref_field(cell.offset);
        let here = match field.map(|f| f.role) {
            Some(Role::Payload(at)) => behind.is_none_or(|behind| at == behind),
            _ => false,
        };
        stored && here && cell.size == c.a.profile.word_bytes()
    });
    let callee = callee.map(|cell| cell.value);
    let whole = callee.is_some_and(|value| !super::cc0005::is_part(c, value));
    let message = "a fresh continuation's function is not stored where its trampoline looks";
    c.require(whole, &RULE, access.inst, message);
    let none = callee.is_some_and(|value| whole && is_no_function(c, value));
    c.require(!none, &RULE, access.inst, "what is stored as a fresh continuation's function is none");
    if !whole {
        c.fail(&super::cc0204::RULE, Verdict::Violated, access.inst, message);
    }
}
