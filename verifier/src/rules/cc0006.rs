//! CC0006 word-order.

use super::{Rule, cc0004, examples};
use crate::check::Check;
use crate::place::{Access, Kind};
use crate::profile::Role;
use crate::report::Verdict;
use crate::state::{Fact, State};
use crate::sym::Sym;

pub(crate) const RULE: Rule = Rule {
    id: "CC0006",
    name: "word-order",
    statement: "In memory the contref is in front of the revision, on both byte orders; in a payload, whose order is \
                reversed, in the higher slot. Decided for objects made in the function: a switcher's own, and those of \
                continuations that suspended, and fresh ones. Whether both words were written before somebody looks is decided for \
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
    let payload = matches!(access.place.role(), Some(Role::Payload(_)));
    if payload && access.stored.is_some() {
        narrow(c, access, state);
    }
    if !(other || payload) || access.size != c.a.profile.word_bytes() {
        return;
    }
    let Some(stored) = access.stored else { return };
    let value = c.a.value(stored);
    let (below, above) = c.a.adjacent(access.place, access.offset);
    let in_front = match access.place.role() {
        Some(Role::Payload(slot)) => Some(c.a.profile.field(Role::Payload(slot + 2)).offset),
        _ => below.and_then(|b| b.checked_sub(c.a.profile.word_bytes() as i32)),
    };
    let at = |offset: Option<i32>| state.cell(access.base, offset?).map(|cell| cell.value);
    let (in_front, below, above) = (at(in_front), at(below), at(above));
    // a revision in front of its contref, and not behind it as well
    let known = |c: &Check<'_>, s| is_known(c, s, state);
    let reversed = above.is_some_and(|a| known(c, a) && below != above && cc0004::current(c, a, state) == Some(value))
        || known(c, value)
            && in_front != Some(value)
            && below.is_some_and(|b| cc0004::current(c, value, state) == Some(b));
    if reversed {
        c.fail(&RULE, Verdict::Violated, access.inst, "the words of an object are exchanged in memory");
        return;
    }
    // an object that is not current any more is made of words that belong together, too
    if let Some(contref) = below
        && (known(c, contref) || state.obj(contref).is_some())
    {
        cc0004::object(c, access.inst, contref, value, state);
    }
    if payload {
        alone(c, access, value, below, state);
    }
}

/// What goes into a payload behind a contref is its revision, and whole.
fn narrow(c: &mut Check<'_>, access: &Access, state: &State) {
    let word = c.a.profile.word_bytes();
    let below = c.a.adjacent(access.place, access.offset).0;
    let contref =
        below.and_then(|b| state.cell(access.base, b)).filter(|cell| cell.size == word).map(|cell| cell.value);
    if access.size < word && contref.is_some_and(|s| is_known(c, s, state)) {
        let message = "the revision that is passed with a contref loses bits";
        c.fail(&super::cc0005::RULE, Verdict::Violated, access.inst, message);
    }
}

/// Is it a contref of which the current revision is known here?
fn is_known(c: &Check<'_>, s: Sym, state: &State) -> bool {
    let made = matches!(c.a.kind(s), Kind::Back(_)) || state.knows(Fact::Taken(s));
    made || state.obj(s).is_some_and(|o| o.stale.is_none())
}

/// A revision goes into a payload behind its contref.
fn alone(c: &mut Check<'_>, access: &Access, revision: Sym, below: Option<Sym>, state: &State) {
    let mut owners = state.objs().iter().filter(|o| o.witness == revision && o.stale.is_none()).peekable();
    if owners.peek().is_none() || owners.any(|o| Some(o.contref) == below) {
        return;
    }
    let (rule, message) = if below.is_some_and(|b| c.a.is_contref(b)) {
        (&super::cc0012::RULE, "a contref is passed with the revision of another")
    } else {
        (&RULE, "a revision is passed without its contref in front of it")
    };
    c.fail(rule, Verdict::Violated, access.inst, message);
}
