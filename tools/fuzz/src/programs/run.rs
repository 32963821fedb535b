//! Generated programs: made of a seed and a number, lowered, and run.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use clif_cont_abi::Trap;
use clif_cont_filetest::describe;
use clif_cont_generate::{Case, Number, generate};
use clif_cont_interp::{Happened, Interp, Options, TraceKind};
use clif_cont_program::{Host, HostError, HostImport, Instance, Invoker, Outcome, Program, Target, Val};
use clif_cont_wasm::{Features, Instantiated, Item, LinkSet, Spectest};
use fastrand::Rng;

/// Instructions that an invocation may execute under the interpreter.
pub(crate) const FUEL: u64 = 4_000_000;
/// The most bytes that a program is made of.
const MOST: usize = 3000;

/// The bytes that a case's program is made of.
pub fn bytes(seed: u64, case: usize) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed.rotate_left(32) ^ (case as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let n = rng.usize(20..MOST);
    (0..n).map(|_| rng.u8(..)).collect()
}

/// A case's program.
pub fn program(seed: u64, case: usize) -> Case {
    generate(&bytes(seed, case))
}

/// A program, and its instances.
pub(crate) struct Lowered {
    pub(crate) program: Program,
    pub(crate) instances: Vec<Instantiated>,
}

/// Lowers the modules of a program into one link set.
pub(crate) fn lower(case: &Case, target: Target) -> Result<Lowered, String> {
    let binaries: Vec<Vec<u8>> =
        case.modules.iter().map(|m| wat::parse_str(m).map_err(|e| e.to_string())).collect::<Result<_, _>>()?;
    let mut set = LinkSet::new(target);
    let mut ids = vec![];
    for binary in &binaries {
        let resolve = |name: &str| ids.get(name.strip_prefix('m')?.parse::<usize>().ok()?).copied();
        let id = set.instantiate(binary, Features::ALL, &resolve).map_err(|e| format!("not lowered: {e}"))?;
        ids.push(id);
    }
    let linked = set.finish().map_err(|e| format!("not lowered: {e}"))?;
    let made =
        |id: &clif_cont_wasm::InstanceId| linked.instances[id.index()].clone().map_err(|e| format!("not lowered: {e}"));
    // the first is `spectest`, which has no order of its own
    let instances = ids.iter().map(made).collect::<Result<_, _>>()?;
    Ok(Lowered { program: linked.program, instances })
}

/// `spectest`, which invokes `reenter` of the first module for each `print_i64`.
/// When that does not return, the host function fails.
struct Reentering {
    printed: Rc<RefCell<Vec<String>>>,
    reenter: Option<String>,
}

impl Host for Reentering {
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        let lines = Rc::clone(&self.printed);
        let print = move |line: &str| {
            lines.borrow_mut().push(line.to_owned());
            Ok(())
        };
        let results = Spectest::new(print).call(import, args, program)?;
        if let (Some(reenter), "print_i64", [Val::I64(v)]) = (&self.reenter, import.name.as_str(), args) {
            let outcome = program.invoke(reenter, &[Val::I32(*v as i32)]);
            self.printed.borrow_mut().push(format!("re-entered, it {}", describe(&outcome)));
            if !matches!(outcome, Outcome::Returned(_)) {
                return Err(HostError("what it invoked did not return".to_owned()));
            }
        }
        Ok(results)
    }
}

/// What a program did.
pub(crate) struct Ended {
    /// How each invocation ended.
    pub(crate) outcomes: Vec<Outcome>,
    /// What the host saw meanwhile.
    pub(crate) printed: Vec<String>,
    /// Everything that was invoked, instantiations included.
    invoked: u64,
}

impl Ended {
    /// In words, a line for each invocation, and what was printed.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.outcomes.iter().map(describe).chain(self.printed.iter().map(|p| format!("printed {p}"))).collect()
    }
}

impl Lowered {
    fn reenter(&self) -> Option<String> {
        match self.instances.first()?.exports.get("reenter")? {
            Item::Function { export, .. } => Some(export.clone()),
            _ => None,
        }
    }

    /// Makes an instance of the program with the host, and invokes everything in turn.
    ///
    /// # Errors
    ///
    /// In words, when something could not be invoked.
    pub(crate) fn run<I: Instance>(
        &self,
        case: &Case,
        make: impl FnOnce(Box<dyn Host>) -> Result<I, String>,
    ) -> Result<(Ended, I), String> {
        let printed = Rc::default();
        let mut instance = make(Box::new(Reentering { printed: Rc::clone(&printed), reenter: self.reenter() }))?;
        let (mut outcomes, mut invoked) = (vec![], case.invocations.len() as u64);
        for made in &self.instances {
            for (export, unfit) in [(&made.fits, Some(Val::I32(0))), (&made.init, None)] {
                let Some(export) = export else { continue };
                invoked += 1;
                match instance.invoke(export, &[]).map_err(|e| e.to_string())? {
                    Outcome::Returned(values) if unfit.is_none_or(|u| values != [u]) => {}
                    outcome => return Err(format!("instantiated, it {}", describe(&outcome))),
                }
            }
        }
        for invocation in &case.invocations {
            let found = self.instances.get(invocation.module).and_then(|i| i.exports.get(&invocation.export));
            let Some(Item::Function { export, .. }) = found else {
                return Err(format!("there is no `{}` to invoke", invocation.export));
            };
            let args: Vec<Val> = invocation.args.iter().map(|n| value(*n)).collect();
            outcomes.push(instance.invoke(export, &args).map_err(|e| e.to_string())?);
        }
        let printed = printed.take();
        Ok((Ended { outcomes, printed, invoked }, instance))
    }
}

fn value(n: Number) -> Val {
    match n {
        Number::I32(v) => Val::I32(v),
        Number::I64(v) => Val::I64(v),
        Number::F32(v) => Val::F32(v),
        Number::F64(v) => Val::F64(v),
        Number::Extern(v) => Val::Extern(Some(v)),
    }
}

/// Interprets a program; violations are errors.
pub(crate) fn interpreted(lowered: &Lowered, case: &Case) -> Result<Ended, String> {
    traced(lowered, case, false).map(|(ended, _)| ended)
}

/// What continuations did while a program was interpreted.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Events {
    /// Programs that did anything with continuations.
    pub programs: usize,
    /// How often each thing happened to one.
    pub happened: BTreeMap<&'static str, u64>,
    /// The most that lived at a time.
    pub live: u64,
    /// Instructions.
    pub steps: u64,
    /// Programs in which something was resumed or switched to at least ten times.
    pub deep: usize,
}

fn traced(lowered: &Lowered, case: &Case, trace: bool) -> Result<(Ended, Events), String> {
    let options = Options { fuel: Some(FUEL), ..Options::default() };
    let (ended, interp) = lowered.run(case, |host| {
        let mut interp = Interp::unverified(lowered.program.clone(), host, options).map_err(|e| e.to_string())?;
        if trace {
            interp.start_trace();
        }
        Ok(interp)
    })?;
    if let Some(wrong) = ended
        .outcomes
        .iter()
        .find(|o| matches!(o, Outcome::Violation(_) | Outcome::Unsupported(_) | Outcome::OutOfMemory(_)))
    {
        return Err(format!("interpreted, it {}", describe(wrong)));
    }
    let mut events = Events { steps: interp.steps(), ..Events::default() };
    if trace {
        let (all, _) = interp.trace();
        let (mut live, mut started) = (BTreeSet::new(), 0u64);
        for event in all.filter(|e| e.continuation > 0) {
            let TraceKind::Happened(what) = event.kind else { continue };
            *events.happened.entry(what.name()).or_default() += 1;
            match what {
                Happened::Created => {
                    live.insert(event.continuation);
                }
                Happened::Ended => {
                    live.remove(&event.continuation);
                }
                Happened::Resumed => started += 1,
                _ => {}
            }
            events.live = events.live.max(live.len() as u64);
        }
        // the invocations themselves are continuations
        let own = ended.invoked;
        events.programs = usize::from(started > own);
        events.deep = usize::from(started >= own + 10);
    }
    Ok((ended, events))
}

/// Generated programs, and what came of them.
#[derive(Clone, Default, Debug)]
pub struct Generated {
    /// Programs.
    pub programs: usize,
    /// What they consist of.
    pub histogram: clif_cont_generate::Histogram,
    /// Invocations by how they ended: `returned`, or a trap's message.
    pub outcomes: BTreeMap<String, usize>,
    /// Of the first invocation of each program, those that returned.
    pub first_returned: usize,
    /// What continuations did.
    pub events: Events,
    /// What could not be lowered or broke a rule of the interpreter, by case.
    pub wrong: Vec<(usize, String)>,
}

/// Interprets programs, with the layouts of `target`, and counts what is in them and what they do.
pub fn survey(
    seed: u64,
    cases: std::ops::Range<usize>,
    threads: usize,
    target: Target,
    progress: &(dyn Fn(usize) + Sync),
) -> Generated {
    let each = |n: usize| {
        let case = program(seed, n);
        let ran = lower(&case, target).and_then(|lowered| traced(&lowered, &case, true));
        progress(n);
        (n, case, ran)
    };
    let mut sum = Generated::default();
    for (n, case, ran) in crate::parallel::parallel(cases, threads, each) {
        sum.programs += 1;
        sum.histogram.add(&case.histogram);
        match ran {
            Err(why) => sum.wrong.push((n, why)),
            Ok((ended, events)) => {
                let first = case.invocations.iter().position(|i| i.export == "main");
                sum.first_returned +=
                    usize::from(first.is_some_and(|f| matches!(ended.outcomes[f], Outcome::Returned(_))));
                for o in &ended.outcomes {
                    *sum.outcomes.entry(kind(o)).or_default() += 1;
                }
                for (what, n) in events.happened {
                    *sum.events.happened.entry(what).or_default() += n;
                }
                sum.events.programs += events.programs;
                sum.events.deep += events.deep;
                sum.events.steps += events.steps;
                sum.events.live = sum.events.live.max(events.live);
            }
        }
    }
    sum
}

/// How an invocation ended, without numbers.
pub(crate) fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(_) => "returned".to_owned(),
        Outcome::Trapped(t) => t.trap.message().to_owned(),
        Outcome::Violation(_) => "violation".to_owned(),
        Outcome::Unsupported(_) => "unsupported".to_owned(),
        Outcome::OutOfFuel => "out of fuel".to_owned(),
        Outcome::OutOfMemory(_) => "out of the host's memory".to_owned(),
    }
}

/// Traps that no program reaches in this much time: a bug of the lowering, and as
/// many uses of one stack as a 32-bit word counts.
pub const UNREACHED: [Trap; 2] = [Trap::UnexpectedEffect, Trap::RevisionExhausted];
