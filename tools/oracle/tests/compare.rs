//! A few programs on every engine that is here.

#![allow(missing_docs, reason = "a test")]
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::io::{Write as _, stderr};

use clif_cont::abi::Trap;
use clif_cont_oracle::programs::{EXPLAINED, Ended, Family, Plan, Seen, Step, TRAPS, compare, lanes, meanings, run};

fn plan(cases: usize) -> Plan {
    Plan {
        seed: 1,
        cases: 0..cases,
        on: vec![],
        batch: cases,
        threads: 2,
        attempts: 20,
        command: env!("CARGO_BIN_EXE_clif-cont-oracle").into(),
        save: None,
    }
}

#[test]
fn a_few_programs_do_the_same_on_every_engine() {
    let table = run(&plan(6), EXPLAINED, &|_| ()).expect("engines run");
    let invocations: usize = table.lanes.values().map(|row| row.invocations).sum();
    let (programs, engines) = (table.programs, table.lanes.len());
    // not captured: how much was tried is part of the result
    writeln!(stderr(), "{programs} programs, {invocations} invocations compared on {engines} engines; {}", table.node)
        .expect("standard error");
    assert!(table.programs == 6 && invocations > 500, "{table}");
    // V8 and the emulators need not be here; then they are named
    let own =
        |lane: &&String| lane.contains("x86_64") || lane.starts_with("interpreter") || lane.starts_with("bytecode");
    for lane in lanes().iter().filter(own) {
        assert_eq!(table.lanes.get(lane).map(|row| row.programs), Some(6), "{lane}");
    }
    for lane in lanes() {
        let family = |of: &str| of == lane || lane.starts_with(of);
        let not_run: usize = table.not_run.iter().filter(|((of, _), _)| family(of)).map(|(_, n)| n).sum();
        let ran = table.lanes.get(&lane).map_or(0, |row| row.programs);
        assert!(ran + not_run >= 6, "{lane} is skipped silently: {ran} ran, {not_run} did not");
    }
    assert_eq!(table.unexplained(), 0, "{table}");
}

fn step(floods: bool) -> Step {
    Step { module: 0, export: "f".to_owned(), args: vec![], floods }
}

fn seen(ended: Ended) -> Seen {
    Seen { ended, printed: vec![] }
}

#[test]
fn another_result_trap_or_line_is_a_difference() {
    let returned = |v: &str| seen(Ended::Returned(vec![v.to_owned()]));
    let trapped = |v: &str| seen(Ended::Trapped(v.to_owned()));
    let differs = |a: Seen, b: Seen, family| compare(&[step(false)], &[a], &[b], family).difference.is_some();
    assert!(!differs(returned("i32:1"), returned("i32:1"), Family::Own));
    assert!(differs(returned("i32:1"), returned("i32:2"), Family::Own));
    assert!(differs(returned("i32:1"), Seen { printed: vec!["i32:1".to_owned()], ..returned("i32:1") }, Family::Own));
    let null = Trap::NullContinuation.message();
    assert!(!differs(trapped(null), trapped("NullReference"), Family::Wasmtime));
    assert!(differs(trapped(null), trapped("UnhandledTag"), Family::Wasmtime));
    assert!(differs(trapped(null), trapped(Trap::NullReference.message()), Family::Own), "we tell nulls apart");
    assert!(!differs(trapped(null), trapped("dereferencing a null pointer"), Family::V8));
    assert!(differs(trapped(null), trapped("a word that nobody knows"), Family::V8));
    assert!(differs(returned("i32:1"), seen(Ended::Exhausted("deep".to_owned())), Family::V8));
    assert!(differs(returned("i32:1"), seen(Ended::Wrong("it died".to_owned())), Family::Own));
}

#[test]
fn nothing_is_compared_after_an_exhaustion_and_that_is_counted() {
    let exhausted = || seen(Ended::Exhausted("deep".to_owned()));
    let steps = [step(false), step(false), step(true)];
    let other = |v: &str| seen(Ended::Returned(vec![v.to_owned()]));
    let compared =
        compare(&steps, &[exhausted(), other("1"), other("1")], &[exhausted(), other("2"), other("2")], Family::Own);
    assert_eq!((compared.invocations, compared.difference), (1, None));
    assert_eq!(compared.skipped.values().sum::<usize>(), 2);
    let compared = compare(&steps[2..], &[other("1")], &[other("2")], Family::Own);
    assert_eq!((compared.invocations, compared.difference, compared.skipped.len()), (0, None, 1));
}

#[test]
fn the_table_has_every_trap() {
    for trap in Trap::ALL.iter().copied() {
        // a bug, and as many uses of one stack as a 32-bit word counts
        let never = matches!(trap, Trap::UnexpectedEffect | Trap::RevisionExhausted);
        assert_eq!(TRAPS.iter().filter(|(t, ..)| *t == trap).count(), usize::from(!never), "{}", trap.message());
        assert!(never || meanings(Family::Own, trap.message()) == [trap]);
    }
}
