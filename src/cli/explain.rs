//! `explain`: a rule of the verifier.

use clap::Args;
use clif_cont::diag::Diagnostic;
use clif_cont::verifier::rules;
use serde_json::json;

use super::io::{Ended, Shared, USAGE, Ui, failure};

/// Explain a rule of the verifier; without one, list all of them
#[derive(Args)]
pub(crate) struct Explain {
    /// A rule's id: `CC0003`
    rule: Option<String>,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Explain {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let Some(id) = &self.rule else {
            for rule in rules::ALL {
                match ui.json() {
                    true => ui.json_line(json!({ "kind": "rule", "rule": rule.id, "name": rule.name }))?,
                    false => ui.line(&format!("{}  {}", rule.id, rule.name))?,
                }
            }
            return Ok(0);
        };
        let Some(rule) = rules::find(&id.to_uppercase()) else {
            let diagnostic =
                Diagnostic::error(format!("there is no rule `{id}`")).help("`clif-cont explain` lists all");
            return Err(failure(USAGE, diagnostic));
        };
        if ui.json() {
            ui.json_line(json!({
                "kind": "rule", "rule": rule.id, "name": rule.name, "statement": rule.statement, "why": rule.why,
                "bugs": rule.bugs, "help": rule.help, "passing": rule.passing, "failing": rule.failing(),
            }))?;
            return Ok(0);
        }
        ui.line(&format!("{}: {}\n", rule.id, rule.name))?;
        ui.line(&format!("Holds when {}\n", rule.statement))?;
        ui.line(&format!("Why: {}\n", rule.why))?;
        if !rule.bugs.is_empty() {
            ui.line(&format!("Real bugs: {}\n", rule.bugs))?;
        }
        ui.line(&format!("What to do: {}\n", rule.help))?;
        ui.line(&format!("Passes:\n\n{}", rule.passing))?;
        ui.line(&format!("Fails:\n\n{}", rule.failing()))?;
        Ok(0)
    }
}
