//! `check`: one input on every ISA, as one table.
#![allow(unsafe_code)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use clif_cont::abi::Isa;
use clif_cont::backend::{self, Limits};
use clif_cont::diag::{Diagnostic, Finding, Place, Source};
use clif_cont::filetest::{self, Backend, Kind, Lane, NotRun, Tool as _, check_assertion, describe};
use clif_cont::finish::{Finish, Finished, finish};
use clif_cont::load::{InputKind, check_defined, explain, load};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::{Program, Target, Val, compile, stack};
use clif_cont::protocol::Protocol;
use clif_cont::tool::{Product, compiled};

use super::invoke::{arguments, find_export, unshield};
use super::io::{BUG, End, Ended, Input, USAGE, Ui, exit_code, failure, locked, read};
use super::limits::{MemoryArgs, exhausted, parse_seconds};
use super::lower::{Loaded, ProtocolArgs, load_input_bytes};

/// Lower, verify, compile, interpret and run one input on every ISA, and compare
///
/// Without `--invoke`, what is run and compared are the `;;! run:` directives
/// of the input. With it, all results are compared with each other.
#[derive(Args)]
pub(crate) struct Check {
    /// A .wat, .wasm or .clif file, or `-` for standard input
    input: String,
    /// Invoke this exported function instead of running the directives
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,
    /// Its arguments
    #[arg(value_name = "ARG", allow_negative_numbers = true, value_parser = unshield, requires = "invoke")]
    args: Vec<String>,
    /// Stop after this many seconds in all, and print what is known by then
    #[arg(long, value_name = "S", default_value = "60", value_parser = parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Only this way of running, in the form that the table's own process reads
    #[arg(long, hide = true, value_parser = apart::parse_lane)]
    alone: Option<Lane>,
    #[command(flatten)]
    protocol: ProtocolArgs,
}

mod apart;

mod table;

use table::{Row, State, Table, Tally};

/// What is to be run.
enum Work {
    Directives(filetest::Directives),
    Invoke { export: String, args: Vec<Val> },
}

/// What is checked.
struct Job<'a> {
    input: &'a Input,
    kind: InputKind,
    source: &'a Source,
    work: Work,
    protocol: Protocol,
    limits: Limits,
    /// What is known by now.
    table: &'a Mutex<Table>,
}

impl Job<'_> {
    /// Changes the row of an ISA.
    fn row<T>(&self, isa: Isa, change: impl FnOnce(&mut Row) -> T) -> T {
        change(locked(self.table).row(isa))
    }
}

/// What one way of running did: for each assertion, or for the invocation, the outcome in
/// words or a fault.
pub(super) type Seen = Vec<Result<String, String>>;

impl Check {
    pub(crate) fn run(&self, ui: &Arc<Ui>) -> Ended {
        if self.alone.is_some() {
            return self.check(ui, &Mutex::default()); // who asks watches the time
        }
        let table = Arc::new(Mutex::new(Table::default()));
        let limits = self.limits();
        let (expiring, known) = (Arc::clone(ui), Arc::clone(&table));
        let on_excess = move |exceeded| {
            exhausted(move || {
                let diagnostic = locked(&known).exceeded(exceeded, limits);
                // whether it can be written makes no difference any more
                let _ = locked(&known).print(&expiring).and_then(|_| expiring.commit());
                expiring.report(&diagnostic);
            })
        };
        backend::watched(limits, on_excess, || self.check(ui, &table))
            .unwrap_or_else(|error| Err(failure(USAGE, Diagnostic::error(error.to_string()))))
    }

    fn limits(&self) -> Limits {
        self.memory.with(Some(self.timeout))
    }

    fn check(&self, ui: &Ui, table: &Mutex<Table>) -> Ended {
        let input = read(&self.input)?;
        // An input that is wrong is wrong for every ISA: that is no table.
        let loaded = load_input_bytes(ui, &input, None)?;
        check_defined(&loaded.program, &loaded.source)?;
        self.memory.check(&loaded.program, &loaded.source)?;
        let kind = loaded.kind;
        let work = self.work(&loaded, &input)?;
        let (protocol, limits) = (self.protocol.protocol(), self.limits());
        let job = Job { input: &input, kind, source: &loaded.source, work, protocol, limits, table };
        if let Some(lane) = self.alone {
            let program = load(&input.name, &input.bytes, Some(lane.target))?;
            let (seen, ran) = perform(lane, &program, &job.work, job.limits);
            return apart::answer(ui, &seen, ran);
        }
        let own_target = (kind == InputKind::Clif && has_header(&input)).then_some(loaded.program.target);
        ui.progress.begin(Isa::ALL.len(), "ISAs");
        for isa in Isa::ALL {
            match own_target {
                Some(target) if target.isa != isa => {
                    let reason = format!("the input is lowered for {} already", target.isa.name());
                    job.row(isa, |row| row.state = State::Elsewhere(reason));
                }
                _ => row(&job, isa, own_target)?,
            }
            ui.progress.step();
        }
        ui.progress.end();
        locked(table).print(ui)
    }

    fn work(&self, loaded: &Loaded, input: &Input) -> Result<Work, End> {
        if let Some(name) = &self.invoke {
            let export = find_export(loaded, name)?;
            let args = arguments(loaded, export, &self.args)?;
            return Ok(Work::Invoke { export: export.name.clone(), args });
        }
        let (text, source) = (String::from_utf8_lossy(&input.bytes), &loaded.source);
        let none = |what: &str| {
            let diagnostic = Diagnostic::error(format!("nothing to run: the input has no {what}"));
            failure(USAGE, diagnostic.at(Place::whole(source)).help("name a function with `--invoke`"))
        };
        if !text.lines().any(|line| line.trim_start().starts_with(";;!")) {
            return Err(none("`;;! run:` directive"));
        }
        let comment = if loaded.kind == InputKind::Wasm { ";;" } else { ";" };
        let directives = filetest::parse(&text, comment)
            .map_err(|e| failure(USAGE, Diagnostic::error(e.message).at(Place::new(source, e.line, 1))))?;
        if !directives.list.iter().any(|d| matches!(d.kind, Kind::Run(_) | Kind::Interpret(_))) {
            return Err(none("`;;! run:` among its directives"));
        }
        Ok(Work::Directives(directives))
    }
}

/// Does CLIF text say what it is lowered for?
fn has_header(input: &Input) -> bool {
    String::from_utf8_lossy(&input.bytes).lines().any(|l| l.starts_with(";!"))
}

/// One ISA: with each of its switch models, unoptimised and optimised.
fn row(job: &Job<'_>, isa: Isa, own_target: Option<Target>) -> Result<(), End> {
    let input = job.input;
    let models = isa.switch_models().iter().filter_map(|model| Target::with_switch(isa, *model));
    let targets = own_target.map_or_else(|| models.collect(), |target| vec![target]);
    if job.protocol.trusts() {
        let reason = "switched off by `--no-verify`; Cranelift's verifier has no complaint";
        job.row(isa, |row| row.unverified = Some(reason));
    }
    for target in targets {
        let program = match load(&input.name, &input.bytes, Some(target)) {
            Ok(program) => program,
            Err(error) if exit_code(error.kind) == BUG => return Err(error.into()),
            Err(error) => {
                job.row(isa, |row| row.state = State::NotLowered(error.to_string()));
                return Ok(());
            }
        };
        if program.profile.is_none() {
            let reason =
                "the input has no header, so no profile to verify it under; Cranelift's verifier has no complaint";
            job.row(isa, |row| {
                row.unverified.get_or_insert(reason);
            });
        }
        for (level, opt) in OptLevel::ALL.into_iter().enumerate() {
            let finished = finish(&program, Finish { opt, protocol: job.protocol });
            let faults = match &finished {
                Ok(_) => vec![],
                Err(error) => {
                    let of = format!("{} --switch {} --opt {}", isa.name(), target.abi.switch.name(), opt.name());
                    let error = explain(error.clone(), job.source, job.kind);
                    let lines: Vec<String> = error.findings.iter().map(Finding::short).collect();
                    let lines = if lines.is_empty() { vec![error.to_string()] } else { lines };
                    lines.into_iter().map(|line| format!("verify {of}: {line}")).collect()
                }
            };
            job.row(isa, |row| row.verified(level, faults));
            if target.abi.switch == isa.switch_models()[0] || own_target.is_some() {
                let finished = finished.or_else(|_| finish(&program, Finish { opt, protocol: trusted() }));
                let size = finished.map_err(|e| e.to_string()).and_then(|finished| size(&finished));
                job.row(isa, |row| row.sizes.push(size));
            }
            lane(Lane { backend: Backend::Interpreter, target, opt }, &program, job, |row| &mut row.interpret)?;
            for backend in compiled(isa) {
                lane(Lane { backend, target, opt }, &program, job, |row| &mut row.run)?;
            }
        }
    }
    job.row(isa, |row| {
        if let (0, Some(reason)) = (row.run.total, clif_cont::runs(isa).reason()) {
            row.run.skipped.get_or_insert(reason.to_owned());
        }
        row.state = State::Done;
    });
    Ok(())
}

/// Bytes of machine code of all functions.
fn size(program: &Finished) -> Result<usize, String> {
    let isa = target_isa(program.target, program.opt()).map_err(|e| e.to_string())?;
    let mut bytes = 0;
    for function in &program.functions {
        let parts = stack::parts(program, &function.func, &*isa, compile::Disassembly::Drop);
        bytes += parts.map_err(|e| e.to_string())?.iter().map(|p| p.code.code.len()).sum::<usize>();
    }
    Ok(bytes)
}

/// Runs the work on one backend. Code that somebody wrote by hand can end the process that
/// it runs in; there it has a process of its own. What the system refuses is no matter of the
/// program, and no table.
fn lane(lane: Lane, program: &Program, job: &Job<'_>, tally: impl Fn(&mut Row) -> &mut Tally) -> Result<(), End> {
    locked(job.table).running = Some(lane.name());
    let in_process = matches!(lane.backend, Backend::Native | Backend::Bytecode);
    let (seen, ran) = match job.kind {
        InputKind::Clif if in_process => apart::perform(lane, job),
        _ => perform(lane, program, &job.work, job.limits),
    };
    let mut table = locked(job.table);
    table.running = None;
    for result in seen {
        let result = result.and_then(|outcome| match (&job.work, &table.first) {
            (Work::Directives(_), _) => Ok(()),
            (Work::Invoke { .. }, None) => {
                table.first = Some((lane.name(), outcome));
                Ok(())
            }
            (Work::Invoke { .. }, Some((_, expected))) if *expected == outcome => Ok(()),
            (Work::Invoke { export, .. }, Some((of, expected))) => {
                Err(format!("{export}: it {outcome}, but ({of}) it {expected}"))
            }
        });
        tally(table.row(lane.target.isa)).add(result.map_err(|fault| format!("{}: {fault}", lane.name())));
    }
    let tally = tally(table.row(lane.target.isa));
    match ran {
        Ok(()) => {}
        Err(NotRun::Skipped(reason)) => tally.skipped = Some(reason),
        Err(NotRun::Refused(filetest::Refused { exit: USAGE, message })) => {
            return Err(failure(USAGE, Diagnostic::error(message)));
        }
        Err(NotRun::Refused(refused)) => tally.faults.push(format!("{}: {}", lane.name(), refused.message)),
    }
    Ok(())
}

/// For what was verified for the table's column of that name. What was refused there is
/// compiled and run all the same, so that the table says what comes of it.
fn trusted() -> Protocol {
    // SAFETY: the command's user asked for it, and hand-written code has a process of its own.
    unsafe { Protocol::trust() }
}

/// Runs the work in this process.
fn perform(lane: Lane, program: &Program, work: &Work, limits: Limits) -> (Seen, Result<(), NotRun>) {
    // How long it may take is watched by who runs all of them.
    let product = Product { command: PathBuf::new(), protocol: trusted(), limits, on_excess: None };
    let mut seen = vec![];
    let ran = product.with_instance(lane, program, &mut |instance| match work {
        Work::Directives(directives) => {
            for directive in &directives.list {
                let (Kind::Run(assertion) | Kind::Interpret(assertion)) = &directive.kind else { continue };
                if matches!(directive.kind, Kind::Interpret(_)) && lane.backend != Backend::Interpreter {
                    continue;
                }
                let result = check_assertion(program, instance, assertion).map(|_| String::new());
                seen.push(result.map_err(|e| format!("line {}: {}: {e}", directive.line, directive.text)));
            }
        }
        Work::Invoke { export, args } => {
            let outcome = instance.invoke(export, args);
            seen.push(outcome.map(|o| describe(&o)).map_err(|error| error.to_string()));
        }
    });
    (seen, ran)
}
