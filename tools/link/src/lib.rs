//! From functions to a program: [`Linker`] collects what a Rust program builds
//! with `clif_cont_lowering::Conts`, and yields a [`clif_cont_program::Program`] with the runtime
//! functions, tags, tables and entry trampolines that it takes to run it.
//! [`complete`] does the same for functions that came as text.
//!
//! The WebAssembly front end has its own way to a program; this is the one
//! without WebAssembly.

mod complete;
mod linker;
mod types;

pub use complete::{LinkError, complete, runtime_functions, store_data, table_data, tag_data};
pub use linker::{FunctionCx, Linker};
pub use types::{operation_types, tag_types};
