//! CC0011 fail-clean.

use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::profile::Role;
use crate::report::Verdict;
use crate::state::State;
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0011",
    name: "fail-clean",
    statement: "On every path where an operation traps (null, consumed, no handler, no capacity) the protocol's state \
                is as before it: nothing was consumed for the operation and no link was set.",
    why: "A program that survives the trap finds a continuation that is neither suspended nor consumed, and can never \
          be run or dropped.",
    bugs: "",
    help: "do everything that can fail before the first store of the operation",
    passing: examples::SWITCH,
    fault: &[
        ("    store notrap aligned region0 v20, v0+24\n", ""),
        ("    v19 = iconst.i64 1\n    v20 = iadd v1, v19\n", ""),
        (
            "    v17, v18 = call fn1(v15, v16)\n",
            "    v19 = iconst.i64 1\n    v20 = iadd v1, v19\n    store notrap aligned region0 v20, v0+24\n    \
             v17, v18 = call fn1(v15, v16)\n",
        ),
    ],
};

/// A switch whose object was consumed before something that can fail.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let Some(obj) = state.obj(site.to).copied().filter(|o| o.stale.is_none()) else { return };
    match (obj.bump, obj.fails) {
        (Some(bump), Some(fails)) => c.fail_with(
            &RULE,
            Verdict::Violated,
            bump,
            "the object is consumed before the operation can no longer fail",
            vec![(fails, "it may still trap here".into())],
        ),
        _ => c.proven(),
    }
}

/// A trap, with links set.
pub(crate) fn trap_call(c: &mut Check<'_>, inst: Inst, code: Option<u64>, state: &State) {
    let fails = code.is_none_or(|code| c.a.profile.fails_operation(code));
    if !fails {
        // a trap of the program's own does not lie in the middle of an operation
        return super::cc0103::left(c, inst, state);
    }
    match state.dirty.first() {
        None => c.proven(),
        Some((store, role)) => {
            let message = match role {
                Role::Revision => "the operation traps after it has consumed the object",
                _ => "the operation traps after it has set a link",
            };
            c.fail_with(&RULE, Verdict::Violated, inst, message, vec![(*store, "stored here".into())]);
        }
    }
}
