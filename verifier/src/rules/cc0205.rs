//! CC0205 payload-clear. Checked where payloads are in buffers, by [`crate::chain`].

use super::{Rule, examples};

pub(crate) const RULE: Rule = Rule {
    id: "CC0205",
    name: "payload-clear",
    statement: "A buffer that is used again is large enough, and no reader sees an old length or a pointer into a dead frame. Not decided on CLIF under `clif-cont`, whose payload is a part of the ContRef, without a length; that it is filled is CC0204. Under `wasmtime-48` a buffer is in place before its owner suspends, its length is 0 when its values were taken, and what pointed into a frame is cleared before control goes on.",
    why: "A reader finds values of the buffer's last user.",
    bugs: "fx #47",
    help: "clear the length before the buffer is handed on",
    passing: examples::RESUME,
    fault: &[],
};
