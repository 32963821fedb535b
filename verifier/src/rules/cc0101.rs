//! CC0101 switch-operands.

use cranelift_codegen::ir::{Inst, InstructionData};

use smallvec::SmallVec;

use super::{Rule, examples};
use crate::check::Check;
use crate::flow::Analysis;
use crate::module::Module;
use crate::place::{Access, Kind};
use crate::profile::{Callee, FunctionRole, Role};
use crate::report::{OperationKind, Verdict};
use crate::state::{Fact, Owed, Since, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0101",
    name: "switch-operands",
    statement: "Each operand of a switch is what its operation calls for: the context that is left is the running \
                continuation's; a resume and a switch go to the consumed object's continuation with the effect \
                `resume`; a suspend goes to the resumer that the search found, with that handler's effect code; a host \
                call and a trap go to the driver, a return to the parent that there was before the end. A switch that \
                is none of these is a finding. What the driver is to do is in the store context \
                before the switch, a host function by a constant. A fresh context is the top of its stack, no frame, \
                and the entry function. A search is for a tag of the module, where that is known (which one is not decided), and what it finds is switched to before control leaves. Under `wasmtime-48` an operand is a control context, found through the address behind the stack of the chain's last ancestor; the words that a switch moves are followed, and the search for a handler is part of the function: it begins with the running stack, goes from parent to parent, stops at the initial stack, and looks at its part of each list one by one.",
    why: "Control arrives at a stack that does not wait for it, or with a payload that means something else.",
    bugs: "Wizard #213, #679",
    help: "switch from the running continuation to the one that the operation is about",
    passing: examples::SUSPEND,
    fault: &[("v24 = stack_switch v10, v18, v23", "v24 = stack_switch v10, v12, v23")],
};

/// A switch that is no operation.
pub(crate) fn unidentified(c: &mut Check<'_>, site: &SwitchSite) {
    c.fail(
        &RULE,
        Verdict::Violated,
        site.inst,
        "this switch is none of the known operations: neither its effect nor its operands tell what it is for",
    );
}

/// What is known did not settle, so nothing was proven.
pub(crate) fn gave_up(c: &mut Check<'_>) {
    let func = c.a.func;
    let Some(inst) = func.layout.entry_block().and_then(|b| func.layout.first_inst(b)) else { return };
    c.fail(&RULE, Verdict::Unproven, inst, "the analysis of this function did not settle; nothing is proven of it");
}

/// The operands, by kind of operation.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, kind: OperationKind, state: &State) {
    match kind {
        OperationKind::Switch => open(c, site.inst, state, &[Owed::Raise]),
        OperationKind::Suspend => open(c, site.inst, state, &[Owed::Own, Owed::Raise]),
        _ => leave(c, site.inst, state),
    }
    let leaves_own = site.from == c.a.active || kind == OperationKind::Invoke;
    c.require(leaves_own, &RULE, site.inst, "the context that is left is not the running continuation's");
    let role = c.a.role;
    match kind {
        kind if kind.runs_object() => {
            let to_object = state.obj(site.to).is_some()
                || matches!(c.a.kind(site.to), Kind::Outside | Kind::Merged | Kind::Back(_));
            c.require(to_object, &RULE, site.inst, "the switch does not go to the continuation of an object");
        }
        OperationKind::Suspend => suspend(c, site, state),
        OperationKind::HostCall => {
            to_driver(c, site);
            // the driver reads it as soon as it runs
            let index = written(c, Role::HostFunction, state);
            c.require(
                index.is_some(),
                &RULE,
                site.inst,
                "the index of the host function is not stored before the switch",
            );
            let constant = index.is_none_or(|index| c.a.syms.as_const(index).is_some());
            c.require(constant, &RULE, site.inst, "the index of the host function is no constant");
        }
        OperationKind::Trap => {
            to_driver(c, site);
            c.require(role == FunctionRole::Trap, &RULE, site.inst, "only the trap function switches with this effect");
            let code = c.a.func.dfg.block_params(c.a.rpo[0]).first().map(|v| c.a.value(*v));
            let stored =
                written(c, Role::TrapCode, state) == code && written(c, Role::Trapped, state) == Some(c.a.active);
            c.require(stored, &RULE, site.inst, "the trap's code, or whose it is, is not stored before the switch");
        }
        OperationKind::Return | OperationKind::Throw => {
            c.require(
                role == FunctionRole::Entry,
                &RULE,
                site.inst,
                "only the outermost function of a stack switches with this effect",
            );
            match kind {
                OperationKind::Return => returned(c, site, state),
                _ => threw(c, site, state),
            }
            let to_parent = matches!(c.a.kind(site.to), Kind::Parent(of) if of == c.a.active);
            c.require(to_parent, &RULE, site.inst, "the end of a continuation does not go to its parent");
        }
        OperationKind::Invoke => {
            let to_own = c.every_origin(site.to, &|a, s, _| matches!(a.kind(s), Kind::Handed | Kind::Back(_)));
            c.require(to_own, &RULE, site.inst, "the driver does not go to its own invocation, or to who called it");
        }
        _ => {}
    }
}

/// The function ran to its end, and threw nothing.
fn returned(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let called = match state.since {
        Since::Inst(i) if matches!(c.a.func.dfg.insts[i], InstructionData::CallIndirect { .. }) => Some(i),
        _ => None,
    };
    c.require(called.is_some(), &RULE, site.inst, "the continuation returns without its function being called");
    if let (true, Some(call)) = (c.a.profile.throws(), called) {
        let exn = c.a.func.dfg.inst_results(call).first().map(|v| c.a.value(*v));
        let none = exn.is_some_and(|exn| state.same(exn, c.a.zero));
        c.require(none, &RULE, site.inst, "the continuation returns though its function may have thrown");
    }
}

/// What is thrown comes from the function, or was raised before it ran.
fn threw(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let at = c.a.profile.field(Role::Payload(0)).offset;
    let Some(exn) = state.cell(c.a.active, at).map(|cell| cell.value) else { return };
    let active = c.a.active;
    let is_raised =
        |a: &Analysis<'_>, s: Sym| a.syms.bits(s) == a.profile.word_bits() && a.loaded_from(s) == Some((active, at));
    let from_there = is_raised(&c.a, exn)
        || c.every_origin(exn, &|a, s, state| {
            let call = a.def(s).filter(|(_, result)| *result == 0).map(|(i, _)| a.func.dfg.insts[i]);
            // on an edge the reference is known not to be null
            let thrown = matches!(call, Some(InstructionData::CallIndirect { .. }))
                && state.is_some_and(|state| state.knows(Fact::NonNull(s)));
            // and what was raised is read since control came here last
            let now = state.is_some_and(|state| state.cell(active, at).is_some_and(|cell| cell.value == s));
            thrown || now && is_raised(a, s)
        });
    c.require(from_there, &RULE, site.inst, "what is thrown is neither what the function threw nor what was raised");
}

fn written(c: &Check<'_>, role: Role, state: &State) -> Option<Sym> {
    let cell = state.cell(c.a.store_context, c.a.profile.field(role).offset)?;
    let stored = c.a.func.dfg.insts[cell.by].opcode().can_store();
    stored.then_some(cell.value)
}

fn to_driver(c: &mut Check<'_>, site: &SwitchSite) {
    let driver = c.a.kind(site.to) == Kind::Driver;
    c.require(driver, &RULE, site.inst, "the switch does not go to the innermost driver");
}

fn suspend(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let served = state.facts().iter().find_map(|f| match *f {
        Fact::Serves(resumer, tag) if resumer == site.to => Some(tag),
        _ => None,
    });
    match served {
        Some(tag) => names(c, site.inst, tag),
        // where the tags are known, each suspend is for one of them
        None if c.module.is_some_and(Module::has_tags) => {
            let message = "the handler to which the suspend goes was not found for one tag on all paths";
            c.fail(&RULE, Verdict::Violated, site.inst, message);
        }
        None => {}
    }
    let code = c.a.effect_code(site.word);
    let found = state.facts().iter().any(|f| match f {
        Fact::Found(_, resumer, k) => *resumer == site.to && Some(*k) == code,
        _ => false,
    });
    let place = state.facts().iter().any(|f| matches!(f, Fact::Found(_, resumer, _) if *resumer == site.to));
    if found {
        c.proven();
    } else if place {
        c.fail(&RULE, Verdict::Violated, site.inst, "the effect code is not that of the handler that was found");
    } else {
        c.fail(&RULE, Verdict::Violated, site.inst, "the suspend does not go to the resumer whose handler was found");
    }
}

/// Control leaves: whoever a search found was switched to.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    open(c, inst, state, &[Owed::Search, Owed::Suspend, Owed::Own, Owed::Raise]);
}

/// Control goes round, or another search is begun: a search may go on, but not what
/// follows it.
pub(crate) fn circles(c: &mut Check<'_>, inst: Inst, state: &State) {
    open(c, inst, state, &[Owed::Suspend, Owed::Raise]);
}

/// One of these steps was not taken, and the operation is over.
pub(crate) fn open(c: &mut Check<'_>, inst: Inst, state: &State, what: &[Owed]) {
    let Some(duty) = state.duties().iter().find(|d| what.contains(&d.what)).copied() else { return };
    let (rule, message) = crate::chain::owed(&duty);
    c.fail_with(rule, Verdict::Violated, duty.since, message, vec![(inst, "the operation is over here".into())]);
}

/// What is searched for is the address of a tag.
fn names(c: &mut Check<'_>, inst: Inst, tag: Sym) {
    let tags = c.origins(tag).unwrap_or_default();
    let all = tags.iter().all(|origin| may_be_tag(c, origin.value));
    c.require(all, &RULE, inst, "what is searched for is no tag");
}

/// May it be the address of a tag? Where the module knows the tags, it is that of one
/// of them.
fn may_be_tag(c: &Check<'_>, s: Sym) -> bool {
    let (base, offset) = c.a.syms.split_add(s);
    let module = c.module.filter(|module| module.has_tags());
    match c.a.syms.node(base) {
        Node::Symbol(symbol) => {
            let name = c.a.symbol_name(symbol);
            let known = module.zip(name).is_none_or(|(module, name)| offset == 0 && module.tag(&name).is_some());
            known && base != c.a.store_context
        }
        Node::Value(_) | Node::Select(..) => {
            module.is_none()
                && !c.a.is_contref(base)
                && c.a.loaded_from(base).is_none_or(|(from, _)| !c.a.is_contref(from))
        }
        _ => false,
    }
}

/// A search begins: the one before it is over. What lies behind a first entry belongs to
/// the same one.
pub(crate) fn begins(c: &mut Check<'_>, access: &Access, state: &State) {
    if !matches!(access.place.role(), Some(Role::SuspendHandlers | Role::SwitchHandlers)) {
        return;
    }
    let resumer = c.a.loaded_from(access.base).map(|(resumer, _)| resumer);
    if resumer.is_some_and(|resumer| c.a.kind(resumer) == Kind::Parent(c.a.active)) {
        leave(c, access.inst, state);
    }
}

/// A search starts at the running continuation, for the tag that the first
/// entry was compared with; the entry function calls what its continuation is
/// for.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    let func = c.a.func;
    let args: SmallVec<[Sym; 4]> = func.dfg.inst_args(inst).iter().map(|v| c.a.value(*v)).collect();
    let callee = c.a.callee_of(inst);
    if matches!(callee, Some(Callee::Drop | Callee::HostFunction | Callee::Unknown)) {
        leave(c, inst, state);
    }
    match callee {
        Some(Callee::SearchSuspend | Callee::SearchSwitch) => {
            let [from, tag] = args[..] else { return };
            let own = from == c.a.active;
            c.require(own, &RULE, inst, "the search does not start at the running continuation");
            let other = state.facts().iter().any(|f| match *f {
                Fact::Differ(entry, compared) => c.a.loads_table(entry) && compared != tag,
                _ => false,
            });
            circles(c, inst, state);
            c.require(!other, &RULE, inst, "the search is for another tag than the first entry was compared with");
            names(c, inst, tag);
        }
        _ if c.a.role == FunctionRole::Entry => {
            let InstructionData::CallIndirect { .. } = func.dfg.insts[inst] else { return };
            let [callee, contref] = args[..] else { return };
            let at = c.a.profile.field(Role::Handlers).offset;
            // the one that it has now: the slot may have had another user since
            let current = state.cell(c.a.active, at).is_some_and(|cell| cell.value == callee);
            let holds = current && contref == c.a.active && c.a.loaded_from(callee) == Some((c.a.active, at));
            c.require(holds, &RULE, inst, "the entry function does not call its own continuation's trampoline");
        }
        _ => {}
    }
}
