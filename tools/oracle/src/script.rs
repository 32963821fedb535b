//! A script on Wasmtime, directive by directive. All its instances are in one
//! store, and what its modules import comes from registered instances and from
//! `spectest`.
//!
//! It is independent of this project's script runner: they share the parser
//! of scripts, and nothing else.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use clif_cont_abi::Trap;
use wasmtime::{
    Engine, Extern, Func, FuncType, Global, GlobalType, Instance, Linker, Memory, MemoryType, Mutability, Ref, RefType,
    Store, Table, TableType, Val, ValType,
};
use wast::token::Id;
use wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use crate::engine::{compile, engine};
use crate::modules::{InputError, places, with_script};
use crate::value::{NO_CONTINUATIONS, argument, meets, names, show, trap};

/// How a directive ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As the script says.
    Holds,
    /// Not as the script says; this happened instead.
    Differs(String),
    /// It was not run, for this reason.
    Skipped(String),
}

/// A directive of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// Its line, from 1.
    pub line: usize,
    /// Its text, in one line.
    pub text: String,
    /// How it ended.
    pub verdict: Verdict,
}

/// A script that was run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// Its directives, in order.
    pub directives: Vec<Directive>,
    /// What the functions of `spectest` printed.
    pub printed: Vec<String>,
}

/// Runs a script.
///
/// # Errors
///
/// [`InputError`] for a script that cannot be parsed, and when there is no engine.
pub fn run(text: &str) -> Result<Script, InputError> {
    let engine = engine().map_err(|e| InputError(format!("{e:#}")))?;
    let mut runner = Runner::new(&engine).map_err(|e| InputError(format!("{e:#}")))?;
    let directives = with_script(text, |directives| {
        let mut done = vec![];
        for (place, directive) in places(text, &directives).into_iter().zip(directives) {
            let verdict = catch_unwind(AssertUnwindSafe(|| runner.directive(directive)))
                .unwrap_or_else(|_| Err(Miss::Differs("a panic of Wasmtime".to_owned())));
            let verdict = match verdict {
                Ok(()) => Verdict::Holds,
                Err(Miss::Differs(actual)) => Verdict::Differs(actual),
                Err(Miss::Skip(reason)) => Verdict::Skipped(reason),
            };
            done.push(Directive { line: place.line, text: place.text, verdict });
        }
        Ok(done)
    })?;
    let printed = runner.printed.lock().map(|lines| lines.clone()).unwrap_or_default();
    Ok(Script { directives, printed })
}

enum Miss {
    Differs(String),
    Skip(String),
}

type Made = Result<Instance, String>;

/// What came of a module or an invocation.
enum Outcome {
    Returned(Vec<Val>),
    Trapped(Trap),
    Malformed(String),
    Unlinkable(String),
    /// An error that no program causes.
    Failed(String),
}

struct Runner {
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    printed: Arc<Mutex<Vec<String>>>,
    current: Made,
    named: BTreeMap<String, Made>,
    definitions: BTreeMap<String, Vec<u8>>,
}

impl Runner {
    fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        let printed = Arc::default();
        spectest(&mut linker, &mut store, &printed)?;
        let current = Err("there is no module yet".to_owned());
        let (named, definitions) = Default::default();
        Ok(Self { engine: engine.clone(), store, linker, printed, current, named, definitions })
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Result<(), Miss> {
        match directive {
            WastDirective::Module(mut module) => {
                let id = module.name();
                let made = encode(&mut module).and_then(|binary| self.instantiate(&binary));
                self.enter(id, made)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let key = module.name().map_or("", |id| id.name()).to_owned();
                let binary = encode(&mut module).map_err(|o| self.differs(&o))?;
                self.compile(&binary).map_err(|o| self.differs(&o))?;
                self.definitions.insert(String::new(), binary.clone());
                self.definitions.insert(key, binary);
                Ok(())
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let key = module.map_or("", |id| id.name());
                let made = match self.definitions.get(key).cloned() {
                    Some(binary) => self.instantiate(&binary),
                    None => Err(Outcome::Failed("there is no such definition".to_owned())),
                };
                self.enter(instance, made)
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.find(module)?;
                let registered = self.linker.instance(&mut self.store, name, instance);
                registered.map(drop).map_err(|e| Miss::Differs(format!("{e:#}")))
            }
            WastDirective::Invoke(invoke) => match self.invoke(&invoke)? {
                Outcome::Returned(_) => Ok(()),
                outcome => Err(self.differs(&outcome)),
            },
            WastDirective::AssertReturn { exec, results, .. } => self.returns(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => self.ends(exec, |trap| names(message, trap)),
            WastDirective::AssertExhaustion { call, .. } => {
                self.ends(WastExecute::Invoke(call), |trap| trap == Trap::StackExhausted)
            }
            WastDirective::AssertException { exec, .. } => self.ends(exec, |trap| trap == Trap::UncaughtException),
            WastDirective::AssertSuspension { exec, .. } => self.ends(exec, |trap| trap == Trap::UnhandledTag),
            WastDirective::AssertMalformed { mut module, .. } | WastDirective::AssertInvalid { mut module, .. } => {
                match encode(&mut module).and_then(|binary| self.compile(&binary)) {
                    Err(Outcome::Malformed(_)) => Ok(()),
                    Err(outcome) => Err(self.differs(&outcome)),
                    Ok(_) => Err(Miss::Differs("a valid module".to_owned())),
                }
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                match encode(&mut QuoteWat::Wat(module)).and_then(|binary| self.instantiate(&binary)) {
                    Err(Outcome::Unlinkable(_)) => Ok(()),
                    Err(outcome) => Err(self.differs(&outcome)),
                    Ok(_) => Err(Miss::Differs("an instance".to_owned())),
                }
            }
            WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
                Err(Miss::Skip("custom sections are not checked".to_owned()))
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                Err(Miss::Skip("threads are not supported".to_owned()))
            }
        }
    }

    fn enter(&mut self, id: Option<Id<'_>>, made: Result<Instance, Outcome>) -> Result<(), Miss> {
        let entry = made.as_ref().map(|i| *i).map_err(|_| "its module was not instantiated".to_owned());
        if let Some(id) = id {
            self.named.insert(id.name().to_owned(), entry.clone());
        }
        self.current = entry;
        made.map(drop).map_err(|outcome| self.differs(&outcome))
    }

    fn find(&self, id: Option<Id<'_>>) -> Result<Instance, Miss> {
        let entry = match id {
            None => Some(&self.current),
            Some(id) => self.named.get(id.name()),
        };
        match entry {
            Some(Ok(instance)) => Ok(*instance),
            Some(Err(reason)) => Err(Miss::Skip(reason.clone())),
            None => Err(Miss::Differs("there is no such module".to_owned())),
        }
    }

    fn compile(&self, binary: &[u8]) -> Result<wasmtime::Module, Outcome> {
        compile(&self.engine, binary).map_err(Outcome::Malformed)
    }

    fn instantiate(&mut self, binary: &[u8]) -> Result<Instance, Outcome> {
        let module = self.compile(binary)?;
        let linked = self.linker.instantiate_pre(&module).map_err(|e| Outcome::Unlinkable(format!("{e:#}")))?;
        linked.instantiate(&mut self.store).map_err(|e| match trap(&e) {
            Some(trap) => Outcome::Trapped(trap),
            None => Outcome::Unlinkable(format!("{e:#}")),
        })
    }

    fn export(&mut self, module: Option<Id<'_>>, name: &str) -> Result<Extern, Miss> {
        let instance = self.find(module)?;
        let export = instance.get_export(&mut self.store, name);
        export.ok_or_else(|| Miss::Differs(format!("there is no export `{name}`")))
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome, Miss> {
        let Extern::Func(function) = self.export(invoke.module, invoke.name)? else {
            return Err(Miss::Differs("it is no function".to_owned()));
        };
        let ty = function.ty(&self.store);
        if ty.params().chain(ty.results()).any(|t| is_cont(&t)) {
            return Err(Miss::Skip(NO_CONTINUATIONS.to_owned()));
        }
        let params: Vec<ValType> = ty.params().collect();
        let args = invoke.args.iter().enumerate().map(|(i, arg)| argument(arg, params.get(i), &mut self.store));
        let args = args.collect::<Result<Vec<_>, _>>().map_err(Miss::Skip)?;
        let mut results = vec![Val::I32(0); ty.results().len()];
        Ok(match function.call(&mut self.store, &args, &mut results) {
            Ok(()) => Outcome::Returned(results),
            Err(error) => match trap(&error) {
                Some(trap) => {
                    self.store.take_pending_exception();
                    Outcome::Trapped(trap)
                }
                None => Outcome::Failed(format!("{error:#}")),
            },
        })
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Result<Outcome, Miss> {
        Ok(match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke)?,
            WastExecute::Wat(wat) => {
                match encode(&mut QuoteWat::Wat(wat)).and_then(|binary| self.instantiate(&binary)) {
                    Ok(_) => Outcome::Returned(vec![]),
                    Err(outcome) => outcome,
                }
            }
            WastExecute::Get { module, global, .. } => match self.export(module, global)? {
                Extern::Global(global) if is_cont(global.ty(&self.store).content()) => {
                    return Err(Miss::Skip(NO_CONTINUATIONS.to_owned()));
                }
                Extern::Global(global) => Outcome::Returned(vec![global.get(&mut self.store)]),
                _ => return Err(Miss::Differs("it is no global".to_owned())),
            },
        })
    }

    fn returns(&mut self, exec: WastExecute<'_>, results: &[WastRet<'_>]) -> Result<(), Miss> {
        let outcome = self.execute(exec)?;
        match &outcome {
            Outcome::Returned(values)
                if values.len() == results.len()
                    && values.iter().zip(results).all(|(value, expected)| meets(value, expected, &self.store)) =>
            {
                Ok(())
            }
            _ => Err(self.differs(&outcome)),
        }
    }

    fn ends(&mut self, exec: WastExecute<'_>, wanted: impl Fn(Trap) -> bool) -> Result<(), Miss> {
        match self.execute(exec)? {
            Outcome::Trapped(trap) if wanted(trap) => Ok(()),
            outcome => Err(self.differs(&outcome)),
        }
    }

    fn differs(&self, outcome: &Outcome) -> Miss {
        Miss::Differs(match outcome {
            Outcome::Returned(values) => {
                format!("({})", values.iter().map(|v| show(v, &self.store)).collect::<Vec<_>>().join(", "))
            }
            Outcome::Trapped(trap) => format!("trap: {}", trap.message()),
            Outcome::Malformed(message) => message.clone(),
            Outcome::Unlinkable(message) => format!("unlinkable: {message}"),
            Outcome::Failed(message) => message.clone(),
        })
    }
}

fn is_cont(ty: &ValType) -> bool {
    matches!(ty, ValType::Ref(r) if matches!(r.heap_type().top(), wasmtime::HeapType::Cont))
}

/// A module of the script as a binary.
fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Outcome> {
    if matches!(module, QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)) {
        return Err(Outcome::Failed("components are not supported".to_owned()));
    }
    module.encode().map_err(|e| Outcome::Malformed(format!("malformed: {}", e.message())))
}

/// What every script may import.
fn spectest(linker: &mut Linker<()>, store: &mut Store<()>, printed: &Arc<Mutex<Vec<String>>>) -> wasmtime::Result<()> {
    let prints: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[ValType::I32]),
        ("print_i64", &[ValType::I64]),
        ("print_f32", &[ValType::F32]),
        ("print_f64", &[ValType::F64]),
        ("print_i32_f32", &[ValType::I32, ValType::F32]),
        ("print_f64_f64", &[ValType::F64, ValType::F64]),
    ];
    for (name, params) in prints {
        let lines = Arc::clone(printed);
        let ty = FuncType::new(store.engine(), params.iter().cloned(), []);
        let print = Func::new(&mut *store, ty, move |_, args, _| {
            if let Ok(mut lines) = lines.lock() {
                lines.extend(args.iter().filter_map(line_of));
            }
            Ok(())
        });
        linker.define(&mut *store, "spectest", name, print)?;
    }
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6_f32.to_bits())),
        ("global_f64", Val::F64(666.6_f64.to_bits())),
    ];
    for (name, value) in globals {
        let ty = GlobalType::new(value.ty(&*store)?, Mutability::Const);
        let global = Global::new(&mut *store, ty, value)?;
        linker.define(&mut *store, "spectest", name, global)?;
    }
    let table = Table::new(&mut *store, TableType::new(RefType::FUNCREF, 10, Some(20)), Ref::Func(None))?;
    linker.define(&mut *store, "spectest", "table", table)?;
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(&mut *store, "spectest", "memory", memory)?;
    Ok(())
}

/// The line that is printed for a value.
fn line_of(value: &Val) -> Option<String> {
    use clif_cont::program::Val as Ours;
    let ours = match *value {
        Val::I32(v) => Ours::I32(v),
        Val::I64(v) => Ours::I64(v),
        Val::F32(bits) => Ours::F32(bits),
        Val::F64(bits) => Ours::F64(bits),
        _ => return None,
    };
    Some(clif_cont::wasm::printed(ours))
}
