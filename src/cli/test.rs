//! `test`: test files and directories of them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clif_cont::diag::Diagnostic;
use clif_cont::filetest::{Options, Suite, Totals};
use clif_cont::tool::Product;
use serde_json::json;

use super::io::{Ended, MISMATCH, Shared, USAGE, Ui, failure};
use super::lower::ProtocolArgs;

/// Run test files: see `clif-tests`
#[derive(Args)]
pub(crate) struct Test {
    /// Test files, or directories of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Rewrite expected output that differs; whether a test passes or fails is never rewritten
    #[arg(long)]
    bless: bool,
    /// A skip is a failure (also with `CLIF_CONT_REQUIRE=all`)
    #[arg(long)]
    deny_skips: bool,
    #[command(flatten)]
    protocol: ProtocolArgs,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Test {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let usage = |error: &(dyn std::error::Error + 'static)| {
            let mut diagnostic = Diagnostic::error(error.to_string());
            if let Some(source) = error.source() {
                diagnostic = diagnostic.caused_by(source);
            }
            failure(USAGE, diagnostic)
        };
        if self.bless && std::env::var_os("CI").is_some() {
            return Err(failure(USAGE, Diagnostic::error("`--bless` is refused where `CI` is set")));
        }
        let command = std::env::current_exe().map_err(|e| usage(&e))?;
        let from_env = Options::from_env();
        let options = Options { bless: self.bless, deny_skips: self.deny_skips || from_env.deny_skips };
        let suite = Suite::new(Arc::new(Product { command, protocol: self.protocol.protocol() }), options, &self.paths)
            .map_err(|e| usage(&e))?;
        let mut totals = Totals::default();
        for file in suite.files() {
            let report = suite.run(file);
            totals.add(&report);
            let name = file.name();
            let passed = report.failures.is_empty();
            if ui.json() {
                ui.json_line(json!({
                    "kind": "test",
                    "name": name,
                    "passed": passed,
                    "assertions": report.assertions,
                    "failures": report.failures,
                    "skips": report.skips,
                }))?;
                continue;
            }
            if !passed {
                ui.line(&format!("FAIL {name}"))?;
            } else if !ui.quiet {
                ui.line(&format!("ok   {name} ({} assertions)", report.assertions))?;
            }
            for line in report.failures.iter().flat_map(|f| f.lines()) {
                ui.line(&format!("     {line}"))?;
            }
            for skip in report.skips.iter().filter(|_| !ui.quiet) {
                ui.line(&format!("     skipped: {skip}"))?;
            }
            for path in &report.blessed {
                ui.line(&format!("     blessed: {}", path.display()))?;
            }
        }
        let Totals { passed, failed, skipped, assertions } = totals;
        if ui.json() {
            ui.json_line(json!({
                "kind": "totals",
                "passed": passed,
                "failed": failed,
                "skipped": skipped,
                "assertions": assertions,
            }))?;
        } else {
            ui.line(&totals.to_string())?;
        }
        Ok(if failed > 0 || assertions == 0 { MISMATCH } else { 0 })
    }
}
