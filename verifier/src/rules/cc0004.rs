//! CC0004 current-pair.

use cranelift_codegen::ir::{Inst, InstructionData, Value};

use super::{Rule, cc0006, examples};
use crate::check::{Check, PairDuty};
use crate::graph::Edge;
use crate::place::Kind;
use crate::profile::{FunctionRole, Role};
use crate::report::Verdict;
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0004",
    name: "current-pair",
    statement: "An object is built from a contref and that same contref's current revision: the one loaded when it \
                suspended, or the one that consuming it has just stored. That of the running continuation is made for a \
                switch only.",
    why: "An object with an older revision is dead, and with a later one it is current twice.",
    bugs: "",
    help: "pair the contref with its revision as it is now",
    passing: examples::SWITCH,
    fault: &[("store notrap aligned region3 v22, v0+56", "store notrap aligned region3 v20, v0+56")],
};

/// The revision that memory holds, when it is known.
pub(crate) fn current(c: &Check<'_>, contref: Sym, state: &State) -> Option<Sym> {
    state.cell(contref, c.a.profile.field(Role::Revision).offset).map(|cell| cell.value)
}

/// The switcher's own object, which a `switch` hands over.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let [contref, revision] = [1, 0].map(|slot| {
        let offset = c.a.profile.field(Role::Payload(slot)).offset;
        state.cell(site.to, offset).map(|cell| cell.value)
    });
    let own = current(c, c.a.active, state);
    if contref == Some(c.a.active) && revision.is_some() && revision == own {
        c.proven();
    } else if contref == own && revision == Some(c.a.active) && own.is_some() {
        c.fail(&cc0006::RULE, Verdict::Violated, site.inst, "the words of the switcher's object are exchanged");
    } else {
        c.fail(
            &RULE,
            Verdict::Violated,
            site.inst,
            "the last two payload slots do not hold the running continuation and its current revision",
        );
        if contref.is_none() != revision.is_none() {
            let message = "only one word of the switcher's object is written";
            c.fail(&cc0006::RULE, Verdict::Violated, site.inst, message);
        }
    }
}

/// Is any continuation known of which there may be an object?
fn has_objects(state: &State) -> bool {
    !state.objs().is_empty() || state.facts().iter().any(|f| matches!(f, Fact::Taken(_)))
}

/// Objects among the arguments of an edge.
pub(crate) fn edge(c: &mut Check<'_>, edge: &Edge, state: &State) {
    if c.a.role != FunctionRole::Program || !has_objects(state) {
        return;
    }
    let params = c.a.func.dfg.block_params(edge.to);
    let args: Vec<Option<Sym>> = (0..params.len()).map(|i| c.a.edge_arg(edge, i)).collect();
    for (i, words) in args.windows(2).enumerate() {
        let [Some(a), Some(b)] = *words else { continue };
        // a word that is the same on every edge need not belong to the one before
        // it: where the two are used they are looked at
        let same = c.a.value(params[i + 1]);
        let copy = !matches!(c.a.syms.node(same), Node::Value(v) if v == params[i + 1]);
        if copy && a == b {
            continue;
        }
        let words = Words { inst: edge.inst, contref: a, witness: b, params: Some([params[i], params[i + 1]]) };
        if undecided(c, &words, state) && !copy {
            pair(c, &words, state);
        }
    }
}

/// Two adjacent words that may be an object.
struct Words {
    inst: Inst,
    contref: Sym,
    witness: Sym,
    /// What they are from here on, of an edge. Cranelift orders parameters as it likes, and leaves out
    /// some, so that they may be neighbours by chance.
    params: Option<[Value; 2]>,
}

impl Words {
    /// Is it one? Asked where something is wrong with it.
    #[cold]
    fn are_object(&self, c: &Check<'_>) -> bool {
        self.params.is_none_or(|params| are_used(c, params))
    }
}

/// Are two parameters used as an object: compared, stored or handed on together, by
/// whatever name they have further on?
pub(crate) fn are_used(c: &Check<'_>, params: [Value; 2]) -> bool {
    let dfg = &c.a.func.dfg;
    let word = i64::from(c.a.profile.word_bytes());
    let mut queue = vec![params.map(|v| c.a.resolve(v))];
    let mut seen = queue.clone();
    while let Some([contref, witness]) = queue.pop() {
        let is = |v: Value, of: Value| c.a.resolve(v) == of;
        let mut stores: [Vec<(Value, i64)>; 2] = Default::default();
        for block in c.a.rpo.iter().copied() {
            for inst in c.a.func.layout.block_insts(block) {
                let args = dfg.inst_args(inst);
                if args.windows(2).any(|two| is(two[0], contref) && is(two[1], witness)) {
                    return true;
                }
                match dfg.insts[inst] {
                    InstructionData::IntCompare { args: [a, b], .. } => {
                        let of_contref = |v: Value| {
                            let def =
                                dfg.value_def(c.a.resolve(v)).inst().filter(|i| dfg.insts[*i].opcode().can_load());
                            def.is_some_and(|load| goes_through(c, dfg.inst_args(load)[0], contref))
                        };
                        if is(a, witness) && of_contref(b) || is(b, witness) && of_contref(a) {
                            return true;
                        }
                    }
                    InstructionData::Store { args: [stored, address], offset, .. } => {
                        for (n, v) in [contref, witness].into_iter().enumerate() {
                            if is(stored, v) {
                                stores[n].push((c.a.resolve(address), i64::from(i32::from(offset))));
                            }
                        }
                    }
                    _ => {}
                }
            }
            for edge in c.a.edges_from(block) {
                let args: Vec<_> = edge.call.args(&dfg.value_lists).collect();
                let targets = |of: Value| {
                    let handed =
                        args.iter().enumerate().filter(move |(_, arg)| arg.as_value().is_some_and(|v| is(v, of)));
                    handed.map(|(i, _)| c.a.resolve(dfg.block_params(edge.to)[i])).collect::<Vec<_>>()
                };
                for a in targets(contref) {
                    for b in targets(witness) {
                        if !seen.contains(&[a, b]) {
                            seen.push([a, b]);
                            queue.push([a, b]);
                        }
                    }
                }
            }
        }
        let [first, second] = &stores;
        if first.iter().any(|(a, x)| second.iter().any(|(b, y)| a == b && (x - y).abs() == word)) {
            return true;
        }
    }
    false
}

/// Is it this address, or one computed from it?
fn goes_through(c: &Check<'_>, address: Value, base: Value) -> bool {
    let address = c.a.resolve(address);
    let def = c.a.func.dfg.value_def(address).inst().filter(|i| c.a.only_computes(*i));
    address == base || def.is_some_and(|i| c.a.func.dfg.inst_args(i).iter().any(|v| c.a.resolve(*v) == base))
}

/// Objects among the arguments of a call, or the values returned.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.role != FunctionRole::Program || !has_objects(state) {
        return;
    }
    let func = c.a.func;
    let args: Vec<Sym> = func.dfg.inst_args(inst).iter().map(|v| c.a.value(*v)).collect();
    for pair in args.windows(2) {
        object(c, inst, pair[0], pair[1], state);
    }
}

/// Two adjacent words, the first of which may be a contref.
pub(crate) fn object(c: &mut Check<'_>, inst: Inst, contref: Sym, witness: Sym, state: &State) {
    let words = Words { inst, contref, witness, params: None };
    if undecided(c, &words, state) {
        pair(c, &words, state);
    }
}

/// Judges an object of a continuation of which the current revision is known.
/// False where it did.
fn undecided(c: &mut Check<'_>, words: &Words, state: &State) -> bool {
    let Words { inst, contref, witness, params } = *words;
    // the revision of another continuation is never right
    let foreign = state
        .objs()
        .iter()
        .find(|o| o.contref != contref && o.witness == witness && o.stale.is_none())
        .filter(|_| state.obj(contref).is_some_and(|o| o.stale.is_none() && o.witness != witness));
    if let Some(other) = foreign.copied().filter(|_| words.are_object(c)) {
        c.fail_with(
            &super::cc0012::RULE,
            Verdict::Violated,
            inst,
            "an object is made of one continuation's contref and another's revision",
            vec![(other.check, "this is the revision of another contref".into())],
        );
        return false;
    }
    // the sum of a witness and something is a revision only when it was stored
    if let Some(obj) = state.obj(contref).copied()
        && obj.stale.is_none()
    {
        let ((base, add), (from, before)) = (c.a.syms.split_add(witness), c.a.syms.split_add(obj.witness));
        if base == from && add > before && words.are_object(c) {
            let related = vec![(obj.check, "the revision is still the one checked here".to_owned())];
            let (rule, message) = if obj.bump.is_none() && add == before + 1 {
                (&super::cc0003::RULE, "an object is handed on as if the one before it had been consumed")
            } else {
                (&RULE, "an object is made of a revision that was never stored")
            };
            c.fail_with(rule, Verdict::Violated, inst, message, related);
            return false;
        }
    }
    // of what has just suspended only the current revision is known to anybody
    if let Kind::Back(switched) = c.a.kind(contref)
        && state.codes(switched) & !c.a.profile.suspending_codes() == 0
    {
        if state.obj(contref).is_some_and(|obj| obj.witness == witness) {
            c.proven();
        } else {
            // an object that the program has bound since is dead, and may be passed on; paths may disagree
            // about which one is current
            c.notes.pairs.push(PairDuty { suspended: true, params, ..PairDuty::new(inst, contref, witness, inst) });
        }
        return false;
    }
    true
}

/// Are the two words of one origin? Put off until all is known.
fn pair(c: &mut Check<'_>, words: &Words, state: &State) {
    let Words { inst, contref, witness, params } = *words;
    // a contref that was checked goes with a revision that was its own; of the
    // arguments of an edge an optimiser may have left only one
    let own = state.knows(Fact::Taken(contref))
        || state.objs().iter().any(|o| o.contref == contref || (params.is_none() && o.witness == witness));
    if own && c.a.role == FunctionRole::Program && c.a.syms.as_const(contref) != Some(0) {
        let made = state.knows(Fact::Taken(contref)) || matches!(c.a.kind(contref), Kind::Back(_));
        c.notes.pairs.push(PairDuty { made, params, ..PairDuty::new(inst, contref, witness, inst) });
    }
}
