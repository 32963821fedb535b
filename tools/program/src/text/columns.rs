//! Columns for the errors of `cranelift-reader`, which reports lines only.
//!
//! To CLIF a line break is a space. So the line of the error is broken into one
//! token a line and read again: the line on which the same error is found now
//! says which token it was. Where that does not work out, the column is that of
//! the line's first character.

use cranelift_reader::{ParseOptions, parse_test};

use super::{ParseError, ParseErrorKind};

/// The reader's message about a character that begins no token. It may have
/// gone on to the next token, or line, before it says so.
const INVALID_CHARACTER: &str = "invalid character";

fn invalid_character(source: &str) -> Option<ParseError> {
    for (i, line) in source.lines().enumerate() {
        let mut in_string = false;
        for (column, c) in line.chars().enumerate() {
            match c {
                ';' if !in_string => break,
                '"' => in_string = !in_string,
                _ if in_string || c.is_ascii_alphanumeric() || c.is_ascii_whitespace() => {}
                _ if "_(){}[]<>,.:=!+*-%#@".contains(c) => {}
                _ => {
                    let message = format!("invalid character {c:?}");
                    return Some(ParseError {
                        line: i as u32 + 1,
                        column: column as u32 + 1,
                        message,
                        kind: ParseErrorKind::Invalid,
                    });
                }
            }
        }
    }
    None
}

/// Finds the column of the reader's error.
pub(super) fn locate(source: &str, e: &cranelift_reader::ParseError) -> ParseError {
    if e.message == INVALID_CHARACTER
        && let Some(found) = invalid_character(source)
    {
        return found;
    }
    let line = e.location.line_number.max(1);
    // past the end: a file that stops in the middle of something
    let text = source.lines().nth(line - 1).unwrap_or_default();
    let first = text.chars().take_while(|c| c.is_whitespace()).count() + 1;
    let column = token_column(source, line, text, &e.message).unwrap_or(first);
    ParseError {
        line: line as u32,
        column: column as u32,
        message: lower_case(&e.message),
        kind: ParseErrorKind::Invalid,
    }
}

/// House style: messages begin in lower case.
fn lower_case(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn token_column(source: &str, line: usize, text: &str, message: &str) -> Option<usize> {
    let starts = token_starts(text);
    let mut broken = String::with_capacity(source.len() + starts.len());
    for (i, l) in source.lines().enumerate() {
        if i + 1 == line {
            for (n, from) in starts.iter().enumerate() {
                let to = starts.get(n + 1).copied().unwrap_or(l.len());
                broken.push_str(&l[*from..to]);
                broken.push('\n');
            }
        } else {
            broken.push_str(l);
            broken.push('\n');
        }
    }
    let again = parse_test(&broken, ParseOptions::default()).err()?;
    if again.message != message {
        return None;
    }
    let token = again.location.line_number.checked_sub(line)?;
    let start = *starts.get(token)?;
    Some(text[..start].chars().count() + 1)
}

/// Byte offsets at which a line may be broken: where tokens begin. Never inside
/// a string or a comment.
fn token_starts(text: &str) -> Vec<usize> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let mut starts = vec![];
    let mut in_string = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if !in_string && c == ';' {
            break;
        }
        let begins = !in_string && !c.is_whitespace() && !(word(c) && (word(before) || "%-+@#".contains(before)))
            // an arrow is one token
            && !(c == '>' && before == '-');
        if begins {
            starts.push(at);
        }
        if c == '"' {
            in_string = !in_string;
        }
        before = c;
    }
    starts
}
