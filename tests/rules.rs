//! What is said of the verifier's rules is what they say of themselves: the
//! document, and for each rule a failing and a passing test file from its own
//! examples. `CLIF_CONT_BLESS=1` rewrites both.

#![allow(missing_docs, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use clif_cont::diag::Source;
use clif_cont::filetest::{Level, Options, unified_diff};
use clif_cont::protocol::{Listing, PROFILES, profile, verify_program};
use clif_cont::tool::level;
use clif_cont::verifier::{Rule, rules};

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// Compares a file with what it has to be, or writes it.
fn compare(path: &Path, expected: &str, wrong: &mut Vec<String>) {
    let actual = std::fs::read_to_string(path).unwrap_or_default();
    if actual == expected {
        return;
    }
    if Options::from_env().bless {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory can be made");
        std::fs::write(path, expected).expect("it can be written");
        return;
    }
    let name = path.strip_prefix(root()).expect("a file of ours").display().to_string();
    wrong.push(unified_diff(&name, &actual, "now", expected));
}

fn settle(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}\nto accept: CLIF_CONT_BLESS=1 cargo test --test rules", wrong.join("\n"));
}

#[test]
fn the_document_is_made_from_the_rules() {
    let output = Command::new(env!("CARGO_BIN_EXE_clif-cont"))
        .args(["explain", "--all", "--format", "markdown"])
        .output()
        .expect("the command runs");
    let text = String::from_utf8(output.stdout).expect("text");
    for rule in rules::ALL {
        assert!(text.contains(rule.statement), "{} is missing", rule.id);
    }
    let mut wrong = vec![];
    compare(&root().join("docs/rules.md"), &text, &mut wrong);
    settle(&wrong);
}

/// An example as a test file, each finding written at its instruction.
fn test_file(rule: &Rule, purpose: &str, function: &str) -> String {
    let text = format!("; {} {}: {purpose}.\n;;! verify:\n\n{function}", rule.id, rule.name);
    let program = clif_cont::load::read("example.clif", text.as_bytes(), None).expect("a valid example");
    let listing = Listing::of_input(&Source::new("example.clif", text.as_bytes())).expect("CLIF");
    let profile = profile(PROFILES[0], &program.target).expect("the usual profile");
    let verified = verify_program(&program, &profile);
    let findings: Vec<_> = verified.functions.iter().flat_map(|f| listing.findings(f)).collect();
    let annotated = text.lines().zip(1..).map(|(line, number)| {
        let of = |as_written: Level| {
            let here = findings.iter().filter(|f| f.place.line == number && level(f) == as_written);
            let rules: Vec<&str> = here.map(|f| f.rule.as_str()).collect();
            (!rules.is_empty()).then(|| format!("; {}: {}", as_written.name(), rules.join(", ")))
        };
        let notes: String = Level::ALL.into_iter().filter_map(of).collect();
        if notes.is_empty() { format!("{line}\n") } else { format!("{line}  {notes}\n") }
    });
    annotated.collect()
}

/// The test files of a rule: those of its directory with the rule written in them, and those without any finding.
fn files(rule: &Rule) -> (usize, usize) {
    let directory = root().join("clif-tests/verify").join(rule.id.to_lowercase());
    let (mut failing, mut passing) = (0, 0);
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "clif") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("text");
        let code = || text.lines().filter(|l| !l.trim_start().starts_with(';'));
        let written = |what: &str| code().any(|l| l.split(';').skip(1).any(|c| c.contains(what)));
        failing += usize::from(written(rule.id));
        passing += usize::from(!Level::ALL.iter().any(|level| written(&format!("{}:", level.name()))));
    }
    (failing, passing)
}

#[test]
fn every_rule_has_a_failing_and_a_passing_test() {
    let (mut wrong, mut decided) = (vec![], 0);
    for rule in rules::ALL {
        let directory = root().join("clif-tests/verify").join(rule.id.to_lowercase());
        if rule.fault.is_empty() {
            let reason = rule.statement.split("Not decided on CLIF").nth(1);
            let reason = reason.unwrap_or_else(|| panic!("{} has no failing example, and does not say why", rule.id));
            println!("{} {}: no test files: not decided on CLIF{reason}", rule.id, rule.name);
            continue;
        }
        decided += 1;
        let failing = test_file(rule, "the rule's own example, with the fault in it", &rule.failing());
        let passing = test_file(rule, "the rule's own example", rule.passing);
        compare(&directory.join("example-failing.clif"), &failing, &mut wrong);
        compare(&directory.join("example-passing.clif"), &passing, &mut wrong);
        let (failing, passing) = files(rule);
        assert!(failing > 0 && passing > 0, "{}: {failing} failing and {passing} passing tests", rule.id);
    }
    println!("{decided} of {} rules are decided on CLIF", rules::ALL.len());
    assert!(decided > 0);
    settle(&wrong);
}
