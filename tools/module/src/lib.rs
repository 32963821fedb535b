//! Continuations in functions of any `cranelift_module::Module`: a JIT's, an object file's,
//! or one of your own.
//!
//! [`ModuleEnv`] is the embedder of the builders for such a module. It declares the store
//! context, tags and handler tables as data, and defines the runtime functions that were asked
//! for in [`ModuleEnv::finish`]. Functions are defined through it ([`ModuleEnv::define`],
//! [`ModuleEnv::define_function`]), which measures how much of a stack they take: one that takes
//! more than its callers leave is entered through a check of its own, as everywhere in this project.
//!
//! [`ModuleEnv::entry`] makes a function with the system's calling convention that runs another one on
//! a continuation of its own and gives 0, or the code of a trap: what a host calls, be it Rust
//! with a JIT or C with an object file.
//!
//! [`Symbols`] is the layer below: named functions and data of a program in a module. The JIT of
//! `clif-cont-runner` is another user of it.
//!
//! What this crate does not do: verify. [`ModuleEnv::inspect`] hands every function, with the
//! symbols of what it refers to and as it is compiled, to whoever does.

mod env;
mod error;
mod host;
mod place;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Guide;

pub use env::ModuleEnv;
pub use error::ModuleEnvError;
pub use place::{PlaceError, Placed, Symbol, Symbols};
