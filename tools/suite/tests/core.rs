//! The suites: all files, under the interpreter, natively, as Pulley bytecode, and
//! on each emulated ISA. Whatever is skipped has to be in
//! `clif-tests/core/unsupported.txt`, and the other way round.

#![allow(clippy::print_stderr, reason = "a test")]

use std::path::Path;
use std::process::ExitCode;

use clif_cont::abi::Isa;
use clif_cont::script::Place;
use clif_cont_suite::{File, Skips, list, run, skips, suites, unsupported};
use libtest_mimic::{Arguments, Failed, Trial};

const LIST: &str = "clif-tests/core/unsupported.txt";

fn expected() -> Result<Skips, Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Ok(unsupported(&std::fs::read_to_string(root.join(LIST))?)?)
}

/// Runs the files of a suite.
fn suite(place: Place, files: &[File]) -> Result<(), Failed> {
    if let Some(reason) = place.available().reason() {
        let required = std::env::var("CLIF_CONT_REQUIRE").is_ok_and(|v| v == "all");
        eprintln!("not run on {place}: {reason}");
        return if required { Err(reason.into()) } else { Ok(()) };
    }
    let mut expected = expected()?;
    expected.retain(|(name, _), _| files.iter().any(|f| f.to_string() == *name));
    let (mut failures, mut skipped, mut passed) = (String::new(), Skips::new(), 0);
    for file in files {
        let report = run(file, place).map_err(|e| format!("{file}: {e}"))?;
        for failure in &report.failures {
            failures += &format!("\n{file}: {failure}");
        }
        passed += report.passed;
        skipped.extend(skips(file, &report));
    }
    if passed == 0 {
        failures += "\nnothing passed";
    }
    if skipped != expected {
        failures += &format!("\nskipped:\n{}{LIST} has for these files:\n{}", list(&skipped), list(&expected));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let all = suites();
    let mut names: Vec<String> = all.iter().map(|f| f.suite.clone()).collect();
    names.dedup();
    let mut trials = vec![];
    // what no machine runs is not listed here either
    let runs = |place: &Place| !matches!(place, Place::Compiled(isa, _) if isa.is_pulley() && *isa != Isa::Pulley64);
    for place in Place::all().into_iter().filter(runs) {
        for name in &names {
            let files: Vec<File> = all.iter().filter(|f| f.suite == *name).cloned().collect();
            trials.push(Trial::test(format!("{place}/{name}"), move || suite(place, &files)));
        }
    }
    if trials.is_empty() {
        eprintln!("there are no suites");
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
