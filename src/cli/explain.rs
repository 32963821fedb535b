//! `explain`: the rules of the verifier, one or all, as text or as Markdown.

use clap::{Args, ValueEnum};
use clif_cont::diag::Diagnostic;
use clif_cont::verifier::{Rule, rules};
use serde_json::json;

use super::io::{Ended, Format, Streams, USAGE, Ui, failure};

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
    #[command(flatten)]
    streams: Streams,
    /// Text, JSON lines with `"schema": 1`, or Markdown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    format: Form,
}

/// `--format`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Human,
    Json,
    Markdown,
}

impl Explain {
    /// Where output goes, and the form of errors.
    pub(crate) fn output(&self) -> (&Streams, Format) {
        (&self.streams, if self.format == Form::Json { Format::Json } else { Format::Human })
    }

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
        let list = self.rule.is_none() && !self.all;
        if self.all && self.format == Form::Markdown {
            ui.write(document().as_bytes())?;
            return Ok(0);
        }
        for (index, rule) in some.iter().enumerate() {
            match self.format {
                Form::Human if list => ui.line(&format!("{}  {}", rule.id, rule.name))?,
                Form::Human => {
                    let gap = if index > 0 { "\n" } else { "" };
                    ui.write(format!("{gap}{}: {}\n\n{}", rule.id, rule.name, plain(rule)).as_bytes())?;
                }
                Form::Json if list => ui.json_line(json!({ "kind": "rule", "rule": rule.id, "name": rule.name }))?,
                Form::Json => ui.json_line(json!({
                    "kind": "rule", "rule": rule.id, "name": rule.name, "statement": rule.statement,
                    "why": rule.why, "bugs": rule.bugs, "help": rule.help, "passing": rule.passing,
                    "failing": failing(rule),
                }))?,
                Form::Markdown if list => ui.line(&format!("- [{0} {1}](#{2})", rule.id, rule.name, anchor(rule)))?,
                Form::Markdown => ui.write(format!("## {} {}\n\n{}", rule.id, rule.name, markdown(rule)).as_bytes())?,
            }
        }
        Ok(0)
    }
}

/// The failing example, of rules that are decided.
fn failing(rule: &Rule) -> Option<String> {
    (!rule.fault.is_empty()).then(|| rule.failing())
}

/// A rule without its heading, as text.
pub(crate) fn plain(rule: &Rule) -> String {
    let Rule { statement, why, bugs, help, passing, .. } = rule;
    let mut text = format!("{statement}\n\nWhy: {why}\n\n");
    if !bugs.is_empty() {
        text.push_str(&format!("Real bugs: {bugs}\n\n"));
    }
    text.push_str(&format!("What to do: {help}\n"));
    if let Some(failing) = failing(rule) {
        text.push_str(&format!("\nFails:\n\n{failing}\nPasses:\n\n{passing}"));
    }
    text
}

/// A rule without its heading, as Markdown.
pub(crate) fn markdown(rule: &Rule) -> String {
    let Rule { statement, why, bugs, help, passing, .. } = rule;
    let mut text = format!("{statement}\n\n**Why:** {why}\n\n");
    if !bugs.is_empty() {
        text.push_str(&format!("**Real bugs:** {bugs}\n\n"));
    }
    text.push_str(&format!("**What to do:** {help}\n"));
    if let Some(failing) = failing(rule) {
        let diff = clif_cont::filetest::unified_diff("passing", passing, "failing", &failing);
        text.push_str(&format!("\n**From passing to failing:**\n\n```diff\n{diff}```\n"));
        text.push_str(&format!("\n<details><summary>Failing</summary>\n\n```\n{failing}```\n\n</details>\n"));
        text.push_str(&format!("\n<details><summary>Passing</summary>\n\n```\n{passing}```\n\n</details>\n"));
    }
    text
}

/// What a heading is linked by.
fn anchor(rule: &Rule) -> String {
    format!("{}-{}", rule.id.to_lowercase(), rule.name)
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
        text.push_str(&format!("\n## {} {}\n\n{}", rule.id, rule.name, markdown(rule)));
    }
    text
}
