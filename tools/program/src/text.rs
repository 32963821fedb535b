//! The textual form of a program: CLIF functions, and before them what it takes
//! to run them, as comment directives. `cranelift-reader` reads the whole file
//! unchanged; to it the directives are comments.
//!
//! # Grammar
//!
//! A directive is a line that begins with `;!`. They stand before the first
//! function, `;! clif-cont 1` first of all. A `;` behind a directive begins a
//! comment.
//!
//! ```text
//! ;! clif-cont 1
//! ;! target x86_64 width 64 endian little switch instruction slot-bits 18
//! ;! import "env" "print" (i32) -> ()
//! ;! export "main" %main enter %cc_enter_i32_i64 (i32) -> (i64)
//! ;! export global "n" %global_n i32 mutable
//! ;! export memory "m" %memory_0
//! ;! export table "t" %table_0 ref
//! ;! export tag "yield" %tag_0 (i32) -> ()
//! ;! init "init" %init enter %cc_enter () -> ()
//! ;! tag %tag_0 (i32) -> ()
//! ;! data %cc_store writable size 128 align 64
//! ;! data %tag_0 readonly size 8 align 8 ; $yield
//! ;!   +0 word 0x1
//! ;! data %func_0 readonly size 24 align 8
//! ;!   +0 symbol %main
//! ;!   +8 bytes 68656c6c6f
//!
//! ; a comment that belongs to the function
//! function %main(i32) -> i64 tail {
//! ...
//! }
//!
//! ;! runtime ; functions from here on are the lowering's own
//!
//! function %cc_entry(i64) tail {
//! ...
//! }
//! ```
//!
//! - `target`: the ISA, then the ABI. Width and byte order follow from the ISA
//!   and are checked against it. Required. Where the program can throw, it ends
//!   in `exceptions extra-result`.
//! - `import`: host functions; their order is their index.
//! - `export`, `init`: host name, function, entry trampoline (left out when
//!   there is none), types (`i32 i64 f32 f64 extern ref cont`; of an
//!   import or export also `ref.3` and `cont.4?`, see `ObjectType`: places of one number hold
//!   objects of one type, with `?` null as well).
//! - `export` with a kind: data that the host can see, by its symbol; a global
//!   that cannot change is `constant`.
//! - `tag`: the type of the tag whose address is that of a data symbol.
//! - `data`: a symbol, followed by its items: `word` in the target's width and
//!   order, `symbol` (an address), `bytes`. What no item covers is zero.
//! - `runtime`, alone on a line between functions: those behind it have
//!   [`Origin::Runtime`](crate::Origin::Runtime).
//!
//! # Types of operations
//!
//! What an operation hands over and is handed is said directly above the instruction that
//! stands for it, in a header's absence too:
//!
//! ```text
//!     ;! resume (i32) -> (i64)
//!     v23 = stack_switch v15, v0, v19
//! ```
//!
//! - `resume`, `resume_throw`: the continuation's type. Above the switch, as the next:
//! - `switch TYPE receive (TYPES)`: the type of the continuation that it goes to, whose last
//!   parameter is the switcher's own; what whoever comes back supplies.
//! - `cont.bind TYPE N`: the continuation's type, and how many of its parameters are supplied.
//!   Above the store that consumes the object.
//! - `kept +OFFSET...`, for any operation: what it hands over at these offsets in a ContRef
//!   was loaded from there, and an optimiser has removed the store of it.
//!
//! A suspend has the type of its tag, a host call that of its import. Where none of it is
//! said the verifier of the protocol does without.
//!
//! An unknown directive is an error. Lines that begin with `;;!` are a test
//! engine's, and ignored here.
//!
//! # Comments
//!
//! Comment lines directly above a function, a comment behind a block's header,
//! and comment lines directly above an instruction are
//! [`Comments`](crate::Comments) and are kept; all others are dropped. What
//! Cranelift itself writes behind instructions (`; v3 = 1`) is not kept but
//! written anew.
//!
//! # CLIF without a header
//!
//! A file without directives is a program for the default target (or else for
//! the first `target` line of a Cranelift filetest that names one of our ISAs),
//! whose functions are all exported when their signature consists of `i32`,
//! `i64`, `f32` and `f64`. Such exports have no entry trampoline. Numbered
//! functions (`u0:3`) are renamed (`%u0_3`).
//!
//! Printing, parsing and printing again gives the same bytes. What is printed
//! has no value aliases and no source locations; the meaning is the same.

mod columns;
mod comments;
mod directive;
mod header;
mod numbers;
mod parse;
mod print;

use std::fmt;

pub use parse::{InstLines, inst_lines, parse};
pub use print::{Annotate, PrintOptions, Printed, print, print_function, print_lines};

/// Version of the textual form.
pub const VERSION: u32 = 1;

/// A text that is not a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong: lower case.
    pub message: String,
    /// Is it wrong, or only too much?
    pub kind: ParseErrorKind,
}

/// Why a text is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseErrorKind {
    /// It is no program.
    Invalid,
    /// It is beyond a limit of what reads it.
    Limit,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests;
