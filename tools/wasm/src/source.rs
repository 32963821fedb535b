//! From the bytes of a file to a binary module, and back from an offset in that
//! module to a place in the text.
//!
//! The way back needs no debug information: the n-th operator of the k-th
//! function with a body is the n-th instruction of the k-th such function of
//! the text. It is only walked for an error.

use wasmparser::{Parser, Payload};
use wast::Wat;
use wast::core::{FuncKind, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;

use crate::error::{Error, ErrorKind, Fault, Position};

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
            (Some(text), Some(offset)) => self.locate(text, offset),
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

    /// The place in the text of the operator at `offset`, or of the function
    /// that contains it.
    fn locate(&self, text: &str, offset: u64) -> Option<Position> {
        let (function, operator) = self.operator_at(offset)?;
        let mut buffer = ParseBuffer::new(text).ok()?;
        buffer.track_instr_spans(true);
        let wat = parser::parse::<Wat<'_>>(&buffer).ok()?;
        let Wat::Module(module) = wat else { return None };
        let ModuleKind::Text(fields) = module.kind else { return None };
        let mut bodies = fields.iter().filter_map(|f| match f {
            ModuleField::Func(f) => match &f.kind {
                FuncKind::Inline { expression, .. } => Some((f.span, expression)),
                FuncKind::Import(..) => None,
            },
            _ => None,
        });
        let (span, body) = bodies.nth(function)?;
        let inst = body.instr_spans.as_ref().and_then(|spans| spans.get(operator).copied());
        Some(position(inst.unwrap_or(span), text))
    }

    /// Which function body, and which operator in it, contains the offset.
    fn operator_at(&self, offset: u64) -> Option<(usize, usize)> {
        let mut function = 0;
        for payload in Parser::new(0).parse_all(&self.binary) {
            let Ok(Payload::CodeSectionEntry(body)) = payload else {
                // A parser that failed goes no further.
                payload.ok()?;
                continue;
            };
            if body.range().contains(&offset) {
                let mut operators = body.get_operators_reader().ok()?;
                let mut n = 0;
                while !operators.eof() {
                    operators.read().ok()?;
                    if operators.original_position() > offset {
                        return Some((function, n));
                    }
                    n += 1;
                }
                return None;
            }
            function += 1;
        }
        None
    }
}

fn position(span: Span, text: &str) -> Position {
    let (line, column) = span.linecol_in(text);
    Position { line: line + 1, column: column + 1 }
}
