//! Why a module has no continuations.

use std::fmt;

use clif_cont_link::LinkError;
use clif_cont_lowering::LowerError;
use clif_cont_program::compile::CompileError;
use cranelift_module::ModuleError;

use crate::PlaceError;

/// Why a module, or a function of it, was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ModuleEnvError {
    /// There is no continuation ABI for the module's target, which is this.
    Target(String),
    /// A setting of the module's ISA has a value that continuations do not work with.
    Setting {
        /// Its name, as in `cranelift_codegen::settings`.
        name: &'static str,
        /// The value that it needs.
        needed: &'static str,
    },
    /// An operation in this function was refused.
    Lower(String, LowerError),
    /// The runtime was refused.
    Runtime(LinkError),
    /// A function or data cannot be made part of the module.
    Place(PlaceError),
}

impl fmt::Display for ModuleEnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => write!(
                f,
                "there are no continuations for {target}: they take Linux's calling convention, and x86_64, aarch64, \
                 riscv64 or s390x"
            ),
            Self::Setting { name, needed } => {
                write!(f, "the module's ISA has to be made with the setting `{name}` = `{needed}`")
            }
            Self::Lower(function, error) => write!(f, "in function `{function}`: {error}"),
            Self::Runtime(error) => error.fmt(f),
            Self::Place(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ModuleEnvError {}

impl From<PlaceError> for ModuleEnvError {
    fn from(error: PlaceError) -> Self {
        Self::Place(error)
    }
}

impl From<CompileError> for ModuleEnvError {
    fn from(error: CompileError) -> Self {
        Self::Place(error.into())
    }
}

impl From<ModuleError> for ModuleEnvError {
    fn from(error: ModuleError) -> Self {
        Self::Place(error.into())
    }
}

impl From<LinkError> for ModuleEnvError {
    fn from(error: LinkError) -> Self {
        Self::Runtime(error)
    }
}
