//! What happens to every program before it is printed, interpreted or run:
//! Cranelift's verifier, its optimiser when asked for, and the verifier again.

use std::fmt;

use clif_cont_program::Program;
use clif_cont_program::compile::{self, CompileError};
use clif_cont_program::target::{OptLevel, TargetError, target_isa};

/// When a function was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// As it was lowered or read.
    Lowered,
    /// After optimisation.
    Optimized,
}

/// Why a program was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FinishError {
    /// There is no code generator for its target.
    Target(TargetError),
    /// A function was.
    Function {
        /// When.
        stage: Stage,
        /// Why.
        error: CompileError,
    },
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(error) => error.fmt(f),
            Self::Function { stage: Stage::Lowered, error } => error.fmt(f),
            Self::Function { stage: Stage::Optimized, error } => write!(f, "after optimisation: {error}"),
        }
    }
}

impl std::error::Error for FinishError {}

/// Verifies every function; at [`OptLevel::Speed`] optimises each and verifies
/// the result.
///
/// # Errors
///
/// The first function that is refused.
pub fn finish(program: &mut Program, opt: OptLevel) -> Result<(), FinishError> {
    let isa = target_isa(program.target, opt).map_err(FinishError::Target)?;
    for function in &mut program.functions {
        let refused = |stage| move |error| FinishError::Function { stage, error };
        compile::verify(&function.func, &*isa).map_err(refused(Stage::Lowered))?;
        if opt == OptLevel::Speed {
            function.func = compile::optimize(&function.func, &*isa).map_err(refused(Stage::Optimized))?;
            compile::verify(&function.func, &*isa).map_err(refused(Stage::Optimized))?;
        }
    }
    Ok(())
}
