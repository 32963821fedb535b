//! From a fault to an outcome: where it happened, and the frames of every stack
//! that it goes through.

use clif_cont_abi::{ContRef, StoreContext, SwitchModel};
use clif_cont_program::{Outcome, StackTrace, Trapped, Violation};

use crate::machine::{Fault, Fiber, Machine};
use crate::shadow::{Event, HistoryStep, Spot, TraceEvent};

/// Stacks that a backtrace follows; a chain of parents that a broken program
/// closed to a ring would have no end.
const CHAIN: usize = 10_000;

impl Machine {
    /// The outcome of a fault of the running stack.
    pub(crate) fn outcome_of(&mut self, fault: Fault) -> Outcome {
        match fault {
            Fault::Trap(trap, detail) => Outcome::Trapped(Trapped { trap, detail, backtrace: self.backtrace() }),
            Fault::Violation(message) => {
                let (function, inst) = self.at();
                Outcome::Violation(Violation { message, function, inst, backtrace: self.backtrace() })
            }
            Fault::Unsupported(what) => match self.at() {
                (function, _) if function.is_empty() => Outcome::Unsupported(what),
                (function, _) => Outcome::Unsupported(format!("{what}, in `%{function}`")),
            },
            Fault::OutOfFuel => Outcome::OutOfFuel,
            Fault::OutOfMemory(what) => Outcome::OutOfMemory(what),
            Fault::Again(outcome) => *outcome,
        }
    }

    /// The function and the instruction that the running frame is at.
    fn at(&self) -> (String, Option<String>) {
        self.spot().map_or_else(Default::default, |spot| self.named(spot))
    }

    /// A place in the program's own terms.
    fn named(&self, spot: Spot) -> (String, Option<String>) {
        let Some(function) = self.linked.program.functions.get(spot.code as usize) else {
            return (String::new(), None);
        };
        let inst = self.linked.codes[spot.code as usize].insts.get(spot.pc as usize).copied().flatten();
        let text = inst.map(|inst| function.func.dfg.display_inst(inst).to_string());
        (function.name(), text)
    }

    pub(crate) fn named_event(&self, event: &Event) -> TraceEvent {
        TraceEvent {
            step: event.step,
            continuation: event.continuation,
            kind: event.kind,
            function: event
                .at
                .and_then(|at| self.linked.program.functions.get(at.code as usize))
                .map_or_else(String::new, |f| f.name()),
        }
    }

    pub(crate) fn history(&self) -> Vec<HistoryStep> {
        let step = |s: crate::shadow::Step| {
            let (function, inst) = s.at.map_or_else(Default::default, |at| self.named(at));
            HistoryStep { continuation: s.continuation, happened: s.happened, function, inst }
        };
        self.shadow.story().into_iter().map(step).collect()
    }

    /// The stacks from the running one up to the invocation's own.
    fn backtrace(&mut self) -> Vec<StackTrace> {
        let mut stacks = vec![self.frames_of(&self.fiber)];
        if !self.on_driver() {
            match self.linked.store.filter(|_| self.invocations > 0) {
                Some(store) => {
                    if let Some(contref) = self.running_contref(store) {
                        self.ancestors(contref, &mut stacks);
                    }
                }
                None => stacks.extend(self.driver().map(|f| self.frames_of(f))),
            }
        }
        stacks.retain(|s| !s.frames.is_empty());
        stacks
    }

    /// The stacks that a trap delivered by the program abandoned.
    pub(crate) fn backtrace_of_trap(&mut self, store: u64) -> Vec<StackTrace> {
        let mut stacks = vec![];
        if let Ok(contref) = self.field(store, StoreContext::TRAPPED) {
            stacks.extend(self.parked(contref).map(|f| self.frames_of(f)));
            self.ancestors(contref, &mut stacks);
        }
        stacks.retain(|s| !s.frames.is_empty());
        stacks
    }

    fn running_contref(&mut self, store: u64) -> Option<u64> {
        let abi = self.linked.program.target.abi;
        match abi.switch {
            SwitchModel::HostCall => self.field(store, StoreContext::ACTIVE).ok(),
            _ => Some(abi.contref_of(self.sp())),
        }
    }

    /// Follows the parents of `contref`: up to the driver's record while the
    /// invocation runs, to a parent of 0 when it has ended.
    fn ancestors(&mut self, contref: u64, stacks: &mut Vec<StackTrace>) {
        let mut contref = contref;
        for _ in 0..CHAIN {
            match self.field(contref, ContRef::PARENT) {
                Ok(0) | Err(_) => return,
                Ok(parent) => contref = parent,
            }
            match self.parked(contref) {
                Some(fiber) if fiber.id == 0 => return,
                Some(fiber) => stacks.push(self.frames_of(fiber)),
                None => {}
            }
        }
    }

    /// The program's own functions on a stack, innermost first, down to the
    /// call from Rust.
    fn frames_of(&self, fiber: &Fiber) -> StackTrace {
        let mut frames = vec![];
        for frame in fiber.frames.iter().rev() {
            if !self.linked.codes[frame.code as usize].runtime {
                frames.extend(self.linked.program.functions.get(frame.code as usize).map(|f| f.name()));
            }
            if frame.host != 0 {
                break;
            }
        }
        StackTrace { frames }
    }
}
