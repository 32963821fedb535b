//! As `diff -u`, in the names of the old file.

use crate::format::{CONTEXT, windows};
use crate::pairs::Side;
use crate::result::{Diff, Line, Verdict};

/// The whole difference as unified text; empty if nothing is different.
///
/// Line numbers in `@@` are those of the two files; what is between them is not
/// the new file's text, but its meaning in the old file's names.
pub fn unified(diff: &Diff, old: &str, new: &str) -> String {
    let mut text = String::new();
    for f in &diff.functions {
        match (f.verdict, &f.old, &f.new) {
            (Verdict::Renamed, Some((was, _)), Some((is, line))) => {
                text.push_str(&format!("@@ line {line} @@ function {was} is {is} now\n"));
            }
            (Verdict::Equal, ..) => {}
            _ => block(&mut text, &f.lines, f.name()),
        }
    }
    block(&mut text, &diff.outside, "");
    if text.is_empty() { text } else { format!("--- {old}\n+++ {new}\n{text}") }
}

fn block(text: &mut String, lines: &[Line], name: &str) {
    let changed: Vec<usize> = lines.iter().enumerate().filter(|(_, l)| l.side.is_some()).map(|(i, _)| i).collect();
    for window in windows(&changed, lines.len(), CONTEXT) {
        let part = &lines[window];
        let span = |number: &dyn Fn(&Line) -> Option<u32>, other: Side| {
            let first = part.iter().find_map(number).unwrap_or(0);
            format!("{first},{}", part.iter().filter(|l| l.side != Some(other)).count())
        };
        let (old, new) = (span(&|l| l.old, Side::New), span(&|l| l.new, Side::Old));
        let name = if name.is_empty() { String::new() } else { format!(" function {name}") };
        text.push_str(&format!("@@ -{old} +{new} @@{name}\n"));
        for line in part {
            text.push(line.side.map_or(' ', Side::mark));
            text.push_str(line.text.trim_end());
            text.push('\n');
        }
    }
}
