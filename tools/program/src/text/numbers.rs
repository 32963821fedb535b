//! The numbers of entities, before `cranelift-reader` sees them.
//!
//! The reader makes every entity up to the highest number of its kind, with
//! placeholders in the gaps: callees without a signature, symbols without a
//! name. A short text could take any amount of memory, and what works on all
//! callees of a function would find some that nobody declared. So, in each
//! function:
//!
//! - What its preamble declares (`ss`, `dss`, `dt`, `gv`, `sig`, `fn`, `const`) is
//!   numbered anew where numbers are left out: nothing refers to it from outside.
//!   The order stays.
//! - An alias of an alias becomes one of the value itself: the reader follows the whole
//!   chain for each of them.
//! - Values and blocks keep their numbers, which messages speak of. Over the whole
//!   text, the highest of each function are bounded by the text's length.
//!
//! A declaration that is missing, or there twice, is for the reader to report; such
//! a kind keeps its numbers, and is bounded like values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::{ParseError, ParseErrorKind};

/// Numbers that any text may use, in total over its functions: about 100 bytes of memory for each.
const FREE: u64 = 1 << 20;
/// And so many more for each byte. Printed code has a number for every 20 bytes or so, and optimised code some
/// gaps in between.
const FOR_EACH_BYTE: u64 = 4;
/// Block numbers that `cranelift-reader` 0.135 takes.
const BLOCKS: u64 = 100_000;

/// Kinds of entities that a preamble declares.
const DECLARED: [&str; 7] = ["ss", "dss", "dt", "gv", "sig", "fn", "const"];
const SIG: usize = 4;
const FN: usize = 5;

/// The text with numbers as the module says; the same number of lines.
///
/// # Errors
///
/// A number that is too high, at its place.
pub(super) fn check(source: &str) -> Result<Cow<'_, str>, ParseError> {
    let mut reader = Numbers { source, function: None, total: 0, edits: vec![] };
    let mut words = Words { source, at: 0 };
    let mut depth = 0u32;
    while let Some((at, word)) = words.next_word() {
        match word {
            "{" => {
                depth += 1;
                reader.function.get_or_insert_default();
            }
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    reader.end_function()?;
                }
            }
            _ => reader.word(at, word, &words)?,
        }
    }
    reader.end_function()?;
    Ok(reader.edited())
}

/// Words, opening parentheses and braces of a text; not those in comments, names, strings and numbers.
struct Words<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn next_word(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let rest = &self.source[self.at..];
            let c = rest.chars().next()?;
            let len = match c {
                ';' => rest.find('\n').unwrap_or(rest.len()),
                '"' => rest[1..].find('"').map_or(rest.len(), |n| n + 2),
                '%' | '#' | '@' => 1 + word_len(&rest[1..]),
                '0'..='9' => word_len(rest),
                'a'..='z' | 'A'..='Z' | '_' | '{' | '}' | '(' => {
                    let len = word_len(rest).max(1);
                    let at = self.at;
                    self.at += len;
                    return Some((at, &rest[..len]));
                }
                _ => c.len_utf8(),
            };
            self.at += len;
        }
    }

    /// Does this come next?
    fn is_followed_by(&self, token: &str) -> bool {
        let mut rest = self.source[self.at..].trim_start();
        while rest.starts_with(';') {
            rest = rest[rest.find('\n').unwrap_or(rest.len())..].trim_start();
        }
        rest.starts_with(token)
    }
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// A word of a preamble's kind.
struct Mention {
    at: usize,
    len: usize,
    kind: usize,
    number: u64,
}

/// What is known of a function.
#[derive(Default)]
struct Function {
    mentions: Vec<Mention>,
    /// What was declared, in order; a signature that a callee brings along has no number.
    declared: [Vec<Option<u64>>; DECLARED.len()],
    /// A callee is being declared.
    callee: bool,
    /// So many numbers are used of values and of blocks.
    used: [u64; 2],
    /// An alias whose value comes next.
    alias: Option<u64>,
    /// Aliases, and what they are in the end.
    aliases: HashMap<u64, u64>,
}

struct Numbers<'a> {
    source: &'a str,
    /// The one that was begun.
    function: Option<Function>,
    /// Numbers used so far.
    total: u64,
    /// What to write where.
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Numbers<'a> {
    fn word(&mut self, at: usize, word: &str, words: &Words<'_>) -> Result<(), ParseError> {
        let Some(function) = &mut self.function else { return Ok(()) };
        if word == "(" {
            if std::mem::take(&mut function.callee) {
                function.declared[SIG].push(None);
            }
            return Ok(());
        }
        let prefix = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &word[prefix.len()..];
        if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
            return Ok(());
        }
        let number = digits.parse().unwrap_or(u64::MAX);
        if let Some(kind) = DECLARED.iter().position(|k| *k == prefix) {
            if words.is_followed_by("=") {
                function.declared[kind].push(Some(number));
                function.callee = kind == FN;
            } else if kind == SIG {
                function.callee = false;
            }
            function.mentions.push(Mention { at, len: word.len(), kind, number });
            return Ok(());
        }
        let of = match prefix {
            "v" => 0,
            "block" => 1,
            _ => return Ok(()),
        };
        if of == 1 && number >= BLOCKS {
            let message = format!("{word}: blocks are numbered below {BLOCKS}, and no function has more");
            return Err(self.error(at, message));
        }
        if of == 0 {
            if let Some(alias) = function.alias.take() {
                let value = function.aliases.get(&number).copied().unwrap_or(number);
                function.aliases.insert(alias, value);
                if value != number {
                    self.edits.push((at..at + word.len(), padded(format!("v{value}"), word)));
                }
            } else if words.is_followed_by("->") {
                function.alias = Some(number);
            }
        }
        let new = number.saturating_add(1).saturating_sub(function.used[of]);
        function.used[of] = function.used[of].max(number.saturating_add(1));
        self.use_up(at, word, new)
    }

    /// So many numbers more are used.
    fn use_up(&mut self, at: usize, word: &str, new: u64) -> Result<(), ParseError> {
        self.total = self.total.saturating_add(new);
        if self.total <= FREE + FOR_EACH_BYTE * self.source.len() as u64 {
            return Ok(());
        }
        Err(self.error(at, format!("{word}: the numbers of entities leave too many out for a text of this length")))
    }

    fn end_function(&mut self) -> Result<(), ParseError> {
        let Some(Function { mentions, declared, .. }) = self.function.take() else { return Ok(()) };
        let source = self.source;
        for (kind, declared) in declared.iter().enumerate() {
            let mentions = || mentions.iter().filter(|m| m.kind == kind);
            match numbering(declared) {
                Numbering::Dense => {}
                Numbering::Sparse(new) if mentions().all(|m| new.contains_key(&m.number)) => {
                    for Mention { at, len, number, .. } in mentions() {
                        let word = padded(format!("{}{}", DECLARED[kind], new[number]), &source[*at..at + len]);
                        self.edits.push((*at..at + len, word));
                    }
                }
                Numbering::Sparse(_) | Numbering::Faulty => {
                    let mut used = 0;
                    for Mention { at, len, number, .. } in mentions() {
                        let new = number.saturating_add(1).saturating_sub(used);
                        used += new;
                        self.use_up(*at, &source[*at..at + len], new)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn edited(mut self) -> Cow<'a, str> {
        if self.edits.is_empty() {
            return self.source.into();
        }
        self.edits.sort_by_key(|(range, _)| range.start);
        let (mut text, mut from) = (String::with_capacity(self.source.len()), 0);
        for (range, word) in self.edits {
            text.push_str(&self.source[from..range.start]);
            text.push_str(&word);
            from = range.end;
        }
        text.push_str(&self.source[from..]);
        text.into()
    }

    fn error(&self, at: usize, message: String) -> ParseError {
        let before = &self.source[..at];
        let line = before.matches('\n').count() as u32 + 1;
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let column = self.source[start..at].chars().count() as u32 + 1;
        ParseError { line, column, message, kind: ParseErrorKind::Limit }
    }
}

/// As long as it was, where it is not longer, so that columns stay.
fn padded(word: String, before: &str) -> String {
    format!("{word:0$}", before.len())
}

/// What the declared numbers of a kind are.
enum Numbering {
    /// All from 0 on.
    Dense,
    /// Some are left out; what each becomes.
    Sparse(BTreeMap<u64, usize>),
    /// One is there twice.
    Faulty,
}

fn numbering(declared: &[Option<u64>]) -> Numbering {
    let (mut new, mut taken, mut next) = (BTreeMap::new(), BTreeSet::new(), 0);
    for (i, number) in declared.iter().enumerate() {
        let number = number.unwrap_or(next);
        if !taken.insert(number) {
            return Numbering::Faulty;
        }
        next = next.max(number.saturating_add(1));
        if declared[i].is_some() {
            new.insert(number, i);
        }
    }
    if next == declared.len() as u64 { Numbering::Dense } else { Numbering::Sparse(new) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        check(&format!("function %f() {{\n{text}\n}}")).expect("in bounds").into_owned()
    }

    #[test]
    fn declared_entities_are_numbered_without_gaps_and_columns_stay() {
        for (text, becomes) in [
            ("fn1 = %g()\nblock0: call fn1()", "fn0 = %g()\nblock0: call fn0()"),
            ("sig30 = ()\nfn9 = %sig30 sig30", "sig0  = ()\nfn0 = %sig30 sig0 "),
            // a callee may bring its signature along, which takes the next number
            ("fn0 = %g()\nsig5 = ()\nfn1 = %h sig5", "fn0 = %g()\nsig1 = ()\nfn1 = %h sig1"),
            (
                "gv5 = symbol %gv5\nss12 = explicit_slot 8 ; ss12\n",
                "gv0 = symbol %gv5\nss0  = explicit_slot 8 ; ss12\n",
            ),
            ("v7 -> v1\nv8 -> v7\nv9->v8 ; v8", "v7 -> v1\nv8 -> v1\nv9->v1 ; v8"),
            ("const7 = 0x0123\nv1 = vconst.i8x16 const7", "const0 = 0x0123\nv1 = vconst.i8x16 const0"),
        ] {
            assert_eq!(body(text), format!("function %f() {{\n{becomes}\n}}"));
        }
        // nothing left out, or not for us to mend
        for text in
            ["fn0 = %g()\nfn1 = %h()", "fn1 = %g()\ncall fn0()", "fn1 = %g()\nfn1 = %h()", "v9 = iadd v3, v7", ""]
        {
            assert_eq!(body(text), format!("function %f() {{\n{text}\n}}"));
        }
    }

    #[test]
    fn numbers_are_bounded_by_the_text() {
        let functions = |n: u32, body: &str| format!("function %f() {{\n{body}\n}}\n").repeat(n as usize);
        for (text, place) in [
            (functions(50, "  v1000000 = iconst.i32 1"), Some((4 + 1, 3))),
            (functions(1, "block100000:"), Some((2, 1))),
            (functions(1, "v4000000000 = iconst.i32 1"), Some((2, 1))),
            (functions(1, "v99999999999999999999 = iconst.i32 1"), Some((2, 1))),
            // the reader reports it, but takes memory first
            (functions(1, "sig4000000000 = ()\nsig1 = ()\nsig1 = ()"), Some((2, 1))),
            (functions(1, "  fn2000000 = %f()\ncall fn5()"), Some((2, 3))),
            (functions(50, "sig1000000 = ()"), None),
            (functions(1, "v1000000 = iconst.i32 1"), None),
            (functions(50, "v20000 = iconst.i32 1"), None),
        ] {
            let place_of = check(&text).err().map(|e| (e.line, e.column));
            assert_eq!(place_of, place, "{}", &text[..60.min(text.len())]);
        }
    }
}
