//! `wast`: test scripts of WebAssembly.

use clap::Args;
use clif_cont::diag::{Diagnostic, Place as DiagPlace, Source};
use clif_cont::program::target::OptLevel;
use clif_cont::script::{Backend, Place};
use clif_cont::wast::Options;
use serde_json::json;

use super::io::{Ended, MISMATCH, Shared, UNSUPPORTED, USAGE, Ui, failure, read};
use super::lower::ProtocolArgs;

/// Run test scripts of WebAssembly
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
    #[command(flatten)]
    protocol: ProtocolArgs,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

fn parse_opt(name: &str) -> Result<OptLevel, String> {
    OptLevel::from_name(name).ok_or_else(|| format!("there are {}", OptLevel::ALL.map(OptLevel::name).join(", ")))
}

impl Wast {
    /// The places that were asked for.
    fn places(&self, ui: &Ui) -> Result<Vec<Place>, super::io::End> {
        if self.on == "all" {
            let mut places = Place::all();
            places.retain(|place| match place.available().reason() {
                None => true,
                Some(reason) => {
                    ui.message(&format!("not on {place}: {reason}\n"));
                    false
                }
            });
            return Ok(places);
        }
        let Some(place) = Place::parse(&self.on) else {
            let known = Place::all().iter().map(Place::to_string).collect::<Vec<_>>().join(", ");
            let diagnostic = Diagnostic::error(format!("there is no backend `{}`", self.on));
            return Err(failure(USAGE, diagnostic.note(format!("there are all, {known}"))));
        };
        match place.available().reason() {
            None => Ok(vec![place]),
            Some(reason) => Err(failure(UNSUPPORTED, Diagnostic::error(format!("{place}: {reason}")))),
        }
    }

    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let places = self.places(ui)?;
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        for file in &self.files {
            let input = read(file)?;
            let source = Source::new(&input.name, &input.bytes);
            let refuse = |message: String, line, column| {
                failure(USAGE, Diagnostic::error(message).at(DiagPlace::new(&source, line, column)))
            };
            let text = std::str::from_utf8(&input.bytes).map_err(|_| {
                let diagnostic = Diagnostic::error("the script is not UTF-8 text");
                failure(USAGE, diagnostic.at(DiagPlace::whole(&source)))
            })?;
            for place in &places {
                let mut backend = Backend { place: *place, opt: self.opt, protocol: self.protocol.protocol() };
                let report = clif_cont::wast::run(text, &mut backend, &Options::default())
                    .map_err(|e| refuse(e.message, e.line, e.column))?;
                if report.assertions == 0 {
                    let diagnostic = Diagnostic::error("the script asserts nothing");
                    return Err(failure(USAGE, diagnostic.at(DiagPlace::whole(&source))));
                }
                passed += report.passed;
                failed += report.failures.len();
                skipped += report.skips.len();
                for line in &report.printed {
                    ui.detail(&format!("{}: printed on {place}: {line}", input.name));
                }
                if ui.json() {
                    ui.json_line(json!({
                        "kind": "script",
                        "file": input.name,
                        "on": place.to_string(),
                        "passed": report.passed,
                        "failures": report.failures.iter().map(|f| json!({
                            "line": f.line, "expected": f.expected, "actual": f.actual,
                        })).collect::<Vec<_>>(),
                        "skips": report.skips.iter().map(|s| json!({
                            "line": s.line, "reason": s.reason,
                        })).collect::<Vec<_>>(),
                    }))?;
                    continue;
                }
                for f in &report.failures {
                    ui.line(&format!("{}:{}: failed on {place}", input.name, f.line))?;
                    ui.line(&format!("  expected {}", f.expected))?;
                    ui.line(&format!("  actual   {}", f.actual))?;
                }
                for (reason, count) in report.skip_reasons().into_iter().filter(|_| !ui.quiet) {
                    ui.line(&format!("{}: {count} skipped on {place}: {reason}", input.name))?;
                }
            }
        }
        if ui.json() {
            ui.json_line(json!({ "kind": "totals", "passed": passed, "failed": failed, "skipped": skipped }))?;
        } else {
            ui.line(&format!("{passed} passed, {failed} failed, {skipped} skipped"))?;
        }
        Ok(if failed > 0 { MISMATCH } else { 0 })
    }
}
