//! CC0102 one-shot-context.

use super::{Rule, examples};
use crate::check::Check;
use crate::report::Verdict;
use crate::state::{Since, State};
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0102",
    name: "one-shot-context",
    statement: "A context is entered once: after a switch to a continuation the next one goes there only under another \
                check of an object for it; nor is any other stack switched to twice in a row.",
    why: "A context that was entered describes frames that are gone.",
    bugs: "wt #9078",
    help: "remove the second switch, or check and consume the object that came back",
    passing: examples::RESUME,
    fault: &[(
        "v21 = stack_switch v16, v0, v18",
        "v40 = stack_switch v16, v0, v18\n    v21 = stack_switch v16, v0, v18",
    )],
};

/// A switch to whom the one right in front of it went to already.
pub(crate) fn again(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let Since::Inst(before) = state.since else { return };
    let dominates = before != site.inst && c.a.graph.dominates(before, site.inst, &c.a.func.layout);
    // of an object the state knows what became of it, see below
    if !dominates || state.obj(site.to).is_some() || c.a.switch_site(before).is_none_or(|b| b.to != site.to) {
        return;
    }
    let related = vec![(before, "this switch entered it".into())];
    c.fail_with(&RULE, Verdict::Violated, site.inst, "the same context is entered a second time", related);
}

/// The switch of an operation on an object. False where this is the fault.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, state: &State) -> bool {
    let Some(obj) = state.obj(site.to).copied() else { return true };
    let (Some(bump), Some(stale)) = (obj.bump, obj.stale) else {
        c.proven();
        return true;
    };
    if c.a.switch_site(stale).is_none() {
        return true;
    }
    c.fail_with(
        &RULE,
        Verdict::Violated,
        site.inst,
        "the same context is entered a second time",
        vec![(bump, "consumed here".into()), (stale, "this switch entered it, or ran other code".into())],
    );
    false
}
