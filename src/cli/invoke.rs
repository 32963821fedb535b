//! Invoking an export, and reporting what it did: shared by `interpret` and
//! `run`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::sync::Arc;

use clap::Args;
use clif_cont::backend::{BackendError, Exceeded};
use clif_cont::diag::{Diagnostic, Place};
use clif_cont::load::place_of_function;
use clif_cont::program::{Export, Host, Instance, InvokeError, Outcome, Repeat, StackTrace, Val, ValType, collapse};
use clif_cont::wasm::{Spectest, unknown_imports};
use cranelift_codegen::ir::{AbiParam, ArgumentPurpose, Signature, types};
use serde_json::{Value, json};

use super::io::{EXHAUSTED, End, Ended, MISMATCH, TRAPPED, UNSUPPORTED, USAGE, Ui, failure};
use super::limits::more;
use super::lower::Loaded;

/// Stands for the `-` of a word that clap would take for options.
const MINUS: char = '\u{2212}';

/// clap knows `-5` for a number, but not `-0x5`, `-inf` and `-nan`.
pub(crate) fn shield(word: OsString) -> OsString {
    let number = word.to_str().and_then(|w| w.strip_prefix('-')).map(str::to_ascii_lowercase);
    match number {
        Some(number) if number.starts_with("0x") || matches!(&*number, "inf" | "infinity" | "nan") => {
            format!("{MINUS}{number}").into()
        }
        _ => word,
    }
}

/// The word as it was written.
pub(crate) fn unshield(word: &str) -> Result<String, std::convert::Infallible> {
    Ok(word.replacen(MINUS, "-", 1))
}

/// What to invoke.
#[derive(Args)]
pub(crate) struct InvokeArgs {
    /// The exported function to invoke
    #[arg(long, value_name = "NAME")]
    pub(crate) invoke: String,
    /// Its arguments: numbers, `0x` bits, `nan`, `inf`, `null`
    #[arg(value_name = "ARG", allow_negative_numbers = true, value_parser = unshield)]
    pub(crate) args: Vec<String>,
}

/// The export to invoke, or the error that says which there are.
pub(crate) fn find_export<'p>(program: &'p Loaded, name: &str) -> Result<&'p Export, End> {
    program.export(name).ok_or_else(|| {
        if let Some(reason) = program.function(name).and_then(|f| not_callable(&f.func.signature)) {
            let diagnostic = Diagnostic::error(format!("`{name}` cannot be invoked from outside: {reason}"));
            let note = "arguments and results are i32, i64, f32 and f64";
            return failure(UNSUPPORTED, diagnostic.at(Place::whole(&program.source)).note(note));
        }
        let known = program.exports.iter().map(|e| e.name.clone()).collect();
        let error = InvokeError::UnknownExport(name.to_owned(), known);
        failure(USAGE, Diagnostic::error(error.to_string()).at(Place::whole(&program.source)))
    })
}

/// What of a signature has no form on a command line.
fn not_callable(signature: &Signature) -> Option<String> {
    let unsupported = |(kind, list): (&str, &[AbiParam])| {
        let found = list.iter().zip(1..).find(|(p, _)| {
            p.purpose != ArgumentPurpose::Normal
                || !matches!(p.value_type, types::I32 | types::I64 | types::F32 | types::F64)
        })?;
        let (param, number) = found;
        Some(match param.purpose {
            ArgumentPurpose::Normal => format!("{kind} {number} is of type {}", param.value_type),
            purpose => format!("{kind} {number} is for `{purpose}`"),
        })
    };
    [("parameter", &signature.params[..]), ("result", &signature.returns[..])].into_iter().find_map(unsupported)
}

/// Reads the arguments by the export's types.
pub(crate) fn arguments(program: &Loaded, export: &Export, args: &[String]) -> Result<Vec<Val>, End> {
    let refuse = |message: String| {
        let types: Vec<_> = export.params.iter().map(|t| ValType::name(*t)).collect();
        let diagnostic = Diagnostic::error(message).at(Place::whole(&program.source));
        failure(USAGE, diagnostic.note(format!("`{}` takes ({})", export.name, types.join(", "))))
    };
    if args.len() != export.params.len() {
        let plural = if export.params.len() == 1 { "" } else { "s" };
        let message = format!("`{}` takes {} argument{plural}, not {}", export.name, export.params.len(), args.len());
        return Err(refuse(message));
    }
    let parse = |(index, (ty, text)): (usize, (&ValType, &String))| {
        Val::parse(*ty, text)
            .ok_or_else(|| refuse(format!("argument {}, `{text}`, is not a value of type {}", index + 1, ty.name())))
    };
    export.params.iter().zip(args).enumerate().map(parse).collect()
}

/// The host functions that the command supplies; their output is the command's.
pub(crate) fn host(ui: &Arc<Ui>, program: &Loaded) -> Result<Box<dyn Host>, End> {
    if let [first, ..] = unknown_imports(program)[..] {
        let message = format!("nobody supplies the imported function `{}` `{}`", first.module, first.name);
        let diagnostic = Diagnostic::error(message).at(Place::whole(&program.source));
        return Err(failure(UNSUPPORTED, diagnostic.note("there are only those of `spectest` that print")));
    }
    let ui = Arc::clone(ui);
    Ok(Box::new(Spectest::new(move |line: &str| ui.print(line, json!({ "kind": "print", "text": line })))))
}

/// A backend's refusal as an error.
pub(crate) fn not_run(error: BackendError, program: &Loaded) -> End {
    let message = error.to_string();
    if let BackendError::System(_) = error {
        // nothing of it is about the program
        return failure(USAGE, Diagnostic::error(message));
    }
    let place = place_of_function(&program.source, &message);
    failure(UNSUPPORTED, Diagnostic::error(message).at(place))
}

fn value(val: &Val) -> Value {
    json!({ "type": val.ty().name(), "value": val.to_string() })
}

/// The backtrace as text: the active continuation's frames, then those of what
/// resumed it, and so on; what is there several times in a row, once.
fn backtrace(stacks: &[StackTrace]) -> String {
    let mut text = String::new();
    // the first and the last have titles of their own
    let (active, resumers) = stacks.split_at(stacks.len().min(1));
    let (between, own) = resumers.split_at(resumers.len().saturating_sub(1));
    let first = if own.is_empty() { "on the invocation's own stack" } else { "on the active continuation" };
    for stack in active {
        stack_text(&mut text, first, stack);
    }
    for Repeat { items, times } in collapse(between) {
        for stack in items {
            stack_text(&mut text, "resumed by the continuation", stack);
        }
        repeated(&mut text, "  ", "stacks", items.len(), times);
    }
    for stack in own {
        stack_text(&mut text, "resumed by the invocation's own stack", stack);
    }
    text
}

fn stack_text(text: &mut String, title: &str, stack: &StackTrace) {
    let _ = writeln!(text, "  {title}:");
    for repeat in collapse(&stack.frames) {
        match repeat {
            Repeat { items: [frame], times: 1 } => {
                let _ = writeln!(text, "    at {frame}");
            }
            Repeat { items: [frame], times } => {
                let _ = writeln!(text, "    at {frame} (x {times})");
            }
            Repeat { items, times } => {
                for frame in items {
                    let _ = writeln!(text, "    at {frame}");
                }
                repeated(text, "    ", "frames", items.len(), times);
            }
        }
    }
    if stack.frames.is_empty() {
        let _ = writeln!(text, "    (no frames)");
    }
}

/// How often the lines above stand there.
fn repeated(text: &mut String, indent: &str, what: &str, length: usize, times: usize) {
    if times > 1 {
        let these =
            if length == 1 { format!("this {}", what.trim_end_matches('s')) } else { format!("these {length} {what}") };
        let _ = writeln!(text, "{indent}({these} x {times})");
    }
}

/// The same as JSON: a list of stacks, each a list of frames. A sequence of them that is
/// there more than once is an object, `{"times": 670, "frames": ["p"]}`.
fn stacks_json(stacks: &[StackTrace]) -> Value {
    let frames = |stack: &StackTrace| repeats_json(&stack.frames, "frames", |frame| json!(frame));
    repeats_json(stacks, "stacks", frames)
}

fn repeats_json<T: PartialEq>(items: &[T], what: &str, one: impl Fn(&T) -> Value) -> Value {
    let part = |repeat: Repeat<'_, T>| {
        let list: Vec<Value> = repeat.items.iter().map(&one).collect();
        if repeat.times == 1 { list } else { vec![json!({ "times": repeat.times, what: list })] }
    };
    collapse(items).into_iter().flat_map(part).collect()
}

/// What bounds an invocation, and gives its name to the end that it puts.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Instructions, under the interpreter.
    Fuel,
    /// Time.
    Time,
}

impl Limit {
    fn message(self) -> &'static str {
        match self {
            Self::Fuel => "out of fuel",
            Self::Time => "out of time",
        }
    }

    /// The error when it is used up.
    fn diagnostic(self) -> Diagnostic {
        let more = match self {
            Self::Fuel => "`--fuel N` gives more",
            Self::Time => more(Exceeded::Time),
        };
        Diagnostic::error(self.message()).help(more)
    }
}

/// Invokes and reports; the exit code is the outcome's.
pub(crate) fn invoke(
    ui: &Ui,
    instance: &mut dyn Instance,
    export: &str,
    args: &[Val],
    limit: Limit,
) -> Result<(Outcome, u8), End> {
    let outcome = instance.invoke(export, args);
    ui.printed()?;
    match outcome {
        Ok(outcome) => report(ui, &outcome, limit).map(|code| (outcome, code)),
        Err(error) => Err(failure(USAGE, Diagnostic::error(error.to_string()))),
    }
}

/// Prints results to the output, everything else to standard error.
pub(crate) fn report(ui: &Ui, outcome: &Outcome, limit: Limit) -> Ended {
    if ui.json() {
        return report_json(ui, outcome, limit);
    }
    match outcome {
        Outcome::Returned(values) => {
            for value in values {
                ui.line(&value.to_string())?;
            }
            Ok(0)
        }
        Outcome::Trapped(trapped) => {
            let detail = trapped.detail.as_ref().map(|d| format!(": {d}")).unwrap_or_default();
            ui.report(&Diagnostic::error(format!("trap: {}{detail}", trapped.trap.message())));
            ui.message(&backtrace(&trapped.backtrace));
            Ok(TRAPPED)
        }
        Outcome::Violation(violation) => {
            let mut diagnostic = Diagnostic::error(format!("violation: {}", violation.message))
                .note(format!("in function %{}", violation.function));
            if let Some(inst) = &violation.inst {
                diagnostic = diagnostic.note(format!("at `{inst}`"));
            }
            ui.report(&diagnostic);
            ui.message(&backtrace(&violation.backtrace));
            Ok(MISMATCH)
        }
        Outcome::Unsupported(what) => {
            ui.report(&Diagnostic::error(format!("unsupported: {what}")));
            Ok(UNSUPPORTED)
        }
        Outcome::OutOfFuel => {
            ui.report(&limit.diagnostic());
            Ok(EXHAUSTED)
        }
        Outcome::OutOfMemory(what) => {
            ui.report(&Diagnostic::error(format!("out of memory: {what}")).help(more(Exceeded::Memory)));
            Ok(EXHAUSTED)
        }
    }
}

fn report_json(ui: &Ui, outcome: &Outcome, limit: Limit) -> Ended {
    let (json, code) = match outcome {
        Outcome::Returned(values) => {
            (json!({ "outcome": "returned", "values": values.iter().map(value).collect::<Vec<_>>() }), 0)
        }
        Outcome::Trapped(trapped) => (
            json!({
                "outcome": "trapped",
                "code": trapped.trap.code(),
                "message": trapped.trap.message(),
                "detail": trapped.detail,
                "backtrace": stacks_json(&trapped.backtrace),
            }),
            TRAPPED,
        ),
        Outcome::Violation(violation) => (
            json!({
                "outcome": "violation",
                "message": violation.message,
                "function": violation.function,
                "inst": violation.inst,
                "backtrace": stacks_json(&violation.backtrace),
            }),
            MISMATCH,
        ),
        Outcome::Unsupported(what) => (json!({ "outcome": "unsupported", "message": what }), UNSUPPORTED),
        Outcome::OutOfFuel => (json!({ "outcome": limit.message() }), EXHAUSTED),
        Outcome::OutOfMemory(what) => (json!({ "outcome": "out of memory", "message": what }), EXHAUSTED),
    };
    let mut json = json;
    if let Some(object) = json.as_object_mut() {
        object.insert("kind".to_owned(), "outcome".into());
    }
    ui.json_line(json)?;
    Ok(code)
}
