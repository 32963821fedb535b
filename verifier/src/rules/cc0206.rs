//! CC0206 slots.

use super::{Rule, examples};
use crate::check::Check;
use crate::place::Access;
use crate::report::Verdict;
use crate::sym::Node;

pub(crate) const RULE: Rule = Rule {
    id: "CC0206",
    name: "slots",
    statement: "A record or a handler table on the frame lies within its stack slot, and the slot is aligned to the \
                words in it. A slot of more than twice the size is not reported; an alignment of more than twice the size of its entries is, under `wasmtime-48`: slots begin at multiples of theirs.",
    why: "A store behind the slot overwrites another value of the frame.",
    bugs: "",
    help: "make the stack slot large enough for what is in it, and as aligned as that",
    passing: examples::RESUME,
    fault: &[
        ("    gv0 =", "    region5 = 8 \"handler_table\"\n    gv0 ="),
        ("    region0 = 2", "    ss0 = explicit_slot 16, align = 8\n    region0 = 2"),
        (
            "v17 = symbol_value.i64 gv0",
            "v17 = stack_addr.i64 ss0+8\n    v40 = iconst.i64 0\n    store notrap aligned region5 v40, v17-8\n    \
             store notrap aligned region5 v40, v17+8\n    v41 = symbol_value.i64 gv0\n    store notrap aligned region5 v41, v17",
        ),
    ],
};

/// An access to a record through the address of a stack slot.
pub(crate) fn access(c: &mut Check<'_>, access: &Access) {
    let Node::StackAddr(slot) = c.a.syms.node(access.base) else { return };
    if access.place.record().is_none() {
        return;
    }
    let Some(data) = c.a.func.sized_stack_slots.get(slot) else { return };
    let end = i64::from(access.offset) + i64::from(access.size);
    let inside = access.offset >= 0 && end <= i64::from(data.size);
    let aligned = (1u32 << data.align_shift.min(31)) >= c.a.profile.word_bytes();
    if inside && aligned {
        c.proven();
    } else {
        let message =
            format!("{} bytes at offset {} of a stack slot of {} bytes", access.size, access.offset, data.size);
        c.fail(&RULE, Verdict::Violated, access.inst, message);
    }
}
