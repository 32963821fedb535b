//! Runs a program natively: in this process, on this machine, through
//! Cranelift's JIT.
//!
//! ```no_run
//! # use clif_cont_program::{Finished, Host};
//! # use clif_cont_runner::{CallError, Jit, Options};
//! # fn run(program: &Finished, host: Box<dyn Host>) -> Result<(), Box<dyn std::error::Error>> {
//! let mut jit = Jit::new(program, host, Options::default())?;
//! let sum: i64 = jit.call("sum", (10i64,))?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is checked and what is not
//!
//! A program is code, and it runs with the rights of this process. Cranelift's
//! verifier has seen it, every symbol is defined, and every function that Rust
//! calls has the signature that Rust takes it for; what its loads and stores do
//! is its own affair. Run what `clif_cont_lowering` or a trusted front end made,
//! or interpret it first.
//!
//! Traps of the lowering are calls, not hardware faults, and come back as
//! `Outcome::Trapped` with a backtrace; afterwards the program can be invoked
//! again. **A fault ends the process**: a wild access, a division that nobody
//! guarded, an overflow into a stack's guard page. [`report_faults`] gives it
//! last words. Nor can native code be interrupted; see [`watched`].
//!
//! What foreign code (signal handlers, allocators) and nested invocations may take of
//! stacks, and what stacks have guards, is in `docs/contracts.md`.
//!
//! Its `unsafe` is in the modules that say
//! so in their first lines.

mod backtrace;
mod error;
mod faults;
mod host;
mod jit;
mod memory;
mod module;
mod parent;
mod shared;
#[cfg(test)]
mod staged;
mod sys;
mod typed;
mod watch;

pub use error::{CallError, RunError};
pub use faults::{Fault, armed, report_faults};
pub use jit::{Cpu, Jit, Options};
pub use parent::end_with_parent;
pub use typed::{Params, Results, Scalar};
pub use watch::{Exceeded, Limits, watched};
