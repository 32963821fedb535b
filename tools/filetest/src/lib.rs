//! The engine behind `clif-tests`: finds test files, reads their directives,
//! runs them, compares, and says what differs.
//!
//! It is used twice: by `cargo test`, where each file is a test of its own
//! ([`harness`]), and by `clif-cont test` ([`Suite::run`]).
//!
//! The engine knows programs and golden files, and neither front ends nor
//! backends: those are a [`Tool`], supplied by who runs it. So what is tested
//! is what the command does, and a fault of the tool cannot hide in a second
//! way of calling it.
//!
//! | file | directives | what is done |
//! |---|---|---|
//! | `.wat` | `run` | under the interpreter at every pointer width and byte order, and natively with every switch model, each unoptimised and optimised |
//! | `.wat`, `.clif` | `interpret` | under the interpreter |
//! | `.wat`, `.clif` | `lower` | the printed program is compared with `STEM.LABEL.clif` |
//! | `.wat`, `.clif` | `error` | the input must be refused |
//! | `.clif` | `verify` | the findings are those that are written at its instructions; their rendering is compared with `STEM.txt` |
//! | `.op` | `op` | the operation is compared with the files of the directory `STEM` |
//! | `.cli` | | a transcript of commands, with what they print |
//!
//! Nothing is skipped in silence: a backend that is not there is a skip, which
//! is counted, and a failure under [`Options::deny_skips`].

mod cli;
mod directive;
mod discover;
mod execute;
mod golden;
mod pending;
mod suite;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use clif_cont_program::target::OptLevel;
use clif_cont_program::{Instance, Program, Target};

pub use cli::commands;
pub use directive::{Assertion, Directive, DirectiveError, Directives, Expect, Kind, LowerSpec, parse};
pub use discover::{DiscoverError, TestFile, discover};
pub use execute::{check_assertion, describe, judge};
pub use pending::{Pending, unified_diff};
pub use suite::{Report, Suite, Totals, harness, trials};

/// What an input was refused with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Exit code of the command: 2 (invalid), 3 (unsupported).
    pub exit: u8,
    /// The message, with its place.
    pub message: String,
}

/// What a finding of the verifier is, as tests write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// A violation.
    Error,
    /// A violation that is a warning by itself.
    Warning,
    /// It could not be decided.
    Unproven,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Unproven];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Unproven => "unproven",
        }
    }
}

/// A finding of the verifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its line in the source, from 1.
    pub line: usize,
    /// The rule's id.
    pub rule: String,
    /// What it is.
    pub level: Level,
    /// In one line.
    pub short: String,
    /// As it is shown to people.
    pub rendered: String,
}

/// What runs a program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Backend {
    /// The interpreter, for any target.
    Interpreter,
    /// Machine code in this process.
    Native,
    /// A static executable, emulated where need be.
    Executable,
    /// Bytecode in this process.
    Bytecode,
}

impl Backend {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Native => "native",
            Self::Executable => "executable",
            Self::Bytecode => "bytecode",
        }
    }
}

/// One way of running a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lane {
    /// What runs it.
    pub backend: Backend,
    /// What it is lowered for.
    pub target: Target,
    /// Whether it is optimised.
    pub opt: OptLevel,
}

impl Lane {
    /// The name in messages.
    pub fn name(&self) -> String {
        let Self { backend, target, opt } = self;
        format!("{} {} {} --opt {}", backend.name(), target.isa.name(), target.abi.switch.name(), opt.name())
    }
}

/// Why a lane did not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotRun {
    /// It cannot be run here.
    Skipped(String),
    /// It should have run.
    Refused(Refused),
}

/// What the engine tests.
pub trait Tool: Send + Sync {
    /// Reads a program: `name` says by its extension what it is. `target`
    /// `None` stands for what the input itself says, or the first ISA.
    ///
    /// # Errors
    ///
    /// What the command would say and exit with.
    fn load(&self, name: &str, source: &[u8], target: Option<Target>) -> Result<Program, Refused>;

    /// One operation alone in a function.
    ///
    /// # Errors
    ///
    /// As for [`Tool::load`].
    fn lower_op(&self, operation: &str, target: Target) -> Result<Program, Refused>;

    /// Verifies every function with Cranelift's verifier, optimises, and
    /// verifies again.
    ///
    /// # Errors
    ///
    /// What the verifier says.
    fn finish(&self, program: &mut Program, opt: OptLevel) -> Result<(), String>;

    /// The findings in CLIF text under a profile, `None` for the usual one, in the order of the text.
    ///
    /// # Errors
    ///
    /// As for [`Tool::load`], also where there is no such profile.
    fn verify(&self, name: &str, source: &[u8], abi: Option<&str>) -> Result<Vec<Found>, Refused>;

    /// The text that `lower --print` prints.
    ///
    /// # Errors
    ///
    /// `func` names no function of the program.
    fn print(&self, program: &Program, func: Option<&str>, annotate: bool) -> Result<String, String>;

    /// One line with what a function costs, for golden files of operations.
    fn costs(&self, program: &Program) -> String;

    /// Makes an instance of a program, which is as [`Tool::load`] gave it, and
    /// hands it on.
    ///
    /// # Errors
    ///
    /// [`NotRun`] when `body` was not called.
    fn with_instance(
        &self,
        lane: Lane,
        program: &Program,
        body: &mut dyn FnMut(&mut dyn Instance),
    ) -> Result<(), NotRun>;

    /// The lanes of a `run` directive.
    fn lanes(&self) -> Vec<Lane>;

    /// What this machine lacks to run every lane, and what supplies it; `None`
    /// when nothing is missing. Transcripts that show what runs need all of it.
    fn missing(&self) -> Option<String> {
        None
    }

    /// The command itself, for transcripts.
    fn command(&self) -> PathBuf;

    /// How long a command of a transcript may take.
    fn limit(&self) -> Option<Duration> {
        None
    }
}

/// How to run tests.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Rewrite golden files instead of failing on a difference.
    pub bless: bool,
    /// A skip is a failure.
    pub deny_skips: bool,
}

impl Options {
    /// The options that the environment asks for: `CLIF_CONT_REQUIRE=all`
    /// turns skips into failures, `CLIF_CONT_BLESS=1` rewrites golden files,
    /// except where `CI` is set.
    pub fn from_env() -> Self {
        let bless = std::env::var_os("CLIF_CONT_BLESS").is_some() && std::env::var_os("CI").is_none();
        Self { bless, deny_skips: std::env::var_os("CLIF_CONT_REQUIRE").is_some_and(|v| v == "all") }
    }
}

#[cfg(test)]
mod tests;
