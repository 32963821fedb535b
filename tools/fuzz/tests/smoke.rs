//! A bounded campaign with a fixed seed: the harness works, the verifier does not
//! get worse, and neither it nor the interpreter panics.

#![allow(missing_docs, reason = "a test")]

use std::io::Write;
use std::path::PathBuf;

use clif_cont_fuzz::{Found, Plan, Results, UnitId, construct, report, run, units};

/// Harmful mutants of this campaign that are not judged violated. It may only
/// become smaller.
const MISSED: usize = 94;

/// The same of the faults that are harmful by construction.
const MISSED_BY_CONSTRUCTION: usize = 167;

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

fn lowerings() -> Vec<UnitId> {
    let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests/run");
    let names = PROGRAMS.map(str::to_owned);
    let units = units(&programs, &names).expect("test programs");
    assert_eq!(units.len(), PROGRAMS.len() * 8, "programs, targets, and levels");
    units
}

fn campaign(cases: usize, threads: usize) -> Results {
    let units = lowerings();
    let plan = Plan { seed: 1, cases: 0..cases, kinds: vec![], rules: vec![], units, threads, native: None };
    run(&plan, &|_| ())
}

/// Not captured: how much was tried is part of the result.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
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
    say(&format!("{} mutants, {} harmful, {missed} of them not judged violated", total.mutants, total.harmful));
    assert!(missed <= MISSED, "{missed} harmful mutants are not judged violated, {MISSED} were:\n{text}");
}

#[test]
fn the_seed_decides_and_not_the_threads() {
    let [one, three] = [1, 3].map(|threads| report::json_lines(&campaign(60, threads), 1));
    assert_eq!(one, three);
}

#[test]
fn faults_by_construction_are_found() {
    let mut units = lowerings();
    // every operation is in these
    units.retain(|u| ["generator.wat", "switch-two.wat", "bind-suspended.wat"].contains(&u.program().as_str()));
    let results = construct(&units, &[], 2, &|| ());
    let text = report::constructed(&results);
    assert!(results.all.iter().all(|f| f.bug.is_none()), "a bug of ours:\n{text}");
    assert!(results.all.len() > 2_000 && results.unused.is_empty(), "{} faults:\n{text}", results.all.len());
    let missed = results.all.iter().filter(|f| f.found != Found::Violated).count();
    let meant = results.all.iter().filter(|f| f.as_meant()).count();
    let all = results.all.len();
    say(&format!("{all} faults by construction, {missed} of them not judged violated, {meant} by the rule meant"));
    assert!(
        missed <= MISSED_BY_CONSTRUCTION,
        "{missed} faults are not judged violated, {MISSED_BY_CONSTRUCTION} were:\n{text}"
    );
    assert!(meant * 100 >= (all - missed) * 95, "only {meant} of {all} are found by the rule that is meant:\n{text}");
}
