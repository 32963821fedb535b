//! What came of all programs: counts, skips by reason, disagreements.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clif_cont_abi::Trap;
use clif_cont_generate::{Case, Expected, Number, generate};
use serde_json::Value;

use super::seen::{Ended, Seen, parse, steps};
use super::verdict::{Difference, compare};
use super::{REFERENCE, SECOND, Said, family};

/// An engine that does something else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disagreement {
    /// The number of the case.
    pub case: usize,
    /// The engine.
    pub lane: String,
    /// What it does.
    pub difference: Difference,
    /// Why that is so, where it is known.
    pub because: Option<String>,
    /// The bytes of the smallest program found, in hexadecimal.
    pub bytes: String,
    /// It, as a script; empty where nothing was looked for.
    pub script: String,
}

/// The list of disagreements that are explained: JSON, objects of four texts. `engine`,
/// `here` and `there` are parts of the engine's name and of what is said.
#[derive(Clone, Default, Debug)]
pub struct Explained(Vec<[String; 4]>);

impl Explained {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When it is not that.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list: Vec<Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let entry = |v: &Value| crate::known::fields(v, ["engine", "here", "there", "because"]).map_err(|e| e.0);
        Ok(Self(list.iter().map(entry).collect::<Result<_, _>>()?))
    }

    /// Why an engine disagrees.
    pub fn because(&self, lane: &str, d: &Difference) -> Option<String> {
        let found = self.0.iter().find(|[engine, here, there, _]| {
            lane.contains(engine) && d.here.contains(here) && d.there.contains(there)
        });
        found.map(|[.., because]| because.clone())
    }
}

/// What an engine did in all.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Row {
    /// Programs.
    pub programs: usize,
    /// Invocations that were compared.
    pub invocations: usize,
}

/// The result; its text is the closing table.
#[derive(Clone, Default, Debug)]
pub struct Table {
    /// The seed.
    pub seed: u64,
    /// The cases.
    pub cases: Range<usize>,
    /// Programs that ran.
    pub programs: usize,
    /// What each engine did.
    pub lanes: BTreeMap<String, Row>,
    /// Programs that an engine did not run, by it and the reason.
    pub not_run: BTreeMap<(String, String), usize>,
    /// Invocations that were not compared, by kind of engine and reason.
    pub skipped: BTreeMap<(String, String), usize>,
    /// How often each thing is in the programs.
    pub operations: BTreeMap<String, usize>,
    /// How invocations ended on the interpreter.
    pub outcomes: BTreeMap<String, usize>,
    /// Who disagrees.
    pub disagreements: Vec<Disagreement>,
    /// The version of node, or why there is none.
    pub node: String,
}

impl Table {
    pub(crate) fn new(seed: u64, cases: Range<usize>, node: &Result<(PathBuf, String), String>) -> Self {
        let node = node.as_ref().map_or_else(|why| format!("absent: {why}"), |(_, version)| format!("node {version}"));
        Self { seed, cases, node, ..Self::default() }
    }

    /// Adds another's counts.
    pub(crate) fn add(&mut self, other: Self) {
        self.programs += other.programs;
        for (lane, row) in other.lanes {
            let mine = self.lanes.entry(lane).or_default();
            mine.programs += row.programs;
            mine.invocations += row.invocations;
        }
        let add = |to: &mut BTreeMap<(String, String), usize>, from: BTreeMap<(String, String), usize>| {
            from.into_iter().for_each(|(key, n)| *to.entry(key).or_default() += n);
        };
        add(&mut self.not_run, other.not_run);
        add(&mut self.skipped, other.skipped);
        other.operations.into_iter().for_each(|(key, n)| *self.operations.entry(key).or_default() += n);
        other.outcomes.into_iter().for_each(|(key, n)| *self.outcomes.entry(key).or_default() += n);
    }

    /// Counts what a program consists of.
    pub(crate) fn count(&mut self, case: &Case) {
        for module in &case.modules {
            for word in module.split(|c: char| !(c.is_ascii_alphanumeric() || "._$".contains(c))) {
                if OPERATIONS.contains(&word) {
                    *self.operations.entry(word.to_owned()).or_default() += 1;
                }
            }
        }
    }

    /// Compares all lanes with the interpreter; those that disagree.
    pub(crate) fn judge(&mut self, case: &Case, said: &Said) -> Vec<(String, Difference)> {
        let steps = steps(case);
        let mut wrong = vec![];
        let all = |lane| said.get(lane).and_then(|s: &Result<Vec<Seen>, String>| s.as_ref().ok());
        let Some(mut here) = all(REFERENCE).cloned() else {
            let (here, there) = ("nothing".to_owned(), format!("{:?}", said.get(REFERENCE)));
            return vec![(REFERENCE.to_owned(), Difference { at: 0, what: "the program".to_owned(), here, there })];
        };
        if let Some(what) = here.iter().find_map(|s| if let Ended::Wrong(what) = &s.ended { Some(what) } else { None }) {
            let (here, there) = ("wrong".to_owned(), what.clone());
            return vec![(REFERENCE.to_owned(), Difference { at: 0, what: "the program".to_owned(), here, there })];
        }
        for seen in &here {
            *self.outcomes.entry(outcome(&seen.ended)).or_default() += 1;
        }
        // what it skips, another begins with
        for (at, seen) in here.iter_mut().enumerate() {
            if let (Ended::Skipped(_), Some(other)) = (&seen.ended, all(SECOND).and_then(|s| s.get(at))) {
                *seen = other.clone();
            }
        }
        for (lane, seen) in said {
            let seen = match seen {
                Ok(seen) => seen,
                Err(reason) => {
                    *self.not_run.entry((kind(lane), reason.clone())).or_default() += 1;
                    continue;
                }
            };
            let compared = compare(&steps, &here, seen, family(lane));
            let row = self.lanes.entry(lane.clone()).or_default();
            row.programs += 1;
            row.invocations += compared.invocations;
            for (reason, n) in compared.skipped {
                *self.skipped.entry((kind(lane), reason)).or_default() += n;
            }
            wrong.extend(compared.difference.map(|d| (lane.clone(), d)));
        }
        wrong
    }

    /// Disagreements that nothing explains.
    pub fn unexplained(&self) -> usize {
        self.disagreements.iter().filter(|d| d.because.is_none()).count()
    }

    /// Writes each disagreement that was shrunk to a file.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(crate) fn save(&self, directory: &Path) -> io::Result<()> {
        std::fs::create_dir_all(directory)?;
        for d in self.disagreements.iter().filter(|d| !d.script.is_empty()) {
            let lane: String = d.lane.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let file = directory.join(format!("seed-{}-case-{}-{lane}.wast", self.seed, d.case));
            std::fs::write(file, &d.script)?;
        }
        Ok(())
    }
}

/// The operations of continuations, and what works beside them.
const OPERATIONS: [&str; 15] = [
    "cont.new",
    "cont.bind",
    "suspend",
    "resume",
    "resume_throw",
    "resume_throw_ref",
    "switch",
    "throw",
    "throw_ref",
    "try_table",
    "return_call",
    "return_call_ref",
    "return_call_indirect",
    "call_ref",
    "call_indirect",
];

fn kind(lane: &str) -> String {
    let words: Vec<&str> = lane.split(' ').collect();
    match words[..] {
        ["Wasmtime" | "V8", ..] => lane.to_owned(),
        [how, ..] => how.to_owned(),
        [] => String::new(),
    }
}

fn outcome(ended: &Ended) -> String {
    match ended {
        Ended::Returned(_) => "returned".to_owned(),
        Ended::Trapped(word) | Ended::Exhausted(word) | Ended::Wrong(word) => word.clone(),
        Ended::Skipped(_) => "not interpreted".to_owned(),
    }
}

/// A disagreement as a script, with what the interpreter does as assertions.
pub(crate) fn script(bytes: &[u8], d: &Disagreement, here: Option<&[Seen]>) -> String {
    let case = generate(bytes);
    let steps = steps(&case);
    let expected = |n: usize| {
        let i = &case.invocations[n];
        let same = |s: &super::Step| s.module == i.module && s.export == i.export && s.floods == i.floods;
        // equal steps come in the order of the invocations
        let before = case.invocations[..n].iter().filter(|o| (o.module, &o.export) == (i.module, &i.export)).count();
        let at = steps.iter().enumerate().filter(|(_, s)| same(s)).map(|(at, _)| at).nth(before);
        match at.and_then(|at| Some(&here?.get(at)?.ended)) {
            Some(Ended::Returned(values)) => match values.iter().map(|v| number(v)).collect() {
                Some(values) => Expected::Returns(values),
                None => Expected::Anything,
            },
            Some(Ended::Trapped(word)) if word == Trap::UncaughtException.message() => Expected::Throws,
            Some(Ended::Trapped(word)) if word == Trap::UnhandledTag.message() => Expected::Suspends,
            Some(Ended::Trapped(word)) => Expected::Traps(word.clone()),
            Some(Ended::Exhausted(_)) => Expected::Exhausts,
            _ => Expected::Anything,
        }
    };
    let Difference { at, what, here, there } = &d.difference;
    let mut out = format!(";; {}, invocation {at}, {what}\n;; interpreted: {here}\n;; there: {there}\n", d.lane);
    let _ = writeln!(out, ";; case {}, bytes {}", d.case, d.bytes);
    out + &case.script(expected)
}

fn number(text: &str) -> Option<Number> {
    use clif_cont::program::Val;
    Some(match parse(text)? {
        Val::I32(v) => Number::I32(v),
        Val::I64(v) => Number::I64(v),
        Val::F32(v) => Number::F32(v),
        Val::F64(v) => Number::F64(v),
        _ => return None,
    })
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.cases;
        writeln!(f, "seed {}, cases {start} to {}: {} programs; {}", self.seed, end.saturating_sub(1), self.programs, self.node)?;
        writeln!(f, "\noperations in the programs:")?;
        self.operations.iter().try_for_each(|(name, n)| writeln!(f, "{n:>10}  {name}"))?;
        writeln!(f, "\ninvocations, interpreted, by how they ended:")?;
        self.outcomes.iter().try_for_each(|(name, n)| writeln!(f, "{n:>10}  {name}"))?;
        writeln!(f, "\nengines:\n{:>10} {:>12}", "programs", "invocations")?;
        for (lane, row) in &self.lanes {
            writeln!(f, "{:>10} {:>12}  {lane}", row.programs, row.invocations)?;
        }
        writeln!(f, "\nprograms that an engine did not run:")?;
        self.not_run.iter().try_for_each(|((lane, reason), n)| writeln!(f, "{n:>10}  {lane}: {reason}"))?;
        writeln!(f, "\ninvocations that were not compared:")?;
        self.skipped.iter().try_for_each(|((lane, reason), n)| writeln!(f, "{n:>10}  {lane}: {reason}"))?;
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
        for d in &self.disagreements {
            match &d.because {
                Some(because) => *known.entry(because).or_default() += 1,
                None => *unknown.entry(format!("{}: {}", d.lane, d.difference.signature())).or_default() += 1,
            }
        }
        writeln!(f, "\n{} disagreements, {} of them unexplained", self.disagreements.len(), self.unexplained())?;
        known.iter().try_for_each(|(because, n)| writeln!(f, "{n:>10}  explained: {because}"))?;
        unknown.iter().try_for_each(|(what, n)| writeln!(f, "{n:>10}  {what}"))?;
        for d in self.disagreements.iter().filter(|d| !d.script.is_empty()) {
            let Difference { at, what, here, there } = &d.difference;
            writeln!(f, "case {}, {}: invocation {at}, {what}\n  interpreted: {here}\n  there: {there}", d.case, d.lane)?;
        }
        Ok(())
    }
}
