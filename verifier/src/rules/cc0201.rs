//! CC0201 handler-table.

use clif_cont_abi::{Effect, EffectKind};
use cranelift_codegen::ir::{Inst, InstructionData};

use super::{Rule, examples};
use crate::check::Check;
use crate::module::Table;
use crate::profile::Role;
use crate::report::{OperationKind, Verdict};
use crate::state::State;
use crate::sym::{Node, Sym, mask};
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0201",
    name: "handler-table",
    statement: "The installed table is a constant of the module, or was built on the frame with both lists ended by \
                0, and a constant one is so too, which takes the module's data. The dispatch serves as many \
                handlers as the table has, the first ones without a gap, and traps for every other (CC0107); those that share a \
                code are told apart by their index. A search compares every entry with the \
                tag, up to the end of the list, and gives up only behind the last list. Under `wasmtime-48` the list's length counts what is stored, its capacity holds it, its slot is large enough, the suspend handlers end where the record says, and the dispatch has an entry for each of them, which does not lead to the default, and a default that traps. A search that gives up has looked at lists.",
    why: "A search runs past the end of the table, and takes whatever is there for a tag.",
    bugs: "",
    help: "end both lists with 0 before the table is installed",
    passing: examples::RESUME,
    fault: &[
        ("    gv0 =", "    ss0 = explicit_slot 24, align = 8\n    gv0 ="),
        ("v17 = symbol_value.i64 gv0", "v17 = stack_addr.i64 ss0+8"),
    ],
};

/// The switch of a resume.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let Some(installed) = state.cell(c.a.active, c.a.profile.field(Role::Handlers).offset).copied() else { return };
    let (base, offset) = c.a.syms.split_add(installed.value);
    match c.a.syms.node(base) {
        Node::Symbol(symbol) => constant(c, site, symbol, offset),
        Node::StackAddr(_) => {
            let step = c.a.profile.word_bytes() as i32;
            let [suspends, switches] = [(Role::SuspendHandlers, step), (Role::SwitchHandlers, -step)]
                .map(|(list, step)| length(c, base, offset as i32 + c.a.profile.field(list).offset, step, state));
            c.notes.handlers.extend(suspends.map(|n| (site.inst, n)));
            let ends = suspends.is_some() && switches.is_some();
            c.require(ends, &RULE, site.inst, "a list of the handler table on the frame is not ended by 0");
        }
        // whatever is computed is neither
        node => {
            let revision = c.a.profile.field(Role::Revision).offset;
            let loaded = c.a.loaded_from(base).is_some_and(|(k, at)| at == revision && c.a.is_contref(k));
            let half = matches!(node, Node::Value(v) if c.a.neighbours(v) != [None, None]);
            let object = loaded
                || half
                || c.a.is_contref(base)
                || state.objs().iter().any(|o| o.contref == base || c.a.syms.split_add(o.witness).0 == base);
            // a parameter of the function is no constant
            let given = c.a.param(base).is_some_and(|(block, _)| c.a.rpo.first() == Some(&block));
            let origins = c.origins(base).unwrap_or_default();
            let known = origins.iter().any(|origin| is_no_table(c, origin.value));
            let open = matches!(node, Node::Value(_) | Node::Select(..)) && !object && !given && !known;
            let verdict = if open { Verdict::Unproven } else { Verdict::Violated };
            let message = "the installed handler table is neither a constant of the module nor on this frame";
            c.fail(&RULE, verdict, site.inst, message);
        }
    }
}

/// Is it something else for sure: a number, what the protocol's records hold, or what
/// the module's data does?
fn is_no_table(c: &Check<'_>, s: Sym) -> bool {
    match c.a.syms.node(s) {
        Node::Value(_) => c.a.loaded_from(s).is_some_and(|(from, at)| {
            let records = from == c.a.store_context || c.a.is_contref(from);
            // constants are known, and what a program may write to is none
            records || c.constant_word(from, at).is_some() || c.is_written(from)
        }),
        node => !matches!(node, Node::Symbol(_) | Node::StackAddr(_) | Node::Select(..)),
    }
}

/// The suspends that a dispatch serves: the first handlers, without a gap.
pub(crate) fn dispatch(c: &mut Check<'_>, inst: Inst, suspends: u64) {
    let far = 1 << c.a.profile.effect(EffectKind::SuspendFar);
    let near = (suspends & !far) >> c.a.profile.effect(EffectKind::Suspend);
    let gapless = near & (near + 1) == 0;
    let full = near.trailing_ones() == Effect::NEAR_HANDLERS;
    let holds = gapless && (suspends & far == 0 || full);
    c.require(holds, &RULE, inst, "the dispatch leaves out a suspend handler in front of one that it serves");
    let Some(&handlers) = c.notes.handlers.get(&inst) else { return };
    let served = u64::from(near.count_ones());
    let all = served == handlers.min(Effect::NEAR_HANDLERS.into())
        && (suspends & far != 0) == (handlers > Effect::NEAR_HANDLERS.into());
    c.require(all, &RULE, inst, "the dispatch does not serve as many suspend handlers as the table has");
}

/// The dispatch of handlers that have no code of their own: by their number, from the
/// first of these on, and one for each of them.
pub(crate) fn far(c: &mut Check<'_>) {
    let far = 1 << c.a.profile.effect(EffectKind::SuspendFar);
    let near = c.a.profile.near_handlers();
    let serves_far = |i: &Inst| {
        let kind = c.a.switch_kinds[*i];
        kind.is_some_and(OperationKind::installs_handlers)
            && c.notes.served.get(i).is_some_and(|codes| codes & far != 0)
    };
    let mut left: Vec<Inst> = c.notes.report.operations.iter().map(|o| o.inst).filter(serves_far).collect();
    if left.is_empty() {
        return;
    }
    let func = c.a.func;
    for block in c.a.rpo.iter().copied() {
        let Some(inst) = func.layout.last_inst(block) else { continue };
        let (arg, table) = match func.dfg.insts[inst] {
            InstructionData::BranchTable { arg, table, .. } => (arg, Some(&func.stencil.dfg.jump_tables[table])),
            InstructionData::Brif { arg, .. } => (arg, None),
            _ => continue,
        };
        let operand = c.a.value(arg);
        if !is_of_index(c, operand) {
            continue;
        }
        let known = c.a.edges_from(block).find_map(|e| c.a.on_edge(e));
        let of = known.and_then(|state| state.decoded().iter().find(|(_, codes)| *codes == far));
        let resume = of.and_then(|(word, _)| match c.a.syms.node(*word) {
            Node::Switched(inst) => Some(inst),
            _ => None,
        });
        left.retain(|i| Some(*i) != resume);
        let Some(table) = table else { continue };
        let bits = func.dfg.value_type(arg).bits();
        let first = near.wrapping_neg() & mask(bits) == offset_of_index(c, operand) & mask(bits);
        let message = "the table of handlers without a code does not begin with the first of them";
        c.require(first, &RULE, inst, message);
        let default = table.default_block().block(&func.dfg.value_lists);
        let served = table.as_slice().iter().filter(|e| e.block(&func.dfg.value_lists) != default).count() as u64;
        let handlers = resume.and_then(|resume| c.notes.handlers.get(&resume)).copied();
        let all = handlers.is_none_or(|n| n == near + served && table.as_slice().len() as u64 == served);
        c.require(all, &RULE, inst, "the table does not serve as many handlers without a code as there are");
    }
    for resume in left {
        let message = "handlers that have no code of their own are not told apart by their index";
        c.fail(&RULE, Verdict::Violated, resume, message);
    }
}

/// Is it computed from the index that a search leaves in the store context?
fn is_of_index(c: &Check<'_>, s: Sym) -> bool {
    let index = (c.a.store_context, c.a.profile.field(Role::HandlerIndex).offset);
    match c.a.syms.node(s) {
        Node::Value(_) => c.a.loaded_from(s) == Some(index),
        Node::Add(x, ..) | Node::And(x, _) => is_of_index(c, x),
        Node::Icmp(_, x, y, _) => is_of_index(c, x) || is_of_index(c, y),
        _ => false,
    }
}

/// What is added to it on the way.
fn offset_of_index(c: &Check<'_>, s: Sym) -> u64 {
    match c.a.syms.node(s) {
        Node::Add(x, by, _) => by.wrapping_add(offset_of_index(c, x)),
        Node::And(x, _) => offset_of_index(c, x),
        _ => 0,
    }
}

/// A table in the module's data.
fn constant(c: &mut Check<'_>, site: &SwitchSite, symbol: u32, offset: i64) {
    let word = i64::from(c.a.profile.word_bytes());
    let aligned = offset % word == 0;
    let own = c.a.store_context == c.a.syms.global(Node::Symbol(symbol), c.a.profile.word_bits());
    let [suspend, switch] =
        [Role::SuspendHandlers, Role::SwitchHandlers].map(|list| i64::from(c.a.profile.field(list).offset) / word);
    let name = c.a.symbol_name(symbol);
    let table = match (c.module, name) {
        (Some(module), Some(name)) => module.table(&name, offset / word, suspend, switch),
        _ => Table::Unknown,
    };
    match table {
        _ if !aligned || own => c.fail(
            &RULE,
            Verdict::Violated,
            site.inst,
            "the address that is installed is not between the lists of a handler table",
        ),
        Table::Suspends(n) => {
            c.notes.handlers.insert(site.inst, n);
            c.proven();
        }
        Table::Broken(message) => c.fail(&RULE, Verdict::Violated, site.inst, message),
        Table::Unknown => c.proven(),
    }
}

/// Entries of a list on the frame, in front of its end.
fn length(c: &Check<'_>, base: Sym, mut offset: i32, step: i32, state: &State) -> Option<u64> {
    let mut n = 0;
    loop {
        let cell = state.cell(base, offset)?;
        if c.a.syms.as_const(cell.value) == Some(0) {
            return Some(n);
        }
        n += 1;
        offset += step;
    }
}
