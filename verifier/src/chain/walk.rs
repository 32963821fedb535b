//! What the rules demand of each instruction, where the store context knows the
//! chain; of switches, see [`super::resume`] and [`super::suspend`].

use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{BlockArg, Inst, InstructionData, Opcode, Value};

use super::{buffers, resume, suspend};
use crate::check::{Check, PairDuty};
use crate::place::{Access, Kind};
use crate::profile::{Callee, ChainShape, FunctionRole, RecordKind, Role};
use crate::report::{OperationKind, Verdict};
use crate::rules::{
    self, Rule, cc0001, cc0002, cc0003, cc0004, cc0005, cc0006, cc0007, cc0008, cc0009, cc0010, cc0011, cc0101, cc0102,
    cc0103, cc0104, cc0105, cc0106, cc0107, cc0108, cc0109, cc0113, cc0201, cc0202, cc0203, cc0204, cc0205, cc0208,
};
use crate::state::{Duty, Fact, Owed, State};
use crate::sym::{Node, Sym};

/// One instruction, with what is known before it.
pub(crate) fn walk(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, state: &State) {
    let func = c.a.func;
    let opcode = func.dfg.insts[inst].opcode();
    objects(c, inst, state);
    if let Some(a) = c.a.access(inst) {
        access(c, shape, &a, state);
    } else if c.a.switch_site(inst).is_some() {
        switch(c, shape, inst, state);
    } else if opcode.is_call() {
        call(c, shape, inst, state);
    } else {
        match opcode {
            Opcode::Return => {
                leave(c, inst, state);
                cc0003::leave(c, inst, None, state);
                cc0103::left(c, inst, state);
            }
            Opcode::Trap | Opcode::Trapz | Opcode::Trapnz => trap(c, shape, inst, state),
            Opcode::Brif => search(c, inst, state),
            Opcode::BrTable => table(c, shape, inst),
            _ => {}
        }
    }
}

/// What belongs to the whole function.
pub(crate) fn judge(c: &mut Check<'_>, shape: &ChainShape) {
    for (inst, kind) in std::mem::take(&mut c.notes.given_up) {
        let searched = (0..c.notes.searched.len()).any(|i| c.a.searches(kind, c.notes.searched[i]));
        c.require(searched, &cc0201::RULE, inst, "the search gives up without having looked at handlers");
    }
    for (inst, kind) in c.notes.report.operations.iter().map(|o| (o.inst, o.kind)).collect::<Vec<_>>() {
        if c.a.switch_kinds[inst].is_none() {
            continue;
        }
        let all = c.a.possible_effects(kind);
        let served = c.notes.served.get(&inst).copied().unwrap_or_default();
        // what throws nothing need not be told from a resume
        let must = if kind.installs_handlers() { all } else { 1 << shape.resume };
        c.require(
            served & must == must,
            &cc0107::RULE,
            inst,
            "the operation does not go on with each effect that may come back",
        );
        let installed = c.notes.installed.iter().find(|(i, _)| *i == inst).map_or(0, |(_, n)| *n);
        if installed > 0 {
            let dispatched = c.notes.dispatched.contains(inst);
            c.require(dispatched, &cc0201::RULE, inst, "no table leads to the handlers that are installed");
        }
    }
}

/// The rule that a duty belongs to, and what was not done.
pub(crate) fn owed(duty: &Duty) -> (&'static Rule, &'static str) {
    match duty.what {
        Owed::Active => (&cc0105::RULE, "the resumer's own stack is not made the active one again"),
        Owed::State => (&cc0106::RULE, "the state of a stack does not follow what happened to it"),
        Owed::Limit => (&cc0109::RULE, "a limit does not go where the stacks went"),
        Owed::Handlers => (&cc0202::RULE, "the handlers of a resume that is over are still in the list"),
        Owed::Clear => (&cc0205::RULE, "a payload buffer is left as it was"),
        Owed::Count => (&cc0203::RULE, "a value is stored that no buffer's length counts"),
        Owed::Payload => (&cc0204::RULE, "a buffer's length counts a value that is not stored"),
        Owed::Raise => (&cc0108::RULE, "what ended a continuation is not raised here"),
        Owed::Slot => (&cc0113::RULE, "a slot is taken, and no object is made of it"),
        Owed::Search => (&cc0101::RULE, "a search for a handler is begun, and then neither gone on with nor given up"),
        Owed::Suspend => (&cc0101::RULE, "a handler is found, and then not switched to"),
        Owed::Own => (&cc0004::RULE, "the revision of the running continuation is read, and no switch hands it over"),
    }
}

/// Control leaves the operation: everything is done, and every effect known.
fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    pending(c, inst, state);
    cc0107::leave(c, inst, state);
    if c.a.role != FunctionRole::Program {
        return;
    }
    let own = c.a.own_link();
    let store = c.a.store_context;
    let holds = [(Role::ActiveKind, own.0), (Role::ActiveStack, own.1)]
        .iter()
        .all(|(role, s)| c.a.held(store, *role, state).is_none_or(|held| held == *s));
    let reported = state.duties().iter().any(|d| d.what == Owed::Active);
    if !reported {
        c.require(holds, &cc0105::RULE, inst, "control leaves while the chain does not begin with the running stack");
    }
}

fn pending(c: &mut Check<'_>, inst: Inst, state: &State) {
    for duty in state.duties() {
        let (rule, message) = owed(duty);
        c.fail_with(rule, Verdict::Violated, inst, message, vec![(duty.since, "owed since here".into())]);
    }
    if state.duties().is_empty() {
        c.proven();
    }
}

fn switch(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, state: &State) {
    let Some(site) = c.a.switch_site(inst) else { return };
    pending(c, inst, state);
    cc0107::leave(c, inst, state);
    buffers::all_filled(c, state);
    let kind = c.a.chain_classify(&site);
    let Some(kind) = kind else { return cc0101::unidentified(c, &site) };
    let object = match kind {
        OperationKind::Suspend => {
            cc0003::leave(c, inst, None, state);
            suspend::suspend(c, shape, &site, state);
            None
        }
        OperationKind::Switch => suspend::switch(c, shape, &site, state),
        _ => resume::resume(c, shape, &site, kind, state),
    };
    if let Some(object) = object {
        let site = crate::transfer::SwitchSite { to: object, ..site };
        if cc0102::switch(c, &site, state) {
            cc0003::switch(c, &site, state);
        }
        cc0011::switch(c, &site, state);
    }
    let operation = c.a.operation(kind, inst, object, state);
    c.consumed_by_switch(&operation);
    c.notes.report.operations.push(operation);
}

fn call(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, state: &State) {
    let callee = c.a.callee_of(inst).unwrap_or(Callee::Unknown);
    if let Some((store, _)) = state.dirty.first() {
        let related = vec![(*store, "the first change is made here".to_owned())];
        let message = "a function is called while an operation is half done";
        c.fail_with(&cc0104::RULE, Verdict::Violated, inst, message, related);
    }
    match callee {
        Callee::Harmless => {}
        Callee::NewCont => {
            leave(c, inst, state);
            let func = c.a.func.dfg.inst_args(inst).get(1).map(|v| c.a.value(*v));
            let tested = func.is_some_and(|f| state.knows(Fact::NonNull(f)));
            c.require(tested, &cc0001::RULE, inst, "a continuation is made of a function that was not tested for null");
            let operation = c.a.operation(OperationKind::ContNew, inst, None, state);
            c.notes.report.operations.push(operation);
        }
        Callee::Raise => {
            let left: Vec<Duty> = state.duties().iter().filter(|d| d.what != Owed::Raise).copied().collect();
            for duty in left {
                let (rule, message) = owed(&duty);
                c.fail_with(rule, Verdict::Violated, inst, message, vec![(duty.since, "owed since here".into())]);
            }
            cc0107::leave(c, inst, state);
            fresh_end(c, shape, inst, state);
        }
        _ => {
            leave(c, inst, state);
            cc0003::call(c, inst, state);
        }
    }
}

/// What is raised in a fresh continuation ends it.
fn fresh_end(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, state: &State) {
    let zero = c.a.syms.constant(shape.fresh);
    let fresh: Vec<Sym> = state
        .equals(zero)
        .filter_map(|s| c.a.loaded_from(s))
        .filter(|(_, at)| *at == c.a.at(Role::State))
        .map(|(base, _)| base)
        .collect();
    for base in fresh {
        if state.obj(base).is_some_and(|o| o.bump.is_some() && o.stale.is_none()) {
            let ended = c.a.stored(base, Role::State, state).and_then(|s| c.a.syms.as_const(s)) == Some(shape.trapped);
            c.require(ended, &cc0106::RULE, inst, "a consumed continuation that never ran is not marked as ended");
        }
    }
}

/// A trap: nothing is half done, and its code says why.
fn trap(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, state: &State) {
    pending(c, inst, state);
    if let Some((store, _)) = state.dirty.first() {
        let related = vec![(*store, "the first change is made here".to_owned())];
        let message = "the operation traps after it has changed the chain";
        c.fail_with(&cc0011::RULE, Verdict::Violated, inst, message, related);
    } else {
        c.proven();
    }
    cause(c, shape, inst, state);
}

/// Does a trap of the protocol happen for its reason?
fn cause(c: &mut Check<'_>, shape: &ChainShape, inst: Inst, state: &State) {
    let (arg, code, when_zero) = match c.a.func.dfg.insts[inst] {
        InstructionData::CondTrap { opcode, arg, code } => (arg, code.as_raw().get(), opcode == Opcode::Trapz),
        InstructionData::Trap { code, .. } if code.as_raw().get() == shape.unhandled_trap => {
            let initial = c.a.syms.constant(shape.initial_stack);
            let kinds = state.equals(initial).filter(|kind| c.a.is_link_kind(*kind));
            c.notes.given_up.extend(kinds.map(|kind| (inst, kind)));
            let reached = |state: &State| state.equals(initial).next().is_some();
            let reached = c.a.holds_before(inst, state, &reached);
            let message = "the tag counts as unhandled though the chain goes on";
            return c.require(reached, &cc0208::RULE, inst, message);
        }
        _ => return,
    };
    let cond = c.a.value(arg);
    let (cc, a, b) = match c.a.syms.node(cond) {
        // a comparison of a word with itself
        Node::Const(k) if code == shape.consumed_trap => {
            let current = (k == 0) != when_zero || c.a.compares_itself(arg).is_none();
            let message = "the operation traps as on a consumed continuation, though it is current";
            return c.require(current, &cc0002::RULE, inst, message);
        }
        Node::Const(k) if code == shape.unhandled_trap => {
            let message = "the tag counts as unhandled though the chain goes on";
            return c.require((k == 0) != when_zero, &cc0208::RULE, inst, message);
        }
        Node::Const(_) => {
            let compared = c.a.compares_itself(arg).filter(|word| is_revision(c, *word, state));
            if compared.is_some() && code != shape.consumed_trap {
                let message = "the trap's code is not that of its condition";
                c.fail(&cc0208::RULE, Verdict::Violated, inst, message);
            }
            return;
        }
        Node::Icmp(cc, a, b, _) => (if when_zero { cc.complement() } else { cc }, a, b),
        _ => (if when_zero { IntCC::Equal } else { IntCC::NotEqual }, cond, c.a.zero),
    };
    let compares = cc == IntCC::NotEqual && (is_revision(c, a, state) || is_revision(c, b, state));
    let link = c.a.syms.as_const(b) == Some(shape.initial_stack);
    if compares {
        unconsumed(c, inst, a, b, state);
        let part = |x, y| matches!(c.a.syms.node(x), Node::And(of, _) if of == y);
        let whole = !part(a, b) && !part(b, a);
        c.require(whole, &cc0005::RULE, inst, "the revision in an object has lost bits");
    }
    let tests_null = cc == IntCC::Equal && b == c.a.zero && c.a.is_marked(a);
    let ends_search = cc == IntCC::Equal && link && c.a.is_link_kind(a);
    if ends_search && code == shape.unhandled_trap {
        c.notes.given_up.push((inst, a));
    }
    let holds = match code {
        k if k == shape.consumed_trap => compares,
        k if k == shape.null_trap => cc == IntCC::Equal && b == c.a.zero,
        k if k == shape.unhandled_trap => cc == IntCC::Equal && link,
        _ => {
            let of_function = cc == IntCC::Equal && b == c.a.zero && makes(c, a);
            !(compares || tests_null || ends_search || of_function)
        }
    };
    c.require(holds, &cc0208::RULE, inst, "the trap's code is not that of its condition");
}

/// Is it what a continuation's revision is?
fn is_revision(c: &Check<'_>, s: Sym, state: &State) -> bool {
    let at = c.a.at(Role::Revision);
    state.cells().iter().any(|cell| cell.offset == at && cell.value == s && c.a.is_contref(cell.base))
}

/// Is a continuation made of this function anywhere?
fn makes(c: &mut Check<'_>, function: Sym) -> bool {
    let func = c.a.func;
    if !func.dfg.ext_funcs.keys().any(|f| c.a.callees[f] == Some(Callee::NewCont)) {
        return false;
    }
    let insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
    let mut calls = insts.filter(|i| func.dfg.insts[*i].opcode().is_call());
    calls.any(|i| {
        let made_of = func.dfg.inst_args(i).get(1).filter(|_| c.a.callee_of(i) == Some(Callee::NewCont));
        made_of.is_some_and(|v| c.a.value(*v) == function)
    })
}

/// A witness that would follow the current revision, which was not stored: who
/// made the object did not consume the one before.
fn unconsumed(c: &mut Check<'_>, inst: Inst, a: Sym, b: Sym, state: &State) {
    let at = c.a.at(Role::Revision);
    for (revision, witness) in [(a, b), (b, a)] {
        let ((x, before), (y, after)) = (c.a.syms.split_add(revision), c.a.syms.split_add(witness));
        let current = state.cells().iter().any(|cell| cell.offset == at && cell.value == revision);
        if current && x == y && after > before {
            let message = "an object is made of a revision that was never stored";
            c.fail(&cc0004::RULE, Verdict::Violated, inst, message);
        }
    }
}

/// A branch on whether a handler's tag is the one looked for.
fn search(c: &mut Check<'_>, inst: Inst, state: &State) {
    let InstructionData::Brif { arg, .. } = c.a.func.dfg.insts[inst] else { return };
    let cond = c.a.value(arg);
    let Node::Icmp(_, a, b, _) = c.a.syms.node(cond) else { return };
    for entry in [a, b] {
        match c.a.hit(entry, state) {
            Some((.., Err((rule, message)))) => c.fail(rule, Verdict::Violated, inst, message),
            Some((last, .., Ok(_))) => {
                c.notes.searched.push(last);
                c.proven();
            }
            None => {}
        }
    }
}

/// The dispatch to handlers.
fn table(c: &mut Check<'_>, shape: &ChainShape, inst: Inst) {
    let func = c.a.func;
    let InstructionData::BranchTable { arg, table, .. } = func.dfg.insts[inst] else { return };
    let operand = c.a.value(arg);
    let Some(switch) = c.a.dispatches(operand) else { return };
    c.notes.dispatched.insert(switch);
    let table = &func.stencil.dfg.jump_tables[table];
    let installed = c.notes.installed.iter().find(|(i, _)| *i == switch).map_or(0, |(_, n)| *n);
    let covers = table.as_slice().len() as u64 == installed;
    c.require(covers, &cc0201::RULE, inst, "the dispatch does not cover the suspend handlers that are installed");
    let default = table.default_block().block(&func.dfg.value_lists);
    let end = func.layout.first_inst(default).and_then(|i| c.a.first_effect(i));
    let traps = end.is_some_and(|i| match func.dfg.insts[i] {
        InstructionData::Trap { code, .. } => code.as_raw().get() == shape.unreachable_trap,
        _ => false,
    });
    c.require(traps, &cc0201::RULE, inst, "an index without a handler does not trap");
    let unserved = table.as_slice().iter().any(|entry| {
        let target = entry.block(&func.dfg.value_lists);
        end.is_some() && func.layout.first_inst(target).and_then(|i| c.a.first_effect(i)) == end
    });
    c.require(!unserved, &cc0201::RULE, inst, "the index of an installed handler leads to where none is");
}

/// Every access to memory.
fn access(c: &mut Check<'_>, shape: &ChainShape, access: &Access, state: &State) {
    c.note_bump(access, state);
    cc0010::access(c, access);
    cc0008::access(c, access);
    if c.a.role != FunctionRole::Program {
        return;
    }
    if access.place.record() == Some(RecordKind::ContRef) {
        cc0001::access(c, access, state);
        cc0002::access(c, access, state);
        cc0007::access(c, access, state);
    }
    continuation(c, access, state);
    came_back(c, shape, access, state);
    buffers::access(c, shape, access, state);
    let Some(stored) = access.stored else { return };
    cc0001::consumes(c, access, state);
    cc0003::store(c, access, state);
    cc0009::store(c, access, state);
    let value = c.a.value(stored);
    for duty in state.duties() {
        let there = duty.base == access.base && duty.offset == access.offset && duty.what != Owed::Raise;
        if there && !c.a.pays(duty, access, value, state) {
            let (rule, message) = owed(duty);
            c.fail_with(rule, Verdict::Violated, access.inst, message, vec![(duty.since, "owed since here".into())]);
        }
    }
    limit(c, access, value, state);
    new_state(c, shape, access, value, state);
}

/// A field that only continuations have, of the running stack.
fn continuation(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.base != c.a.active || access.offset < c.a.at(Role::ParentKind) {
        return;
    }
    let known = state.knows(Fact::Continuation(c.a.active));
    let message = "the running stack is taken for a continuation, though it may be the initial stack";
    c.require(known, &cc0101::RULE, access.inst, message);
}

/// What came back from a resume is used for what happened to it.
fn came_back(c: &mut Check<'_>, shape: &ChainShape, access: &Access, state: &State) {
    let Kind::Back(switched) = access.kind else { return };
    let codes = state.codes(switched);
    if state.obj(access.base).is_some_and(|o| o.bump.is_some()) || access.place.record() != Some(RecordKind::ContRef) {
        return;
    }
    let suspends = 1 << shape.suspend;
    let holds = match (access.place.role(), access.stored.is_some()) {
        (Some(Role::Revision | Role::ValuesData), false) => codes == suspends,
        // an object that was made of it is used like any other
        (Some(Role::ArgsData), false) => codes & suspends == 0 || state.obj(access.base).is_some(),
        (Some(Role::Limit(_)), true) => codes == suspends,
        _ => codes.count_ones() == 1,
    };
    c.require(holds, &cc0107::RULE, access.inst, "what came back is used where another effect may have come back");
}

/// Limits move between the store context and the stack that they belong to.
fn limit(c: &mut Check<'_>, access: &Access, value: Sym, state: &State) {
    let store = c.a.store_context;
    let message = match access.place.role() {
        Some(Role::Limit(i)) if access.base == c.a.active => {
            let holds = c.a.held(store, Role::StoreLimit(i), state).is_some_and(|held| state.same(held, value));
            (!holds).then_some("what is kept for this stack is not the limit in force")
        }
        Some(Role::StoreLimit(i)) => {
            let at = c.a.at(Role::Limit(i));
            let holds = state
                .cells()
                .iter()
                .any(|cell| cell.offset == at && state.same(cell.value, value) && c.a.is_contref(cell.base));
            (!holds).then_some("what is put in force is not this limit of any stack")
        }
        _ => return,
    };
    match message {
        None => c.proven(),
        Some(message) => c.fail(&cc0109::RULE, Verdict::Violated, access.inst, message),
    }
}

/// States move along the state machine.
fn new_state(c: &mut Check<'_>, shape: &ChainShape, access: &Access, value: Sym, state: &State) {
    if access.place.role() != Some(Role::State) {
        return;
    }
    let Some(to) = c.a.syms.as_const(value) else {
        return c.fail(&cc0106::RULE, Verdict::Unproven, access.inst, "the state that is stored is not a constant");
    };
    let base = access.base;
    let holds = if base == c.a.active {
        [shape.running, shape.parent, shape.suspended].contains(&to)
    } else if let Kind::Back(_) = c.a.kind(base)
        && state.obj(base).is_none_or(|o| o.bump.is_none())
    {
        [shape.ended, shape.trapped].contains(&to)
    } else {
        let fresh = c.a.syms.constant(shape.fresh);
        let never_ran = state.facts().iter().any(|f| match *f {
            Fact::Equal(a, b) if a == fresh || b == fresh => {
                c.a.loaded_from(if a == fresh { b } else { a }) == Some((base, access.offset))
            }
            _ => false,
        });
        to == shape.running || (to == shape.trapped && never_ran)
    };
    c.require(holds, &cc0106::RULE, access.inst, "a stack cannot get into this state here");
}

/// Objects that others will see.
fn objects(c: &mut Check<'_>, inst: Inst, state: &State) {
    let func = c.a.func;
    let data = func.dfg.insts[inst];
    let opcode = data.opcode();
    let mut seen: Vec<Value> = vec![];
    if opcode.can_store() || opcode.is_call() || opcode == Opcode::Return {
        seen.extend(func.dfg.inst_args(inst));
    }
    if opcode.is_branch() {
        let calls = data.branch_destination(&func.stencil.dfg.jump_tables, &func.stencil.dfg.exception_tables);
        for call in calls {
            seen.extend(call.args(&func.dfg.value_lists).filter_map(|a| match a {
                BlockArg::Value(v) => Some(v),
                _ => None,
            }));
        }
    }
    for v in seen {
        if func.dfg.value_type(v).bits() <= c.a.profile.word_bits() || !func.dfg.value_type(v).is_int() {
            continue;
        }
        let s = c.a.value(v);
        match c.a.syms.node(s) {
            Node::Pair(contref, revision) => object(c, inst, v, (contref, revision), state),
            Node::Const(0) => {}
            // a revision of 0 is no witness of anything
            _ if c.a.syms.bits(s) <= c.a.profile.word_bits() && state.obj(s).is_some() => {
                c.fail(&cc0005::RULE, Verdict::Violated, inst, "an object is handed on without its revision");
            }
            _ => {}
        }
    }
}

fn object(c: &mut Check<'_>, inst: Inst, v: Value, (contref, revision): (Sym, Sym), state: &State) {
    if c.a.syms.as_const(contref) == Some(0) {
        return c.proven();
    }
    if state.obj(revision).is_some_and(|o| o.witness == contref) {
        return c.fail(&cc0006::RULE, Verdict::Violated, inst, "the words of an object are exchanged");
    }
    let obj = state.obj(contref).copied().filter(|o| o.stale.is_none());
    if let Some(obj) = obj
        && !state.same(obj.witness, revision)
        && !obj.bump.is_some_and(|bump| c.a.is_defined_before(v, bump))
    {
        let related = vec![(obj.check, "its revision is known from here".to_owned())];
        let foreign = state.objs().iter().any(|o| o.contref != contref && o.witness == revision);
        let narrow = matches!(c.a.syms.node(revision), Node::And(inner, _) if inner == obj.witness);
        let (rule, message) = if foreign {
            (&rules::cc0012::RULE, "an object is made of one continuation's contref and another's revision")
        } else if narrow {
            (&cc0005::RULE, "the revision in an object has lost bits")
        } else {
            (&cc0004::RULE, "the revision in an object is not the continuation's current one")
        };
        return c.fail_with(rule, Verdict::Violated, inst, message, related);
    }
    c.notes.pairs.push(PairDuty::new(inst, contref, revision, inst));
}
