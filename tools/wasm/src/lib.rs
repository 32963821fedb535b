//! The WebAssembly front end: a module, as text or binary, to a
//! [`Program`](clif_cont_program::Program) of CLIF functions and static data.
//!
//! ```text
//! source    text or bytes to a module     place     an offset to its place in the text
//! module    validation, index spaces      types     canonical types
//! constant  constant expressions          names     the name section
//! layout    symbols                       segment   static data
//! func      operators to CLIF             init      import stubs, instantiation
//! env       what one function refers to   link      what all functions ask for
//! helper    what operators share          exception exceptions in memory
//! import    what imports stand for        linkset   several modules, one program
//! ```
//!
//! Supported: WebAssembly 2.0 without SIMD, tail calls, extended constants,
//! several memories, typed function references, exceptions, and stack switching;
//! of GC, structures, arrays (but for what makes them of segments), `i31` and casts.
//! What else is valid is reported as
//! unsupported, with the operator and where it is; nothing is ever compiled to
//! something weaker than it says.
//!
//! Continuations go through the builders of `clif_cont_lowering`; nothing here
//! knows their protocol. A module's own text form of a function depends on the
//! module's declarations and on that function's body, on no other body.

mod compile;
mod constant;
mod env;
mod error;
mod exception;
mod features;
mod func;
mod helper;
mod import;
mod init;
mod layout;
mod link;
mod linkset;
mod module;
mod names;
mod object;
mod place;
mod segment;
mod source;
mod spectest;
mod types;

pub use compile::{Options, compile};
pub use error::{Error, ErrorKind, Position};
pub use features::Features;
pub use linkset::{InstanceId, Instantiated, Item, LinkSet, Linked};
pub use source::position_of;
pub use spectest::{Spectest, printed, unknown_imports};

#[cfg(test)]
mod tests;
