//! Runs a program as Pulley bytecode, in process: `pulley64` and `pulley64be`,
//! on any 64-bit host of either byte order.
//!
//! ```text
//! link     compiles every function, lays out code and data, relocates
//! memory   where memory comes from; access in the program's byte order
//! fiber    a virtual machine, and where it is
//! machine  all fibers; the loop that runs them; switches and traps
//! libcall  what bytecode calls by number
//! invoke   invocations and host functions     trace   backtraces
//! ```
//!
//! Pulley's stack pointer cannot leave the stack of its virtual machine, so
//! each continuation has a virtual machine, and a switch is a host call
//! (`SwitchModel::HostCall`). The stack part of a slot stays untouched: frames
//! are on the machine's own stack, which it checks itself; an overflow is the
//! trap [`Trap::StackExhausted`](clif_cont_abi::Trap::StackExhausted) of the
//! continuation.
//!
//! What it does not do: run `pulley32` and `pulley32be` (see
//! [`PulleyError::NotRunnable`]), take the exception edges of `try_call`, or
//! interrupt a program. The bytecode has no fuel and polls nothing; whoever
//! wants a deadline watches from another thread.
//!
//! # Soundness
//!
//! Bytecode accesses memory by address, as machine code does. So only a [`Finished`] program
//! is taken: one that was verified, or that somebody answers for.

mod error;
mod fiber;
mod invoke;
mod libcall;
mod link;
mod machine;
mod memory;
mod sys;
mod trace;

use std::fmt;

use clif_cont_abi::StoreContext;
use clif_cont_program::{Finished, Host, Instance, InvokeError, Outcome, Val};

pub use error::PulleyError;

/// How a program is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Bytes of each continuation's stack. It is address space: what is not
    /// touched is not committed. Values below [`Options::MIN_STACK`] mean that.
    pub stack: usize,
}

impl Options {
    /// The smallest stack, in bytes: enough for the runtime's own functions.
    pub const MIN_STACK: usize = 16 << 10;
}

impl Default for Options {
    fn default() -> Self {
        Self { stack: 256 << 10 }
    }
}

/// A program in memory, ready to be invoked.
pub struct Pulley {
    machine: machine::Machine,
    host: Box<dyn Host>,
}

impl Pulley {
    /// Compiles and links a program. Nothing of it runs yet.
    ///
    /// # Errors
    ///
    /// [`PulleyError`]: a target that is not run, or what is wrong with the
    /// program.
    pub fn new(program: &Finished, host: Box<dyn Host>, options: Options) -> Result<Self, PulleyError> {
        let mut memory = memory::Memory::default();
        let image = link::load(program, &mut memory)?;
        let stack = options.stack.max(Options::MIN_STACK).next_multiple_of(16);
        let machine = machine::Machine::new(image, memory, program.target.abi, program.imports.clone(), stack);
        Ok(Self { machine, host })
    }

    /// Virtual machines that were made: for the most continuations that existed
    /// at a time, and for drivers. Does not grow as long as they are recycled.
    pub fn machines(&self) -> usize {
        self.machine.fibers.len()
    }

    /// Stack slots that the program has made.
    pub fn slots(&self) -> u64 {
        self.machine.store_word(&StoreContext::SLOTS)
    }
}

impl fmt::Debug for Pulley {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulley")
            .field("machines", &self.machines())
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}

impl Instance for Pulley {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Result<Outcome, InvokeError> {
        self.machine.invoke(export, args, &*self.host)
    }

    fn initialize(&mut self) -> Option<Outcome> {
        self.machine.initialize(&*self.host)
    }
}
