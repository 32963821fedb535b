//! The command: `cargo run --release -p clif-cont-fuzz -- mutate --help`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_fuzz::crash::{CrashPlan, crash, test_files};
use clif_cont_fuzz::{
    DiffPlan, EDITS, Fault, Found, HARMED, Kind, NOT_JUDGED, Plan, ProgramsPlan, child, clif_files, construct,
    construct_files, diff_report, exhaust, exhaust_modules, is_wrong, program, program_child, report, run, run_diff,
    run_programs, script, survey, unhex, units, wat_files,
};
use clif_cont_generate::{ALPHABET, generate};
use clif_cont_output::{err, out, print_output};
use clif_cont_program::Target;
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_verifier::Profile;
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
    /// Put faults that are harmful by construction into every operation
    ///
    /// Of lowerings of our own, or of any CLIF that keeps a known ABI. Exit code
    /// 1 when one was not judged violated.
    Construct(Construct),
    /// Make random programs, verify them, and compare what they do everywhere
    ///
    /// Exit code 1 when anything is found, left unproven, or different.
    Programs(Programs),
    /// Judge `clif-cont diff`: harmless edits are equal, a fault is a few lines
    ///
    /// Exit code 1 when a harmless edit is a difference, a fault is none, or the
    /// checker refuses what the matcher found.
    Diff(Diff),
    /// Verify and interpret all small programs: two functions, and a few operations
    ///
    /// Exit code 1 when anything is found, left unproven, or different.
    Exhaust(Exhaust),
    /// Print generated programs, or what is in them and what they do
    ///
    /// Exit code 1 when one is refused or breaks a rule of the interpreter.
    Generate(Generate),
    /// Mutate the files of `clif-tests`, give them to the command, and see that it ends as it should
    ///
    /// Each child process has 2 GiB and 20 s. Exit code 1 when one ended by a signal, with an exit code that is not
    /// documented, or not at all; such inputs are shrunk.
    Crash(Crash),
    /// What a child process does
    #[command(hide = true)]
    NativeProgram {
        #[arg(long)]
        bytes: String,
        #[arg(long)]
        switch: String,
    },
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
    /// Number of mutants; with fewer, some rules have less than 30 harmful ones
    #[arg(long, default_value_t = 5000)]
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

#[derive(Args)]
struct Construct {
    /// Only this fault (`increment-removed`)
    #[arg(long, value_name = "FAULT")]
    only: Vec<String>,
    /// Programs: a directory of .wat files
    #[arg(long, value_name = "DIR", default_value = "clif-tests/run")]
    programs: PathBuf,
    /// Only the program of this name, without its extension
    #[arg(long, value_name = "NAME")]
    program: Vec<String>,
    /// Instead of programs: a directory of .clif files for x86_64
    #[arg(long, value_name = "DIR", conflicts_with_all = ["programs", "program"])]
    corpus: Option<PathBuf>,
    /// The ABI of those files
    #[arg(long, value_name = "PROFILE", default_value = "clif-cont", requires = "corpus")]
    abi: String,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Text, or JSON lines with `"schema": 1`
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Args)]
struct Programs {
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of programs
    #[arg(long, default_value_t = 500)]
    cases: usize,
    /// Number of the first one
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Do not run them natively
    #[arg(long)]
    no_native: bool,
    /// Harmless edits to try in each function, after which nothing may be found either; all if not given
    #[arg(long, value_name = "EDIT", value_parser = EDITS)]
    edit: Vec<String>,
    /// Try none
    #[arg(long, conflicts_with = "edit")]
    no_edits: bool,
    /// Smaller programs to try for each fault
    #[arg(long, value_name = "N", default_value_t = 60)]
    attempts: usize,
    /// Print the programs, and do nothing with them
    #[arg(long)]
    print: bool,
    /// Text, or JSON lines with `"schema": 1`
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Args)]
struct Diff {
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of cases; each is made once as harmless edits and once as a fault
    #[arg(long, default_value_t = 2000)]
    cases: usize,
    /// Number of the first one
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Programs: a directory of .wat files
    #[arg(long, value_name = "DIR", default_value = "clif-tests/run")]
    programs: PathBuf,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Show what was compared where it came out otherwise than it should, or in more lines
    #[arg(long)]
    list: bool,
}

#[derive(Args)]
struct Exhaust {
    /// Operations in both functions together, at most
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(..=6))]
    operations: u32,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Args)]
struct Generate {
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of programs
    #[arg(long, default_value_t = 1)]
    cases: usize,
    /// Number of the first one
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Print the program of these bytes instead
    #[arg(long, value_name = "HEX")]
    bytes: Option<String>,
    /// Interpret them, and print how often each thing was generated and executed
    #[arg(long, conflicts_with = "bytes")]
    histogram: bool,
    /// The ISA whose layouts are interpreted
    #[arg(long, default_value = "x86_64", requires = "histogram")]
    isa: String,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Args)]
struct Crash {
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of inputs
    #[arg(long, default_value_t = 1000)]
    cases: usize,
    /// Number of the first one
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// The files to mutate: a directory, with all in it
    #[arg(long, value_name = "DIR", default_value = "clif-tests")]
    files: PathBuf,
    /// The command; `clif-cont` next to this one if not given
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
    /// Where shrunk inputs are written
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Threads; as many as there are processors if not given
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

fn main() -> ExitCode {
    if clif_cont_output::parent().is_some_and(|parent| !clif_cont_runner::end_with_parent(parent)) {
        return ExitCode::FAILURE;
    }
    let ended = match Cli::parse().command {
        Command::Mutate(mutate) => mutate.run(),
        Command::Construct(construct) => construct.run(),
        Command::Programs(programs) => programs.run(),
        Command::Crash(crash) => crash.run(),
        Command::Diff(diff) => diff.run(),
        Command::Exhaust(exhaust) => exhaust.run(),
        Command::Generate(generate) => generate.run(),
        Command::NativeProgram { bytes, switch } => native_program(&bytes, &switch),
        Command::NativeChild { choice, case, program } => return native_child(&choice, case, &program),
    };
    match ended {
        Ok(code) => code,
        Err(message) => {
            err!("error: {message}");
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

/// Panics are caught and reported; the usual message would be noise, unless one
/// looks for the place.
fn quiet_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
}

impl Mutate {
    fn run(&self) -> Result<ExitCode, String> {
        let (kinds, rules) = only(&self.choice)?;
        let units = units(&self.programs, &self.program).map_err(|e| format!("{}: {e}", self.programs.display()))?;
        if units.is_empty() {
            return Err(format!("there is no such program in {}", self.programs.display()));
        }
        let threads = threads(self.threads);
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
        let bar = progress(self.cases, "mutants");
        let results = run(&plan, &|_| bar.inc(1));
        bar.finish_and_clear();
        match self.format {
            Format::Human => print_output(format_args!("{}", report::human(&results, plan.seed, self.list))),
            Format::Json => report::json_lines(&results, plan.seed).iter().for_each(|line| out!("{line}")),
        }
        let bug = !results.bugs.is_empty() || results.mutants.iter().any(|m| m.bug.is_some());
        let missed = results.mutants.iter().any(|m| m.is_missed());
        Ok(ExitCode::from(if bug { 101 } else { u8::from(missed || results.mutants.is_empty()) }))
    }
}

/// A profile by its name.
fn profile(name: &str) -> Result<Profile, String> {
    let known = [Profile::clif_cont(&Target::new(Isa::X86_64).abi), Profile::wasmtime_48()];
    let names: Vec<_> = known.iter().map(Profile::name).collect();
    let missing = format!("`{name}` is no known profile; there are {}", names.join(", "));
    known.into_iter().find(|p| p.name() == name).ok_or(missing)
}

impl Construct {
    fn run(&self) -> Result<ExitCode, String> {
        let only: Vec<Fault> = self
            .only
            .iter()
            .map(|name| {
                let known: Vec<_> = Fault::ALL.iter().map(|f| f.name()).collect();
                Fault::from_name(name).ok_or(format!("`{name}` is no fault; there are {}", known.join(", ")))
            })
            .collect::<Result<_, _>>()?;
        let threads = threads(self.threads);
        let results = match &self.corpus {
            Some(dir) => {
                let files = clif_files(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
                if files.is_empty() {
                    return Err(format!("there is no .clif file in {}", dir.display()));
                }
                let isa = target_isa(Target::new(Isa::X86_64), OptLevel::None).map_err(|e| e.to_string())?;
                let profile = profile(&self.abi)?;
                quiet_panics();
                let bar = progress(files.len(), "files");
                let results = construct_files(&files, &profile, &*isa, &only, threads, &|| bar.inc(1));
                bar.finish_and_clear();
                results
            }
            None => {
                let units =
                    units(&self.programs, &self.program).map_err(|e| format!("{}: {e}", self.programs.display()))?;
                quiet_panics();
                let bar = progress(units.len(), "lowerings");
                let results = construct(&units, &only, threads, &|| bar.inc(1));
                bar.finish_and_clear();
                results
            }
        };
        match self.format {
            Format::Human => print_output(format_args!("{}", report::constructed(&results))),
            Format::Json => report::constructed_json(&results).iter().for_each(|line| out!("{line}")),
        }
        let bug = results.all.iter().any(|f| f.bug.is_some());
        let missed = results.all.iter().any(|f| f.found != Found::Violated);
        Ok(ExitCode::from(if bug { 101 } else { u8::from(missed || results.all.is_empty()) }))
    }
}

impl Programs {
    fn run(&self) -> Result<ExitCode, String> {
        let cases = self.first..self.first + self.cases;
        if self.print {
            cases.for_each(|case| print_output(format_args!(";; case {case}\n{}", script(&program(self.seed, case)))));
            return Ok(ExitCode::SUCCESS);
        }
        let native = if self.no_native { None } else { std::env::current_exe().ok() };
        let edits = match (self.no_edits, self.edit.is_empty()) {
            (true, _) => vec![],
            (false, true) => EDITS.map(str::to_owned).to_vec(),
            (false, false) => self.edit.clone(),
        };
        let (attempts, threads) = (self.attempts, threads(self.threads));
        let plan = ProgramsPlan { seed: self.seed, cases, edits, attempts, threads, native };
        quiet_panics();
        let bar = progress(self.cases, "programs");
        let ran = run_programs(&plan, &|_| bar.inc(1));
        bar.finish_and_clear();
        match self.format {
            Format::Human => print_output(format_args!("{}", report::ran(&ran, plan.seed))),
            Format::Json => report::ran_json(&ran, plan.seed).iter().for_each(|line| out!("{line}")),
        }
        Ok(ExitCode::from(u8::from(!ran.faults.is_empty() || ran.programs == 0)))
    }
}

impl Diff {
    fn run(&self) -> Result<ExitCode, String> {
        let programs = wat_files(&self.programs).map_err(|e| format!("{}: {e}", self.programs.display()))?;
        if programs.is_empty() {
            return Err(format!("there is no program in {}", self.programs.display()));
        }
        let cases = self.first..self.first + self.cases;
        let plan = DiffPlan { seed: self.seed, cases, programs, threads: threads(self.threads) };
        quiet_panics();
        let bar = progress(self.cases, "cases");
        let cases = run_diff(&plan, &|| bar.inc(1));
        bar.finish_and_clear();
        for case in cases.iter().filter(|c| self.list && !c.shown.is_empty() || is_wrong(c)) {
            out!("case {}: {} in {}: {:?}\n{}", case.number, case.kind, case.place, case.outcome, case.shown);
        }
        print_output(format_args!("{}", diff_report(&cases)));
        Ok(ExitCode::from(u8::from(cases.is_empty() || cases.iter().any(is_wrong))))
    }
}

impl Exhaust {
    fn run(&self) -> Result<ExitCode, String> {
        quiet_panics();
        let bar = progress(exhaust_modules(self.operations), "modules");
        let ran = exhaust(self.operations, threads(self.threads), &|_| bar.inc(1));
        bar.finish_and_clear();
        let alphabet = ALPHABET.join(", ");
        let (programs, most) = (ran.programs, self.operations);
        print_output(format_args!("{}", report::ran(&ran, 0)));
        print_output(format_args!("all {programs} programs of at most {most} operations from: {alphabet}\n"));
        Ok(ExitCode::from(u8::from(!ran.faults.is_empty())))
    }
}

impl Generate {
    fn run(&self) -> Result<ExitCode, String> {
        let cases = self.first..self.first + self.cases;
        if !self.histogram {
            match &self.bytes {
                Some(text) => {
                    let bytes = unhex(text).ok_or_else(|| format!("`{text}` is not in hexadecimal"))?;
                    print_output(format_args!("{}", script(&generate(&bytes))));
                }
                None => cases.for_each(|case| {
                    print_output(format_args!(";; case {case}\n{}", script(&program(self.seed, case))))
                }),
            }
            return Ok(ExitCode::SUCCESS);
        }
        let isa = Isa::from_name(&self.isa).ok_or_else(|| format!("there is no ISA `{}`", self.isa))?;
        let bar = progress(self.cases, "programs");
        let all = survey(self.seed, cases, threads(self.threads), Target::new(isa), &|_| bar.inc(1));
        bar.finish_and_clear();
        print_output(format_args!("{}", report::generated(&all, self.seed)));
        Ok(ExitCode::from(u8::from(!all.wrong.is_empty() || all.programs == 0)))
    }
}

impl Crash {
    fn run(&self) -> Result<ExitCode, String> {
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let command = self.command.clone().unwrap_or_else(|| own.with_file_name("clif-cont"));
        let command = command.canonicalize().map_err(|e| format!("{}: {e}", command.display()))?;
        let scratch = std::env::temp_dir().join(format!("clif-cont-crash-{}", std::process::id()));
        let plan = CrashPlan {
            seed: self.seed,
            cases: self.first..self.first + self.cases,
            files: test_files(&self.files).map_err(|e| format!("{}: {e}", self.files.display()))?,
            command,
            scratch,
            threads: threads(self.threads),
        };
        let bar = progress(self.cases, "inputs");
        let crashes = crash(&plan, &|| bar.inc(1)).map_err(|e| e.to_string())?;
        bar.finish_and_clear();
        let _ = std::fs::remove_dir_all(&plan.scratch);
        if let Some(dir) = &self.keep {
            for crash in &crashes.crashes {
                let extension = crash.file.extension().unwrap_or_default().to_string_lossy();
                let path = dir.join(format!("seed-{}-case-{}.{extension}", plan.seed, crash.case));
                let written = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, &crash.input));
                written.map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
        print_output(format_args!("{}", crashes.report(plan.seed)));
        Ok(ExitCode::from(u8::from(!crashes.crashes.is_empty() || crashes.stages.is_empty())))
    }
}

fn native_program(bytes: &str, switch: &str) -> Result<ExitCode, String> {
    let model = SwitchModel::from_name(switch).ok_or("no such switch model")?;
    let target = Isa::host().and_then(|isa| Target::with_switch(isa, model)).ok_or("not on this machine")?;
    let bytes = unhex(bytes).ok_or("these are no bytes in hexadecimal")?;
    match program_child(&bytes, target) {
        Ok(outcomes) => {
            outcomes.iter().for_each(|o| out!("{o}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            out!("{why}");
            Ok(ExitCode::from(NOT_JUDGED))
        }
    }
}

fn threads(asked: Option<usize>) -> usize {
    asked.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1)
}

/// On a terminal, how far it is.
fn progress(of: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(of as u64);
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {what}, {{eta}} left")) {
        bar.set_style(style);
    }
    bar
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
            out!("{what}");
            ExitCode::from(HARMED)
        }
        Err((false, what)) => {
            out!("{what}");
            ExitCode::from(NOT_JUDGED)
        }
    }
}
