//! What happens to every program before it is printed, interpreted or run:
//! everything that Cranelift does to a function before it selects instructions, and behind
//! each step Cranelift's verifier and the one of the continuation protocol. What comes out,
//! a [`Finished`] program, is what was verified, and is compiled as it is.
#![allow(unsafe_code)]

use std::fmt;

use clif_cont_program::compile;
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::text::{Annotate, Printed, print_lines};
pub use clif_cont_program::{Finished, PrepareError, Stage};
use clif_cont_program::{Program, Valid};
use clif_cont_verifier::{Finding, Profile, Severity, Verdict};

use crate::protocol::{FunctionReport, Protocol, verify_program};

/// What is done to a program.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Finish {
    /// Is it optimised?
    pub opt: OptLevel,
    /// Is it verified against the protocol?
    pub protocol: Protocol,
}

/// At that level, verified.
impl From<OptLevel> for Finish {
    fn from(opt: OptLevel) -> Self {
        Self { opt, protocol: Protocol::VERIFY }
    }
}

/// What the verifier of the protocol found in a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// When.
    pub stage: Stage,
    /// The program at that stage.
    pub printed: Printed,
    /// The functions with findings.
    pub functions: Vec<FunctionReport>,
}

/// Why a program was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FinishError {
    /// Before anybody asked for its protocol.
    Prepare(PrepareError),
    /// It states no profile: nothing says what is to be verified.
    NoProfile,
    /// It breaks the protocol of continuations, or could not be proven to keep it.
    Protocol(Box<Found>),
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare(error) => error.fmt(f),
            Self::NoProfile => f.write_str("the program states no profile, so nothing of it can be verified"),
            Self::Protocol(found) => {
                let after = if found.stage == Stage::Optimized { " after optimisation" } else { "" };
                write!(f, "the code does not keep the protocol of continuations{after}")?;
                for function in &found.functions {
                    for finding in function.report.findings.iter().filter(|f| f.severity == Severity::Error) {
                        let (name, rule, verdict) = (&function.name, finding.rule, finding.verdict.name());
                        write!(f, "\n  %{name}: {rule} {verdict}: {}", finding.message)?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for FinishError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Prepare(error) => Some(error),
            Self::NoProfile | Self::Protocol(_) => None,
        }
    }
}

/// Verifies every function as it is without optimisation, and at [`OptLevel::Speed`] again
/// as it is after it. What comes out is what is compiled.
///
/// # Errors
///
/// The first function that Cranelift refuses, or all findings of a stage.
pub fn finish(program: &Program, how: impl Into<Finish>) -> Result<Finished, FinishError> {
    Ok(finish_with_remarks(program, how)?.0)
}

/// The same; gives also what was found that does not stop a program: warnings, and what is
/// unproven where that is accepted.
///
/// # Errors
///
/// As [`finish`].
pub fn finish_with_remarks(program: &Program, how: impl Into<Finish>) -> Result<(Finished, Vec<Found>), FinishError> {
    let Finish { opt, protocol } = how.into();
    let mut remarks = vec![];
    protocol.can_verify(program)?;
    let valid = Valid::new(program.clone()).map_err(FinishError::Prepare)?;
    remarks.extend(keeps_protocol(&valid, Stage::Lowered, protocol, program)?);
    let optimized = valid.optimize(opt).map_err(FinishError::Prepare)?;
    if opt != OptLevel::None {
        remarks.extend(keeps_protocol(&optimized, Stage::Optimized, protocol, &optimized)?);
    }
    // SAFETY: just verified, or whoever made `protocol` answers for the program.
    Ok((unsafe { optimized.assume_sound() }, remarks))
}

/// Is every function valid CLIF?
///
/// # Errors
///
/// The first that Cranelift's verifier refuses.
pub fn check_functions(program: &Program) -> Result<(), FinishError> {
    let isa = target_isa(program.target, OptLevel::None).map_err(PrepareError::Target);
    let isa = isa.map_err(FinishError::Prepare)?;
    let refused = |error| FinishError::Prepare(PrepareError::Function { stage: Stage::Lowered, error });
    program.functions.iter().try_for_each(|f| compile::verify(&f.func, &*isa).map_err(refused))
}

/// What is found in `program` is said of the text of `shown`, which has the same
/// instructions under the same numbers, and maybe more.
fn keeps_protocol(
    program: &Program,
    stage: Stage,
    protocol: Protocol,
    shown: &Program,
) -> Result<Option<Found>, FinishError> {
    if protocol.trusts() || program.profile.is_none() {
        return Ok(None);
    }
    let verified = verify_program(program, &Profile::clif_cont(&program.target.abi)).functions;
    let found = verified.into_iter().zip(&shown.functions).filter(|(report, _)| !report.report.is_clean());
    let functions: Vec<FunctionReport> = found.map(|(report, f)| report.shown_in(&f.func)).collect();
    if functions.is_empty() {
        return Ok(None);
    }
    let refuses =
        |f: &Finding| f.severity == Severity::Error && (f.verdict == Verdict::Violated || !protocol.accepts_unproven());
    let refused = functions.iter().flat_map(|f| &f.report.findings).any(refuses);
    let found = Found { stage, printed: print_lines(shown, Annotate::Blocks), functions };
    if refused { Err(FinishError::Protocol(Box::new(found))) } else { Ok(Some(found)) }
}
