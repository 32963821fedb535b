//! `test --review` at a terminal: util-linux's `script` provides one.

#![allow(missing_docs, reason = "a test")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const COMMAND: &str = env!("CARGO_BIN_EXE_clif-cont");
const WAT: &str = include_str!("clif/generator.wat");

/// Tests with three golden files, each of which has a line more than what is printed.
struct Tests(PathBuf);

impl Tests {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("clif-cont-review-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a directory");
        let wat = WAT.replace(";;! run: sum() == 42", ";;! interpret: sum() == 42");
        let wat = format!("{wat};;! lower: --func sum --isa aarch64\n;;! lower: --func sum --isa s390x\n");
        fs::write(dir.join("a.wat"), wat).expect("written");
        let blessed = Command::new(COMMAND).args(["test", "--bless"]).arg(&dir).env_remove("CI").output();
        assert!(blessed.expect("it starts").status.success());
        let tests = Self(dir);
        for golden in tests.goldens() {
            let text = fs::read_to_string(&golden).expect("text");
            let more = text.replacen("    return ", "    store notrap aligned v1, v1+8\n    return ", 1);
            assert_ne!(more, text);
            fs::write(&golden, more).expect("written");
        }
        tests
    }

    fn goldens(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).expect("a directory").map(|e| e.expect("an entry").path());
        let mut goldens: Vec<_> = entries.filter(|p| p.extension().is_some_and(|e| e == "clif")).collect();
        goldens.sort();
        assert_eq!(goldens.len(), 3);
        goldens
    }

    /// Which golden files still have the line, in the order of their names.
    fn pending(&self) -> Vec<bool> {
        self.goldens().iter().map(|g| fs::read_to_string(g).expect("text").contains("v1, v1+8")).collect()
    }

    /// Reviews at a terminal, with these answers.
    fn review(&self, answers: &str) -> (String, Option<i32>) {
        let line = format!("{COMMAND} test --review {}", self.0.display());
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` of util-linux");
        script.stdin.take().expect("a pipe").write_all(answers.as_bytes()).expect("written");
        let output = script.wait_with_output().expect("it ends");
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    }
}

impl Drop for Tests {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_change_is_accepted_rejected_or_left() {
    let tests = Tests::new("each");
    let (text, exit) = tests.review("what\na\nreject\ns\n");
    assert_eq!(exit, Some(1), "{text}");
    assert!(text.contains("3 changes: 1 accepted, 1 rejected, 1 undecided"), "{text}");
    // the difference, in colour, and the question again where it was not understood
    assert!(text.contains("\x1b[31m-    store notrap aligned v1, v1+8"), "{text}");
    assert_eq!(text.matches("accept, reject, skip or quit?").count(), 4, "{text}");
    // in the order of the directives: x86_64, aarch64, s390x
    assert_eq!(tests.pending(), [true, true, false]);
    assert!(text.contains("rejected: `") && text.contains("aarch64-routine-none-sum.clif` stays"), "{text}");
}

#[test]
fn who_quits_leaves_the_rest() {
    let tests = Tests::new("quit");
    let (text, exit) = tests.review("q\n");
    assert_eq!((exit, tests.pending()), (Some(1), vec![true; 3]), "{text}");
    assert!(text.contains("3 changes: 0 accepted, 0 rejected, 3 undecided"), "{text}");
    // so does the end of the input
    let (text, exit) = tests.review("a\n");
    assert_eq!((exit, tests.pending()), (Some(1), vec![true, true, false]), "{text}");
}

#[test]
fn what_is_accepted_passes() {
    let tests = Tests::new("accept");
    let (text, exit) = tests.review("a\na\naccept\n");
    assert_eq!((exit, tests.pending()), (Some(0), vec![false; 3]), "{text}");
    let (text, exit) = tests.review("");
    assert_eq!(exit, Some(0));
    assert!(text.contains("1 passed, 0 failed, 0 skipped"), "{text}");
}

#[test]
fn without_a_terminal_nothing_is_written() {
    let tests = Tests::new("list");
    let output = Command::new(COMMAND).args(["test", "--review"]).arg(&tests.0).stdin(Stdio::null()).output();
    let output = output.expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), text.matches("pending: ").count()), (Some(1), 3), "{text}");
    assert_eq!(tests.pending(), [true; 3]);
    let output = Command::new(COMMAND).args(["test", "--review", "--format", "json"]).arg(&tests.0).output();
    let text = String::from_utf8_lossy(&output.expect("it starts").stdout).into_owned();
    assert_eq!(text.lines().filter(|l| l.contains("\"kind\":\"pending\"")).count(), 3, "{text}");
}
