//! What the documents say that a command prints, or that a constant is, is what it is.

#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a test")]

use std::path::Path;
use std::process::Command;

use clif_cont::abi::{Abi, HostFn, Isa};
use clif_cont::program::{HOST_STACK, INVOCATION_STACK, MAX_NESTING, Target};
use clif_cont::runs;

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
fn the_picture_of_the_readme_is_what_its_command_draws() {
    let readme = document("README.md");
    let line = readme.lines().find_map(|l| l.strip_prefix("`clif-cont lower --op")).expect("the command");
    let command = format!("clif-cont lower --op{}", line.split('`').next().unwrap_or_default());
    assert!(readme.contains("](docs/resume.svg)"));
    assert!(run(&command) == document("docs/resume.svg"), "`{command} -o docs/resume.svg` draws another one");
}

/// The table of the README's first command, on the machine that it is of.
#[test]
fn the_first_command_prints_the_table_of_the_readme() {
    let missing =
        Isa::ALL.into_iter().filter(|isa| !isa.is_pulley()).find_map(|isa| runs(isa).reason().map(str::to_owned));
    if let Some(reason) = missing.or_else(|| (Isa::host() != Some(Isa::X86_64)).then(|| "the host is another".into())) {
        assert!(std::env::var("CLIF_CONT_REQUIRE").is_err(), "{reason}");
        println!("skipped: {reason}");
        return;
    }
    let readme = document("README.md");
    let (_, after) = readme.split_once("As the first command prints it, on an x86_64 machine").expect("the table");
    let table = after.split("```\n").nth(1).expect("a block");
    let command = readme.lines().find_map(|l| l.split_once("cargo run --release -- check")).expect("the command").1;
    let command = command.split('#').next().unwrap_or_default();
    assert_eq!(run(&format!("clif-cont check {command}")), table);
}

/// `n` with a comma between groups of three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The value of a constant of the source, which is a number, or one shifted.
fn constant(file: &str, name: &str) -> u64 {
    let text = document(file);
    let declared = text.lines().find_map(|line| {
        let (_, rest) = line.split_once(&format!("const {name}: "))?;
        rest.split_once(" = ")?.1.strip_suffix(';')
    });
    let value = declared.unwrap_or_else(|| panic!("{file} has no constant {name}")).replace('_', "");
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or_else(|_| panic!("{name} is {value}"));
    value.split_once("<<").map_or_else(|| number(&value), |(n, by)| number(n) << number(by))
}

/// Version of a dependency in the workspace's manifest.
fn version(name: &str) -> String {
    let manifest = document("Cargo.toml");
    let line = manifest.lines().find(|l| l.starts_with(&format!("{name} = "))).unwrap_or_else(|| panic!("no {name}"));
    line.split('"').nth(1).unwrap_or_default().trim_start_matches('=').to_owned()
}

/// A document's prose in one line: without blocks of code, which are compared where they are
/// commands, without code in lines, and without the targets of links.
fn prose(text: &str) -> String {
    let outside: String = text.split("```").step_by(2).collect();
    let words = outside.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let mut parts = words.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    let prose = parts.fold(first, |text, part| text + "]" + part.split_once(')').map_or("", |(_, rest)| rest));
    prose.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Numbers in a document's prose: no part of a name such as `x86_64`, `48.0.8` and `CC0010`.
fn numbers(prose: &str) -> Vec<String> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ',');
    let words = prose.split(|c: char| !inside(c)).map(|w| w.trim_matches(['.', ',', '-']));
    let number = |w: &&str| w.starts_with(|c: char| c.is_ascii_digit()) && !w.contains(char::is_alphabetic);
    words.filter(number).map(str::to_owned).collect()
}

/// Every number in a document is part of what is said here of it, and that is made of what the
/// code has.
#[test]
fn every_number_of_the_documents_is_one_of_the_code() {
    let abi = Target::new(Isa::X86_64).abi;
    let word = |n: usize| ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"][n];
    let kib = |bytes: u64| format!("{} KiB", bytes >> 10);
    let frames = abi.slot_size() - abi.stack_bound() - u64::from(Abi::CONTREF_AREA);
    let foreign = constant("tests/stack/reach.rs", "FOREIGN");
    let mapped = grouped(constant("tools/program/src/limits.rs", "USUAL_MAPPINGS") / 8 * 3);
    let row = |part: &str, bytes: u32, name: &str| format!("| {part} | {} | `{name}` |", grouped(bytes.into()));
    let tables = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wasmtime = version("wasmtime");
    let documents = [
        (
            "README.md",
            vec![
                format!("one program on {} ISAs", word(Isa::ALL.len())),
                format!(
                    "a stable Rust toolchain ({})",
                    document("Cargo.toml")
                        .split("rust-version = \"")
                        .nth(1)
                        .and_then(|v| v.split('"').next())
                        .expect("there")
                ),
                format!("verifies what Wasmtime {} emits", wasmtime.split('.').next().expect("a number")),
                // names of others
                "suites (versions 2 and 3 without vectors".to_owned(),
                "License: Apache-2.0 WITH".to_owned(),
            ],
        ),
        (
            "ARCHITECTURE.md",
            vec![
                format!("over {} host functions", word(HostFn::ALL.len())),
                format!("in its low {} bits", word(Abi::CONTREF_ALIGN.trailing_zeros() as usize)),
                format!(
                    "room for {} values of {} bytes",
                    grouped((Abi::PAYLOAD_SLOTS - 1).into()),
                    Abi::PAYLOAD_SLOT_BYTES
                ),
                format!("up to {} runs for each finding", constant("verifier/src/witness.rs", "MAX_RUNS")),
                format!("all of them in {} programs", grouped(constant("tools/generate/tests/valid.rs", "SEEDS"))),
                // of the layout, not of an amount
                "the last value is in slot 0.".to_owned(),
                "each ended by 0, both".to_owned(),
            ],
        ),
        (
            "docs/contracts.md",
            vec![
                format!("slot of address space, {} MiB by default", abi.slot_size() >> 20),
                row("guard", Abi::GUARD_BYTES, "Abi::GUARD_BYTES"),
                row("headroom", Abi::HEADROOM, "Abi::HEADROOM"),
                row("one frame that is not checked", Abi::MAX_FRAME, "Abi::MAX_FRAME"),
                format!("| frames | up to {} |", grouped(frames)),
                row("record and payload", Abi::CONTREF_AREA, "Abi::CONTREF_AREA"),
                format!("takes more than {} bytes (`tests/stack`)", grouped(u64::from(Abi::HEADROOM) - foreign)),
                format!("at least {} bytes ({}) above the guard", grouped(foreign), kib(foreign)),
                format!("takes less than {} of it", kib(constant("tools/runner/src/memory.rs", "OWN_STACK"))),
                format!("for {} reservations each", grouped(constant("tools/runner/src/memory.rs", "SPARE"))),
                format!("One without may take {},", kib(constant("tools/runner/tests/foreign.rs", "HANDLER"))),
                format!("the first {mapped} of all programs together"),
                format!("the first {} |", grouped(constant("tools/elf/src/support/mod.rs", "MAX_GUARDS"))),
                format!("pages larger than {} ", kib(Abi::GUARD_BYTES.into())),
                format!("beyond {mapped} in a process"),
                format!(
                    "with less than {} bytes (`INVOCATION_STACK`), and when {MAX_NESTING} are",
                    grouped(INVOCATION_STACK as u64)
                ),
                format!("less than {} of it, so", kib((INVOCATION_STACK - HOST_STACK) as u64)),
                format!("at least {} (`HOST_STACK`)", grouped(HOST_STACK as u64)),
                format!("on stacks of {} KiB and more", constant("tests/reentry.rs", "LEAST_KIB")),
                // tests/lanes.rs
                "the exit code is 3 then".to_owned(),
                // of Linux
                "Linux 6.13 and later".to_owned(),
            ],
        ),
        (
            "docs/diff.md",
            // tests/diff_doc.rs
            vec![
                "Exit codes: 0 equal, 1 different, 2 error.".to_owned(),
                "any other exit code than 0 for".to_owned(),
                "exits with 0 also".to_owned(),
            ],
        ),
        (
            "docs/findings.md",
            vec![
                format!("## Wasmtime {wasmtime}"),
                format!("## Cranelift {}", version("cranelift-codegen")),
                // the release in which it was found, as that says itself
                "## V8 14.6.202.34, of node 26.10.0".to_owned(),
                // of Wasmtime's source; the oracle's tests compare what is found of it (tools/oracle/defects.json)
                "(16 for payloads, 8 for handler lists)".to_owned(),
                "a field of 4 bytes is cleared with 8".to_owned(),
                "`u32` at offset 56 of".to_owned(),
                "the next field, at 64.".to_owned(),
                "A field of 4 bytes at 60 would".to_owned(),
                "a zero of 32 bits".to_owned(),
            ],
        ),
        // tests/review.rs, and of the form of files
        ("docs/snapshots.md", vec!["is 0 when all were accepted".to_owned(), "Line 1 of each file".to_owned()]),
    ];
    for (name, said) in documents {
        let text = document(name);
        let whole = tables(&text);
        let mut rest = prose(&text);
        for part in &said {
            assert!(whole.contains(part), "{name} does not say `{part}`");
            let part = prose(part);
            // what has its number in words may stand in a block of code
            if let Some(found) = rest.find(&part) {
                rest.replace_range(found..found + part.len(), "");
            }
        }
        assert_eq!(numbers(&rest), Vec::<String>::new(), "{name}: nothing says that these are so: {rest}");
    }
}
