//! Where CLIF is in a file: functions, with the lines that they are on, and what
//! is outside of functions.
//!
//! Two forms are known: text that *is* CLIF, and WebAssembly text with CLIF in
//! its `;;` comments, as in the golden files of Wasmtime's disas tests. Nothing is
//! refused: a file without a function has lines outside of functions only.

/// A line of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u32,
    /// Its text, of CLIF in comments without the comment's mark.
    pub text: String,
}

/// A file, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// The functions, each from its `function` to its closing brace.
    pub functions: Vec<Vec<Line>>,
    /// All other lines.
    pub outside: Vec<Line>,
    /// Is the CLIF in `;;` comments?
    pub in_comments: bool,
}

const MARK: &str = ";;";

/// The CLIF in a line of comment.
fn uncommented(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix(MARK)?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

fn begins(line: &str) -> bool {
    line.strip_prefix("function").is_some_and(|rest| rest.starts_with([' ', '\t']))
}

impl Text {
    /// Takes a file apart.
    pub fn new(text: &str) -> Self {
        let plain = text.lines().any(begins);
        let in_comments = !plain && text.lines().any(|l| uncommented(l).is_some_and(begins));
        let mut result = Self { in_comments, ..Self::default() };
        let mut open: Option<Vec<Line>> = None;
        for (number, raw) in (1..).zip(text.lines()) {
            let clif = if in_comments { uncommented(raw) } else { Some(raw) };
            let line = |text: &str| Line { number, text: text.to_owned() };
            match (&mut open, clif) {
                (None, Some(clif)) if begins(clif) => open = Some(vec![line(clif)]),
                (Some(lines), Some(clif)) => {
                    lines.push(line(clif));
                    if clif.starts_with('}') {
                        result.functions.extend(open.take());
                    }
                }
                (_, None) | (None, Some(_)) => {
                    let blank = raw.trim().is_empty() || in_comments && clif.is_some_and(|c| c.trim().is_empty());
                    if !blank {
                        result.outside.push(line(raw));
                    }
                }
            }
        }
        // one that is not closed is one all the same
        result.functions.extend(open);
        result
    }

    /// Names of the functions, as they stand.
    pub fn names(&self) -> Vec<String> {
        self.functions.iter().filter_map(|f| Some(crate::parse::header(&f.first()?.text).0)).collect()
    }

    /// Does it say how it is tested, as golden files do (`;;! target = ...`)?
    pub fn has_directives(&self) -> bool {
        self.outside.iter().any(|l| l.text.starts_with(";;!"))
    }

    /// Is there no function in it?
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn clif_in_comments_keeps_its_line_numbers() {
        let text = Text::new("(module)\n;; function u0:0() {\n;; block0:\n;;     return\n;; }\n;;\n");
        assert!(text.in_comments);
        assert_eq!(text.functions.len(), 1);
        assert_eq!(text.functions[0][2].number, 4);
        assert_eq!(text.functions[0][2].text, "    return");
        assert_eq!(text.outside.len(), 1);
    }

    #[test]
    fn plain_text_is_all_outside() {
        assert!(Text::new("add x0, x1\n").is_empty());
        assert_eq!(Text::new("function %f() {\nblock0:\n return\n").functions.len(), 1, "not closed");
    }
}
