//! From an input to a program: WebAssembly as text or binary, or CLIF text.

use std::fmt;

use clif_cont_abi::Isa;
use clif_cont_diag::{Diagnostic, Finding, Place, Severity, Source};
use clif_cont_program::text::ParseErrorKind;
use clif_cont_program::{Program, Target, text};
use clif_cont_wasm::ErrorKind;

use crate::finish::{FinishError, Found, PrepareError, Stage};
use crate::places;
pub use crate::places::place_of_function;
use crate::protocol::Listing;

/// What an input is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum InputKind {
    /// WebAssembly, text or binary.
    Wasm,
    /// CLIF text.
    Clif,
}

impl InputKind {
    /// By the name's extension, and where that says nothing, by the contents:
    /// WebAssembly begins with its magic number or, behind comments, with `(`.
    pub fn detect(name: &str, bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\0asm") || name.ends_with(".wat") || name.ends_with(".wasm") {
            return Self::Wasm;
        }
        if name.ends_with(".clif") {
            return Self::Clif;
        }
        let text = String::from_utf8_lossy(bytes);
        let code = text.lines().map(str::trim_start).find(|l| !l.is_empty() && !l.starts_with(';'));
        if code.is_some_and(|l| l.starts_with('(')) { Self::Wasm } else { Self::Clif }
    }
}

/// Why an input was refused, in kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LoadErrorKind {
    /// The input is wrong.
    Invalid,
    /// The input is right, and uses what is not supported.
    Unsupported,
    /// This project made something wrong of it.
    Bug,
    /// The code does not keep the protocol of continuations, or could not be
    /// proven to.
    Refuted,
}

/// Why an input was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError {
    /// In kind.
    pub kind: LoadErrorKind,
    /// In words, with the place.
    pub diagnostic: Box<Diagnostic>,
    /// What was found in its code, of [`LoadErrorKind::Refuted`].
    pub findings: Vec<Finding>,
}

impl LoadError {
    pub(crate) fn new(kind: LoadErrorKind, diagnostic: Diagnostic) -> Self {
        Self { kind, diagnostic: Box::new(diagnostic), findings: vec![] }
    }
}

/// `FILE:LINE:COLUMN: MESSAGE`.
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.diagnostic.place {
            write!(f, "{}: ", place.display())?;
        }
        f.write_str(&self.diagnostic.message)?;
        for cause in &self.diagnostic.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// Reads a program. `target` is what to lower for, the first ISA if it is not
/// given; CLIF text with a header has a target already, which must be that one.
///
/// Exports of CLIF text that lack an entry trampoline are given one, and the
/// runtime with it.
///
/// # Errors
///
/// [`LoadError`].
pub fn load(name: &str, bytes: &[u8], target: Option<Target>) -> Result<Program, LoadError> {
    let bytes = without_bom(bytes);
    let program = read(name, bytes, target)?;
    match InputKind::detect(name, bytes) {
        InputKind::Wasm => Ok(program),
        InputKind::Clif => link_clif(program, &Source::new(name, bytes)),
    }
}

/// The same, of CLIF text what is in it and no more: nothing is added to it, and what it
/// refers to need not be there. It is what a verifier looks at.
///
/// # Errors
///
/// [`LoadError`].
pub fn read(name: &str, bytes: &[u8], target: Option<Target>) -> Result<Program, LoadError> {
    let bytes = without_bom(bytes);
    let source = Source::new(name, bytes);
    let invalid =
        |message: &str| LoadError::new(LoadErrorKind::Invalid, Diagnostic::error(message).at(Place::whole(&source)));
    if bytes.is_empty() {
        return Err(invalid("the input is empty"));
    }
    match InputKind::detect(name, bytes) {
        InputKind::Wasm => load_wasm(&source, bytes, target.unwrap_or(Target::new(Isa::X86_64))),
        InputKind::Clif => {
            let Some(text) = source.text() else {
                let diagnostic = Diagnostic::error("the input is neither WebAssembly nor text");
                let (place, byte) = places::not_text(&source, bytes);
                let diagnostic = diagnostic.at(place).note(format!("the byte {byte:#04x} here belongs to no text"));
                return Err(LoadError::new(LoadErrorKind::Invalid, diagnostic));
            };
            read_clif(&source, text, target)
        }
    }
}

/// Reads CLIF, whatever the input is called.
///
/// # Errors
///
/// As [`read`].
pub fn read_text(source: &Source, target: Option<Target>) -> Result<Program, LoadError> {
    read_clif(source, source.text().unwrap_or_default(), target)
}

/// Without the byte order mark that some editors put in front of UTF-8 text.
fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

fn load_wasm(source: &Source, bytes: &[u8], target: Target) -> Result<Program, LoadError> {
    clif_cont_wasm::compile(bytes, source.name(), target, &clif_cont_wasm::Options::default()).map_err(|error| {
        let kind = match error.kind {
            ErrorKind::Syntax | ErrorKind::Invalid => LoadErrorKind::Invalid,
            ErrorKind::Unsupported | ErrorKind::Link | ErrorKind::ImportType => LoadErrorKind::Unsupported,
            ErrorKind::Internal => LoadErrorKind::Bug,
        };
        let diagnostic = Diagnostic::error(error.message);
        let diagnostic = match (error.position, error.offset) {
            (Some(position), _) => diagnostic.at(Place::new(source, position.line, position.column)),
            (None, Some(offset)) => diagnostic.at(Place::whole(source)).note(format!("at offset {offset:#x}")),
            (None, None) => diagnostic.at(Place::whole(source)),
        };
        LoadError::new(kind, diagnostic)
    })
}

fn read_clif(source: &Source, text: &str, target: Option<Target>) -> Result<Program, LoadError> {
    let invalid = |diagnostic| LoadError::new(LoadErrorKind::Invalid, diagnostic);
    // A text that says nothing of a target is for the first one.
    let parsed = text::parse(text, target).or_else(|error| match target {
        Some(_) => Err(error),
        None => text::parse(text, Some(Target::new(Isa::X86_64))),
    });
    let program = parsed.map_err(|error| {
        let place = Place::new(source, error.line as usize, error.column as usize);
        let kind = match error.kind {
            ParseErrorKind::Invalid => LoadErrorKind::Invalid,
            ParseErrorKind::Limit => LoadErrorKind::Unsupported,
        };
        LoadError::new(kind, Diagnostic::error(error.message).at(place))
    })?;
    let made_for = program.target;
    if let Some(target) = target
        && (target.isa, target.abi.switch) != (made_for.isa, made_for.abi.switch)
    {
        let name = |t: Target| format!("{} with switch model `{}`", t.isa.name(), t.abi.switch.name());
        return Err(invalid(
            Diagnostic::error(format!("the program is for {}, not for {}", name(made_for), name(target)))
                .at(places::target(source)),
        ));
    }
    if program.functions.is_empty() {
        return Err(invalid(Diagnostic::error("the input has no function").at(Place::whole(source))));
    }
    // Cranelift's verifier and its optimiser do not reckon with it
    if let Some(empty) = program.functions.iter().find(|f| f.func.layout.entry_block().is_none()) {
        let message = format!("function {} has no block", empty.func.name);
        let place = place_of_function(source, &message);
        return Err(invalid(Diagnostic::error(message).at(place)));
    }
    // Before anything is made of it: what the verifier refuses has no meaning.
    if let Err(error) = crate::finish::check_functions(&program) {
        return Err(explain(error, source, InputKind::Clif));
    }
    Ok(program)
}

/// With an entry for each export and the runtime, of which the text may bring parts itself.
fn link_clif(program: Program, source: &Source) -> Result<Program, LoadError> {
    let invalid = |diagnostic| LoadError::new(LoadErrorKind::Invalid, diagnostic);
    let text = source.text().unwrap_or_default();
    let program = clif_cont_link::complete(program).map_err(|error| {
        invalid(Diagnostic::error("the program cannot be linked").at(Place::whole(source)).caused_by(&error))
    })?;
    if let Err(wrong) = crate::consistent::check(&program) {
        let found = wrong.declaration.and_then(|(function, callee)| places::declaration(text, &function, &callee));
        let place = found.map_or(Place::whole(source), |(line, column)| Place::new(source, line, column));
        return Err(invalid(Diagnostic::error(wrong.message).at(place)));
    }
    Ok(program)
}

/// Whether everything is there that it takes to run a program, which [`load`] does not
/// demand.
///
/// # Errors
///
/// A symbol that is not defined, at the declaration that names it.
pub fn check_defined(program: &Program, source: &Source) -> Result<(), LoadError> {
    let Some((user, symbol)) = crate::consistent::undefined(program) else { return Ok(()) };
    let text = source.text().unwrap_or_default();
    let (by, found) = match &user {
        Ok(function) => (format!("function {function}"), places::declaration(text, function, &format!("%{symbol}"))),
        Err(data) => (format!("data %{data}"), places::data_item(text, data, &symbol)),
    };
    let place = found.map_or(Place::whole(source), |(line, column)| Place::new(source, line, column));
    let message = format!("%{symbol} is not defined; {by} refers to it");
    Err(LoadError::new(LoadErrorKind::Invalid, Diagnostic::error(message).at(place)))
}

/// What a refused function means for an input: CLIF text that does not verify
/// is wrong, generated code that does not is our fault.
pub fn explain(error: FinishError, source: &Source, kind: InputKind) -> LoadError {
    use clif_cont_program::compile::CompileErrorKind;
    let load_kind = match &error {
        FinishError::Protocol(found) => return explain_refuted(found, source, kind),
        FinishError::NoProfile => LoadErrorKind::Unsupported,
        FinishError::Prepare(PrepareError::Program(_)) if kind == InputKind::Clif => LoadErrorKind::Invalid,
        FinishError::Prepare(PrepareError::Program(_)) => LoadErrorKind::Bug,
        FinishError::Prepare(PrepareError::Target(_)) => LoadErrorKind::Unsupported,
        FinishError::Prepare(PrepareError::Function { stage, error }) => match error.kind {
            CompileErrorKind::Verifier(_) if kind == InputKind::Clif && *stage == Stage::Lowered => {
                LoadErrorKind::Invalid
            }
            CompileErrorKind::Verifier(_) | CompileErrorKind::Panicked(_) => LoadErrorKind::Bug,
            _ => LoadErrorKind::Unsupported,
        },
    };
    let message = error.to_string();
    let mut diagnostic = Diagnostic::error(&message).at(place_of_function(source, &message));
    if let FinishError::Prepare(PrepareError::Function { stage: Stage::Lowered, error }) = &error
        && let CompileErrorKind::Verifier(complaints) = &error.kind
        && let Some(first) = complaints.first()
        && kind == InputKind::Clif
    {
        diagnostic = Diagnostic::error(format!("invalid CLIF in function {}: {}", error.function, first.message))
            .at(place_of_function(source, &message));
        let text = source.text().unwrap_or_default();
        match first.inst.and_then(|inst| places::inst(text, &error.function, inst)) {
            Some(line) => diagnostic = diagnostic.at(crate::protocol::inst_place(source, line)),
            None => match places::entity(text, &error.function, &first.place) {
                Some((line, column)) => diagnostic = diagnostic.at(Place::new(source, line, column)),
                None => diagnostic = diagnostic.note(format!("at {}", first.place)),
            },
        }
        for complaint in &complaints[1..] {
            diagnostic = diagnostic.note(format!("at {}: {}", complaint.place, complaint.message));
        }
    }
    if load_kind == LoadErrorKind::Bug {
        diagnostic = diagnostic.note("this is a bug of clif-cont; please report it with the input");
    }
    LoadError::new(load_kind, diagnostic)
}

/// Findings in code that was about to be used: in the input itself, where that is what
/// was verified.
///
/// # Errors
///
/// What was read before cannot be read again: a fault of this project.
pub fn findings(found: &Found, source: &Source, kind: InputKind) -> Result<Vec<Finding>, LoadError> {
    let listing = match (kind, found.stage) {
        (InputKind::Clif, Stage::Lowered) => Listing::of_input(source).map_err(|error| {
            let message = format!("what was read cannot be read again: {error}");
            LoadError::new(LoadErrorKind::Bug, Diagnostic::error(message).at(Place::whole(source)))
        })?,
        (_, stage) => Listing::of_printed(found.printed.clone(), source, stage.name()),
    };
    Ok(found.functions.iter().flat_map(|f| listing.findings(f)).collect())
}

fn explain_refuted(found: &Found, source: &Source, kind: InputKind) -> LoadError {
    let code = match found.stage {
        Stage::Lowered if kind == InputKind::Clif => "the code".to_owned(),
        stage => format!("the {} code", stage.name()),
    };
    let mut findings = match findings(found, source, kind) {
        Ok(findings) => findings,
        Err(error) => return error,
    };
    findings.retain(|f| f.severity == Severity::Error);
    let plural = if findings.len() == 1 { "" } else { "s" };
    let message = format!("{code} does not keep the protocol of continuations: {} finding{plural}", findings.len());
    let mut diagnostic = Diagnostic::error(message).at(Place::whole(source));
    if kind == InputKind::Wasm {
        diagnostic = diagnostic.note("this is a bug of clif-cont; please report it with the input");
    }
    let diagnostic = diagnostic.help("`--no-verify` goes on all the same");
    LoadError { findings, ..LoadError::new(LoadErrorKind::Refuted, diagnostic) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_name_and_by_contents() {
        for (name, bytes, kind) in [
            ("a.wat", &b"x"[..], InputKind::Wasm),
            ("a.clif", b"(", InputKind::Clif),
            ("-", b"\0asm", InputKind::Wasm),
            ("-", b";; Purpose.\n\n(module)", InputKind::Wasm),
            ("-", b"(; (;;) ;) (module)", InputKind::Wasm),
            ("-", b";! clif-cont 1\nfunction %f() {", InputKind::Clif),
            ("-", b"", InputKind::Clif),
        ] {
            assert_eq!(InputKind::detect(name, bytes), kind, "{name} {bytes:?}");
        }
    }

    #[test]
    fn a_verifier_error_has_its_line() {
        let text = "function %f(i32) -> i64 tail {\nblock0(v0: i32):\n    v1 = iconst.i32 7\n    return v1\n}\n";
        let error = load("x.clif", text.as_bytes(), None).expect_err("wrong type");
        assert_eq!(error.kind, LoadErrorKind::Invalid);
        assert!(error.to_string().starts_with("x.clif:4:5: invalid CLIF in function %f"), "{error}");
    }

    #[test]
    fn functions_agree_on_what_they_call() {
        let g = "function %g(i64) -> i32 tail {\nblock0(v0: i64):\n    v1 = iconst.i32 7\n    return v1\n}\n";
        let call = |declared: &str| {
            format!("{g}function %f() tail {{\n    fn0 = colocated %g{declared}\nblock0:\n    return\n}}\n")
        };
        load("x.clif", call("(i64) -> i32 tail").as_bytes(), None).expect("the same");
        load("x.clif", call("(i64 uext) -> i32 tail").as_bytes(), None).expect("extended");
        for declared in ["(i32) -> i32 tail", "(i64) -> i64 tail", "(i64, i64) -> i32 tail", "(i64) -> i32", "() tail"]
        {
            let error = load("x.clif", call(declared).as_bytes(), None).expect_err("another signature");
            assert_eq!(error.kind, LoadErrorKind::Invalid, "{declared}");
            let start = "x.clif:7:5: function %f declares %g with another signature than it has";
            assert!(error.to_string().starts_with(start), "{error}");
        }
        let target = ";! clif-cont 1\n;! target x86_64 width 64 endian little switch instruction slot-bits 20\n";
        for (text, part) in [
            (format!("{target};! export \"g\" %g (i32) -> (i32)\n{g}"), "export `g` has other types than its function"),
            (format!("{g}{}", g.replace("%g", "%cc_store")), "%cc_store is both a function and data"),
            (format!("{g}{}", g.replace("%g", "%cc_entry")), "declares %cc_entry with another signature"),
        ] {
            let error = load("x.clif", text.as_bytes(), None).expect_err(part);
            assert_eq!(error.kind, LoadErrorKind::Invalid, "{part}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn a_bridge_takes_no_name_of_the_program() {
        let text =
            "function %f() system_v {\nblock0:\n    return\n}\nfunction %cc_call_f() tail {\nblock0:\n    return\n}\n";
        let program = load("x.clif", text.as_bytes(), None).expect("loaded");
        assert_eq!(program.export("f").map(|e| e.function.as_str()), Some("cc_call_f_"));
        assert!(program.function("cc_call_f_").is_some());
    }

    #[test]
    fn what_is_neither_is_refused() {
        for bytes in [&b""[..], b"\xff\xfe\0\x01garbage", b"some words"] {
            let error = load("-", bytes, None).expect_err("refused");
            assert_eq!(error.kind, LoadErrorKind::Invalid, "{error}");
        }
    }
}
