//! `lower`: an input or a single operation, as CLIF or assembly.
#![allow(unsafe_code)]

use std::ops::Deref;

use clap::{Args, ValueEnum};
use clif_cont::abi::{Isa, SwitchModel};
use clif_cont::diag::{Diagnostic, Finding, Place, Severity, Source};
use clif_cont::finish::{Finish, Finished, finish_with_remarks};
use clif_cont::load::{InputKind, check_defined, explain, findings, load, place_of_function};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::text::{Annotate, PrintOptions, print};
use clif_cont::program::{Program, Target, compile, stack};
use clif_cont::protocol::Protocol;
use serde_json::json;

use super::io::{End, Ended, Input, UNSUPPORTED, USAGE, Ui, count, failure, read};
use super::limits::MemoryArgs;

/// Parses an ISA's name, for clap.
pub(crate) fn parse_isa(name: &str) -> Result<Isa, String> {
    Isa::from_name(name).ok_or_else(|| format!("there are {}", Isa::ALL.map(Isa::name).join(", ")))
}

fn parse_opt(name: &str) -> Result<OptLevel, String> {
    OptLevel::from_name(name).ok_or_else(|| format!("there are {}", OptLevel::ALL.map(OptLevel::name).join(", ")))
}

/// What to lower for.
#[derive(Args)]
pub(crate) struct TargetArgs {
    /// Instruction set to lower for: see `clif-cont isas` [default: x86_64, or what the input says]
    #[arg(long, value_parser = parse_isa)]
    isa: Option<Isa>,
    /// How control moves between stacks [default: auto]
    #[arg(long, value_name = "MODEL")]
    switch: Option<Switch>,
    /// Cranelift's optimisation level
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = parse_opt)]
    pub(crate) opt: OptLevel,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
}

/// `--switch`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// The first one that the ISA has; `hostcall` on Pulley
    Auto,
    /// The CLIF instruction `stack_switch` (x86_64)
    Instruction,
    /// A call of a byte routine (x86_64, aarch64, riscv64, s390x)
    Routine,
}

impl TargetArgs {
    /// Was one asked for?
    pub(crate) fn is_given(&self) -> bool {
        self.isa.is_some() || self.switch.is_some()
    }

    /// The target that was asked for, `None` when none was.
    pub(crate) fn target(&self) -> Result<Option<Target>, End> {
        let isa = self.isa.unwrap_or(Isa::X86_64);
        let switch = match self.switch {
            Some(Switch::Instruction) => SwitchModel::Instruction,
            Some(Switch::Routine) => SwitchModel::Routine,
            Some(Switch::Auto) => return Ok(Some(Target::new(isa))),
            None => return Ok(self.isa.map(Target::new)),
        };
        match Target::with_switch(isa, switch) {
            Some(target) => Ok(Some(target)),
            None => {
                let models: Vec<_> = isa.switch_models().iter().map(|m| m.name()).collect();
                let message = format!("{} has no switch model `{}`", isa.name(), switch.name());
                let diagnostic = Diagnostic::error(message).note(format!("it has: {}", models.join(", ")));
                Err(failure(UNSUPPORTED, diagnostic))
            }
        }
    }
}

/// Whether the code is verified before it is used.
#[derive(Args)]
pub(crate) struct ProtocolArgs {
    /// Do not verify the code against the protocol of continuations; see `verify`
    #[arg(long)]
    no_verify: bool,
}

impl ProtocolArgs {
    pub(crate) fn protocol(&self) -> Protocol {
        // SAFETY: whoever starts the command answers for CLIF that states no profile, and with
        // `--no-verify` for any: the process is theirs, and a fault ends it with a report.
        unsafe { if self.no_verify { Protocol::trust() } else { Protocol::where_stated() } }
    }

    /// Verifies a loaded program, optimised where asked for, and says what was found that does not stop it.
    pub(crate) fn finish(&self, ui: &Ui, loaded: &Loaded, opt: OptLevel) -> Result<Finished, End> {
        let Loaded { program, source, kind } = loaded;
        let protocol = match kind {
            // SAFETY: of its own front end's code the command says what is unproven, and goes on as its user expects.
            InputKind::Wasm if !self.no_verify => unsafe { Protocol::lowered() },
            _ => self.protocol(),
        };
        let finished = finish_with_remarks(program, Finish { opt, protocol });
        let (finished, remarks) = finished.map_err(|e| explain(e, source, *kind))?;
        for found in &remarks {
            remark(ui, findings(found, source, *kind)?, source);
        }
        Ok(finished)
    }
}

/// Says what was found in code that goes on all the same: warnings to who wants to know, and always what is a fault
/// of ours.
fn remark(ui: &Ui, findings: Vec<Finding>, source: &Source) {
    let mut unproven = 0u64;
    for mut finding in findings {
        let is_error = finding.severity == Severity::Error;
        unproven += u64::from(is_error);
        finding.severity = Severity::Warning;
        if is_error || ui.verbose {
            ui.finding(&finding);
        }
    }
    if unproven > 0 {
        let what = count(unproven, "obligation");
        let mut warning =
            Diagnostic::error(format!("{what} of the lowered code could not be proven; it is used all the same"));
        warning.severity = Severity::Warning;
        let note = "this is a bug of clif-cont; please report it with the input";
        ui.report(&warning.at(Place::whole(source)).note(note));
    }
}

/// A program, and the input it came from.
pub(crate) struct Loaded {
    pub(crate) program: Program,
    pub(crate) source: Source,
    pub(crate) kind: InputKind,
}

impl Deref for Loaded {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.program
    }
}

/// Reads and loads an input.
pub(crate) fn load_input(ui: &Ui, path: &str, target: Option<Target>) -> Result<Loaded, End> {
    load_input_bytes(ui, &read(path)?, target)
}

/// Reads and loads an input that is to be run.
pub(crate) fn load_to_run(ui: &Ui, path: &str, target: Option<Target>) -> Result<Loaded, End> {
    let loaded = load_input(ui, path, target)?;
    check_defined(&loaded.program, &loaded.source)?;
    Ok(loaded)
}

/// Loads what was read.
pub(crate) fn load_input_bytes(ui: &Ui, input: &Input, target: Option<Target>) -> Result<Loaded, End> {
    let program = load(&input.name, &input.bytes, target)?;
    let made_for = program.target;
    ui.detail(&format!(
        "{}: {} for {} with switch model `{}`",
        input.name,
        count(program.functions.len() as u64, "function"),
        made_for.isa.name(),
        made_for.abi.switch.name()
    ));
    let kind = InputKind::detect(&input.name, &input.bytes);
    Ok(Loaded { program, source: Source::new(&input.name, &input.bytes), kind })
}

/// Lower a program, or one operation, and print it
#[derive(Args)]
pub(crate) struct Lower {
    /// A .wat, .wasm or .clif file, or `-` for standard input
    #[arg(required_unless_present = "op")]
    input: Option<String>,
    /// Lower one operation alone: `suspend (i32) -> (i64)`, `resume (i64) -> () on (f64) on switch`, ...
    #[arg(long, value_name = "OPERATION", conflicts_with = "input")]
    op: Option<String>,
    /// Print CLIF, which is also what is done without it
    #[arg(long, conflicts_with = "emit")]
    print: bool,
    /// What to produce
    #[arg(long, value_name = "KIND", default_value = "clif")]
    emit: Emit,
    /// Only this function
    #[arg(long, value_name = "NAME")]
    func: Option<String>,
    /// With comments at single instructions
    #[arg(long)]
    annotate: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    protocol: ProtocolArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// Cranelift IR, as text that can be read back
    Clif,
    /// Assembly
    Asm,
    /// A relocatable ELF object of the whole program; not for Pulley
    Object,
}

impl Lower {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let target = self.target.target()?;
        let loaded = match (&self.op, &self.input) {
            (Some(op), _) => {
                let source = Source::new("<op>", op.as_bytes());
                let program = clif_cont::op::lower_op(op, target.unwrap_or(Target::new(Isa::X86_64)))
                    .map_err(|e| failure(USAGE, Diagnostic::error(e.message).at(Place::new(&source, 1, e.column))))?;
                Loaded { program, source, kind: InputKind::Wasm }
            }
            (None, Some(input)) => load_input(ui, input, target)?,
            (None, None) => return Err(failure(USAGE, Diagnostic::error("an input or `--op` is needed"))),
        };
        self.target.memory.check(&loaded.program, &loaded.source)?;
        let func = self.func.as_deref().map(|name| name.trim_start_matches('%'));
        if let Some(name) = func
            && loaded.function(name).is_none()
        {
            let known: Vec<_> = loaded.functions.iter().map(|f| f.name()).collect();
            let diagnostic = Diagnostic::error(format!("no function `{name}`")).at(Place::whole(&loaded.source));
            return Err(failure(USAGE, diagnostic.note(format!("there are: {}", known.join(", ")))));
        }
        let finished = self.protocol.finish(ui, &loaded, self.target.opt)?;
        if self.emit == Emit::Object {
            return self.object(ui, &loaded.source, &finished, func);
        }
        let text = match self.emit {
            Emit::Clif => {
                let annotate = if self.annotate { Annotate::Insts } else { Annotate::Blocks };
                print(&finished, PrintOptions { func, annotate })
            }
            Emit::Asm | Emit::Object => assembly(&loaded.source, &finished, func)?,
        };
        if ui.json() {
            let emit = if self.emit == Emit::Asm { "asm" } else { "clif" };
            ui.json_line(json!({ "kind": "program", "emit": emit, "text": text }))?;
        } else {
            ui.write(text.as_bytes())?;
        }
        Ok(0)
    }
}

impl Lower {
    fn object(&self, ui: &Ui, source: &Source, program: &Finished, func: Option<&str>) -> Ended {
        if func.is_some() {
            return Err(failure(
                USAGE,
                Diagnostic::error("an object holds the whole program: `--func` has no meaning"),
            ));
        }
        if ui.json() {
            return Err(failure(USAGE, Diagnostic::error("an object is no text: `--format json` has no meaning")));
        }
        let bytes = clif_cont::object::object(program).map_err(|error| refused(source, &error))?;
        if ui.is_terminal() {
            return Err(failure(
                USAGE,
                Diagnostic::error("an object is not for a terminal").help("name a file with `-o`"),
            ));
        }
        ui.write(&bytes)?;
        Ok(0)
    }
}

/// What the code generator refuses, where the function is.
fn refused(source: &Source, error: &dyn std::error::Error) -> End {
    let message = error.to_string();
    let place = place_of_function(source, &message);
    failure(UNSUPPORTED, Diagnostic::error(message).at(place))
}

fn assembly(source: &Source, program: &Finished, func: Option<&str>) -> Result<String, End> {
    let isa = target_isa(program.target, program.opt()).map_err(|e| refused(source, &e))?;
    let mut text = String::new();
    for function in program.functions.iter().filter(|f| func.is_none_or(|name| f.name() == name)) {
        let parts = stack::parts(program, &function.func, &*isa, compile::Disassembly::Keep);
        for part in parts.map_err(|e| refused(source, &e))? {
            if !text.is_empty() {
                text.push('\n');
            }
            let (code, stack) = (part.code.code.len(), part.code.stack_bytes);
            text.push_str(&format!("; %{}: {code} bytes of code, {stack} of stack\n", part.symbol));
            let disassembly = part.code.disassembly.unwrap_or_default();
            text.push_str(disassembly.trim_end());
            text.push('\n');
        }
    }
    Ok(text)
}
