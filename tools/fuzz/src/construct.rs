//! Every fault that is harmful by construction, in every operation that the
//! verifier recognised, of lowerings of our own or of any CLIF files.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use clif_cont_program::compile;
use clif_cont_verifier::{Finding, Profile, Report, Severity, Verdict, verify};
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::TargetIsa;

use crate::campaign::{Found, diff};
use crate::faults::Fault;
use crate::func::text;
use crate::judge::panic_message;
use crate::parallel::parallel;
use crate::unit::{Unit, UnitId};

/// A faulty function and what became of it.
#[derive(Clone, Debug)]
pub struct Faulty {
    /// Where the function is from.
    pub source: String,
    /// Its name.
    pub function: String,
    /// The operation, by its kind.
    pub operation: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
    /// The verdict.
    pub found: Found,
    /// The rules named.
    pub rules: Vec<&'static str>,
    /// The change.
    pub diff: String,
    /// A panic of the verifier.
    pub bug: Option<String>,
}

impl Faulty {
    /// Found by a rule that is meant for it?
    pub fn as_meant(&self) -> bool {
        self.found == Found::Violated && self.fault.rules().iter().any(|r| self.rules.contains(r))
    }
}

/// The result.
#[derive(Clone, Debug, Default)]
pub struct Constructed {
    /// In the order of sources, functions, operations, faults.
    pub all: Vec<Faulty>,
    /// Faulty functions that Cranelift's verifier rejected.
    pub rejected: usize,
    /// Checks that cannot fail, and so were not left out.
    pub void: usize,
    /// Functions that were damaged.
    pub functions: usize,
    /// Operations in them.
    pub operations: usize,
    /// What is found in them undamaged, by rule; it does not count when they
    /// are damaged.
    pub undamaged: BTreeMap<String, usize>,
    /// What was not used, and why.
    pub unused: BTreeMap<String, usize>,
}

impl Constructed {
    fn merge(&mut self, other: Self) {
        self.all.extend(other.all);
        self.rejected += other.rejected;
        self.void += other.void;
        self.functions += other.functions;
        self.operations += other.operations;
        for (what, n) in other.undamaged {
            *self.undamaged.entry(what).or_default() += n;
        }
        for (why, n) in other.unused {
            *self.unused.entry(why).or_default() += n;
        }
    }
}

/// How a report judges, and by which rules; what was found undamaged does not
/// count.
pub(crate) fn verdict(report: &Report, undamaged: &[Finding]) -> (Found, Vec<&'static str>) {
    let mut before: Vec<_> = undamaged.iter().map(|f| (f.rule, f.verdict, &f.message)).collect();
    let new = report.findings.iter().filter(|f| f.severity == Severity::Error).filter(|f| {
        let known = before.iter().position(|b| *b == (f.rule, f.verdict, &f.message));
        known.map(|n| before.swap_remove(n)).is_none()
    });
    let new: Vec<_> = new.collect();
    let violated = new.iter().any(|f| f.verdict == Verdict::Violated);
    let found = match (violated, new.is_empty()) {
        (true, _) => Found::Violated,
        (false, true) => Found::Nothing,
        (false, false) => Found::Unproven,
    };
    let wanted = if violated { Verdict::Violated } else { Verdict::Unproven };
    let mut rules: Vec<_> = new.iter().filter(|f| f.verdict == wanted).map(|f| f.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    (found, rules)
}

/// Puts every fault into every operation of a function.
fn damage(source: &str, func: &Function, profile: &Profile, isa: &dyn TargetIsa, only: &[Fault]) -> Constructed {
    let mut out = Constructed::default();
    let report = match catch_unwind(AssertUnwindSafe(|| verify(func, profile))) {
        Ok(report) => report,
        Err(p) => {
            out.unused.insert(format!("the verifier panicked: {}", panic_message(&*p)), 1);
            return out;
        }
    };
    if report.operations.is_empty() {
        return out;
    }
    for finding in &report.findings {
        *out.undamaged.entry(format!("{} {}", finding.rule, finding.verdict.name())).or_default() += 1;
    }
    out.functions = 1;
    out.operations = report.operations.len();
    let before = text(func);
    for operation in &report.operations {
        for fault in Fault::ALL.into_iter().filter(|f| only.is_empty() || only.contains(f)) {
            if fault.is_void(func, operation, profile) {
                out.void += 1;
                continue;
            }
            let mut faulty = func.clone();
            if fault.apply(&mut faulty, operation).is_none() {
                continue;
            }
            if compile::verify(&faulty, isa).is_err() {
                out.rejected += 1;
                continue;
            }
            let after = text(&faulty);
            if after == before {
                continue;
            }
            let (mut found, mut rules, mut bug) = (Found::Nothing, vec![], None);
            match catch_unwind(AssertUnwindSafe(|| verify(&faulty, profile))) {
                Ok(faulty) => (found, rules) = verdict(&faulty, &report.findings),
                Err(p) => bug = Some(panic_message(&*p)),
            }
            out.all.push(Faulty {
                source: source.to_owned(),
                function: func.name.to_string(),
                operation: operation.kind.name(),
                fault,
                found,
                rules,
                // most are found, and nobody reads those
                diff: if found == Found::Violated { String::new() } else { diff(&before, &after) },
                bug,
            });
        }
    }
    out
}

/// Each item of a list by one of several threads, and what all gave.
fn each_of<T: Sync>(items: &[T], threads: usize, each: impl Fn(&T) -> Constructed + Sync) -> Constructed {
    let mut all = Constructed::default();
    for made in parallel(0..items.len(), threads, |n| each(&items[n])) {
        all.merge(made);
    }
    all
}

/// Faults in lowerings of our own.
pub fn construct(units: &[UnitId], only: &[Fault], threads: usize, progress: &(dyn Fn() + Sync)) -> Constructed {
    each_of(units, threads, |id| {
        let made = catch_unwind(AssertUnwindSafe(|| Unit::make(id)));
        let out = match made.unwrap_or_else(|p| Err(format!("panicked: {}", panic_message(&*p)))) {
            Err(why) => Constructed { unused: [(why, 1)].into(), ..Constructed::default() },
            Ok(unit) => {
                let mut out = Constructed::default();
                for f in &unit.program.functions {
                    out.merge(damage(&id.to_string(), &f.func, &unit.profile, &*unit.isa, only));
                }
                out
            }
        };
        progress();
        out
    })
}

/// Faults in the `.clif` files of a directory, which keep the ABI of a profile.
/// Each function is verified undamaged first; what is found then is counted, and
/// does not count as finding a fault.
pub fn construct_files(
    files: &[PathBuf],
    profile: &Profile,
    isa: &dyn TargetIsa,
    only: &[Fault],
    threads: usize,
    progress: &(dyn Fn() + Sync),
) -> Constructed {
    let isa = Shared(isa);
    each_of(files, threads, |file| {
        let mut out = Constructed::default();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read(file) {
            Err(why) => {
                out.unused.insert(why, 1);
            }
            Ok(functions) => {
                for func in functions {
                    if compile::verify(&func, isa.0).is_err() {
                        *out.unused.entry("Cranelift's verifier rejects it".to_owned()).or_default() += 1;
                        continue;
                    }
                    out.merge(damage(&name, &func, profile, isa.0, only));
                }
            }
        }
        progress();
        out
    })
}

/// `TargetIsa` is `Send` and `Sync`; the reference only has to say so.
struct Shared<'a>(&'a dyn TargetIsa);

fn read(file: &Path) -> Result<Vec<Function>, String> {
    let source = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    // the reader has assertions of its own about malformed text
    match catch_unwind(|| cranelift_reader::parse_functions(&source)) {
        Ok(Ok(functions)) => Ok(functions),
        Ok(Err(_)) => Err("it is not CLIF".to_owned()),
        Err(_) => Err("the CLIF reader failed on it".to_owned()),
    }
}

/// The `.clif` files of a directory and of those in it, by name.
///
/// # Errors
///
/// A directory cannot be read.
pub fn clif_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = vec![];
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(clif_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "clif") {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}
