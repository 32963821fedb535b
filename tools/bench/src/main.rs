//! Timings of the generated code next to its peers, in one process and one run,
//! and its size on every ISA.
//!
//! ```text
//! cargo run --release -p clif-cont-bench -- [--json] [--rounds N] [--only times|sizes|verification]
//! ```
//!
//! Rounds alternate between all programs, and medians are reported: on a shared
//! machine the ratios mean more than the times. A program's values are checked
//! each time.

mod interpret;
mod peers;
mod programs;
mod report;
mod sizes;
mod verification;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_output::{err, print_output};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, NoHost, Target};
use clif_cont_runner::{Jit, Options};

use report::{Report, Time};

/// Who does the work.
enum Worker {
    /// An export of the program, in the instance of this number.
    Generated(usize, &'static str),
    /// A peer's function.
    Peer(fn(i64) -> i64),
    /// The peer's table of coroutines.
    PeerRobin(peers::Robin),
    /// A function that does not switch, interpreted here.
    Interpreted(Box<interpret::Checked>),
    /// The same, by Cranelift's own interpreter.
    PeerInterpreted(Box<interpret::Peer>),
}

/// One operation as one of the workers does it: `n` times a round, which
/// is also the value that has to come out.
struct Subject {
    operation: &'static str,
    name: String,
    n: i64,
    /// How many of the operation one `n` holds.
    per_n: f64,
    worker: Worker,
    nanoseconds: Vec<f64>,
}

impl Subject {
    fn once(&mut self, jits: &mut [Jit]) -> Result<(), Box<dyn Error>> {
        let start = Instant::now();
        let value = match &mut self.worker {
            Worker::Generated(jit, export) => jits[*jit].call::<(i64,), i64>(export, (self.n,))?,
            Worker::Peer(run) => run(self.n),
            Worker::PeerRobin(robin) => robin.run(self.n),
            Worker::Interpreted(checked) => checked.run(self.n)?,
            Worker::PeerInterpreted(peer) => peer.run(self.n)?,
        };
        let elapsed = start.elapsed();
        if value != self.n {
            return Err(format!("{}, {}: got {value}, expected {}", self.operation, self.name, self.n).into());
        }
        self.nanoseconds.push(elapsed.as_nanos() as f64 / (self.n as f64 * self.per_n));
        Ok(())
    }

    fn median(&mut self) -> f64 {
        self.nanoseconds.sort_by(f64::total_cmp);
        self.nanoseconds[self.nanoseconds.len() / 2]
    }
}

const ROUNDS: usize = 15;

fn main() -> ExitCode {
    match arguments().and_then(|arguments| bench(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            err!("error: {error}");
            ExitCode::from(2)
        }
    }
}

struct Arguments {
    format: report::Format,
    rounds: usize,
    /// The one part that is wanted.
    only: Option<Part>,
}

/// A part of the report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Times,
    Sizes,
    Verification,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments { format: report::Format::Human, rounds: ROUNDS, only: None };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => arguments.format = report::Format::Json,
            "--rounds" => {
                let n = args.next().ok_or("--rounds takes a number")?;
                arguments.rounds = n.parse::<usize>().map_err(|e| format!("--rounds {n}: {e}"))?.max(1);
            }
            "--only" => {
                arguments.only = Some(match args.next().as_deref() {
                    Some("times") => Part::Times,
                    Some("sizes") => Part::Sizes,
                    Some("verification") => Part::Verification,
                    _ => return Err("--only takes times, sizes or verification".into()),
                });
            }
            other => {
                return Err(format!("unknown argument `{other}`; there are --json, --rounds N and --only PART").into());
            }
        }
    }
    Ok(arguments)
}

fn bench(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let rounds = arguments.rounds;
    let wanted = |part| arguments.only.is_none_or(|only| only == part);
    let report = Report {
        rounds,
        times: if wanted(Part::Times) { times(rounds)? } else { vec![] },
        sizes: if wanted(Part::Sizes) { sizes::table()? } else { vec![] },
        verification: if wanted(Part::Verification) { verification::table(rounds)? } else { vec![] },
    };
    print_output(format_args!("{}", report.render(arguments.format)));
    Ok(())
}

#[allow(unsafe_code)]
fn times(rounds: usize) -> Result<Vec<Time>, Box<dyn Error>> {
    let host = Isa::host().ok_or("there is no code for this machine")?;
    let mut jits = vec![];
    let mut subjects = vec![];
    let mut subject = |operation, name: &str, n, per_n, worker| {
        let name = name.to_owned();
        subjects.push(Subject { operation, name, n, per_n, worker, nanoseconds: vec![] });
    };
    for model in host.switch_models() {
        let target = Target::with_switch(host, *model).ok_or("no such switch model here")?;
        // SAFETY: this crate's own programs, which the tests of the verifier prove.
        let program = unsafe { Finished::unverified(programs::build(target)?, OptLevel::Speed) }?;
        let mut jit = Jit::new(&program, Box::new(NoHost), Options::default())?;
        jit.call::<(i64,), i64>("robin_fill", (programs::ROBIN,))?;
        let mut work = vec![
            (report::ROUND_TRIP, "round", 1_000_000, 1.0),
            (report::NEW_RUN, "new_run", 300_000, 1.0),
            (report::SWITCH, "switch", 1_000_000, 1.0),
            (report::DEEP, "deep", 200_000, 1.0),
            (report::ROBIN, "robin", 100 * programs::ROBIN, 1.0),
        ];
        if *model == SwitchModel::Instruction {
            let bare = |operation, per_n| (operation, "bare", 1_000_000, per_n);
            work.extend([bare(report::ROUND_TRIP, 1.0), bare(report::SWITCH, 2.0)]);
        }
        for (operation, export, n, per_n) in work {
            let name = if export == "bare" { report::BARE } else { model.name() };
            subject(operation, name, n, per_n, Worker::Generated(jits.len(), export));
        }
        jits.push(jit);
    }
    let peer = report::COROSENSEI;
    subject(report::ROUND_TRIP, peer, 1_000_000, 1.0, Worker::Peer(peers::round));
    subject(report::NEW_RUN, peer, 300_000, 1.0, Worker::Peer(peers::new_run));
    let n = 100 * programs::ROBIN;
    let robin = peers::Robin::new(programs::ROBIN as usize);
    subject(report::ROBIN, peer, n, 1.0, Worker::PeerRobin(robin));
    let (func, insts) = interpret::program()?;
    let checked = Worker::Interpreted(Box::new(interpret::Checked::new(&func)?));
    subject(report::INTERPRET, "clif-cont", 500_000, insts, checked);
    let peer = Worker::PeerInterpreted(Box::new(interpret::Peer::new(func)));
    subject(report::INTERPRET, report::CRANELIFT, 50_000, insts, peer);

    for subject in &mut subjects {
        subject.once(&mut jits)?; // not counted: first touch of stacks and code
        subject.nanoseconds.clear();
    }
    for _ in 0..rounds {
        for subject in &mut subjects {
            subject.once(&mut jits)?;
        }
    }
    Ok(subjects
        .iter_mut()
        .map(|s| Time { operation: s.operation, name: s.name.clone(), nanoseconds: s.median() })
        .collect())
}
