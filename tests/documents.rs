//! What the documents say that a command prints, or that a constant is, is what it is.

#![allow(missing_docs, reason = "a test")]

use std::path::Path;
use std::process::Command;

use clif_cont::abi::{Abi, HostFn, Isa};

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a document")
}

/// Runs a line of a document; what it prints.
fn run(line: &str) -> String {
    let command = Path::new(env!("CARGO_BIN_EXE_clif-cont"));
    let path =
        format!("{}:{}", command.parent().unwrap_or(command).display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env("PATH", path).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = shell.output().expect("a shell");
    assert!(output.status.success(), "`{line}`: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Blocks of a document in this language, without their fences.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    text.split(&open).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn commands_of_the_readme_print_what_it_says() {
    let readme = document("README.md");
    let (mut commands, mut compared) = (0, 0);
    for block in blocks(&readme, "console") {
        for step in block.split("$ ").skip(1) {
            let (line, expected) = step.split_once('\n').unwrap_or((step, ""));
            // what is printed is shown, unless it is long
            let line = line.split('#').next().unwrap_or_default().trim().replace("FILE...", "");
            let printed = run(&line);
            commands += 1;
            if !expected.trim().is_empty() {
                assert_eq!(printed.trim_end(), expected.trim_end(), "`{line}`");
                compared += 1;
            }
        }
    }
    assert!(commands >= 8 && compared >= 3, "{commands} commands, {compared} with what they print");
}

#[test]
fn numbers_of_the_documents_are_those_of_the_code() {
    let thousands = |n: u32| format!("{},{:03}", n / 1000, n % 1000);
    for (name, parts) in [
        (
            "ARCHITECTURE.md",
            vec![
                format!("room for {} values", thousands(Abi::PAYLOAD_SLOTS - 1)),
                format!("over {} host functions", ["", "", "", "", "four", "five", "six"][HostFn::ALL.len()]),
            ],
        ),
        ("README.md", vec![format!("on {} ISAs", ["", "", "", "", "", "", "six", "seven", "eight"][Isa::ALL.len()])]),
    ] {
        let text = document(name).split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(text.contains(&part), "{name} does not say `{part}`");
        }
    }
}
