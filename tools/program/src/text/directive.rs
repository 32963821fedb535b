//! The words of one directive line, each with its column.

use super::{ParseError, ParseErrorKind};
use crate::{ObjectType, OperationTypes, Signature, ValType};

/// What is said of an instruction.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// What its operation hands over and is handed.
    Types(OperationTypes),
    /// Offsets in a ContRef at which it hands over what is there.
    Kept(Vec<i32>),
}

/// Reads a directive from left to right.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Cursor<'a> {
    /// Behind the `;!` of a line; `None` when the line is no directive.
    pub(super) fn new(text: &'a str, line: u32) -> Option<Self> {
        let begin = text.len() - text.trim_start().len();
        text[begin..].starts_with(";!").then(|| Self { text, at: begin + 2, line }).map(|mut c| {
            c.skip_space();
            c
        })
    }

    /// An error at the next word.
    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        let column = self.text[..self.at].chars().count() as u32 + 1;
        ParseError { line: self.line, column, message: message.into(), kind: ParseErrorKind::Invalid }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// What the next word is, for a message.
    fn found(&self) -> String {
        match self.rest().split_whitespace().next() {
            None => "the end of the line".to_owned(),
            Some(word) => format!("`{word}`"),
        }
    }

    /// Is the next thing `token`? Then it is consumed.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let here = self.rest().starts_with(token);
        if here {
            self.at += token.len();
            self.skip_space();
        }
        here
    }

    /// The punctuation `token`.
    pub(super) fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(format!("expected `{token}`, found {}", self.found()))) }
    }

    /// The next word, which may be empty.
    pub(super) fn peek_word(&self) -> &'a str {
        let end = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
        &self.rest()[..end.unwrap_or(self.rest().len())]
    }

    /// A word of letters, digits, `_` and `-`.
    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, ParseError> {
        let word = self.peek_word();
        if word.is_empty() {
            return Err(self.error(format!("expected {what}, found {}", self.found())));
        }
        self.at += word.len();
        self.skip_space();
        Ok(word)
    }

    /// Is the next word `keyword`? Then it is consumed.
    pub(super) fn eat_keyword(&mut self, keyword: &str) -> bool {
        self.peek_word() == keyword && self.eat(keyword)
    }

    /// The word `keyword`.
    pub(super) fn keyword(&mut self, keyword: &str) -> Result<(), ParseError> {
        if self.eat_keyword(keyword) {
            Ok(())
        } else {
            Err(self.error(format!("expected `{keyword}`, found {}", self.found())))
        }
    }

    /// One of `choices`, by name.
    pub(super) fn choice<T>(&mut self, what: &str, choose: impl FnOnce(&str) -> Option<T>) -> Result<T, ParseError> {
        let before = self.at;
        let word = self.word(what)?;
        choose(word).ok_or_else(|| {
            self.at = before;
            self.error(format!("expected {what}, found `{word}`"))
        })
    }

    /// A number, decimal or `0x` hexadecimal.
    pub(super) fn number(&mut self, what: &str) -> Result<u64, ParseError> {
        self.choice(what, |word| match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        })
    }

    /// `%name`, without the `%`.
    pub(super) fn symbol(&mut self, what: &str) -> Result<String, ParseError> {
        let before = self.at;
        if self.eat("%") {
            let word = self.peek_word();
            if !word.is_empty() && !word.contains('-') {
                return self.word(what).map(str::to_owned);
            }
            self.at = before;
        }
        Err(self.error(format!("expected %name of {what}, found {}", self.found())))
    }

    /// A quoted string.
    pub(super) fn string(&mut self, what: &str) -> Result<String, ParseError> {
        let before = self.at;
        if !self.rest().starts_with('"') {
            return Err(self.error(format!("expected {what} in quotes, found {}", self.found())));
        }
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            let plain = match c {
                '"' => {
                    self.at = before + at + 1;
                    self.skip_space();
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'u')) => {
                        let hex: String = chars.by_ref().skip(1).map(|(_, c)| c).take_while(|c| *c != '}').collect();
                        u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
                    }
                    Some((_, c @ ('"' | '\\'))) => Some(c),
                    _ => None,
                },
                c => Some(c),
            };
            let Some(plain) = plain else {
                self.at = before + at;
                return Err(self.error("unknown escape: there are \\\", \\\\ and \\u{hex}"));
            };
            out.push(plain);
        }
        self.at = before;
        Err(self.error("the string does not end on this line"))
    }

    /// Is it a directive of an instruction, not of the header? Then what it says of it.
    pub(super) fn of_inst(&mut self) -> Result<Option<Said>, ParseError> {
        if self.eat_keyword("kept") {
            let mut offsets = vec![];
            while offsets.is_empty() || !self.rest().is_empty() && !self.rest().starts_with(';') {
                self.expect("+")?;
                offsets.push(self.choice("an offset", |word| word.parse().ok())?);
            }
            self.end()?;
            return Ok(Some(Said::Kept(offsets)));
        }
        let types = if self.eat("cont.bind") {
            let ty = self.signature()?;
            let count = self.choice("how many of the parameters are bound", |word| {
                word.parse().ok().filter(|n| *n <= ty.params.len())
            })?;
            OperationTypes::ContBind(ty, count)
        } else if self.eat_keyword("resume") {
            OperationTypes::Resume(self.signature()?)
        } else if self.eat_keyword("resume_throw") {
            OperationTypes::ResumeThrow(self.signature()?)
        } else if self.eat_keyword("switch") {
            let place = self.error("the last parameter of a switched-to continuation is a `cont`");
            let ty = self.signature()?;
            if !takes_object(&ty.params) {
                return Err(place);
            }
            self.keyword("receive")?;
            OperationTypes::Switch(ty, self.type_list()?)
        } else {
            return Ok(None);
        };
        self.end()?;
        Ok(Some(Said::Types(types)))
    }

    /// `(types) -> (types)`
    pub(super) fn signature(&mut self) -> Result<Signature, ParseError> {
        let (params, results) = self.types()?;
        Ok(Signature { params, results })
    }

    /// `(types) -> (types)`
    pub(super) fn types(&mut self) -> Result<(Vec<ValType>, Vec<ValType>), ParseError> {
        let params = self.type_list()?;
        self.expect("->")?;
        Ok((params, self.type_list()?))
    }

    /// A type.
    pub(super) fn val_type(&mut self) -> Result<ValType, ParseError> {
        let ty = self.choice("a type: i32, i64, f32, f64, extern, ref or cont", |word| {
            ValType::ALL.into_iter().find(|t| t.name() == word)
        })?;
        if !matches!(ty, ValType::Ref | ValType::Cont) || !self.eat(".") {
            return Ok(ty);
        }
        let number = self.choice("the number of an object's type", |word| word.parse().ok())?;
        let object = ObjectType { number, nullable: self.eat("?") };
        Ok(if ty == ValType::Ref { ValType::RefOf(object) } else { ValType::ContOf(object) })
    }

    fn type_list(&mut self) -> Result<Vec<ValType>, ParseError> {
        self.expect("(")?;
        let mut types = vec![];
        if self.eat(")") {
            return Ok(types);
        }
        loop {
            types.push(self.val_type()?);
            if !self.eat(",") {
                self.expect(")")?;
                return Ok(types);
            }
        }
    }

    /// The end of the directive; gives the comment behind it.
    pub(super) fn end(&mut self) -> Result<Option<String>, ParseError> {
        if self.rest().is_empty() {
            return Ok(None);
        }
        if self.eat(";") {
            let comment = self.rest().trim_end();
            return Ok((!comment.is_empty()).then(|| comment.to_owned()));
        }
        Err(self.error(format!("expected the end of the directive, found {}", self.found())))
    }
}

/// Is the last value an object, or two words, as some write it?
fn takes_object(params: &[ValType]) -> bool {
    matches!(params, [.., ValType::Cont] | [.., ValType::I32, ValType::I32] | [.., ValType::I64, ValType::I64])
}
