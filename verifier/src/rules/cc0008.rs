//! CC0008 flags.

use super::{Rule, examples};
use crate::check::Check;
use crate::place::{Access, Place};
use crate::profile::{RecordKind, Role};
use crate::report::Verdict;
use crate::sym::Node;

pub(crate) const RULE: Rule = Rule {
    id: "CC0008",
    name: "flags",
    statement: "Loads of mutable protocol fields are not `readonly` and not `can_move`; protocol fields are in native \
                byte order; each access carries the alias region of its field, and no other access carries it; \
                the store context is found through its symbol, or a ContRef that names it. \
                (`notrap` needs a non-null contref: CC0001.)",
    why: "An optimiser that is told otherwise moves a load of the revision across the switch that changes it, or \
          forwards a stale one.",
    bugs: "wt #13825, #13658",
    help: "use the flags and the region of the field",
    passing: examples::RESUME,
    fault: &[(
        "v4 = load.i64 notrap aligned region0 v0+24",
        "v4 = load.i64 notrap aligned readonly can_move region0 v0+24",
    )],
};

/// Is it no store context's address? In this profile only the symbol's is, and
/// what a ContRef has as its store.
fn is_elsewhere(c: &Check<'_>, access: &Access) -> bool {
    if c.a.chain().is_some() {
        return matches!(c.a.syms.node(access.base), Node::Symbol(_) | Node::StackAddr(_) | Node::Const(_));
    }
    let at = c.a.profile.field(Role::Store).offset;
    !c.a.loaded_from(access.base).is_some_and(|(contref, offset)| c.a.is_contref(contref) && offset == at)
}

/// Every access.
pub(crate) fn access(c: &mut Check<'_>, access: &Access) {
    let flags = access.flags;
    if access.place.record() == Some(RecordKind::Store) && access.base != c.a.store_context && is_elsewhere(c, access) {
        let message = "an access to the store context goes elsewhere";
        c.fail(&RULE, Verdict::Violated, access.inst, message);
        return;
    }
    let Place::Field(record, field) = access.place else {
        if access.declared.is_some() && access.place == Place::Other {
            c.fail(
                &RULE,
                Verdict::Violated,
                access.inst,
                "an access outside of records carries a field's alias region",
            );
        }
        return;
    };
    let constant = matches!(field.role, Role::Store);
    if (flags.readonly() || flags.can_move()) && !constant && access.stored.is_none() {
        c.fail(&RULE, Verdict::Violated, access.inst, "a field that changes is loaded as if it never did");
        return;
    }
    if flags.explicit_endianness().is_some() {
        c.fail(&RULE, Verdict::Violated, access.inst, "a protocol field is accessed in a byte order of its own");
        return;
    }
    if access.region == Some(field.region) {
        c.proven();
    } else if record == RecordKind::Table && access.region.is_none() {
        // a table that only this function sees
        c.proven();
    } else {
        c.fail(&RULE, Verdict::Violated, access.inst, "the access does not carry the alias region of its field");
    }
}
