//! `check`: one input on every ISA, as one table.

use std::path::PathBuf;

use clap::Args;
use clif_cont::Availability;
use clif_cont::abi::Isa;
use clif_cont::diag::{Diagnostic, Finding, Place, Source};
use clif_cont::filetest::{self, Backend, Kind, Lane, NotRun, Tool as _, check_assertion, describe};
use clif_cont::finish::{Finish, finish};
use clif_cont::load::{InputKind, check_defined, explain, load};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::{Program, Target, Val, compile, stack};
use clif_cont::protocol::Protocol;
use clif_cont::tool::{Product, compiled};
use serde_json::json;

use super::invoke::{arguments, find_export, unshield};
use super::io::{BUG, End, Ended, Input, MISMATCH, Shared, Ui, exit_code, failure, read, table};
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
    /// Only this way of running, in the form that the table's own process reads
    #[arg(long, hide = true, value_parser = apart::parse_lane)]
    alone: Option<Lane>,
    #[command(flatten)]
    protocol: ProtocolArgs,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

mod apart;

const COLUMNS: [&str; 5] = ["lower", "verify", "compile", "interpret", "run"];

/// A cell of the table.
#[derive(Default)]
struct Cell {
    text: String,
    /// Why it is empty.
    reason: Option<String>,
    /// What went wrong.
    faults: Vec<String>,
}

impl Cell {
    fn empty(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }

    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn fault(fault: impl Into<String>) -> Self {
        Self { text: "FAIL".to_owned(), reason: None, faults: vec![fault.into()] }
    }
}

/// What is to be run.
enum Work {
    Directives(filetest::Directives),
    Invoke { export: String, args: Vec<Val> },
}

/// The outcome that all others are compared with, in words, and where it is from.
/// What is said of a reference is whether there is one: addresses differ.
type First = Option<(String, String)>;

/// What is checked.
struct Job<'a> {
    input: &'a Input,
    kind: InputKind,
    source: &'a Source,
    work: Work,
    protocol: Protocol,
}

/// What one way of running did: for each assertion, or for the invocation, the outcome in
/// words or a fault.
pub(super) type Seen = Vec<Result<String, String>>;

impl Check {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let input = read(&self.input)?;
        // An input that is wrong is wrong for every ISA: that is no table.
        let loaded = load_input_bytes(ui, &input, None)?;
        check_defined(&loaded.program, &loaded.source)?;
        let kind = loaded.kind;
        let work = self.work(&loaded, &input)?;
        let job = Job { input: &input, kind, source: &loaded.source, work, protocol: self.protocol.protocol() };
        if let Some(lane) = self.alone {
            let program = load(&input.name, &input.bytes, Some(lane.target))?;
            let (seen, ran) = perform(lane, &program, &job.work);
            return apart::answer(ui, &seen, ran);
        }
        let own_target = (kind == InputKind::Clif && has_header(&input)).then_some(loaded.program.target);
        let mut first = None;
        let mut rows = vec![];
        for isa in Isa::ALL {
            let cells = match own_target {
                Some(target) if target.isa != isa => {
                    let reason = format!("the input is lowered for {} already", target.isa.name());
                    COLUMNS.map(|_| Cell::empty(reason.clone()))
                }
                _ => row(&job, isa, own_target, &mut first)?,
            };
            rows.push((isa, cells));
        }
        print_table(ui, &rows, &first)
    }

    fn work(&self, loaded: &Loaded, input: &Input) -> Result<Work, End> {
        if let Some(name) = &self.invoke {
            let export = find_export(loaded, name)?;
            let args = arguments(loaded, export, &self.args)?;
            return Ok(Work::Invoke { export: export.name.clone(), args });
        }
        let none = |note: String| {
            let diagnostic = Diagnostic::error("nothing to run: the input has no `;;! run:` directive");
            failure(
                MISMATCH,
                diagnostic.at(Place::whole(&loaded.source)).note(note).help("name a function with `--invoke`"),
            )
        };
        let comment = if loaded.kind == InputKind::Wasm { ";;" } else { ";" };
        let directives =
            filetest::parse(&String::from_utf8_lossy(&input.bytes), comment).map_err(|e| none(e.to_string()))?;
        if !directives.list.iter().any(|d| matches!(d.kind, Kind::Run(_) | Kind::Interpret(_))) {
            return Err(none("its directives are of other kinds".to_owned()));
        }
        Ok(Work::Directives(directives))
    }
}

/// Does CLIF text say what it is lowered for?
fn has_header(input: &Input) -> bool {
    String::from_utf8_lossy(&input.bytes).lines().any(|l| l.starts_with(";!"))
}

/// One ISA: with each of its switch models, unoptimised and optimised.
fn row(job: &Job<'_>, isa: Isa, own_target: Option<Target>, first: &mut First) -> Result<[Cell; 5], End> {
    let input = job.input;
    let models = isa.switch_models().iter().filter_map(|model| Target::with_switch(isa, *model));
    let targets = own_target.map_or_else(|| models.collect(), |target| vec![target]);
    let [mut verify, mut interpret, mut run] = [Tally::default(), Tally::default(), Tally::default()];
    let mut sizes = vec![];
    let mut levels = OptLevel::ALL.map(|_| "ok");
    let mut unverified = match job.protocol {
        Protocol::Verify | Protocol::Lowered => None,
        Protocol::Trust => Some("switched off by `--no-verify`; Cranelift's verifier has no complaint"),
    };
    for target in targets {
        let program = match load(&input.name, &input.bytes, Some(target)) {
            Ok(program) => program,
            Err(error) if exit_code(error.kind) == BUG => return Err(error.into()),
            Err(error) => {
                let [a, b, c, d] = [(); 4].map(|()| Cell::empty("not lowered"));
                return Ok([Cell::empty(error.to_string()), a, b, c, d]);
            }
        };
        if program.profile.is_none() {
            let reason =
                "the input has no header, so no profile to verify it under; Cranelift's verifier has no complaint";
            unverified.get_or_insert(reason);
        }
        for opt in OptLevel::ALL {
            let mut finished = program.clone();
            match finish(&mut finished, Finish { opt, protocol: job.protocol }) {
                Ok(_) => verify.good += 1,
                Err(error) => {
                    levels[OptLevel::ALL.iter().position(|l| *l == opt).unwrap_or(0)] = "FAIL";
                    let level = format!("{} --switch {} --opt {}", isa.name(), target.abi.switch.name(), opt.name());
                    let error = explain(error, job.source, job.kind);
                    let lines: Vec<String> = error.findings.iter().map(Finding::short).collect();
                    let lines = if lines.is_empty() { vec![error.to_string()] } else { lines };
                    verify.faults.extend(lines.into_iter().map(|line| format!("verify {level}: {line}")));
                }
            }
            verify.total += 1;
            if target.abi.switch == isa.switch_models()[0] || own_target.is_some() {
                sizes.push(size(&program, opt));
            }
            lane(Lane { backend: Backend::Interpreter, target, opt }, &program, job, first, &mut interpret);
            for backend in compiled(isa) {
                lane(Lane { backend, target, opt }, &program, job, first, &mut run);
            }
        }
    }
    let compile = match sizes.iter().cloned().collect::<Result<Vec<_>, _>>() {
        Ok(sizes) => Cell::text(sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" / ")),
        Err(error) => Cell::fault(error),
    };
    let verify = match (verify.faults.is_empty(), unverified) {
        (true, Some(reason)) => Cell::empty(reason),
        (true, None) => Cell::text(levels.join(" / ")),
        (false, _) => Cell { text: levels.join(" / "), reason: None, faults: verify.faults },
    };
    if let (0, Availability::No(reason)) = (run.total, clif_cont::runs(isa)) {
        run.skipped.get_or_insert(reason);
    }
    Ok([Cell::text("ok"), verify, compile, interpret.cell(), run.cell()])
}

/// Bytes of machine code of all functions.
fn size(program: &Program, opt: OptLevel) -> Result<usize, String> {
    let isa = target_isa(program.target, opt).map_err(|e| e.to_string())?;
    let mut bytes = 0;
    for function in &program.functions {
        let parts = stack::parts(program, &function.func, &*isa, compile::Disassembly::Drop);
        bytes += parts.map_err(|e| e.to_string())?.iter().map(|p| p.code.code.len()).sum::<usize>();
    }
    Ok(bytes)
}

/// Results of several lanes.
#[derive(Default)]
struct Tally {
    good: usize,
    total: usize,
    faults: Vec<String>,
    skipped: Option<String>,
}

impl Tally {
    fn cell(self) -> Cell {
        match self {
            Self { total: 0, faults, skipped, .. } if faults.is_empty() => {
                Cell::empty(skipped.unwrap_or_else(|| "nothing to run".to_owned()))
            }
            Self { good, total, faults, .. } => Cell { text: format!("{good} of {total}"), reason: None, faults },
        }
    }
}

/// Runs the work on one backend. Code that somebody wrote by hand can end the process that
/// it runs in; there it has a process of its own.
fn lane(lane: Lane, program: &Program, job: &Job<'_>, first: &mut First, tally: &mut Tally) {
    let in_process = matches!(lane.backend, Backend::Native | Backend::Bytecode);
    let (seen, ran) = match job.kind {
        InputKind::Clif if in_process => apart::perform(lane, job),
        _ => perform(lane, program, &job.work),
    };
    for result in seen {
        tally.total += 1;
        let result = result.and_then(|outcome| match (&job.work, &*first) {
            (Work::Directives(_), _) => Ok(()),
            (Work::Invoke { .. }, None) => {
                *first = Some((lane.name(), outcome));
                Ok(())
            }
            (Work::Invoke { .. }, Some((_, expected))) if *expected == outcome => Ok(()),
            (Work::Invoke { export, .. }, Some((of, expected))) => {
                Err(format!("{export}: it {outcome}, but ({of}) it {expected}"))
            }
        });
        match result {
            Ok(()) => tally.good += 1,
            Err(fault) => tally.faults.push(format!("{}: {fault}", lane.name())),
        }
    }
    match ran {
        Ok(()) => {}
        Err(NotRun::Skipped(reason)) => tally.skipped = Some(reason),
        Err(NotRun::Refused(refused)) => tally.faults.push(format!("{}: {}", lane.name(), refused.message)),
    }
}

/// Runs the work in this process.
fn perform(lane: Lane, program: &Program, work: &Work) -> (Seen, Result<(), NotRun>) {
    // What runs was verified for the table's column of that name.
    let product = Product { command: PathBuf::new(), protocol: Protocol::Trust };
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

fn print_table(ui: &Ui, rows: &[(Isa, [Cell; 5])], first: &First) -> Ended {
    let faults = rows.iter().flat_map(|(_, cells)| cells).map(|c| c.faults.len()).sum::<usize>();
    if ui.json() {
        for (isa, cells) in rows {
            for (column, cell) in COLUMNS.iter().zip(cells) {
                ui.json_line(json!({
                    "kind": "cell",
                    "isa": isa.name(),
                    "column": column,
                    "text": cell.text,
                    "reason": cell.reason,
                    "faults": cell.faults,
                }))?;
            }
        }
        return Ok(if faults > 0 { MISMATCH } else { 0 });
    }
    let mut lines = vec![["isa"].iter().chain(&COLUMNS).map(|s| (*s).to_owned()).collect::<Vec<_>>()];
    let mut reasons: Vec<(&str, Vec<&str>, &str)> = vec![];
    for (isa, cells) in rows {
        let mut line = vec![isa.name().to_owned()];
        for (column, cell) in COLUMNS.iter().zip(cells) {
            line.push(if cell.reason.is_some() { "-".to_owned() } else { cell.text.clone() });
            if let Some(reason) = &cell.reason {
                match reasons.iter_mut().find(|(of, _, known)| of == column && known == reason) {
                    Some((_, isas, _)) => isas.push(isa.name()),
                    None => reasons.push((*column, vec![isa.name()], reason)),
                }
            }
        }
        lines.push(line);
    }
    ui.write(table(&lines).as_bytes())?;
    if !ui.quiet {
        ui.line("\nverify: both verifiers, before / after optimisation; compile: bytes at --opt none / speed;")?;
        ui.line("interpret, run: results as expected, with every switch model, at --opt none and speed")?;
    }
    for (column, isas, reason) in reasons {
        ui.line(&format!("- {column} on {}: {reason}", isas.join(", ")))?;
    }
    if let Some((_, outcome)) = first {
        ui.line(&format!("it {outcome}"))?;
    }
    for fault in rows.iter().flat_map(|(_, cells)| cells).flat_map(|c| &c.faults) {
        ui.line(&format!("FAIL {fault}"))?;
    }
    Ok(if faults > 0 { MISMATCH } else { 0 })
}
