//! Where something is in an input.

use std::ops::Range;
use std::sync::Arc;

/// An input: its name and, if it is text, the text.
///
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    name: Arc<str>,
    text: Option<Arc<Text>>,
}

/// A text and where its lines begin.
#[derive(PartialEq, Eq, Debug)]
struct Text {
    text: Box<str>,
    starts: Vec<usize>,
}

impl Text {
    fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text: text.into(), starts }
    }

    /// A line, from 1, without its end; the last one may be empty.
    fn line(&self, line: usize) -> Option<&str> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let line = &self.text[start..end];
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

impl Source {
    /// Name and contents of an input. What is not UTF-8, or holds a NUL, is
    /// binary, and is never shown.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().filter(|t| !t.contains('\0'));
        let text = text.map(|text| Arc::new(Text::new(text)));
        Self { name: name.into(), text }
    }

    /// The same text under another name.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        if name == &*self.name { self.clone() } else { Self { name: name.into(), text: self.text.clone() } }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref().map(|text| &*text.text)
    }

    /// A line, from 1, if it is text and has that many.
    pub fn line(&self, line: usize) -> Option<&str> {
        let text = self.text.as_deref()?;
        let found = text.line(line)?;
        // what is behind the last line's end is no line
        (line < text.starts.len() || !found.is_empty()).then_some(found)
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

    /// The line of the source text, and its bytes to mark: from the column to the end, or
    /// to the end of the word that starts there, or all of it. `None` where there is no
    /// such line.
    pub(crate) fn excerpt(&self) -> Option<(&str, Range<usize>)> {
        let line = self.source.text.as_deref()?.line(self.line)?;
        Some((line, self.span(line.trim_end())))
    }

    fn span(&self, line: &str) -> Range<usize> {
        let Some(skip) = self.column.checked_sub(1) else {
            let indent = line.len() - line.trim_start().len();
            return indent..line.len();
        };
        let from = line.char_indices().nth(skip).map_or(line.len(), |(at, _)| at);
        let rest = &line[from..];
        let word = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';')).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        if let Some(count) = self.end.and_then(|end| end.checked_sub(self.column)) {
            let len = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
            return from..from + len.max(first);
        }
        from..from + word.max(first)
    }
}
