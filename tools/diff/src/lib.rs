//! The semantic difference of two versions of Cranelift IR.
//!
//! A text comparison of CLIF shows numbers: one instruction more renumbers all that
//! follow it. Here functions are compared as graphs. What corresponds is found
//! first, by structure; the new side is then printed in the names of the old one,
//! so that an instruction that was inserted is one line.
//!
//! ```
//! use clif_cont_diff::{Options, Text, diff, format};
//!
//! let old = "function %f(i64) -> i64 {\nblock0(v0: i64):\n    v1 = load.i64 v0+8\n    return v1\n}\n";
//! let new = "function %f(i64) -> i64 {\nblock0(v7: i64):\n    store v7, v7+16\n    v9 = load.i64 v7+8\n    return v9\n}\n";
//! let diff = diff(&Text::new(old), &Text::new(new), &Options::default());
//! assert_eq!(diff.changed_lines(), 1);
//! assert!(format::unified(&diff, "old", "new").contains("\n+    store v0, v0+16\n"));
//! ```
//!
//! ```text
//! text     where CLIF is in a file: plain, or in the comments of WebAssembly text
//! token    words and names of a line
//! parse    a function's text to a graph; takes the text of any release
//! func     the graph; a block that was split is joined
//! expr     normal forms of pure values
//! graph    equal values are one, labels
//! pairs    a mapping of nodes
//! matcher  finds one: anchors, spreading, gaps, repair
//! decls    which declaration is which
//! compare  what differs under a mapping
//! search   several matchers, the shortest difference
//! alias    what may change places
//! check    verifies a mapping, apart from how it was found
//! print    lines in the old side's names; hunk: which belong together
//! files    two files; result: what comes of them; format: how it looks
//! canonical  one file, in names that depend on what is there
//! ```
//!
//! What is equal is proven so: a mapping is believed when the checker accepts it
//! (see [`result::Verdict`] and the module `check`). What makes no difference (order of
//! independent instructions, operands of what commutes, duplicates, names, where a
//! block was split) is not printed, and counted in [`result::Hidden`].
//!
//! What it does not do: prove that two functions are equal that compute the same in
//! another way, or say which of two differences matters. A function's difference
//! never has more lines than the plain text comparison of the two.

mod alias;
mod canonical;
mod check;
mod compare;
mod decls;
mod expr;
mod files;
pub mod format;
mod func;
mod graph;
mod hunk;
mod matcher;
mod pairs;
mod parse;
mod plain;
mod print;
pub mod result;
mod search;
mod text;
mod token;

pub use canonical::canonical;
pub use files::{Options, diff};
pub use pairs::Side;
pub use result::{Diff, FunctionDiff, Hidden, Hunk, Verdict};
pub use text::{Line as TextLine, Text};
