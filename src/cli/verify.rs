//! `verify`: generated code against the continuation protocol.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use clif_cont::diag::{Diagnostic, FollowUp, FollowUpKind, Place, Source};
use clif_cont::finish::finish;
use clif_cont::load::InputKind;
use clif_cont::program::ProgFunction;
use clif_cont::program::text::{Annotate, InstLines, PrintOptions, inst_lines, parse, print};
use clif_cont::verifier::{Finding, Operation, Profile, Report, verify};
use cranelift_codegen::ir::Inst;
use serde_json::json;

use super::io::{End, Ended, MISMATCH, Shared, USAGE, Ui, failure, read};
use super::lower::{Loaded, TargetArgs, load_input_bytes};

/// Verify generated code: the one-shot and fat-pointer protocol of continuations
///
/// A .clif file is verified as it is, a WebAssembly module as it is lowered. A
/// finding is a violation, with a path on which it happens, or something that
/// could not be proven. See `explain` for the rules.
#[derive(Args)]
pub(crate) struct Verify {
    /// .clif, .wat or .wasm files, or `-` for standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// The layout and protocol that the code is meant for
    #[arg(long, value_name = "PROFILE", default_value = "clif-cont")]
    abi: AbiProfile,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// `--abi`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AbiProfile {
    /// This project's own
    ClifCont,
}

/// What was verified, over all inputs.
#[derive(Default)]
struct Total {
    functions: usize,
    operations: usize,
    proven: u64,
    findings: usize,
}

impl Verify {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let target = self.target.target()?;
        let mut total = Total::default();
        for path in &self.inputs {
            let input = read(path)?;
            let mut loaded = load_input_bytes(ui, &input, target)?;
            finish(&mut loaded.program, self.target.opt)
                .map_err(|e| failure(USAGE, Diagnostic::error(e.to_string())))?;
            let unchanged = loaded.kind == InputKind::Clif && self.target.opt == Default::default();
            self.verify(ui, &Text::of(loaded, unchanged)?, &mut total)?;
        }
        let Total { functions, operations, proven, findings } = total;
        if ui.json() {
            ui.json_line(json!({
                "kind": "summary", "functions": functions, "operations": operations,
                "proven": proven, "findings": findings,
            }))?;
        } else {
            ui.line(&format!(
                "{functions} functions, {operations} operations: {proven} obligations proven, {findings} findings"
            ))?;
        }
        Ok(if findings > 0 { MISMATCH } else { 0 })
    }

    fn verify(&self, ui: &Ui, text: &Text, total: &mut Total) -> Result<(), End> {
        let AbiProfile::ClifCont = self.abi;
        let profile = Profile::clif_cont(&text.loaded.program.target.abi);
        for function in &text.loaded.program.functions {
            let report = verify(&function.func, &profile);
            total.functions += 1;
            total.operations += report.operations.len();
            total.proven += report.proven;
            total.findings += report.findings.len();
            text.report(ui, function, &report)?;
        }
        Ok(())
    }
}

/// A program together with the text that its findings point into.
struct Text {
    loaded: Loaded,
    source: Source,
    lines: BTreeMap<String, InstLines>,
}

impl Text {
    /// The input itself where it is the text that is verified, else the text of
    /// what was made of it.
    fn of(mut loaded: Loaded, unchanged: bool) -> Result<Self, End> {
        let broken = |e: &dyn std::fmt::Display| failure(USAGE, Diagnostic::error(e.to_string()));
        let (source, text) = match loaded.source.text() {
            Some(text) if unchanged => (loaded.source.clone(), text.to_owned()),
            _ => {
                let text = print(&loaded.program, PrintOptions { func: None, annotate: Annotate::Blocks });
                loaded.program = parse(&text, None).map_err(|e| broken(&e))?;
                (Source::new(&format!("{} (lowered)", loaded.source.name()), text.as_bytes()), text)
            }
        };
        let lines = inst_lines(&text).map_err(|e| broken(&e))?;
        Ok(Self { loaded, source, lines })
    }

    fn line(&self, function: &str, inst: Inst) -> Option<u32> {
        self.lines.get(function)?.get(&inst).copied()
    }

    fn place(&self, function: &str, inst: Inst) -> Place {
        match self.line(function, inst) {
            Some(line) => Place::new(&self.source, line as usize, 5),
            None => Place::whole(&self.source),
        }
    }

    fn report(&self, ui: &Ui, function: &ProgFunction, report: &Report) -> Result<(), End> {
        let name = function.name();
        for operation in &report.operations {
            self.operation(ui, &name, operation)?;
        }
        for finding in &report.findings {
            if ui.json() {
                self.finding_json(ui, function, finding)?;
            } else {
                ui.report(&self.diagnostic(&name, finding));
            }
        }
        Ok(())
    }

    /// What was recognised, so that silence differs from not having looked.
    fn operation(&self, ui: &Ui, name: &str, operation: &Operation) -> Result<(), End> {
        let Operation { kind, inst, null_check, revision_check, consumed } = operation;
        let line = |inst: &Option<Inst>| inst.and_then(|i| self.line(name, i));
        if ui.json() {
            return ui.json_line(json!({
                "kind": "operation", "operation": kind.name(), "function": name,
                "file": self.source.name(), "line": self.line(name, *inst), "null_check": line(null_check),
                "revision_check": line(revision_check), "consumed": line(consumed),
            }));
        }
        let parts = [("null check", null_check), ("revision check", revision_check), ("consumed", consumed)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(what, inst)| Some(format!("{what} line {}", line(inst)?))).collect();
        let at = self.line(name, *inst).map_or_else(String::new, |l| format!(" at line {l}"));
        let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        ui.detail(&format!("%{name}: {}{at}{parts}", kind.name()));
        Ok(())
    }

    fn diagnostic(&self, name: &str, finding: &Finding) -> Diagnostic {
        let path: Vec<String> = finding.path.iter().map(ToString::to_string).collect();
        let mut diagnostic = Diagnostic::error(format!("{}: {}", finding.verdict.name(), finding.message))
            .at(self.place(name, finding.inst));
        diagnostic.code = Some(finding.rule.to_owned());
        for (inst, what) in &finding.related {
            let place = Some(self.place(name, *inst));
            diagnostic.follow_ups.push(FollowUp { kind: FollowUpKind::Note, message: what.clone(), place });
        }
        diagnostic.help(finding.help.clone()).note(format!(
            "in %{name}, path {}; see `clif-cont explain {}`",
            path.join(" -> "),
            finding.rule
        ))
    }

    fn finding_json(&self, ui: &Ui, function: &ProgFunction, finding: &Finding) -> Result<(), End> {
        let name = function.name();
        let path: Vec<String> = finding.path.iter().map(ToString::to_string).collect();
        ui.json_line(json!({
            "kind": "finding", "rule": finding.rule, "verdict": finding.verdict.name(), "severity": "error",
            "file": self.source.name(), "function": name, "line": self.line(&name, finding.inst),
            "inst": function.func.dfg.display_inst(finding.inst).to_string(), "message": finding.message,
            "help": finding.help, "path": path,
        }))
    }
}
