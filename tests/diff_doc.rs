//! The commands of `docs/diff.md` print what it says, and git takes its lines.

#![allow(missing_docs, reason = "a test")]

use std::path::Path;
use std::process::Command;

fn run(program: &str, args: &[&str], dir: &Path) -> (String, bool) {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("it starts");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

/// A command line, with what is in quotes as one word.
fn words(line: &str) -> Vec<String> {
    line.split('\'').enumerate().fold(vec![], |mut words, (n, part)| {
        match n % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
        words
    })
}

#[test]
fn commands_do_what_the_document_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/diff.md")).expect("the document");
    let inputs = root.join("clif-tests/cli/inputs/diff");
    let repository = std::env::temp_dir().join(format!("clif-cont-doc-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&repository);
    std::fs::create_dir_all(&repository).expect("a directory");
    let command = env!("CARGO_BIN_EXE_clif-cont");
    let git = |args: &[&str]| run("git", args, &repository).0;
    git(&["init", "-q", "."]);
    git(&["config", "user.email", "test@example.com"]);
    git(&["config", "user.name", "test"]);
    std::fs::copy(inputs.join("old/resume.clif"), repository.join("resume.clif")).expect("copied");
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "one"]);
    std::fs::copy(inputs.join("new/resume.clif"), repository.join("resume.clif")).expect("copied");
    let mut ran = 0;
    for block in text.split("```console\n").skip(1).filter_map(|b| b.split_once("```")).map(|(b, _)| b) {
        for part in block.split("$ ").skip(1) {
            let (line, expected) = part.split_once('\n').expect("a line");
            ran += 1;
            if let Some(args) = line.strip_prefix("clif-cont ") {
                let args = words(args);
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                assert_eq!(run(command, &args, &inputs).0, expected, "{line}");
            } else if let Some(args) = line.strip_prefix("git ") {
                let args: Vec<String> =
                    words(args).iter().map(|a| a.replace("clif-cont ", &format!("{command} "))).collect();
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let (output, success) = run("git", &args, &repository);
                assert!(success, "{line}: {output}");
                if line == "git diff" {
                    // of an insertion in the driver's own text, or as an added line
                    assert!(output.contains("v0+48") || output.contains("+    store notrap aligned"), "{output}");
                }
            } else {
                assert_eq!(line, "echo '*.clif diff=clif' >> .gitattributes");
                std::fs::write(repository.join(".gitattributes"), "*.clif diff=clif\n").expect("written");
            }
        }
    }
    let _ = std::fs::remove_dir_all(&repository);
    assert_eq!(ran, 8, "commands in the document");
}
