//! CC0006 word-order.

use super::{Rule, cc0004, examples};
use crate::check::Check;
use crate::place::{Access, Kind};
use crate::profile::RecordKind;
use crate::report::Verdict;
use crate::state::State;

pub(crate) const RULE: Rule = Rule {
    id: "CC0006",
    name: "word-order",
    statement: "In memory the contref is in front of the revision, on both byte orders; in a payload, whose order is \
                reversed, in the higher slot. Decided for objects made in the function: a switcher's own, and those of \
                continuations that suspended. Whether both words were written before somebody looks is decided for \
                payloads, at the switch.",
    why: "Whoever reads the object takes a revision for an address.",
    bugs: "",
    help: "store the contref at the lower address, or in the higher payload slot, and the revision next to it",
    passing: examples::SWITCH,
    fault: &[
        ("store notrap aligned region3 v15, v0+72", "store notrap aligned region3 v22, v0+72"),
        ("store notrap aligned region3 v22, v0+56", "store notrap aligned region3 v15, v0+56"),
    ],
};

/// A store outside of records, next to the other half of an object.
pub(crate) fn store(c: &mut Check<'_>, access: &Access, state: &State) {
    let other = access.place.record().is_none();
    if !(other || access.place.record() == Some(RecordKind::ContRef)) || access.size != c.a.profile.word_bytes() {
        return;
    }
    let Some(stored) = access.stored else { return };
    let value = c.a.value(stored);
    let (below, above) = c.a.adjacent(access.place, access.offset);
    let at = |offset: Option<i32>| state.cell(access.base, offset?).map(|cell| cell.value);
    let (below, above) = (at(below), at(above));
    // the revision of what suspended, in front of it
    let suspended = |c: &Check<'_>, s| matches!(c.a.kind(s), Kind::Back(_));
    let reversed = above.is_some_and(|a| suspended(c, a) && cc0004::current(c, a, state) == Some(value))
        || suspended(c, value) && below.is_some_and(|b| cc0004::current(c, value, state) == Some(b));
    if reversed {
        c.fail(&RULE, Verdict::Violated, access.inst, "the words of an object are exchanged in memory");
        return;
    }
    if let Some(contref) = below
        && other
        && (suspended(c, contref) || state.obj(contref).is_some())
    {
        cc0004::object(c, access.inst, contref, value, state);
    }
}
