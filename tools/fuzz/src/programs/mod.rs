//! Random programs: verified, as they are and after harmless edits, interpreted
//! with every layout, and run natively. Nothing may be found or left unproven, nothing may break a rule of the
//! interpreter's machine, and all have to agree on what the program does.

mod benign;
mod exhaust;
mod run;

pub(crate) use benign::edit;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use clif_cont_abi::{Isa, Trap};
use clif_cont_filetest::describe;
use clif_cont_generate::{Case, Expected, generate};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Finished, Outcome, Program, Target, compile};
use clif_cont_runner::Jit;
use clif_cont_verifier::{Finding, Profile, Report, Severity, verify, verify_in};
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::TargetIsa;
use fastrand::Rng;

pub use exhaust::{exhaust, exhaust_modules};
pub use run::{Events, Generated, UNREACHED, bytes, program, survey};
use run::{interpreted, lower};

use crate::campaign::diff;
use crate::func::text;
use crate::judge::panic_message;
use crate::native::{self, Ended};
use crate::parallel::parallel;
use crate::unit::targets;

/// Harmless edits tried in each function.
const EDITS_PER_FUNCTION: usize = 12;

/// The names of all harmless edits.
pub const EDITS: [&str; 8] = {
    let mut names = [""; 8];
    let mut i = 0;
    while i < names.len() {
        names[i] = benign::EDITS[i].0;
        i += 1;
    }
    names
};

/// A kind of [`Fault`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The verifier finds something in what we made of it, or of that after harmless edits.
    Alarm,
    /// It is refused, breaks a rule, panics, or does not do the same everywhere.
    Difference,
}

impl FaultKind {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Difference => "difference",
        }
    }
}

/// What is wrong with a program, or with what we make of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which of both.
    pub kind: FaultKind,
    /// Number of the case.
    pub case: usize,
    /// The bytes that the program is made of, in hexadecimal: some of the case's.
    pub bytes: String,
    /// What is wrong.
    pub what: String,
    /// The smallest program found that has it.
    pub program: String,
}

/// The result.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// Programs.
    pub programs: usize,
    /// Functions that were verified, those of the runtime and of each level included.
    pub functions: usize,
    /// Operations in them.
    pub operations: usize,
    /// Harmless edits after which it was verified again.
    pub edits: BTreeMap<&'static str, usize>,
    /// Invocations by how they ended.
    pub outcomes: BTreeMap<String, usize>,
    /// Comparisons that ended before the last invocation, because one side ran out of something.
    pub cut_short: usize,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Ran {
    /// Adds what came of others.
    fn add(&mut self, ran: Self) {
        self.programs += ran.programs;
        self.functions += ran.functions;
        self.operations += ran.operations;
        self.cut_short += ran.cut_short;
        self.faults.extend(ran.faults);
        for (edit, n) in ran.edits {
            *self.edits.entry(edit).or_default() += n;
        }
        for (outcome, n) in ran.outcomes {
            *self.outcomes.entry(outcome).or_default() += n;
        }
    }

    /// How many faults are of a kind.
    pub fn count(&self, kind: FaultKind) -> usize {
        self.faults.iter().filter(|f| f.kind == kind).count()
    }
}

/// What to do.
#[derive(Clone, Debug)]
pub struct ProgramsPlan {
    /// From it everything follows.
    pub seed: u64,
    /// Cases, by number.
    pub cases: std::ops::Range<usize>,
    /// Which harmless edits to try, of [`EDITS`].
    pub edits: Vec<String>,
    /// Smaller programs to try for each fault.
    pub attempts: usize,
    /// Threads.
    pub threads: usize,
    /// The command that runs programs natively, in a process of its own.
    pub native: Option<std::path::PathBuf>,
}

/// Generates and judges; `progress` is called after each case.
pub fn run_programs(plan: &ProgramsPlan, progress: &(dyn Fn(usize) + Sync)) -> Ran {
    let all = parallel(plan.cases.clone(), plan.threads, |case| {
        let ran = judge(plan, case);
        progress(case);
        ran
    });
    let mut sum = Ran::default();
    all.for_each(|ran| sum.add(ran));
    sum
}

fn judge(plan: &ProgramsPlan, case: usize) -> Ran {
    let mut ran = Ran { programs: 1, ..Ran::default() };
    let all = bytes(plan.seed, case);
    if let Err((kind, what)) = attempt(plan, case, &all, &mut ran) {
        let mut what = what;
        // a smaller program with another fault is no smaller one with this
        let rule = rule(&what).map(str::to_owned);
        let least = shrink(all, plan.attempts, |bytes| match attempt(plan, case, bytes, &mut Ran::default()) {
            Err((k, why)) if k == kind && self::rule(&why) == rule.as_deref() => {
                what = why;
                true
            }
            _ => false,
        });
        let program = script(&generate(&least));
        ran.faults.push(Fault { kind, case, bytes: hex(&least), what, program });
    }
    ran
}

/// The rule that a fault is about, if it is about one.
fn rule(what: &str) -> Option<&str> {
    what.split(' ').find(|word| word.starts_with("CC0"))
}

/// Fewer bytes that are still `wrong`: a prefix first, then without parts of it,
/// then with zeros, which are the plainest choices.
pub fn shrink(all: Vec<u8>, mut attempts: usize, mut wrong: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut least = all;
    let mut accept = |least: &mut Vec<u8>, next: Vec<u8>| {
        attempts = attempts.saturating_sub(1);
        let smaller = attempts > 0 && next != *least && wrong(&next);
        if smaller {
            *least = next;
        }
        smaller
    };
    let mut step = least.len() / 2;
    while step > 0 {
        let next = least[..least.len().saturating_sub(step)].to_vec();
        if least.is_empty() || !accept(&mut least, next) {
            step /= 2;
        }
    }
    for zero in [false, true] {
        let mut size = least.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < least.len() {
                let end = (at + size).min(least.len());
                let middle = if zero { vec![0; end - at] } else { vec![] };
                let next = [&least[..at], &middle, &least[end..]].concat();
                if !accept(&mut least, next) || zero {
                    at += size;
                }
            }
            size /= 2;
        }
    }
    least
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Bytes from hexadecimal, as a fault says them.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |n: usize| u8::from_str_radix(text.get(n..n + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn attempt(plan: &ProgramsPlan, case: usize, bytes: &[u8], ran: &mut Ran) -> Result<(), (FaultKind, String)> {
    checked(plan, case, bytes, &generate(bytes), ran)
}

/// One program, every way; panics are faults.
fn checked(
    plan: &ProgramsPlan,
    case: usize,
    bytes: &[u8],
    source: &Case,
    ran: &mut Ran,
) -> Result<(), (FaultKind, String)> {
    let one = || check(plan, case, bytes, source, ran);
    let checked =
        catch_unwind(AssertUnwindSafe(one)).unwrap_or_else(|p| Err(format!("panicked: {}", panic_message(&*p))));
    match checked {
        Ok(None) => Ok(()),
        Ok(Some(alarm)) => Err((FaultKind::Alarm, alarm)),
        Err(what) => Err((FaultKind::Difference, what)),
    }
}

/// The script of a program, which says nothing of what it does.
pub fn script(program: &Case) -> String {
    program.script(|_| Expected::Anything)
}

/// One program, every way; what the verifier finds, if it finds something.
fn check(
    plan: &ProgramsPlan,
    case: usize,
    bytes: &[u8],
    source: &Case,
    ran: &mut Ran,
) -> Result<Option<String>, String> {
    let mut alarm = None;
    let mut expected: Option<(String, Vec<String>)> = None;
    for target in targets() {
        let mut lowered = lower(source, target)?;
        let profile = Profile::clif_cont(&lowered.program.target.abi);
        for opt in OptLevel::ALL {
            let mut rng = Rng::with_seed(plan.seed ^ case as u64);
            let name = format!("{} {} --opt {}", target.isa.name(), target.abi.switch.name(), opt.name());
            let isa = target_isa(target, opt).map_err(|e| e.to_string())?;
            for f in &mut lowered.program.functions {
                compile::verify(&f.func, &*isa).map_err(|e| format!("{name}: {e}"))?;
                if opt == OptLevel::Speed {
                    f.optimize(&*isa).map_err(|e| format!("{name}: {e}"))?;
                }
            }
            let module = clif_cont::protocol::module(&lowered.program);
            for f in &lowered.program.functions {
                let report = verify_in(&f.func, &profile, &module);
                ran.functions += 1;
                ran.operations += report.operations.len();
                if let Some(finding) = error(&report) {
                    let inst = f.func.dfg.display_inst(finding.inst);
                    let (rule, verdict) = (finding.rule, finding.verdict.name());
                    let what = format!("{name}: {rule} {verdict} in {} at `{inst}`: {}", f.func.name, finding.message);
                    alarm.get_or_insert(what);
                    continue;
                }
                let found = edited(&f.func, (&profile, &*isa), &plan.edits, &mut rng, ran);
                if let Some(what) = found.map_err(|what| format!("{name}: {what}"))? {
                    alarm.get_or_insert(format!("{name}: {what}"));
                }
            }
            let ended = interpreted(&lowered, source).map_err(|e| format!("{name}: {e}"))?;
            match &expected {
                None => {
                    for o in &ended.outcomes {
                        *ran.outcomes.entry(run::kind(o)).or_default() += 1;
                    }
                    expected = Some((name, ended.lines()));
                }
                Some((first, before)) => {
                    let compared = agree(source, (first, before), (&name, &ended.lines()))?;
                    ran.cut_short += usize::from(!compared);
                }
            }
        }
    }
    let Some((first, before)) = expected else { return Ok(alarm) };
    for model in Isa::host().map_or(&[][..], Isa::switch_models) {
        let Some(command) = &plan.native else { break };
        let lines = natively(command, bytes, model.name())?;
        let compared = agree(source, (&first, &before), (&format!("natively, {}", model.name()), &lines))?;
        ran.cut_short += usize::from(!compared);
    }
    Ok(alarm)
}

/// Do two ways of running a program agree? False where one of them ran out of
/// something and the other did not: what is left then is not compared.
fn agree(case: &Case, (first, a): (&str, &[String]), (second, b): (&str, &[String])) -> Result<bool, String> {
    let scarce = |line: &String| {
        let exhausted = [Trap::StackExhausted, Trap::PoolExhausted, Trap::MemoryExhausted];
        *line == describe(&Outcome::OutOfFuel) || exhausted.iter().any(|t| line.ends_with(t.message()))
    };
    for n in 0..a.len().max(b.len()) {
        let floods = case.invocations.get(n).is_some_and(|i| i.floods);
        match (a.get(n), b.get(n)) {
            _ if floods => return Ok(true),
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) if scarce(x) || scarce(y) => return Ok(scarce(x) && scarce(y)),
            (x, y) => {
                let of = |line: Option<&String>| line.cloned().unwrap_or_else(|| "nothing".to_owned());
                let what = case.invocations.get(n).map_or("what was printed".to_owned(), |i| {
                    format!("invocation {n}, `{}` of module {}", i.export, i.module)
                });
                return Err(format!("{what}: {first} {}, {second} {}", of(x), of(y)));
            }
        }
    }
    Ok(true)
}

/// The first finding that is no warning: what is unreachable is one.
fn error(report: &Report) -> Option<&Finding> {
    report.findings.iter().find(|f| f.severity == Severity::Error)
}

/// Harmless edits, one after another: what is found after one of them, if something is.
fn edited(
    func: &Function,
    (profile, isa): (&Profile, &dyn TargetIsa),
    names: &[String],
    rng: &mut Rng,
    ran: &mut Ran,
) -> Result<Option<String>, String> {
    let mut func = func.clone();
    for _ in 0..EDITS_PER_FUNCTION {
        let before = func.clone();
        let Some(name) = benign::edit(&mut func, names, rng) else { continue };
        compile::verify(&func, isa).map_err(|e| format!("`{name}` is no edit that Cranelift accepts: {e}"))?;
        *ran.edits.entry(name).or_default() += 1;
        if let Some(finding) = error(&verify(&func, profile)) {
            return Ok(Some(format!(
                "after a harmless `{name}`: {} {} in {} at `{}`: {}\n{}",
                finding.rule,
                finding.verdict.name(),
                func.name,
                func.dfg.display_inst(finding.inst),
                finding.message,
                diff(&text(&before), &text(&func))
            )));
        }
    }
    Ok(None)
}

fn natively(command: &Path, bytes: &[u8], model: &str) -> Result<Vec<String>, String> {
    let mut child = std::process::Command::new(command);
    child.args(["native-program", "--switch", model, "--bytes", &hex(bytes)]);
    match native::wait(child).map_err(|e| format!("a child process cannot be run: {e}"))? {
        Ended::Code(0, output) => Ok(output.lines().map(str::to_owned).collect()),
        Ended::Code(code, output) => Err(format!("natively, {model}: exit code {code}: {}", output.trim())),
        Ended::Killed(how) => Err(format!("natively, {model}: {how}")),
    }
}

/// The child's part: runs a program in this process, and says what happened, a
/// line for each invocation.
///
/// # Errors
///
/// It cannot be run.
#[allow(unsafe_code)]
pub fn program_child(bytes: &[u8], target: Target) -> Result<Vec<String>, String> {
    let case = generate(bytes);
    let lowered = lower(&case, target)?;
    // SAFETY: a process of its own, made to run what the front end makes of random programs.
    let program = unsafe { Finished::unverified(Program::clone(&lowered.program), OptLevel::Speed) };
    let program = program.map_err(|e| e.to_string())?;
    let make = |host| Jit::new(&program, host, Default::default()).map_err(|e| e.to_string());
    let (ended, _) = lowered.run(&case, make)?;
    Ok(ended.lines())
}
