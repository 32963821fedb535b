//! Backtraces: the functions on the stacks that a trap goes through.
//!
//! The chain goes from the trapped continuation through its parents to the
//! invocation's own stack, whose parent is 0 then. Functions of the runtime are
//! left out, and with them stacks that have nothing else on them.

use clif_cont_abi::{ContRef, StoreContext};
use clif_cont_program::{Origin, StackTrace};

use crate::machine::{FiberId, Machine, Stop};

/// Frames of one stack that a backtrace shows at most.
const FRAMES: usize = 100_000;

impl Machine {
    /// The stacks that the trap just delivered went through.
    pub(crate) fn backtrace(&self) -> Vec<StackTrace> {
        self.chain(self.store_word(&StoreContext::TRAPPED))
    }

    fn chain(&self, contref: u64) -> Vec<StackTrace> {
        let mut stacks = vec![];
        let mut contref = contref;
        // a broken program might have closed the chain to a ring
        for _ in 0..self.fibers.len() {
            let Some(id) = self.owners.get(&contref) else { break };
            stacks.push(self.frames(*id));
            // SAFETY: a ContRef, for a fiber belongs to it.
            contref = unsafe { self.access.word(contref, &ContRef::PARENT) };
        }
        stacks.retain(|s| !s.frames.is_empty());
        stacks
    }

    fn frames(&self, id: FiberId) -> StackTrace {
        let functions = self.fibers[id].walk(FRAMES).into_iter().filter_map(|pc| self.image.find(pc));
        let frames = functions.filter(|f| f.origin == Origin::Program).map(|f| f.name.clone());
        StackTrace { frames: frames.collect() }
    }

    /// The report of a fault, which happened on that fiber.
    pub(crate) fn stop(&self, at: Option<FiberId>, message: String) -> Stop {
        let function = at
            .and_then(|id| self.fibers[id].walk(1).first().copied())
            .and_then(|pc| self.image.find(pc))
            .map(|f| f.name.clone());
        let backtrace = at.map(|id| self.chain(self.fibers[id].owner)).unwrap_or_default();
        Stop { message, function: function.unwrap_or_default(), backtrace }
    }
}
