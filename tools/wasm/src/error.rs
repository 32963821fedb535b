//! Why a module was not compiled, and where.
//!
//! An error knows its byte offset in the binary module and, for text input,
//! line and column of what is at fault. What to do with it (exit codes, colour,
//! the offending line) is the caller's business.

use std::fmt;

/// What kind of fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// The text could not be read: wrong tokens, wrong structure, unknown names.
    Syntax,
    /// Not a valid module.
    Invalid,
    /// A valid module that uses what this front end, or the target, lacks.
    Unsupported,
    /// A valid module whose imports nobody supplies.
    Link,
    /// A valid module with an import that is there, and is of another type.
    ImportType,
    /// A fault of this compiler.
    Internal,
}

/// A position in a text: both count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// Why a module was not compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// What kind of fault it is.
    pub kind: ErrorKind,
    /// What is wrong: lower case, without place.
    pub message: String,
    /// The name under which the source was given.
    pub file: String,
    /// Byte offset in the binary module.
    pub offset: Option<usize>,
    /// Place in the text, when the source was text.
    pub position: Option<Position>,
}

/// `FILE:LINE:COLUMN: MESSAGE`, or `FILE: MESSAGE (at offset 0x..)` for what has
/// no place in a text.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match (self.position, self.offset) {
            (Some(p), _) => write!(f, ":{}:{}: {}", p.line, p.column, self.message),
            (None, Some(offset)) => write!(f, ": {} (at offset {offset:#x})", self.message),
            (None, None) => write!(f, ": {}", self.message),
        }
    }
}

impl std::error::Error for Error {}

/// A fault without the name of the source, as the parts of this crate report it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) offset: Option<u64>,
}

impl Fault {
    fn new(kind: ErrorKind, message: impl Into<String>, offset: Option<u64>) -> Self {
        Self { kind, message: message.into(), offset }
    }

    /// What this front end lacks.
    pub(crate) fn unsupported(what: impl fmt::Display, offset: impl Into<Option<u64>>) -> Self {
        Self::new(ErrorKind::Unsupported, format!("{what} is not supported"), offset.into())
    }

    /// An import that nobody supplies.
    pub(crate) fn link(message: impl Into<String>, offset: u64) -> Self {
        Self::new(ErrorKind::Link, message, Some(offset))
    }

    /// An import that is of another type than what is supplied.
    pub(crate) fn incompatible(message: impl Into<String>, offset: u64) -> Self {
        Self::new(ErrorKind::ImportType, message, Some(offset))
    }

    /// Something that validation should have excluded.
    pub(crate) fn internal(message: impl Into<String>, offset: u64) -> Self {
        Self::new(ErrorKind::Internal, message, Some(offset))
    }
}

impl From<wasmparser::Error> for Fault {
    fn from(e: wasmparser::Error) -> Self {
        // A proposal that is off altogether is lacking here, not wrong there.
        let kind = if e.missing_wasm_feature().is_some() { ErrorKind::Unsupported } else { ErrorKind::Invalid };
        Self::new(kind, e.message(), Some(e.offset()))
    }
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;
