//! What a name may not do to the text around it.
//!
//! Control characters move the cursor and begin lines, bidirectional marks reorder what
//! stands beside them, and other format characters cannot be seen. None of them is printed
//! as it is; all of them are shown, so that two names that differ look different.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Is it a character of the kinds above? Those of Unicode's categories Cc, Zl and Zp, and of
/// Cf those that are used in every script.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

fn replace(text: &str, hidden: impl Fn(char) -> bool, push: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let Some(first) = text.find(&hidden) else { return text.into() };
    let mut out = text[..first].to_owned();
    for c in text[first..].chars() {
        if hidden(c) {
            push(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out.into()
}

fn visible(out: &mut String, c: char) {
    match c {
        '\n' | '\r' | '\t' => out.extend(c.escape_default()),
        c => out.extend(c.escape_unicode()),
    }
}

/// The text on one line, for people: what cannot be seen is written `\n`, `\u{202e}`.
pub fn line(text: &str) -> Cow<'_, str> {
    replace(text, is_hidden, visible)
}

/// The same of a text whose line ends and tabulators are its own.
pub fn lines(text: &str) -> Cow<'_, str> {
    replace(text, |c| !matches!(c, '\n' | '\t') && is_hidden(c), visible)
}

/// The same of lines that a renderer has coloured: sequences that set colours stay.
pub fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return lines(text);
    }
    let mut parts = text.split("\u{1b}[");
    let mut out = lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(part.len());
        let colour = part[end..].starts_with('m');
        out.push_str(if colour { "\u{1b}[" } else { "\\u{1b}[" });
        out.push_str(&lines(part));
    }
    out.into()
}

/// JSON that is the same to every reader, and has nothing hidden in its strings. Outside of
/// them there are only line ends to be found, which stay.
pub fn json(text: &str) -> Cow<'_, str> {
    let unit = |out: &mut String, c: char| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // writing to a string does not fail
            let _ = write!(out, "\\u{unit:04x}");
        }
    };
    replace(text, |c| !matches!(c, '\n' | '\r' | '\t') && is_hidden(c), unit)
}

/// Text in HTML, between tags or in a quoted attribute.
pub fn html(text: &str) -> String {
    let visible = replace(text, |c| c != '\t' && is_hidden(c), visible);
    visible.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text in Markdown that is no markup of any kind.
pub fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in html(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text in Markdown as code, whatever is in it.
pub fn markdown_code(text: &str) -> String {
    let text = line(text);
    let quote = "`".repeat(longest_run(&text) + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{quote}{gap}{text}{gap}{quote}")
}

/// What stands before and behind lines of code in Markdown, so that none of them ends it.
pub fn markdown_fence<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    "`".repeat(lines.into_iter().map(longest_run).max().unwrap_or(0).max(2) + 1)
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_is_left() {
        let hidden: String = (0..=0x10_ffff).filter_map(char::from_u32).filter(|c| is_hidden(*c)).collect();
        assert!(hidden.chars().count() > 150);
        assert!(!line(&hidden).contains(is_hidden));
        assert_eq!(lines(&hidden).matches(is_hidden).collect::<String>(), "\t\n");
        assert!(!json(&hidden.replace(['\n', '\r', '\t'], "")).contains(is_hidden));
        // every control character is one of them
        assert!((0..=0x10_ffff).filter_map(char::from_u32).filter(|c| c.is_control()).all(is_hidden));
    }

    #[test]
    fn what_can_be_seen_stays() {
        for text in ["", "a b", "größe", "e\u{301}", "名前", "a\\n", "-->", "<b>", "🦀"] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(json(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn each_sink_has_its_form() {
        let name = "a\n\u{1b}[31m\u{202e}b";
        assert_eq!(line(name), r"a\n\u{1b}[31m\u{202e}b");
        assert_eq!(lines(name), "a\n\\u{1b}[31m\\u{202e}b");
        assert_eq!(
            coloured("\u{1b}[1;31ma\u{1b}[0m\u{1b}[2J\u{1b}]0;x\u{7}\n\u{1b}[m"),
            "\u{1b}[1;31ma\u{1b}[0m\\u{1b}[2J\\u{1b}]0;x\\u{7}\n\u{1b}[m"
        );
        assert_eq!(html("<a href=\"x\">\t&\u{202e}"), r"&lt;a href=&quot;x&quot;&gt;	&amp;\u{202e}");
        assert_eq!(markdown("*a*_[b](c)`<i>"), r"\*a\*\_\[b\](c)\`&lt;i&gt;");
        assert_eq!((markdown_code("a"), markdown_code("`a``")), ("`a`".to_owned(), "``` `a`` ```".to_owned()));
        assert_eq!(
            (markdown_fence(["a", "b"]), markdown_fence(["a", " ````"])),
            ("```".to_owned(), "`````".to_owned())
        );
        assert_eq!(json("{\"a\":\"\u{202e}\u{e0001}\"}\n"), "{\"a\":\"\\u202e\\udb40\\udc01\"}\n");
    }
}
