//! The rules, one file each: what is demanded, why, and by which real bug.
//!
//! A rule looks at one kind of event (an access, a switch, a call, a return)
//! with the state before it, and proves, or reports. What several rules need to
//! know is in the state; a rule keeps nothing of its own.

pub(crate) mod cc0001;
pub(crate) mod cc0002;
pub(crate) mod cc0003;
pub(crate) mod cc0004;
pub(crate) mod cc0005;
pub(crate) mod cc0006;
pub(crate) mod cc0007;
pub(crate) mod cc0008;
pub(crate) mod cc0009;
pub(crate) mod cc0010;
pub(crate) mod cc0011;
pub(crate) mod cc0012;
pub(crate) mod cc0101;
pub(crate) mod cc0102;
pub(crate) mod cc0103;
pub(crate) mod cc0104;
pub(crate) mod cc0105;
pub(crate) mod cc0106;
pub(crate) mod cc0107;
pub(crate) mod cc0108;
pub(crate) mod cc0109;
pub(crate) mod cc0110;
pub(crate) mod cc0111;
pub(crate) mod cc0112;
pub(crate) mod cc0113;
pub(crate) mod cc0114;
pub(crate) mod cc0201;
pub(crate) mod cc0202;
pub(crate) mod cc0203;
pub(crate) mod cc0204;
pub(crate) mod cc0205;
pub(crate) mod cc0206;
pub(crate) mod cc0207;
pub(crate) mod cc0208;
mod contract;
mod examples;

use cranelift_codegen::ir::Inst;

use crate::check::Check;
use crate::graph::Edge;
use crate::place::Access;
use crate::profile::RecordKind;
use crate::report::OperationKind;
use crate::state::{Obj, State};
use crate::transfer::SwitchSite;

/// A rule, as `explain` shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Stable id, `CC0003`.
    pub id: &'static str,
    /// Short name.
    pub name: &'static str,
    /// What holds in correct code, and, where CLIF alone does not tell, which
    /// part of it is decided.
    pub statement: &'static str,
    /// What goes wrong otherwise.
    pub why: &'static str,
    /// Bugs of this kind in other engines; empty where none is known.
    pub bugs: &'static str,
    /// What to do about a finding.
    pub help: &'static str,
    /// A function that keeps the rule, for x86_64 with `stack_switch`.
    pub passing: &'static str,
    /// What to replace in it to break the rule; nothing where the rule is not
    /// decided on CLIF under this profile, which the statement says.
    pub fault: &'static [(&'static str, &'static str)],
}

impl Rule {
    /// The function of [`Rule::passing`] with the fault in it.
    pub fn failing(&self) -> String {
        let mut text = self.passing.to_owned();
        for (from, to) in self.fault {
            text = text.replacen(from, to, 1);
        }
        text
    }
}

/// All rules, by id.
pub const ALL: &[&Rule] = &[
    &cc0001::RULE,
    &cc0002::RULE,
    &cc0003::RULE,
    &cc0004::RULE,
    &cc0005::RULE,
    &cc0006::RULE,
    &cc0007::RULE,
    &cc0008::RULE,
    &cc0009::RULE,
    &cc0010::RULE,
    &cc0011::RULE,
    &cc0012::RULE,
    &cc0101::RULE,
    &cc0102::RULE,
    &cc0103::RULE,
    &cc0104::RULE,
    &cc0105::RULE,
    &cc0106::RULE,
    &cc0107::RULE,
    &cc0108::RULE,
    &cc0109::RULE,
    &cc0110::RULE,
    &cc0111::RULE,
    &cc0112::RULE,
    &cc0113::RULE,
    &cc0114::RULE,
    &cc0201::RULE,
    &cc0202::RULE,
    &cc0203::RULE,
    &cc0204::RULE,
    &cc0205::RULE,
    &cc0206::RULE,
    &cc0207::RULE,
    &cc0208::RULE,
];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|r| r.id == id)
}

/// A load or store.
pub(crate) fn at_access(c: &mut Check<'_>, access: &Access, state: &State) {
    cc0010::access(c, access);
    cc0008::access(c, access);
    cc0206::access(c, access);
    if access.place.record() == Some(RecordKind::ContRef) {
        if c.a.may_come_round(access.base) {
            c.postpone(access, state);
        } else {
            at_access_of(c, access, state);
        }
        cc0107::access(c, access, state);
    }
    cc0204::read(c, access, state);
    if access.stored.is_some() {
        cc0003::store(c, access, state);
        cc0009::store(c, access, state);
        cc0113::store(c, access, state);
        cc0113::pool(c, access, state);
        cc0105::store(c, access);
        cc0105::driver(c, access, state);
        cc0006::store(c, access, state);
    } else {
        cc0101::begins(c, access, state);
        cc0103::fresh(c, access, state);
        cc0113::load(c, access, state);
    }
}

/// The same of a ContRef, as far as it matters where that comes from.
pub(crate) fn at_access_of(c: &mut Check<'_>, access: &Access, state: &State) {
    cc0001::access(c, access, state);
    cc0002::access(c, access, state);
    cc0007::access(c, access, state);
    cc0204::access(c, access, state);
}

/// A switch, of a kind where it was recognised.
pub(crate) fn at_switch(c: &mut Check<'_>, site: &SwitchSite, kind: Option<OperationKind>, state: &State) {
    cc0110::switch(c, site);
    cc0109::leave(c, site.inst, state);
    cc0107::leave(c, site.inst, state);
    cc0204::leave(c, state);
    cc0113::taken(c, site.inst, state);
    let Some(kind) = kind else {
        cc0101::unidentified(c, site);
        return;
    };
    cc0101::switch(c, site, kind, state);
    cc0102::again(c, site, state);
    cc0204::everywhere(c, site.inst, state);
    cc0204::switch(c, site, kind, state);
    match kind {
        OperationKind::ResumeThrow => cc0204::exception(c, site.inst, site.to, state),
        kind if kind.runs_object() => cc0204::filled(c, site.inst, site.to, state),
        OperationKind::Throw => cc0204::exception(c, site.inst, site.from, state),
        OperationKind::Suspend | OperationKind::HostCall => cc0204::filled(c, site.inst, site.from, state),
        _ => {}
    }
    match kind {
        kind if kind.runs_object() => {
            if cc0102::switch(c, site, state) {
                cc0003::switch(c, site, state);
            }
            cc0011::switch(c, site, state);
            cc0103::resumed(c, site, kind, state);
            if kind.installs_handlers() {
                cc0202::switch(c, site, state);
                cc0201::switch(c, site, state);
            } else {
                cc0103::suspended(c, site, state);
                cc0004::switch(c, site, state);
            }
        }
        OperationKind::Suspend => {
            cc0003::leave(c, site.inst, None, state);
            cc0103::suspended(c, site, state);
        }
        OperationKind::Invoke => contract::driver::runs(c, site, state),
        kind if kind.ends() => cc0113::ended(c, site, state),
        _ => {}
    }
}

/// A call that is no switch, and comes back.
pub(crate) fn at_call(c: &mut Check<'_>, inst: Inst, state: &State) {
    cc0204::call(c, inst, state);
    cc0104::call(c, inst, state);
    cc0109::leave(c, inst, state);
    cc0005::call(c, inst);
    cc0101::call(c, inst, state);
    cc0113::call(c, inst, state);
    cc0114::call(c, inst, state);
    cc0107::call(c, inst, state);
    cc0007::call(c, inst, state);
    cc0003::call(c, inst, state);
    cc0004::call(c, inst, state);
}

/// A call of the trap function, with its code where that is a constant.
pub(crate) fn at_trap_call(c: &mut Check<'_>, inst: Inst, code: Option<u64>, state: &State) {
    cc0011::trap_call(c, inst, code, state);
    cc0103::trap_call(c, inst, code, state);
    cc0204::leave(c, state);
    // a trap of the program's own does not lie in an operation, which may fail for another reason
    if code.is_some_and(|code| !c.a.profile.fails_operation(code)) {
        cc0101::leave(c, inst, state);
    }
    cc0113::taken(c, inst, state);
    cc0114::call(c, inst, state);
    cc0108::trap_call(c, inst);
    cc0208::cause(c, inst, code, state);
    cc0003::trap_call(c, inst, code, state);
}

/// An edge, with what is known on it.
pub(crate) fn at_edge(c: &mut Check<'_>, edge: &Edge, before: &State, state: &State) {
    cc0004::edge(c, edge, state);
    cc0002::edge(c, edge, state);
    cc0003::edge(c, edge, state);
    cc0114::edge(c, edge, state);
    if c.a.goes_round(edge) {
        cc0003::circles(c, edge.inst, state);
        cc0101::circles(c, edge.inst, state);
        cc0107::circles(c, edge, state);
        cc0204::circles(c, edge);
        cc0113::taken(c, edge.inst, state);
        cc0113::turn(c, edge, state);
    }
    rechecked(c, edge.inst, before.objs(), state);
}

/// A branch, or a trap on a condition, that checks an object which had been
/// checked before.
pub(crate) fn rechecked(c: &mut Check<'_>, inst: Inst, before: &[Obj], after: &State) {
    for obj in after.objs().iter().filter(|o| o.check == inst || o.again == Some(inst)) {
        let known = before.iter().find(|o| o.contref == obj.contref);
        if let Some(known) = known.filter(|o| (o.check, o.again) != (obj.check, obj.again)) {
            cc0003::unused(c, inst, known);
        }
    }
}

/// A return.
pub(crate) fn at_return(c: &mut Check<'_>, inst: Inst, state: &State) {
    cc0107::leave(c, inst, state);
    cc0204::leave(c, state);
    cc0003::leave(c, inst, None, state);
    cc0103::left(c, inst, state);
    cc0101::leave(c, inst, state);
    cc0113::taken(c, inst, state);
    cc0105::leave(c, inst, state);
    cc0113::leave(c, inst, state);
    cc0114::leave(c, inst, state);
    cc0004::call(c, inst, state);
}
