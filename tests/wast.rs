//! Every script of `clif-tests/wast` as a test of its own: under the
//! interpreter, of either byte order and width, and wherever compiled code can
//! run here.

#![allow(clippy::print_stderr, reason = "a test")]

use std::path::Path;
use std::process::ExitCode;

use clif_cont::abi::Isa;
use clif_cont::program::target::OptLevel;
use clif_cont::protocol::Protocol;
use clif_cont::script::{BOUND, Backend, Place};
use clif_cont::wast::{Options, silent};
use libtest_mimic::{Arguments, Failed, Trial};

/// Runs a script everywhere; an unavailable place fails where everything is
/// required.
fn run(text: &str) -> Result<(), Failed> {
    let mut places = Place::all();
    places.extend([Isa::S390x, Isa::Pulley32, Isa::Pulley32be].map(Place::Interpreter));
    let mut failures = String::new();
    for place in places {
        if let Some(reason) = place.available().reason() {
            // There is no code, ever, that runs these.
            let never = matches!(place, Place::Compiled(isa, _) if isa.is_pulley());
            if !never && std::env::var("CLIF_CONT_REQUIRE").is_ok_and(|v| v == "all") {
                failures.push_str(&format!("\nnot run on {place}: {reason}"));
            }
            continue;
        }
        for opt in OptLevel::ALL {
            let mut backend = Backend { place, opt, bound: BOUND, protocol: Protocol::VERIFY };
            let report = clif_cont::wast::run(text, &mut backend, &Options::default(), silent())?;
            if report.passed + report.returned == 0 {
                failures.push_str(&format!("\nnothing passed on {place}"));
            }
            for failure in &report.failures {
                failures.push_str(&format!("\n{failure}, on {place} at {}", opt.name()));
            }
            for skip in &report.skips {
                failures.push_str(&format!("\nline {}: skipped on {place}: {}", skip.line, skip.reason));
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("clif-tests/wast");
    let mut trials = vec![];
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) => {
            eprintln!("cannot read {}: {error}", directory.display());
            return ExitCode::FAILURE;
        }
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        // what is known of the scripts lies beside them
        if path.extension().is_none_or(|e| e != "wast") {
            continue;
        }
        trials.push(Trial::test(format!("wast/{name}"), move || run(&std::fs::read_to_string(path)?)));
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    if trials.is_empty() {
        eprintln!("there is no script in {}", directory.display());
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
