//! The suites: all files, under the interpreter, natively, as Pulley bytecode, and
//! on each emulated ISA. Whatever is skipped has to be in
//! `clif-tests/core/unsupported.txt`, and the other way round.

#![allow(clippy::print_stderr, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clif_cont::abi::Isa;
use clif_cont::script::Place;
use clif_cont_suite::{File, Skips, list, run, skips, suites, unsupported};
use libtest_mimic::{Arguments, Failed, Trial};

const LIST: &str = "clif-tests/core/unsupported.txt";

fn expected() -> Result<Skips, Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Ok(unsupported(&std::fs::read_to_string(root.join(LIST))?)?)
}

/// What the suites of a place amount to.
#[derive(Clone, Copy, Default)]
struct Total {
    suites: usize,
    files: usize,
    passed: usize,
    skipped: usize,
}

/// The line of a place in the README, which has all its suites.
fn stated(place: Place, total: Total) -> Result<(), Failed> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))?;
    let Total { files, passed, skipped, .. } = total;
    let line = format!("{place}: {files} files: {passed} passed, 0 failed, {skipped} skipped");
    if readme.lines().any(|l| l == line) { Ok(()) } else { Err(format!("the README does not say `{line}`").into()) }
}

/// Runs the files of a suite; `of` is the number of suites, and `totals` what came of others.
fn suite(place: Place, files: &[File], of: usize, totals: &Mutex<BTreeMap<String, Total>>) -> Result<(), Failed> {
    if let Some(reason) = place.available().reason() {
        let required = std::env::var("CLIF_CONT_REQUIRE").is_ok_and(|v| v == "all");
        eprintln!("not run on {place}: {reason}");
        return if required { Err(reason.into()) } else { Ok(()) };
    }
    let mut expected = expected()?;
    expected.retain(|(name, _), _| files.iter().any(|f| f.to_string() == *name));
    let (mut failures, mut skipped, mut passed, mut count) = (String::new(), Skips::new(), 0, 0);
    for file in files {
        let report = run(file, place).map_err(|e| format!("{file}: {e}"))?;
        for failure in &report.failures {
            failures += &format!("\n{file}: {failure}");
        }
        passed += report.passed;
        count += report.skips.len();
        skipped.extend(skips(file, &report));
    }
    if passed == 0 {
        failures += "\nnothing passed";
    }
    if skipped != expected {
        failures += &format!("\nskipped:\n{}{LIST} has for these files:\n{}", list(&skipped), list(&expected));
    }
    if !failures.is_empty() {
        return Err(failures.into());
    }
    let total = {
        let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
        let total = totals.entry(place.to_string()).or_default();
        total.suites += 1;
        total.files += files.len();
        total.passed += passed;
        total.skipped += count;
        *total
    };
    if total.suites == of { stated(place, total) } else { Ok(()) }
}

/// All lines of the README say the same: a place does what the others do.
fn lines_agree() -> Result<(), Failed> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))?;
    let lines = readme.lines().filter(|l| l.ends_with(" skipped") && l.contains(" files: "));
    let lines: Vec<_> = lines.filter_map(|l| l.split_once(": ")).collect();
    let first = lines.first().ok_or("the README has no line of a place")?.1;
    for (place, counts) in &lines {
        if Place::parse(place).is_none() || *counts != first {
            return Err(format!("the README says `{counts}` of {place}, and `{first}` of another").into());
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let all = suites();
    let mut names: Vec<String> = all.iter().map(|f| f.suite.clone()).collect();
    names.dedup();
    let totals = Arc::new(Mutex::new(BTreeMap::new()));
    let mut trials = vec![Trial::test("README", lines_agree)];
    // what no machine runs is not listed here either
    let runs = |place: &Place| !matches!(place, Place::Compiled(isa, _) if isa.is_pulley() && *isa != Isa::Pulley64);
    for place in Place::all().into_iter().filter(runs) {
        for name in &names {
            let files: Vec<File> = all.iter().filter(|f| f.suite == *name).cloned().collect();
            let (of, totals) = (names.len(), Arc::clone(&totals));
            trials.push(Trial::test(format!("{place}/{name}"), move || suite(place, &files, of, &totals)));
        }
    }
    if names.is_empty() {
        eprintln!("there are no suites");
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
