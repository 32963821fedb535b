//! CC0009 revision-wrap.

use super::{Rule, examples};
use crate::check::Check;
use crate::place::Access;
use crate::profile::{FunctionRole, RecordKind, Role};
use crate::state::{Fact, State};

pub(crate) const RULE: Rule = Rule {
    id: "CC0009",
    name: "revision-wrap",
    statement: "The increment is one, at the width of a word. Where a word has 32 bits the revision is compared with \
                its limit before it is consumed, and a slot that ends beyond it is not recycled (CC0113).",
    why: "A revision that wraps round makes objects current again that were consumed long ago.",
    bugs: "fx #182",
    help: "trap with `continuation revision exhausted` above the limit, before the revision is stored",
    passing: examples::BIND,
    fault: &[("v6 = iconst.i64 1", "v6 = iconst.i64 2")],
};

/// A store to a revision.
pub(crate) fn store(c: &mut Check<'_>, access: &Access, state: &State) {
    if access.place.role() != Some(Role::Revision)
        || access.place.record() != Some(RecordKind::ContRef)
        || c.a.role != FunctionRole::Program
    {
        return;
    }
    let Some(stored) = access.stored else { return };
    let value = c.a.value(stored);
    let (base, add) = c.a.syms.split_add(value);
    if let Some(obj) = state.obj(access.base).copied() {
        let (from, before) = c.a.syms.split_add(obj.witness);
        let by = add.wrapping_sub(before);
        if state.same(base, from) && by != 1 && (obj.bump.is_none() || by > 1) {
            c.require(false, &RULE, access.inst, "the revision is not increased by one");
            return;
        }
    }
    let Some(last) = c.a.profile.last_revision() else {
        c.proven();
        return;
    };
    let one = c.a.profile.word_bits();
    let before = c.a.syms.add_const(value, u64::MAX, one);
    let bounded = state.facts().iter().any(|f| match f {
        Fact::Bounded(s) => c.a.same_sum(*s, before, state),
        _ => false,
    }) || c.a.syms.as_const(before).is_some_and(|v| v <= last);
    c.require(bounded, &RULE, access.inst, "the revision is consumed without a comparison with its limit");
}
