//! Judges the verifier by damaging what it has proven.
//!
//! ```text
//! unit      a program, lowered, before or after optimisation, and its assertions
//! scope     which instructions are the protocol's
//! aspect    the parts of the protocol, and the rules meant for each
//! kinds     ways to damage one at random; Cranelift's verifier has to accept it
//! judge     does a test program behave differently then? under the interpreter,
//! native    and as machine code, in a child process
//! campaign  cases from a seed; reason, report
//!
//! faults    edits of the parts of an operation that are harmful by construction
//! construct all of them, in lowerings of our own and in CLIF of others
//!
//! programs  random programs, undamaged: verified, interpreted, run
//!
//! difference  judges `clif-cont diff` by harmless edits and by faults
//!
//! bodies    what the targets of `cargo fuzz` do with bytes, also under a stable harness
//! crash     the files of `clif-tests`, mutated as text, given to the command in child processes
//! mutate    how text is mutated
//! ```
//!
//! A mutant is *harmful* when an assertion of its program fails, when the
//! interpreter reports a violation, when it needs much more fuel, or when it
//! leaves more stacks behind than before. A harmful mutant in [`scope`](Aspect) that is not
//! judged violated is a fault of the verifier, or of the criterion.
//!
//! What it does not do: change what the verifier reports, or shrink a mutant (it
//! is one instruction already). Everything follows from the seed and the number
//! of a case, whatever the number of threads.

mod aspect;
pub mod bodies;
mod campaign;
mod construct;
pub mod crash;
mod difference;
mod faults;
mod func;
mod judge;
mod kinds;
mod mutate;
mod native;
mod parallel;
mod programs;
mod reason;
pub mod report;
mod scope;
mod unit;

pub use aspect::Aspect;
pub use campaign::{Found, Mutant, Plan, Results, run};
pub use construct::{Constructed, Faulty, clif_files, construct, construct_files};
pub use difference::{Case, DiffPlan, Outcome, Row, is_wrong, programs as wat_files, report as diff_report, run_diff};
pub use faults::Fault;
pub use kinds::Kind;
pub use native::{HARMED, NOT_JUDGED, child};
pub use parallel::parallel;
pub use programs::{
    EDITS, Events, Fault as ProgramFault, FaultKind, Generated, ProgramsPlan, Ran, UNREACHED, bytes, exhaust,
    exhaust_modules, hex, program, program_child, run_programs, script, shrink, survey, unhex,
};
pub use reason::Reason;
pub use unit::{STEPS, UnitId, targets, units};
