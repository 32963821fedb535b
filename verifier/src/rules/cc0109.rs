//! CC0109 limits.

use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::profile::{Callee, FunctionRole};
use crate::report::Verdict;
use crate::state::{Fact, State};

pub(crate) const RULE: Rule = Rule {
    id: "CC0109",
    name: "limits",
    statement: "This profile keeps no limit in memory: what is left of a stack follows from the stack pointer and the \
                size of a slot. A function that computes it compares it with the profile's bound before it calls or \
                switches, and goes on only where enough is left. Whether a function has to compute it (leaves have \
                not) is for the code generator, which knows the frames. Under `wasmtime-48` a stack's limits are in its record while it does not run, and in force in the store context while it does: both are stored on every edge on which stacks change.",
    why: "A stack that overflows runs into its guard page, or into the neighbouring slot.",
    bugs: "wt #13298, #13584",
    help: "compare the stack pointer's offset in its slot with the bound, and trap below it",
    passing: examples::CHECKED,
    fault: &[("icmp ult v2, v3", "icmp uge v2, v3")],
};

/// A call or a switch.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    let checks = c.a.stack_left().is_some() && c.a.role == FunctionRole::Program;
    if !checks || c.a.callee_of(inst) == Some(Callee::Trap) {
        return;
    }
    if state.knows(Fact::Stack(true)) {
        c.proven();
    } else {
        c.fail(&RULE, Verdict::Violated, inst, "control leaves where it is not known that enough of the stack is left");
    }
}
