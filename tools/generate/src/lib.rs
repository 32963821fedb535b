//! Generates WebAssembly programs of continuations: sets of modules that import
//! from one another, and what to invoke in them, as text.
//!
//! Programs are valid, end, and reach every corner of stack switching: that is
//! all this crate knows of them. It depends on nothing of this project, so that
//! nothing is shared with what it tests; what a program has to do is found by
//! running it on several engines.
//!
//! ```text
//! choices   bytes to choices            body        a function that is being written
//! types     types and tags              value       operators that make a value
//! module    modules as text             statement   operators that leave nothing
//! program   the whole                   control     branches, loops, exceptions, dead code
//! script    a .wast script              cont        the seven operations
//! histogram what was generated          hazard      traps
//! exhaust   all small programs          scenario    functions with a plan
//! ```
//!
//! How a program comes to do much before it traps:
//! - *Fuel*: each function begins with a test of a counter that each invocation
//!   sets. When it is used up, functions return at once.
//! - *Coverage*: a global holds a bit for each tag that a handler of the running
//!   stacks waits for, as far as that can be known. Most operations that need a
//!   handler test it first.
//! - *Live locals*: a body knows which of its locals hold a continuation that was
//!   not used; others it tests for null, mostly.
//! - *Modes*: what traps on purpose asks first whether the invocation's argument is its number.
//!
//! Everything that a program sees goes into a checksum in the global `sum`, and
//! NaNs are replaced before their bits can be seen.
//!
//! A host may *re-enter*: when `spectest.print_i64` is called, it may invoke
//! `reenter` of the module `m0` with the argument wrapped to 32 bits. One that
//! only prints is as good; the results differ.

mod body;
mod choices;
mod cont;
mod control;
mod exhaust;
mod hazard;
mod histogram;
mod module;
mod program;
mod scenario;
mod script;
mod statement;
mod types;
mod value;

pub use exhaust::{ALPHABET, enumerate, programs_of};
pub use histogram::Histogram;
pub use program::generate;
pub use script::{Case, Expected, Invocation, Number, WHOLE};
