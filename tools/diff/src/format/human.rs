//! For people at a terminal: a title for each change, colours, and what was left
//! out.

use crate::format::windows;
use crate::pairs::Side;
use crate::result::{Diff, FunctionDiff, Hunk, Line, Plain, Verdict};

/// What is shown besides changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Show {
    /// What moved.
    pub moves: bool,
    /// What was commuted.
    pub commuted: bool,
    /// Unchanged lines around a change.
    pub context: usize,
}

impl Default for Show {
    fn default() -> Self {
        Self { moves: true, commuted: true, context: 2 }
    }
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const DIM: &str = "\x1b[2m";
const OFF: &str = "\x1b[0m";

/// The whole difference, with colours.
pub fn human(diff: &Diff, show: Show) -> String {
    let mut text = String::new();
    for f in &diff.functions {
        let moves = show.moves && !f.hidden.moved.is_empty();
        let commuted = show.commuted && !f.hidden.commuted.is_empty();
        if f.verdict == Verdict::Equal && !moves && !commuted {
            continue;
        }
        text.push_str(&format!("{BOLD}{}{OFF}\n", heading(f)));
        for hunk in &f.hunks {
            one(&mut text, f, hunk, show);
        }
        let places = [(moves, "moved", &f.hidden.moved), (commuted, "commuted", &f.hidden.commuted)];
        for (_, what, places) in places.into_iter().filter(|(shown, ..)| *shown) {
            for (old, new, line) in places {
                text.push_str(&format!("  {DIM}{what} {old} -> {new}: {line}{OFF}\n"));
            }
        }
        let counts = f.hidden.counts();
        if !counts.is_empty() {
            text.push_str(&format!("  {DIM}not shown: {}{OFF}\n", counts.join(", ")));
        }
        text.push('\n');
    }
    if !diff.outside.is_empty() {
        text.push_str(&format!("{BOLD}outside of functions{OFF}\n"));
        let changed: Vec<usize> =
            diff.outside.iter().enumerate().filter(|(_, l)| l.side.is_some()).map(|(i, _)| i).collect();
        fragments(&mut text, &diff.outside, &changed, show.context);
        text.push('\n');
    }
    text
}

/// Name and verdict of a function.
pub(crate) fn heading(f: &FunctionDiff) -> String {
    let lines = match f.changed_lines() {
        0 => String::new(),
        1 => ", 1 line".to_owned(),
        n => format!(", {n} lines"),
    };
    let name = match (&f.old, &f.new) {
        (Some((was, _)), Some((is, _))) if was != is => format!("{was} -> {is}"),
        _ => f.name().to_owned(),
    };
    let note = match &f.plain {
        Some(Plain::Refused(why)) => format!(" (as text: not certified, {why})"),
        Some(Plain::Shorter) => " (as text, which is shorter)".to_owned(),
        None if f.bounded => " (searched in part: it is large)".to_owned(),
        None => String::new(),
    };
    format!("function {name}: {}{lines}{note}", f.verdict.name())
}

fn one(text: &mut String, f: &FunctionDiff, hunk: &Hunk, show: Show) {
    if hunk.shown_before {
        text.push_str(&format!("  {CYAN}{}{OFF} (as above)\n", hunk.title));
        return;
    }
    let also = if hunk.also.is_empty() { String::new() } else { format!(" (also in {})", hunk.also.join(", ")) };
    text.push_str(&format!("  {CYAN}{}{OFF}{also}\n", hunk.title));
    let context = if matches!(f.verdict, Verdict::Added | Verdict::Removed) { 0 } else { show.context };
    fragments(text, &f.lines, &hunk.lines, context);
}

fn fragments(text: &mut String, lines: &[Line], chosen: &[usize], context: usize) {
    for (n, window) in windows(chosen, lines.len(), context).into_iter().enumerate() {
        if n > 0 {
            text.push_str(&format!("  {DIM}...{OFF}\n"));
        }
        for (at, line) in window.clone().zip(&lines[window]) {
            if line.side.is_some() && chosen.binary_search(&at).is_err() || line.text.trim().is_empty() {
                continue;
            }
            let number = |n: Option<u32>| n.map_or(String::new(), |n| n.to_string());
            let numbers = format!("{:>6} {:>6}", number(line.old), number(line.new));
            let body = line.text.trim_end();
            text.push_str(&match line.side {
                Some(Side::Old) => format!("{DIM}{numbers}{OFF} {RED}-{body}{OFF}\n"),
                Some(Side::New) => format!("{DIM}{numbers}{OFF} {GREEN}+{body}{OFF}\n"),
                None => format!("{DIM}{numbers}{OFF}  {body}\n"),
            });
        }
    }
}

/// A line for each function.
pub fn summary(diff: &Diff) -> String {
    let mut text = String::new();
    for f in &diff.functions {
        let counts = f.hidden.counts();
        let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
        text.push_str(&format!("{}{counts}\n", heading(f)));
    }
    let outside = diff.outside.iter().filter(|l| l.side.is_some()).count();
    if outside > 0 {
        text.push_str(&format!("outside of functions: {outside} lines\n"));
    }
    text
}
