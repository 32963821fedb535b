//! CC0007 stale-use.

use cranelift_codegen::ir::Inst;

use super::{Rule, cc0001, cc0002, examples};
use crate::check::{Check, PairDuty};
use crate::place::{Access, Kind};
use crate::profile::{Callee, Role};
use crate::report::Verdict;
use crate::state::State;

pub(crate) const RULE: Rule = Rule {
    id: "CC0007",
    name: "stale-use",
    statement: "A continuation is consumed, and its content used, only under a check made after the last call or \
                switch that may have changed its revision. After the switch nothing is read or written through the \
                resumed contref: what came back need not be what was resumed.",
    why: "Between the check and the use somebody else may have consumed the object, or its slot may have another user.",
    bugs: "",
    help: "check the object again behind the call, or use the contref that came back",
    passing: examples::RESUME,
    fault: &[("v28 = load.i64 notrap aligned region4 v25+56", "v28 = load.i64 notrap aligned region4 v0+56")],
};

/// An access under a check that is no longer worth anything.
pub(crate) fn access(c: &mut Check<'_>, access: &Access, state: &State) {
    let loads_revision = access.stored.is_none() && access.place.role() == Some(Role::Revision);
    if loads_revision {
        return;
    }
    let Some(obj) = state.obj(access.base).copied() else { return };
    let Some(stale) = obj.stale else { return };
    // what came back belongs to the operation until it is consumed
    let gone = obj.bump.is_some() && (c.a.chain().is_none() || matches!(access.kind, Kind::Back(_)));
    if !gone && cc0002::is_owned(c, access, state) {
        return;
    }
    c.fail_with(
        &RULE,
        Verdict::Violated,
        access.inst,
        "a continuation is used under a check that was made before its revision may have changed",
        vec![(obj.check, "checked here".into()), (stale, "the revision may have changed here".into())],
    );
}

/// The object that is dropped: checked, and not consumed, for the callee ends
/// it.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.callee_of(inst) != Some(Callee::Drop) {
        return;
    }
    let Some(&arg) = c.a.func.dfg.inst_args(inst).first() else { return };
    let contref = c.a.value(arg);
    let non_null = c.is_non_null(contref, state);
    c.require(non_null, &cc0001::RULE, inst, "what is dropped was not tested for null on this path");
    match state.obj(contref).copied() {
        Some(obj) if obj.stale.is_none() => {
            c.proven();
            c.notes.pairs.push(PairDuty::new(inst, contref, obj.witness, obj.check));
        }
        Some(obj) => {
            let related = obj.stale.map(|i| (i, "the revision may have changed here".to_owned()));
            c.fail_with(
                &RULE,
                Verdict::Violated,
                inst,
                "a continuation is dropped under a check that was made before its revision may have changed",
                related.into_iter().collect(),
            );
        }
        None => c.fail(
            &cc0002::RULE,
            Verdict::Violated,
            inst,
            "a continuation is dropped whose revision was not compared with the object's witness on this path",
        ),
    }
}
