//! Random programs on every engine, compared: this project's interpreter with all
//! layouts, its compiled code everywhere that it runs, Wasmtime, and V8.
//!
//! Each engine runs in processes of its own, which take several programs at a time,
//! for linking and starting an emulator take longer than a program. What a process says of a
//! program is a [`Line`]; when it dies, or several programs cannot be compiled
//! together, each runs alone.
//!
//! - `seen`: what an engine does, in a form that all have in common.
//! - `own`, `peer`, `v8`: the engines.
//! - `traps`: what each calls each trap.
//! - `emitted`: what is checked in the emitted code.
//! - `verdict`: two engines, compared.
//! - `table`: what came of it.
//!
//! Everything is compared with the interpreter for x86_64, unoptimised: results,
//! traps, what is printed, and in the end the globals and the memory, which the
//! programs themselves give. Of an exhaustion only that it is one; what comes after it in
//! a program is not compared, nor what floods.

mod emitted;
mod own;
mod peer;
mod seen;
mod table;
mod traps;
mod v8;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use clif_cont::abi::Isa;
use clif_cont::program::Target;
use clif_cont::program::target::OptLevel;
use clif_cont_fuzz::{bytes, hex, parallel, shrink, unhex};
use clif_cont_generate::{Case, generate};
use clif_cont_output::out;

pub use seen::{Ended, Line, Seen, Step};
pub use table::{Disagreement, Explained, Table};
pub use traps::{Family, TABLE as TRAPS, meanings};
pub use v8::node;
pub use verdict::{Compared, Difference, compare};

/// The disagreements that are explained, for [`run`].
pub const EXPLAINED: &str = include_str!("../../programs.json");

/// Why an invocation under the interpreter is not over.
pub(crate) const FUEL_USED_UP: &str = "out of fuel";
/// With what everything is compared.
const REFERENCE: &str = "interpreter x86_64 instruction none";
/// With what an invocation is that the former does not make.
const SECOND: &str = "process x86_64 instruction none";
/// Time for a process, and for each program in it.
const START: u64 = 60;
const EACH: u64 = 20;

/// A process's task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Job {
    Own(Target),
    Wasmtime(usize),
    V8(usize),
}

impl Job {
    fn all() -> Vec<Self> {
        let own = Isa::ALL.into_iter().flat_map(|isa| {
            isa.switch_models().iter().filter_map(move |m| Target::with_switch(isa, *m)).map(Self::Own)
        });
        let wasmtime = (0..peer::LANES.len()).map(Self::Wasmtime);
        own.chain(wasmtime).chain((0..v8::LANES.len()).map(Self::V8)).collect()
    }

    fn name(self) -> String {
        match self {
            Self::Own(target) => format!("{} {}", target.isa.name(), target.abi.switch.name()),
            Self::Wasmtime(n) => peer::LANES[n].0.to_owned(),
            Self::V8(n) => v8::LANES[n].0.to_owned(),
        }
    }

    fn lanes(self) -> Vec<String> {
        match self {
            Self::Own(target) => {
                OptLevel::ALL.iter().flat_map(|opt| own::lanes(target, *opt)).map(|(name, _)| name).collect()
            }
            _ => vec![self.name()],
        }
    }
}

/// All engines, by name.
pub fn lanes() -> Vec<String> {
    Job::all().into_iter().flat_map(Job::lanes).collect()
}

/// Who an engine is.
pub fn family(lane: &str) -> Family {
    match lane.split(' ').next() {
        Some("Wasmtime") => Family::Wasmtime,
        Some("V8") => Family::V8,
        _ => Family::Own,
    }
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From it everything follows.
    pub seed: u64,
    /// Cases, by number.
    pub cases: Range<usize>,
    /// Only engines whose name contains one of these, and those that others are compared with; all if
    /// there is none.
    pub on: Vec<String>,
    /// Programs in one process.
    pub batch: usize,
    /// Processes at a time.
    pub threads: usize,
    /// Smaller programs to try for each disagreement.
    pub attempts: usize,
    /// The command, which runs itself again.
    pub command: PathBuf,
    /// Where disagreements are written, as scripts.
    pub save: Option<PathBuf>,
}

/// What engines say of a program, by lane.
type Said = BTreeMap<String, Result<Vec<Seen>, String>>;

struct Run<'a> {
    plan: &'a Plan,
    node: Result<PathBuf, String>,
}

/// Runs and compares; `progress` is called with how many cases are done.
///
/// # Errors
///
/// A list of known disagreements that is none, and what the system refuses.
pub fn run(plan: &Plan, known: &str, progress: &(dyn Fn(usize) + Sync)) -> Result<Table, String> {
    let explained = Explained::parse(known)?;
    let node = node();
    let mut table = Table::new(plan.seed, plan.cases.clone(), &node);
    let run = Run { plan, node: node.map(|(path, _)| path) };
    let batches = batches(plan);
    let met: Mutex<BTreeSet<String>> = Mutex::default();
    for (compared, disagreements) in parallel(0..batches.len(), plan.threads, |n| {
        let done = run.batch(&batches[n], &explained, &met);
        progress(batches[n].len());
        done
    }) {
        table.add(compared);
        disagreements.into_iter().for_each(|d| table.disagreements.push(d));
    }
    if let Some(directory) = &plan.save {
        table.save(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    }
    Ok(table)
}

struct Program {
    number: usize,
    bytes: Vec<u8>,
    case: Case,
}

/// Programs by what is compiled together: exceptions are a property of a whole link set.
fn batches(plan: &Plan) -> Vec<Vec<Program>> {
    let (mut with, mut without) = (vec![], vec![]);
    let mut all = vec![];
    for number in plan.cases.clone() {
        let bytes = bytes(plan.seed, number);
        let case = generate(&bytes);
        let throws = case.modules.iter().any(|m| m.contains("throw") || m.contains("try_table"));
        let to = if throws { &mut with } else { &mut without };
        to.push(Program { number, bytes, case });
        if to.len() == plan.batch {
            all.push(std::mem::take(to));
        }
    }
    all.extend([with, without].into_iter().filter(|rest| !rest.is_empty()));
    all
}

impl Run<'_> {
    fn wanted(&self, lane: &str) -> bool {
        let on = &self.plan.on;
        on.is_empty() || [REFERENCE, SECOND].contains(&lane) || on.iter().any(|o| lane.contains(o.as_str()))
    }

    fn batch(
        &self,
        programs: &[Program],
        explained: &Explained,
        met: &Mutex<BTreeSet<String>>,
    ) -> (Table, Vec<Disagreement>) {
        let mut said: Vec<Said> = programs.iter().map(|_| Said::new()).collect();
        let bytes: Vec<&[u8]> = programs.iter().map(|p| &*p.bytes).collect();
        for job in Job::all() {
            let lanes: Vec<String> = job.lanes().into_iter().filter(|l| self.wanted(l)).collect();
            if !lanes.is_empty() {
                for (all, new) in said.iter_mut().zip(self.job(job, &bytes, &lanes)) {
                    all.extend(new);
                }
            }
        }
        let (mut table, mut disagreements) = (Table::default(), vec![]);
        for (program, said) in programs.iter().zip(&said) {
            table.programs += 1;
            table.count(&program.case);
            for (lane, difference) in table.judge(&program.case, said) {
                let because = explained.because(&lane, &difference);
                let signature = format!("{} {}", family(&lane).name(), difference.signature());
                let new = met.lock().is_ok_and(|mut met| met.insert(signature));
                let mut one = Disagreement {
                    case: program.number,
                    lane,
                    difference,
                    because,
                    bytes: hex(&program.bytes),
                    script: String::new(),
                };
                // what is known, or was met already, is not looked at again
                if one.because.is_none() && new {
                    self.shrink(&program.bytes, &mut one);
                }
                disagreements.push(one);
            }
        }
        (table, disagreements)
    }

    /// Fewer bytes that the same engine disagrees about in the same way.
    fn shrink(&self, bytes: &[u8], one: &mut Disagreement) {
        let signature = one.difference.signature();
        let mut last = None;
        let again = |bytes: &[u8]| self.alone(bytes, &one.lane).filter(|d| d.signature() == signature);
        let Some(first) = again(bytes) else {
            one.difference.what += " (only together with other programs)";
            one.script = table::script(bytes, one, None);
            return;
        };
        let least = shrink(bytes.to_vec(), self.plan.attempts, |bytes| match again(bytes) {
            Some(difference) => {
                last = Some(difference);
                true
            }
            None => false,
        });
        one.difference = last.unwrap_or(first);
        one.bytes = hex(&least);
        let said = self.said(&least, &[REFERENCE.to_owned(), SECOND.to_owned()]);
        one.script = table::script(&least, one, said.get(REFERENCE).and_then(|s| s.as_ref().ok()).map(|s| &**s));
    }

    /// How a lane disagrees about one program.
    fn alone(&self, bytes: &[u8], lane: &str) -> Option<Difference> {
        let lanes = [REFERENCE, SECOND, lane].map(str::to_owned);
        let said = self.said(bytes, &lanes);
        Table::default().judge(&generate(bytes), &said).into_iter().find(|(l, _)| l == lane).map(|(_, d)| d)
    }

    fn said(&self, bytes: &[u8], lanes: &[String]) -> Said {
        let mut said = Said::new();
        for job in Job::all() {
            let lanes: Vec<String> = job.lanes().into_iter().filter(|l| lanes.contains(l)).collect();
            if !lanes.is_empty() {
                self.job(job, &[bytes], &lanes).into_iter().for_each(|new| said.extend(new));
            }
        }
        said
    }

    /// What a job's lanes say of programs; each alone, where they cannot run together.
    fn job(&self, job: Job, programs: &[&[u8]], lanes: &[String]) -> Vec<Said> {
        let (mut all, died) = self.process(job, programs, lanes);
        for (n, said) in all.iter_mut().enumerate() {
            let missing: Vec<String> = lanes.iter().filter(|l| !said.contains_key(*l)).cloned().collect();
            if missing.is_empty() {
                continue;
            }
            if programs.len() > 1 {
                said.extend(self.job(job, &programs[n..=n], &missing).remove(0));
            } else {
                let wrong = Seen { ended: Ended::Wrong(died.clone()), printed: vec![] };
                said.extend(missing.into_iter().map(|l| (l, Ok(vec![wrong.clone()]))));
            }
        }
        all
    }

    /// What one process says of programs, and how it ended.
    fn process(&self, job: Job, programs: &[&[u8]], lanes: &[String]) -> (Vec<Said>, String) {
        let mut said: Vec<Said> = programs.iter().map(|_| Said::new()).collect();
        // the numbers of those that the process gets
        let mut given: Vec<usize> = (0..programs.len()).collect();
        let mut input = String::new();
        let mut command = match job {
            Job::V8(n) => {
                let node = match &self.node {
                    Ok(node) => node,
                    Err(reason) => {
                        said.iter_mut().for_each(|s| {
                            s.insert(job.name(), Err(format!("absent: {reason}")));
                        });
                        return (said, String::new());
                    }
                };
                given.clear();
                for (at, bytes) in programs.iter().enumerate() {
                    let case = generate(bytes);
                    match v8::masked(&case).map_or_else(|| v8::line(&case), Err) {
                        Ok(line) => {
                            given.push(at);
                            input += &(line + "\n");
                        }
                        Err(reason) => {
                            said[at].insert(job.name(), Err(reason));
                        }
                    }
                }
                v8::command(node, n)
            }
            Job::Own(_) | Job::Wasmtime(_) => {
                let mut command = Command::new(&self.plan.command);
                command.args(["engine", &job.name()]).args(lanes);
                programs.iter().for_each(|bytes| input += &(hex(bytes) + "\n"));
                command
            }
        };
        if given.is_empty() {
            return (said, String::new());
        }
        let limit = Duration::from_secs(START + EACH * given.len() as u64);
        let ran = match clif_cont_output::run(&mut command, input.as_bytes(), Some(limit)) {
            Ok(ran) => ran,
            Err(e) => return (said, format!("its process cannot be run: {e}")),
        };
        let lines = String::from_utf8_lossy(&ran.stdout).into_owned();
        for line in lines.lines().filter_map(|l| serde_json::from_str::<Line>(l).ok()) {
            if let Some(at) = given.get(line.case) {
                let seen = match job {
                    Job::V8(_) => line.seen.map_err(|reason| v8::reason(&reason)),
                    _ => line.seen,
                };
                said[*at].insert(line.lane, seen);
            }
        }
        let how = ran.status.map_or_else(|| "its time is over".to_owned(), |s| s.to_string());
        let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
        let telling = |line: &&str| ["error:", "Check failed", "# unreachable code", "JavaScript", "process out of memory", "UNREACHABLE", "unimplemented"].iter().any(|w| line.contains(w));
        let word = errors.lines().find(telling).or(errors.trim().lines().next_back()).unwrap_or_default();
        (said, format!("{how}: {}", word.trim()))
    }
}

/// The part of a process that runs engines: programs in hexadecimal, one in each
/// line of `input`; what is seen goes to standard output.
///
/// # Errors
///
/// What could not be run.
pub fn engine(job: &str, lanes: &[String], input: &str) -> Result<(), String> {
    let job = Job::all().into_iter().find(|j| j.name() == job).ok_or_else(|| format!("there is no engine `{job}`"))?;
    let programs = input.lines().map(|l| unhex(l).map(|bytes| generate(&bytes)));
    let programs: Vec<Case> = programs.collect::<Option<_>>().ok_or("a program is hexadecimal")?;
    let mut say = |line: Line| {
        if let Ok(text) = serde_json::to_string(&line) {
            out!("{text}");
        }
    };
    match job {
        Job::Own(target) => own::run(target, &programs, &|lane| lanes.iter().any(|l| l == lane), &mut say),
        Job::Wasmtime(n) => peer::run(n, &programs, &mut say),
        Job::V8(_) => Err("V8 is run by node".to_owned()),
    }
}
