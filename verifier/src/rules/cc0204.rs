//! CC0204 payload-types.

use clif_cont_abi::EffectKind;
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::ir::{Block, Inst, Value};

use super::{Rule, examples};
use crate::check::{Check, PairDuty};
use crate::graph::Edge;
use crate::module::Module;
use crate::place::{Access, Kind};
use crate::profile::{Callee, FunctionRole, Role};
use crate::report::OperationKind;
use crate::report::Verdict;
use crate::state::{Duty, Fact, Owed, Since, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;
use crate::types::{OperationTypes, Part, Parts, Passed, part_at, parts};

pub(crate) const RULE: Rule = Rule {
    id: "CC0204",
    name: "payload-types",
    statement: "What is handed over in a payload is what the other side loads, in the same slots and widths. It is read \
                before other code runs. Where the module knows the types (of a tag, of a host's function, of an \
                operation), every value is stored on every path, in its slot and width, unless an optimiser is said to \
                have kept what is there; nothing else is loaded of what comes back with an effect, and no value twice while another of its \
                width is left out. Where it does \
                not, it is decided that what is handed over fills the payload from its last value on without a gap (a \
                value of two slots may leave the first one). A float and an integer of one width are the same bits, \
                and a producer may hand over either for the other: they are not told apart. That a continuation has the type by which it is resumed \
                is the producer's business. A trampoline passes each value on from its slot, and to it, as its name says. Under `wasmtime-48` every value that a buffer's length counts is stored, in the buffer that belongs to the continuation's state.",
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
    let kind = access.kind;
    let is_other =
        |kind| matches!(kind, Kind::Parent(_) | Kind::Last(_) | Kind::Driver | Kind::Found(..) | Kind::DriverRecord(_));
    let other = match kind {
        Kind::Merged => c.origins(access.base).unwrap_or_default().iter().any(|o| is_other(c.a.kind(o.value))),
        _ => is_other(kind),
    };
    c.require(!other, &RULE, access.inst, "the payload of a continuation is used that is not the operation's");
    if let Some(stored) = access.stored {
        halves(c, access, stored, state);
    } else {
        match kind {
            Kind::Active => own(c, access, state),
            Kind::Back(word) => others(c, access, word, state),
            _ => {}
        }
    }
}

/// A word that a `cont.bind` supplies: with the other one of its object, where that was
/// stored before it, it has to be of one origin.
fn halves(c: &mut Check<'_>, access: &Access, stored: Value, state: &State) {
    let open: Vec<&Duty> = state.duties().iter().filter(|d| d.what == Owed::Payload && d.base == access.base).collect();
    let Some(duty) = open.iter().find(|d| d.offset == access.offset) else { return };
    let parts = c.a.bound(duty.since);
    let Some(part) = part_at(&parts, access.offset) else { return };
    let Some(other) = parts.iter().find(|p| p.value == part.value && p.offset != part.offset) else { return };
    if open.iter().any(|d| d.offset == other.offset) {
        return;
    }
    let Some(before) = state.cell(access.base, other.offset).map(|cell| cell.value) else { return };
    let value = c.a.value(stored);
    // the revision is in the lower slot
    let (contref, witness) = if other.offset > part.offset { (before, value) } else { (value, before) };
    c.notes.pairs.push(PairDuty::new(access.inst, contref, witness, access.inst));
}

/// The running continuation's payload is read: it came back with a switch, and
/// nothing has run since.
fn own(c: &mut Check<'_>, access: &Access, state: &State) {
    let kind = match state.since {
        Since::Entry => None,
        Since::Inst(i) => c.a.switch_kinds[i],
        Since::Several => return met(c, access),
    };
    let message = match kind {
        // what a resumer's own payload holds is of no operation
        Some(kind) if kind.installs_handlers() => {
            "the resumer's own payload is read where another continuation came back"
        }
        // what it stores itself is for somebody else
        Some(_) => {
            let own = state.cell(access.base, access.offset);
            let stored = own.is_some_and(|cell| c.a.func.dfg.insts[cell.by].opcode().can_store());
            let message = "what is read as received was stored by this function, for its next switch";
            return c.require(!stored, &RULE, access.inst, message);
        }
        None => "the payload is read where nobody has just handed over any",
    };
    c.fail(&RULE, Verdict::Violated, access.inst, message);
}

/// It is read where paths meet, or behind that: on each of them a switch came back.
fn met(c: &mut Check<'_>, access: &Access) {
    let handed = |i: Inst| c.a.switch_kinds[i].is_some_and(|kind| !kind.installs_handlers());
    let mut queue: Vec<Block> = c.a.func.layout.inst_block(access.inst).into_iter().collect();
    let mut seen: EntitySet<Block> = EntitySet::new();
    let mut all = true;
    while let Some(block) = queue.pop() {
        if !seen.insert(block) {
            continue;
        }
        for edge in c.a.edges_to(block) {
            match c.a.on_edge(edge).map(|state| state.since) {
                Some(Since::Entry) => all = false,
                Some(Since::Inst(i)) => all &= handed(i),
                Some(Since::Several) => queue.push(edge.from),
                None => {}
            }
        }
    }
    let message = "the payload is read where on some path nobody has just handed over any";
    c.require(all, &RULE, access.inst, message);
}

/// The payload of what came back is read, and nothing has run since.
fn others(c: &mut Check<'_>, access: &Access, word: Sym, state: &State) {
    let Node::Switched(switch) = c.a.syms.node(word) else { return };
    if state.codes(word) == 1 << c.a.profile.effect(EffectKind::Throw) {
        let exception = c.a.profile.field(Role::Payload(0)).offset;
        let holds = access.offset == exception && access.size == c.a.profile.word_bytes();
        c.require(holds, &RULE, access.inst, "what is read is not the exception with which a continuation ended");
    }
    if state.since == Since::Inst(switch) {
        return c.proven();
    }
    // who ended has given its stack up; who suspended may have been resumed
    let message = match state.codes(word) & !c.a.profile.ending_codes() {
        0 => "the payload of a continuation that has ended is read after other code ran",
        _ => "a payload is read after other code ran, which may have resumed its continuation",
    };
    c.fail_with(&RULE, Verdict::Violated, access.inst, message, vec![(switch, "came back here".into())]);
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
    let offset = c.a.profile.field(Role::Payload(0)).offset;
    // an optimiser leaves out what stores the exception where it is; which those are only a module knows
    let kept = c.a.types.is_none_or(|types| types.is_kept(inst, offset));
    let cell = state.cell(contref, offset).copied();
    let stored = cell.filter(|cell| kept || c.a.func.dfg.insts[cell.by].opcode().can_store());
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
    // where types are known, each of the values was looked at
    if c.notes.received.contains_key(&inst) {
        return;
    }
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

/// What a switch comes back with.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// With the effect that ends the operation.
    results: Parts,
    /// With a suspend that a handler serves: by handler, where its tag's type is known.
    /// None where the handlers are not known.
    suspended: Option<Vec<Option<Parts>>>,
    /// What was loaded of it: by which handler's edge, none for the results.
    loaded: Vec<(Option<usize>, Inst, i32)>,
}

impl Received {
    fn list(&self, handler: Option<usize>) -> Option<&[Part]> {
        match handler {
            None => Some(&self.results),
            Some(handler) => self.suspended.as_ref()?.get(handler)?.as_deref(),
        }
    }
}

/// A switch: what it hands over is stored.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, kind: OperationKind, state: &State) {
    if c.a.role != FunctionRole::Program {
        return;
    }
    if let Some(types) = c.a.types.and_then(|types| types.of(site.inst))
        && types.kind() != kind
    {
        let message = format!("this is a {}, and the module says that it is a {}", kind.name(), types.kind().name());
        return c.fail(&RULE, Verdict::Violated, site.inst, message);
    }
    let Some(known) = types(c, site, kind, state) else { return };
    let Some((given, results)) = known else {
        c.notes.untyped.insert(site.inst);
        return;
    };
    let base = if kind.runs_object() { site.to } else { site.from };
    for part in &given {
        stored(c, site.inst, base, part, state);
    }
    // halves of one object, the revision in the lower slot
    let active = c.a.active;
    for halves in given.windows(2).filter(|two| two[0].value == two[1].value) {
        let at = |part: &Part| state.cell(base, part.offset).map(|cell| cell.value);
        // a switcher's own object is CC0004's
        if let (Some(witness), Some(contref)) = (at(&halves[0]), at(&halves[1]).filter(|c| *c != active)) {
            c.notes.pairs.push(PairDuty::new(site.inst, contref, witness, site.inst));
        }
    }
    let suspended = if kind.installs_handlers() { handlers(c, state) } else { Some(vec![]) };
    let known = suspended.as_ref().is_some_and(|handlers| handlers.iter().all(Option::is_some));
    if !known {
        c.notes.untyped.insert(site.inst);
    }
    c.notes.received.insert(site.inst, Received { results, suspended, loaded: vec![] });
}

/// What a switch hands over and comes back with; none for one that passes no values.
#[allow(clippy::option_option, reason = "there are no types, or they are not known")]
fn types(c: &mut Check<'_>, site: &SwitchSite, kind: OperationKind, state: &State) -> Option<Option<(Parts, Parts)>> {
    let profile = c.a.profile;
    let places = |given: &[Passed], received: &[Passed]| (parts(profile, given), parts(profile, received));
    let of = |ty: &crate::PassedTypes| places(&ty.params, &ty.results);
    Some(match kind {
        OperationKind::Resume | OperationKind::ResumeThrow | OperationKind::Switch => {
            c.a.types.and_then(|types| types.of(site.inst)).map(|types| match types {
                OperationTypes::ContBind(ty, _) | OperationTypes::Resume(ty) => of(ty),
                // the exception is looked at anyway
                OperationTypes::ResumeThrow(ty) => places(&[], &ty.results),
                OperationTypes::Switch(ty, receive) => places(&ty.params, receive),
            })
        }
        OperationKind::Suspend => {
            let tag = state.facts().iter().find_map(|f| match *f {
                Fact::Serves(resumer, tag) if resumer == site.to => Some(tag),
                _ => None,
            });
            tag.and_then(|tag| tag_name(c, tag)).and_then(|tag| c.module?.tag(&tag)).map(of)
        }
        OperationKind::HostCall => {
            let number = state.cell(c.a.store_context, profile.field(Role::HostFunction).offset).map(|cell| cell.value);
            let known = number.and_then(|n| c.a.syms.as_const(n)).and_then(|n| c.module?.host_function(n)).map(of);
            if known.is_none() && c.module.is_some_and(Module::has_host) {
                let message = "the number of the function that is called is none of the host's";
                c.fail(&RULE, Verdict::Violated, site.inst, message);
                return None;
            }
            known
        }
        _ => return None,
    })
}

fn tag_name(c: &Check<'_>, tag: Sym) -> Option<String> {
    match c.a.syms.node(tag) {
        Node::Symbol(symbol) => c.a.symbol_name(symbol),
        _ => None,
    }
}

/// What each suspend handler of the installed table is handed, where the type of
/// its tag is known.
fn handlers(c: &Check<'_>, state: &State) -> Option<Vec<Option<Parts>>> {
    let module = c.module?;
    let profile = c.a.profile;
    let (list, word) = (profile.field(Role::SuspendHandlers).offset, i64::from(profile.word_bytes()));
    let installed = state.cell(c.a.active, profile.field(Role::Handlers).offset)?;
    let (base, offset) = c.a.syms.split_add(installed.value);
    let brings = |tag: &str| module.tag(tag).map(|ty| parts(profile, &ty.params));
    match c.a.syms.node(base) {
        Node::Symbol(symbol) => {
            let tags = module.suspend_tags(&c.a.symbol_name(symbol)?, (offset + i64::from(list)) / word)?;
            Some(tags.into_iter().map(brings).collect())
        }
        Node::StackAddr(_) => {
            let entry = |n: i64| state.cell(base, (offset + i64::from(list) + n * word) as i32).map(|cell| cell.value);
            let entries = (0..).map_while(|n| entry(n).filter(|tag| c.a.syms.as_const(*tag) != Some(0)));
            Some(entries.map(|tag| tag_name(c, tag).and_then(|tag| brings(&tag))).collect())
        }
        _ => None,
    }
}

/// A part of the payload is stored when control leaves.
fn stored(c: &mut Check<'_>, inst: Inst, base: Sym, part: &Part, state: &State) {
    if c.a.is_handed(inst, base, part, state) {
        return c.proven();
    }
    let related = state.cell(base, part.offset).map(|cell| {
        let what = match c.a.func.dfg.insts[cell.by].opcode().can_store() {
            true => format!("stored with {} bytes here", cell.size),
            false => "what was loaded here is still there, and is not said to be kept".to_owned(),
        };
        (cell.by, what)
    });
    let message = format!(
        "value {} of the payload, {} bytes at offset {}, is not stored on every path",
        part.value, part.size, part.offset
    );
    c.fail_with(&RULE, Verdict::Violated, inst, message, related.into_iter().collect());
}

/// A payload is loaded: a value that the effect brings.
pub(crate) fn read(c: &mut Check<'_>, access: &Access, state: &State) {
    if c.notes.received.is_empty() || access.stored.is_some() || !matches!(access.place.role(), Some(Role::Payload(_)))
    {
        return;
    }
    let switch = match (access.kind, state.since) {
        (Kind::Back(word), _) => match c.a.syms.node(word) {
            Node::Switched(inst) => inst,
            _ => return,
        },
        (Kind::Active, Since::Inst(inst)) => inst,
        _ => return,
    };
    let (Some(received), Some(word)) = (c.notes.received.get(&switch), c.a.syms.find(Node::Switched(switch))) else {
        return;
    };
    let profile = c.a.profile;
    let codes = state.codes(word);
    let is = |kind| codes == 1 << profile.effect(kind);
    let has = |parts: &[Part]| part_at(parts, access.offset).is_some_and(|part| part.size == access.size);
    let known = if is(EffectKind::Return) || is(EffectKind::Resume) {
        has(&received.results)
    } else if codes != 0 && codes & !profile.suspending_codes() == 0 {
        // a handler that has no code of its own is one of those behind the others
        let first = profile.effect(EffectKind::Suspend);
        let far = profile.effect(EffectKind::SuspendFar);
        let brings = |parts: &Option<Parts>| parts.as_ref().is_none_or(|parts| has(parts));
        let Some(handlers) = &received.suspended else { return };
        (first..=far).filter(|code| codes & (1 << code) != 0).all(|code| {
            let mut handlers = handlers.iter().skip((code - first) as usize);
            match code == far {
                true => handlers.any(brings),
                false => handlers.next().is_none_or(brings),
            }
        })
    } else {
        // an exception, or an effect that is not known: others look at that
        return;
    };
    if !known {
        let message = format!("{} bytes at offset {} are no value that comes back here", access.size, access.offset);
        return c.fail_with(&RULE, Verdict::Violated, access.inst, message, vec![(switch, "came back here".into())]);
    }
    let first = 1 << profile.effect(EffectKind::Suspend);
    let far = 1 << profile.effect(EffectKind::SuspendFar);
    let handler = (codes >= first).then(|| (codes.trailing_zeros() - first.trailing_zeros()) as usize);
    if codes.is_power_of_two()
        && codes != far
        && let Some(received) = c.notes.received.get_mut(&switch)
    {
        received.loaded.push((handler, access.inst, access.offset));
    }
    c.proven();
}

/// Control goes round: what came back with a switch is not read again where that switch is
/// not made again.
pub(crate) fn circles(c: &mut Check<'_>, edge: &Edge) {
    let layout = &c.a.func.layout;
    let within = |inst: Inst| {
        let block = layout.inst_block(inst);
        block.is_some_and(|b| c.a.graph.block_dominates(edge.to, b) && c.a.graph.block_dominates(b, edge.from))
    };
    let behind = |switch: Inst| layout.inst_block(switch).is_some_and(|b| !c.a.graph.block_dominates(edge.to, b));
    let once = c.notes.received.iter().filter(|(switch, _)| behind(**switch));
    let again = once.flat_map(|(_, received)| &received.loaded).map(|(_, inst, _)| *inst).filter(|inst| within(*inst));
    if let Some(load) = again.min() {
        let message = "what came back is read again and again, and nothing comes back";
        c.fail_with(&RULE, Verdict::Violated, load, message, vec![(edge.inst, "control goes round here".into())]);
    }
}

/// No value is loaded twice while another one of its width is not: it would be taken for
/// that one. A program that needs a value again has it.
pub(crate) fn judge(c: &mut Check<'_>) {
    let mut twice = vec![];
    for received in c.notes.received.values() {
        for (i, (handler, inst, offset)) in received.loaded.iter().enumerate() {
            let of_list = || received.loaded.iter().filter(|(h, ..)| h == handler);
            let before = received.loaded[..i].iter().find(|(h, first, at)| {
                (h, at) == (handler, offset) && c.a.graph.dominates(*first, *inst, &c.a.func.layout)
            });
            let (Some((_, first, _)), Some(list)) = (before, received.list(*handler)) else { continue };
            let size = part_at(list, *offset).map(|part| part.size);
            let left_out = list
                .iter()
                .find(|part| Some(part.size) == size && of_list().all(|(_, _, loaded)| *loaded != part.offset));
            // or the one that the next switch brings to that place
            let later = c.notes.received.iter().any(|(switch, next)| {
                c.a.graph.dominates(*inst, *switch, &c.a.func.layout)
                    && part_at(&next.results, *offset).map(|part| part.size) == size
                    && next.loaded.iter().all(|(handler, _, at)| (*handler, *at) != (None, *offset))
            });
            if let Some(offset) = left_out.map(|part| part.offset).or(later.then_some(*offset)) {
                twice.push((*inst, *first, offset));
            }
        }
    }
    twice.sort_unstable();
    for (inst, first, offset) in twice {
        let message = format!("a value is loaded a second time, and the one at offset {offset} is not loaded at all");
        c.fail_with(&RULE, Verdict::Violated, inst, message, vec![(first, "loaded here before".into())]);
    }
}

/// A store that consumed an object for a `cont.bind`.
pub(crate) fn bound(c: &mut Check<'_>, inst: Inst) {
    if c.a.chain().is_some() {
        return;
    }
    match c.a.types.and_then(|types| types.of(inst)) {
        Some(OperationTypes::ContBind(..)) => c.proven(),
        _ => {
            c.notes.untyped.insert(inst);
        }
    }
}

/// Other code runs, or a trap happens, behind which the object may be somewhere: what a
/// `cont.bind` supplies is stored.
pub(crate) fn leave(c: &mut Check<'_>, state: &State) {
    for duty in state.duties().iter().filter(|d| d.what == Owed::Payload) {
        let message = format!("a value is not bound: nothing is stored in its width at offset {}", duty.offset);
        c.fail(&RULE, Verdict::Violated, duty.since, message);
    }
}

/// The same, at a call.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    if !c.a.callee_of(inst).is_some_and(Callee::is_harmless) {
        leave(c, state);
    }
}
