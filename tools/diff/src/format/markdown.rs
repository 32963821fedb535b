//! For a comment on a pull request: folded, with ```` ```diff ```` blocks.

use clif_cont_output::{html as escape, lines as visible, markdown as plain, markdown_code, markdown_fence};

use crate::format::human::heading;
use crate::format::{Show, windows};
use crate::pairs::Side;
use crate::result::{Diff, FunctionDiff, Line, Verdict};

/// Lines of one hunk that a comment shows.
const MOST: usize = 200;

/// One file's difference.
pub fn markdown(diff: &Diff, name: &str, show: Show) -> String {
    let equal = diff.functions.iter().filter(|f| f.verdict == Verdict::Equal).count();
    let mut text = format!("### {}\n\n", markdown_code(name));
    if diff.is_equal() {
        text.push_str(&format!("No difference in {} functions.\n\n", diff.functions.len()));
        return text;
    }
    text.push_str(&format!(
        "{} changed lines; {equal} of {} functions equal.\n\n",
        diff.changed_lines(),
        diff.functions.len()
    ));
    for f in diff.functions.iter().filter(|f| f.verdict != Verdict::Equal) {
        function(&mut text, f, show);
    }
    let changed: Vec<usize> = changed(&diff.outside);
    if !changed.is_empty() {
        text.push_str("<details><summary>outside of functions</summary>\n\n");
        fenced(&mut text, &diff.outside, &changed, show.context);
        text.push_str("</details>\n\n");
    }
    text
}

fn changed(lines: &[Line]) -> Vec<usize> {
    lines.iter().enumerate().filter(|(_, l)| l.side.is_some()).map(|(i, _)| i).collect()
}

fn function(text: &mut String, f: &FunctionDiff, show: Show) {
    text.push_str(&format!("<details><summary>{}</summary>\n\n", escape(&heading(f))));
    for hunk in &f.hunks {
        let also = hunk.also.iter().map(|name| markdown_code(name)).collect::<Vec<_>>().join(", ");
        let also = if also.is_empty() { also } else { format!(" (also in {also})") };
        let before = if hunk.shown_before { " (as above)" } else { "" };
        text.push_str(&format!("**{}**{also}{before}\n\n", plain(&hunk.title)));
        if !hunk.shown_before {
            fenced(text, &f.lines, &hunk.lines, show.context);
        }
    }
    if show.moves && !f.hidden.moved.is_empty() {
        let lines = f.hidden.moved.iter().map(|(old, new, line)| format!("- {old} → {new}: {}\n", markdown_code(line)));
        text.push_str(&format!("Moved among independent instructions:\n\n{}\n", lines.collect::<String>()));
    }
    let counts = f.hidden.counts();
    if !counts.is_empty() {
        text.push_str(&format!("Not shown: {}.\n\n", counts.join(", ")));
    }
    text.push_str("</details>\n\n");
}

fn fenced(text: &mut String, lines: &[Line], chosen: &[usize], context: usize) {
    let fence = markdown_fence(lines.iter().map(|l| l.text.as_str()));
    text.push_str(&format!("{fence}diff\n"));
    let mut shown = 0;
    for (n, window) in windows(chosen, lines.len(), context).into_iter().enumerate() {
        if n > 0 {
            text.push_str("@@\n");
        }
        for (at, line) in window.clone().zip(&lines[window]) {
            if line.side.is_some() && chosen.binary_search(&at).is_err() || line.text.trim().is_empty() {
                continue;
            }
            shown += 1;
            if shown <= MOST {
                text.push(line.side.map_or(' ', Side::mark));
                text.push_str(&visible(line.text.trim_end()));
                text.push('\n');
            }
        }
    }
    text.push_str(&format!("{fence}\n\n"));
    if shown > MOST {
        text.push_str(&format!("{} more lines.\n\n", shown - MOST));
    }
}
