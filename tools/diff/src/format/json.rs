//! As JSON: everything that the result has.

use serde_json::{Value, json};

use crate::pairs::Side;
use crate::result::{Diff, FunctionDiff, Line, Plain};

/// The whole difference.
///
/// `changed_lines` counts lines that only one side has; `hidden` what is not printed
/// because it makes no difference.
pub fn json(diff: &Diff) -> Value {
    json!({
        "equal": diff.is_equal(),
        "changed_lines": diff.changed_lines(),
        "functions": diff.functions.iter().map(function).collect::<Vec<_>>(),
        "outside": diff.outside.iter().filter(|l| l.side.is_some()).map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    let side = match line.side {
        Some(Side::Old) => "old",
        Some(Side::New) => "new",
        None => "both",
    };
    json!({ "side": side, "old_line": line.old, "new_line": line.new, "text": line.text.trim() })
}

fn function(f: &FunctionDiff) -> Value {
    let place =
        |place: &Option<(String, u32)>| place.as_ref().map(|(name, line)| json!({ "name": name, "line": line }));
    let hidden = &f.hidden;
    let places = |all: &[(u32, u32, String)]| {
        all.iter().map(|(old, new, text)| json!({ "old_line": old, "new_line": new, "text": text })).collect::<Vec<_>>()
    };
    let hunks = f.hunks.iter().map(|hunk| {
        json!({
            "title": hunk.title,
            "lines": hunk.lines.iter().filter_map(|l| f.lines.get(*l)).map(line).collect::<Vec<_>>(),
            "also": hunk.also,
            "shown_before": hunk.shown_before,
        })
    });
    json!({
        "name": f.name(),
        "verdict": f.verdict.name(),
        "old": place(&f.old),
        "new": place(&f.new),
        "changed_lines": f.changed_lines(),
        "hunks": hunks.collect::<Vec<_>>(),
        "hidden": {
            "moved": places(&hidden.moved),
            "commuted": places(&hidden.commuted),
            "elsewhere": hidden.elsewhere,
            "renamed": hidden.renamed,
            "duplicates": hidden.duplicates,
            "folded": hidden.folded,
            "joined": hidden.joined,
            "declarations": hidden.declarations,
        },
        "bounded": f.bounded,
        "plain": match &f.plain {
            None => Value::Null,
            Some(Plain::Shorter) => json!("shorter"),
            Some(Plain::Refused(why)) => json!(format!("refused: {why}")),
        },
    })
}
