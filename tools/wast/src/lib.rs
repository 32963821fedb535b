//! Test scripts of WebAssembly (`.wast`): modules, and assertions about what
//! their exports do.
//!
//! [`run`] reads a script with the crate `wast`, compiles its modules with the
//! front end, and has a [`Backend`] of the caller's make the instances. What it
//! finds is a [`Report`]; nothing is printed here.
//!
//! - `report`: what a script amounts to.
//! - `value`: arguments and expected results.
//! - `script`: the directives.
//!
//! Not done: instances are not linked with one another, so a module that imports
//! from a registered one is skipped, and with it the commands that depend on it.
//! Threads, components and vectors are skipped too, each with its reason.

mod report;
mod script;
mod value;

pub use report::{Failure, Report, ScriptError, Skip};
pub use script::run;

use clif_cont_program::{Host, Instance, Program, Target};

/// What makes instances of compiled modules.
pub trait Backend {
    /// What modules are compiled for.
    fn target(&self) -> Target;

    /// Makes an instance, and does not run anything of it.
    ///
    /// # Errors
    ///
    /// Why there is none, in words.
    fn instantiate(&mut self, program: &Program, host: Box<dyn Host>) -> Result<Box<dyn Instance>, String>;
}

#[cfg(test)]
mod tests;
