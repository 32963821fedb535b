//! The verifier's rules have one source: `docs/rules.md` is made from them
//! (`CLIF_CONT_BLESS=1` rewrites it), and their examples fail and pass.

#![allow(clippy::print_stdout, reason = "a test")]
#![allow(missing_docs, reason = "a test")]

use std::path::Path;
use std::process::Command;

use clif_cont::filetest::{Options, unified_diff};
use clif_cont::protocol::example;
use clif_cont::verifier::rules;

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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    if Options::from_env().bless {
        std::fs::write(&path, &text).expect("it can be written");
    }
    let written = std::fs::read_to_string(&path).expect("the document");
    let diff = unified_diff("docs/rules.md", &written, "now", &text);
    assert!(written == text, "{diff}\nto accept: CLIF_CONT_BLESS=1 cargo test --test rules");
}

#[test]
fn every_rule_has_an_example_that_fails_and_one_that_passes() {
    let mut decided = 0;
    for rule in rules::ALL {
        if rule.fault.is_empty() {
            let reason = rule.statement.split("Not decided on CLIF").nth(1);
            let reason = reason.unwrap_or_else(|| panic!("{} has no failing example, and does not say why", rule.id));
            println!("{} {}: no example: not decided on CLIF{reason}", rule.id, rule.name);
            continue;
        }
        decided += 1;
        let findings = |function: &str| {
            let findings = example(rule, function).expect("a valid example");
            findings.into_iter().map(|f| f.rule).collect::<Vec<_>>()
        };
        assert_eq!(findings(rule.passing), [""; 0], "{}", rule.id);
        let found = findings(&rule.failing());
        assert!(found.iter().any(|r| r == rule.id), "{}: {found:?}", rule.id);
    }
    println!("{decided} of {} rules are decided on CLIF", rules::ALL.len());
    assert!(decided > 0);
}
