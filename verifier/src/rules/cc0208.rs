//! CC0208 trap-mechanism.

use cranelift_codegen::ir::{Inst, InstructionData, Opcode};

use super::{Rule, examples};
use crate::check::Check;
use crate::profile::{Callee, FunctionRole};
use crate::report::Verdict;

pub(crate) const RULE: Rule = Rule {
    id: "CC0208",
    name: "trap-mechanism",
    statement: "A trap is a call of the trap function with its code, and a trap instruction with the same code behind \
                it. No other instruction of the program traps by itself.",
    why: "A hardware fault on a continuation's stack is not the program's trap but the end of the process.",
    bugs: "wt #14072",
    help: "call the trap function with the code, then `trap` with the same code",
    passing: examples::BIND,
    fault: &[("    call fn0(v5)\n", "")],
};

/// A trap instruction.
pub(crate) fn trap(c: &mut Check<'_>, inst: Inst) {
    if c.a.role == FunctionRole::Trap {
        return;
    }
    let data = c.a.func.dfg.insts[inst];
    let InstructionData::Trap { opcode: Opcode::Trap, code } = data else {
        c.fail(&RULE, Verdict::Violated, inst, "a conditional trap is a hardware fault");
        return;
    };
    let call = c.a.func.layout.prev_inst(inst).filter(|i| c.a.callee_of(*i) == Some(Callee::Trap));
    let Some(call) = call else {
        c.fail(&RULE, Verdict::Violated, inst, "the trap function is not called before the trap");
        return;
    };
    let same = c.a.trap_code(call).is_none_or(|k| k == u64::from(code.as_raw().get()));
    c.require(same, &RULE, inst, "the trap function is called with another code");
}
