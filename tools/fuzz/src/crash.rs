//! The command on mutated files: no panic, no signal, no exit code that is not documented,
//! no more memory than it may take, and an end.
//!
//! Each input is given to the command in child processes, one stage after another, as far as
//! it gets: parsed, lowered, verified, run. The shell's `ulimit` bounds their memory: of
//! address space, for nothing here is made natively but what `run` gets.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::mutate::{mutate, shrink};
use crate::parallel::parallel;

/// Address space of a child, in KiB: 2 GiB.
const MEMORY: u64 = 2 << 20;
/// The same of one that runs machine code, which reserves it for stacks and memories.
const NATIVE_MEMORY: u64 = 64 << 20;
/// Seconds that a child may take of the processor, and of time in all.
const SECONDS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(90);
/// Instructions under the interpreter.
const FUEL: &str = "200000";
/// Children for shrinking one input.
const TRIES: usize = 300;
/// What the command may end with.
const DOCUMENTED: Range<i32> = 0..6;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct CrashPlan {
    /// Everything follows from it.
    pub seed: u64,
    /// Numbers of the mutated inputs.
    pub cases: Range<usize>,
    /// The files that are mutated.
    pub files: Vec<PathBuf>,
    /// The command.
    pub command: PathBuf,
    /// Where inputs are put, each while it is tried.
    pub scratch: PathBuf,
    /// How many children there are at a time.
    pub threads: usize,
}

/// How far an input got.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// It was refused as what it is.
    Read,
    /// It could be parsed and was valid.
    Parsed,
    /// It was lowered.
    Lowered,
    /// The verifier had nothing to say.
    Verified,
    /// It was run.
    Ran,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Parsed, Self::Lowered, Self::Verified, Self::Ran];

    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Parsed => "parsed",
            Self::Lowered => "lowered",
            Self::Verified => "verified",
            Self::Ran => "ran",
        }
    }
}

/// An input with which the command failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Its number.
    pub case: usize,
    /// The file that was mutated.
    pub file: PathBuf,
    /// The arguments behind the command; `INPUT` stands for the input.
    pub args: Vec<String>,
    /// What happened.
    pub what: String,
    /// The input, shrunk.
    pub input: Vec<u8>,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Crashes {
    /// How many inputs got as far as each stage, and no farther.
    pub stages: BTreeMap<Stage, usize>,
    /// How many children ended with each exit code.
    pub codes: BTreeMap<i32, usize>,
    /// What failed.
    pub crashes: Vec<Crash>,
}

/// Mutates and tries. `done` is called for each input.
///
/// # Errors
///
/// The files cannot be read, or there are none; the scratch directory cannot be made.
pub fn crash(plan: &CrashPlan, done: &(dyn Fn() + Sync)) -> std::io::Result<Crashes> {
    std::fs::create_dir_all(&plan.scratch)?;
    let texts = plan.files.iter().map(std::fs::read).collect::<std::io::Result<Vec<_>>>()?;
    if texts.is_empty() {
        return Err(std::io::Error::other("there are no files to mutate"));
    }
    let mut out = Crashes::default();
    let tried = parallel(plan.cases.clone(), plan.threads, |case| {
        let tried = one(plan, &texts, case);
        done();
        tried
    });
    for (stage, codes, crash) in tried {
        *out.stages.entry(stage).or_default() += 1;
        codes.into_iter().for_each(|code| *out.codes.entry(code).or_default() += 1);
        out.crashes.extend(crash);
    }
    Ok(out)
}

type Tried = (Stage, Vec<i32>, Option<Crash>);
/// Arguments, and what happened with them.
type Failed = (Vec<String>, String);

fn one(plan: &CrashPlan, texts: &[Vec<u8>], case: usize) -> Tried {
    let mut rng = Rng::with_seed(plan.seed ^ (case as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let at = rng.usize(..texts.len());
    let file = &plan.files[at];
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("wat").to_owned();
    let alike: Vec<usize> = (0..texts.len()).filter(|i| plan.files[*i].extension() == file.extension()).collect();
    let other = &texts[alike[rng.usize(..alike.len())]];
    let input = mutate(&texts[at], other, &mut rng);
    let trial = Trial { plan, path: plan.scratch.join(format!("input-{case}.{extension}")), extension };
    let (stage, codes, failed) = trial.stages(&input);
    let crash = failed.map(|(args, what)| {
        let input = shrink(&input, TRIES, |smaller| trial.fails(smaller, &args).as_deref() == Some(&what));
        Crash { case, file: file.clone(), args, what, input }
    });
    let _ = std::fs::remove_file(&trial.path);
    (stage, codes, crash)
}

/// Where an input lies, and what it is.
struct Trial<'a> {
    plan: &'a CrashPlan,
    path: PathBuf,
    extension: String,
}

impl Trial<'_> {
    /// How far it gets, the exit codes, and the arguments with which the command failed.
    fn stages(&self, input: &[u8]) -> (Stage, Vec<i32>, Option<Failed>) {
        let mut codes = vec![];
        let mut stage = Stage::Read;
        for (reached, args) in self.commands(input) {
            match self.run(input, &args) {
                Ok(code) => {
                    codes.push(code);
                    // 1: findings; 3: more than is supported, but no fault of the text
                    let goes_on = match reached {
                        Stage::Read => false,
                        Stage::Parsed => code != 2,
                        Stage::Lowered | Stage::Verified => code == 0,
                        Stage::Ran => matches!(code, 0 | 1 | 4 | 5),
                    };
                    if !goes_on {
                        break;
                    }
                    stage = stage.max(reached);
                }
                Err(what) => return (stage, codes, Some((args, what))),
            }
        }
        (stage, codes, None)
    }

    /// The commands for the input, with the stage that it gets to.
    fn commands(&self, input: &[u8]) -> Vec<(Stage, Vec<String>)> {
        let args = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<String>>();
        let text = String::from_utf8_lossy(input);
        match &*self.extension {
            "wast" => vec![(Stage::Parsed, args(&["wast", "INPUT", "--fuel", FUEL]))],
            "op" => {
                let operation = text.lines().find_map(|l| l.split("op:").nth(1)).unwrap_or(&text).trim();
                // arguments hold no zero
                let operation = operation.replace('\0', " ");
                vec![(Stage::Lowered, args(&["lower", "--op", &operation]))]
            }
            "cli" => vec![],
            _ => {
                let mut all = vec![
                    (Stage::Parsed, args(&["lower", "INPUT", "--no-verify"])),
                    (Stage::Lowered, args(&["lower", "INPUT", "--no-verify", "--opt", "speed"])),
                    (Stage::Verified, args(&["verify", "INPUT"])),
                ];
                for line in text.lines().filter_map(|l| l.split("run: ").nth(1)).take(2) {
                    let (name, rest) = line.split_once('(').unwrap_or((line, ""));
                    let given = rest.split_once(')').map_or("", |(given, _)| given);
                    let mut invoke = args(&["INPUT", "--invoke", &name.replace('\0', " ")]);
                    let given = given.split(',').map(str::trim).filter(|a| !a.is_empty());
                    invoke.extend(given.map(|a| a.replace('\0', " ")));
                    all.push((Stage::Ran, [args(&["interpret", "--fuel", FUEL]), invoke.clone()].concat()));
                    if self.extension == "wat" {
                        all.push((Stage::Ran, [args(&["run", "--timeout", "5"]), invoke].concat()));
                    }
                }
                all
            }
        }
    }

    /// What happens to a smaller input.
    fn fails(&self, input: &[u8], args: &[String]) -> Option<String> {
        self.run(input, args).err()
    }

    /// Runs the command; its exit code where that is one that is documented.
    fn run(&self, input: &[u8], args: &[String]) -> Result<i32, String> {
        std::fs::write(&self.path, input).map_err(|e| format!("the input cannot be written: {e}"))?;
        let native = args.first().is_some_and(|a| a == "run");
        let memory = if native { NATIVE_MEMORY } else { MEMORY };
        let mut command = Command::new("sh");
        let script = format!("ulimit -c 0; ulimit -t {SECONDS}; ulimit -v {memory}; exec \"$0\" \"$@\"");
        command.arg("-c").arg(script).arg(&self.plan.command);
        for arg in args {
            match &**arg {
                "INPUT" => command.arg(&self.path),
                arg => command.arg(arg),
            };
        }
        let (code, errors) = ended(command).map_err(|e| format!("the command cannot be run: {e}"))?;
        match code {
            Some(code) if DOCUMENTED.contains(&code) => Ok(code),
            Some(code) => Err(format!("exit code {code}: {}", first_line(&errors))),
            None => Err(format!("killed: {}", first_line(&errors))),
        }
    }
}

/// Runs a child; its exit code, unless a signal ended it or it did not end, and its standard error.
fn ended(mut command: Command) -> std::io::Result<(Option<i32>, String)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let start = Instant::now();
    let pipe = child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut bytes = vec![];
        // what it says is for the report only
        let _ = pipe.map(|mut pipe| pipe.by_ref().take(1 << 16).read_to_end(&mut bytes));
        bytes
    });
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok((None, format!("it did not end within {} s", PATIENCE.as_secs())));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let errors = String::from_utf8_lossy(&errors.join().unwrap_or_default()).into_owned();
    Ok((status.code(), if status.code().is_some() { errors } else { format!("{status}; {errors}") }))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

/// The files of `clif-tests` that are mutated, in the order of their names.
///
/// # Errors
///
/// The directory cannot be read.
pub fn test_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut dirs, mut files) = (vec![dir.to_owned()], vec![]);
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if matches!(path.extension().and_then(|e| e.to_str()), Some("wat" | "clif" | "wast" | "op" | "cli"))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

impl Crashes {
    /// As it is printed.
    pub fn report(&self, seed: u64) -> String {
        let inputs: usize = self.stages.values().sum();
        let far = |from: Stage| self.stages.range(from..).map(|(_, n)| n).sum::<usize>();
        let stages: Vec<String> = Stage::ALL[1..].iter().map(|s| format!("{} {}", far(*s), s.name())).collect();
        let codes: Vec<String> = self.codes.iter().map(|(code, n)| format!("{n} with {code}")).collect();
        let mut text = format!("seed {seed}: {inputs} inputs: {}\n", stages.join(", "));
        text += &format!("{} children ended: {}\n", self.codes.values().sum::<usize>(), codes.join(", "));
        for Crash { case, file, args, what, input } in &self.crashes {
            let (file, args) = (file.display(), args.join(" "));
            text +=
                &format!("\ncase {case}, of {file}: {args}\n{what}\n{}\n", String::from_utf8_lossy(input).trim_end());
        }
        text + &format!("{} failed\n", self.crashes.len())
    }
}
