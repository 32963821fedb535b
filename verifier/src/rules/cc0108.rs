//! CC0108 trap-propagates.

use cranelift_codegen::ir::{Inst, Opcode};

use super::{Rule, examples};
use crate::check::Check;

pub(crate) const RULE: Rule = Rule {
    id: "CC0108",
    name: "trap-propagates",
    statement: "Behind a call of the trap function, and behind its switch, there is a trap instruction: the edge never \
                rejoins the program. An exception with which a switch comes back is read. Under `wasmtime-48` what ended the continuation, or is thrown into it, is raised again by the runtime's function for it.",
    why: "A program that goes on after its trap runs on a stack that was abandoned.",
    bugs: "wt #11717",
    help: "end the block with `trap` behind the call",
    passing: examples::BIND,
    fault: &[("    call fn0(v5)\n    trap user2", "    call fn0(v5)\n    jump block3")],
};

/// A call of the trap function.
pub(crate) fn trap_call(c: &mut Check<'_>, inst: Inst) {
    let ends = c.a.behind(inst).is_some_and(|i| c.a.func.dfg.insts[i].opcode() == Opcode::Trap);
    c.require(ends, &RULE, inst, "the program goes on behind a trap");
}
