//! Why a program cannot be made into an executable, or that not be started.

use std::fmt;

use clif_cont_abi::Isa;
use clif_cont_program::ProgramError;
use clif_cont_program::compile::CompileError;
use clif_cont_program::target::TargetError;

/// Why a program does not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElfError {
    /// A tool that this machine lacks. Callers may count it as a skip.
    Missing {
        /// The tool.
        what: String,
        /// What supplies it: a command.
        how: String,
    },
    /// No executables for this ISA: it is a bytecode.
    Bytecode(Isa),
    /// Vectors were asked for on an ISA where they are no option.
    Vectors(Isa),
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
        /// What refers to it.
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
    /// Writing the object failed; the writer's own words.
    Object(String),
    /// The linker refused the object; its own words.
    Link(String),
    /// The system refused something.
    System {
        /// What was to be done.
        doing: String,
        /// Its words.
        cause: String,
    },
}

impl ElfError {
    /// For an error of the standard library.
    pub(crate) fn system(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |e| Self::System { doing, cause: e.to_string() }
    }
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what, how } => write!(f, "{what} was not found; {how}"),
            Self::Bytecode(isa) => write!(f, "{} is a bytecode: there are no executables for it", isa.name()),
            Self::Vectors(isa) => write!(f, "{} has no optional vectors; riscv64 has", isa.name()),
            Self::Target(e) => e.fmt(f),
            Self::Program(e) => e.fmt(f),
            Self::Compile(e) => e.fmt(f),
            Self::Undefined { symbol, by } => write!(f, "%{symbol} is not defined; {by} refers to it"),
            Self::Duplicate(symbol) => write!(f, "%{symbol} is defined twice"),
            Self::Data { symbol, cause } => write!(f, "data %{symbol}: {cause}"),
            Self::Object(what) => write!(f, "cannot write the object: {what}"),
            Self::Link(what) => write!(f, "the linker failed: {what}"),
            Self::System { doing, cause } => write!(f, "cannot {doing}: {cause}"),
        }
    }
}

impl std::error::Error for ElfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Target(e) => Some(e),
            Self::Program(e) => Some(e),
            Self::Compile(e) => Some(e),
            _ => None,
        }
    }
}
