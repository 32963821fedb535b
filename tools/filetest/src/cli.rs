//! `.cli`: transcripts of commands.
//!
//! ```text
//! # Purpose.
//!
//! $ clif-cont interpret inputs/missing.wat --invoke f
//! 2> error: cannot read `inputs/missing.wat`
//! ? 2
//! ```
//!
//! A line `$ clif-cont ...` is a command, run in the transcript's directory.
//! Words are separated by blanks; quotes `'...'` keep blanks; `< FILE` is its
//! input, and `| clif-cont ...` gives its output to another one. What follows
//! is its standard output, then its standard error behind `2> `, then its exit
//! code behind `? ` unless that is 0. A line of standard output that looks like one of
//! these stands behind `1> `. There are no wildcards: what a command
//! prints has to be the same each time.
//!
//! A transcript whose output depends on the emulators that a machine has says
//! so: `# needs: every ISA` before the first command. It is skipped where one is
//! missing.
//!
//! Blessing rewrites the output, never an exit code.

use std::path::Path;
use std::process::Command;

use clif_cont_output::lines;

use crate::discover::TestFile;
use crate::suite::Report;
use crate::{Pending, Tool};

/// In the head of a transcript that shows what can be run on this machine.
const NEEDS_EVERYTHING: &str = "# needs: every ISA";

/// A command of a transcript: its line from 1, its text, and the exit code that
/// is written there.
struct Step<'a> {
    line: usize,
    command: &'a str,
    exit: i32,
}

/// Splits at blanks; `'...'` keeps them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (vec![], None::<String>, false);
    for c in text.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err("missing `'`".to_owned());
    }
    words.extend(word);
    Ok(words)
}

/// Reads a transcript and runs nothing of it; gives the number of its commands.
///
/// # Errors
///
/// What is wrong, with the line.
pub fn commands(text: &str) -> Result<usize, String> {
    let (_, steps) = steps(text)?;
    for step in &steps {
        words(step.command).map_err(|e| format!("line {}: {e}", step.line))?;
    }
    Ok(steps.len())
}

/// The commands, and the text before the first one.
fn steps(text: &str) -> Result<(String, Vec<Step<'_>>), String> {
    let purpose = text.lines().next().and_then(|l| l.strip_prefix("# ")).map(str::trim).unwrap_or_default();
    if purpose.is_empty() {
        return Err("line 1: must state the purpose of the test (`# ...`)".to_owned());
    }
    let mut head = String::new();
    let mut steps: Vec<Step<'_>> = vec![];
    for (index, line) in text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: index + 1, command, exit: 0 });
        } else if let Some(step) = steps.last_mut() {
            if let Some(exit) = line.strip_prefix("? ") {
                step.exit = exit.trim().parse().map_err(|_| format!("line {}: `{exit}` is no exit code", index + 1))?;
            }
        } else {
            head.push_str(line);
            head.push('\n');
        }
    }
    if steps.is_empty() {
        Err("the transcript has no command (`$ clif-cont ...`)".to_owned())
    } else {
        Ok((head, steps))
    }
}

struct Ran {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    exit: Option<i32>,
}

/// Runs one pipeline.
fn run(tool: &dyn Tool, dir: &Path, command: &str) -> Result<Ran, String> {
    let binary = tool.command();
    let words = words(command)?;
    let mut input = vec![];
    let mut ran = Ran { stdout: vec![], stderr: vec![], exit: None };
    for stage in words.split(|w| w == "|") {
        let [program, args @ ..] = stage else { return Err("an empty command".to_owned()) };
        if program != "clif-cont" {
            return Err(format!("`{program}` is not the command under test"));
        }
        let mut args = args.to_vec();
        if let Some(at) = args.iter().position(|a| a == "<") {
            let file = args.get(at + 1).ok_or("`<` needs a file")?.clone();
            args.truncate(at);
            input = std::fs::read(dir.join(&file)).map_err(|e| format!("cannot read `{file}`: {e}"))?;
        }
        let mut command = Command::new(&binary);
        command
            .args(&args)
            .current_dir(dir)
            .env("COLUMNS", "100")
            .env_remove("CLIF_CONT_REQUIRE")
            .env_remove("CI")
            .env_remove("RUST_BACKTRACE");
        let output = clif_cont_output::run(&mut command, &input, tool.limit());
        let output = output.map_err(|e| format!("cannot run `{}`: {e}", binary.display()))?;
        let Some(status) = output.status else { return Err("out of time: it was ended".to_owned()) };
        ran.stderr.extend(output.stderr);
        ran.exit = status.code();
        input = output.stdout;
    }
    ran.stdout = input;
    Ok(ran)
}

/// Adds what a command wrote to standard output. A line that would be read as something
/// else stands behind `1> `; nothing in it is hidden.
fn push_output(transcript: &mut String, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for text in lines(&text).lines() {
        let ambiguous = ["$ ", "? ", "2>", "1>"].iter().any(|sign| text.starts_with(sign));
        transcript.push_str(if ambiguous { "1> " } else { "" });
        transcript.push_str(text);
        transcript.push('\n');
    }
}

/// Runs a transcript and compares it with what is printed now.
pub(crate) fn check(tool: &dyn Tool, file: &TestFile, text: &str, report: &mut Report) {
    let path = &file.path;
    let (head, steps) = match steps(text) {
        Ok(steps) => steps,
        Err(message) => {
            report.failures.push(message);
            return;
        }
    };
    if head.lines().any(|l| l == NEEDS_EVERYTHING)
        && let Some(missing) = tool.missing()
    {
        report.skips.push(missing);
        return;
    }
    let dir = match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    let mut now = head;
    let mut exits = true;
    for (index, step) in steps.iter().enumerate() {
        report.assertions += 1;
        let ran = match run(tool, dir, step.command) {
            Ok(ran) => ran,
            Err(message) => {
                report.failures.push(format!("line {}: {message}", step.line));
                return;
            }
        };
        if index > 0 {
            now.push('\n');
        }
        now.push_str(&format!("$ {}\n", step.command));
        push_output(&mut now, &ran.stdout);
        for text in lines(&String::from_utf8_lossy(&ran.stderr)).lines() {
            now.push_str(format!("2> {text}").trim_end());
            now.push('\n');
        }
        if ran.exit != Some(step.exit) {
            exits = false;
            let got = ran.exit.map_or("by a signal".to_owned(), |e| format!("with {e}"));
            report.failures.push(format!(
                "line {}: `{}` exits {got}, not with {}\n{}",
                step.line,
                step.command,
                step.exit,
                String::from_utf8_lossy(&ran.stderr)
            ));
        }
        if step.exit != 0 {
            now.push_str(&format!("? {}\n", step.exit));
        }
    }
    if now != text && exits {
        let (old, new) = (Some(text.to_owned()), Some(now));
        report.pending.push(Pending { test: file.name(), path: path.clone(), old, new });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks() {
        assert_eq!(words("a 'b c'  d''").unwrap(), ["a", "b c", "d"]);
        assert_eq!(words("''").unwrap(), [""]);
        assert!(words("'a").is_err());
    }

    #[test]
    fn output_is_not_taken_for_syntax() {
        let mut text = String::from("$ clif-cont x\n");
        push_output(&mut text, b"plain\n$ clif-cont y\n? 3\n2> no\n1> one\n\x1b[31m\xe2\x80\xae\n\nend");
        let expected =
            "$ clif-cont x\nplain\n1> $ clif-cont y\n1> ? 3\n1> 2> no\n1> 1> one\n\\u{1b}[31m\\u{202e}\n\nend\n";
        assert_eq!(text, expected);
        let transcript = format!("# Purpose.\n{text}");
        let (_, steps) = steps(&transcript).unwrap();
        assert_eq!(steps.iter().map(|s| (s.line, s.exit)).collect::<Vec<_>>(), [(2, 0)]);
    }

    #[test]
    fn a_transcript_needs_purpose_and_command() {
        assert!(steps("$ clif-cont isas\n").is_err());
        assert!(steps("# Purpose.\n").is_err());
        let text = "# Purpose.\n\n$ clif-cont x\nout\n2> err\n? 2\n\n$ clif-cont y\n";
        let (head, steps) = steps(text).unwrap();
        assert_eq!(head, "# Purpose.\n\n");
        assert_eq!(steps.iter().map(|s| (s.line, s.exit)).collect::<Vec<_>>(), [(3, 2), (8, 0)]);
    }
}
