//! CC0004 current-pair.

use cranelift_codegen::ir::Inst;

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
        if undecided(c, edge.inst, a, b, state) && !copy {
            pair(c, edge.inst, a, b, state);
        }
    }
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
    if undecided(c, inst, contref, witness, state) {
        pair(c, inst, contref, witness, state);
    }
}

/// Judges an object of a continuation of which the current revision is known.
/// False where it did.
fn undecided(c: &mut Check<'_>, inst: Inst, contref: Sym, witness: Sym, state: &State) -> bool {
    // the revision of another continuation is never right
    let foreign = state
        .objs()
        .iter()
        .find(|o| o.contref != contref && o.witness == witness && o.stale.is_none())
        .filter(|_| state.obj(contref).is_some_and(|o| o.stale.is_none() && o.witness != witness));
    if let Some(other) = foreign.copied() {
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
        if base == from && add > before {
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
        let holds = state.obj(contref).is_some_and(|obj| obj.witness == witness);
        c.require(holds, &RULE, inst, "an object of a suspended continuation has not its current revision");
        return false;
    }
    true
}

/// Are the two words of one origin? Put off until all is known.
fn pair(c: &mut Check<'_>, inst: Inst, contref: Sym, witness: Sym, state: &State) {
    // a contref that was checked goes with a revision that was its own; of the
    // arguments of an edge an optimiser may have left only one
    let edge = c.a.func.dfg.insts[inst].opcode().is_branch();
    let own = state.knows(Fact::Taken(contref))
        || state.objs().iter().any(|o| o.contref == contref || (!edge && o.witness == witness));
    if own && c.a.role == FunctionRole::Program && c.a.syms.as_const(contref) != Some(0) {
        let made = state.knows(Fact::Taken(contref)) || matches!(c.a.kind(contref), Kind::Back(_));
        c.notes.pairs.push(PairDuty { made, ..PairDuty::new(inst, contref, witness, inst) });
    }
}
