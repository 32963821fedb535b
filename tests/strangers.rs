//! Input of strangers: what the targets of `cargo fuzz` do, on mutated test files, and such
//! files given to the command. A bounded number of each; `clif-cont-fuzz crash` does more.

#![allow(missing_docs, reason = "a test")]

use std::io::Write;
use std::path::{Path, PathBuf};

use clif_cont_fuzz::bodies;
use clif_cont_fuzz::crash::{CrashPlan, Stage, crash, test_files};

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clif-tests")
}

/// Not captured: how much was tried is part of the result.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}

#[test]
fn bodies_take_any_bytes() {
    for (name, _, body) in bodies::ALL {
        for bytes in [&b""[..], b"\0", b"\xff\xfe\xfd", b"(module", b"function", b";;!", b"\n\n;"] {
            body(bytes);
        }
        let cases = 150;
        let took = bodies::mutated(name, &files(), 1, cases).expect("test files");
        say(&format!("{name}: {cases} mutated files, {took} taken"));
        assert!(took > 0 && took < cases, "{name} took {took} of {cases}");
    }
}

#[test]
fn the_command_ends_as_documented() {
    let plan = CrashPlan {
        seed: 1,
        cases: 0..150,
        files: test_files(&files()).expect("test files"),
        command: env!("CARGO_BIN_EXE_clif-cont").into(),
        scratch: Path::new(env!("CARGO_TARGET_TMPDIR")).join("strangers"),
        threads: 2,
    };
    let crashes = crash(&plan, &|| ()).expect("the files can be read");
    let report = crashes.report(plan.seed);
    say(&report);
    assert!(crashes.crashes.is_empty(), "{report}");
    for stage in Stage::ALL {
        assert!(
            crashes.stages.range(stage..).any(|(_, n)| *n > 0),
            "no input got as far as {}:\n{report}",
            stage.name()
        );
    }
}
