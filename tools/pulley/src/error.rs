//! Why a program cannot be run.

use std::fmt;

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_program::ProgramError;
use clif_cont_program::compile::CompileError;
use clif_cont_program::target::TargetError;

/// Why a program cannot be run here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PulleyError {
    /// A target that this crate does not run.
    NotRunnable(Isa),
    /// A switch model that Pulley does not have.
    SwitchModel(SwitchModel),
    /// Cranelift refused the target.
    Target(TargetError),
    /// Its parts do not fit together.
    Program(ProgramError),
    /// A function is invalid or cannot be compiled.
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
    /// A symbol that is used as what it is not: data called, or the address of
    /// a host function taken.
    WrongKind {
        /// The symbol.
        symbol: String,
        /// The function or export that uses it so.
        by: String,
    },
    /// Data that cannot be laid out.
    Data {
        /// Its symbol.
        symbol: String,
        /// Why not.
        cause: String,
    },
    /// A relocation that cannot be applied.
    Relocation {
        /// The function that it is in.
        function: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No memory for code and data, of so many bytes.
    Memory(u64),
}

impl fmt::Display for PulleyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunnable(isa @ (Isa::Pulley32 | Isa::Pulley32be)) => write!(
                f,
                "{} is not run on a 64-bit host: Pulley's virtual machine takes addresses from whole registers, \
                 whose upper halves are undefined in code for 32 bits; interpret the program instead",
                isa.name()
            ),
            Self::NotRunnable(isa) => {
                write!(f, "the program was lowered for {}, which is no Pulley bytecode", isa.name())
            }
            Self::SwitchModel(model) => write!(f, "the switch model `{}` does not exist on Pulley", model.name()),
            Self::Target(e) => e.fmt(f),
            Self::Program(e) => e.fmt(f),
            Self::Compile(e) => e.fmt(f),
            Self::Undefined { symbol, by } => write!(f, "%{symbol} is not defined; {by} refers to it"),
            Self::Duplicate(symbol) => write!(f, "%{symbol} is defined twice"),
            Self::WrongKind { symbol, by } => {
                write!(f, "%{symbol} is not of the kind that {by} takes it for: function, host function or data")
            }
            Self::Data { symbol, cause } => write!(f, "data %{symbol}: {cause}"),
            Self::Relocation { function, cause } => write!(f, "in %{function}: {cause}"),
            Self::Memory(bytes) => write!(f, "no memory for {bytes} bytes of code and data"),
        }
    }
}

impl std::error::Error for PulleyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Target(e) => Some(e),
            Self::Program(e) => Some(e),
            Self::Compile(e) => Some(e),
            _ => None,
        }
    }
}
