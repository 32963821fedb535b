//! Running a script, command by command.
//!
//! All instances are in one program. An instance comes to be when its command is
//! reached; one that could not be made leaves its reason, and commands that need
//! it are skipped with that reason: one cause is one failure.

use std::collections::{BTreeMap, BTreeSet};

use clif_cont_abi::Trap;
use clif_cont_program::{HostError, Instance, Outcome, Val};
use clif_cont_wasm::{InstanceId, Instantiated, Item, LinkSet, Spectest};
use wast::parser::{self, ParseBuffer};
use wast::{Wast, WastInvoke, WastRet};

use crate::plan::{Action, Entry, Exec, Goal, NOT_MADE, Planned, Step, encode, plan};
use crate::report::{Failure, Remark, Report, ScriptError, Skip};
use crate::unmade::{INCOMPATIBLE, UNKNOWN, Unmade};
use crate::value::{argument, describe, meets, show_expected};
use crate::{Backend, Options, Refusal};

/// What is done with a line that the functions of `spectest` print; when it fails, the
/// program is ended.
pub type Printer = Box<dyn FnMut(&str) -> Result<(), HostError>>;

/// Drops what is printed.
pub fn silent() -> Printer {
    Box::new(|_| Ok(()))
}

/// Runs a script; lines that it prints go to `print` at once.
///
/// # Errors
///
/// [`ScriptError`] when the script as a whole could not be read, or the system refuses what it
/// takes to run anything; then nothing was run.
pub fn run(text: &str, backend: &mut dyn Backend, options: &Options, print: Printer) -> Result<Report, ScriptError> {
    let fail = |e: wast::Error| {
        let (line, column) = e.span().linecol_in(text);
        ScriptError { message: e.message(), place: Some((line + 1, column + 1)) }
    };
    let mut lexer = wast::lexer::Lexer::new(text);
    // Scripts test names with the characters that this guards against.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(fail)?;
    let mut script = parser::parse::<Wast<'_>>(&buffer).map_err(fail)?;
    let binaries = encode(&mut script);
    let mut set = LinkSet::new(backend.target());
    let steps = plan(script, text, &binaries, options.features, &mut set);

    let mut runner = Runner::default();
    match start(set, backend, print) {
        Ok((instances, program)) => {
            runner.instances = instances;
            runner.program = Some(program);
            // nothing can go wrong in it but what shows where it is used
            runner.spectest();
        }
        Err(Refusal::Program(message)) => runner.refused = Some(message),
        Err(Refusal::System(message)) => return Err(ScriptError { message, place: None }),
    }
    for step in steps {
        runner.step(step);
    }
    Ok(runner.report)
}

type Instances = Vec<Result<Instantiated, Unmade>>;

/// Compiles everything.
fn start(
    set: LinkSet<'_>,
    backend: &mut dyn Backend,
    print: Printer,
) -> Result<(Instances, Box<dyn Instance>), Refusal> {
    let linked = set.finish().map_err(|e| Refusal::Program(e.to_string()))?;
    let program = backend.instantiate(&linked.program, Box::new(Spectest::new(print)))?;
    Ok((linked.instances.into_iter().map(|i| i.map_err(Unmade::from)).collect(), program))
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

#[derive(Default)]
struct Runner {
    instances: Instances,
    /// `None` where it was refused.
    program: Option<Box<dyn Instance>>,
    /// Why it was, until somebody has been told.
    refused: Option<String>,
    /// The instances that there are by now.
    live: BTreeSet<InstanceId>,
    /// Why an instance cannot be used.
    dead: BTreeMap<InstanceId, String>,
    report: Report,
}

impl Runner {
    fn step(&mut self, step: Step<'_>) {
        let Step { line, action, goal } = step;
        let assertion = !matches!(goal, Goal::Done);
        let invocation = !assertion && matches!(action, Action::Execute(_));
        let verdict = self.act(line, action, goal);
        self.report.assertions += usize::from(assertion);
        self.report.actions += usize::from(invocation);
        match verdict {
            Ok(()) => {
                self.report.passed += usize::from(assertion);
                self.report.returned += usize::from(invocation);
            }
            Err(Miss::Skip(reason)) => self.report.skips.push(Skip { line, reason }),
            Err(Miss::Differs { expected, actual }) => self.report.failures.push(Failure { line, expected, actual }),
        }
    }

    fn act(&mut self, line: usize, action: Action<'_>, goal: Goal<'_>) -> Verdict {
        match action {
            Action::Make(planned) => {
                let made = self.make(planned);
                match goal {
                    Goal::Unlinkable(message) => unlinkable(made, message),
                    _ => match made {
                        Ok(()) => Ok(()),
                        Err(Unmade::Skip(reason)) => Miss::skip(reason),
                        Err(unmade) => Err(Miss::differs("an instance", unmade.describe())),
                    },
                }
            }
            Action::Check(checked) => match goal {
                Goal::Malformed(message) => rejected(checked, &format!("malformed: {message}")),
                Goal::Invalid(message) => rejected(checked, &format!("invalid: {message}")),
                _ => match checked {
                    Ok(()) => Ok(()),
                    Err(Unmade::Skip(reason)) => Miss::skip(reason),
                    Err(unmade) => Err(Miss::differs("a module", unmade.describe())),
                },
            },
            Action::Name(entry) => self.find(entry).map(drop),
            Action::Execute(exec) => {
                let outcome = self.execute(exec)?;
                self.compare(line, &outcome, goal)
            }
            Action::Skip(reason) => Miss::skip(reason),
        }
    }

    fn spectest(&mut self) {
        if let Some(Ok(first)) = self.instances.first() {
            let init = first.init.clone();
            if let Some(init) = init {
                let _ = self.call(&init, &[]);
            }
        }
    }

    /// Instantiates.
    fn make(&mut self, planned: Planned) -> Result<(), Unmade> {
        let id = planned.instance?;
        let made = self.instantiate(id);
        match &made {
            Ok(()) => {
                self.live.insert(id);
            }
            Err(Unmade::Skip(reason)) => {
                self.dead.insert(id, reason.clone());
                // Nobody knows what they would hold now.
                for changed in planned.changes {
                    self.dead.insert(changed, format!("a module that would have changed it was skipped: {reason}"));
                }
            }
            Err(_) => {
                self.dead.insert(id, NOT_MADE.to_owned());
            }
        }
        made
    }

    fn instantiate(&mut self, id: InstanceId) -> Result<(), Unmade> {
        if let Some(refused) = self.refused.take() {
            return Err(Unmade::Fault(refused));
        }
        if self.program.is_none() {
            return Err(Unmade::Skip("the program was refused".to_owned()));
        }
        let instance = self.instances[id.index()].clone()?;
        // `spectest` is there from the start
        let needed = instance.exporters.iter().filter(|e| e.index() != 0);
        if let Some(reason) = needed.filter_map(|e| self.dead.get(e)).next() {
            return Err(Unmade::Skip(reason.clone()));
        }
        if let Some(fits) = &instance.fits
            && self.call(fits, &[])? == Outcome::Returned(vec![Val::I32(0)])
        {
            let message = "an imported memory or table is smaller than it has to be".to_owned();
            return Err(Unmade::Unlinkable(INCOMPATIBLE, message));
        }
        match instance.init.map(|init| self.call(&init, &[])).transpose()? {
            None | Some(Outcome::Returned(_)) => Ok(()),
            Some(Outcome::Unsupported(what)) => Err(Unmade::Skip(what)),
            Some(outcome) => Err(Unmade::Ended(outcome)),
        }
    }

    fn call(&mut self, export: &str, args: &[Val]) -> Result<Outcome, Unmade> {
        let Some(program) = &mut self.program else {
            return Err(Unmade::Fault("there is no program".to_owned()));
        };
        program.invoke(export, args).map_err(|e| Unmade::Fault(e.to_string()))
    }

    /// The instance of a command.
    fn find(&self, entry: Result<Entry, String>) -> Result<InstanceId, Miss> {
        let id = match entry {
            Ok(Ok(id)) => id,
            Ok(Err(reason)) => return Miss::skip(reason),
            Err(message) => return Err(Miss::differs("a module", message)),
        };
        match self.dead.get(&id) {
            Some(reason) => Miss::skip(reason.clone()),
            None if !self.live.contains(&id) => Miss::skip(NOT_MADE),
            None => Ok(id),
        }
    }

    fn item(&self, entry: Result<Entry, String>, name: &str) -> Result<Item, Miss> {
        let id = self.find(entry)?;
        let instance = self.instances[id.index()].as_ref().map_err(|u| Miss::Skip(u.describe()))?;
        let missing = || {
            let known: Vec<&str> = instance.exports.keys().map(String::as_str).collect();
            Miss::differs("an export", format!("there is no `{name}`; there are: {}", known.join(", ")))
        };
        instance.exports.get(name).cloned().ok_or_else(missing)
    }

    fn execute(&mut self, exec: Exec<'_>) -> Result<Outcome, Miss> {
        let outcome = match exec {
            Exec::Invoke(entry, invoke) => {
                let Item::Function { export, params } = self.item(entry, invoke.name)? else {
                    return Err(Miss::differs("a function", format!("`{}` is none", invoke.name)));
                };
                let args = arguments(&invoke, &params)?;
                self.call(&export, &args)
            }
            Exec::Get(entry, name) => match self.item(entry, name)? {
                Item::Global { export } => self.call(&export, &[]),
                _ => return Err(Miss::differs("a global", format!("`{name}` is none"))),
            },
            Exec::Make(planned) => match self.make(planned) {
                Ok(()) => Ok(Outcome::Returned(vec![])),
                Err(Unmade::Ended(outcome)) => Ok(outcome),
                Err(unmade) => Err(unmade),
            },
        };
        match outcome {
            Ok(Outcome::Unsupported(what)) => Miss::skip(what),
            Ok(outcome) => Ok(outcome),
            Err(Unmade::Skip(reason)) => Miss::skip(reason),
            Err(unmade) => Err(Miss::differs("an invocation", unmade.describe())),
        }
    }

    fn compare(&mut self, line: usize, outcome: &Outcome, goal: Goal<'_>) -> Verdict {
        let trap = match outcome {
            Outcome::Trapped(t) => Some((t.trap, t.detail.as_deref())),
            _ => None,
        };
        let holds = |holds: bool, expected: String| {
            if holds { Ok(()) } else { Err(Miss::differs(expected, describe(outcome))) }
        };
        match goal {
            Goal::Done => holds(matches!(outcome, Outcome::Returned(_)), "a return".to_owned()),
            Goal::Returns(results) => holds(returned(outcome, &results), expected(&results)),
            Goal::Traps(message) => {
                if trap.is_some_and(|(t, _)| t == Trap::UnhandledTag)
                    && message.starts_with(Trap::UnhandledTag.message())
                {
                    let text = "an unhandled tag is asserted as a trap; `assert_suspension` says what it is";
                    self.report.remarks.push(Remark { line, text: text.to_owned() });
                    return Ok(());
                }
                holds(trap.is_some_and(|(t, detail)| lenient(t, detail, message)), format!("trap: {message}"))
            }
            Goal::Exhausts(message) => {
                let exhausted =
                    matches!(trap, Some((Trap::StackExhausted | Trap::PoolExhausted | Trap::MemoryExhausted, _)));
                holds(exhausted, format!("exhaustion: {message}"))
            }
            Goal::Throws => holds(matches!(trap, Some((Trap::UncaughtException, _))), "an exception".to_owned()),
            Goal::Suspends(message) => {
                holds(matches!(trap, Some((Trap::UnhandledTag, _))), format!("suspension: {message}"))
            }
            Goal::Malformed(_) | Goal::Invalid(_) | Goal::Unlinkable(_) | Goal::Unknown => {
                Err(Miss::differs("a module to check", "none"))
            }
        }
    }
}

fn arguments(invoke: &WastInvoke<'_>, params: &[clif_cont_program::ValType]) -> Result<Vec<Val>, Miss> {
    let args = invoke.args.iter().enumerate().map(|(i, arg)| argument(arg, params.get(i).copied()));
    args.collect::<Result<_, _>>().map_err(Miss::Skip)
}

fn returned(outcome: &Outcome, results: &[WastRet<'_>]) -> bool {
    let Outcome::Returned(values) = outcome else { return false };
    values.len() == results.len() && values.iter().zip(results).all(|(value, expected)| meets(*value, expected))
}

fn expected(results: &[WastRet<'_>]) -> String {
    format!("({})", results.iter().map(show_expected).collect::<Vec<_>>().join(", "))
}

/// An assertion that something is no valid module. Whether it is malformed or
/// invalid depends on the reader, and is not told apart.
fn rejected(checked: Result<(), Unmade>, expected: &str) -> Verdict {
    match checked {
        Err(Unmade::Malformed(_) | Unmade::Invalid(_)) => Ok(()),
        Err(Unmade::Skip(reason)) => Miss::skip(reason),
        Err(unmade) => Err(Miss::differs(expected, unmade.describe())),
        Ok(()) => Err(Miss::differs(expected, "a valid module")),
    }
}

fn unlinkable(made: Result<(), Unmade>, message: &str) -> Verdict {
    let expected = format!("unlinkable: {message}");
    match made {
        // A script may say it in words of its own.
        Err(Unmade::Unlinkable(kind, _)) if kind == message || ![UNKNOWN, INCOMPATIBLE].contains(&message) => Ok(()),
        Err(Unmade::Skip(reason)) => Miss::skip(reason),
        Err(unmade) => Err(Miss::differs(expected, unmade.describe())),
        Ok(()) => Err(Miss::differs(expected, "an instance")),
    }
}

/// Scripts of several ages say the same thing in several ways: one message has
/// to begin with the other.
fn lenient(trap: Trap, detail: Option<&str>, wanted: &str) -> bool {
    // Outcomes of their own.
    if matches!(trap, Trap::UncaughtException | Trap::UnhandledTag) {
        return false;
    }
    let message = trap.message();
    let prefix = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    // Null references have messages by kind.
    let null = matches!(trap, Trap::NullReference | Trap::NullFunction | Trap::NullException | Trap::NullContinuation)
        && wanted.starts_with("null");
    null || prefix(message, wanted) || detail.is_some_and(|d| prefix(d, wanted))
}
