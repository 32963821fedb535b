//! The modules of a file, as binaries: the one of a `.wat` or `.wasm`, and those
//! of a `.wast` that are meant to be valid, in their order.

use std::fmt;

use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, Wat};

/// A module, and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Module {
    /// Line of its text, from 1; 1 for a binary.
    pub line: usize,
    /// Its text, in one line; none for a binary.
    pub text: String,
    /// Its binary form.
    pub binary: Vec<u8>,
}

/// Why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputError(pub String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InputError {}

/// The modules in `bytes`; the name's ending says what they are.
///
/// # Errors
///
/// [`InputError`] for text that cannot be parsed.
pub fn modules(name: &str, bytes: &[u8]) -> Result<Vec<Module>, InputError> {
    if !name.ends_with(".wast") {
        let binary = wat::parse_bytes(bytes).map_err(|e| InputError(e.to_string()))?.into_owned();
        let text = std::str::from_utf8(bytes).map(one_line).unwrap_or_default();
        return Ok(vec![Module { line: 1, text, binary }]);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| InputError(e.to_string()))?;
    with_script(text, |directives| {
        let mut found = vec![];
        for (place, directive) in places(text, &directives).into_iter().zip(directives) {
            let mut module = match directive {
                WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => module,
                WastDirective::AssertTrap { exec: WastExecute::Wat(wat), .. }
                | WastDirective::AssertReturn { exec: WastExecute::Wat(wat), .. }
                | WastDirective::AssertException { exec: WastExecute::Wat(wat), .. }
                | WastDirective::AssertSuspension { exec: WastExecute::Wat(wat), .. }
                | WastDirective::AssertUnlinkable { module: wat, .. } => QuoteWat::Wat(wat),
                _ => continue,
            };
            if matches!(module, QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)) {
                continue;
            }
            let binary = module.encode().map_err(|e| located(text, &e))?;
            found.push(Module { line: place.line, text: place.text, binary });
        }
        Ok(found)
    })
}

/// Where a directive is, and its text in one line.
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The places of all directives of a script.
pub(crate) fn places(text: &str, directives: &[WastDirective<'_>]) -> Vec<Place> {
    // the span is that of the keyword
    let starts = directives.iter().map(|d| text[..d.span().offset()].rfind('(').unwrap_or_default());
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let texts = starts.iter().zip(ends).map(|(&start, end)| one_line(&text[start..end]));
    let lines = directives.iter().map(|d| d.span().linecol_in(text).0 + 1);
    lines.zip(texts).map(|(line, text)| Place { line, text }).collect()
}

/// Text without comments and line breaks.
fn one_line(text: &str) -> String {
    let code = text.lines().map(|line| line.split(";;").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Parses a script and hands its directives to `body`.
pub(crate) fn with_script<T>(
    text: &str,
    body: impl for<'a> FnOnce(Vec<WastDirective<'a>>) -> Result<T, InputError>,
) -> Result<T, InputError> {
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| located(text, &e))?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(|e| located(text, &e))?;
    body(script.directives)
}

fn located(text: &str, error: &wast::Error) -> InputError {
    let (line, column) = error.span().linecol_in(text);
    InputError(format!("line {}, column {}: {}", line + 1, column + 1, error.message()))
}
