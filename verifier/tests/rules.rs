//! Each rule's own examples: what passes has no finding at all, and what fails
//! is found by that rule.

#![allow(missing_docs, reason = "a test")]

use clif_cont_abi::{Abi, Isa, SwitchModel};
use clif_cont_verifier::{Profile, rules, verify};
use cranelift_codegen::ir::Function;

fn profile() -> Profile {
    Profile::clif_cont(&Abi::new(Isa::X86_64, SwitchModel::Instruction))
}

fn parse(what: &str, text: &str) -> Function {
    let mut functions =
        cranelift_reader::parse_functions(text).unwrap_or_else(|e| panic!("{what} does not parse: {e}\n{text}"));
    let func = functions.pop().expect("a function");
    let flags = cranelift_codegen::settings::Flags::new(cranelift_codegen::settings::builder());
    if let Err(errors) = cranelift_codegen::verify_function(&func, &flags) {
        panic!("{what} is not valid: {errors}\n{text}");
    }
    func
}

#[test]
fn examples_show_what_they_are_meant_to() {
    let profile = profile();
    for rule in rules::ALL {
        let passing = verify(&parse(rule.id, rule.passing), &profile);
        assert!(passing.is_clean(), "{} passing: {:#?}", rule.id, passing.findings);
        assert!(passing.proven > 0, "{} passing: nothing was looked at", rule.id);
        if rule.fault.is_empty() {
            assert!(rule.statement.contains("Not decided on CLIF"), "{} has no failing example", rule.id);
            continue;
        }
        let text = rule.failing();
        assert_ne!(text, rule.passing, "{}: the fault changes nothing", rule.id);
        let failing = verify(&parse(rule.id, &text), &profile);
        let found: Vec<_> = failing.findings.iter().map(|f| (f.rule, f.verdict.name(), &f.message)).collect();
        assert!(found.iter().any(|(id, ..)| *id == rule.id), "{} failing: {found:?}\n{text}", rule.id);
    }
}

#[test]
fn ids_are_unique_and_found_again() {
    for (i, rule) in rules::ALL.iter().enumerate() {
        assert_eq!(rules::find(rule.id), Some(*rule));
        assert!(rules::ALL[i + 1..].iter().all(|r| r.id > rule.id), "{} is out of order", rule.id);
        for text in [rule.name, rule.statement, rule.why, rule.help] {
            assert!(!text.is_empty(), "{} lacks a text", rule.id);
        }
    }
}
