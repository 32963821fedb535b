//! `interpret`: an export, under the interpreter.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clif_cont::abi::Trap;
use clif_cont::backend::{self, Bound};
use clif_cont::diag::Diagnostic;
use clif_cont::interp::{HistoryStep, Interp};
use clif_cont::program::Outcome;
use serde_json::json;

use super::invoke::{InvokeArgs, Limit, arguments, find_export, host, invoke, not_run};
use super::io::{End, Ended, USAGE, Ui, failure};
use super::lower::{ProtocolArgs, TargetArgs, load_to_run};
use super::trace::perfetto;

/// Invoke an exported function under the interpreter, which checks every access
#[derive(Args)]
pub(crate) struct Interpret {
    /// A .wat, .wasm or .clif file, or `-` for standard input
    input: String,
    #[command(flatten)]
    invoke: InvokeArgs,
    /// Stop after this many instructions [default: no limit]
    #[arg(long, value_name = "N")]
    fuel: Option<u64>,
    /// Write what each continuation did to this file, for Perfetto or chrome://tracing: 1 us is one instruction
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    protocol: ProtocolArgs,
}

impl Interpret {
    pub(crate) fn run(&self, ui: &Arc<Ui>) -> Ended {
        if let Some(trace) = &self.trace {
            ui.other_than_output("--trace", trace)?;
        }
        let program = load_to_run(ui, &self.input, self.target.target()?)?;
        self.target.memory.check(&program.program, &program.source)?;
        let export = find_export(&program, &self.invoke.invoke)?;
        let args = arguments(&program, export, &self.invoke.args)?;
        let host = host(ui, &program)?;
        let finished = self.protocol.finish(ui, &program, self.target.opt)?;
        let bound = Bound { fuel: self.fuel, memory: self.target.memory.max_memory };
        let ran = backend::interpret(&finished, bound, host, |interp| {
            if self.trace.is_some() {
                interp.start_trace();
            }
            let (outcome, code) = invoke(ui, interp, &export.name, &args, Limit::Fuel)?;
            history(ui, &outcome, interp)?;
            self.write_trace(ui, interp)?;
            Ok(code)
        });
        ran.map_err(|e| not_run(e, &program))?
    }

    fn write_trace(&self, ui: &Ui, interp: &Interp) -> Result<(), End> {
        let Some(path) = &self.trace else { return Ok(()) };
        let (events, omitted) = interp.trace();
        let text = perfetto(events, interp.steps());
        clif_cont_output::write(path, text.as_bytes()).map_err(|error| {
            let message = format!("cannot write to `{}`", path.display());
            failure(USAGE, Diagnostic::error(message).caused_by(&error))
        })?;
        if omitted > 0 {
            ui.message(&format!("the trace ends early: {omitted} further events\n"));
        }
        Ok(())
    }
}

/// Of an object that was used again: what happened to its continuation before.
fn history(ui: &Ui, outcome: &Outcome, interp: &Interp) -> Result<(), End> {
    if !matches!(outcome, Outcome::Trapped(t) if t.trap == Trap::Consumed) {
        return Ok(());
    }
    let steps = interp.history();
    if ui.json() {
        let step = |s: &HistoryStep| {
            json!({
                "continuation": s.continuation, "happened": s.happened.name(), "function": s.function, "inst": s.inst,
            })
        };
        return ui.json_line(json!({ "kind": "history", "steps": steps.iter().map(step).collect::<Vec<_>>() }));
    }
    if !steps.is_empty() {
        ui.message("  what happened to the continuation before:\n");
    }
    for s in &steps {
        let by = if s.function.is_empty() { "the host" } else { &s.function };
        ui.message(&format!("    {} {} by {by}\n", s.continuation, s.happened.name()));
        if let Some(inst) = &s.inst {
            ui.detail(&format!("      `{inst}`"));
        }
    }
    Ok(())
}
