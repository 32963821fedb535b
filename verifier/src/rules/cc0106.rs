//! CC0106 state. A statement without a check: see there.

use super::{Rule, examples};

pub(crate) const RULE: Rule = Rule {
    id: "CC0106",
    name: "state",
    statement: "Where a profile has states, they move only along the state machine, each before the point where others can see it. Not decided on CLIF: this profile has none, a continuation's state follows from its revision and its links.",
    why: "Two owners of one continuation, each of which believes the state that it read.",
    bugs: "",
    help: "move the state before anybody else can look at it",
    passing: examples::RESUME,
    fault: &[],
};
