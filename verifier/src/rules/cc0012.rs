//! CC0012 pairing.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Inst, InstructionData, Opcode};

use rustc_hash::FxHashSet;

use super::{Rule, examples};
use crate::check::{Check, PairDuty};
use crate::profile::{FunctionRole, Role};
use crate::report::Verdict;
use crate::sym::{Node, Sym};

pub(crate) const RULE: Rule = Rule {
    id: "CC0012",
    name: "pairing",
    statement: "The two words of an object have one origin on every path: adjacent words of memory read together, \
                adjacent parameters, results or block arguments, or one construction. A contref never meets another \
                object's revision.",
    why: "Equal revision numbers are common, so a check of one contref with another's witness succeeds, and a \
          continuation of another type runs.",
    bugs: "wt #14085 (wrong types resumed)",
    help: "hand on both words of one object, always together",
    passing: examples::BIND,
    fault: &[
        ("function %bind(i64, i64) ->", "function %bind(i64, i64, i64) ->"),
        ("block0(v0: i64, v1: i64):", "block0(v0: i64, v30: i64, v1: i64):"),
    ],
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pairing {
    Yes,
    No,
    Unknown,
}

/// Judges what was put off until all stores to revisions are known.
pub(crate) fn judge(c: &mut Check<'_>) {
    // most objects are handed on more than once
    let mut known = FxHashSet::default();
    for duty in std::mem::take(&mut c.notes.pairs) {
        if known.contains(&(duty.contref, duty.witness)) {
            c.proven();
            continue;
        }
        let mut answer = pairing(c, duty.contref, duty.witness, duty.check, &mut vec![]);
        if let (true, Some((contref, witness))) = (answer != Pairing::Yes, duty.alternative) {
            answer = pairing(c, contref, witness, duty.check, &mut vec![]);
        }
        let is_object = answer == Pairing::Yes || duty.params.is_none_or(|params| super::cc0004::are_used(c, params));
        match answer {
            _ if !is_object => c.proven(),
            Pairing::Yes => {
                known.insert((duty.contref, duty.witness));
                c.proven();
            }
            Pairing::No if c.a.chain().is_some() && matches!(c.a.syms.node(duty.witness), Node::Add(..)) => c
                .fail_with(
                    &super::cc0004::RULE,
                    Verdict::Violated,
                    duty.check,
                    "an object is made of a revision that was never stored",
                    vec![(duty.inst, "and used here".into())],
                ),
            Pairing::No if duty.suspended => {
                let message = "an object of a suspended continuation has not its current revision";
                c.fail(&super::cc0004::RULE, Verdict::Violated, duty.inst, message);
            }
            Pairing::No => {
                fail(c, &duty, Verdict::Violated, "the witness that was compared is not of the same object");
                if duty.made {
                    let message = "an object is not made of its continuation's current revision";
                    c.fail(&super::cc0004::RULE, Verdict::Violated, duty.inst, message);
                }
                for word in [duty.contref, duty.witness] {
                    super::cc0005::cut(c, duty.inst, word);
                }
            }
            Pairing::Unknown => fail(
                c,
                &duty,
                Verdict::Unproven,
                "it is not known where the witness comes from, so it may be another object's",
            ),
        }
    }
}

fn fail(c: &mut Check<'_>, duty: &PairDuty, verdict: Verdict, message: &str) {
    c.fail_with(&RULE, verdict, duty.check, message, vec![(duty.inst, "and used here".into())]);
}

fn pairing(c: &mut Check<'_>, contref: Sym, witness: Sym, at: Inst, seen: &mut Vec<(Sym, Sym)>) -> Pairing {
    if seen.contains(&(contref, witness)) {
        return Pairing::Yes;
    }
    // null has no revision; that of a continuation does not belong to it
    if c.a.syms.as_const(contref) == Some(0) && c.a.syms.as_const(witness).is_some() {
        return Pairing::Yes;
    }
    seen.push((contref, witness));
    if let (Node::Select(p, a, b), Node::Select(q, x, y)) = (c.a.syms.node(contref), c.a.syms.node(witness))
        && p == q
    {
        return both(pairing(c, a, x, at, seen), || pairing(c, b, y, at, seen));
    }
    // one is chosen, and the other is not, or by something else
    let merged_later = |c: &Check<'_>, s: Sym| c.a.param(s).is_some_and(|(block, _)| c.a.rpo.first() != Some(&block));
    match (c.a.syms.node(contref), c.a.syms.node(witness)) {
        (Node::Select(_, a, b), _) if !merged_later(c, witness) => {
            return both(pairing(c, a, witness, at, seen), || pairing(c, b, witness, at, seen));
        }
        (_, Node::Select(_, x, y)) if !merged_later(c, contref) => {
            return both(pairing(c, contref, x, at, seen), || pairing(c, contref, y, at, seen));
        }
        _ => {}
    }
    // an object in one value of two words
    if let (Node::And(x, u64::MAX), Node::High(y)) = (c.a.syms.node(contref), c.a.syms.node(witness)) {
        return if x == y { Pairing::Yes } else { Pairing::No };
    }
    // the object that a bind gave: some store made this the revision
    let bound = |c: &Check<'_>| {
        let layout = &c.a.func.layout;
        c.a.noted.bumps.iter().any(|(k, v, i)| *k == contref && *v == witness && c.a.graph.dominates(*i, at, layout))
    };
    if bound(c) {
        return Pairing::Yes;
    }
    let loaded = loaded(c, contref, witness);
    if loaded == Some(Pairing::Yes) {
        return Pairing::Yes;
    }
    if let Some(answer) = merged(c, contref, witness, seen).or(loaded) {
        return answer;
    }
    match (c.a.syms.node(contref), c.a.syms.node(witness)) {
        (Node::Value(_), Node::Value(_)) => same_definition(c, contref, witness),
        // a choice that is made in another way, or words of one value
        (Node::Select(..) | Node::Pair(..) | Node::High(_), _)
        | (_, Node::Select(..) | Node::Pair(..) | Node::High(_)) => Pairing::Unknown,
        (Node::And(..), Node::Add(..)) => Pairing::No,
        (Node::And(wide, _), _) | (_, Node::And(wide, _)) if c.a.syms.bits(wide) > 64 => Pairing::Unknown,
        // whatever is computed is no revision, and no contref but what came back
        _ => Pairing::No,
    }
}

fn both(a: Pairing, b: impl FnOnce() -> Pairing) -> Pairing {
    match a {
        Pairing::Yes => b(),
        Pairing::No => Pairing::No,
        Pairing::Unknown => match b() {
            Pairing::No => Pairing::No,
            _ => Pairing::Unknown,
        },
    }
}

/// Where paths meet: a pair on each of them.
fn merged(c: &mut Check<'_>, contref: Sym, witness: Sym, seen: &mut Vec<(Sym, Sym)>) -> Option<Pairing> {
    let entry = c.a.rpo.first().copied();
    let param = |s: Sym| c.a.param(s).filter(|(block, _)| Some(*block) != entry);
    let (first, second) = (param(contref), param(witness));
    // the later of two parameters decides; the other is the same on its edges
    let block = match (first, second) {
        (Some((a, _)), Some((b, _))) => c.a.syms.deeper(a, b),
        (Some((b, _)), None) | (None, Some((b, _))) => b,
        (None, None) => return None,
    };
    if let (Some((a, _)), None) = (first, second)
        && !c.a.is_available(witness, a)
    {
        return None;
    }
    if let (None, Some((b, _))) = (first, second)
        && !c.a.is_available(contref, b)
    {
        return None;
    }
    let mut answer = Pairing::Yes;
    for e in c.a.edges_to(block) {
        if !c.a.is_taken(e) {
            continue;
        }
        let mut on_edge = |p: Option<(cranelift_codegen::ir::Block, usize)>, s: Sym| match p {
            Some((b, i)) if b == block => c.a.edge_arg(e, i),
            _ => Some(s),
        };
        let (x, y) = (on_edge(first, contref), on_edge(second, witness));
        let (Some(x), Some(y)) = (x, y) else { return Some(Pairing::Unknown) };
        answer = both(answer, || pairing(c, x, y, e.inst, seen));
    }
    Some(answer)
}

/// Words that were read next to each other, and revisions read from their
/// ContRefs.
fn loaded(c: &mut Check<'_>, contref: Sym, witness: Sym) -> Option<Pairing> {
    let value = |s: Sym| match c.a.syms.node(s) {
        Node::Value(v) => Some(v),
        _ => None,
    };
    if let Some(w) = value(witness) {
        if let Some((base, offset)) = c.a.loaded_from(witness)
            && offset == c.a.profile.field(Role::Revision).offset
            && c.a.is_contref(base)
        {
            let made = base == contref && c.a.noted.constructed.contains(w);
            return Some(if made { Pairing::Yes } else { Pairing::No });
        }
        if c.a.neighbours(w)[0] == Some(contref) {
            return Some(Pairing::Yes);
        }
    }
    if let Some(k) = value(contref)
        && c.a.neighbours(k)[1] == Some(witness)
    {
        return Some(Pairing::Yes);
    }
    let is_load = |s: Sym| {
        c.a.def(s)
            .is_some_and(|(i, _)| matches!(c.a.func.dfg.insts[i], InstructionData::Load { opcode: Opcode::Load, .. }))
    };
    (is_load(contref) && is_load(witness)).then_some(Pairing::No)
}

/// Parameters of the function, or results of one call, next to each other.
fn same_definition(c: &Check<'_>, contref: Sym, witness: Sym) -> Pairing {
    let adjacent = match (c.a.param(contref), c.a.param(witness)) {
        (Some((a, i)), Some((b, j))) => a == b && j == i + 1,
        _ => match (c.a.def(contref), c.a.def(witness)) {
            (Some((a, i)), Some((b, j))) => a == b && j == i + 1,
            _ => false,
        },
    };
    if adjacent { Pairing::Yes } else { Pairing::No }
}

/// Operations that never get past their test for null: of no continuation there is no
/// revision, so that the object was put together from two.
pub(crate) fn null(c: &mut Check<'_>) {
    if c.a.chain().is_some() || c.a.role != FunctionRole::Program {
        return;
    }
    let func = c.a.func;
    let mut unreached = c.a.unreached();
    // behind a test, not behind nothing at all
    unreached.retain(|i| func.layout.inst_block(*i).is_some_and(|b| c.a.graph.is_reachable(b)));
    for inst in unreached {
        let InstructionData::IntCompare { args, cond: IntCC::Equal | IntCC::NotEqual, .. } = func.dfg.insts[inst]
        else {
            continue;
        };
        for [revision, witness] in [args, [args[1], args[0]]] {
            let load =
                func.dfg.value_def(c.a.resolve(revision)).inst().filter(|i| func.dfg.insts[*i].opcode().can_load());
            let Some(access) = load.and_then(|load| c.a.access(load)) else { continue };
            let of_null = c.a.syms.as_const(access.base) == Some(0) && access.place.role() == Some(Role::Revision);
            let witness = c.a.value(witness);
            if of_null && c.a.syms.as_const(witness) != Some(0) {
                c.fail(
                    &RULE,
                    Verdict::Violated,
                    inst,
                    "an object is made of a null contref and a continuation's revision",
                );
            }
        }
    }
}
