//! Comments of functions, blocks and instructions: how a comment becomes lines
//! and how lines become comments again. Both directions are here, because each
//! has to undo exactly what the other does.

use cranelift_codegen::ir::Function;
use cranelift_reader::SourceMap;

use crate::Comments;

/// Appends `text` as comment lines.
pub(super) fn push_comment_lines(out: &mut String, indent: &str, text: &str) {
    // an empty text is one empty comment line
    for line in text.split('\n') {
        let line = format!("{indent}; {}", clif_cont_output::line(line));
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// The text of a comment line; `None` when the line is not one, or is a
/// directive of ours.
fn comment_line(line: &str) -> Option<&str> {
    let text = line.trim().strip_prefix(';')?;
    (!text.starts_with('!')).then(|| text.strip_prefix(' ').unwrap_or(text))
}

/// Is the line a directive of the test engine?
pub(super) fn is_test_directive(line: &str) -> bool {
    line.trim_start().starts_with(";;!")
}

/// The comment lines directly above line `line` (from 1), in order.
fn above<'a>(lines: &[&'a str], line: usize) -> Vec<&'a str> {
    collect(up(lines, line).map_while(|l| Some((l, comment_line(l)?))))
}

/// The same of an instruction, of which directives may speak as well.
fn above_inst<'a>(lines: &[&'a str], line: usize) -> Vec<&'a str> {
    let said = up(lines, line).take_while(|l| l.trim_start().starts_with(';'));
    collect(said.filter_map(|l| Some((l, comment_line(l)?))))
}

/// The lines above a line, upwards.
fn up<'a>(lines: &[&'a str], line: usize) -> impl Iterator<Item = &'a str> {
    lines[..line.saturating_sub(1).min(lines.len())].iter().rev().copied()
}

/// The texts of comment lines that were read upwards.
fn collect<'a>(upwards: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<&'a str> {
    let mut found: Vec<&str> = upwards.filter(|(l, _)| !is_test_directive(l)).map(|(_, text)| text).collect();
    found.reverse();
    found
}

/// The comments of a function that was read from `lines`; `line` is that of its
/// `function` keyword.
pub(super) fn gather(lines: &[&str], line: usize, func: &Function, map: &SourceMap) -> Comments {
    let mut comments =
        Comments { header: above(lines, line).into_iter().map(str::to_owned).collect(), ..Comments::default() };
    for block in func.layout.blocks() {
        if let Some(at) = map.location(block.into())
            && let Some((_, text)) = lines.get(at.line_number.wrapping_sub(1)).and_then(|l| l.split_once(';'))
            && !text.trim().is_empty()
            && !text.starts_with('!')
        {
            comments.blocks.insert(block, text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        for inst in func.layout.block_insts(block) {
            let texts = map.location(inst.into()).map(|at| above_inst(lines, at.line_number)).unwrap_or_default();
            if !texts.is_empty() {
                comments.insts.insert(inst, texts.join("\n"));
            }
        }
    }
    comments
}
