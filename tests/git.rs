//! `clif-cont diff` and `canonical` as git calls them, with git itself, in a
//! repository made for the test: what `docs/diff.md` says.

#![allow(missing_docs, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

const CLIF: &str = "function %f(i64) -> i64 {
block0(v0: i64):
    v1 = load.i64 notrap aligned v0+8
    v2 = load.i64 notrap aligned v0+16
    v3 = iadd v1, v2
    v4 = icmp eq v3, v1
    brif v4, block1, block2

block1:
    store notrap aligned v3, v0+24
    return v3

block2:
    trap user1
}
";

/// The same, with a store more, all numbers others.
fn changed(text: &str) -> String {
    let mut new = text.replace("    v3 = iadd", "    store notrap aligned v2, v0+32\n    v3 = iadd");
    for n in (0..5).rev() {
        new = new.replace(&format!("v{n}"), &format!("v{}", n + 7));
    }
    new
}

fn golden(clif: &str) -> String {
    let lines = clif.lines().map(|l| format!(";; {l}").trim_end().to_owned() + "\n");
    format!("(module)\n\n{}", lines.collect::<String>())
}

struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("clif-cont-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory");
        let this = Self(dir);
        this.git(&["init", "-q", "."]);
        this.git(&["config", "user.email", "test@example.com"]);
        this.git(&["config", "user.name", "test"]);
        this.write(".gitattributes", "*.clif diff=clif\n*.wat diff=clif\n");
        this.write("a.clif", CLIF);
        this.write("b.wat", &golden(CLIF));
        this.write("same.clif", CLIF);
        this.git(&["add", "-A"]);
        this.git(&["commit", "-q", "-m", "one"]);
        this.write("a.clif", &changed(CLIF));
        this.write("b.wat", &golden(&changed(CLIF)));
        this.write("same.clif", &CLIF.replace("v3", "v30").replace("block2", "block5"));
        this
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(&self.0)
            // what the user has configured is not tested
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git, which this test needs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {text}{errors}");
        text
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command() -> String {
    Path::new(env!("CARGO_BIN_EXE_clif-cont")).display().to_string()
}

/// Lines that begin with a mark, of a unified text.
fn marked(text: &str) -> Vec<&str> {
    let is_marked = |l: &&str| l.starts_with(['+', '-']) && !l.starts_with("+++") && !l.starts_with("---");
    text.lines().filter(is_marked).collect()
}

const STORE: &str = "+    store notrap aligned v2, v0+32";

#[test]
fn as_an_external_diff() {
    let repository = Repository::new("external");
    let driver = format!("{} diff --git --format unified", command());
    repository.git(&["config", "diff.clif.command", &driver]);
    let now = repository.git(&["diff"]);
    assert_eq!(marked(&now), [STORE, STORE], "{now}");
    repository.git(&["commit", "-q", "-a", "-m", "two"]);
    for args in [&["log", "-p", "--ext-diff", "-1"][..], &["show", "--ext-diff"]] {
        let text = repository.git(args);
        assert_eq!(marked(&text), [STORE, STORE], "{text}");
        assert!(text.contains("function %f"), "{text}");
    }
    // nine arguments
    repository.git(&["mv", "a.clif", "renamed.clif"]);
    let text = repository.git(&["diff", "--ext-diff", "-M", "HEAD"]);
    assert!(marked(&text).is_empty(), "{text}");
    // a file that is new, and one that is gone
    repository.git(&["rm", "-q", "same.clif"]);
    let text = repository.git(&["diff", "--ext-diff", "HEAD", "--", "same.clif"]);
    assert_eq!(marked(&text).len(), CLIF.lines().filter(|l| !l.is_empty()).count(), "{text}");
}

/// What git gives besides: names that look like options, files that are no text, modes. None of it keeps git
/// from going on to the next file.
#[test]
fn whatever_stands_in_a_repository() {
    let repository = Repository::new("whatever");
    let write = |name: &str, bytes: &[u8]| std::fs::write(repository.0.join(name), bytes).expect("a file");
    let names = ["-o.clif", "--git.clif", "with space.clif"];
    for name in names {
        write(name, CLIF.as_bytes());
    }
    write("binary.clif", b"\xff\xfe\0one");
    write("broken.wat", b"(module (func");
    write("mode.clif", CLIF.as_bytes());
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "-m", "two"]);
    for name in names {
        write(name, changed(CLIF).as_bytes());
    }
    write("binary.clif", b"\xff\xfe\0two");
    write("broken.wat", b"(module (func (");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(repository.0.join("mode.clif"), mode).expect("a mode");

    repository.git(&["config", "diff.clif.command", &format!("{} diff --git", command())]);
    let text = repository.git(&["diff"]);
    for name in names {
        assert!(text.lines().any(|l| l == name), "{text}");
    }
    assert!(text.contains("binary.clif: not compared: `binary.clif` is no text"), "{text}");
    assert!(text.contains("broken.wat"), "{text}");
    assert!(text.contains("mode.clif: mode 100644 -> 100755"), "{text}");
    repository.git(&["config", "diff.clif.textconv", &format!("{} canonical", command())]);
    let text = repository.git(&["diff", "--no-ext-diff"]);
    assert!(names.iter().all(|name| text.contains(name)) && text.contains("binary.clif"), "{text}");
    repository.git(&["blame", "with space.clif"]);
}

#[test]
fn a_conflict_is_named() {
    let repository = Repository::new("conflict");
    repository.git(&["config", "diff.clif.command", &format!("{} diff --git", command())]);
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.git(&["commit", "-q", "-a", "-m", "two"]);
    repository.git(&["checkout", "-q", "-"]);
    repository.write("a.clif", &CLIF.replace("+16", "+40"));
    repository.git(&["commit", "-q", "-a", "-m", "three"]);
    let merge = Command::new("git").args(["merge", "-q", "other"]).current_dir(&repository.0).output().expect("git");
    assert!(!merge.status.success(), "it conflicts");
    // one argument
    assert!(repository.git(&["diff", "--cached"]).contains("a.clif: not merged"));
}

#[test]
fn as_a_textconv() {
    let repository = Repository::new("textconv");
    repository.git(&["config", "diff.clif.textconv", &format!("{} canonical", command())]);
    let text = repository.git(&["diff"]);
    let lines = marked(&text);
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines.iter().all(|l| l.contains("store notrap aligned")), "{text}");
    repository.git(&["commit", "-q", "-a", "-m", "two"]);
    let text = repository.git(&["show"]);
    assert_eq!(marked(&text).len(), 2, "{text}");
    assert!(repository.git(&["blame", "a.clif"]).contains("store notrap aligned"));
}
