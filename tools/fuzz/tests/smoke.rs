//! A bounded campaign with a fixed seed: the harness works, the verifier does not
//! get worse, and neither it nor the interpreter panics.

#![allow(missing_docs, reason = "a test")]

use std::io::Write;
use std::path::PathBuf;

use clif_cont_abi::{Isa, Trap};
use clif_cont_fuzz::{
    Aspect, Case, DiffPlan, EDITS, Fault, FaultKind, Found, Kind, Plan, ProgramsPlan, Results, Row, UNREACHED, UnitId,
    construct, diff_report, exhaust, is_wrong, report, run, run_diff, run_programs, survey, units, wat_files,
};
use clif_cont_generate::Histogram;
use clif_cont_program::Target;

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
    assert!(results.bugs.is_empty() && !results.mutants.iter().any(|m| m.bug.is_some()), "a bug of ours:\n{text}");
    assert!(total.mutants > 1_000 && total.harmful > 350, "{total:?}:\n{text}");
    assert!(results.unused.is_empty(), "{:?}", results.unused);
    let missed = total.unproven + total.missed;
    for kind in Kind::ALL {
        let made = results.mutants.iter().filter(|m| m.kind == kind && m.aspect != Aspect::Own);
        assert!(made.count() >= 15, "hardly any mutant by `{}`:\n{text}", kind.name());
    }
    for aspect in Aspect::ALL {
        assert!(results.mutants.iter().any(|m| m.aspect == aspect), "no mutant of `{}`:\n{text}", aspect.name());
    }
    say(&format!("{} mutants, {} harmful, {missed} of them not judged violated", total.mutants, total.harmful));
    assert_eq!(missed, 0, "harmful mutants are not judged violated:\n{text}");
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
    for fault in Fault::ALL {
        assert!(results.all.iter().any(|f| f.fault == fault), "`{}` was never made:\n{text}", fault.name());
    }
    let missed = results.all.iter().filter(|f| f.found != Found::Violated).count();
    let meant = results.all.iter().filter(|f| f.as_meant()).count();
    let all = results.all.len();
    say(&format!("{all} faults by construction, {missed} of them not judged violated, {meant} by the rule meant"));
    assert_eq!(missed, 0, "faults by construction are not judged violated:\n{text}");
    assert!(meant * 100 >= (all - missed) * 95, "only {meant} of {all} are found by the rule that is meant:\n{text}");
}

#[test]
fn random_programs_are_proven_and_run_alike() {
    let native = Some(PathBuf::from(env!("CARGO_BIN_EXE_clif-cont-fuzz")));
    let edits = EDITS.map(str::to_owned).to_vec();
    let plan = ProgramsPlan { seed: 1, cases: 0..60, edits, attempts: 0, threads: 2, native };
    let ran = run_programs(&plan, &|_| ());
    let text = report::ran(&ran, 1);
    let [alarms, differences] = [FaultKind::Alarm, FaultKind::Difference].map(|kind| ran.count(kind));
    let (programs, functions) = (ran.programs, ran.functions);
    say(&format!("{programs} random programs, {functions} functions, {alarms} alarms, {differences} differences"));
    assert!(ran.programs == 60 && ran.functions > 10_000 && ran.operations > 10_000, "{text}");
    assert!(ran.outcomes.get("returned").is_some_and(|n| *n > 200), "{text}");
    assert!(alarms + differences == 0, "{text}");
}

#[test]
fn all_small_programs_are_proven_and_run_alike() {
    let ran = exhaust(3, 2, &|_| ());
    let text = report::ran(&ran, 0);
    say(&format!("all {} programs of at most three operations", ran.programs));
    // of n operations in a row, the first function ends before, between or behind them
    assert_eq!(ran.programs, 1 + 2 * 13 + 3 * 13_usize.pow(2) + 4 * 13_usize.pow(3));
    assert_eq!(ran.outcomes.values().sum::<usize>(), ran.programs);
    for what in ["returned", Trap::NullContinuation.message(), Trap::Consumed.message(), Trap::UnhandledTag.message()] {
        assert!(ran.outcomes.contains_key(what), "none ended so: {what}\n{text}");
    }
    assert!(ran.faults.is_empty(), "{text}");
}

/// Everything that the generator knows of is generated, and every trap executed.
#[test]
fn generated_programs_reach_everything() {
    let all = survey(1, 0..2_000, 2, Target::new(Isa::X86_64), &|_| ());
    // continuations run out where addresses have 32 bits
    let narrow = survey(1, 0..200, 2, Target::new(Isa::Pulley32), &|_| ());
    let text = report::generated(&all, 1);
    assert_eq!((all.programs, narrow.programs), (2_000, 200));
    assert!(all.wrong.is_empty() && narrow.wrong.is_empty(), "{:?}\n{text}", narrow.wrong);
    let count = |name: &str| all.histogram.counts.get(name).copied().unwrap_or_default();
    let missing: Vec<String> = Histogram::all().into_iter().filter(|name| count(name) == 0).collect();
    assert!(missing.is_empty(), "never generated: {missing:?}\n{text}");
    let executed = |t: &&Trap| [&all, &narrow].iter().any(|all| all.outcomes.contains_key(t.message()));
    let missing: Vec<&Trap> = Trap::ALL.iter().filter(|t| !UNREACHED.contains(t) && !executed(t)).collect();
    assert!(missing.is_empty(), "never executed: {missing:?}\n{text}");
    say(&format!("{} programs, {} returned first, {} deep", all.programs, all.first_returned, all.events.deep));
    assert!(all.first_returned > 1_500 && all.events.programs > 1_500 && all.events.deep > 700, "{text}");
    assert!(all.events.live >= 64 && all.events.happened.get("suspended").is_some_and(|n| *n > 20_000), "{text}");
}

#[test]
fn the_comparison_shows_faults_and_nothing_else() {
    let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests/run");
    let programs = wat_files(&programs).expect("test programs");
    let cases = run_diff(&DiffPlan { seed: 1, cases: 0..150, programs, threads: 2 }, &|| ());
    let text = diff_report(&cases);
    let wrong: Vec<_> = cases.iter().filter(|c| is_wrong(c)).map(|c| format!("{c:?}")).collect();
    assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
    let faults: Vec<&Case> = cases.iter().filter(|c| !c.harmless).collect();
    let row = Row::of(&faults);
    say(&format!(
        "{} harmless edits, {} faults: {} lines at most",
        cases.len() - faults.len(),
        row.faults,
        row.at(100)
    ));
    assert!(row.faults >= 100 && cases.len() >= 280, "{text}");
    assert!(row.at(50) <= 2 && row.at(90) <= 4 && row.at(100) <= 12, "{text}");
    assert!(row.named * 100 >= row.lines.len() * 99, "{text}");
}
