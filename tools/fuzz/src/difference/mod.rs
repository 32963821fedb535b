//! Judges `clif-cont diff`: harmless edits are no difference, and a fault is a
//! small one, also when everything else has another number.
//!
//! A case is a function of a lowered program, one edit or several, or one mutation
//! of those that judge the verifier. All names of the new side are then shuffled
//! ([`scramble`]), which the judge knows the way back from. A mutation that came to
//! nothing (operands of what commutes, a constant that nobody uses) is counted
//! apart, by a criterion of its own: the lines say so, or Cranelift's optimiser makes
//! the same of both ([`Outcome::Equivalent`]).

mod scramble;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use clif_cont_diff::{Diff, Options, Side, Text, diff, result::Plain};
use clif_cont_program::compile;
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_verifier::{Profile, verify};
use cranelift_codegen::ir::Function;
use fastrand::Rng;

use crate::faults::Fault;
use crate::func::{self, text};
use crate::judge::panic_message;
use crate::kinds::Kind;
use crate::parallel::parallel;
use crate::programs::edit;
use crate::scope::sites;
use crate::unit::targets;

use scramble::{Shuffle, scramble};

/// Harmless edits that must come out equal: by name. `thread` adds a parameter and
/// `complement` turns a branch round; both are changes to a reader.
const HARMLESS: [&str; 7] = ["commute", "split", "recompute", "up", "down", "address", "reassociate"];

/// What to do.
#[derive(Clone, Debug)]
pub struct DiffPlan {
    /// From it everything follows.
    pub seed: u64,
    /// Cases, by number; each is made once as harmless edits, and once as a fault.
    pub cases: std::ops::Range<usize>,
    /// Programs: `.wat` files.
    pub programs: Vec<PathBuf>,
    /// Threads.
    pub threads: usize,
}

/// How a case came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// No difference.
    Equal,
    /// So many lines; does one of them say what was edited?
    Changed {
        /// Lines that only one side has.
        lines: usize,
        /// Is what was edited among them?
        named: bool,
    },
    /// It came out equal, and the mutant does the same.
    Equivalent,
    /// The checker refused the mapping.
    Refused(String),
    /// A panic of ours.
    Bug(String),
}

/// A case and its outcome.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its number.
    pub number: usize,
    /// The edit, or the mutation.
    pub kind: String,
    /// Was it meant to be harmless?
    pub harmless: bool,
    /// Program, target, level, function.
    pub place: String,
    /// What came of it.
    pub outcome: Outcome,
    /// What was shown, where it is not what was meant.
    pub shown: String,
}

/// The `.wat` files of a directory, by name.
///
/// # Errors
///
/// The directory cannot be read.
pub fn programs(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir)?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    all.retain(|f| f.extension().is_some_and(|e| e == "wat"));
    all.sort();
    Ok(all)
}

/// Makes and judges all cases; `progress` is called after each.
pub fn run_diff(plan: &DiffPlan, progress: &(dyn Fn() + Sync)) -> Vec<Case> {
    let all = parallel(plan.cases.clone(), plan.threads, |number| {
        let cases = [true, false].into_iter().filter_map(|harmless| one(plan, number, harmless)).collect::<Vec<_>>();
        progress();
        cases
    });
    all.flatten().collect()
}

fn one(plan: &DiffPlan, number: usize, harmless: bool) -> Option<Case> {
    // programs that are not lowered, kinds that find nothing to damage
    (0..30).find_map(|attempt| {
        let seed = plan.seed.wrapping_mul(1_000_003) ^ (number as u64) << 8 ^ u64::from(harmless) << 7 ^ attempt;
        made(plan, number, harmless, &mut Rng::with_seed(seed))
    })
}

fn made(plan: &DiffPlan, number: usize, harmless: bool, rng: &mut Rng) -> Option<Case> {
    let path = &plan.programs[rng.usize(..plan.programs.len())];
    let target = rng.choice(targets())?;
    let opt = rng.choice(OptLevel::ALL)?;
    let source = std::fs::read(path).ok()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    let mut program = clif_cont_wasm::compile(&source, &name, target, &Default::default()).ok()?;
    let isa = target_isa(target, opt).ok()?;
    let speed = target_isa(target, OptLevel::Speed).ok()?;
    let at = rng.usize(..program.functions.len());
    let function = program.functions.get_mut(at)?;
    if opt == OptLevel::Speed {
        function.optimize(&*isa).ok()?;
    }
    let original = function.func.clone();
    let place =
        format!("{name} {} {} --opt {} %{}", target.isa.name(), target.abi.switch.name(), opt.name(), function.name());
    let profile = Profile::clif_cont(&target.abi);
    let mut new = original.clone();
    let kind = if harmless {
        edited(&mut new, rng)?
    } else {
        damaged(&mut new, &function.name(), &profile, &target.abi, rng)?
    };
    compile::verify(&new, &*isa).ok()?;
    let (before, plain) = (text(&original), text(&new));
    if before == plain && kind != "names" {
        return None;
    }
    let shuffle = if harmless { Shuffle::Blocks } else { Shuffle::Names };
    let after = scramble(&plain, shuffle, rng);
    let judged = catch_unwind(AssertUnwindSafe(|| diff(&Text::new(&before), &Text::new(&after), &Options::default())));
    let (outcome, shown) = match judged {
        Err(p) => (Outcome::Bug(panic_message(&*p)), String::new()),
        Ok(found) => {
            let same = || optimised(&original, &*speed).is_some_and(|o| Some(o) == optimised(&new, &*speed));
            let outcome = judge(&found, &before, &plain, &same);
            let wrong = match &outcome {
                Outcome::Equal => !harmless,
                Outcome::Equivalent => false,
                Outcome::Changed { lines, named } => harmless || *lines > 12 || !named,
                _ => true,
            };
            let edit = crate::campaign::diff(&before, &plain);
            let shown = format!("the edit:\n{edit}shown:\n{}", clif_cont_diff::format::unified(&found, "old", "new"));
            (outcome, if wrong { shown } else { String::new() })
        }
    };
    Some(Case { number, kind, harmless, place, outcome, shown })
}

/// One edit, or up to twelve.
fn edited(func: &mut Function, rng: &mut Rng) -> Option<String> {
    let which = rng.usize(..HARMLESS.len() + 2);
    match HARMLESS.get(which) {
        Some(name) => {
            let done = (0..40).any(|_| harmless(func, &[(*name).to_owned()], rng).is_some());
            done.then(|| (*name).to_owned())
        }
        None if which == HARMLESS.len() => Some("names".to_owned()),
        None => {
            let all = HARMLESS.map(str::to_owned);
            let wanted = rng.usize(2..=12);
            let done = (0..200).filter(|_| harmless(func, &all, rng).is_some()).take(wanted).count();
            (done >= 2).then(|| "several".to_owned())
        }
    }
}

fn harmless(func: &mut Function, names: &[String], rng: &mut Rng) -> Option<()> {
    let name = rng.choice(names)?;
    if name == "reassociate" { reassociate(func, rng) } else { edit(func, std::slice::from_ref(name), rng).map(|_| ()) }
}

/// `a + c` is computed as `(a + d) + (c - d)`.
fn reassociate(func: &mut Function, rng: &mut Rng) -> Option<()> {
    use cranelift_codegen::cursor::{Cursor, FuncCursor};
    use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode};
    let inst = rng.choice(func::insts(func).collect::<Vec<_>>())?;
    let InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] } = func.dfg.insts[inst] else { return None };
    let c = func::constant(func, b)?;
    let ty = func.dfg.value_type(b);
    let d = rng.i64(-9..9);
    let first = func::constant_before(func, inst, ty, d)?;
    let rest = func::constant_before(func, inst, ty, c.wrapping_sub(d))?;
    let part = FuncCursor::new(func).at_inst(inst).ins().iadd(a, first);
    func.dfg.inst_args_mut(inst).copy_from_slice(&[part, rest]);
    Some(())
}

/// One mutation of those that judge the verifier, at random or of an operation.
fn damaged(
    func: &mut Function,
    name: &str,
    profile: &Profile,
    abi: &clif_cont_abi::Abi,
    rng: &mut Rng,
) -> Option<String> {
    if rng.u8(..4) == 0 {
        let operations = verify(func, profile).operations;
        let operation = rng.choice(&operations)?;
        let fault = rng.choice(Fault::ALL)?;
        return fault.apply(func, operation).map(|()| fault.name().to_owned());
    }
    let site = rng.choice(sites(func, name, abi))?;
    let kind = rng.choice(Kind::ALL)?;
    kind.apply(func, &site, abi, rng).map(|_| kind.name().to_owned())
}

/// What Cranelift's optimiser makes of a function, with numbers as they come.
fn optimised(func: &Function, isa: &dyn cranelift_codegen::isa::TargetIsa) -> Option<String> {
    let text = text(&compile::optimize(func, isa).ok()?);
    let mut code = String::new();
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default();
        let line = if line.starts_with('@') { line.split_once(' ').map_or("", |(_, l)| l) } else { line };
        code.push_str(line.trim());
        code.push('\n');
    }
    Some(scramble::in_order(&code))
}

fn judge(found: &Diff, before: &str, plain: &str, same: &dyn Fn() -> bool) -> Outcome {
    let refused = found.functions.iter().find_map(|f| match &f.plain {
        Some(Plain::Refused(why)) => Some(why.clone()),
        _ => None,
    });
    if let Some(why) = refused {
        return Outcome::Refused(why);
    }
    let (mut old, mut new) = touched(before, plain);
    with_twins(before, &mut old);
    with_twins(plain, &mut new);
    if found.is_equal() {
        return if equivalent(before, plain, &old, &new) || same() { Outcome::Equivalent } else { Outcome::Equal };
    }
    let lines = found.functions.iter().flat_map(|f| &f.lines);
    let named = lines.filter(|l| l.side.is_some()).any(|l| match l.side {
        Some(Side::Old) => l.old.is_some_and(|n| old.contains(&(n as usize))),
        _ => l.new.is_some_and(|n| new.contains(&(n as usize))),
    });
    let named = named || {
        let changed: Vec<_> = found.functions.iter().flat_map(|f| &f.lines).filter(|l| l.side.is_some()).collect();
        uses_of(before, &old).iter().any(|n| changed.iter().any(|l| l.old.is_some_and(|o| o as usize == *n)))
            || uses_of(plain, &new).iter().any(|n| changed.iter().any(|l| l.new.is_some_and(|o| o as usize == *n)))
    };
    Outcome::Changed { lines: found.changed_lines(), named }
}

/// Lines of a text that only it has, before names are shuffled, by number.
fn touched(before: &str, after: &str) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let changes = similar::TextDiff::from_lines(before, after);
    let mut sides: [BTreeSet<usize>; 2] = Default::default();
    for change in changes.iter_all_changes() {
        match change.tag() {
            similar::ChangeTag::Equal => {}
            similar::ChangeTag::Delete => drop(sides[0].insert(change.old_index().unwrap_or(0) + 1)),
            similar::ChangeTag::Insert => drop(sides[1].insert(change.new_index().unwrap_or(0) + 1)),
        }
    }
    let [old, new] = sides;
    (old, new)
}

/// Which of two equal lines next to each other is new, nobody can say.
fn with_twins(text: &str, lines: &mut BTreeSet<usize>) {
    let all: Vec<String> = text.lines().map(sorted).collect();
    for n in lines.clone() {
        let twin =
            |m: usize| m > 0 && all.get(m - 1).is_some_and(|l| all.get(n - 1).is_some_and(|own| bare(own) == bare(l)));
        lines.extend([n.saturating_sub(1), n + 1].into_iter().filter(|m| twin(*m)));
    }
}

/// A line without what it defines.
fn bare(line: &str) -> &str {
    line.split_once(" = ").map_or(line, |(_, rest)| rest)
}

/// Lines that use what these constants and names define.
fn uses_of(text: &str, lines: &BTreeSet<usize>) -> Vec<usize> {
    let all: Vec<&str> = text.lines().collect();
    let defines = lines.iter().filter_map(|n| all.get(n - 1)).filter_map(|l| {
        let constant = l.contains("iconst") || l.contains(" -> ");
        let (name, _) = l.trim().split_once(if l.contains(" = ") { " = " } else { " -> " })?;
        constant.then_some(name)
    });
    let names: Vec<&str> = defines.collect();
    let uses = |line: &str| {
        let code = line.split(';').next().unwrap_or_default();
        code.split(|c: char| !c.is_alphanumeric()).any(|word| names.contains(&word))
    };
    all.iter().enumerate().filter(|(_, l)| uses(l)).map(|(n, _)| n + 1).collect()
}

/// Did the edit only do what the comparison is to see through? Decided from the
/// lines alone: a constant that is the same, or not used; an instruction elsewhere;
/// operands of what commutes the other way round.
fn equivalent(before: &str, after: &str, old: &BTreeSet<usize>, new: &BTreeSet<usize>) -> bool {
    let part = |text: &str, lines: &BTreeSet<usize>| -> Vec<String> {
        let all: Vec<&str> = text.lines().collect();
        let mut parts: Vec<String> = lines.iter().filter_map(|n| all.get(n - 1)).map(|l| sorted(l)).collect();
        parts.retain(|p| !p.contains("iconst"));
        parts.sort_unstable();
        parts
    };
    part(before, old) == part(after, new)
}

/// A line with its words in order, without its comment: what commutes is the same.
fn sorted(line: &str) -> String {
    let code = line.split(';').next().unwrap_or_default();
    let commutes = ["iadd", "band", "bor", "bxor", "imul", "icmp eq", "icmp ne"].iter().any(|o| code.contains(o));
    let words = code.split([' ', ',']).filter(|w| !w.is_empty() && !w.starts_with('@'));
    // the type of what is stored is printed where it cannot be inferred
    let mut words: Vec<&str> = words.map(|w| if w.starts_with("store.") { "store" } else { w }).collect();
    if commutes {
        words.sort_unstable();
    }
    words.join(" ")
}

/// The tables: harmless edits, and faults.
pub fn report(cases: &[Case]) -> String {
    let mut text = String::new();
    let mut harmless: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for case in cases.iter().filter(|c| c.harmless) {
        for name in [&*case.kind, "~all"] {
            let row = harmless.entry(name).or_default();
            row[0] += 1;
            row[match case.outcome {
                Outcome::Equal | Outcome::Equivalent => 1,
                Outcome::Changed { .. } => 2,
                Outcome::Refused(_) | Outcome::Bug(_) => 3,
            }] += 1;
        }
    }
    text.push_str("harmless edits, all names shuffled, blocks in another order\n");
    text.push_str(&format!("  {:24}{:>7}{:>7}{:>9}{:>9}\n", "edit", "cases", "equal", "changed", "refused"));
    for (name, [all, equal, changed, refused]) in harmless {
        let name = name.trim_start_matches('~');
        text.push_str(&format!("  {name:24}{all:>7}{equal:>7}{changed:>9}{refused:>9}\n"));
    }
    text.push_str("\nsingle faults, all names shuffled\n");
    let titles = ["equal", "named", "median", "p90", "max", "refused", "no fault"];
    text.push_str(&format!("  {:24}{:>7}", "fault", "cases"));
    titles.iter().for_each(|t| text.push_str(&format!("{t:>9}")));
    text.push('\n');
    let mut faults: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases.iter().filter(|c| !c.harmless) {
        faults.entry(&case.kind).or_default().push(case);
        faults.entry("~all").or_default().push(case);
    }
    for (name, cases) in faults {
        let row = Row::of(&cases);
        text.push_str(&format!("  {:24}{:>7}{:>9}", name.trim_start_matches('~'), row.faults, row.equal));
        let share = if row.lines.is_empty() { 0.0 } else { 100.0 * row.named as f64 / row.lines.len() as f64 };
        text.push_str(&format!("{:>8.1}%{:>9}{:>9}{:>9}", share, row.at(50), row.at(90), row.at(100)));
        text.push_str(&format!("{:>9}{:>9}\n", row.refused, row.equivalent));
    }
    text
}

/// Faults of one kind.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Cases that are faults.
    pub faults: usize,
    /// Those that came out equal.
    pub equal: usize,
    /// Those whose edited line is shown.
    pub named: usize,
    /// Changed lines of each that did not come out equal, sorted.
    pub lines: Vec<usize>,
    /// Mappings that the checker refused, and panics.
    pub refused: usize,
    /// Cases that are no faults.
    pub equivalent: usize,
}

impl Row {
    /// Adds cases up.
    pub fn of(cases: &[&Case]) -> Self {
        let mut row = Self::default();
        for case in cases {
            row.faults += usize::from(case.outcome != Outcome::Equivalent);
            match &case.outcome {
                Outcome::Equal => row.equal += 1,
                Outcome::Changed { lines, named } => {
                    row.lines.push(*lines);
                    row.named += usize::from(*named);
                }
                Outcome::Equivalent => row.equivalent += 1,
                Outcome::Refused(_) | Outcome::Bug(_) => row.refused += 1,
            }
        }
        row.lines.sort_unstable();
        row
    }

    /// A percentile of the lines; 0 if there are none.
    pub fn at(&self, percent: usize) -> usize {
        let last = self.lines.len().saturating_sub(1);
        self.lines.get((last * percent).div_ceil(100)).copied().unwrap_or(0)
    }
}

/// Is the case not as it is meant to be?
pub fn is_wrong(case: &Case) -> bool {
    match &case.outcome {
        Outcome::Equal => !case.harmless,
        Outcome::Equivalent => false,
        Outcome::Changed { .. } => case.harmless,
        Outcome::Refused(_) | Outcome::Bug(_) => true,
    }
}
