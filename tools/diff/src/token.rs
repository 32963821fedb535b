//! The words of a line of CLIF.

/// What a name that ends in a number speaks of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Kind {
    Value,
    Block,
    Function,
    Signature,
    Slot,
    DynamicSlot,
    DynamicType,
    Global,
    Region,
    Constant,
    Table,
}

/// Prefixes, as the text form has them.
const PREFIXES: [(&str, Kind); 11] = [
    ("v", Kind::Value),
    ("block", Kind::Block),
    ("fn", Kind::Function),
    ("sig", Kind::Signature),
    ("ss", Kind::Slot),
    ("dss", Kind::DynamicSlot),
    ("dt", Kind::DynamicType),
    ("gv", Kind::Global),
    ("region", Kind::Region),
    ("const", Kind::Constant),
    ("jt", Kind::Table),
];

impl Kind {
    pub(crate) fn prefix(self) -> &'static str {
        PREFIXES.iter().find(|(_, k)| *k == self).map_or("", |(p, _)| p)
    }
}

/// A name that ends in a number: `v7`, `block2`, `sig0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Name {
    pub(crate) kind: Kind,
    pub(crate) number: u32,
}

impl Name {
    fn parse(word: &str) -> Option<Self> {
        let digits = word.find(|c: char| c.is_ascii_digit())?;
        let (prefix, number) = word.split_at(digits);
        let canonical = number == "0" || !number.starts_with('0');
        let kind = PREFIXES.iter().find(|(p, _)| *p == prefix)?.1;
        (canonical && number.bytes().all(|b| b.is_ascii_digit()))
            .then(|| number.parse().ok())?
            .map(|number| Self { kind, number })
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.kind.prefix(), self.number)
    }
}

/// A word, and where it is in its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    pub(crate) name: Option<Name>,
}

/// The line without its comment; a `;` in a string is none.
pub(crate) fn code(line: &str) -> &str {
    let mut in_string = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => in_string = !in_string,
            ';' if !in_string => return line[..at].trim_end(),
            _ => {}
        }
    }
    line.trim_end()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '%' | '@' | '#')
}

/// Splits a line, which has no comment, into words. Names in a string are words
/// of their own: a region is described as `"Stack(ss0)"`.
pub(crate) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut result = vec![];
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut end = at + c.len_utf8();
        let signed = matches!(c, '+' | '-') && rest.peek().is_some_and(|(_, d)| d.is_ascii_digit());
        if in_word(c) || signed {
            let number = signed || c.is_ascii_digit();
            let mut last = c;
            while let Some(&(next, d)) = rest.peek() {
                let exponent = number && matches!(d, '+' | '-') && matches!(last, 'p' | 'P');
                // `u0:3` is one word, `default:` is two
                let colon = d == ':'
                    && line[at..next].starts_with('u')
                    && line[next + 1..].starts_with(|c: char| c.is_ascii_digit());
                if !in_word(d) && !exponent && !colon {
                    break;
                }
                end = next + d.len_utf8();
                last = d;
                rest.next();
            }
        }
        let text = &line[at..end];
        result.push(Token { text, at, name: Name::parse(text) });
    }
    result
}

/// Replaces names in a line.
pub(crate) fn rename(line: &str, mut with: impl FnMut(Name) -> Option<String>) -> String {
    let mut text = String::with_capacity(line.len());
    let mut from = 0;
    for token in tokens(line) {
        if let Some(new) = token.name.and_then(&mut with) {
            text.push_str(&line[from..token.at]);
            text.push_str(&new);
            from = token.at + token.text.len();
        }
    }
    text.push_str(&line[from..]);
    text
}

/// An integer as the text form has it: decimal or hexadecimal, with `_`.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let clean: String = text.chars().filter(|c| *c != '_').collect();
    let (negative, digits) = match clean.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, clean.strip_prefix('+').unwrap_or(&clean)),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u128::from_str_radix(hex, 16).ok()? as i128,
        None => digits.parse::<i128>().ok()?,
    };
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::{code, integer, rename, tokens};

    #[test]
    fn words() {
        let texts = |line| tokens(line).iter().map(|t| t.text.to_owned()).collect::<Vec<_>>();
        assert_eq!(texts("v1 = load.i64 v8+64"), ["v1", "=", "load.i64", "v8", "+64"]);
        assert_eq!(texts("fn0 = colocated u80:6 sig0"), ["fn0", "=", "colocated", "u80:6", "sig0"]);
        assert_eq!(texts("f64const -0x1.8p-3"), ["f64const", "-0x1.8p-3"]);
        assert_eq!(texts("[ default: block4(exn0) ]"), ["[", "default", ":", "block4", "(", "exn0", ")", "]"]);
        assert_eq!(code("region0 = 8 \"a;b\" ; c"), "region0 = 8 \"a;b\"");
        assert_eq!(rename("v1 = \"Stack(ss0)\"", |n| Some(format!("{}9", n.kind.prefix()))), "v9 = \"Stack(ss9)\"");
        assert_eq!(integer("0x0002_0000_0000"), Some(0x2_0000_0000));
        assert_eq!(integer("-24"), Some(-24));
    }
}
