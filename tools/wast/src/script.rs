//! The directives of a script, in order.
//!
//! An instance lives as long as a later command can name it. A module that
//! could not be made leaves its reason in its place, and commands that need it
//! are skipped with that reason: one cause is one failure.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use clif_cont_abi::Trap;
use clif_cont_program::{Export, Instance, Outcome, Val};
use clif_cont_wasm::{ErrorKind, Options, Spectest, compile, unknown_imports};
use wasmparser::{Parser, Payload};
use wast::parser::{self, ParseBuffer};
use wast::token::Id;
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use crate::Backend;
use crate::report::{Failure, Report, ScriptError, Skip};
use crate::value::{argument, meets, show, show_expected};

/// The one module that scripts import from without making it.
const SPECTEST: &str = "spectest";

const LINKING: &str = "linking instances is not supported yet";

/// Runs a script; `name` is what its modules are called in errors.
///
/// # Errors
///
/// [`ScriptError`] when the script as a whole could not be read; then nothing
/// was run.
pub fn run(name: &str, text: &str, backend: &mut dyn Backend) -> Result<Report, ScriptError> {
    let fail = |e: wast::Error| {
        let (line, column) = e.span().linecol_in(text);
        ScriptError { message: e.message(), line: line + 1, column: column + 1 }
    };
    let mut lexer = wast::lexer::Lexer::new(text);
    // Scripts test names with the characters that this guards against.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(fail)?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(fail)?;
    let mut runner = Runner {
        name,
        text,
        backend,
        report: Report::default(),
        printed: Rc::default(),
        current: Err("there is no module yet".to_owned()),
        named: BTreeMap::new(),
        definitions: BTreeMap::new(),
        registered: BTreeMap::new(),
    };
    for directive in script.directives {
        runner.directive(directive);
    }
    let mut report = runner.report;
    report.printed = runner.printed.take();
    Ok(report)
}

/// An instance, and the types of what it exports.
struct Made {
    exports: Vec<Export>,
    instance: Box<dyn Instance>,
    /// Would a skipped module have shared its memories, tables and globals? Then
    /// nobody knows what they would hold now.
    stale: bool,
}

type Shared = Rc<RefCell<Made>>;

/// Why there is no instance.
enum Unmade {
    /// It is not supported.
    Skip(String),
    /// The text or the bytes are no module.
    Malformed(String),
    /// The module is not valid.
    Invalid(String),
    /// An import that nobody supplies.
    Unlinkable(String),
    /// Its instantiation ended like this.
    Ended(Outcome),
    /// A fault on our side.
    Fault(String),
}

impl Unmade {
    fn describe(&self) -> String {
        match self {
            Self::Skip(reason) => format!("not supported: {reason}"),
            Self::Malformed(message) => format!("malformed: {message}"),
            Self::Invalid(message) => format!("invalid: {message}"),
            Self::Unlinkable(message) => format!("unlinkable: {message}"),
            Self::Ended(outcome) => describe(outcome),
            Self::Fault(message) => message.clone(),
        }
    }
}

/// How a command ended that does not hold.
enum Miss {
    Skip(String),
    Differs { expected: String, actual: String },
}

impl Miss {
    fn differs(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self::Differs { expected: expected.into(), actual: actual.into() }
    }

    fn skip<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self::Skip(reason.into()))
    }
}

type Verdict = Result<(), Miss>;

/// A part of a directive that differs or is unsupported, of its kind.
enum Kind {
    Assertion,
    Command,
}

struct Runner<'a> {
    name: &'a str,
    text: &'a str,
    backend: &'a mut dyn Backend,
    report: Report,
    printed: Rc<RefCell<Vec<String>>>,
    /// The last module, or why there is none.
    current: Result<Shared, String>,
    named: BTreeMap<String, Result<Shared, String>>,
    /// Modules that are defined and not instantiated, under their names; the last under "".
    definitions: BTreeMap<String, Result<Vec<u8>, String>>,
    registered: BTreeMap<String, Result<Shared, String>>,
}

impl<'a> Runner<'a> {
    fn directive(&mut self, directive: WastDirective<'a>) {
        let span = directive.span();
        let (kind, verdict) = self.command(directive);
        let line = span.linecol_in(self.text).0 + 1;
        let assertion = matches!(kind, Kind::Assertion);
        self.report.assertions += usize::from(assertion);
        match verdict {
            Ok(()) => self.report.passed += usize::from(assertion),
            Err(Miss::Skip(reason)) => self.report.skips.push(Skip { line, reason }),
            Err(Miss::Differs { expected, actual }) => self.report.failures.push(Failure { line, expected, actual }),
        }
    }

    fn command(&mut self, directive: WastDirective<'a>) -> (Kind, Verdict) {
        use Kind::{Assertion, Command};
        match directive {
            WastDirective::Module(mut module) => {
                let id = module.name();
                let made = binary(&mut module).and_then(|b| self.instantiate(&b));
                (Command, self.enter(id, made))
            }
            WastDirective::ModuleDefinition(mut module) => {
                let id = module.name().map(|id| id.name().to_owned());
                (Command, self.define(id, &mut module))
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let key = module.map_or("", |id| id.name());
                let made = match self.definitions.get(key).cloned() {
                    Some(Ok(binary)) => self.instantiate(&binary),
                    Some(Err(reason)) => Err(Unmade::Skip(reason)),
                    None => Err(Unmade::Fault(format!("there is no definition `${key}`"))),
                };
                (Command, self.enter(instance, made))
            }
            WastDirective::Register { name, module, .. } => (Command, self.register(name, module)),
            WastDirective::Invoke(invoke) => (Command, self.plain(&invoke)),
            WastDirective::AssertReturn { exec, results, .. } => (Assertion, self.returns(exec, &results)),
            WastDirective::AssertTrap { exec, message, .. } => {
                (Assertion, self.ends(exec, &format!("trap: {message}"), |trap, detail| lenient(trap, detail, message)))
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let exec = WastExecute::Invoke(call);
                let exhausted = |trap, _: Option<&str>| {
                    matches!(trap, Trap::StackExhausted | Trap::PoolExhausted | Trap::MemoryExhausted)
                };
                (Assertion, self.ends(exec, &format!("exhaustion: {message}"), exhausted))
            }
            WastDirective::AssertException { exec, .. } => {
                (Assertion, self.ends(exec, "an exception", |trap, _| trap == Trap::UncaughtException))
            }
            WastDirective::AssertSuspension { exec, message, .. } => {
                (Assertion, self.ends(exec, &format!("suspension: {message}"), |trap, _| trap == Trap::UnhandledTag))
            }
            WastDirective::AssertMalformed { mut module, message, .. } => {
                (Assertion, self.rejected(&mut module, &format!("malformed: {message}")))
            }
            WastDirective::AssertInvalid { mut module, message, .. } => {
                (Assertion, self.rejected(&mut module, &format!("invalid: {message}")))
            }
            WastDirective::AssertUnlinkable { module, message, .. } => (Assertion, self.unlinkable(module, message)),
            WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
                (Assertion, Miss::skip("custom sections are not checked"))
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => (Command, Miss::skip("threads are not supported")),
        }
    }

    /// Puts a module where later commands find it.
    fn enter(&mut self, id: Option<Id<'_>>, made: Result<Made, Unmade>) -> Verdict {
        let (entry, verdict) = match made {
            Ok(made) => (Ok(Rc::new(RefCell::new(made))), Ok(())),
            Err(Unmade::Skip(reason)) => (Err(reason.clone()), Miss::skip(reason)),
            Err(unmade) => {
                let verdict = Err(Miss::differs("an instance", unmade.describe()));
                (Err("its module was not instantiated".to_owned()), verdict)
            }
        };
        if let Some(id) = id {
            self.named.insert(id.name().to_owned(), entry.clone());
        }
        self.current = entry;
        verdict
    }

    fn define(&mut self, id: Option<String>, module: &mut QuoteWat<'_>) -> Verdict {
        let checked = binary(module).and_then(|b| self.check(&b).map(|()| b));
        let (entry, verdict) = match checked {
            Ok(binary) => (Ok(binary), Ok(())),
            // Its imports may come to be.
            Err(Unmade::Skip(reason)) => (Err(reason.clone()), Miss::skip(reason)),
            Err(unmade) => {
                let verdict = Err(Miss::differs("a module", unmade.describe()));
                (Err("its module was refused".to_owned()), verdict)
            }
        };
        if let Some(id) = id {
            self.definitions.insert(id, entry.clone());
        }
        self.definitions.insert(String::new(), entry);
        verdict
    }

    /// Compiles and forgets.
    fn check(&self, binary: &[u8]) -> Result<(), Unmade> {
        if self.foreign(binary).is_empty() { self.compile(binary).map(drop) } else { Err(linking()) }
    }

    fn compile(&self, binary: &[u8]) -> Result<clif_cont_program::Program, Unmade> {
        compile(binary, self.name, self.backend.target(), &Options::default()).map_err(|error| {
            let at = error.offset.map(|o| format!(" (at offset {o:#x})")).unwrap_or_default();
            match error.kind {
                ErrorKind::Syntax => Unmade::Malformed(error.message + &at),
                ErrorKind::Invalid => Unmade::Invalid(error.message + &at),
                ErrorKind::Unsupported => Unmade::Skip(error.message),
                ErrorKind::Link => Unmade::Unlinkable(error.message),
                ErrorKind::Internal => Unmade::Fault(format!("internal error: {}{at}", error.message)),
            }
        })
    }

    /// The registered modules that a binary imports from.
    fn foreign(&self, binary: &[u8]) -> Vec<&Result<Shared, String>> {
        imported_modules(binary).iter().filter_map(|m| self.registered.get(m)).collect()
    }

    fn instantiate(&mut self, binary: &[u8]) -> Result<Made, Unmade> {
        let foreign = self.foreign(binary);
        if !foreign.is_empty() {
            for exporter in foreign.into_iter().flatten() {
                exporter.borrow_mut().stale = true;
            }
            return Err(linking());
        }
        let program = self.compile(binary)?;
        if let [first, ..] = unknown_imports(&program)[..] {
            let message = format!("nobody supplies the imported function `{}` `{}`", first.module, first.name);
            return Err(Unmade::Unlinkable(message));
        }
        let printed = Rc::clone(&self.printed);
        let host = Box::new(Spectest::new(move |line: &str| printed.borrow_mut().push(line.to_owned())));
        let mut instance = self.backend.instantiate(&program, host).map_err(Unmade::Fault)?;
        match instance.initialize() {
            None | Some(Outcome::Returned(_)) => Ok(Made { exports: program.exports, instance, stale: false }),
            Some(Outcome::Unsupported(what)) => Err(Unmade::Skip(what)),
            Some(outcome) => Err(Unmade::Ended(outcome)),
        }
    }

    fn find(&self, id: Option<Id<'_>>) -> Result<Shared, Miss> {
        let entry = match id {
            None => &self.current,
            Some(id) => match self.named.get(id.name()) {
                Some(entry) => entry,
                None => return Err(Miss::differs("a module", format!("there is no module `${}`", id.name()))),
            },
        };
        entry.clone().map_err(Miss::Skip)
    }

    fn register(&mut self, name: &str, module: Option<Id<'_>>) -> Verdict {
        let found = self.find(module);
        let entry = match &found {
            Ok(made) => Ok(Rc::clone(made)),
            Err(Miss::Skip(reason)) => Err(reason.clone()),
            Err(Miss::Differs { actual, .. }) => Err(actual.clone()),
        };
        self.registered.insert(name.to_owned(), entry);
        found.map(drop)
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome, Miss> {
        let made = self.find(invoke.module)?;
        let made = &mut *made.borrow_mut();
        if made.stale {
            return Miss::skip(LINKING);
        }
        let export = made.exports.iter().find(|e| e.name == invoke.name);
        let types = export.map(|e| e.params.clone()).unwrap_or_default();
        let args = (0..).zip(&invoke.args).map(|(i, arg)| argument(arg, types.get(i as usize).copied()));
        let args = args.collect::<Result<Vec<Val>, _>>().map_err(Miss::Skip)?;
        match made.instance.invoke(invoke.name, &args) {
            Ok(Outcome::Unsupported(what)) => Miss::skip(what),
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(Miss::differs("an invocation", error.to_string())),
        }
    }

    fn plain(&mut self, invoke: &WastInvoke<'_>) -> Verdict {
        match self.invoke(invoke)? {
            Outcome::Returned(_) => Ok(()),
            outcome => Err(Miss::differs("a return", describe(&outcome))),
        }
    }

    fn execute(&mut self, exec: WastExecute<'a>) -> Result<Outcome, Miss> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(wat) => {
                let made = binary(&mut QuoteWat::Wat(wat)).and_then(|b| self.instantiate(&b));
                match made {
                    Ok(_) => Ok(Outcome::Returned(vec![])),
                    Err(Unmade::Ended(outcome)) => Ok(outcome),
                    Err(Unmade::Skip(reason)) => Miss::skip(reason),
                    Err(unmade) => Err(Miss::differs("an instance", unmade.describe())),
                }
            }
            WastExecute::Get { module, .. } => {
                self.find(module)?;
                Miss::skip("globals cannot be read from outside yet")
            }
        }
    }

    fn returns(&mut self, exec: WastExecute<'a>, results: &[WastRet<'_>]) -> Verdict {
        let outcome = self.execute(exec)?;
        if let Outcome::Returned(values) = &outcome
            && values.len() == results.len()
            && values.iter().zip(results).all(|(value, expected)| meets(*value, expected))
        {
            return Ok(());
        }
        let expected = results.iter().map(show_expected).collect::<Vec<_>>().join(", ");
        Err(Miss::differs(format!("({expected})"), describe(&outcome)))
    }

    /// An assertion about a trap.
    fn ends(&mut self, exec: WastExecute<'a>, expected: &str, meets: impl Fn(Trap, Option<&str>) -> bool) -> Verdict {
        let outcome = self.execute(exec)?;
        match &outcome {
            Outcome::Trapped(t) if meets(t.trap, t.detail.as_deref()) => Ok(()),
            _ => Err(Miss::differs(expected, describe(&outcome))),
        }
    }

    /// An assertion that something is no valid module. Whether it is malformed or
    /// invalid depends on the reader, and is not told apart.
    fn rejected(&self, module: &mut QuoteWat<'_>, expected: &str) -> Verdict {
        match binary(module).and_then(|b| self.compile(&b)) {
            Err(Unmade::Malformed(_) | Unmade::Invalid(_)) => Ok(()),
            Err(Unmade::Skip(reason)) => Miss::skip(reason),
            Err(unmade) => Err(Miss::differs(expected, unmade.describe())),
            Ok(_) => Err(Miss::differs(expected, "a valid module")),
        }
    }

    fn unlinkable(&mut self, module: Wat<'a>, message: &str) -> Verdict {
        let expected = format!("unlinkable: {message}");
        match binary(&mut QuoteWat::Wat(module)).and_then(|b| self.instantiate(&b)) {
            Err(Unmade::Unlinkable(_)) => Ok(()),
            Err(Unmade::Skip(reason)) => Miss::skip(reason),
            Err(unmade) => Err(Miss::differs(expected, unmade.describe())),
            Ok(_) => Err(Miss::differs(expected, "an instance")),
        }
    }
}

fn linking() -> Unmade {
    Unmade::Skip(LINKING.to_owned())
}

/// A module of the script as a binary.
fn binary(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Unmade> {
    if matches!(module, QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)) {
        return Err(Unmade::Skip("components are not supported".to_owned()));
    }
    let bytes = module.encode().map_err(|e| Unmade::Malformed(e.message()))?;
    // The front end would take these bytes for a text.
    if bytes.starts_with(b"\0asm") { Ok(bytes) } else { Err(Unmade::Malformed("no magic number".to_owned())) }
}

/// The modules that a binary imports from, without `spectest`; what is wrong
/// with the binary is not said here.
fn imported_modules(binary: &[u8]) -> Vec<String> {
    let mut modules = vec![];
    for payload in Parser::new(0).parse_all(binary) {
        match payload {
            Ok(Payload::ImportSection(reader)) => {
                let names = reader.into_imports().map_while(Result::ok).map(|i| i.module.to_owned());
                modules.extend(names.filter(|m| m != SPECTEST));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    modules
}

/// Scripts of several ages say the same thing in several ways: one message has
/// to begin with the other.
fn lenient(trap: Trap, detail: Option<&str>, wanted: &str) -> bool {
    match trap {
        // Outcomes of their own; some scripts write an unhandled tag as a trap.
        Trap::UncaughtException => return false,
        Trap::UnhandledTag => return wanted.starts_with(trap.message()),
        _ => {}
    }
    let message = trap.message();
    let prefix = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    // Null references have messages by kind.
    let null = matches!(trap, Trap::NullReference | Trap::NullFunction | Trap::NullException | Trap::NullContinuation)
        && wanted.starts_with("null");
    null || prefix(message, wanted) || detail.is_some_and(|d| prefix(d, wanted))
}

/// An outcome in one line.
fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(values) => {
            format!("({})", values.iter().map(|v| show(*v)).collect::<Vec<_>>().join(", "))
        }
        Outcome::Trapped(t) => match &t.detail {
            Some(detail) => format!("trap: {}: {detail}", t.trap.message()),
            None => format!("trap: {}", t.trap.message()),
        },
        Outcome::Violation(v) => {
            let inst = v.inst.as_deref().unwrap_or("?");
            format!("violation in %{} at `{inst}`: {}", v.function, v.message)
        }
        Outcome::Unsupported(what) => format!("unsupported: {what}"),
        Outcome::OutOfFuel => "out of fuel".to_owned(),
    }
}
