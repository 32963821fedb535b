//! The directives of a test file: comments that begin with `;;!`.
//!
//! Line 1 of a file states its purpose in a comment. After that:
//!
//! ```text
//! ;;! run: NAME(ARGS) == RESULTS          on every backend; nothing behind `==` for no results
//! ;;! run: NAME(ARGS) traps "MESSAGE"
//! ;;! interpret: NAME(ARGS) == RESULTS    under the interpreter only, likewise `traps`
//! ;;! interpret: NAME(ARGS) violates "PART OF THE MESSAGE"
//! ;;! lower: [--isa ISA] [--switch MODEL] [--opt none|speed] [--func NAME] [--annotate]
//! ;;! op: OPERATION                       in `.op` files: the operation's text
//! ;;! verify: [--abi PROFILE]             in `.clif` files: the findings written at the instructions
//! ;;! error: EXIT-CODE "PART OF THE MESSAGE"
//! ```
//!
//! Arguments and results are separated by commas and read by the types of the
//! export. A result `nan` is any NaN. Directives are strict: what is not
//! understood is an error with its line, and a comment that only looks like a
//! directive (`;; !run`, `;! run`) is one too.

use std::fmt;

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_program::Target;
use clif_cont_program::target::OptLevel;

/// What is wrong with a test file itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectiveError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong: lower case.
    pub message: String,
}

impl fmt::Display for DirectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for DirectiveError {}

/// A test file's directives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directives {
    /// Line 1, without the comment sign.
    pub purpose: String,
    /// In the order of the file; at least one.
    pub list: Vec<Directive>,
}

/// One directive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// Its line, from 1.
    pub line: usize,
    /// Its text behind `;;!`.
    pub text: String,
    /// What it asks for.
    pub kind: Kind,
}

/// What a directive asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `run`: invoke on every backend.
    Run(Assertion),
    /// `interpret`: invoke under the interpreter only.
    Interpret(Assertion),
    /// `lower`: compare the printed program with a golden file.
    Lower(LowerSpec),
    /// `op`: compare one operation, alone in a function, with golden files.
    Op(String),
    /// `verify`: the findings are those that are written at the instructions.
    Verify {
        /// The profile, where it is not the usual one.
        abi: Option<String>,
    },
    /// `error`: the input must be refused.
    Error {
        /// With this exit code of the command.
        exit: u8,
        /// And with this in its message.
        contains: String,
    },
}

/// An invocation and what it must do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assertion {
    /// Name of the export.
    pub export: String,
    /// Arguments, as text.
    pub args: Vec<String>,
    /// What it must do.
    pub expect: Expect,
}

/// What an invocation must do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Return these results, as text.
    Returns(Vec<String>),
    /// Trap with this message.
    Traps(String),
    /// Be stopped by the interpreter for a fault of the code, with this in the
    /// message.
    Violates(String),
}

/// What to lower for, and how much of it to print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LowerSpec {
    /// ISA and switch model.
    pub target: Target,
    /// Before or after optimisation.
    pub opt: OptLevel,
    /// One function only.
    pub func: Option<String>,
    /// With comments.
    pub annotate: bool,
}

impl LowerSpec {
    /// What stands between stem and extension in the golden file's name.
    pub fn label(&self) -> String {
        let mut label = format!("{}-{}-{}", self.target.isa.name(), self.target.abi.switch.name(), self.opt.name());
        if let Some(func) = &self.func {
            label.push('-');
            label.push_str(func);
        }
        if self.annotate {
            label.push_str("-annotated");
        }
        label
    }
}

/// Reads the directives of a file. `comment` is the sign that starts a line
/// comment in its language: `;;` in `.wat`, `;` in `.clif`, `#` elsewhere.
///
/// # Errors
///
/// The first line that is not understood, or that nothing is asserted.
pub fn parse(text: &str, comment: &str) -> Result<Directives, DirectiveError> {
    let fail = |line: usize, message: String| Err(DirectiveError { line, message });
    let first = text.lines().next().unwrap_or_default();
    let purpose = first.strip_prefix(comment).map(|rest| rest.trim_start_matches(';').trim());
    let purpose = match purpose {
        Some(purpose) if !purpose.is_empty() && !purpose.starts_with('!') => purpose.to_owned(),
        _ => return fail(1, format!("line 1 must state the purpose of the test in a comment (`{comment} ...`)")),
    };
    let mut list = vec![];
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let trimmed = line.trim_start();
        if let Some(directive) = trimmed.strip_prefix(";;!") {
            let text = directive.trim();
            match parse_one(text) {
                Ok(kind) => list.push(Directive { line: number, text: text.to_owned(), kind }),
                Err(message) => return fail(number, message),
            }
        } else if let Some(near) = near_miss(trimmed) {
            return fail(number, format!("`{near}` looks like a directive; directives begin with `;;!`"));
        } else if let Some(at) = line.find(";;!") {
            return fail(number, format!("a directive needs a line of its own (column {})", at + 1));
        }
    }
    if list.is_empty() {
        return fail(1, "the file asserts nothing: it has no `;;!` directive".into());
    }
    Ok(Directives { purpose, list })
}

const KEYWORDS: [&str; 6] = ["run", "interpret", "lower", "op", "verify", "error"];

/// A comment that would be a directive had it been spelt right: its text. The
/// header lines of a printed program begin with `;! ` and other keywords.
fn near_miss(line: &str) -> Option<&str> {
    let body = line.strip_prefix(';')?.trim_start_matches(';').trim_start();
    let bang = body.strip_prefix('!');
    let rest = bang.unwrap_or(body).trim_start();
    let (word, _) = rest.split_once(':')?;
    let hit = KEYWORDS.contains(&word.trim_end()) && (bang.is_some() || !word.ends_with(' '));
    // A comment such as `;; lower: see above` is a sentence; without the mark
    // only what also has an assertion's form counts.
    let asserts = rest.contains(" == ") || rest.contains(" traps ") || rest.trim_end().ends_with("==");
    (hit && (bang.is_some() || asserts)).then_some(line.trim_end())
}

fn parse_one(text: &str) -> Result<Kind, String> {
    let Some((keyword, rest)) = text.split_once(':') else {
        return Err(format!("expected `KEYWORD: ...` with one of {}", KEYWORDS.join(", ")));
    };
    let rest = rest.trim();
    match keyword {
        "run" => match assertion(rest)? {
            Assertion { expect: Expect::Violates(_), .. } => {
                Err("`violates` is for `interpret`: only the interpreter sees violations".into())
            }
            assertion => Ok(Kind::Run(assertion)),
        },
        "interpret" => Ok(Kind::Interpret(assertion(rest)?)),
        "lower" => Ok(Kind::Lower(lower_spec(rest)?)),
        "verify" => match rest.split_whitespace().collect::<Vec<_>>()[..] {
            [] => Ok(Kind::Verify { abi: None }),
            ["--abi", abi] => Ok(Kind::Verify { abi: Some(abi.to_owned()) }),
            _ => Err(format!("expected `verify:` or `verify: --abi PROFILE`, not `{rest}`")),
        },
        "op" if rest.is_empty() => Err("expected an operation behind `op:`".into()),
        "op" => Ok(Kind::Op(rest.to_owned())),
        "error" => {
            let (exit, message) = rest.split_once(' ').ok_or("expected `error: EXIT-CODE \"MESSAGE\"`")?;
            let exit = exit.parse().ok().filter(|e| matches!(e, 2 | 3));
            let exit = exit.ok_or("an input is refused with exit code 2 (invalid) or 3 (unsupported)")?;
            Ok(Kind::Error { exit, contains: quoted(message.trim())? })
        }
        _ => Err(format!("unknown directive `{keyword}`; there are {}", KEYWORDS.join(", "))),
    }
}

/// Text between quotes, and nothing else.
fn quoted(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.is_empty() && !inner.contains('"') => Ok(inner.to_owned()),
        _ => Err(format!("expected a message in quotes, not `{text}`")),
    }
}

fn assertion(text: &str) -> Result<Assertion, String> {
    let open = text.find('(').ok_or("expected `NAME(ARGS)`")?;
    let export = text[..open].trim();
    if export.is_empty() {
        return Err("expected the name of an export before `(`".into());
    }
    let close = open + text[open..].find(')').ok_or("missing `)`")?;
    let args = values(&text[open + 1..close])?;
    let rest = text[close + 1..].trim();
    let expect = if let Some(results) = rest.strip_prefix("==") {
        Expect::Returns(values(results)?)
    } else if let Some(message) = rest.strip_prefix("traps") {
        Expect::Traps(quoted(message.trim())?)
    } else if let Some(message) = rest.strip_prefix("violates") {
        Expect::Violates(quoted(message.trim())?)
    } else {
        return Err("expected `== RESULTS`, `traps \"MESSAGE\"` or `violates \"MESSAGE\"`".into());
    };
    Ok(Assertion { export: export.to_owned(), args, expect })
}

/// Values between commas; none at all for blank text.
fn values(text: &str) -> Result<Vec<String>, String> {
    if text.trim().is_empty() {
        return Ok(vec![]);
    }
    let values: Vec<_> = text.split(',').map(|v| v.trim().to_owned()).collect();
    match values.iter().find(|v| v.is_empty() || v.contains(char::is_whitespace)) {
        Some(bad) => Err(format!("`{bad}` is not a value; values are separated by commas")),
        None => Ok(values),
    }
}

fn lower_spec(text: &str) -> Result<LowerSpec, String> {
    let (mut isa, mut switch, mut opt, mut func, mut annotate) = (Isa::X86_64, None, OptLevel::None, None, false);
    let mut words = text.split_whitespace();
    let mut seen = vec![];
    while let Some(flag) = words.next() {
        if seen.contains(&flag) {
            return Err(format!("`{flag}` twice"));
        }
        seen.push(flag);
        if flag == "--annotate" {
            annotate = true;
            continue;
        }
        if !["--isa", "--switch", "--opt", "--func"].contains(&flag) {
            return Err(format!("unknown flag `{flag}` of `lower`"));
        }
        let value = words.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
        let bad = || format!("`{value}` is not a value of `{flag}`");
        match flag {
            "--isa" => isa = Isa::from_name(value).ok_or_else(bad)?,
            "--switch" => switch = Some(SwitchModel::from_name(value).ok_or_else(bad)?),
            "--opt" => opt = OptLevel::from_name(value).ok_or_else(bad)?,
            _ => func = Some(value.to_owned()),
        }
    }
    let target = match switch {
        None => Target::new(isa),
        Some(switch) => Target::with_switch(isa, switch)
            .ok_or_else(|| format!("{} has no switch model `{}`", isa.name(), switch.name()))?,
    };
    Ok(LowerSpec { target, opt, func, annotate })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wat(directive: &str) -> Result<Directives, DirectiveError> {
        parse(&format!(";; Purpose.\n(module)\n{directive}\n"), ";;")
    }

    fn message(directive: &str) -> String {
        wat(directive).expect_err(directive).to_string()
    }

    #[test]
    fn reads_assertions() {
        let file = wat(";;! run: f(1, -2) == 3\n;;! run: f() ==\n;;! run: f() traps \"unreachable\"").unwrap();
        assert_eq!(file.purpose, "Purpose.");
        let expects: Vec<_> = file.list.iter().map(|d| (d.line, d.kind.clone())).collect();
        let run = |args: &[&str], expect| {
            let args = args.iter().map(|a| (*a).to_owned()).collect();
            Kind::Run(Assertion { export: "f".into(), args, expect })
        };
        assert_eq!(
            expects,
            [
                (3, run(&["1", "-2"], Expect::Returns(vec!["3".into()]))),
                (4, run(&[], Expect::Returns(vec![]))),
                (5, run(&[], Expect::Traps("unreachable".into()))),
            ]
        );
    }

    #[test]
    fn names_the_line_of_what_it_does_not_understand() {
        assert_eq!(
            message(";;! rnu: f() == 1"),
            "line 3: unknown directive `rnu`; there are run, interpret, lower, op, verify, error"
        );
        for bad in [
            ";;! run f() == 1",
            ";;! run: f() = 1",
            ";;! run: f( == 1",
            ";;! run: () == 1",
            ";;! run: f(1,) == 1",
            ";;! run: f(1 2) == 1",
            ";;! run: f() traps unreachable",
            ";;! run: f() traps \"\"",
            ";;! run: f() violates \"x\"",
            ";;! lower: --isa mips",
            ";;! lower: --isa",
            ";;! lower: --isa x86_64 --isa x86_64",
            ";;! lower: --switch instruction --isa aarch64",
            ";;! lower: --optimise",
            ";;! op:",
            ";;! error: 0 \"x\"",
            ";;! error: 2",
            ";;!",
            "(f) ;;! run: f() == 1",
        ] {
            assert!(message(bad).starts_with("line 3: "), "{bad}");
        }
    }

    #[test]
    fn misspelt_marks_are_errors() {
        for bad in [";; ! run: f() == 1", ";! run: f() == 1", ";; run: f() == 1", "; !run: f() == 1"] {
            assert!(message(bad).contains("looks like a directive"), "{bad}");
        }
        // A sentence is none.
        assert!(wat(";; lower: see below\n;;! run: f() ==").is_ok());
    }

    #[test]
    fn a_file_without_assertions_or_purpose_is_an_error() {
        assert!(message("").contains("asserts nothing"));
        assert!(parse("(module)\n;;! run: f() ==\n", ";;").is_err());
        assert!(parse(";;! run: f() ==\n", ";;").is_err());
        assert!(parse("", ";;").is_err());
    }

    #[test]
    fn lower_labels_are_file_names() {
        let Kind::Lower(spec) = wat(";;! lower: --isa aarch64 --opt speed --func gen").unwrap().list[0].kind.clone()
        else {
            panic!("not a lower directive");
        };
        assert_eq!(spec.label(), "aarch64-routine-speed-gen");
    }
}
