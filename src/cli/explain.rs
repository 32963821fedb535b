//! `explain`: the rules of the verifier, one or all, as text or as Markdown.

use clap::{Args, ValueEnum};
use clif_cont::diag::{Diagnostic, Style};
use clif_cont::protocol;
use clif_cont::verifier::{Rule, rules};
use serde_json::json;

use super::io::{Ended, Format, UNSUPPORTED, USAGE, Ui, count, failure, forms};

/// Explain a rule of the verifier; without one, list all of them
///
/// `docs/rules.md` is what `--all --format markdown` prints.
#[derive(Args)]
pub(crate) struct Explain {
    /// A rule's id: `CC0003`
    #[arg(conflicts_with = "all")]
    rule: Option<String>,
    /// Explain all rules
    #[arg(long)]
    all: bool,
    /// Text, JSON lines with `"schema": 1`, or Markdown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output",
        value_parser = forms([Format::Human, Format::Json, Format::Markdown]))]
    format: Format,
    /// Print the rule's example, without the fault or with it: CLIF, for `verify -`
    #[arg(long, value_name = "WHICH", requires = "rule", conflicts_with = "format")]
    example: Option<Example>,
}

/// `--example`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Example {
    Passing,
    Failing,
}

impl Explain {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let some: Vec<&Rule> = match &self.rule {
            Some(id) => match rules::find(&id.to_uppercase()) {
                Some(rule) => vec![rule],
                None => {
                    let diagnostic = Diagnostic::error(format!("there is no rule `{id}`"));
                    return Err(failure(USAGE, diagnostic.help("`clif-cont explain` lists all")));
                }
            },
            None => rules::ALL.to_vec(),
        };
        if let (Some(which), [rule]) = (self.example, some.as_slice()) {
            if rule.fault.is_empty() {
                let diagnostic = Diagnostic::error(format!("{} has no example: it is not decided on CLIF", rule.id));
                return Err(failure(UNSUPPORTED, diagnostic));
            }
            let example = if which == Example::Passing { rule.passing.to_owned() } else { rule.failing() };
            ui.write(example.as_bytes())?;
            return Ok(0);
        }
        let list = self.rule.is_none() && !self.all;
        if self.all && self.format == Format::Markdown {
            ui.write(document().as_bytes())?;
            return Ok(0);
        }
        for (index, rule) in some.iter().enumerate() {
            match self.format {
                Format::Json if list => ui.json_line(json!({ "kind": "rule", "rule": rule.id, "name": rule.name }))?,
                Format::Json => ui.json_line(json!({
                    "kind": "rule", "rule": rule.id, "name": rule.name, "statement": rule.statement,
                    "why": rule.why, "bugs": rule.bugs, "help": rule.help, "passing": rule.passing,
                    "failing": (!rule.fault.is_empty()).then(|| rule.failing()),
                }))?,
                Format::Markdown if list => ui.line(&format!("- [{0} {1}](#{2})", rule.id, rule.name, anchor(rule)))?,
                Format::Markdown => ui.write(section(rule).as_bytes())?,
                _ if list => ui.line(&format!("{}  {}", rule.id, rule.name))?,
                _ => {
                    let gap = if index > 0 { "\n" } else { "" };
                    ui.write(
                        format!("{gap}{}: {}\n\n{}{}", rule.id, rule.name, plain(rule), plain_example(rule)).as_bytes(),
                    )?;
                }
            }
        }
        Ok(0)
    }
}

/// What a rule's example fails with: of its findings the first of the rule itself, and how many more there are.
fn finding(rule: &Rule) -> Option<String> {
    let findings = protocol::example(rule, &rule.failing()).ok()?;
    let first = findings.iter().find(|f| f.rule == rule.id)?;
    let more = match findings.len() - 1 {
        0 => String::new(),
        n => format!("\n... and {}\n", count(n as u64, "finding")),
    };
    Some(first.render(Style::Plain) + &more)
}

/// The change that breaks a rule, as a diff of its example, for rules that are decided.
fn fault(rule: &Rule) -> Option<String> {
    (!rule.fault.is_empty())
        .then(|| clif_cont::filetest::unified_diff("passing", rule.passing, "failing", &rule.failing()))
}

/// A rule without its heading and example, as text.
pub(crate) fn plain(rule: &Rule) -> String {
    let Rule { statement, why, bugs, help, .. } = rule;
    let bugs = if bugs.is_empty() { String::new() } else { format!("Real bugs: {bugs}\n\n") };
    format!("{statement}\n\nWhy: {why}\n\n{bugs}What to do: {help}\n")
}

/// A rule without its heading and example, as Markdown.
pub(crate) fn markdown(rule: &Rule) -> String {
    let Rule { statement, why, bugs, help, .. } = rule;
    let bugs = if bugs.is_empty() { String::new() } else { format!("**Real bugs:** {bugs}\n\n") };
    format!("{statement}\n\n**Why:** {why}\n\n{bugs}**What to do:** {help}\n")
}

/// A rule's example as text: what breaks it, and what `verify` says then.
fn plain_example(rule: &Rule) -> String {
    let (Some(fault), Some(finding)) = (fault(rule), finding(rule)) else { return String::new() };
    format!("\nBroken by:\n\n{fault}\nFound as:\n\n{finding}")
}

/// A rule's example as Markdown.
fn markdown_example(rule: &Rule) -> String {
    let (Some(fault), Some(finding)) = (fault(rule), finding(rule)) else { return String::new() };
    format!("\n**Broken by:**\n\n```diff\n{fault}```\n\n**Found as:**\n\n```text\n{finding}```\n")
}

/// What a heading is linked by.
fn anchor(rule: &Rule) -> String {
    format!("{}-{}", rule.id.to_lowercase(), rule.name)
}

/// A rule's section of a document.
fn section(rule: &Rule) -> String {
    format!("## {} {}\n\n{}{}", rule.id, rule.name, markdown(rule), markdown_example(rule))
}

/// All rules as one document: `docs/rules.md`.
fn document() -> String {
    let mut text = "# The verifier's rules\n\n<!-- Made by `clif-cont explain --all --format markdown`; \
        rewritten by `CLIF_CONT_BLESS=1 cargo test --test rules`. -->\n\n\
        Each rule speaks about generated code: a program that uses a continuation twice is legal, and traps. Ids are \
        stable. Bugs: wt is bytecodealliance/wasmtime, fx is wasmfx/wasmfxtime. The examples are for x86_64 with \
        `stack_switch`.\n\n"
        .to_owned();
    for rule in rules::ALL {
        text.push_str(&format!("- [{} {}](#{})\n", rule.id, rule.name, anchor(rule)));
    }
    for rule in rules::ALL {
        text.push_str(&format!("\n{}", section(rule)));
    }
    text
}
