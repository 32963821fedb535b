//! `verify`: generated code against the continuation protocol.

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::Args;
use clif_cont::abi::Isa;
use clif_cont::diag::sarif::{self, Driver};
use clif_cont::diag::{Diagnostic, Finding, Place, Severity, Source, Style, Verdict};
use clif_cont::diff::Text;
use clif_cont::finish::{FinishError, check_functions};
use clif_cont::load::{InputKind, explain, read as read_program, read_text};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Origin, Program, Target, Valid};
use clif_cont::protocol::{FunctionReport, Listing, PROFILES, Verified, profile, verify_program};
use clif_cont::verifier::{Operation, rules};
use cranelift_codegen::ir::Inst;
use serde_json::json;

use super::explain::{markdown, plain};
use super::io::{BUG, End, Ended, Format, Input, MISMATCH, UNSUPPORTED, USAGE, Ui, count, failure, forms, read};
use super::levels::Levels;
use super::lower::TargetArgs;

/// Verify generated code: the one-shot and fat-pointer protocol of continuations
///
/// A .clif file is verified as it is, and so is CLIF in the `;;` comments of WebAssembly text, as
/// golden files have it; any other WebAssembly module is verified as it is lowered. A
/// finding is a violation, with a path on which it happens, or something that
/// could not be proven. See `explain` for the rules.
///
/// Code without a continuation operation has nothing to verify; that is said, and is
/// no finding. An input that cannot be read or parsed is reported, and the others are
/// verified all the same.
#[derive(Args)]
pub(crate) struct Verify {
    /// .clif, .wat or .wasm files, or `-` for standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// The layout and protocol that the code is meant for [default: clif-cont, unless the code is
    /// plainly another one's, which is an error]
    #[arg(long, value_name = "PROFILE", value_parser = PROFILES)]
    abi: Option<String>,
    #[command(flatten)]
    levels: Levels,
    #[command(flatten)]
    target: TargetArgs,
    /// Text, one line for each finding, JSON lines with `"schema": 1`, or a SARIF 2.1.0 log
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output",
        value_parser = forms([Format::Human, Format::Short, Format::Json, Format::Sarif]))]
    format: Format,
}

/// What was verified, over all inputs.
#[derive(Default)]
struct Total {
    /// Functions of the programs, and operations in them.
    own: (u64, u64),
    /// The same of their runtimes.
    runtime: (u64, u64),
    proven: u64,
    /// Operations of which it is not known what they pass.
    untyped: u64,
    violated: u64,
    unproven: u64,
    /// Of those: warnings.
    warnings: u64,
    /// Findings that are not shown.
    allowed: u64,
    /// For SARIF, which is one document.
    findings: Vec<Finding>,
    errors: Vec<Diagnostic>,
    /// The worst exit code of an input that was not verified.
    failed: u8,
}

impl Verify {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let mut total = Total::default();
        let target = match self.target.target() {
            // a log of what went wrong is a log
            Err(End::Failed(failed)) if self.format == Format::Sarif => {
                total.errors.push(failed.diagnostic.clone());
                ui.json_text(&self.log(&total))?;
                ui.commit()?;
                return Err(End::Failed(failed));
            }
            target => target?,
        };
        for path in &self.inputs {
            let verified = catch_unwind(AssertUnwindSafe(|| self.input(path, target)));
            // A fault of ours on one input is no reason to leave out the others.
            match verified.unwrap_or_else(|_| Err(failure(BUG, super::last_panic()))) {
                Ok((verified, listing)) => {
                    self.report(ui, &verified, &listing, &mut total)?;
                    if !verified.is_clean() && !ui.quiet {
                        self.assumed(ui, &listing);
                    }
                }
                Err(End::ReaderGone) => {}
                // The others are verified all the same.
                Err(End::Failed(failed)) => {
                    ui.report(&failed.diagnostic);
                    let rank = |exit| [UNSUPPORTED, USAGE, BUG].iter().position(|e| *e == exit);
                    if rank(failed.exit) > rank(total.failed) || total.failed == 0 {
                        total.failed = failed.exit;
                    }
                    total.errors.push(failed.diagnostic);
                }
            }
        }
        unless_gone(match self.format {
            Format::Sarif => ui.json_text(&self.log(&total)),
            Format::Json => ui.json_line(json!({
                "kind": "summary", "functions": total.own.0 + total.runtime.0,
                "operations": total.own.1 + total.runtime.1, "proven": total.proven,
                "findings": total.violated + total.unproven, "violated": total.violated, "unproven": total.unproven,
                "untyped": total.untyped, "warnings": total.warnings, "allowed": total.allowed, "inputs_failed": total.errors.len(),
            })),
            // of inputs that cannot be read there is nothing to say, and no file to make
            _ if total.own.0 + total.runtime.0 == 0 => Ok(()),
            Format::Human if !ui.quiet => ui.lines(&summary(&total)),
            // an output file is made where nothing was found as well
            _ => ui.write(b""),
        })?;
        if self.format == Format::Short && !ui.quiet {
            // what is on standard output are findings, nothing else
            ui.message(&summary(&total));
        }
        let errors = total.violated + total.unproven - total.warnings;
        Ok(match total.failed {
            0 if errors > 0 => MISMATCH,
            failed => failed,
        })
    }

    fn abi(&self) -> &str {
        self.abi.as_deref().unwrap_or(PROFILES[0])
    }

    /// Reads and verifies an input.
    fn input(&self, path: &str, target: Option<Target>) -> Result<(Verified, Listing), End> {
        let Input { name, bytes } = read(path)?;
        let (bytes, kind) = match in_comments(&bytes) {
            Some(clif) => (clif.into_bytes(), InputKind::Clif),
            None => {
                let kind = InputKind::detect(&name, &bytes);
                (bytes, kind)
            }
        };
        let source = Source::new(&name, &bytes);
        let abi = self.abi();
        let foreign = abi != PROFILES[0];
        if foreign && kind != InputKind::Clif {
            let message = format!("`{abi}` is a profile for CLIF of another producer, and this is none");
            return Err(failure(USAGE, Diagnostic::error(message).at(Place::whole(&source))));
        }
        // other producers write no header; their only target is this one
        let target = target.or(foreign.then(|| Target::new(Isa::X86_64)));
        let program = match kind {
            InputKind::Clif if !bytes.is_empty() && source.text().is_some() => read_text(&source, target)?,
            _ => read_program(&name, &bytes, target)?,
        };
        self.target.memory.check(&program, &source)?;
        let opt = self.target.opt;
        // as it was written, or as it is compiled
        let prepared = match opt {
            OptLevel::None => check_functions(&program).map(|()| program),
            OptLevel::Speed => {
                let optimized = Valid::new(program).and_then(|valid| valid.optimize(opt));
                optimized.map(|optimized| Program::clone(&optimized)).map_err(FinishError::Prepare)
            }
        };
        let program = prepared.map_err(|e| explain(e, &source, kind))?;
        let profile = profile(abi, &program.target)
            .ok_or_else(|| failure(USAGE, Diagnostic::error(format!("there is no profile `{abi}`"))))?;
        let verified = verify_program(&program, &profile);
        if self.abi.is_none()
            && kind == InputKind::Clif
            && let Some(other) = other_abi(&program, &source, &verified)
        {
            let diagnostic = Diagnostic::error("this looks like Wasmtime's").at(Place::whole(&source));
            return Err(failure(USAGE, diagnostic.help(format!("try `--abi {other}`"))));
        }
        let listing = match kind {
            InputKind::Clif if opt == OptLevel::None => Listing::of_input(&source).map_err(|e| {
                let place = Place::new(&source, e.line as usize, e.column as usize);
                failure(BUG, super::io::bug(&format!("what was read cannot be read again: {}", e.message)).at(place))
            })?,
            _ => Listing::of_program(&program, &source, if opt == OptLevel::None { "lowered" } else { "optimised" }),
        };
        Ok((verified, listing))
    }

    /// What was found may be because of the target, where nothing says which it is.
    fn assumed(&self, ui: &Ui, listing: &Listing) {
        let source = listing.source();
        let says = |l: &str| l.starts_with(";!") || l.starts_with("target ");
        let said = self.target.is_given() || source.text().is_some_and(|text| text.lines().any(says));
        if said || self.abi() != PROFILES[0] {
            return;
        }
        let mut warning = Diagnostic::error("the input names no target, and was verified as code for x86_64");
        warning.severity = Severity::Warning;
        ui.report(&warning.at(Place::whole(source)).help("`--isa` and `--switch` say what it is for"));
    }

    /// Writes what was found, and counts.
    fn report(&self, ui: &Ui, verified: &Verified, listing: &Listing, total: &mut Total) -> Result<(), End> {
        for function in &verified.functions {
            let counted = if function.origin == Origin::Program { &mut total.own } else { &mut total.runtime };
            counted.0 += 1;
            counted.1 += function.report.operations.len() as u64;
            total.proven += function.report.proven;
            total.untyped += function.report.untyped() as u64;
            for operation in &function.report.operations {
                self.operation(ui, listing, function, operation)?;
            }
            for mut finding in listing.findings(function) {
                let Some(severity) = self.levels.of(&finding.rule, finding.severity) else {
                    total.allowed += 1;
                    continue;
                };
                finding.severity = severity;
                match finding.verdict {
                    Verdict::Violated => total.violated += 1,
                    Verdict::Unproven => total.unproven += 1,
                }
                total.warnings += u64::from(severity == Severity::Warning);
                unless_gone(match self.format {
                    Format::Short => ui.line(&finding.short()),
                    Format::Json => ui.json_text(&finding.to_json_line()),
                    Format::Sarif => {
                        total.findings.push(finding);
                        Ok(())
                    }
                    _ => ui.coloured(&format!("{}\n", finding.render(Style::Coloured))),
                })?;
            }
        }
        Ok(())
    }

    /// What was recognised, so that silence differs from not having looked.
    fn operation(&self, ui: &Ui, listing: &Listing, f: &FunctionReport, operation: &Operation) -> Result<(), End> {
        if self.format != Format::Json && !ui.verbose {
            return Ok(());
        }
        let Operation { kind, inst, null_check, revision_check, consumed, untyped } = operation;
        let line = |inst: &Option<Inst>| inst.and_then(|i| listing.line(f, i));
        if self.format == Format::Json {
            // the lines are those of the listing, where that is not the input
            let (input, made) = listing.input();
            return unless_gone(ui.json_line(json!({
                "kind": "operation", "operation": kind.name(), "function": f.name, "file": input.name(), "listing": made,
                "line": listing.line(f, *inst), "null_check": line(null_check),
                "revision_check": line(revision_check), "consumed": line(consumed), "untyped": untyped,
            })));
        }
        let parts = [("null check", null_check), ("revision check", revision_check), ("consumed", consumed)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(what, inst)| Some(format!("{what} line {}", line(inst)?))).collect();
        let at = listing.line(f, *inst).map_or_else(String::new, |l| format!(" at line {l}"));
        let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        let types = if *untyped { "; payload types not known" } else { "" };
        ui.detail(&format!("%{}: {}{at}{parts}{types}", f.name, kind.name()));
        Ok(())
    }

    fn log(&self, total: &Total) -> String {
        sarif::log(&driver(&self.levels), &total.findings, &total.errors)
    }
}

/// The log of a command line that cannot be run.
pub(crate) fn log_of_error(error: Diagnostic) -> String {
    sarif::log(&driver(&Levels::default()), &[], &[error])
}

fn driver(levels: &Levels) -> Driver {
    let rule = |rule: &&'static rules::Rule| sarif::Rule {
        id: rule.id.to_owned(),
        name: rule.name.to_owned(),
        statement: rule.statement.to_owned(),
        uri: format!(
            "{}/blob/main/docs/rules.md#{}-{}",
            env!("CARGO_PKG_REPOSITORY"),
            rule.id.to_lowercase(),
            rule.name
        ),
        help: plain(rule),
        markdown: markdown(rule),
        severity: levels.of(rule.id, Severity::Error),
    };
    Driver {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uri: env!("CARGO_PKG_REPOSITORY").to_owned(),
        rules: rules::ALL.iter().map(rule).collect(),
    }
}

/// The CLIF in the comments of a golden file, on the lines and in the columns where it is there.
pub(crate) fn in_comments(bytes: &[u8]) -> Option<String> {
    let text = Text::new(std::str::from_utf8(bytes).ok()?);
    if !text.in_comments {
        return None;
    }
    let mut clif = String::new();
    let mut at = 1;
    for line in text.functions.iter().flatten() {
        clif.extend((at..line.number).map(|_| '\n'));
        at = line.number;
        clif.push_str(&format!("   {}", line.text));
    }
    clif.push('\n');
    Some(clif)
}

/// The ABI that code without a stated one follows, where it is not the usual one: it has a
/// context of Wasmtime's, and less to find under that profile.
fn other_abi(program: &Program, source: &Source, verified: &Verified) -> Option<&'static str> {
    let has_context = source.text().is_some_and(|text| text.lines().any(|l| l.contains(" vmctx")));
    if verified.is_clean() || !has_context {
        return None;
    }
    let found = |verified: &Verified| verified.functions.iter().map(|f| f.report.findings.len()).sum::<usize>();
    let operations = |verified: &Verified| verified.functions.iter().map(|f| f.report.operations.len()).sum::<usize>();
    let other = PROFILES.into_iter().find(|name| *name != PROFILES[0])?;
    let under = verify_program(program, &profile(other, &program.target)?);
    (found(&under) < found(verified) || operations(&under) > operations(verified)).then_some(other)
}

/// Nobody reads any more: the rest is verified all the same, for the exit code says what was found.
fn unless_gone(written: Result<(), End>) -> Result<(), End> {
    match written {
        Err(End::ReaderGone) => Ok(()),
        other => other,
    }
}

/// What was done, in a line or two.
fn summary(total: &Total) -> String {
    if total.own.0 + total.runtime.0 == 0 {
        return String::new(); // no input: why was said
    }
    let mut text = String::new();
    let found = total.violated + total.unproven + total.allowed;
    if total.own.0 > 0 && total.own.1 == 0 && found == 0 {
        text = format!("no continuation operation in {}\n", count(total.own.0, "function"));
        if total.runtime.0 == 0 {
            return text;
        }
    }
    text.push_str(&format!(
        "{}, {}: {} proven, {}",
        count(total.own.0 + total.runtime.0, "function"),
        count(total.own.1 + total.runtime.1, "operation"),
        count(total.proven, "obligation"),
        count(total.violated + total.unproven, "finding")
    ));
    let mut parts = vec![];
    if total.violated + total.unproven > 0 {
        parts.push(format!("{} violated, {} unproven", total.violated, total.unproven));
    }
    if total.warnings > 0 {
        parts.push(count(total.warnings, "warning"));
    }
    if total.allowed > 0 {
        parts.push(format!("{} allowed", total.allowed));
    }
    if !parts.is_empty() {
        text.push_str(&format!(" ({})", parts.join("; ")));
    }
    if total.untyped > 0 {
        text.push_str(&format!("; payload types of {} not known", count(total.untyped, "operation")));
    }
    if !total.errors.is_empty() {
        text.push_str(&format!("; {} not verified", count(total.errors.len() as u64, "input")));
    }
    text.push('\n');
    text
}
