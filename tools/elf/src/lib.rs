//! Runs a link set as a static executable: natively where the host has the
//! program's ISA, else under `qemu-<isa>`.
//!
//! [`Executable::launch`] compiles a [`Finished`](clif_cont_program::Finished) program,
//! links it, and starts it as a process which serves invocations over pipes;
//! [`Remote`] is that process as an
//! [`Instance`](clif_cont_program::Instance), with the results, traps,
//! backtraces and host calls that every other backend has.
//!
//! What the executable contains beside the program is CLIF made by this crate
//! and the byte routines of `clif_cont_arch`: no C, no library, no cross
//! compiler. It is linked by the linker that comes with Rust.
//!
//! - `protocol`: what passes over the pipes.
//! - `support`: the program's side of it, in CLIF.
//! - `object`: compiling, and the object file.
//! - `executable`: linking, and what is known of the result.
//! - `process`, `remote`: this side.
//! - `tools`: finding the linker and the emulators.
//!
//! It runs on Linux hosts, and the executables are Linux's.

mod error;
mod executable;
mod object;
mod process;
mod protocol;
mod remote;
mod support;
mod tools;

use std::time::Duration;

pub use error::ElfError;
pub use executable::Executable;
pub use remote::Remote;
pub use tools::{Launcher, linker};

/// How a program is built and run.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Options {
    /// How long an invocation may take, with everything inside it. Afterwards
    /// the process is ended, and every outcome is `OutOfFuel`.
    pub timeout: Option<Duration>,
    /// riscv64: may generated code use the vector extension?
    pub vectors: Vectors,
}

/// Vectors, where an ISA has them as an option.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Vectors {
    /// Not used.
    #[default]
    Off,
    /// Used, and supplied by the emulator.
    On,
}
