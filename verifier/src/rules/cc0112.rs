//! CC0112 sp-last. A statement without a check: see there.

use super::{Rule, examples};

pub(crate) const RULE: Rule = Rule {
    id: "CC0112",
    name: "sp-last",
    statement: "The routine that switches stacks never stores below the stack pointer that it leaves, and reads what it needs before it stores. Not decided on CLIF: it is a property of the routine's bytes, and a test there.",
    why: "A signal that arrives in between overwrites what was stored.",
    bugs: "wt #13883-#13885, #13943, #14030",
    help: "store above the stack pointer, and move it last",
    passing: examples::RESUME,
    fault: &[],
};
