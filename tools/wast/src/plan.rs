//! What can be said of a script before anything of it runs: which modules it
//! instantiates, and which instance each of its commands means.
//!
//! Which module a name stands for depends on the order of the commands alone.
//! So all instances of a script go into one link set, which is compiled once.

use std::collections::BTreeMap;

use clif_cont_wasm::{ErrorKind, Features, InstanceId, LinkSet};
use wasmparser::{Parser, Payload, TypeRef};
use wast::token::Id;
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use crate::unmade::Unmade;

/// The one module that scripts import from without making it.
const SPECTEST: &str = "spectest";

/// An instance that a command names, or why there is none.
pub(crate) type Entry = Result<InstanceId, String>;

/// A module to instantiate.
pub(crate) struct Planned {
    /// Its instance, or why there cannot be one.
    pub(crate) instance: Result<InstanceId, Unmade>,
    /// Instances that making this one may change.
    pub(crate) changes: Vec<InstanceId>,
}

/// What is to be done, in a form that needs no names of modules any more.
pub(crate) enum Action<'a> {
    /// Instantiate.
    Make(Planned),
    /// Say whether a module is valid: `Ok` if it is.
    Check(Result<(), Unmade>),
    /// Nothing but to name an instance.
    Name(Result<Entry, String>),
    /// Invoke an export or read a global, or instantiate.
    Execute(Exec<'a>),
    /// Not supported.
    Skip(&'static str),
}

/// Something that has an outcome.
pub(crate) enum Exec<'a> {
    Invoke(Result<Entry, String>, WastInvoke<'a>),
    Get(Result<Entry, String>, &'a str),
    Make(Planned),
}

/// What has to come out of it.
pub(crate) enum Goal<'a> {
    /// A command: it has to go well.
    Done,
    Returns(Vec<WastRet<'a>>),
    Traps(&'a str),
    Exhausts(&'a str),
    Throws,
    Suspends(&'a str),
    Malformed(&'a str),
    Invalid(&'a str),
    Unlinkable(&'a str),
    /// An assertion that is not supported.
    Unknown,
}

/// A command.
pub(crate) struct Step<'a> {
    pub(crate) line: usize,
    pub(crate) action: Action<'a>,
    pub(crate) goal: Goal<'a>,
}

/// The binaries of a script's modules, by directive; what cannot be read leaves
/// its reason.
pub(crate) type Binaries = Vec<Option<Result<Vec<u8>, Unmade>>>;

/// Encodes every module of a script.
pub(crate) fn encode(script: &mut Wast<'_>) -> Binaries {
    script
        .directives
        .iter_mut()
        .map(|directive| match directive {
            WastDirective::Module(module)
            | WastDirective::ModuleDefinition(module)
            | WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertInvalid { module, .. } => Some(binary(module)),
            WastDirective::AssertUnlinkable { module, .. } => Some(binary_of(module)),
            WastDirective::AssertTrap { exec, .. }
            | WastDirective::AssertReturn { exec, .. }
            | WastDirective::AssertException { exec, .. }
            | WastDirective::AssertSuspension { exec, .. } => match exec {
                WastExecute::Wat(module) => Some(binary_of(module)),
                WastExecute::Invoke(_) | WastExecute::Get { .. } => None,
            },
            _ => None,
        })
        .collect()
}

/// Plans a script; its modules are added to `set`.
pub(crate) fn plan<'a, 'b>(
    script: Wast<'a>,
    text: &str,
    binaries: &'b Binaries,
    features: Features,
    set: &mut LinkSet<'b>,
) -> Vec<Step<'a>> {
    let mut planner = Planner {
        set,
        features,
        current: Err("there is no module yet".to_owned()),
        named: BTreeMap::new(),
        definitions: BTreeMap::new(),
        registered: BTreeMap::new(),
    };
    let mut steps = vec![];
    for (directive, binary) in script.directives.into_iter().zip(binaries) {
        let line = directive.span().linecol_in(text).0 + 1;
        let (action, goal) = planner.directive(directive, binary.as_ref());
        steps.push(Step { line, action, goal });
    }
    steps
}

type Encoded<'b> = Result<&'b [u8], Unmade>;

struct Planner<'s, 'b> {
    set: &'s mut LinkSet<'b>,
    features: Features,
    /// The last module, or why there is none.
    current: Entry,
    named: BTreeMap<String, Entry>,
    /// Modules that are defined and not instantiated, under their names; the last under "".
    definitions: BTreeMap<String, Result<&'b [u8], String>>,
    registered: BTreeMap<String, Entry>,
}

impl<'b> Planner<'_, 'b> {
    fn directive<'a>(
        &mut self,
        directive: WastDirective<'a>,
        binary: Option<&'b Result<Vec<u8>, Unmade>>,
    ) -> (Action<'a>, Goal<'a>) {
        let encoded = || -> Encoded<'b> {
            match binary {
                Some(Ok(bytes)) => Ok(bytes),
                Some(Err(unmade)) => Err(unmade.clone()),
                None => Err(Unmade::Fault("a module that was not encoded".to_owned())),
            }
        };
        match directive {
            WastDirective::Module(module) => {
                let planned = self.make(encoded());
                self.enter(module.name(), &planned);
                (Action::Make(planned), Goal::Done)
            }
            WastDirective::ModuleDefinition(module) => {
                (Action::Check(self.define(module.name(), encoded())), Goal::Done)
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let key = module.map_or("", |id| id.name());
                let planned = match self.definitions.get(key).cloned() {
                    Some(Ok(binary)) => self.make(Ok(binary)),
                    Some(Err(reason)) => Planned::none(Unmade::Skip(reason)),
                    None => Planned::none(Unmade::Fault(format!("there is no definition `${key}`"))),
                };
                self.enter(instance, &planned);
                (Action::Make(planned), Goal::Done)
            }
            WastDirective::Register { name, module, .. } => {
                let found = self.find(module);
                let entry = found.clone().unwrap_or_else(Err);
                self.registered.insert(name.to_owned(), entry);
                (Action::Name(found), Goal::Done)
            }
            WastDirective::Invoke(invoke) => (Action::Execute(self.invoke(invoke)), Goal::Done),
            WastDirective::AssertReturn { exec, results, .. } => {
                (Action::Execute(self.execute(exec, encoded)), Goal::Returns(results))
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                (Action::Execute(self.execute(exec, encoded)), Goal::Traps(message))
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                (Action::Execute(self.invoke(call)), Goal::Exhausts(message))
            }
            WastDirective::AssertException { exec, .. } => (Action::Execute(self.execute(exec, encoded)), Goal::Throws),
            WastDirective::AssertSuspension { exec, message, .. } => {
                (Action::Execute(self.execute(exec, encoded)), Goal::Suspends(message))
            }
            WastDirective::AssertMalformed { message, .. } => {
                (Action::Check(self.check(encoded())), Goal::Malformed(message))
            }
            WastDirective::AssertInvalid { message, .. } => {
                (Action::Check(self.check(encoded())), Goal::Invalid(message))
            }
            WastDirective::AssertUnlinkable { message, .. } => {
                (Action::Make(self.make(encoded())), Goal::Unlinkable(message))
            }
            WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
                (Action::Skip("custom sections are not checked"), Goal::Unknown)
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                (Action::Skip("threads are not supported"), Goal::Done)
            }
        }
    }

    /// Puts an instance where later commands find it.
    fn enter(&mut self, id: Option<Id<'_>>, planned: &Planned) {
        let entry = planned.instance.clone().map_err(|unmade| match unmade {
            Unmade::Skip(reason) => reason,
            _ => NOT_MADE.to_owned(),
        });
        if let Some(id) = id {
            self.named.insert(id.name().to_owned(), entry.clone());
        }
        self.current = entry;
    }

    fn define(&mut self, id: Option<Id<'_>>, binary: Encoded<'b>) -> Result<(), Unmade> {
        let checked = self.check(binary.clone());
        let entry = match (&checked, binary) {
            (Ok(()), Ok(binary)) => Ok(binary),
            (Err(Unmade::Skip(reason)), _) => Err(reason.clone()),
            _ => Err("its module was refused".to_owned()),
        };
        if let Some(id) = id {
            self.definitions.insert(id.name().to_owned(), entry.clone());
        }
        self.definitions.insert(String::new(), entry);
        checked
    }

    fn check(&self, binary: Encoded<'_>) -> Result<(), Unmade> {
        LinkSet::validate(binary?, self.features).map_err(Unmade::from)
    }

    fn make(&mut self, binary: Encoded<'b>) -> Planned {
        let binary = match binary {
            Ok(binary) => binary,
            Err(unmade) => return Planned::none(unmade),
        };
        let (imported, changed) = imported_modules(binary);
        let of = |modules: &[String]| -> Vec<InstanceId> {
            modules.iter().filter_map(|m| self.registered.get(m)?.as_ref().ok().copied()).collect()
        };
        let changes = of(&changed);
        let missing = imported.iter().find_map(|m| self.registered.get(m)?.as_ref().err());
        let instance = match missing {
            Some(reason) => match self.check(Ok(binary)) {
                Ok(()) => Err(Unmade::Skip(reason.clone())),
                Err(unmade) => Err(unmade),
            },
            None => {
                let registered = &self.registered;
                let resolve = |module: &str| registered.get(module)?.as_ref().ok().copied();
                self.set.instantiate(binary, self.features, &resolve).map_err(Unmade::from)
            }
        };
        Planned { instance, changes }
    }

    /// An instance; the error says that there is no module of that name.
    fn find(&self, id: Option<Id<'_>>) -> Result<Entry, String> {
        match id {
            None => Ok(self.current.clone()),
            Some(id) => {
                self.named.get(id.name()).cloned().ok_or_else(|| format!("there is no module `${}`", id.name()))
            }
        }
    }

    fn invoke<'a>(&self, invoke: WastInvoke<'a>) -> Exec<'a> {
        Exec::Invoke(self.find(invoke.module), invoke)
    }

    fn execute<'a>(&mut self, exec: WastExecute<'a>, binary: impl FnOnce() -> Encoded<'b>) -> Exec<'a> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Get { module, global, .. } => Exec::Get(self.find(module), global),
            WastExecute::Wat(_) => Exec::Make(self.make(binary())),
        }
    }
}

/// The reason that commands have whose module came to nothing.
pub(crate) const NOT_MADE: &str = "its module was not instantiated";

impl Planned {
    fn none(unmade: Unmade) -> Self {
        Self { instance: Err(unmade), changes: vec![] }
    }
}

impl From<clif_cont_wasm::Error> for Unmade {
    fn from(error: clif_cont_wasm::Error) -> Self {
        let at = error.offset.map(|o| format!(" (at offset {o:#x})")).unwrap_or_default();
        match error.kind {
            ErrorKind::Syntax => Self::Malformed(error.message + &at),
            ErrorKind::Invalid => Self::Invalid(error.message + &at),
            ErrorKind::Unsupported => Self::Skip(error.message),
            ErrorKind::Link => Self::Unlinkable(crate::unmade::UNKNOWN, error.message),
            ErrorKind::ImportType => Self::Unlinkable(crate::unmade::INCOMPATIBLE, error.message),
            ErrorKind::Internal => Self::Fault(format!("internal error: {}{at}", error.message)),
        }
    }
}

fn binary_of(module: &mut Wat<'_>) -> Result<Vec<u8>, Unmade> {
    if matches!(module, Wat::Component(_)) {
        return Err(components());
    }
    checked(module.encode())
}

fn binary(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Unmade> {
    if matches!(module, QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)) {
        return Err(components());
    }
    checked(module.encode())
}

fn components() -> Unmade {
    Unmade::Skip("components are not supported".to_owned())
}

fn checked(encoded: Result<Vec<u8>, wast::Error>) -> Result<Vec<u8>, Unmade> {
    let bytes = encoded.map_err(|e| Unmade::Malformed(e.message()))?;
    // The front end would take these bytes for a text.
    if bytes.starts_with(b"\0asm") { Ok(bytes) } else { Err(Unmade::Malformed("no magic number".to_owned())) }
}

/// The modules that a binary imports from, without `spectest`; and those of
/// them that its instantiation may change. What is wrong with the binary is not
/// said here.
fn imported_modules(binary: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut modules, mut shared) = (vec![], vec![]);
    let mut starts = false;
    for payload in Parser::new(0).parse_all(binary) {
        match payload {
            Ok(Payload::ImportSection(reader)) => {
                for import in reader.into_imports().map_while(Result::ok).filter(|i| i.module != SPECTEST) {
                    modules.push(import.module.to_owned());
                    if matches!(import.ty, TypeRef::Memory(_) | TypeRef::Table(_)) {
                        shared.push(import.module.to_owned());
                    }
                }
            }
            Ok(Payload::StartSection { .. }) => starts = true,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let changed = if starts { modules.clone() } else { shared };
    (modules, changed)
}
