//! `verify` where its output goes nowhere, or somewhere else: the exit code and the file say what was found.

#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clif_cont::program::text::{Annotate, inst_lines, print_lines};
use clif_cont::protocol::{PROFILES, profile, verify_program};

fn verify(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clif-cont"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("clif-tests/cli/inputs"));
    command.arg("verify").args(args).stderr(Stdio::null());
    command
}

const FORMATS: [&str; 4] = ["human", "short", "json", "sarif"];

#[test]
fn a_reader_that_has_gone_does_not_hide_what_is_found() {
    for format in FORMATS {
        for (input, code) in [("verify/not-consumed.clif", 1), ("plain.clif", 0), ("syntax.clif", 2)] {
            // what is found comes last
            let mut child = verify(&["plain.clif", input, "--format", format])
                .stdout(Stdio::piped())
                .spawn()
                .expect("the command runs");
            drop(child.stdout.take());
            let status = child.wait().expect("it ends");
            assert_eq!(status.code(), Some(code), "{input} as {format}");
        }
    }
}

#[test]
fn an_output_file_is_of_this_run() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("verify-output.txt");
    let file = path.to_str().expect("a name in UTF-8");
    for format in FORMATS {
        for (input, code) in [("verify/not-consumed.clif", 1), ("plain.clif", 0), ("../../run/generator.wat", 0)] {
            std::fs::write(&path, "CC0003 of an earlier run\n").expect("it can be written");
            let status = verify(&[input, "--format", format, "-q", "-o", file]).status().expect("the command runs");
            assert_eq!(status.code(), Some(code), "{input} as {format}");
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(!text.contains("earlier run"), "{input} as {format}: {text}");
            assert_eq!(text.contains("the continuation object is not consumed"), code == 1, "{input} as {format}");
        }
    }
}

/// More blocks than CLIF text may have to be read: findings have their lines all the same.
#[test]
fn a_function_of_any_number_of_blocks_is_verified() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("blocks.wat");
    let branch = "(if (local.get 0) (then (local.set 0 (i32.add (local.get 0) (i32.const 1)))))\n";
    let body = branch.repeat(40_000);
    let text = format!("(module (func (export \"f\") (param i32) (result i32)\n{body}(local.get 0)))\n");
    std::fs::write(&path, text).expect("it can be written");
    let file = path.to_str().expect("a name in UTF-8");
    let status = verify(&[file]).stdout(Stdio::null()).status().expect("the command runs");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn lines_of_what_is_printed_are_those_that_are_read() {
    for name in ["generator", "bind-suspended", "exceptions", "dead-nulls"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("clif-tests/run/{name}.wat"));
        let source = std::fs::read(path).expect("a test program");
        let program = clif_cont::load::load("x.wat", &source, None).expect("valid");
        for annotate in [Annotate::Blocks, Annotate::Insts] {
            let printed = print_lines(&program, annotate);
            let read = inst_lines(&printed.text).expect("CLIF");
            let read: BTreeMap<_, Vec<u32>> =
                read.into_iter().map(|(name, insts)| (name, insts.into_values().collect())).collect();
            assert_eq!(printed.lines, read, "{name}");
        }
    }
}

/// Jumps back into the middle of one another: what is known goes round many times.
#[test]
fn loops_that_are_entangled_are_verified_to_the_end() {
    const BLOCKS: usize = 400;
    let mut text =
        String::from("function %f(i64, i64) -> i64 tail {\nblock0(v0: i64, v1: i64):\n    brif v0, block1, block2\n");
    for i in 1..=BLOCKS {
        let (next, back, offset) = (i + 1, (i * 7 % BLOCKS).max(1), 8 * i % 1024);
        text += &format!("block{i}:\n    store v1, v0+{offset}\n    brif v1, block{next}, block{back}\n");
    }
    text += &format!("block{}:\n    return v0\n}}\n", BLOCKS + 1);
    let program = clif_cont::load::read("x.clif", text.as_bytes(), None).expect("CLIF");
    let profile = profile(PROFILES[0], &program.target).expect("the usual profile");
    assert!(verify_program(&program, &profile).is_clean());
}
