//! CC0202 handler-lifetime.

use super::{Rule, examples};
use crate::check::Check;
use crate::profile::Role;
use crate::report::Verdict;
use crate::state::State;
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0202",
    name: "handler-lifetime",
    statement: "The handler table is installed in the resumer's record after whatever ran last and before the switch. \
                In this profile nobody reads it when the resumer is no parent, so it need not be taken out again, and \
                a table on the frame lives longer than the resume. Under `wasmtime-48` the list is empty again, and its address gone, before control leaves the resume.",
    why: "A search finds the handlers of an earlier resume, perhaps in a frame that is gone, and suspends to a block \
          that does not expect it.",
    bugs: "fx #253",
    help: "store the address of the table to the running continuation's record before the switch",
    passing: examples::RESUME,
    fault: &[("    store notrap aligned region3 v17, v16+48\n", "")],
};

/// The switch of a resume.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite, state: &State) {
    let at = c.a.profile.field(Role::Handlers).offset;
    let installed = state.cell(c.a.active, at).is_some_and(|cell| c.a.func.dfg.insts[cell.by].opcode().can_store());
    if installed {
        c.proven();
    } else {
        c.fail(&RULE, Verdict::Violated, site.inst, "the handler table is not installed before the switch");
    }
}
