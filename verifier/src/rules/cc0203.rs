//! CC0203 payload-bounds.

use super::{Rule, examples};
use crate::check::Check;
use crate::place::Access;
use crate::profile::{FieldLayout, Role};
use crate::report::Verdict;

pub(crate) const RULE: Rule = Rule {
    id: "CC0203",
    name: "payload-bounds",
    statement: "Every payload slot that is read or written is one of those that a ContRef has. In this profile slots \
                have constant numbers, and a type that needs more of them is refused when it is lowered. Under `wasmtime-48` every value goes to, or comes from, the beginning of an entry of this operation's buffer, and its length counts it; that a buffer which another function made is large enough is an assumption from typing.",
    why: "A value behind the last slot lands in the neighbouring slot's stack, or in its guard page.",
    bugs: "wt #13028 part 2, #13662, #13703",
    help: "refuse types with more values than there are slots",
    passing: examples::RESUME,
    fault: &[("store notrap aligned region4 v2, v0+56", "store notrap aligned region4 v2, v0+9000")],
};

fn end(c: &Check<'_>) -> i32 {
    let last = c.a.profile.field(Role::Payload(c.a.profile.payload_slots().saturating_sub(1)));
    last.offset.saturating_add(last.size as i32)
}

/// Is an access behind the last slot? Then it is reported.
pub(crate) fn beyond(c: &mut Check<'_>, access: &Access) -> bool {
    let beyond = c.a.profile.payload_slots() > 0 && access.offset >= end(c);
    if beyond {
        c.fail(&RULE, Verdict::Violated, access.inst, "a value is passed behind the last payload slot");
    }
    beyond
}

/// A value of two slots: both exist, one behind the other.
pub(crate) fn wide(c: &mut Check<'_>, access: &Access, field: FieldLayout) {
    let Role::Payload(slot) = field.role else { return };
    let next = c.a.profile.field(Role::Payload(slot + 1));
    let neighbours = next.offset == field.offset.saturating_add(field.size as i32);
    let holds = neighbours && access.size <= 2 * field.size && slot + 1 < c.a.profile.payload_slots();
    c.require(holds, &RULE, access.inst, "a value of two payload slots is where there are none");
}
