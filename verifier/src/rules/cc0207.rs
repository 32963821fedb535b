//! CC0207 roots. A statement without a check: see there.

use super::{Rule, examples};

pub(crate) const RULE: Rule = Rule {
    id: "CC0207",
    name: "roots",
    statement: "References that live across a switch are visible to the collector where the profile has one. Not decided on CLIF: this profile has no collector.",
    why: "The collector frees what a suspended frame refers to.",
    bugs: "wt #13750, #12934",
    help: "declare the values as needing a stack map",
    passing: examples::RESUME,
    fault: &[],
};
