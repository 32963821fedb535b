//! The command: `cargo run --release -p clif-cont-fuzz -- mutate --help`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clif_cont_fuzz::{HARMED, Kind, NOT_JUDGED, Plan, child, report, run, units};
use indicatif::{ProgressBar, ProgressStyle};

/// Judge the verifier of generated code
#[derive(Parser)]
#[command(name = "clif-cont-fuzz", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Damage verified lowerings and see what the verifier says
    ///
    /// Exit code 1 when a harmful mutant was not judged violated.
    Mutate(Mutate),
    /// What a child process does
    #[command(hide = true)]
    NativeChild {
        #[command(flatten)]
        choice: Choice,
        #[arg(long)]
        case: usize,
        #[arg(long)]
        program: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Choice {
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this kind of mutation (`offset`), or mutants that this rule is meant to notice (`CC0003`)
    #[arg(long, value_name = "RULE|KIND")]
    only: Vec<String>,
}

#[derive(Args)]
struct Mutate {
    #[command(flatten)]
    choice: Choice,
    /// Number of mutants
    #[arg(long, default_value_t = 2000)]
    cases: usize,
    /// Number of the first one; to see one again, with `--cases 1`
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Programs: a directory of .wat files
    #[arg(long, value_name = "DIR", default_value = "clif-tests/run")]
    programs: PathBuf,
    /// Only the program of this name, without its extension
    #[arg(long, value_name = "NAME")]
    program: Vec<String>,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Do not run mutants natively
    #[arg(long)]
    no_native: bool,
    /// List also what was neither harmful nor noticed
    #[arg(long)]
    list: bool,
    /// Text, or JSON lines with `"schema": 1`
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Mutate(mutate) => mutate.run(),
        Command::NativeChild { choice, case, program } => return native_child(&choice, case, &program),
    };
    match ended {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Kinds and rules of `--only`.
fn only(choice: &Choice) -> Result<(Vec<Kind>, Vec<String>), String> {
    let (mut kinds, mut rules) = (vec![], vec![]);
    for text in &choice.only {
        match Kind::from_name(text) {
            Some(kind) => kinds.push(kind),
            None if clif_cont_verifier::rules::find(text).is_some() => rules.push(text.clone()),
            None => {
                let known: Vec<_> = Kind::ALL.iter().map(|k| k.name()).collect();
                return Err(format!("`{text}` is neither a rule nor a kind; kinds are {}", known.join(", ")));
            }
        }
    }
    Ok((kinds, rules))
}

/// Panics of mutants are caught and reported; the usual message would be noise.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

impl Mutate {
    fn run(&self) -> Result<ExitCode, String> {
        let (kinds, rules) = only(&self.choice)?;
        let units = units(&self.programs, &self.program).map_err(|e| format!("{}: {e}", self.programs.display()))?;
        if units.is_empty() {
            return Err(format!("there is no such program in {}", self.programs.display()));
        }
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
        let native = if self.no_native { None } else { std::env::current_exe().ok() };
        let plan = Plan {
            seed: self.choice.seed,
            cases: self.first..self.first + self.cases,
            kinds,
            rules,
            units,
            threads,
            native,
        };
        quiet_panics();
        let bar = ProgressBar::new(self.cases as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} mutants, {eta} left") {
            bar.set_style(style);
        }
        let results = run(&plan, &|_| bar.inc(1));
        bar.finish_and_clear();
        match self.format {
            Format::Human => print!("{}", report::human(&results, plan.seed, self.list)),
            Format::Json => report::json_lines(&results, plan.seed).iter().for_each(|line| println!("{line}")),
        }
        let bug = results.mutants.iter().any(|m| m.bug.is_some());
        let missed = results.mutants.iter().any(|m| m.is_missed());
        Ok(ExitCode::from(if bug { 101 } else { u8::from(missed || results.mutants.is_empty()) }))
    }
}

fn native_child(choice: &Choice, case: usize, programs: &[PathBuf]) -> ExitCode {
    quiet_panics();
    let Ok((kinds, rules)) = only(choice) else { return ExitCode::from(2) };
    let mut all = vec![];
    for file in programs {
        let (Some(dir), Some(stem)) = (file.parent(), file.file_stem()) else { continue };
        let name = stem.to_string_lossy().into_owned();
        all.extend(units(Path::new(dir), &[name]).unwrap_or_default());
    }
    let plan = Plan { seed: choice.seed, cases: case..case + 1, kinds, rules, units: all, threads: 1, native: None };
    match child(&plan, case) {
        Ok(()) => ExitCode::SUCCESS,
        Err((true, what)) => {
            println!("{what}");
            ExitCode::from(HARMED)
        }
        Err((false, what)) => {
            println!("{what}");
            ExitCode::from(NOT_JUDGED)
        }
    }
}
