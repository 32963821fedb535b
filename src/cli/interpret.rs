//! `interpret`: an export, under the interpreter.

use std::rc::Rc;

use clap::Args;
use clif_cont::backend;

use super::invoke::{InvokeArgs, Limit, arguments, find_export, host, invoke, not_run};
use super::io::{Ended, Shared, Ui};
use super::lower::{TargetArgs, load_input};

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
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Interpret {
    pub(crate) fn run(&self, ui: &Rc<Ui>) -> Ended {
        let program = load_input(ui, &self.input, self.target.target()?)?;
        let export = find_export(&program, &self.invoke.invoke)?;
        let args = arguments(&program, export, &self.invoke.args)?;
        let host = host(ui, &program)?;
        let ran = backend::interpret(&program, self.target.opt, self.fuel, host, |instance| {
            invoke(ui, instance, &export.name, &args, Limit::Fuel)
        });
        ran.map_err(|e| not_run(e, &program))?
    }
}
