//! How text and files leave the process.
//!
//! - `escape`: names come from strangers. Whatever is printed goes through the one function
//!   for its kind of sink: [`line`], [`lines`] and [`coloured`] for text, [`json`] for JSON. CLIF comments
//!   and SARIF messages are made of [`line`] by the code that prints those.
//! - `file`: an output file is there as a whole, or is what it was before: [`OutputFile`].
//! - `stream`: [`out!`] and [`err!`] print and cannot panic; the standard macros can, and
//!   are denied in the workspace.
//!
//! This crate decides nothing about what is said.

mod escape;
mod file;
mod stream;

pub use escape::{coloured, is_hidden, json, line, lines};
pub use file::{OutputFile, same_file, write};
pub use stream::{print_error, print_output, within};
