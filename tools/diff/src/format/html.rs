//! As one self-contained page: side by side, folded, without scripts.

use clif_cont_output::html as escape;

use crate::format::human::heading;
use crate::format::windows;
use crate::pairs::Side;
use crate::result::{Diff, FunctionDiff, Line, Verdict};

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color:#1f2328}\
table{border-collapse:collapse;width:100%;table-layout:fixed}\
td{font:12px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;padding:0 .5em;vertical-align:top}\
td.n{width:3em;color:#6e7781;text-align:right;user-select:none;overflow-wrap:normal}\
tr.old td.o{background:#ffebe9}tr.new td.w{background:#dafbe1}tr.both td.o{background:#ffebe9}tr.both td.w{background:#dafbe1}\
tr.gap td{background:#f6f8fa;color:#8c959f;text-align:center}\
tr:hover td{filter:brightness(.96)}summary{cursor:pointer;font-weight:600;padding:.3em 0}\
h2{font-size:18px;overflow-wrap:anywhere}h3{font-size:13px;margin:.8em 0 .2em}.hidden{color:#656d76;font-size:12px}\
.equal{color:#656d76;font-weight:400}\
tr.old td.o::before,tr.both td.o::before{content:\"- \"}tr.new td.w::before,tr.both td.w::before{content:\"+ \"}\
@media(max-width:760px){body{margin:.5rem}table,tbody{display:block}tr{display:grid;grid-template-columns:3.6em 1fr}\
tr.same td:nth-child(n+3),tr.old td:nth-child(n+3),tr.new td:nth-child(-n+2){display:none}tr.gap{display:block}\
tr.gap td{display:block}td.n{width:auto}}";

/// A page of differences, each of one file: side by side, and one below the other where the page is narrow.
pub fn html(files: &[(String, Diff)]) -> String {
    let mut body = String::new();
    for (name, diff) in files {
        let what = match diff.changed_lines() {
            _ if diff.is_equal() => "no difference".to_owned(),
            1 => "1 changed line".to_owned(),
            n => format!("{n} changed lines"),
        };
        body.push_str(&format!("<h2>{}: {what}</h2>\n", escape(name)));
        for f in &diff.functions {
            function(&mut body, f);
        }
        if !diff.outside.is_empty() {
            body.push_str("<details open><summary>outside of functions</summary>\n");
            let changed: Vec<usize> =
                diff.outside.iter().enumerate().filter(|(_, l)| l.side.is_some()).map(|(i, _)| i).collect();
            table(&mut body, &diff.outside, &changed);
            body.push_str("</details>\n");
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>clif-cont diff</title>\
         <style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n"
    )
}

fn function(body: &mut String, f: &FunctionDiff) {
    let counts = f.hidden.counts().join(", ");
    let hidden =
        if counts.is_empty() { String::new() } else { format!("<p class=\"hidden\">not shown: {counts}</p>\n") };
    if f.verdict == Verdict::Equal {
        body.push_str(&format!(
            "<p class=\"equal\">{} {}</p>\n",
            escape(&heading(f)),
            hidden.replace("<p", "<span").replace("</p>", "</span>")
        ));
        return;
    }
    body.push_str(&format!("<details open><summary>{}</summary>\n", escape(&heading(f))));
    for hunk in &f.hunks {
        let also = if hunk.also.is_empty() { String::new() } else { format!(" (also in {})", hunk.also.join(", ")) };
        let before = if hunk.shown_before { " (as above)" } else { "" };
        body.push_str(&format!("<h3>{}{}{before}</h3>\n", escape(&hunk.title), escape(&also)));
        if !hunk.shown_before {
            table(body, &f.lines, &hunk.lines);
        }
    }
    let moved: String =
        f.hidden.moved.iter().map(|(old, new, line)| format!("moved {old} → {new}: {}<br>", escape(line))).collect();
    body.push_str(&format!("<p class=\"hidden\">{moved}</p>\n{hidden}</details>\n"));
}

fn table(body: &mut String, lines: &[Line], chosen: &[usize]) {
    body.push_str("<table>\n");
    for (n, window) in windows(chosen, lines.len(), super::CONTEXT).into_iter().enumerate() {
        if n > 0 {
            body.push_str("<tr class=\"gap\"><td colspan=\"4\">⋯</td></tr>\n");
        }
        let part: Vec<&Line> = window
            .filter(|at| lines[*at].side.is_none() || chosen.binary_search(at).is_ok())
            .map(|at| &lines[at])
            .filter(|l| !l.text.trim().is_empty())
            .collect();
        let mut rest = part.into_iter().peekable();
        while let Some(line) = rest.next() {
            let (class, left, right) = match line.side {
                None => ("same", Some(line), Some(line)),
                Some(Side::New) => ("new", None, Some(line)),
                // what it became stands beside it
                Some(Side::Old) => match rest.next_if(|l| l.side == Some(Side::New)) {
                    Some(new) => ("both", Some(line), Some(new)),
                    None => ("old", Some(line), None),
                },
            };
            let cell = |line: Option<&Line>, side: Side, class: &str| {
                let number = line.and_then(|l| if side == Side::Old { l.old } else { l.new });
                let number = number.map_or(String::new(), |n| n.to_string());
                let text = line.map_or(String::new(), |l| escape(l.text.trim_end()));
                format!("<td class=\"n\">{number}</td><td class=\"{class}\">{text}</td>")
            };
            let (left, right) = (cell(left, Side::Old, "o"), cell(right, Side::New, "w"));
            body.push_str(&format!("<tr class=\"{class}\">{left}{right}</tr>\n"));
        }
    }
    body.push_str("</table>\n");
}
