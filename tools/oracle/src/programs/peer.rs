//! Programs on Wasmtime, each in a store of its own.

use clif_cont::program::Val as Own;
use clif_cont_generate::Case;
use wasmtime::{
    AsContextMut as _, Caller, Engine, ExternRef, Func, FuncType, Global, GlobalType, Instance, Linker, Mutability, OptLevel, Store,
    ThrownException, Trap, Val, ValType,
};

use super::seen::{Ended, Line, Seen, Step, parse, steps, value};
use super::traps::{Family, is_exhaustion, meanings};
use crate::engine::{compile, config};

/// The lanes.
pub(crate) const LANES: [(&str, OptLevel); 2] =
    [("Wasmtime 48.0.8 none", OptLevel::None), ("Wasmtime 48.0.8 speed", OptLevel::Speed)];

/// What the host knows.
#[derive(Default)]
struct State {
    printed: Vec<String>,
    reenter: Option<Func>,
}

/// The host function failed, because what it invoked did not return.
#[derive(Debug)]
struct HostFailed;

impl std::fmt::Display for HostFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what it invoked did not return")
    }
}

impl std::error::Error for HostFailed {}

/// Runs programs on one lane.
///
/// # Errors
///
/// There is no engine.
pub(crate) fn run(lane: usize, cases: &[Case], say: &mut dyn FnMut(Line)) -> Result<(), String> {
    let (name, opt) = LANES[lane];
    let engine = Engine::new(&config(opt)).map_err(|e| format!("{e:#}"))?;
    for (n, case) in cases.iter().enumerate() {
        say(Line { case: n, lane: name.to_owned(), seen: program(&engine, case) });
    }
    Ok(())
}

/// One program; or why it cannot run.
fn program(engine: &Engine, case: &Case) -> Result<Vec<Seen>, String> {
    let mut modules = vec![];
    for module in &case.modules {
        let binary = wat::parse_str(module).map_err(|e| e.to_string())?;
        modules.push(compile(engine, &binary).map_err(|e| reason(&e))?);
    }
    let mut store = Store::new(engine, State::default());
    let mut linker = Linker::new(engine);
    let spoken = |e: wasmtime::Error| reason(&format!("{e:#}"));
    spectest(&mut linker, &mut store).map_err(spoken)?;
    let mut instances: Vec<Instance> = vec![];
    for (n, module) in modules.iter().enumerate() {
        let instance = linker.instantiate(&mut store, module).map_err(spoken)?;
        linker.instance(&mut store, &format!("m{n}"), instance).map_err(spoken)?;
        instances.push(instance);
    }
    store.data_mut().reenter = instances[0].get_func(&mut store, "reenter");
    Ok(steps(case).iter().map(|step| invoke(&mut store, &instances, step)).collect())
}

fn invoke(store: &mut Store<State>, instances: &[Instance], step: &Step) -> Seen {
    let wrong = |what: String| Seen { ended: Ended::Wrong(what), printed: vec![] };
    let Some(function) = instances[step.module].get_func(&mut *store, &step.export) else {
        return wrong(format!("there is no `{}`", step.export));
    };
    let mut args = vec![];
    for arg in &step.args {
        args.push(match parse(arg) {
            Some(Own::I32(v)) => Val::I32(v),
            Some(Own::I64(v)) => Val::I64(v),
            Some(Own::F32(v)) => Val::F32(v),
            Some(Own::F64(v)) => Val::F64(v),
            Some(Own::Extern(Some(n))) => match ExternRef::new(&mut *store, n) {
                Ok(r) => Val::ExternRef(Some(r)),
                Err(e) => return wrong(format!("{e:#}")),
            },
            _ => return wrong(format!("no argument: {arg}")),
        });
    }
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    store.data_mut().printed.clear();
    let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function.call(&mut *store, &args, &mut results)));
    let ended = match called {
        Ok(Ok(())) => Ended::Returned(results.iter().map(shown).collect()),
        Ok(Err(error)) => {
            store.take_pending_exception();
            let word = word(&error);
            match meanings(Family::Wasmtime, &word).first() {
                Some(trap) if is_exhaustion(*trap) => Ended::Exhausted(word),
                _ => Ended::Trapped(word),
            }
        }
        Err(panic) => {
            let message = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(|s| &**s));
            Ended::Wrong(format!("a panic: {}", message.unwrap_or("no message")))
        }
    };
    Seen { ended, printed: std::mem::take(&mut store.data_mut().printed) }
}

/// An error in one word, as the table of traps has it; others in their own.
fn word(error: &wasmtime::Error) -> String {
    if error.is::<ThrownException>() {
        return "Exception".to_owned();
    }
    if error.is::<HostFailed>() {
        return "Host".to_owned();
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => format!("{trap:?}"),
        None => format!("{error:#}"),
    }
}

/// Why a module is refused, without where.
fn reason(text: &str) -> String {
    let what = text.rsplit("Unsupported feature: ").next().unwrap_or(text);
    let what = what.lines().next().unwrap_or_default();
    what.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn shown(v: &Val) -> String {
    match *v {
        Val::I32(v) => value(Own::I32(v)),
        Val::I64(v) => value(Own::I64(v)),
        Val::F32(v) => value(Own::F32(v)),
        Val::F64(v) => value(Own::F64(v)),
        _ => "ref".to_owned(),
    }
}

/// What programs import.
fn spectest(linker: &mut Linker<State>, store: &mut Store<State>) -> wasmtime::Result<()> {
    let prints: [(&str, &[ValType]); 3] = [
        ("print_i32", &[ValType::I32]),
        ("print_i64", &[ValType::I64]),
        ("print_f64_f64", &[ValType::F64, ValType::F64]),
    ];
    for (name, params) in prints {
        let ty = FuncType::new(store.engine(), params.iter().cloned(), []);
        let print = Func::new(&mut *store, ty, move |mut caller: Caller<'_, State>, args, _| {
            caller.data_mut().printed.extend(args.iter().map(shown));
            if let ([Val::I64(v)], Some(reenter)) = (args, caller.data().reenter) {
                let argument = [Val::I32(*v as i32)];
                if reenter.call(&mut caller, &argument, &mut []).is_err() {
                    caller.as_context_mut().take_pending_exception();
                    return Err(HostFailed.into());
                }
            }
            Ok(())
        });
        linker.define(&mut *store, "spectest", name, print)?;
    }
    let ty = GlobalType::new(ValType::I32, Mutability::Const);
    let global = Global::new(&mut *store, ty, Val::I32(666))?;
    linker.define(&mut *store, "spectest", "global_i32", global)?;
    Ok(())
}
