//! Wasmtime beside this project: the CLIF that it makes of a module, and what a
//! script does there.
//!
//! Wasmtime is the one engine that implements the stack-switching proposal on
//! Cranelift, so it is a second opinion about what a program does, and a source
//! of CLIF that nobody here wrote. It switches stacks on x86_64 Linux alone;
//! elsewhere this crate is empty but for [`AVAILABLE`].
//!
//! - `engine`: how Wasmtime is configured.
//! - `modules`: the modules of a file.
//! - `emit`: their CLIF, to files.
//! - `verify`: that CLIF under the verifier's profile.
//! - `value`: arguments, results, and traps by kind.
//! - `script`: a script on Wasmtime, directive by directive.
//! - `differ`: the same script here, and the comparison.
//! - `known`: the list of known divergences.
//! - `bench`: one module on both, timed.
//! - `programs`: random programs on every engine there is, V8 among them.
//!
//! Not done: nothing of Wasmtime's that a script cannot
//! name (fuel, epochs, components).

/// Can Wasmtime switch stacks here?
pub const AVAILABLE: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));

/// Why not, where it cannot.
pub const UNAVAILABLE: &str = "Wasmtime switches stacks on x86_64 Linux only";

macro_rules! available {
    ($($item:item)*) => { $(#[cfg(all(target_arch = "x86_64", target_os = "linux"))] $item)* };
}

available! {
    mod bench;
    mod differ;
    mod emit;
    mod engine;
    mod known;
    mod modules;
    pub mod programs;
    mod script;
    #[cfg(test)]
    mod tests;
    mod value;
    mod verify;

    pub use bench::{BenchError, Time, bench};
    pub use differ::{Comparison, Mismatch, compare};
    pub use emit::{Emitted, emit};
    pub use engine::expect_panics;
    pub use known::{Divergence, Known};
    pub use modules::{InputError, Module, modules};
    pub use script::{Directive, Script, Verdict, run};
    pub use verify::{Defect, Defects, PROFILE, Undocumented, Verified, verify, wasmtime_profile};
}
