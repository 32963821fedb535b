//! `test --review`: changes of golden files, one at a time.
//!
//! At a terminal each is shown and asked for; without one, or with JSON output, they are
//! listed and nothing is written.

use std::io::{self, BufRead as _, IsTerminal as _};

use anstream::adapter::strip_str;
use clif_cont::diag::Diagnostic;
use clif_cont::filetest::Pending;
use serde_json::json;

use super::super::io::{End, Ui, count};

/// What somebody says to a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The golden file is to be what is printed now.
    Accept,
    /// The golden file is right, and the code is not.
    Reject,
    /// Undecided.
    Skip,
    /// No more questions; what is left is undecided.
    Quit,
}

impl Answer {
    fn parse(line: &str) -> Option<Self> {
        match line.trim() {
            "a" | "accept" => Some(Self::Accept),
            "r" | "reject" => Some(Self::Reject),
            "s" | "skip" => Some(Self::Skip),
            "q" | "quit" => Some(Self::Quit),
            _ => None,
        }
    }
}

/// Goes through changes; whether all of them are accepted.
pub(super) fn review(ui: &Ui, changes: &[Pending]) -> Result<bool, End> {
    if changes.is_empty() {
        return Ok(true);
    }
    if ui.json() || !ui.is_terminal() || !io::stdin().is_terminal() {
        list(ui, changes)?;
        return Ok(false);
    }
    ask(ui, changes)
}

fn list(ui: &Ui, changes: &[Pending]) -> Result<(), End> {
    if ui.json() {
        return changes.iter().try_for_each(|change| {
            ui.json_line(json!({
                "kind": "pending", "test": change.test, "file": change.path.display().to_string(),
                "what": change.summary(), "difference": strip_str(&change.difference()).to_string(),
            }))
        });
    }
    changes.iter().try_for_each(|change| ui.line(&format!("pending: {}", change.summary())))?;
    ui.message("nothing was asked: this is no terminal\n");
    Ok(())
}

fn ask(ui: &Ui, changes: &[Pending]) -> Result<bool, End> {
    let (mut accepted, mut rejected) = (0, vec![]);
    for (number, change) in (1..).zip(changes) {
        ui.coloured(&format!(
            "\n{number} of {}: {}\n{}\n",
            changes.len(),
            change.summary(),
            change.difference().trim_end()
        ))?;
        match answer(ui)? {
            Answer::Accept => match change.accept() {
                Ok(()) => accepted += 1,
                Err(error) => {
                    let message = format!("cannot write `{}`", change.path.display());
                    ui.report(&Diagnostic::error(message).caused_by(&error));
                }
            },
            Answer::Reject => rejected.push(change),
            Answer::Skip => {}
            Answer::Quit => break,
        }
    }
    ui.line("")?;
    for change in &rejected {
        ui.line(&format!("rejected: `{}` stays, and its test fails until the code changes", change.path.display()))?;
    }
    let undecided = changes.len() - accepted - rejected.len();
    ui.line(&format!(
        "{}: {accepted} accepted, {} rejected, {undecided} undecided",
        count(changes.len() as u64, "change"),
        rejected.len()
    ))?;
    Ok(accepted == changes.len())
}

/// Asks until there is an answer; the end of the input is one.
fn answer(ui: &Ui) -> Result<Answer, End> {
    loop {
        ui.coloured("accept, reject, skip or quit? [a/r/s/q] ")?;
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => return Ok(Answer::Quit),
            Ok(_) => {}
        }
        if let Some(answer) = Answer::parse(&line) {
            return Ok(answer);
        }
    }
}
