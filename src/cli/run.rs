//! `run`: an export, natively.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clif_cont::backend::{self, Engine, Exceeded};
use clif_cont::program::Outcome;

use super::invoke::{InvokeArgs, Limit, arguments, find_export, host, invoke, not_run, report};
use super::io::{Ended, Ui};
use super::limits::{exhausted, not_within, parse_seconds};
use super::lower::{ProtocolArgs, TargetArgs, load_to_run};

/// Compile a program and invoke an exported function of it
#[derive(Args)]
pub(crate) struct Run {
    /// A .wat, .wasm or .clif file, or `-` for standard input
    input: String,
    #[command(flatten)]
    invoke: InvokeArgs,
    /// Stop after this many seconds [default: no limit]
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    protocol: ProtocolArgs,
}

impl Run {
    pub(crate) fn run(&self, ui: &Arc<Ui>) -> Ended {
        let program = load_to_run(ui, &self.input, self.target.target()?)?;
        self.target.memory.check(&program.program, &program.source)?;
        let export = find_export(&program, &self.invoke.invoke)?;
        let args = arguments(&program, export, &self.invoke.args)?;
        let host = host(ui, &program)?;
        let finished = self.protocol.finish(ui, &program, self.target.opt)?;
        let expiring = Arc::clone(ui);
        let limits = self.target.memory.with(self.timeout);
        let on_excess = move |exceeded| {
            let outcome = match exceeded {
                Exceeded::Time => Outcome::OutOfFuel,
                Exceeded::Memory => Outcome::OutOfMemory(not_within(exceeded, limits)),
            };
            exhausted(move || {
                // whether it can be written makes no difference any more
                let _ = report(&expiring, &outcome, Limit::Time).and_then(|_| expiring.commit());
            })
        };
        let ran = backend::run(&finished, Engine::of(finished.target.isa)[0], host, limits, on_excess, |instance| {
            invoke(ui, instance, &export.name, &args, Limit::Time).map(|(_, code)| code)
        });
        ran.map_err(|e| not_run(e, &program))?
    }
}
