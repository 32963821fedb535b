//! A campaign: cases by number, each from the seed alone, on as many threads as
//! there are, and the record of each mutant.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use clif_cont_program::compile;
use clif_cont_program::target::OptLevel;
use clif_cont_verifier::verify_in;
use cranelift_codegen::ir::Function;
use fastrand::Rng;

use crate::aspect::Aspect;
use crate::construct::verdict;
use crate::func::text;
use crate::judge::{Harm, Judge, panic_message};
use crate::kinds::Kind;
use crate::native::Native;
use crate::parallel::parallel;
use crate::reason::{Reason, reason};
use crate::unit::{Unit, UnitId};

/// How often a case is tried anew when a kind finds nothing to damage, or when
/// Cranelift's verifier rejects the mutant.
const TRIES: usize = 30;

/// One case in so many damages the program's own code.
const OWN_SHARE: u32 = 12;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From it everything follows.
    pub seed: u64,
    /// Cases, by number.
    pub cases: std::ops::Range<usize>,
    /// These kinds only; all when empty.
    pub kinds: Vec<Kind>,
    /// Mutants for which a rule of these is meant; all when empty.
    pub rules: Vec<String>,
    /// What to damage.
    pub units: Vec<UnitId>,
    /// Threads.
    pub threads: usize,
    /// The command that runs mutants natively, in a process of its own.
    pub native: Option<std::path::PathBuf>,
}

/// How the verifier judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Found {
    /// As violated.
    Violated,
    /// As unproven, and nothing as violated.
    Unproven,
    /// Not at all.
    Nothing,
}

impl Found {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Unproven => "unproven",
            Self::Nothing => "nothing",
        }
    }
}

/// One mutant and what became of it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Number of the case.
    pub case: usize,
    /// What was damaged.
    pub unit: UnitId,
    /// In which function.
    pub function: String,
    /// How.
    pub kind: Kind,
    /// The part of the protocol that was.
    pub aspect: Aspect,
    /// The rules that should notice, the one meant first.
    pub meant: Vec<&'static str>,
    /// The change as a unified diff of the function's text.
    pub diff: String,
    /// The verifier's verdict.
    pub found: Found,
    /// The rules that it names.
    pub rules: Vec<&'static str>,
    /// What went wrong when the program ran; `None` if nothing did.
    pub harm: Option<String>,
    /// For a mutant without harm, why that may be.
    pub reason: Option<Reason>,
    /// A panic of ours.
    pub bug: Option<String>,
}

impl Mutant {
    /// Found by a rule that is meant for it?
    pub fn as_meant(&self) -> bool {
        self.found == Found::Violated && self.meant.iter().any(|r| self.rules.contains(r))
    }

    /// Found by the rule that is meant first?
    pub fn by_first(&self) -> bool {
        self.found == Found::Violated && self.meant.first().is_some_and(|r| self.rules.contains(r))
    }

    /// Harmful, the protocol's business, and not judged violated.
    pub fn is_missed(&self) -> bool {
        self.harm.is_some() && self.aspect != Aspect::Own && self.found != Found::Violated
    }
}

/// The result of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// In the order of their cases, each once.
    pub mutants: Vec<Mutant>,
    /// Mutants that Cranelift's verifier rejected.
    pub rejected: usize,
    /// Cases that gave the same mutant as an earlier one.
    pub repeated: usize,
    /// Cases that gave none.
    pub empty: usize,
    /// Panics of the harness itself.
    pub bugs: Vec<String>,
    /// Units that are not used, and why.
    pub unused: BTreeMap<String, usize>,
    /// Units that were used.
    pub used: usize,
}

struct Outcome {
    rejected: usize,
    mutant: Option<Mutant>,
    /// A panic that is neither the verifier's nor the interpreter's.
    bug: Option<String>,
}

/// Units are made when the first case needs them.
pub(crate) struct Units {
    ids: Vec<UnitId>,
    made: Vec<OnceLock<Result<Arc<Unit>, String>>>,
}

impl Units {
    pub(crate) fn new(ids: Vec<UnitId>) -> Self {
        let made = ids.iter().map(|_| OnceLock::new()).collect();
        Self { ids, made }
    }

    fn get(&self, n: usize) -> Option<Arc<Unit>> {
        let made = self.made[n].get_or_init(|| {
            let make = || Unit::make(&self.ids[n]);
            let made = catch_unwind(AssertUnwindSafe(make));
            made.unwrap_or_else(|p| Err(format!("panicked: {}", panic_message(&*p)))).map(Arc::new)
        });
        made.as_ref().ok().map(Arc::clone)
    }
}

/// A damaged function and where it came from.
pub(crate) struct Damage {
    pub(crate) unit: Arc<Unit>,
    pub(crate) function: usize,
    pub(crate) func: Function,
    pub(crate) kind: Kind,
    pub(crate) site: crate::scope::Site,
    /// The rules that should notice, the one meant first.
    pub(crate) meant: Vec<&'static str>,
}

/// The rules that mutants are made for, and the share of the cases that each
/// gets: what only an optimiser may believe, or what nobody looks at in most
/// programs, seldom does harm.
pub(crate) const CLASSES: [(&str, u32); 29] = [
    ("CC0001", 4),
    ("CC0002", 3),
    ("CC0003", 2),
    ("CC0004", 3),
    ("CC0005", 11),
    ("CC0006", 8),
    ("CC0007", 3),
    ("CC0008", 12),
    ("CC0009", 4),
    ("CC0010", 3),
    ("CC0011", 8),
    ("CC0012", 2),
    ("CC0101", 5),
    ("CC0102", 4),
    ("CC0103", 4),
    ("CC0104", 5),
    ("CC0105", 5),
    ("CC0107", 4),
    ("CC0108", 13),
    ("CC0109", 6),
    ("CC0110", 2),
    ("CC0113", 4),
    ("CC0114", 5),
    ("CC0201", 5),
    ("CC0202", 7),
    ("CC0203", 2),
    ("CC0204", 4),
    ("CC0206", 14),
    ("CC0208", 7),
];

/// The others, and why nothing is damaged for them.
pub(crate) const UNCLASSED: [(&str, &str); 5] = [
    ("CC0106", "the profile has no states"),
    ("CC0111", "no lowering has a thread-local address, or uses the pinned register"),
    ("CC0112", "it is about bytes, not CLIF, and tested with them"),
    ("CC0205", "the profile has no payload buffers"),
    ("CC0207", "the profile has no collector"),
];

/// A rule to make a mutant for.
fn class(plan: &Plan, rng: &mut Rng) -> Option<&'static str> {
    let wanted = |class: &str| plan.rules.is_empty() || plan.rules.iter().any(|r| r == class);
    let classes: Vec<_> = CLASSES.into_iter().filter(|(class, _)| wanted(class)).collect();
    let mut at = rng.u32(..classes.iter().map(|(_, share)| share).sum::<u32>().max(1));
    for (class, share) in classes {
        if at < share {
            return Some(class);
        }
        at -= share;
    }
    None
}

/// The mutant of a case: it depends on the seed, the number, the units and the
/// kinds, and on nothing else. Gives the number of rejected ones too.
pub(crate) fn damage(plan: &Plan, units: &Units, case: usize) -> (usize, Option<Damage>) {
    let mut rng = Rng::with_seed(
        plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (case as u64).wrapping_mul(0xd1b5_4a32_d192_ed03),
    );
    // the first numbers of neighbouring seeds are alike
    rng.u64(..);
    let kinds = if plan.kinds.is_empty() { &Kind::ALL[..] } else { &plan.kinds };
    let own = plan.rules.is_empty() && rng.u32(..OWN_SHARE) == 0;
    let class = if own { None } else { class(plan, &mut rng) };
    let reaches = |kind: &Kind| class.is_none_or(|c| Aspect::ALL.iter().any(|a| kind.classes(*a).contains(&c)));
    let kinds: Vec<_> = kinds.iter().copied().filter(reaches).collect();
    let mut rejected = 0;
    for _ in 0..TRIES {
        let (Some(n), Some(kind)) = (rng.choice(0..units.ids.len()), rng.choice(kinds.iter().copied())) else { break };
        // by aspect first: accesses to payload are many, null checks few
        let wanted = |a: &Aspect| match class {
            None => *a == Aspect::Own,
            Some(class) => kind.classes(*a).contains(&class),
        };
        let Some(aspect) = rng.choice(Aspect::ALL.into_iter().filter(wanted).collect::<Vec<_>>()) else { continue };
        let Some(unit) = units.get(n) else { continue };
        let candidates: Vec<_> = unit.sites.iter().filter(|(_, s)| s.aspect == aspect).collect();
        // only what is executed can do harm
        let executed = rng.u32(..4) > 0;
        for _ in 0..TRIES {
            let Some((function, site)) = rng.choice(candidates.iter().copied()) else { break };
            if executed && !unit.is_executed(*function, site.inst) {
                continue;
            }
            let original = &unit.program.functions[*function].func;
            let mut func = original.clone();
            let Some(meant) = kind.apply(&mut func, site, &unit.program.target.abi, &mut rng) else { continue };
            if meant.first().copied() != class {
                continue;
            }
            if compile::verify(&func, &*unit.isa).is_err() {
                rejected += 1;
                continue;
            }
            if text(&func) == text(original) {
                continue;
            }
            let (function, site) = (*function, site.clone());
            return (rejected, Some(Damage { unit, function, func, kind, site, meant }));
        }
    }
    (rejected, None)
}

/// Runs a campaign; `progress` is called after each case.
pub fn run(plan: &Plan, progress: &(dyn Fn(usize) + Sync)) -> Results {
    let units = Units::new(plan.units.clone());
    let outcomes = parallel(plan.cases.clone(), plan.threads, |case| {
        let outcome = catch_unwind(AssertUnwindSafe(|| judge(plan, &units, case))).unwrap_or_else(|p| {
            let bug = Some(format!("case {case}: the harness panicked: {}", panic_message(&*p)));
            Outcome { rejected: 0, mutant: None, bug }
        });
        progress(case);
        outcome
    });
    collect(&units, outcomes)
}

fn collect(units: &Units, outcomes: impl Iterator<Item = Outcome>) -> Results {
    let mut results = Results::default();
    let mut seen = std::collections::BTreeSet::new();
    for outcome in outcomes {
        results.rejected += outcome.rejected;
        results.bugs.extend(outcome.bug);
        match outcome.mutant {
            None => results.empty += 1,
            Some(m) if !seen.insert((m.unit.clone(), m.function.clone(), m.diff.clone())) => results.repeated += 1,
            Some(m) => results.mutants.push(m),
        }
    }
    for made in units.made.iter().filter_map(OnceLock::get) {
        match made {
            Ok(_) => results.used += 1,
            Err(why) => *results.unused.entry(why.clone()).or_default() += 1,
        }
    }
    results
}

fn judge(plan: &Plan, units: &Units, case: usize) -> Outcome {
    let (rejected, damage) = damage(plan, units, case);
    let Some(damage) = damage else { return Outcome { rejected, mutant: None, bug: None } };
    let Damage { unit, function, func, kind, site, meant } = &damage;
    let original = &unit.program.functions[*function];
    let mut mutant = Mutant {
        case,
        unit: unit.id.clone(),
        function: original.name(),
        kind: *kind,
        aspect: site.aspect,
        meant: meant.clone(),
        diff: diff(&text(&original.func), &text(func)),
        found: Found::Nothing,
        rules: vec![],
        harm: None,
        reason: None,
        bug: None,
    };
    match catch_unwind(AssertUnwindSafe(|| verify_in(func, &unit.profile, &unit.module))) {
        Ok(report) => {
            (mutant.found, mutant.rules) = verdict(&report, &[]);
        }
        Err(p) => mutant.bug = Some(format!("the verifier panicked: {}", panic_message(&*p))),
    }
    let program = unit.with(*function, func.clone());
    let mut harm = Judge::harm(&program, &unit.assertions, &unit.baseline);
    // a wrong flag shows only after it was believed
    if harm == Harm::None
        && unit.id.opt() == OptLevel::None
        && let Ok(func) = compile::optimize(func, &*unit.speed)
        && compile::verify(&func, &*unit.speed).is_ok()
    {
        let program = unit.with(*function, func);
        harm = match Judge::harm(&program, &unit.assertions, &unit.baseline) {
            Harm::Seen(what) => Harm::Seen(format!("after optimisation: {what}")),
            other => other,
        };
    }
    if harm == Harm::None
        && let Some(command) = &plan.native
    {
        harm = Native { command }.harm(plan, &unit.id, case);
    }
    match harm {
        Harm::None => mutant.reason = Some(reason(&damage)),
        Harm::Seen(what) => mutant.harm = Some(what),
        Harm::Bug(what) => mutant.bug = Some(what),
    }
    Outcome { rejected, mutant: Some(mutant), bug: None }
}

/// The lines that differ, with two around them.
pub(crate) fn diff(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(2).to_string()
}
