//! Where something is in an input.

use std::ops::Range;
use std::sync::Arc;

/// An input: its name and, if it is text, the text.
///
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    name: Arc<str>,
    text: Option<Arc<str>>,
}

impl Source {
    /// Name and contents of an input. What is not UTF-8, or holds a NUL, is
    /// binary, and is never shown.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().filter(|t| !t.contains('\0')).map(Arc::from);
        Self { name: name.into(), text }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// A line, from 1, if it is text and has that many.
    pub fn line(&self, line: usize) -> Option<&str> {
        self.text()?.lines().nth(line.checked_sub(1)?)
    }
}

/// A place in an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The input.
    pub source: Source,
    /// Line, from 1; 0 where it is not known.
    pub line: usize,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: usize,
    /// Where it ends on that line: the column behind it; `None` for the end of
    /// the word that starts there.
    pub end: Option<usize>,
    /// What to write below the source line.
    pub label: Option<String>,
}

impl Place {
    /// A line and a column of a text input, both from 1; 0 stands for unknown.
    pub fn new(source: &Source, line: usize, column: usize) -> Self {
        Self { source: source.clone(), line, column, end: None, label: None }
    }

    /// A line of a text input, from 1: its code, without what is around it and
    /// without a comment that begins with `comment` behind it.
    pub fn code(source: &Source, line: usize, comment: &str) -> Self {
        let text = source.line(line).unwrap_or_default();
        let code = text.split(comment).next().unwrap_or_default().trim_end();
        let indent = code.chars().take_while(|c| c.is_whitespace()).count();
        Self { end: Some(code.chars().count() + 1), ..Self::new(source, line, indent + 1) }
    }

    /// The input as a whole.
    pub fn whole(source: &Source) -> Self {
        Self::new(source, 0, 0)
    }

    /// `file`, `file:line` or `file:line:column`.
    pub fn display(&self) -> String {
        let name = self.source.name();
        match (self.line, self.column) {
            (0, _) => name.to_owned(),
            (line, 0) => format!("{name}:{line}"),
            (line, column) => format!("{name}:{line}:{column}"),
        }
    }

    /// The bytes of the source text to mark: from the column to the end, or to the
    /// end of the word that starts there, or the whole line. `None` where there is no such
    /// line.
    pub(crate) fn span(&self) -> Option<Range<usize>> {
        let text = self.source.text()?;
        let index = self.line.checked_sub(1)?;
        let start = match index {
            0 => 0,
            n => text.match_indices('\n').nth(n - 1)?.0 + 1,
        };
        let line = text[start..].split('\n').next()?.trim_end();
        let Some(skip) = self.column.checked_sub(1) else {
            let indent = line.len() - line.trim_start().len();
            return Some(start + indent..start + line.len());
        };
        let from = line.char_indices().nth(skip).map_or(line.len(), |(at, _)| at);
        let rest = &line[from..];
        let word = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';')).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        if let Some(count) = self.end.and_then(|end| end.checked_sub(self.column)) {
            let len = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
            return Some(start + from..start + from + len.max(first));
        }
        Some(start + from..start + from + word.max(first))
    }
}
