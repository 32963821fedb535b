//! What happens to every program before it is printed, interpreted or run:
//! Cranelift's verifier and the one of the continuation protocol, Cranelift's
//! optimiser when asked for, and both verifiers again.

use std::fmt;

use clif_cont_program::compile::{self, CompileError};
use clif_cont_program::target::{OptLevel, TargetError, target_isa};
use clif_cont_program::text::{Annotate, PrintOptions, print};
use clif_cont_program::{Program, ProgramError};
use clif_cont_verifier::{Finding, Profile, Severity, Verdict};
use cranelift_codegen::isa::TargetIsa;

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
        Self { opt, protocol: Protocol::Verify }
    }
}

/// When a function was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// As it was lowered or read.
    Lowered,
    /// After optimisation.
    Optimized,
}

impl Stage {
    /// What it is called in messages: `lowered`, `optimised`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lowered => "lowered",
            Self::Optimized => "optimised",
        }
    }
}

/// What the verifier of the protocol found in a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// When.
    pub stage: Stage,
    /// The program's text at that stage.
    pub text: String,
    /// The functions with findings.
    pub functions: Vec<FunctionReport>,
}

/// Why a program was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FinishError {
    /// Its parts do not fit together.
    Program(ProgramError),
    /// There is no code generator for its target.
    Target(TargetError),
    /// A function was.
    Function {
        /// When.
        stage: Stage,
        /// Why.
        error: CompileError,
    },
    /// It breaks the protocol of continuations, or could not be proven to keep it.
    Protocol(Box<Found>),
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(error) => error.fmt(f),
            Self::Target(error) => error.fmt(f),
            Self::Function { stage: Stage::Lowered, error } => error.fmt(f),
            Self::Function { stage: Stage::Optimized, error } => write!(f, "after optimisation: {error}"),
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

impl std::error::Error for FinishError {}

/// Verifies every function; at [`OptLevel::Speed`] optimises each and verifies
/// the result. Programs that follow no profile are for Cranelift's verifier alone.
/// Gives what was found that does not stop a program: warnings, and what is unproven
/// under [`Protocol::Lowered`].
///
/// # Errors
///
/// The first function that Cranelift refuses, or all findings of a stage.
pub fn finish(program: &mut Program, how: impl Into<Finish>) -> Result<Vec<Found>, FinishError> {
    let Finish { opt, protocol } = how.into();
    program.check().map_err(FinishError::Program)?;
    let isa = target_isa(program.target, opt).map_err(FinishError::Target)?;
    valid(program, &*isa)?;
    let mut remarks = vec![];
    remarks.extend(keeps_protocol(program, Stage::Lowered, protocol)?);
    if opt == OptLevel::Speed {
        let refused = |error| FinishError::Function { stage: Stage::Optimized, error };
        for function in &mut program.functions {
            function.optimize(&*isa).map_err(refused)?;
            compile::verify(&function.func, &*isa).map_err(refused)?;
        }
        remarks.extend(keeps_protocol(program, Stage::Optimized, protocol)?);
    }
    Ok(remarks)
}

/// Passes every function through Cranelift's verifier.
fn valid(program: &Program, isa: &dyn TargetIsa) -> Result<(), FinishError> {
    let refused = |error| FinishError::Function { stage: Stage::Lowered, error };
    program.functions.iter().try_for_each(|f| compile::verify(&f.func, isa).map_err(refused))
}

/// Is every function valid CLIF?
///
/// # Errors
///
/// The first that Cranelift's verifier refuses.
pub(crate) fn check_functions(program: &Program) -> Result<(), FinishError> {
    let isa = target_isa(program.target, OptLevel::None).map_err(FinishError::Target)?;
    valid(program, &*isa)
}

fn keeps_protocol(program: &Program, stage: Stage, protocol: Protocol) -> Result<Option<Found>, FinishError> {
    if protocol == Protocol::Trust || program.profile.is_none() {
        return Ok(None);
    }
    let mut functions = verify_program(program, &Profile::clif_cont(&program.target.abi)).functions;
    functions.retain(|f| !f.report.is_clean());
    if functions.is_empty() {
        return Ok(None);
    }
    let refuses =
        |f: &Finding| f.severity == Severity::Error && (f.verdict == Verdict::Violated || protocol == Protocol::Verify);
    let refused = functions.iter().flat_map(|f| &f.report.findings).any(refuses);
    let text = print(program, PrintOptions { func: None, annotate: Annotate::Blocks });
    let found = Found { stage, text, functions };
    if refused { Err(FinishError::Protocol(Box::new(found))) } else { Ok(Some(found)) }
}
