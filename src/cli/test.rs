//! `test`: test files and directories of them.

mod init;
mod review;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use clif_cont::backend::Limits;
use clif_cont::diag::Diagnostic;
use clif_cont::filetest::{Options, Pending, Report, Suite, Totals};
use clif_cont::tool::{OnExcess, Product};
use serde_json::json;

use super::io::{End, Ended, MISMATCH, USAGE, Ui, failure, locked};
use super::limits::{MemoryArgs, exhausted, more, not_within, out_of, parse_seconds};
use super::lower::ProtocolArgs;

/// Run test files: what they do, and what is printed of them
///
/// `docs/snapshots.md` says how tests are written. Where what is printed differs from a golden
/// file, the difference is shown by what the code does; `--review` and `--bless` accept it.
#[derive(Args)]
pub(crate) struct Test {
    /// Test files, or directories of them
    #[arg(required_unless_present = "init", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write a first test into this directory, and say how it is run
    #[arg(long, value_name = "DIR", conflicts_with_all = ["paths", "bless", "review"])]
    init: Option<PathBuf>,
    /// Show changes of golden files one at a time and ask: accept, reject, skip or quit. Without a
    /// terminal they are listed
    #[arg(long, conflicts_with = "bless")]
    review: bool,
    /// Rewrite expected output that differs; whether a test passes or fails is never rewritten
    #[arg(long)]
    bless: bool,
    /// A skip is a failure (also with `CLIF_CONT_REQUIRE=all`)
    #[arg(long)]
    deny_skips: bool,
    /// Stop when a test takes more than this many seconds in one way of running
    #[arg(long, value_name = "S", default_value = "60", value_parser = parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    protocol: ProtocolArgs,
}

impl Test {
    pub(crate) fn run(&self, ui: &Arc<Ui>) -> Ended {
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
        let progress = Arc::new(Mutex::new(Progress::default()));
        let (limits, on_excess) = (self.limits(), Some(self.on_excess(ui, &progress)));
        let product = Product { command, protocol: self.protocol.protocol(), limits, on_excess };
        if let Some(dir) = &self.init {
            return init::init(ui, dir, product);
        }
        let suite = Suite::new(Arc::new(product), options, &self.paths).map_err(|e| usage(&e))?;
        let mut changes: Vec<Pending> = vec![];
        ui.progress.begin(suite.files().len(), "tests");
        for file in suite.files() {
            locked(&progress).running = file.name();
            let mut report = suite.run(file);
            let mut progress = locked(&progress);
            if self.review {
                changes.append(&mut report.pending);
            }
            progress.totals.add(&report);
            // what passes is no part of a review
            if !self.review || !report.passed() {
                print_report(ui, &file.name(), &report)?;
            }
            ui.progress.step();
        }
        ui.progress.end();
        let totals = locked(&progress).totals;
        if changes.is_empty() || totals.failed > 0 {
            print_totals(ui, totals)?;
        }
        let accepted = review::review(ui, &changes)?;
        Ok(if totals.failed > 0 || totals.assertions == 0 || !accepted { MISMATCH } else { 0 })
    }

    fn limits(&self) -> Limits {
        self.memory.with(Some(self.timeout))
    }

    /// What happens when a test takes too much: it has failed, and is the last one.
    fn on_excess(&self, ui: &Arc<Ui>, progress: &Arc<Mutex<Progress>>) -> OnExcess {
        let (ui, progress, limits) = (Arc::clone(ui), Arc::clone(progress), self.limits());
        Arc::new(move |lane, exceeded| {
            let (ui, progress, lane) = (Arc::clone(&ui), Arc::clone(&progress), lane.to_owned());
            exhausted(move || {
                let mut progress = locked(&progress);
                let failures = vec![format!("{}: {} on {lane}", out_of(exceeded), not_within(exceeded, limits))];
                let report = Report { failures, ..Report::default() };
                progress.totals.add(&report);
                // whether it can be written makes no difference any more
                let _ = print_report(&ui, &progress.running, &report)
                    .and_then(|()| print_totals(&ui, progress.totals))
                    .and_then(|()| ui.commit());
                let end = "the tests end here: code that does not end cannot be stopped";
                ui.report(
                    &Diagnostic::error(format!("{}: {}", out_of(exceeded), progress.running))
                        .note(end)
                        .help(more(exceeded)),
                );
            })
        })
    }
}

/// How far it is.
#[derive(Default)]
struct Progress {
    totals: Totals,
    /// The test that is running.
    running: String,
}

fn print_report(ui: &Ui, name: &str, report: &Report) -> Result<(), End> {
    let passed = report.passed();
    if ui.json() {
        return ui.json_line(json!({
            "kind": "test",
            "name": name,
            "passed": passed,
            "assertions": report.assertions,
            "failures": report.messages().collect::<Vec<_>>(),
            "skips": report.skips,
        }));
    }
    if !passed {
        ui.line(&format!("FAIL {name}"))?;
    } else if !ui.quiet {
        ui.line(&format!("ok   {name} ({} assertions)", report.assertions))?;
    }
    for line in report.failures.iter().flat_map(|f| f.lines()) {
        ui.line(&format!("     {line}"))?;
    }
    for line in report.pending.iter().flat_map(|p| p.message().lines().map(str::to_owned).collect::<Vec<_>>()) {
        ui.coloured(&format!("     {line}\n"))?;
    }
    for skip in report.skips.iter().filter(|_| !ui.quiet) {
        ui.line(&format!("     skipped: {skip}"))?;
    }
    for path in &report.blessed {
        ui.line(&format!("     blessed: {}", path.display()))?;
    }
    Ok(())
}

fn print_totals(ui: &Ui, totals: Totals) -> Result<(), End> {
    let Totals { passed, failed, skipped, assertions } = totals;
    if ui.json() {
        return ui.json_line(json!({
            "kind": "totals",
            "passed": passed,
            "failed": failed,
            "skipped": skipped,
            "assertions": assertions,
        }));
    }
    ui.line(&totals.to_string())
}
