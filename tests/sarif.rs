//! The log that a code host gets: the rules that occur with their help, and each finding at the line of the input as it was named.

#![allow(missing_docs, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

use clif_cont::verifier::rules;
use serde_json::Value;

fn verify(args: &[&str]) -> (Output, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_clif-cont"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("clif-tests"))
        .args(["verify", "--format", "sarif"])
        .args(args)
        .output()
        .expect("the command runs");
    let log = serde_json::from_slice(&output.stdout).expect("one JSON document");
    (output, log)
}

#[test]
fn a_finding_is_shown_at_its_line() {
    let (output, log) = verify(&["cli/inputs/verify/not-consumed.clif", "--allow", "CC0001", "--warn", "CC0003"]);
    assert_eq!(output.status.code(), Some(0), "a warning alone");
    let run = &log["runs"][0];
    let listed = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let [listed_rule] = &listed[..] else { panic!("{} rules", listed.len()) };
    let rule = rules::ALL.iter().find(|rule| rule.id == "CC0003").expect("a rule");
    assert_eq!((&listed_rule["id"], &listed_rule["name"]), (&rule.id.into(), &rule.name.into()));
    assert_eq!(listed_rule["fullDescription"]["text"], rule.statement);
    assert!(listed_rule["help"]["markdown"].as_str().is_some_and(|text| text.contains(rule.why)));
    assert_eq!(listed_rule["defaultConfiguration"]["level"], "warning");
    // the heading of the page that the link leads to
    let link = listed_rule["helpUri"].as_str().expect("a link");
    assert!(link.ends_with("/docs/rules.md#cc0003-consume-once"), "{link}");
    assert!(include_str!("../docs/rules.md").contains("\n## CC0003 consume-once\n"));
    let [result] = &run["results"].as_array().expect("results")[..] else { panic!("one finding") };
    assert_eq!((&result["ruleId"], &result["level"]), (&"CC0003".into(), &"warning".into()));
    assert_eq!(result["properties"]["verdict"], "violated");
    let index = result["ruleIndex"].as_u64().expect("a number") as usize;
    assert_eq!(listed[index]["id"], "CC0003");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "cli/inputs/verify/not-consumed.clif");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&48.into(), &5.into()));
    assert!(place["region"]["snippet"]["text"].as_str().is_some_and(|line| line.contains("stack_switch")));
    assert_eq!(result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 23);
}

/// Of code that was made of the input, too: an optimiser moves it and adds lines.
#[test]
fn a_finding_in_optimised_code_is_shown_at_the_line_of_the_input() {
    let lines = |args: &[&str]| {
        let (_, log) = verify(args);
        let result = &log["runs"][0]["results"][0];
        let flow = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().expect("steps").clone();
        let related = result["relatedLocations"].as_array().expect("related").clone();
        let places = flow.iter().map(|step| &step["location"]).chain(&related).chain([&result["locations"][0]]);
        let place = |p: &Value| {
            let place = &p["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "cli/inputs/verify/not-consumed.clif");
            (place["region"]["startLine"].as_u64(), p["message"]["text"].as_str().map(str::to_owned))
        };
        // what a block begins with may have moved
        places.map(place).filter(|(_, what)| what.as_deref() != Some("block3")).collect::<Vec<_>>()
    };
    let read = lines(&["cli/inputs/verify/not-consumed.clif"]);
    let [first, .., last] = &read[..] else { panic!("several places") };
    assert_eq!((first.0, last.0), (Some(13), Some(48)));
    assert_eq!(lines(&["cli/inputs/verify/not-consumed.clif", "--opt", "speed"]), read);
}

#[test]
fn nothing_found_and_not_read_are_told_apart() {
    let (output, log) = verify(&["run/generator.wat"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(0));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    let (output, log) = verify(&["run/generator.wat", "cli/inputs/syntax.clif"]);
    assert_eq!(output.status.code(), Some(2));
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let place = &invocation["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "cli/inputs/syntax.clif");
    assert_eq!(place["region"]["startLine"], 3);
}
