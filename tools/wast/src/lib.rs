//! Test scripts of WebAssembly (`.wast`): modules, and assertions about what
//! their exports do.
//!
//! [`run`] reads a script with the crate `wast`, links all its modules into one
//! program with the front end, and has a [`Backend`] of the caller's run that.
//! What it finds is a [`Report`]; nothing is printed here.
//!
//! - `plan`: what can be said before anything runs: instances, names, imports.
//! - `script`: the commands, one by one.
//! - `unmade`: why there is no instance.
//! - `value`: arguments and expected results.
//! - `report`: what a script amounts to.
//!
//! Not done: threads, components, vectors, and assertions about custom sections;
//! they are skipped, each with its reason. An assertion that a module is
//! malformed holds when it is invalid, and the other way round.

mod plan;
mod report;
mod script;
mod unmade;
mod value;

pub use report::{Failure, Remark, Report, ScriptError, Skip};
pub use script::{Printer, run, silent};

use std::fmt;

use clif_cont_program::{Host, Instance, Program, Target};
use clif_cont_wasm::Features;

/// How a script is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What its modules may use: some assertions of a script say that what a
    /// later version allows is not valid.
    pub features: Features,
}

impl Default for Options {
    fn default() -> Self {
        Self { features: Features::ALL }
    }
}

/// What makes instances of compiled modules.
pub trait Backend {
    /// What modules are compiled for.
    fn target(&self) -> Target;

    /// Makes an instance, and does not run anything of it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn instantiate(&mut self, program: &Program, host: Box<dyn Host>) -> Result<Box<dyn Instance>, Refusal>;
}

/// Why a backend makes no instance, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It does not take the program.
    Program(String),
    /// The system refuses what it takes to run anything.
    System(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Program(reason) | Self::System(reason)) = self;
        f.write_str(reason)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
