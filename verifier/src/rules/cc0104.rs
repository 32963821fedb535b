//! CC0104 broken-chain.

use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::profile::{Callee, FunctionRole, Role};
use crate::report::Verdict;
use crate::state::State;

pub(crate) const RULE: Rule = Rule {
    id: "CC0104",
    name: "broken-chain",
    statement: "Between the first link that an operation sets and its switch there is no call but one that has nothing \
                to do with the protocol: no allocation, no search, no code of the program.",
    why: "Whoever walks the chain then, for a handler, a backtrace or roots, finds it half linked.",
    bugs: "a switch that detached before its last allocation and lost GC roots",
    help: "call before the first link is set",
    passing: examples::RESUME,
    fault: &[(
        "    store notrap aligned region3 v17, v16+48\n",
        "    store notrap aligned region3 v17, v16+48\n    v40 = iconst.i32 0\n    call fn1(v40)\n",
    )],
};

/// A call, with links set.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst, state: &State) {
    let harmless = c.a.callee_of(inst).is_some_and(|f| f.is_harmless() || f == Callee::Trap);
    if harmless || c.a.role != FunctionRole::Program {
        return;
    }
    match state.dirty.iter().find(|(_, role)| *role != Role::Revision) {
        None => c.proven(),
        Some((store, _)) => c.fail_with(
            &RULE,
            Verdict::Violated,
            inst,
            "a function is called while the chain is half linked",
            vec![(*store, "the first link is set here".into())],
        ),
    }
}
