//! From the bytes of a file, text or binary, to a binary module; and from a
//! fault in that module to an error with its place.

use wast::Wat;
use wast::parser::{self, ParseBuffer};
use wast::token::Span;

use crate::error::{Error, ErrorKind, Fault, Position};
use crate::place::locate;

/// What every binary module begins with.
const MAGIC: &[u8] = b"\0asm";

/// A module as a binary, and what it was made from.
pub(crate) struct Source<'a> {
    file: &'a str,
    text: Option<&'a str>,
    pub(crate) binary: std::borrow::Cow<'a, [u8]>,
}

impl<'a> Source<'a> {
    /// Reads text or a binary, told apart by the first four bytes.
    pub(crate) fn read(bytes: &'a [u8], file: &'a str) -> Result<Self, Error> {
        if bytes.starts_with(MAGIC) {
            return Ok(Self { file, text: None, binary: bytes.into() });
        }
        let text = std::str::from_utf8(bytes).map_err(|e| Error {
            kind: ErrorKind::Syntax,
            message: "neither a binary module nor UTF-8 text".to_owned(),
            file: file.to_owned(),
            offset: Some(e.valid_up_to()),
            position: None,
        })?;
        let fail = |e: wast::Error| Error {
            kind: ErrorKind::Syntax,
            message: e.message(),
            file: file.to_owned(),
            offset: None,
            position: Some(position(e.span(), text)),
        };
        let buffer = ParseBuffer::new(text).map_err(fail)?;
        let mut module = parser::parse::<Wat<'_>>(&buffer).map_err(fail)?;
        let binary = match &mut module {
            Wat::Component(c) => {
                let position = position(c.span, text);
                return Err(Error {
                    kind: ErrorKind::Unsupported,
                    message: "a component is not supported, only core modules are".to_owned(),
                    file: file.to_owned(),
                    offset: None,
                    position: Some(position),
                });
            }
            Wat::Module(m) => m.encode().map_err(fail)?,
        };
        Ok(Self { file, text: Some(text), binary: binary.into() })
    }

    /// The error for a fault found in the binary.
    pub(crate) fn error(&self, fault: Fault) -> Error {
        let position = match (self.text, fault.offset) {
            (Some(text), Some(offset)) => locate(&self.binary, text, offset).map(|span| position(span, text)),
            _ => None,
        };
        Error {
            kind: fault.kind,
            message: fault.message,
            file: self.file.to_owned(),
            offset: fault.offset.and_then(|o| usize::try_from(o).ok()),
            position,
        }
    }
}

/// Where in a module's text is what an instruction was made of, by its source location, an offset into the
/// binary module; `None` where `source` is no text, or it is not known.
pub fn position_of(source: &[u8], offset: u32) -> Option<Position> {
    let source = Source::read(source, "").ok()?;
    let text = source.text?;
    Some(position(locate(&source.binary, text, offset.into())?, text))
}

fn position(span: Span, text: &str) -> Position {
    let (line, column) = span.linecol_in(text);
    Position { line: line + 1, column: column + 1 }
}
