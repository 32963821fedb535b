//! CC0205 payload-clear. A statement without a check: see there.

use super::{Rule, examples};

pub(crate) const RULE: Rule = Rule {
    id: "CC0205",
    name: "payload-clear",
    statement: "A buffer that is used again is large enough, and no reader sees an old length or a pointer into a dead frame. Not decided on CLIF: this profile's payload is a part of the ContRef, without a length; that it is filled is CC0204.",
    why: "A reader finds values of the buffer's last user.",
    bugs: "fx #47",
    help: "clear the length before the buffer is handed on",
    passing: examples::RESUME,
    fault: &[],
};
