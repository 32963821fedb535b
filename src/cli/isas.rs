//! `isas`: what is supported, what can be run here, and why not.

use clap::Args;
use clif_cont::abi::{ByteOrder, Isa};
use clif_cont::{Availability, Engine, NOT_COVERED};
use serde_json::json;

use super::io::{Ended, Ui, table};

/// List the ISAs: what is supported, what runs here, and why not
#[derive(Args)]
pub(crate) struct Isas {}

impl Isas {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let mut rows = vec![
            ["isa", "width", "order", "switch models", "lower", "verify", "compile", "interpret", "run"]
                .map(str::to_owned)
                .to_vec(),
        ];
        let mut reasons = vec![];
        for isa in Isa::ALL {
            let order = match isa.order() {
                ByteOrder::Little => "little",
                ByteOrder::Big => "big",
            };
            let models: Vec<_> = isa.switch_models().iter().map(|m| m.name()).collect();
            let compile = clif_cont::compiles(isa);
            let native = clif_cont::runs(isa);
            if ui.json() {
                ui.json_line(json!({
                    "kind": "isa",
                    "isa": isa.name(),
                    "bits": isa.width().bits(),
                    "order": order,
                    "switch_models": models,
                    "lower": true,
                    "verify": compile.reason().is_none(),
                    "compile": compile.reason().is_none(),
                    "interpret": true,
                    "run": native.reason().is_none(),
                    "compile_reason": compile.reason(),
                    "run_by": Engine::of(isa)[0].describe(isa),
                    "run_reason": native.reason(),
                }))?;
                continue;
            }
            let mut cell = |column: &str, availability: &Availability| match availability {
                Availability::Yes => "yes".to_owned(),
                Availability::No(reason) | Availability::Refused(reason) => {
                    reasons.push((format!("{} {column}", isa.name()), reason.clone()));
                    "-".to_owned()
                }
            };
            let compiled = cell("compile", &compile);
            let run = match cell("run", &native).as_str() {
                "-" => "-".to_owned(),
                _ => Engine::of(isa)[0].describe(isa),
            };
            let bits = isa.width().bits().to_string();
            rows.push(vec![
                isa.name().to_owned(),
                bits,
                order.to_owned(),
                models.join(", "),
                "yes".to_owned(),
                compiled.clone(),
                compiled,
                "yes".to_owned(),
                run,
            ]);
        }
        if !ui.json() {
            ui.lines(&table(&rows))?;
            for (cell, reason) in reasons {
                ui.line(&format!("{cell}: {reason}"))?;
            }
            if !ui.quiet {
                ui.lines("\nnot covered:\n")?;
                for (what, needed) in NOT_COVERED {
                    ui.line(&format!("- {what}: {needed}"))?;
                }
            }
        }
        Ok(0)
    }
}
