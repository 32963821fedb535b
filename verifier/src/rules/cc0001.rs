//! CC0001 null-check.

use super::{Rule, cc0005, examples};
use crate::check::Check;
use crate::place::{Access, Kind};
use crate::profile::Role;
use crate::report::Verdict;
use crate::state::{Fact, State};

pub(crate) const RULE: Rule = Rule {
    id: "CC0001",
    name: "null-check",
    statement: "The contref of an object from outside (parameter, memory, payload, call) is tested non-null on every \
                path before the first access through it. Parent, active, driver and last_ancestor pointers, what a \
                search found and what has just switched here are non-null by invariant. Under `wasmtime-48` an operation \
                tests also the contref of an object that this function made.",
    why: "An access through a null contref reads or writes low memory; it is marked as one that cannot fault.",
    bugs: "Binaryen #7838",
    help: "branch on the contref, and trap with `null continuation reference` where it is 0, before this access",
    passing: examples::BIND,
    fault: &[("brif v0, block1, block2", "jump block1")],
};

/// Every access to a ContRef.
pub(crate) fn access(c: &mut Check<'_>, access: &Access, state: &State) {
    if c.a.is_slot_contref(access.base) {
        return;
    }
    let reads_revision = access.stored.is_none() && access.place.role() == Some(Role::Revision);
    let made = reads_revision && access.kind == Kind::Fresh;
    if made || c.is_non_null_as(access.base, access.kind, state) {
        c.proven();
    } else {
        c.fail(
            &RULE,
            Verdict::Violated,
            access.inst,
            "a continuation is accessed whose contref was not tested for null on this path",
        );
        cc0005::cut(c, access.inst, access.base);
    }
}

/// The store that consumes an object, where every operation tests its own: also
/// one that has just come back, and was made into an object here.
pub(crate) fn consumes(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.place.role() != Some(Role::Revision) || !matches!(access.kind, Kind::Fresh | Kind::Back(_)) {
        return;
    }
    let tested = state.knows(Fact::NonNull(access.base));
    c.require(tested, &RULE, access.inst, "an object is consumed whose contref was not tested for null on this path");
}
