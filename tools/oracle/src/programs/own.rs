//! Programs on this project's backends: many in one link set, so that they are
//! lowered, compiled, linked and started together.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use clif_cont::backend::{self, Engine};
use clif_cont::finish::{Finish, finish};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Finished, Host, HostError, HostImport, Instance, Invoker, Outcome, Target, Val};
use clif_cont::protocol::Protocol;
use clif_cont::wasm::{Features, Instantiated, Item, LinkSet, Spectest};
use clif_cont::elf::{Executable, Vectors};
use clif_cont_generate::{Case, WHOLE};

use super::seen::{Ended, Line, Seen, Step, ended, parse, steps, value};

/// Instructions for each program, interpreted.
const FUEL: u64 = 40_000_000;
/// Time for an invocation of an executable.
const LIMIT: Duration = Duration::from_secs(60);

/// How a program runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    Interpreted,
    Compiled(Engine, Vectors),
}

/// Everything that runs programs of a target, with its name.
pub(crate) fn lanes(target: Target, opt: OptLevel) -> Vec<(String, How)> {
    let isa = target.isa;
    let name = |how: &str| format!("{how} {} {} {}", isa.name(), target.abi.switch.name(), opt.name());
    let mut all = vec![(name("interpreter"), How::Interpreted)];
    for engine in Engine::of(isa).iter().filter(|e| **e != Engine::Pulley || isa.width() == clif_cont_abi::PointerWidth::W64) {
        let what = match engine {
            Engine::InProcess => "process",
            Engine::Executable => "executable",
            Engine::Pulley => "bytecode",
        };
        all.push((name(what), How::Compiled(*engine, Vectors::Off)));
        if isa == clif_cont_abi::Isa::Riscv64 {
            all.push((name("vectors"), How::Compiled(*engine, Vectors::On)));
        }
    }
    all
}

/// A program in the link set.
struct Prepared {
    steps: Vec<Step>,
    instances: Vec<Instantiated>,
}

impl Prepared {
    fn function(&self, module: usize, export: &str) -> Option<&str> {
        match self.instances.get(module)?.exports.get(export)? {
            Item::Function { export, .. } => Some(export),
            _ => None,
        }
    }
}

/// What the host knows of the program that runs.
#[derive(Default)]
struct Running {
    printed: Vec<String>,
    reenter: Option<String>,
}

struct Reentering(Rc<RefCell<Running>>);

impl Host for Reentering {
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        let results = Spectest::silent().call(import, args, program)?;
        let mut running = self.0.borrow_mut();
        running.printed.extend(args.iter().map(|a| value(*a)));
        let reenter = running.reenter.clone();
        drop(running);
        if let (Some(reenter), "print_i64", [Val::I64(v)]) = (reenter, import.name.as_str(), args)
            && !matches!(program.invoke(&reenter, &[Val::I32(*v as i32)]), Outcome::Returned(_))
        {
            return Err(HostError("what it invoked did not return".to_owned()));
        }
        Ok(results)
    }
}

/// Runs programs on the lanes of a target that are `wanted`.
///
/// # Errors
///
/// What could not be lowered, compiled or started; with several programs it may
/// be because of one of them.
pub(crate) fn run(
    target: Target,
    cases: &[Case],
    wanted: &dyn Fn(&str) -> bool,
    say: &mut dyn FnMut(Line),
) -> Result<(), String> {
    let binaries: Vec<Vec<Vec<u8>>> = cases
        .iter()
        .map(|c| c.modules.iter().map(|m| wat::parse_str(m).map_err(|e| e.to_string())).collect())
        .collect::<Result<_, String>>()?;
    let mut set = LinkSet::new(target);
    let mut all = vec![];
    for modules in &binaries {
        let mut ids = vec![];
        for module in modules {
            let resolve = |name: &str| ids.get(name.strip_prefix('m')?.parse::<usize>().ok()?).copied();
            ids.push(set.instantiate(module, Features::ALL, &resolve).map_err(|e| format!("not lowered: {e}"))?);
        }
        all.push(ids);
    }
    let linked = set.finish().map_err(|e| format!("not lowered: {e}"))?;
    let mut prepared = vec![];
    for (case, ids) in cases.iter().zip(all) {
        let instances = ids.iter().map(|id| linked.instances[id.index()].clone().map_err(|e| e.to_string()));
        prepared.push(Prepared { steps: steps(case), instances: instances.collect::<Result<_, _>>()? });
    }
    for opt in OptLevel::ALL {
        let lanes: Vec<_> = lanes(target, opt).into_iter().filter(|(name, _)| wanted(name)).collect();
        if lanes.is_empty() {
            continue;
        }
        // SAFETY: the front end's own code, in a process made to run it; that it keeps the protocol is
        // judged by `clif-cont-fuzz programs`, with the same programs.
        let how = Finish { opt, protocol: unsafe { Protocol::trust() } };
        let program = finish(&linked.program, how).map_err(|e| e.to_string())?;
        super::emitted::check(&program)?;
        for (name, how) in lanes {
            let running: Rc<RefCell<Running>> = Rc::default();
            let host = Box::new(Reentering(Rc::clone(&running)));
            let ran = start(&program, how, host, cases.len() as u64).and_then(|mut instance| match instance {
                Ok(ref mut instance) => each(&mut **instance, &prepared, &running, how).map(Ok),
                Err(reason) => Ok(Err(reason)),
            });
            let ran = ran.map_err(|e| format!("{name}: {e}"))?;
            for case in 0..cases.len() {
                let seen = ran.as_ref().map(|all| all[case].clone()).map_err(Clone::clone);
                say(Line { case, lane: name.clone(), seen });
            }
        }
    }
    Ok(())
}

/// An instance, or why there is none here.
type Started = Result<Box<dyn Instance>, String>;

fn start(program: &Finished, how: How, host: Box<dyn Host>, cases: u64) -> Result<Started, String> {
    let absent = |e: backend::BackendError| match e {
        backend::BackendError::Unavailable(reason) => Ok(Err(reason)),
        e => Err(e.to_string()),
    };
    match how {
        How::Interpreted => {
            let bound = backend::Bound { fuel: Some(FUEL * cases), memory: 8 << 30 };
            Ok(Ok(Box::new(backend::interpreter(program, bound, host).map_err(|e| e.to_string())?)))
        }
        How::Compiled(Engine::Executable, vectors) => {
            let options = clif_cont::elf::Options { timeout: Some(LIMIT), vectors };
            match Executable::launch(program, host, &options) {
                Ok(remote) => Ok(Ok(Box::new(remote))),
                Err(e) => absent(e.into()),
            }
        }
        How::Compiled(engine, _) => match backend::compiled(program, engine, host, None) {
            Ok(instance) => Ok(Ok(instance)),
            Err(e) => absent(e),
        },
    }
}

/// Instantiates everything, invokes what does not flood of each program in turn, and then what does.
fn each(
    instance: &mut dyn Instance,
    all: &[Prepared],
    running: &RefCell<Running>,
    how: How,
) -> Result<Vec<Vec<Seen>>, String> {
    for made in all.iter().flat_map(|p| &p.instances) {
        for (export, unfit) in [(&made.fits, Some(Val::I32(0))), (&made.init, None)] {
            let Some(export) = export else { continue };
            match instance.invoke(export, &[]).map_err(|e| e.to_string())? {
                Outcome::Returned(values) if unfit.is_none_or(|u| values != [u]) => {}
                outcome => return Err(format!("instantiated, it {:?}", ended(&outcome))),
            }
        }
    }
    let mut seen: Vec<Vec<Seen>> = all.iter().map(|_| vec![]).collect();
    for floods in [false, true] {
        for (program, seen) in all.iter().zip(&mut seen) {
            running.borrow_mut().reenter = program.function(0, "reenter").map(str::to_owned);
            for step in program.steps.iter().filter(|s| s.floods == floods) {
                if how == How::Interpreted && step.export == WHOLE {
                    let ended = Ended::Skipped("the whole memory, interpreted".to_owned());
                    seen.push(Seen { ended, printed: vec![] });
                    continue;
                }
                let export = program.function(step.module, &step.export);
                let export = export.ok_or_else(|| format!("there is no `{}` to invoke", step.export))?;
                let args: Option<Vec<Val>> = step.args.iter().map(|a| parse(a)).collect();
                let args = args.ok_or("an argument that is none")?;
                running.borrow_mut().printed.clear();
                let outcome = instance.invoke(export, &args).map_err(|e| e.to_string())?;
                let printed = std::mem::take(&mut running.borrow_mut().printed);
                seen.push(Seen { ended: ended(&outcome), printed });
            }
        }
    }
    Ok(seen)
}
