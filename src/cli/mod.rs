//! Arguments and dispatch; one file for each subcommand.

mod abi;
mod check;
mod diff;
mod explain;
mod interpret;
mod invoke;
mod io;
mod isas;
mod levels;
mod lower;
mod run;
mod test;
mod trace;
mod verify;
mod wast;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Mutex;

use clap::{Parser, Subcommand};

use io::{End, Ui};

/// One-shot continuations for Cranelift: lower, verify, print, interpret and run them.
///
/// Exit codes: 0 fine; 1 findings, failed tests or a mismatch; 2 usage, I/O, parse or
/// validation error; 3 unsupported; 4 the program trapped or ended in an
/// uncaught exception; 5 out of fuel or time; 101 a bug of clif-cont.
#[derive(Parser)]
#[command(name = "clif-cont", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lower(lower::Lower),
    Interpret(interpret::Interpret),
    Run(run::Run),
    Check(check::Check),
    Verify(verify::Verify),
    Diff(diff::Diff),
    Canonical(diff::Canonical),
    Explain(explain::Explain),
    Wast(wast::Wast),
    Test(test::Test),
    Isas(isas::Isas),
    Abi(abi::AbiTable),
}

/// The message of the last panic, with its place. A panic of Cranelift that is
/// turned into an error must not print anything, so the hook only remembers.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        if let Ok(mut last) = PANIC.lock() {
            *last = Some(format!("{message}{place}"));
        }
    }));
}

/// The last panic, as what it is.
fn last_panic() -> clif_cont::diag::Diagnostic {
    io::bug(&PANIC.lock().ok().and_then(|mut p| p.take()).unwrap_or_default())
}

/// Parses the arguments, runs the subcommand, and reports how it ended.
pub(crate) fn main() -> ExitCode {
    remember_panics();
    let cli = match Cli::try_parse_from(std::env::args_os().map(invoke::shield)) {
        Ok(cli) => cli,
        // Help and version go to stdout with code 0, errors to stderr with 2.
        Err(error) if error.use_stderr() && io::wants_json(std::env::args_os()) => {
            eprintln!("{}", io::usage_error(&error).to_json());
            return ExitCode::from(io::USAGE);
        }
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { io::USAGE } else { 0 });
        }
    };
    let (streams, format) = match &cli.command {
        Command::Lower(c) => c.shared.output(),
        Command::Interpret(c) => c.shared.output(),
        Command::Run(c) => c.shared.output(),
        Command::Check(c) => c.shared.output(),
        Command::Verify(c) => c.output(),
        Command::Diff(c) => c.output(),
        Command::Canonical(c) => c.output(),
        Command::Explain(c) => c.output(),
        Command::Wast(c) => c.shared.output(),
        Command::Test(c) => c.shared.output(),
        Command::Isas(c) => c.shared.output(),
        Command::Abi(c) => c.shared.output(),
    };
    let ui = Rc::new(Ui::new(streams, format));
    if matches!(cli.command, Command::Run(_) | Command::Check(_) | Command::Test(_)) {
        let json = ui.json();
        clif_cont::backend::report_faults(|fault, what| io::last_words(fault, what, json));
    }
    let end = catch_unwind(AssertUnwindSafe(|| match &cli.command {
        Command::Lower(c) => c.run(&ui),
        Command::Interpret(c) => c.run(&ui),
        Command::Run(c) => c.run(&ui),
        Command::Check(c) => c.run(&ui),
        Command::Verify(c) => c.run(&ui),
        Command::Diff(c) => c.run(&ui),
        Command::Canonical(c) => c.run(&ui),
        Command::Explain(c) => c.run(&ui),
        Command::Wast(c) => c.run(&ui),
        Command::Test(c) => c.run(&ui),
        Command::Isas(c) => c.run(&ui),
        Command::Abi(c) => c.run(&ui),
    }));
    let code = match end {
        Ok(Ok(code)) => code,
        Ok(Err(End::ReaderGone)) => 0,
        Ok(Err(End::Failed(failure))) => {
            ui.fail(&failure);
            failure.exit
        }
        Err(_) => {
            ui.report(&last_panic());
            io::BUG
        }
    };
    ExitCode::from(code)
}
