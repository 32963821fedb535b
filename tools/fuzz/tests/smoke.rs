//! A bounded campaign with a fixed seed: the harness works, the verifier does not
//! get worse, and neither it nor the interpreter panics.

#![allow(missing_docs, reason = "a test")]

use std::io::Write;
use std::path::PathBuf;

use clif_cont_fuzz::{Plan, Results, report, run, units};

/// Harmful mutants of this campaign that are not judged violated. It may only
/// become smaller.
const MISSED: usize = 94;

const PROGRAMS: [&str; 8] = [
    "generator",
    "scheduler",
    "chain",
    "switch-two",
    "bind-suspended",
    "handlers-100",
    "traps-consumed",
    "store-table",
];

fn campaign(cases: usize, threads: usize) -> Results {
    let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests/run");
    let names = PROGRAMS.map(str::to_owned);
    let units = units(&programs, &names).expect("test programs");
    assert_eq!(units.len(), PROGRAMS.len() * 8, "programs, targets, and levels");
    let plan = Plan { seed: 1, cases: 0..cases, kinds: vec![], rules: vec![], units, threads, native: None };
    run(&plan, &|_| ())
}

#[test]
fn harmful_mutants_are_found() {
    let results = campaign(1500, 2);
    let total = report::total(&results);
    let text = report::human(&results, 1, false);
    assert!(!results.mutants.iter().any(|m| m.bug.is_some()), "a bug of ours:\n{text}");
    assert!(total.mutants > 1_000 && total.harmful > 350, "{total:?}:\n{text}");
    assert!(results.unused.is_empty(), "{:?}", results.unused);
    let missed = total.unproven + total.missed;
    // not captured: how much was tried is part of the result
    let said = writeln!(
        std::io::stderr(),
        "{} mutants, {} harmful, {missed} of them not judged violated",
        total.mutants,
        total.harmful
    );
    said.expect("standard error");
    assert!(missed <= MISSED, "{missed} harmful mutants are not judged violated, {MISSED} were:\n{text}");
}

#[test]
fn the_seed_decides_and_not_the_threads() {
    let [one, three] = [1, 3].map(|threads| report::json_lines(&campaign(60, threads), 1));
    assert_eq!(one, three);
}
