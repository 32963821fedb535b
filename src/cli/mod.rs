//! Arguments and dispatch; one file for each subcommand.

mod abi;
mod cfg;
mod check;
mod diff;
mod explain;
mod help;
mod interpret;
mod invoke;
mod io;
mod isas;
mod levels;
mod limits;
mod lower;
mod manual;
mod run;
mod test;
mod trace;
mod verify;
mod wast;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock, Mutex};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use io::{End, Ui};

/// The release, and Cranelift's, which is part of what the command does.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (Cranelift {})", env!("CARGO_PKG_VERSION"), cranelift_codegen::VERSION));

/// One-shot continuations for Cranelift: lower, verify, print, interpret and run them.
#[derive(Parser)]
#[command(name = "clif-cont", version = VERSION.as_str(), max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    streams: io::Streams,
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
    Cfg(cfg::Cfg),
    Explain(explain::Explain),
    Wast(wast::Wast),
    Test(test::Test),
    Isas(isas::Isas),
    Abi(abi::AbiTable),
    Completions(manual::Completions),
    Man(manual::Man),
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
    if clif_cont_output::parent().is_some_and(|parent| !clif_cont::runner::end_with_parent(parent)) {
        return ExitCode::from(io::USAGE); // nobody asks any more
    }
    remember_panics();
    let arguments = diff::shield_paths(std::env::args_os().map(invoke::shield).collect());
    let mut command = help::complete(Cli::command());
    let parsed = command.try_get_matches_from_mut(arguments).and_then(|matches| {
        io::check_sides(&command, &matches)?;
        Cli::from_arg_matches(&matches)
    });
    let cli = match parsed {
        Ok(cli) => cli,
        // Help and version go to stdout with code 0, errors to stderr with 2.
        Err(error) if error.use_stderr() => return ExitCode::from(refused(&error)),
        Err(error) => {
            io::print_clap(&error);
            return ExitCode::SUCCESS;
        }
    };
    let ui = Arc::new(Ui::new(&cli.streams));
    let json = ui.json();
    // Armed for every subcommand: a fault of code that runs in this process is the program's.
    clif_cont::backend::report_faults(|fault, what| io::last_words(fault, what, json));
    let end = catch_unwind(AssertUnwindSafe(|| {
        let code = cli.command.run(&ui)?;
        ui.commit()?;
        Ok(code)
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

/// Reports a wrong command line, in the form that it asks for as far as that can be told.
fn refused(error: &clap::Error) -> u8 {
    let format = io::wanted_format(std::env::args_os());
    if format.as_deref() == Some("json") {
        clif_cont_output::err!("{}", clif_cont_output::json(&io::usage_error(error).to_json().to_string()));
        return io::USAGE;
    }
    if format.as_deref() == Some("sarif") {
        clif_cont_output::out!("{}", verify::log_of_error(io::usage_error(error)));
    }
    io::print_clap(error);
    io::USAGE
}

impl Command {
    fn run(&self, ui: &Arc<Ui>) -> io::Ended {
        match self {
            Self::Lower(c) => c.run(ui),
            Self::Interpret(c) => c.run(ui),
            Self::Run(c) => c.run(ui),
            Self::Check(c) => c.run(ui),
            Self::Verify(c) => c.run(ui),
            Self::Diff(c) => c.run(ui),
            Self::Canonical(c) => c.run(ui),
            Self::Cfg(c) => c.run(ui),
            Self::Explain(c) => c.run(ui),
            Self::Wast(c) => c.run(ui),
            Self::Test(c) => c.run(ui),
            Self::Isas(c) => c.run(ui),
            Self::Abi(c) => c.run(ui),
            Self::Completions(c) => c.run(ui),
            Self::Man(c) => c.run(ui),
        }
    }
}
