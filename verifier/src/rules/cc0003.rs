//! CC0003 consume-once.

use clif_cont_abi::Trap;

use super::{Rule, cc0005, examples};
use crate::check::{Check, PairDuty};
use crate::graph::Edge;
use crate::place::{Access, Kind};
use crate::profile::{Callee, FunctionRole, RecordKind, Role};
use crate::report::Verdict;
use crate::state::{Obj, State};
use crate::sym::Sym;
use crate::transfer::SwitchSite;
use cranelift_codegen::ir::{Inst, Opcode};

pub(crate) const RULE: Rule = Rule {
    id: "CC0003",
    name: "consume-once",
    statement: "Between a successful check and the switch, or the object that cont.bind gives, the revision is \
                stored incremented by one exactly once.",
    why: "Whoever kept the object could use it again, and run a continuation that is running, or was freed.",
    bugs: "Wizard #301 (a switch that did not consume)",
    help: "store the witness plus one to the revision, once, behind the checks and in front of the switch",
    passing: examples::RESUME,
    fault: &[("    store notrap aligned region0 v19, v0+24\n", "")],
};

/// A store to the revision of a checked object.
pub(crate) fn store(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.place.role() != Some(Role::Revision)
        || access.place.record() != Some(RecordKind::ContRef)
        || c.a.role != FunctionRole::Program
    {
        return;
    }
    let Some(obj) = state.obj(access.base).copied().filter(|o| o.stale.is_none()) else { return };
    let Some(stored) = access.stored else { return };
    let value = c.a.value(stored);
    let next = c.a.syms.add_const(obj.witness, 1, c.a.profile.word_bits());
    if obj.bump.is_none() {
        c.notes.pairs.push(PairDuty::new(access.inst, access.base, obj.witness, obj.check));
    }
    if c.a.same_sum(value, next, state) {
        // where the check of an object that was just made cannot fail, an
        // optimiser leaves a jump in its place
        let block = |inst| c.a.func.layout.inst_block(inst);
        let twice =
            obj.bump.filter(|bump| block(*bump) == block(access.inst) && !c.a.checks_between(*bump, access.inst));
        match twice {
            None => c.proven(),
            Some(bump) => c.fail_with(
                &RULE,
                Verdict::Violated,
                access.inst,
                "the revision is incremented again, without another check",
                vec![(bump, "consumed here before".to_owned())],
            ),
        }
        return;
    }
    if cc0005::stored(c, access, value, next) {
        return;
    }
    let again = obj.bump.is_some_and(|_| c.a.same_sum(value, obj.witness, state));
    let related = match obj.bump {
        Some(bump) => vec![(bump, "consumed here before".to_owned())],
        None => vec![(obj.check, "the revision was checked here".to_owned())],
    };
    let message = if again {
        "the revision is stored again, without another check"
    } else {
        "what is stored to the revision is not the checked one plus one"
    };
    c.fail_with(&RULE, Verdict::Violated, access.inst, message, related);
}

/// Behind the check of an object, another one of the same contref: an operation
/// is missing in between. So it is at a return.
pub(crate) fn unused(c: &mut Check<'_>, inst: Inst, before: &Obj) {
    let checks = [Opcode::Brif, Opcode::Trapz, Opcode::Trapnz];
    let checked = |check: &Inst| checks.contains(&c.a.func.dfg.insts[*check].opcode());
    let Some(check) = before.again.or(Some(before.check)).filter(checked) else { return };
    if before.bump.is_some() || before.stale.is_some() || check == inst {
        return;
    }
    let message = "the object is checked, and then neither consumed nor dropped";
    c.fail_with(&RULE, Verdict::Violated, check, message, vec![(inst, "this is reached".into())]);
}

/// A check succeeds, and leads to a trap of the program's own.
pub(crate) fn edge(c: &mut Check<'_>, edge: &Edge, state: &State) {
    if c.a.role != FunctionRole::Program
        || !state.objs().iter().any(|o| o.check == edge.inst || o.again == Some(edge.inst))
    {
        return;
    }
    let insts = c.a.func.layout.block_insts(edge.to);
    let first = insts.into_iter().find(|i| !c.a.only_computes(*i));
    let code = first.filter(|i| c.a.callee_of(*i) == Some(Callee::Trap)).and_then(|call| c.a.trap_code(call));
    if code.is_some_and(|code| !c.a.profile.fails_operation(code)) {
        let message = "the object is checked, and then neither consumed nor dropped";
        c.fail(&RULE, Verdict::Violated, edge.inst, message);
    }
}

/// Control goes round: what was checked is consumed.
pub(crate) fn circles(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.role != FunctionRole::Program {
        return;
    }
    let checks = [Opcode::Brif, Opcode::Trapz, Opcode::Trapnz];
    let idle = |o: &&Obj| {
        let checked = o.bump.is_none() && checks.contains(&c.a.func.dfg.insts[o.check].opcode());
        o.stale.is_none() && (checked || o.again == Some(inst))
    };
    if let Some(check) = state.objs().iter().find(idle).map(|o| o.check) {
        let message = "the object is checked, and then neither consumed nor dropped";
        c.fail_with(&RULE, Verdict::Violated, check, message, vec![(inst, "control goes round here".into())]);
    }
}

/// A trap as on a consumed continuation: no object is current, checked, and left
/// as it was. An optimiser that knows of a store to the revision makes this the
/// only way on.
pub(crate) fn trap_call(c: &mut Check<'_>, inst: Inst, code: Option<u64>, state: &State) {
    // where the check itself led here, that was said
    let known = c.notes.report.findings.iter().any(|f| f.inst == inst);
    // a trap of the program's own does not lie in an operation
    let over = code.is_some_and(|code| code == u64::from(Trap::Consumed.code()) || !c.a.profile.fails_operation(code));
    if !known && over {
        leave(c, inst, None, state);
    }
}

/// A call of what may run the program.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    match c.a.callee_of(inst) {
        Some(Callee::Drop) => {
            let dropped = c.a.func.dfg.inst_args(inst).first().map(|v| c.a.value(*v));
            leave(c, inst, dropped, state);
        }
        Some(Callee::HostFunction | Callee::Unknown) => leave(c, inst, None, state),
        _ => {}
    }
}

/// Control leaves: nothing is left half done, but for what is done with one
/// object.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, used: Option<Sym>, state: &State) {
    if c.a.role != FunctionRole::Program {
        return;
    }
    for obj in state.objs().iter().filter(|o| Some(o.contref) != used) {
        unused(c, inst, obj);
    }
}

/// The switch of an operation on an object.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    leave(c, site.inst, Some(site.to), state);
    match state.obj(site.to).copied() {
        Some(obj) if obj.stale.is_none() && obj.bump.is_some() => c.proven(),
        Some(obj) if obj.stale.is_none() => {
            let checked = (obj.check, "its revision was compared here, and never stored incremented".to_owned());
            c.fail_with(
                &RULE,
                Verdict::Violated,
                site.inst,
                "the continuation object is not consumed before control leaves",
                vec![checked],
            );
        }
        Some(obj) => {
            let related = obj.stale.map(|i| (i, "this may have changed the revision, or broken the count".to_owned()));
            c.fail_with(
                &RULE,
                Verdict::Violated,
                site.inst,
                "the continuation object is not consumed after its last check",
                related.into_iter().collect(),
            );
        }
        None => {
            // of any other kind: not the operand that the operation calls for
            if !matches!(c.a.kind(site.to), Kind::Outside | Kind::Merged | Kind::Back(_) | Kind::Null) {
                return;
            }
            c.fail(
                &super::cc0002::RULE,
                Verdict::Violated,
                site.inst,
                "the switch goes to a continuation whose object was not checked on this path",
            );
        }
    }
}
