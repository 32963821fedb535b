//! Checks CLIF against the continuation protocol.
mod check;
mod flow;
mod ops;
mod place;
pub mod profile;
mod report;
pub mod rules;
mod state;
mod sym;
mod transfer;

use cranelift_codegen::ir::Function;

pub use profile::Profile;
pub use report::{Finding, Operation, OperationKind, Report, Verdict};

/// Verifies a function.
pub fn verify(func: &Function, profile: &Profile) -> Report {
    check::Check::run(flow::Analysis::run(func, profile))
}
