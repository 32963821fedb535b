//! `wast`: test scripts of WebAssembly.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clif_cont::backend::{self, Availability, Bound};
use clif_cont::diag::{Diagnostic, Place as DiagPlace, Source};
use clif_cont::program::target::OptLevel;
use clif_cont::script::{BOUND, Backend, Place};
use clif_cont::wasm::Features;
use clif_cont::wast::{Options, Printer, Report, ScriptError};
use serde_json::json;

use super::io::{End, Ended, MISMATCH, UNSUPPORTED, USAGE, Ui, failure, read};
use super::limits::{MemoryArgs, exhausted, more, not_within, out_of, parse_seconds};
use super::lower::ProtocolArgs;

/// Run test scripts of WebAssembly
///
/// An assertion passes when it holds, an action, an `invoke` alone, when it returns. What a
/// script prints by the functions of `spectest` is printed, one value a line.
#[derive(Args)]
pub(crate) struct Wast {
    /// .wast files, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Where: `interp`, an ISA, or `all` that can run here
    #[arg(long, value_name = "BACKEND", default_value = "interp")]
    on: String,
    /// Cranelift's optimisation level
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = parse_opt)]
    opt: OptLevel,
    /// What modules may use: `wasm1`, `wasm2`, `wasm3` or `all`, and proposals,
    /// as in `wasm2+tail-call`
    #[arg(long, value_name = "VERSION", default_value = "all", value_parser = parse_features)]
    features: Features,
    /// Stop after this many seconds for a script on a backend [default: no limit]
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    timeout: Option<Duration>,
    /// Instructions for an invocation under the interpreter
    #[arg(long, value_name = "N", default_value_t = BOUND.fuel.unwrap_or(u64::MAX))]
    fuel: u64,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    protocol: ProtocolArgs,
}

fn parse_features(text: &str) -> Result<Features, String> {
    Features::parse(text).ok_or_else(|| "there are wasm1, wasm2, wasm3 and all, and proposals after a `+`".to_owned())
}

fn parse_opt(name: &str) -> Result<OptLevel, String> {
    OptLevel::from_name(name).ok_or_else(|| format!("there are {}", OptLevel::ALL.map(OptLevel::name).join(", ")))
}

impl Wast {
    /// The places that were asked for.
    fn places(&self, ui: &Ui) -> Result<Vec<Place>, super::io::End> {
        if self.on == "all" {
            let mut places = vec![];
            for place in Place::all() {
                match place.available() {
                    Availability::Yes => places.push(place),
                    Availability::No(reason) => ui.message(&format!("not on {place}: {reason}\n")),
                    Availability::Refused(reason) => return Err(refused(place, &reason)),
                }
            }
            return Ok(places);
        }
        let Some(place) = Place::parse(&self.on) else {
            let known = Place::all().iter().map(Place::to_string).collect::<Vec<_>>().join(", ");
            let diagnostic = Diagnostic::error(format!("there is no backend `{}`", self.on));
            return Err(failure(USAGE, diagnostic.note(format!("there are all, {known}"))));
        };
        match place.available() {
            Availability::Yes => Ok(vec![place]),
            Availability::No(reason) => Err(failure(UNSUPPORTED, Diagnostic::error(format!("{place}: {reason}")))),
            Availability::Refused(reason) => Err(refused(place, &reason)),
        }
    }

    pub(crate) fn run(&self, ui: &Arc<Ui>) -> Ended {
        let places = self.places(ui)?;
        let mut totals = Totals::default();
        ui.progress.begin(self.files.len() * places.len(), "scripts");
        for file in &self.files {
            let input = read(file)?;
            let source = Source::new(&input.name, &input.bytes);
            let text = std::str::from_utf8(&input.bytes).map_err(|_| {
                let diagnostic = Diagnostic::error("the script is not UTF-8 text");
                failure(USAGE, diagnostic.at(DiagPlace::whole(&source)))
            })?;
            for place in &places {
                let report = self.script(ui, text, *place, &input.name).map_err(|e| {
                    let diagnostic = Diagnostic::error(e.message);
                    failure(
                        USAGE,
                        match e.place {
                            Some((line, column)) => diagnostic.at(DiagPlace::new(&source, line, column)),
                            None => diagnostic.note(format!("{} was not run on {place}", input.name)),
                        },
                    )
                })?;
                ui.printed()?;
                if report.assertions + report.actions == 0 {
                    ui.report(&Diagnostic::error("the script asserts nothing").at(DiagPlace::whole(&source)));
                    totals.empty = true;
                    break;
                }
                totals.add(&report);
                show(ui, &input.name, *place, &report)?;
                ui.progress.step();
            }
        }
        ui.progress.end();
        let Totals { passed, failed, skipped, empty } = totals;
        if ui.json() {
            ui.json_line(json!({ "kind": "totals", "passed": passed, "failed": failed, "skipped": skipped }))?;
        } else {
            ui.line(&format!("{passed} passed, {failed} failed, {skipped} skipped"))?;
        }
        Ok(match (failed, empty) {
            (0, false) => 0,
            (0, true) => USAGE,
            _ => MISMATCH,
        })
    }

    /// Runs a script, within the time that it has.
    fn script(&self, ui: &Arc<Ui>, text: &str, place: Place, name: &str) -> Result<Report, ScriptError> {
        let bound = Bound { fuel: Some(self.fuel), memory: self.memory.max_memory };
        let mut backend = Backend { place, opt: self.opt, bound, protocol: self.protocol.protocol() };
        let options = Options { features: self.features };
        let (printing, file) = (Arc::clone(ui), name.to_owned());
        let print: Printer = Box::new(move |line| {
            printing.print(line, json!({ "kind": "print", "file": file, "on": place.to_string(), "text": line }))
        });
        let run = || clif_cont::wast::run(text, &mut backend, &options, print);
        let mut limits = self.memory.with(self.timeout);
        if let Place::Interpreter(_) = place {
            limits.memory = None; // it counts by itself
        }
        let (expiring, name) = (Arc::clone(ui), name.to_owned());
        let on_excess = move |exceeded| {
            let message = format!("{}: {name} on {place}", out_of(exceeded));
            let diagnostic = Diagnostic::error(message).note(not_within(exceeded, limits)).help(more(exceeded));
            exhausted(move || expiring.report(&diagnostic))
        };
        backend::watched(limits, on_excess, run)
            .unwrap_or_else(|error| Err(ScriptError { message: error.to_string(), place: None }))
    }
}

/// The system refuses what it takes to run anything there.
fn refused(place: Place, reason: &str) -> End {
    failure(USAGE, Diagnostic::error(format!("{place}: {reason}")))
}

/// What all scripts amount to.
#[derive(Default)]
struct Totals {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Was there a script without an assertion and without an action?
    empty: bool,
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.passed += report.passed + report.returned;
        self.failed += report.failures.len();
        self.skipped += report.skips.len();
    }
}

/// Prints what a script amounts to on a backend.
fn show(ui: &Ui, name: &str, place: Place, report: &Report) -> Result<(), End> {
    for remark in &report.remarks {
        ui.detail(&format!("{name}:{}: on {place}: {}", remark.line, remark.text));
    }
    if ui.json() {
        let failures = report.failures.iter();
        let failures = failures.map(|f| json!({ "line": f.line, "expected": f.expected, "actual": f.actual }));
        let skips = report.skips.iter().map(|s| json!({ "line": s.line, "reason": s.reason }));
        let remarks = report.remarks.iter().map(|r| json!({ "line": r.line, "text": r.text }));
        return ui.json_line(json!({
            "kind": "script",
            "file": name,
            "on": place.to_string(),
            "passed": report.passed + report.returned,
            "actions": report.actions,
            "failures": failures.collect::<Vec<_>>(),
            "skips": skips.collect::<Vec<_>>(),
            "remarks": remarks.collect::<Vec<_>>(),
        }));
    }
    for f in &report.failures {
        ui.line(&format!("{name}:{}: failed on {place}", f.line))?;
        ui.line(&format!("  expected {}", f.expected))?;
        ui.line(&format!("  actual   {}", f.actual))?;
    }
    for (reason, count) in report.skip_reasons().into_iter().filter(|_| !ui.quiet) {
        ui.line(&format!("{name}: {count} skipped on {place}: {reason}"))?;
    }
    Ok(())
}
