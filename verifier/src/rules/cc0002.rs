//! CC0002 revision-check.

use super::{Rule, cc0005, examples};
use crate::check::Check;
use crate::place::Access;
use crate::profile::{FunctionRole, RecordKind, Role};
use crate::report::Verdict;
use crate::state::State;
use crate::sym::Sym;

pub(crate) const RULE: Rule = Rule {
    id: "CC0002",
    name: "revision-check",
    statement: "The witness of an object is compared for equality with the revision of the same contref, at full \
                width, and a mismatch traps, before anything else is read or written through the contref.",
    why: "Without it an object that was used before runs whatever its continuation, or the slot's next user, waits \
          for.",
    bugs: "",
    help: "load the revision, compare it with the object's witness, and trap with `continuation already consumed` \
           where they differ",
    passing: examples::BIND,
    fault: &[("brif v4, block3, block4", "jump block3")],
};

/// Is a ContRef's content the operation's to use?
pub(crate) fn is_owned(c: &mut Check<'_>, contref: Sym, state: &State) -> bool {
    state.obj(contref).is_some_and(|o| o.stale.is_none()) || c.is_trusted(contref, state)
}

/// Every access to a ContRef beyond its revision.
pub(crate) fn access(c: &mut Check<'_>, access: &Access, state: &State) {
    let loads_revision = access.stored.is_none() && access.place.role() == Some(Role::Revision);
    if access.place.record() != Some(RecordKind::ContRef) || loads_revision || c.a.is_slot_contref(access.base) {
        return;
    }
    let runtime_pool = c.a.role == FunctionRole::Begin || access.place.role() == Some(Role::Parent);
    if runtime_pool && access_of_free(c, access) {
        return;
    }
    if is_owned(c, access.base, state) {
        c.proven();
    } else if state.obj(access.base).is_none() && !cc0005::narrowed(c, access, state) {
        c.fail(
            &RULE,
            Verdict::Violated,
            access.inst,
            "a continuation is used whose revision was not compared with the object's witness on this path",
        );
    }
}

/// The head of the free list, before it is taken.
fn access_of_free(c: &mut Check<'_>, access: &Access) -> bool {
    let mut seen = vec![];
    c.every_origin(access.base, &mut seen, &|a, s, _| {
        matches!(a.kind(s), crate::place::Kind::Free | crate::place::Kind::NewSlot)
    })
}
