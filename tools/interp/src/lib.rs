//! A checking interpreter for CLIF with several stacks.
//!
//! [`Interp`] runs a program of any producer: generated ones with the
//! runtime of the lowering in them, and hand-written functions that switch
//! between stacks they made themselves. It knows the ABI, never the builders,
//! so that a fault of theirs cannot hide here.
//!
//! It is an abstract machine: memory is one simulated address space of the
//! target's pointer width and byte order, in which every access has to hit an
//! allocation that allows it (`memory.rs`); each stack is a list of frames
//! (`machine.rs`); a switch takes a control context in memory, which is good
//! once; and what happens to each continuation is kept in an account of its own
//! beside the revisions that the program counts (`shadow.rs`). Memory of stacks may be accessed where there
//! is a frame, of the running stack or of one that waits for it. What breaks a rule is a [`clif_cont_program::Violation`] with its
//! place, never a crash of the interpreter.
//!
//! What it does not do: follow the provenance of pointers, notice reads of
//! memory that was never written, take the exception edges of `try_call`, or
//! run `f16`, `f128` and dynamic vectors; what is not supported says so when
//! it is reached.

mod decode;
mod exec;
mod float;
mod generic;
mod host;
mod int;
mod invoke;
mod link;
mod machine;
mod memory;
mod op;
mod shadow;
mod trace;

use std::sync::Arc;

use clif_cont_program::{Export, Finished, Host, Instance, InvokeError, Outcome, Program, Val, ValType, arguments};

pub use link::LoadError;
pub use shadow::{Happened, HistoryStep, TraceEvent, TraceKind};

/// How a program is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Instructions that one invocation may execute, those of nested ones
    /// included; `None` for no limit.
    pub fuel: Option<u64>,
    /// Bytes of memory that the program may touch, in pages of 4 KiB.
    pub memory: u64,
    /// Bytes of the stack that invocations of plain functions, and the driver
    /// of all others, run on.
    pub stack: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { fuel: None, memory: 1 << 30, stack: 4 << 20 }
    }
}

/// A program being interpreted.
pub struct Interp {
    machine: machine::Machine,
    fuel: Option<u64>,
    initialized: bool,
}

impl Interp {
    /// Links a program. Nothing of it runs yet.
    ///
    /// # Errors
    ///
    /// [`LoadError`]: what is wrong with the program as a whole. What is wrong
    /// with, or not supported in, one instruction shows when it is reached.
    pub fn new(program: &Finished, host: Box<dyn Host>, options: Options) -> Result<Self, LoadError> {
        Self::unverified(Arc::clone(program.program()), host, options)
    }

    /// Links a program that nobody has verified. It cannot harm this process: what breaks a
    /// rule is a violation, also where Cranelift's verifier would not have taken the CLIF.
    ///
    /// # Errors
    ///
    /// As [`Interp::new`].
    pub fn unverified(
        program: impl Into<Arc<Program>>,
        host: Box<dyn Host>,
        options: Options,
    ) -> Result<Self, LoadError> {
        let (linked, memory) = link::link(program.into(), &options)?;
        let machine = machine::Machine::new(Arc::new(linked), memory, host);
        Ok(Self { machine, fuel: options.fuel, initialized: false })
    }

    /// Instructions executed so far.
    pub fn steps(&self) -> u64 {
        self.machine.steps
    }

    /// Stack slots that the program has made; `None` for one without a store
    /// context. Does not grow as long as slots are recycled.
    pub fn slots(&mut self) -> Option<u64> {
        self.machine.slots()
    }

    /// Stacks that are suspended, or were abandoned and are not used again
    /// yet.
    pub fn suspended(&self) -> usize {
        self.machine.parked_stacks()
    }

    /// Bytes of simulated memory that have been written to, in whole pages.
    pub fn touched(&self) -> u64 {
        self.machine.mem.touched()
    }

    /// Parameter and result types of what [`Instance::invoke`] would invoke
    /// under a name: an export, or else a function whose types the host has.
    pub fn signature(&self, name: &str) -> Option<(Vec<ValType>, Vec<ValType>)> {
        let program = &self.machine.linked.program;
        if let Some(export) = program.export(name) {
            return Some((export.params.clone(), export.results.clone()));
        }
        let name = name.strip_prefix('%').unwrap_or(name);
        let function = program.function(name)?;
        let signature = &function.func.signature;
        let types = |params: &[cranelift_codegen::ir::AbiParam]| -> Option<Vec<ValType>> {
            params.iter().map(|p| invoke::val_type(p.value_type)).collect()
        };
        Some((types(&signature.params)?, types(&signature.returns)?))
    }

    /// Keeps a trace from here on.
    pub fn start_trace(&mut self) {
        self.machine.shadow.start_trace();
    }

    /// The trace, in order, and how many further events did not fit it.
    pub fn trace(&self) -> (impl Iterator<Item = TraceEvent> + '_, u64) {
        let (events, omitted) = self.machine.shadow.trace();
        (events.iter().map(|e| self.machine.named_event(e)), omitted)
    }

    /// What happened to the continuation whose revision the program read last,
    /// oldest first: after a trap because of a consumed object, the history of
    /// that object's continuation. What is long past is left out.
    pub fn history(&self) -> Vec<HistoryStep> {
        self.machine.history()
    }

    fn refuel(&mut self) {
        self.machine.overdrawn = false;
        self.machine.limit = self.fuel.map_or(u64::MAX, |fuel| self.machine.steps.saturating_add(fuel));
    }
}

impl Instance for Interp {
    fn invoke(&mut self, name: &str, args: &[Val]) -> Result<Outcome, InvokeError> {
        let program = Arc::clone(&self.machine.linked.program);
        let Some((params, results)) = self.signature(name) else {
            let known = program.exports.iter().map(|e| e.name.clone());
            let functions = program.functions.iter().map(|f| f.name()).filter(|_| program.exports.is_empty());
            return Err(InvokeError::UnknownExport(name.to_owned(), known.chain(functions).collect()));
        };
        // a plain function is invoked like an export of its types
        let symbol = name.strip_prefix('%').unwrap_or(name);
        let plain =
            || Export { name: name.to_owned(), function: symbol.to_owned(), enter: String::new(), params, results };
        let (exported, export) = match program.export(name) {
            Some(export) => (true, export.clone()),
            None => (false, plain()),
        };
        let args = arguments(&self.machine.instance, &export, args)?;
        let _level = match self.machine.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Ok(Outcome::Trapped(trapped)),
        };
        if let Some(outcome) = self.initialize_here().filter(|o| !matches!(o, Outcome::Returned(_))) {
            return Ok(outcome);
        }
        self.refuel();
        Ok(match exported {
            true => self.machine.invoke_export(&export, &args),
            false => self.machine.invoke_plain(&export.function, &args, &export.results),
        })
    }

    fn initialize(&mut self) -> Option<Outcome> {
        match self.machine.nesting.enter() {
            Ok(_level) => self.initialize_here(),
            Err(trapped) => Some(Outcome::Trapped(trapped)),
        }
    }
}

impl Interp {
    fn initialize_here(&mut self) -> Option<Outcome> {
        if std::mem::replace(&mut self.initialized, true) {
            return None;
        }
        let program = Arc::clone(&self.machine.linked.program);
        let init: &Export = program.init.as_ref()?;
        self.refuel();
        Some(self.machine.invoke_export(init, &[]))
    }
}

#[cfg(test)]
mod tests;
