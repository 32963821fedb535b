//! Why a program cannot be run, and why a call failed.

use std::fmt;

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_module::PlaceError;
use clif_cont_program::compile::CompileError;
use clif_cont_program::target::TargetError;
use clif_cont_program::{InvokeError, ProgramError, Trapped, ValType};

/// Why a program cannot be run here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunError {
    /// It was lowered for another ISA than the host's.
    WrongIsa {
        /// What it was lowered for.
        program: Isa,
        /// The host's; `None` for one that Cranelift does not compile for.
        host: Option<Isa>,
    },
    /// A switch model that this runner does not have.
    SwitchModel(SwitchModel),
    /// Cranelift refused the host as a target.
    Target(TargetError),
    /// Its parts do not fit together.
    Program(ProgramError),
    /// A function cannot be compiled.
    Compile(CompileError),
    /// A symbol without a definition.
    Undefined {
        /// The symbol.
        symbol: String,
        /// The function, data or export that refers to it.
        by: String,
    },
    /// A symbol with two definitions.
    Duplicate(String),
    /// Data that cannot be laid out.
    Data {
        /// Its symbol.
        symbol: String,
        /// Why not.
        cause: String,
    },
    /// The JIT failed; its own words.
    Jit(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongIsa { program, host: Some(host) } => {
                write!(f, "the program was lowered for {}, but the host is {}", program.name(), host.name())
            }
            Self::WrongIsa { program, host: None } => {
                write!(f, "the program was lowered for {}; nothing can be run natively on this host", program.name())
            }
            Self::SwitchModel(model) => write!(f, "the switch model `{}` does not run natively", model.name()),
            Self::Target(e) => e.fmt(f),
            Self::Program(e) => e.fmt(f),
            Self::Compile(e) => e.fmt(f),
            Self::Undefined { symbol, by } => write!(f, "%{symbol} is not defined; {by} refers to it"),
            Self::Duplicate(symbol) => write!(f, "%{symbol} is defined twice"),
            Self::Data { symbol, cause } => write!(f, "data %{symbol}: {cause}"),
            Self::Jit(what) => write!(f, "the JIT failed: {what}"),
        }
    }
}

impl From<PlaceError> for RunError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Undefined { symbol, by } => Self::Undefined { symbol, by },
            PlaceError::Duplicate(symbol) => Self::Duplicate(symbol),
            PlaceError::Compile(error) => Self::Compile(error),
            PlaceError::Module(what) => Self::Jit(what),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Target(e) => Some(e),
            Self::Program(e) => Some(e),
            Self::Compile(e) => Some(e),
            _ => None,
        }
    }
}

/// Why a typed call gave no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallError {
    /// Nothing was run: no such export, or other parameters.
    Invoke(InvokeError),
    /// Nothing was run: the export has other results than were asked for.
    Results {
        /// The export.
        export: String,
        /// What it returns.
        returns: Vec<ValType>,
        /// What was asked for.
        asked: Vec<ValType>,
    },
    /// The program trapped.
    Trapped(Trapped),
    /// It ended in a way that native code should not end.
    Other(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        match self {
            Self::Invoke(e) => e.fmt(f),
            Self::Results { export, returns, asked } => {
                write!(f, "`{export}` returns ({}), not ({})", list(returns), list(asked))
            }
            Self::Trapped(t) => {
                write!(f, "trap: {}", t.trap.message())?;
                t.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
            }
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for CallError {}
