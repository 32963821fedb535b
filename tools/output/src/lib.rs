//! How text and files leave the process.
//!
//! - `escape`: names come from strangers. Whatever is printed goes through the one function
//!   for its kind of sink: [`line()`], [`lines`] and [`coloured`] for text, [`html`] and [`markdown`] for pages, [`json`] for JSON. CLIF comments
//!   and SARIF messages are made of [`line()`] by the code that prints those.
//! - `file`: an output file is there as a whole, or is what it was before: [`OutputFile`].
//! - `stream`: [`out!`] and [`err!`] print and cannot panic; the standard macros can, and
//!   are denied in the workspace.
//! - `child`: what other processes of this project write: [`run`].
//!
//! - `progress`: [`Progress`], how far it is, at a terminal.
//!
//! This crate decides nothing about what is said.

mod child;
mod escape;
mod file;
mod progress;
mod stream;

pub use child::{Ran, parent, run};
pub use escape::{coloured, html, is_hidden, json, line, lines, markdown, markdown_code, markdown_fence};
pub use file::{OutputFile, same_file, write};
pub use progress::Progress;
pub use stream::{print_error, print_output, within};
