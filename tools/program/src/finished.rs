//! [`Finished`]: a program as instruction selection gets it, on its way there through
//! [`Valid`] and [`Optimized`].
//!
//! Whatever Cranelift does to a function before it selects instructions (at every level it
//! removes unreachable code and constant block parameters, and resolves aliases; at
//! [`OptLevel::Speed`] its mid-end runs) is done here, so that what is verified, printed and
//! interpreted is what is compiled. Backends take nothing else, and compile it as it is
//! ([`crate::compile::compile`]).
//!
//! Who says that it keeps a protocol is not known here: this crate has no verifier.

#![allow(unsafe_code)]

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use clif_cont_abi::HostFn;
use cranelift_codegen::ir::{ExternalName, Function, GlobalValueData};
use cranelift_codegen::isa::OwnedTargetIsa;

use crate::compile::{self, CompileError};
use crate::target::{OptLevel, TargetError, target_isa};
use crate::{Program, ProgramError};

/// When a function was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// As it was lowered or read, without what is unreachable.
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

/// Why a program was refused before anything was compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrepareError {
    /// Its parts do not fit together.
    Program(ProgramError),
    /// There is no code generator for its target.
    Target(TargetError),
    /// A function is not valid CLIF, or Cranelift cannot handle it.
    Function {
        /// When.
        stage: Stage,
        /// Why.
        error: CompileError,
    },
}

impl fmt::Display for PrepareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(error) => error.fmt(f),
            Self::Target(error) => error.fmt(f),
            Self::Function { stage: Stage::Lowered, error } => error.fmt(f),
            Self::Function { stage: Stage::Optimized, error } => write!(f, "after optimisation: {error}"),
        }
    }
}

impl std::error::Error for PrepareError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Program(error) => Some(error),
            Self::Target(error) => Some(error),
            Self::Function { error, .. } => Some(error),
        }
    }
}

/// A program whose parts fit together ([`Program::check`]) and whose functions are valid
/// CLIF, without unreachable code.
#[derive(Clone, Debug)]
pub struct Valid {
    program: Program,
}

impl Valid {
    /// Checks a program and every function of it, and removes what is unreachable.
    ///
    /// # Errors
    ///
    /// [`PrepareError`]: the first thing that is wrong.
    pub fn new(mut program: Program) -> Result<Self, PrepareError> {
        program.check().map_err(PrepareError::Program)?;
        let isa = target_isa(program.target, OptLevel::None).map_err(PrepareError::Target)?;
        for function in &program.functions {
            compile::verify(&function.func, &*isa)
                .map_err(|error| PrepareError::Function { stage: Stage::Lowered, error })?;
        }
        link_references(&mut program);
        optimize(&mut program, &isa, Stage::Lowered)?;
        Ok(Self { program })
    }

    /// Optimises every function: at [`OptLevel::None`] not at all.
    ///
    /// # Errors
    ///
    /// [`PrepareError`]: what Cranelift cannot handle.
    pub fn optimize(self, opt: OptLevel) -> Result<Optimized, PrepareError> {
        let mut program = self.program;
        if opt != OptLevel::None {
            let isa = target_isa(program.target, opt).map_err(PrepareError::Target)?;
            optimize(&mut program, &isa, Stage::Optimized)?;
        }
        Ok(Optimized { program, opt })
    }
}

impl Deref for Valid {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.program
    }
}

fn optimize(program: &mut Program, isa: &OwnedTargetIsa, stage: Stage) -> Result<(), PrepareError> {
    let refused = |error| PrepareError::Function { stage, error };
    for function in &mut program.functions {
        function.optimize(&**isa).map_err(refused)?;
        compile::verify(&function.func, &**isa).map_err(refused)?;
    }
    Ok(())
}

/// Makes every reference to what the program defines a near one, and every other a far one:
/// a program is linked as a whole, and what it does not define is anywhere. To Pulley a
/// call of what is not near is a call of the host.
fn link_references(program: &mut Program) {
    let defined: HashSet<String> =
        program.functions.iter().map(|f| f.name()).chain(program.data.iter().map(|d| d.name.clone())).collect();
    let near = |name: &ExternalName| match name {
        ExternalName::TestCase(name) => {
            let name = String::from_utf8_lossy(name.raw());
            let host = || HostFn::ALL.iter().any(|f| f.symbol() == name);
            match defined.contains(&*name) {
                true => Some(true),
                false => host().then_some(false),
            }
        }
        ExternalName::LibCall(_) => Some(false),
        ExternalName::User(_) | ExternalName::KnownSymbol(_) => None,
    };
    for Function { stencil, .. } in program.functions.iter_mut().map(|f| &mut f.func) {
        for callee in stencil.dfg.ext_funcs.values_mut() {
            callee.colocated = near(&callee.name).unwrap_or(callee.colocated);
        }
        for value in stencil.global_values.values_mut() {
            if let GlobalValueData::Symbol { name, colocated, .. } = value {
                *colocated = near(name).unwrap_or(*colocated);
            }
        }
    }
}

/// A valid program, optimised: only a verifier of its protocol has to see it yet.
#[derive(Clone, Debug)]
pub struct Optimized {
    program: Program,
    opt: OptLevel,
}

impl Optimized {
    /// Says that the program can be run.
    ///
    /// # Safety
    ///
    /// Running any export with arguments of its types is sound: every function keeps the
    /// protocol of continuations (`docs/rules.md`) and touches no memory but the program's.
    pub unsafe fn assume_sound(self) -> Finished {
        Finished { program: Arc::new(self.program), opt: self.opt }
    }
}

impl Deref for Optimized {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.program
    }
}

/// A program that is compiled and run as it stands. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Finished {
    program: Arc<Program>,
    opt: OptLevel,
}

impl Finished {
    /// Valid CLIF, taken as it is: nobody has verified it against its protocol.
    ///
    /// # Safety
    ///
    /// As for [`Optimized::assume_sound`].
    ///
    /// # Errors
    ///
    /// [`PrepareError`].
    pub unsafe fn unverified(program: Program, opt: OptLevel) -> Result<Self, PrepareError> {
        let optimized = Valid::new(program)?.optimize(opt)?;
        // SAFETY: the caller's.
        Ok(unsafe { optimized.assume_sound() })
    }

    /// The level at which it was optimised, and with whose flags it is compiled.
    pub fn opt(&self) -> OptLevel {
        self.opt
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }
}

impl Deref for Finished {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.program
    }
}
