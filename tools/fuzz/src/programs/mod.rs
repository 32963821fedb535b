//! Random programs: verified, as they are and after harmless edits, interpreted
//! with every layout, and run natively. Nothing may be found or left unproven, nothing may break a rule of the
//! interpreter's machine, and all have to agree on what the program does.

mod benign;
mod generate;

pub(crate) use benign::edit;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use clif_cont_abi::Isa;
use clif_cont_filetest::describe;
use clif_cont_interp::{Interp, Options};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Finished, Instance, Outcome, Program, Target, Val, compile};
use clif_cont_runner::Jit;
use clif_cont_verifier::{Finding, Profile, Report, Severity, verify, verify_in};
use clif_cont_wasm::Spectest;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::TargetIsa;
use fastrand::Rng;

use crate::campaign::diff;
use crate::func::text;
use crate::judge::panic_message;
use crate::native::{self, Ended};
use crate::parallel::parallel;
use crate::unit::targets;

/// Instructions that an invocation may execute under the interpreter.
const FUEL: u64 = 300_000;
/// The arguments with which each export is invoked, in turn.
const ARGUMENTS: [i32; 3] = [0, 7, -3];
/// The most bytes that a program is made of.
const MOST: usize = 1500;

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

/// What is wrong with a program, or with what we make of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Number of the case.
    pub case: usize,
    /// Bytes that it takes; a prefix of the case's.
    pub bytes: usize,
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
    /// Programs that were not run natively as well: they do not end soon.
    pub long: usize,
    /// What is wrong.
    pub faults: Vec<Fault>,
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
    /// Threads.
    pub threads: usize,
    /// The command that runs programs natively, in a process of its own.
    pub native: Option<std::path::PathBuf>,
}

/// The bytes of a case.
fn bytes(seed: u64, case: usize) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed.rotate_left(32) ^ (case as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let n = rng.usize(20..MOST);
    (0..n).map(|_| rng.u8(..)).collect()
}

/// The text of a case's program, of a prefix of its bytes.
pub fn program(seed: u64, case: usize, length: usize) -> String {
    let bytes = bytes(seed, case);
    generate::generate(&bytes[..length.min(bytes.len())]).unwrap_or_default()
}

/// Generates and judges; `progress` is called after each case.
pub fn run_programs(plan: &ProgramsPlan, progress: &(dyn Fn(usize) + Sync)) -> Ran {
    let all = parallel(plan.cases.clone(), plan.threads, |case| {
        let ran = judge(plan, case);
        progress(case);
        ran
    });
    let mut sum = Ran::default();
    for ran in all {
        sum.programs += ran.programs;
        sum.functions += ran.functions;
        sum.operations += ran.operations;
        sum.long += ran.long;
        sum.faults.extend(ran.faults);
        for (edit, n) in ran.edits {
            *sum.edits.entry(edit).or_default() += n;
        }
        for (outcome, n) in ran.outcomes {
            *sum.outcomes.entry(outcome).or_default() += n;
        }
    }
    sum
}

fn judge(plan: &ProgramsPlan, case: usize) -> Ran {
    let mut ran = Ran { programs: 1, ..Ran::default() };
    let full = bytes(plan.seed, case).len();
    if let Err(what) = attempt(plan, case, full, &mut ran) {
        // by size: a prefix that still goes wrong, however
        let mut least = (full, what);
        let mut length = full / 2;
        while length > 0 && least.0 > 1 {
            let step = length;
            match attempt(plan, case, least.0 - step.min(least.0), &mut Ran::default()) {
                Err(what) => least = (least.0 - step.min(least.0), what),
                Ok(()) => length /= 2,
            }
        }
        let (bytes, what) = least;
        ran.faults.push(Fault { case, bytes, what, program: program(plan.seed, case, bytes) });
    }
    ran
}

fn attempt(plan: &ProgramsPlan, case: usize, length: usize, ran: &mut Ran) -> Result<(), String> {
    let source = program(plan.seed, case, length);
    let one = || check(plan, case, length, &source, ran);
    catch_unwind(AssertUnwindSafe(one)).unwrap_or_else(|p| Err(format!("panicked: {}", panic_message(&*p))))
}

fn lower(source: &str, target: Target) -> Result<Program, String> {
    let lowered = clif_cont_wasm::compile(source.as_bytes(), "program.wat", target, &Default::default());
    lowered.map_err(|e| format!("not lowered: {e}"))
}

/// One program, every way.
fn check(plan: &ProgramsPlan, case: usize, length: usize, source: &str, ran: &mut Ran) -> Result<(), String> {
    let mut expected: Option<(String, Vec<String>)> = None;
    let mut ends = true;
    for target in targets() {
        let mut program = lower(source, target)?;
        let profile = Profile::clif_cont(&program.target.abi);
        for opt in OptLevel::ALL {
            let mut rng = Rng::with_seed(plan.seed ^ case as u64);
            let name = format!("{} {} --opt {}", target.isa.name(), target.abi.switch.name(), opt.name());
            let isa = target_isa(target, opt).map_err(|e| e.to_string())?;
            for f in &mut program.functions {
                compile::verify(&f.func, &*isa).map_err(|e| format!("{name}: {e}"))?;
                if opt == OptLevel::Speed {
                    f.optimize(&*isa).map_err(|e| format!("{name}: {e}"))?;
                }
            }
            let module = program.module();
            for f in &program.functions {
                let report = verify_in(&f.func, &profile, &module);
                ran.functions += 1;
                ran.operations += report.operations.len();
                if let Some(finding) = error(&report) {
                    let inst = f.func.dfg.display_inst(finding.inst);
                    return Err(format!(
                        "{name}: {} {} in {} at `{inst}`: {}",
                        finding.rule,
                        finding.verdict.name(),
                        f.func.name,
                        finding.message
                    ));
                }
                edited(&f.func, (&profile, &*isa), &plan.edits, &mut rng, ran)
                    .map_err(|what| format!("{name}: {what}"))?;
            }
            let (outcomes, ended) = interpreted(&program)?;
            ends &= ended;
            match &expected {
                None => {
                    for o in &outcomes {
                        // numbers are not told apart
                        let kind = o.split('(').next().unwrap_or_default().trim();
                        *ran.outcomes.entry(kind.to_owned()).or_default() += 1;
                    }
                    expected = Some((name, outcomes));
                }
                // how much fuel it takes depends on the target
                Some((first, before)) if ends && *before != outcomes => {
                    return Err(differ(first, before, &name, &outcomes));
                }
                Some(_) => {}
            }
        }
    }
    let Some((first, before)) = expected else { return Ok(()) };
    if !ends {
        ran.long += 1;
        return Ok(());
    }
    for model in Isa::host().map_or(&[][..], Isa::switch_models) {
        let Some(command) = &plan.native else { break };
        let outcomes = natively(command, plan.seed, case, length, model.name())?;
        if before != outcomes {
            return Err(differ(&first, &before, &format!("natively, {}", model.name()), &outcomes));
        }
    }
    Ok(())
}

/// The first finding that is no warning: what is unreachable is one.
fn error(report: &Report) -> Option<&Finding> {
    report.findings.iter().find(|f| f.severity == Severity::Error)
}

/// Harmless edits, one after another: nothing is found after any of them.
fn edited(
    func: &Function,
    (profile, isa): (&Profile, &dyn TargetIsa),
    names: &[String],
    rng: &mut Rng,
    ran: &mut Ran,
) -> Result<(), String> {
    let mut func = func.clone();
    for _ in 0..EDITS_PER_FUNCTION {
        let before = func.clone();
        let Some(name) = benign::edit(&mut func, names, rng) else { continue };
        compile::verify(&func, isa).map_err(|e| format!("`{name}` is no edit that Cranelift accepts: {e}"))?;
        *ran.edits.entry(name).or_default() += 1;
        if let Some(finding) = error(&verify(&func, profile)) {
            return Err(format!(
                "after a harmless `{name}`: {} {} in {} at `{}`: {}\n{}",
                finding.rule,
                finding.verdict.name(),
                func.name,
                func.dfg.display_inst(finding.inst),
                finding.message,
                diff(&text(&before), &text(&func))
            ));
        }
    }
    Ok(())
}

fn differ(first: &str, a: &[String], second: &str, b: &[String]) -> String {
    let at = a.iter().zip(b).position(|(x, y)| x != y).unwrap_or(a.len().min(b.len()));
    let of = |list: &[String]| list.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
    format!("invocation {at}: {first} {}, {second} {}", of(a), of(b))
}

/// Invokes everything in turn: what happened, in words.
fn invoke_all(instance: &mut dyn Instance) -> Result<Vec<Outcome>, String> {
    let mut all = vec![];
    for export in generate::EXPORTS {
        for argument in ARGUMENTS {
            all.push(instance.invoke(export, &[Val::I32(argument)]).map_err(|e| e.to_string())?);
        }
    }
    Ok(all)
}

fn interpreted(program: &Program) -> Result<(Vec<String>, bool), String> {
    let options = Options { fuel: Some(FUEL), ..Options::default() };
    let host = Box::new(Spectest::silent());
    let mut interp = Interp::unverified(program.clone(), host, options).map_err(|e| e.to_string())?;
    let outcomes = invoke_all(&mut interp)?;
    let ended = !outcomes.contains(&Outcome::OutOfFuel);
    if let Some(wrong) =
        outcomes.iter().find(|o| matches!(o, Outcome::Violation(_) | Outcome::Unsupported(_) | Outcome::OutOfMemory(_)))
        && ended
    {
        return Err(format!("interpreted, it {}", describe(wrong)));
    }
    Ok((outcomes.iter().map(describe).collect(), ended))
}

fn natively(command: &Path, seed: u64, case: usize, length: usize, model: &str) -> Result<Vec<String>, String> {
    let mut child = std::process::Command::new(command);
    let [seed, case, length] = [seed.to_string(), case.to_string(), length.to_string()];
    child.args(["native-program", "--seed", &seed, "--case", &case, "--bytes", &length, "--switch", model]);
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
pub fn program_child(seed: u64, case: usize, length: usize, target: Target) -> Result<Vec<String>, String> {
    let program = lower(&program(seed, case, length), target)?;
    // SAFETY: a process of its own, made to run what the front end makes of random programs.
    let program = unsafe { Finished::unverified(program, OptLevel::Speed) }.map_err(|e| e.to_string())?;
    let host = Box::new(Spectest::silent());
    let mut jit = Jit::new(&program, host, Default::default()).map_err(|e| e.to_string())?;
    Ok(invoke_all(&mut jit)?.iter().map(describe).collect())
}
