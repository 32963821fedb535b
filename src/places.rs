//! Where in a text of CLIF something is: a function, what one declares, an instruction.
//!
//! `cranelift-reader` keeps the lines of instructions only; the rest is found in the lines
//! themselves. What is not found has no place, which makes an error less helpful and
//! never wrong. Nothing here parses.

use clif_cont_diag::{Place, Source};
use clif_cont_program::text::inst_lines;
use cranelift_codegen::ir::Inst;

/// The line of a data symbol's item that is the address of a symbol.
pub(crate) fn data_item(text: &str, data: &str, symbol: &str) -> Option<(usize, usize)> {
    let is = |line: &str, what: &str| line.split_whitespace().any(|word| word == what);
    let begin = |l: &str| l.starts_with(";!") && is(l, "data") && is(l, &format!("%{data}"));
    let mut lines = text.lines().enumerate().skip_while(|(_, l)| !begin(l)).skip(1);
    let (index, line) = lines.find(|(_, l)| is(l, "symbol") && is(l, &format!("%{symbol}")))?;
    Some((index + 1, line.find('%').map_or(0, |at| line[..at].chars().count()) + 1))
}

/// The line of a function's instruction in the text it was read from.
pub(crate) fn inst(text: &str, function: &str, inst: Inst) -> Option<usize> {
    let lines = inst_lines(text).ok()?;
    lines.get(function.trim_start_matches('%'))?.get(&inst).map(|line| *line as usize)
}

/// Where the function is that a code generator's message begins with, `function %f: ...`;
/// the input as a whole where it is not in its text.
pub fn place_of_function(source: &Source, message: &str) -> Place {
    let name = message.strip_prefix("function ").and_then(|rest| rest.split([':', ' ']).next());
    let line = name.and_then(|name| {
        source.text()?.lines().position(|line| begins(line, name)).map(|index| (index + 1, indent(source, index)))
    });
    line.map_or(Place::whole(source), |(line, column)| Place::new(source, line, column))
}

fn indent(source: &Source, index: usize) -> usize {
    let line = source.line(index + 1).unwrap_or_default();
    line.chars().take_while(|c| c.is_whitespace()).count() + 1
}

/// Does the function `%name` begin on a line? `u0:3` has the name `%u0_3`.
fn begins(line: &str, function: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("function") else { return false };
    let name = rest.trim_start().split(|c: char| c == '(' || c.is_whitespace()).next().unwrap_or_default();
    let numbered = || name.starts_with('u') && format!("%{}", name.replacen(':', "_", 1)) == function;
    rest.starts_with(|c: char| c.is_whitespace() || c == '%') && (name == function || numbered())
}

/// The line on which a function declares a callee or a symbol: `%name`, or `%name(`.
pub(crate) fn declaration(text: &str, function: &str, name: &str) -> Option<(usize, usize)> {
    let declares = |code: &str| {
        let behind = code.split_once(name).map(|(_, behind)| behind.chars().next());
        let end = |c: char| name.ends_with('(') || !(c.is_alphanumeric() || matches!(c, '_' | '.'));
        (code.starts_with("fn") || code.starts_with("gv")) && behind.is_some_and(|c| c.is_none_or(end))
    };
    line_of(text, function, declares)
}

/// The line of a function that begins with an entity: a block's header, a declaration.
pub(crate) fn entity(text: &str, function: &str, name: &str) -> Option<(usize, usize)> {
    line_of(text, function, |code| {
        let behind = code.strip_prefix(name).map(|behind| behind.chars().next());
        behind.is_some_and(|c| c.is_none_or(|c| !c.is_ascii_alphanumeric()))
    })
}

/// The first line of a function's body whose code `is` the one.
fn line_of(text: &str, function: &str, is: impl Fn(&str) -> bool) -> Option<(usize, usize)> {
    let lines = text.lines().enumerate().skip_while(|(_, l)| !begins(l, function)).skip(1);
    let mut body = lines.take_while(|(_, l)| !l.trim_start().starts_with("function "));
    let (index, line) = body.find(|(_, l)| l.split(';').next().is_some_and(|l| is(l.trim())))?;
    Some((index + 1, line.chars().take_while(|c| c.is_whitespace()).count() + 1))
}

/// Where a text says what it is for: in its header, or as Cranelift's tests do.
pub(crate) fn target(source: &Source) -> Place {
    let says = |line: &str| line.trim_start_matches([';', '!', ' ', '\t']).starts_with("target ");
    let lines = || source.text().unwrap_or_default().lines().enumerate();
    let directive = lines().find(|(_, l)| l.trim_start().starts_with(";!") && says(l));
    match directive.or_else(|| lines().find(|(_, l)| l.starts_with("target "))) {
        Some((index, line)) => {
            let at = line.find("target ").unwrap_or_default();
            Place::new(source, index + 1, line[..at].chars().count() + 1)
        }
        None => Place::whole(source),
    }
}

/// The first byte of an input that belongs to no text, and its place.
pub(crate) fn not_text(source: &Source, bytes: &[u8]) -> (Place, u8) {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    let at = bytes[..valid].iter().position(|b| *b == 0).unwrap_or(valid);
    let before = String::from_utf8_lossy(&bytes[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (Place::new(source, line, column), bytes.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "target x86_64\n\n  function u0:3(i64) {\n    gv0 = vmctx\nblock0(v0: i64):\n    return\n}\nfunction %u0_31() {\nblock1:\n    return\n}\n";

    #[test]
    fn functions_are_found_by_the_name_they_get() {
        let source = Source::new("x.clif", TEXT.as_bytes());
        let place = |message: &str| place_of_function(&source, message).display();
        assert_eq!(place("function %u0_3: no"), "x.clif:3:3");
        assert_eq!(place("function %u0_31 has no block"), "x.clif:8:1");
        assert_eq!(place("function %u0_4: no"), "x.clif");
        assert_eq!(entity(TEXT, "%u0_3", "gv0"), Some((4, 5)));
        assert_eq!(entity(TEXT, "%u0_31", "block1"), Some((9, 1)));
        assert_eq!(entity(TEXT, "%u0_3", "block1"), None);
        assert_eq!(target(&source).display(), "x.clif:1:1");
    }

    #[test]
    fn bytes_that_are_no_text_have_a_place() {
        for (bytes, place, byte) in
            [(&b"\xff"[..], "x:1:1", 0xff), (b"a\nb\xc3\xa4\0", "x:2:3", 0), (b"a\n\xc3", "x:2:1", 0xc3)]
        {
            let (found, at) = not_text(&Source::new("x", bytes), bytes);
            assert_eq!((found.display().as_str(), at), (place, byte));
        }
    }
}
