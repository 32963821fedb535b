//! Checks CLIF against the continuation protocol, from any producer.
//!
//! ```text
//! Function --flow--> states at block entries --check--> rules --> Report
//!            ^ transfer, sym, state, place      ^ ops
//! ```
//!
//! [`verify`] runs a forward dataflow analysis over one function: values become
//! symbolic words that are equal when arithmetic says so, memory is a map from
//! base and offset to such words, and every branch refines what is known on its
//! edges. It then walks each reachable instruction once and demands what the
//! [`rules`] say. It knows the ABI through a [`Profile`], and never the
//! builders, so that a bug of theirs cannot hide here.
//!
//! # The claim
//!
//! When the report of a function has no finding, then on every execution of the
//! function, for every operation in [`Report::operations`] (and there is no
//! other switch): an object is used only if it is not null and current; it is
//! consumed exactly once, before control leaves, and only if nothing can make
//! the operation fail any more; control goes to the continuation that the
//! operation is about, whose chain is linked to its new resumer at its last
//! ancestor; every effect that comes back is told apart, and payload is read and
//! objects are made only where it belongs; a continuation that ends is ended
//! once. Each rule's statement says which part of it is decided.
//!
//! A finding is [`Verdict::Violated`] when what was shown contradicts a rule on
//! a path of the function's control flow, and [`Verdict::Unproven`] when it takes
//! something that the analysis does not understand. Both mean that nothing is
//! claimed.
//!
//! A finding at an instruction that no execution reaches is a [`Severity::Warning`]:
//! a branch whose condition is a known constant has one edge, and what lies behind
//! the other is not checked.
//!
//! # Assumptions
//!
//! - The function passes Cranelift's verifier.
//! - Protocol records overlap neither each other nor the memory that the
//!   program addresses itself (linear memories, globals, tables, frames); the
//!   runtime's own functions are under the same rules as everything else.
//! - Two adjacent words of memory, parameters, arguments or results that a
//!   function takes for an object are one: whoever wrote them is verified too.
//! - What the module says is so ([`verify_in`]): the types of its tags and of its
//!   operations, and that whoever resumes a continuation knows its type. Where it
//!   says nothing ([`Operation::untyped`]), and for [`verify`], which sees no module,
//!   types and constant handler tables are the producer's business.
//! - Functions do what their symbol says, as [`profile::Callee`] lists it; any
//!   other may do anything that a verified function may.
//! - The invariants of the profile hold when the function is entered: the
//!   running continuation is where the profile finds it, its parents up to the
//!   driver are live, a current object's continuation is suspended.
//! - Instruction selection, register allocation and the bytes of the switch
//!   routine are outside.
//! - Where functions have an extra result for exceptions, callers look at it
//!   before they use the others: a matter of every call, and no rule's.
//!
//! # Other profiles
//!
//! A [`Profile`] is data; another ABI of a known shape is another constructor, in
//! a file of its own. There are two shapes: this project's, and that of an ABI whose
//! store context knows the chain of running stacks ([`Profile::wasmtime_48`]),
//! which the module `chain` describes. Objects, their checks and their
//! revisions are the same in both, and so are those rules.
//!
//! Under `wasmtime-48` the assumptions are also these: buffers that another
//! function made are as large as types say; the buffers and contexts of a
//! continuation that cannot run are not in this function's frame; a resume is
//! come back to with a return, a suspend or a trap, and a suspend or a switch with
//! a resume, a switch or a throw; the runtime's functions do not run the program.
//! Wasmtime's trampolines and its runtime, which is not CLIF, are outside.

mod assume;
mod chain;
mod check;
mod copies;
mod flow;
mod graph;
mod module;
mod ops;
mod origin;
mod place;
pub mod profile;
mod report;
pub mod rules;
mod shared;
mod state;
mod steps;
mod sym;
mod transfer;
mod types;
mod witness;

use cranelift_codegen::ir::Function;

pub use module::{Module, Word};
pub use profile::Profile;
pub use report::{Finding, Operation, OperationKind, Report, Severity, Verdict};
pub use rules::Rule;
pub use types::{OperationTypes, Passed, PassedTypes};
pub use witness::retrace;

/// Verifies a function, which has passed Cranelift's verifier, under a profile.
///
/// Functions that have nothing to do with continuations give an empty list of
/// operations. Each finding has a shortest path to its place; [`retrace`] gives it one
/// on which it happens.
pub fn verify(func: &Function, profile: &Profile) -> Report {
    check::Check::run(func, profile, None, &graph::Graph::new(func))
}

/// The same for a function of a module. Its handler tables are looked at: they
/// are constant, both lists end, and a resume's dispatch serves as many suspend
/// handlers as its table has. Where the module knows the types of what an operation
/// hands over and is handed, that is what has to be stored and loaded.
pub fn verify_in(func: &Function, profile: &Profile, module: &Module) -> Report {
    check::Check::run(func, profile, Some(module), &graph::Graph::new(func))
}
