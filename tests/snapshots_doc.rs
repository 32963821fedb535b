//! The commands of `docs/snapshots.md` print what it says, and its Rust is what is
//! compiled and run here. `CLIF_CONT_BLESS=1` rewrites what they print.

#![allow(missing_docs, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a line as a shell does that finds the command, and says what it prints.
fn shell(line: &str, dir: &Path) -> String {
    let command = Path::new(env!("CARGO_BIN_EXE_clif-cont"));
    let path =
        format!("{}:{}", command.parent().expect("a directory").display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {line}\n}} 2>&1")])
        .current_dir(dir)
        .env("PATH", path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("CI")
        .env_remove("CLIF_CONT_REQUIRE")
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a machine without emulators prints otherwise: how much was run, and why not more.
fn portable(text: &str) -> String {
    let lines = text.lines().filter(|l| !l.starts_with("     skipped: "));
    let lines = lines.map(|l| match (l.split_once(" ("), l.split_once(" failed, ")) {
        (Some((name, rest)), _) if name.starts_with("ok ") && rest.ends_with(" assertions)") => name,
        (_, Some((counts, rest))) if rest.ends_with(" skipped") => counts,
        _ => l,
    });
    lines.map(|l| format!("{l}\n")).collect()
}

#[test]
fn commands_print_what_the_document_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/snapshots.md");
    let text = fs::read_to_string(&path).expect("the document");
    let scratch = Scratch(std::env::temp_dir().join(format!("clif-cont-snapshots-{}", std::process::id())));
    let dir = &scratch.0;
    fs::create_dir_all(dir).expect("a directory");
    for line in ["git init -q .", "git config user.email test@example.com", "git config user.name test"] {
        assert_eq!(shell(line, dir), "", "{line}");
    }
    let (mut now, mut ran) = (String::new(), 0);
    for (n, part) in text.split("```console\n").enumerate() {
        let Some((block, rest)) = part.split_once("```").filter(|_| n > 0) else {
            now.push_str(part);
            continue;
        };
        now.push_str("```console\n");
        for (n, line) in block.lines().filter_map(|l| l.strip_prefix("$ ")).enumerate() {
            ran += 1;
            if n > 0 && now.ends_with("\n\n") {
                now.pop();
            }
            if line == "git diff" {
                // what is in the repository is what was accepted before the change
                shell(
                    "git add -A; git commit -q -m one; sed -i '/store notrap aligned region4 v12/s/+40/+80/' tests/clif/*.clif",
                    dir,
                );
            }
            now.push_str(&format!("$ {line}\n{}", shell(line, dir)));
        }
        now.push_str("```");
        now.push_str(rest);
    }
    assert_eq!(ran, 10, "commands in the document");
    if std::env::var_os("CLIF_CONT_BLESS").is_some() && std::env::var_os("CI").is_none() {
        fs::write(&path, &now).expect("written");
    }
    let [old, new] = [&text, &now].map(|t| portable(t));
    assert!(old == new, "{}", clif_cont::filetest::unified_diff("docs/snapshots.md", &old, "now", &new));
}

#[test]
fn the_first_test_is_the_one_that_runs_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = Scratch(std::env::temp_dir().join(format!("clif-cont-init-{}", std::process::id())));
    fs::create_dir_all(&scratch.0).expect("a directory");
    shell("clif-cont test --init clif", &scratch.0);
    let files = |dir: &Path| {
        let mut files: Vec<_> = fs::read_dir(dir)
            .expect("a directory")
            .map(|f| f.expect("an entry").path())
            .map(|p| (p.file_name().map(ToOwned::to_owned), fs::read_to_string(&p).expect("text")))
            .collect();
        files.sort();
        files
    };
    assert_eq!(files(&scratch.0.join("clif")), files(&root.join("tests/clif")));
    // what is there is not overwritten
    assert!(shell("clif-cont test --init clif; echo $?", &scratch.0).ends_with("exists already\n2\n"));
}

#[test]
fn the_rust_in_the_document_is_run_here() {
    let document = include_str!("../docs/snapshots.md");
    let blocks: Vec<&str> =
        document.split("```rust\n").skip(1).filter_map(|b| b.split_once("```")).map(|(b, _)| b).collect();
    assert_eq!(blocks, [include_str!("clif.rs"), include_str!("snapshot.rs")]);
    let manifest = include_str!("../Cargo.toml");
    assert!(manifest.contains("[[test]]\nname = \"clif\"\nharness = false\n"));
}
