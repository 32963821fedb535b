//! CC0106 state. Checked where a profile has states, by [`crate::chain`].

use super::{Rule, examples};

pub(crate) const RULE: Rule = Rule {
    id: "CC0106",
    name: "state",
    statement: "Where a profile has states, they move only along the state machine, each before the point where others can see it. Not decided on CLIF under `clif-cont`, which has none: a continuation's state follows from its revision and its links. Under `wasmtime-48` a state that is stored is a constant that this stack can get into here (running, parent or suspended for the running stack, ended or trapped for what came back, running for what is entered, trapped for what never ran), both stacks of a switch have theirs before it, and behind it the resumer's own is running again.",
    why: "Two owners of one continuation, each of which believes the state that it read.",
    bugs: "",
    help: "move the state before anybody else can look at it",
    passing: examples::RESUME,
    fault: &[],
};
