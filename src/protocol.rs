//! The protocol of continuations over a whole program: every function through
//! the verifier, and its findings as places in a text.
//!
//! A verifier's report speaks of instructions by number. Here they become lines:
//! of the input, where that is the very text that was verified, else of the text
//! that is printed for the program. Nothing here decides what is wrong, nor how it
//! looks.

use std::collections::{BTreeMap, HashMap};

use clif_cont_diag::{self as diag, Place, Severity, Source};
use clif_cont_program::text::{Annotate, InstLines, ParseError, Printed, inst_lines, print_lines};
use clif_cont_program::{Origin, Program, Target};
use clif_cont_verifier::{self as verifier, Finding, Profile, Report, Rule, Verdict, retrace, verify_in};

pub use crate::view::module;
use cranelift_codegen::ir::{Block, Function, Inst};

use crate::finish::FinishError;
use crate::load::InputKind;

/// Is code verified before it is used? By default it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Protocol(Policy);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
enum Policy {
    #[default]
    Verify,
    WhereStated,
    Lowered,
    Trust,
}

#[allow(unsafe_code)]
impl Protocol {
    /// It is, and a program that states no profile is refused.
    pub const VERIFY: Self = Self(Policy::Verify);

    /// It is where the program states a profile; another is taken as it is.
    ///
    /// # Safety
    ///
    /// As for `Optimized::assume_sound` of `clif-cont-program`, for every program that is
    /// finished with it and states no profile.
    pub const unsafe fn where_stated() -> Self {
        Self(Policy::WhereStated)
    }

    /// The same of code that was lowered here: what is unproven is a fault of the verifier or
    /// of the lowering, and does not stop the program.
    ///
    /// # Safety
    ///
    /// As for `Optimized::assume_sound` of `clif-cont-program`, as far as an obligation of a
    /// program that is finished with it is not proven.
    pub const unsafe fn lowered() -> Self {
        Self(Policy::Lowered)
    }

    /// It is taken as it is.
    ///
    /// # Safety
    ///
    /// As for `Optimized::assume_sound` of `clif-cont-program`, for every program that is
    /// finished with it.
    pub const unsafe fn trust() -> Self {
        Self(Policy::Trust)
    }

    /// Is everything taken as it is?
    pub fn trusts(self) -> bool {
        self.0 == Policy::Trust
    }

    /// Is what is unproven accepted?
    pub(crate) fn accepts_unproven(self) -> bool {
        matches!(self.0, Policy::Lowered | Policy::Trust)
    }

    /// Refuses a program of which nothing can be verified, where everything is to be.
    pub(crate) fn can_verify(self, program: &Program) -> Result<(), FinishError> {
        match (self.0, program.profile) {
            (Policy::Verify, None) => Err(FinishError::NoProfile),
            _ => Ok(()),
        }
    }
}

/// The profiles by name, the usual one first.
pub const PROFILES: [&str; 2] = [clif_cont_abi::PROFILE, Profile::WASMTIME_48];

/// A profile by name, for a target.
pub fn profile(name: &str, target: &Target) -> Option<Profile> {
    match name {
        clif_cont_abi::PROFILE => Some(Profile::clif_cont(&target.abi)),
        Profile::WASMTIME_48 => Some(Profile::wasmtime_48()),
        _ => None,
    }
}

/// A function's report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionReport {
    /// The function, without `%`.
    pub name: String,
    /// The program's own, or the runtime's?
    pub origin: Origin,
    /// What was found.
    pub report: Report,
    /// Its instructions, and the place of each in the order of their lines; their numbers
    /// in another text of the same function differ.
    insts: HashMap<Inst, usize>,
    /// What instructions were made of, as offsets into a WebAssembly module.
    offsets: BTreeMap<Inst, u32>,
    /// The first instructions of the blocks on the findings' paths.
    begins: HashMap<Block, Inst>,
}

impl FunctionReport {
    /// The same, of the text of `func`, which has the function's instructions under the same
    /// numbers, and maybe more.
    pub(crate) fn shown_in(mut self, func: &Function) -> Self {
        self.insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).zip(0..).collect();
        self
    }
}

/// The reports on a program's functions, in their order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Verified {
    /// One for each function.
    pub functions: Vec<FunctionReport>,
}

impl Verified {
    /// No finding, not even a warning?
    pub fn is_clean(&self) -> bool {
        self.functions.iter().all(|f| f.report.is_clean())
    }
}

/// Verifies every function under a profile.
pub fn verify_program(program: &Program, profile: &Profile) -> Verified {
    let module = module(program);
    let functions = program.functions.iter().map(|f| {
        let mut report = verify_in(&f.func, profile, &module);
        retrace(&f.func, profile, Some(&module), &mut report);
        let layout = &f.func.layout;
        // who has nothing to say needs no places
        let insts = match report.findings.is_empty() && report.operations.is_empty() {
            true => HashMap::new(),
            false => layout.blocks().flat_map(|b| layout.block_insts(b)).zip(0..).collect(),
        };
        let steps = report.findings.iter().flat_map(|finding| steps(&finding.path));
        let begins: HashMap<Block, Inst> = steps.filter_map(|b| Some((*b, layout.first_inst(*b)?))).collect();
        let events = |f: &Finding| f.related.iter().map(|(inst, _)| *inst).chain([f.inst]).collect::<Vec<_>>();
        let spoken_of = report.findings.iter().flat_map(events).chain(begins.values().copied());
        let offsets = spoken_of.map(|inst| (inst, f.func.srcloc(inst))).filter(|(_, at)| !at.is_default());
        let offsets = offsets.map(|(inst, at)| (inst, at.bits())).collect();
        FunctionReport { name: f.name(), origin: f.origin, report, insts, offsets, begins }
    });
    Verified { functions: functions.collect() }
}

/// The findings in an example of a rule, [`Rule::passing`] or [`Rule::failing`], under the profile of this project.
///
/// # Errors
///
/// What is wrong with an example that is not valid CLIF.
pub fn example(rule: &Rule, function: &str) -> Result<Vec<diag::Finding>, String> {
    let name = format!("{}.clif", rule.id.to_lowercase());
    let program = crate::load::read(&name, function.as_bytes(), None).map_err(|e| e.to_string())?;
    let verified = verify_program(&program, &Profile::clif_cont(&program.target.abi));
    let listing = Listing::of_input(&Source::new(&name, function.as_bytes())).map_err(|e| e.to_string())?;
    Ok(verified.functions.iter().flat_map(|f| listing.findings(f)).collect())
}

/// The blocks of a path that are shown with their places: of a long one its beginning and its end.
fn steps(path: &[Block]) -> impl Iterator<Item = &Block> {
    const SHOWN: usize = 50;
    let left_out = SHOWN / 2..(SHOWN / 2).max(path.len().saturating_sub(SHOWN / 2));
    path.iter().enumerate().filter(move |(i, _)| !left_out.contains(i)).map(|(_, block)| block)
}

/// The user's own input, where something else was made of it and verified.
#[derive(Clone, Debug)]
struct Made {
    input: Source,
    /// What was made of it: `lowered`.
    what: String,
    /// Where its instructions are, if it is CLIF: an optimiser keeps their numbers.
    insts: BTreeMap<String, InstLines>,
}

/// A text, and where the instructions of its functions are in it.
#[derive(Clone, Debug)]
pub struct Listing {
    source: Source,
    made: Option<Made>,
    /// For each function the lines of its instructions, from 1.
    lines: BTreeMap<String, Vec<u32>>,
}

impl Listing {
    /// Of the input itself.
    ///
    /// # Errors
    ///
    /// The input is not CLIF.
    pub fn of_input(input: &Source) -> Result<Self, ParseError> {
        let lines = inst_lines(input.text().unwrap_or_default())?;
        let lines = lines.into_iter().map(|(name, insts)| (name, insts.into_values().collect())).collect();
        Ok(Self { source: input.clone(), made: None, lines })
    }

    /// Of the text that is printed for a program: `NAME (WHAT)` for an input NAME.
    pub fn of_program(program: &Program, input: &Source, what: &str) -> Self {
        Self::of_printed(print_lines(program, Annotate::Blocks), input, what)
    }

    /// The same, of what was printed before.
    pub fn of_printed(printed: Printed, input: &Source, what: &str) -> Self {
        let insts = match InputKind::detect(input.name(), input.text().unwrap_or_default().as_bytes()) {
            InputKind::Clif => inst_lines(input.text().unwrap_or_default()).unwrap_or_default(),
            InputKind::Wasm => BTreeMap::new(),
        };
        Self {
            source: Source::new(&format!("{} ({what})", input.name()), printed.text.as_bytes()),
            made: Some(Made { input: input.clone(), what: what.to_owned(), insts }),
            lines: printed.lines,
        }
    }

    /// The user's own input; and what was made of it, where that is what was verified.
    pub fn input(&self) -> (&Source, Option<&str>) {
        self.made.as_ref().map_or((&self.source, None), |made| (&made.input, Some(&made.what)))
    }

    /// The text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The line of an instruction, from 1.
    pub fn line(&self, function: &FunctionReport, inst: Inst) -> Option<usize> {
        let index = function.insts.get(&inst)?;
        self.lines.get(&function.name)?.get(*index).map(|line| *line as usize)
    }

    fn place(&self, function: &FunctionReport, inst: Inst) -> Place {
        match self.line(function, inst) {
            Some(line) => inst_place(&self.source, line),
            None => Place::whole(&self.source),
        }
    }

    /// What in the input an instruction was made of, where that is another text.
    fn origin(&self, function: &FunctionReport, inst: Inst) -> Option<Place> {
        let Made { input, insts, .. } = self.made.as_ref()?;
        if let Some(line) = insts.get(&function.name).and_then(|lines| lines.get(&inst)) {
            return Some(inst_place(input, *line as usize));
        }
        let text = input.text().unwrap_or_default();
        let offset = function.offsets.get(&inst).filter(|_| insts.is_empty());
        let position = offset.and_then(|offset| clif_cont_wasm::position_of(text.as_bytes(), *offset));
        Some(position.map_or(Place::whole(input), |at| Place::new(input, at.line, at.column)))
    }

    fn event(&self, function: &FunctionReport, inst: Inst, what: &str) -> diag::Event {
        let (place, origin) = (self.place(function, inst), self.origin(function, inst));
        diag::Event { place, origin, what: what.to_owned() }
    }

    /// The findings in a function.
    pub fn findings(&self, function: &FunctionReport) -> Vec<diag::Finding> {
        function.report.findings.iter().map(|f| self.finding(function, f)).collect()
    }

    fn finding(&self, function: &FunctionReport, finding: &Finding) -> diag::Finding {
        let place = self.place(function, finding.inst);
        let inst = match self.source.line(place.line) {
            Some(line) => without_location(line.split(';').next().unwrap_or_default().trim()).to_owned(),
            None => finding.inst.to_string(),
        };
        diag::Finding {
            rule: finding.rule.to_owned(),
            verdict: match finding.verdict {
                Verdict::Violated => diag::Verdict::Violated,
                Verdict::Unproven => diag::Verdict::Unproven,
            },
            severity: match finding.severity {
                verifier::Severity::Error => Severity::Error,
                verifier::Severity::Warning => Severity::Warning,
            },
            place,
            origin: self.origin(function, finding.inst),
            function: function.name.clone(),
            inst,
            message: finding.message.clone(),
            related: finding.related.iter().map(|(inst, what)| self.event(function, *inst, what)).collect(),
            help: finding.help.clone(),
            path: finding.path.iter().map(ToString::to_string).collect(),
            steps: steps(&finding.path)
                .filter_map(|b| Some(self.event(function, *function.begins.get(b)?, &b.to_string())))
                .collect(),
        }
    }
}

/// An instruction's line without the source location, `@0108`, that some producers write
/// in front of it.
fn without_location(code: &str) -> &str {
    let rest = code.strip_prefix('@').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    rest.map_or(code, str::trim_start)
}

/// The place of the instruction on a line of CLIF.
pub(crate) fn inst_place(source: &Source, line: usize) -> Place {
    let place = Place::code(source, line, ";");
    let code = source.line(line).unwrap_or_default().trim_start();
    let skipped = code.chars().count() - without_location(code).chars().count();
    Place { column: place.column + skipped, ..place }
}

#[cfg(test)]
mod tests {
    use clif_cont_abi::Isa;
    use cranelift_codegen::ir::Opcode;

    use super::*;

    #[test]
    fn source_locations_are_no_part_of_an_instruction() {
        let source = Source::new("x.clif", b"block0:\n@0108     v1 = iconst.i64 1 ; v1 = 1\n    return\n");
        let place = inst_place(&source, 2);
        assert_eq!((place.column, place.end), (11, Some(28)));
        assert_eq!(inst_place(&source, 3).column, 5);
    }

    #[test]
    fn findings_in_lowered_code_name_what_it_was_made_of() {
        let text = "(module
  (type $f (func)) (type $k (cont $f))
  (func (export \"run\") (param (ref null $k))
    (nop)
    (resume $k (local.get 0))))";
        let mut program = crate::load::load("run.wat", text.as_bytes(), Some(Target::new(Isa::X86_64))).expect("valid");
        let func = &mut program.functions[0].func;
        // the first store of a resume consumes the object
        let insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
        let store = insts.into_iter().find(|i| func.dfg.insts[*i].opcode() == Opcode::Store).expect("a store");
        func.layout.remove_inst(store);
        let profile = profile(PROFILES[0], &program.target).expect("the usual profile");
        let verified = verify_program(&program, &profile);
        let input = Source::new("run.wat", text.as_bytes());
        let listing = Listing::of_program(&program, &input, "lowered");
        let findings: Vec<_> = verified.functions.iter().flat_map(|f| listing.findings(f)).collect();
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!((finding.rule.as_str(), finding.verdict), ("CC0003", diag::Verdict::Violated));
        assert_eq!(finding.origin.as_ref().map(Place::display).as_deref(), Some("run.wat:5:6"));
        assert_eq!(finding.place.source.name(), "run.wat (lowered)");
        let line: serde_json::Value = serde_json::from_str(&finding.to_json_line()).expect("JSON");
        assert_eq!((&line["file"], &line["line"]), (&"run.wat".into(), &5.into()));
        assert!(finding.short().starts_with("run.wat:5:6: error[CC0003] violated: "), "{}", finding.short());
        assert!(finding.steps.iter().all(|step| step.here().source.name() == "run.wat"), "{:?}", finding.steps);
        assert!(finding.inst.contains("stack_switch"), "{}", finding.inst);
        assert!(listing.source().line(finding.place.line).is_some_and(|l| l.contains(&finding.inst)));
    }
}
