//! The same module on Wasmtime and here, compiled in one process and timed in
//! alternating rounds; medians are reported.
//!
//! Wasmtime never gives a continuation's stack back before its store goes, and a
//! process may have few of them, so each of its rounds has a store of its own,
//! and what makes continuations makes few.

use std::fmt;
use std::time::Instant;

use clif_cont::abi::Isa;
use clif_cont::finish::finish;
use clif_cont::load::load;
use clif_cont::program::target::OptLevel;
use clif_cont::program::{NoHost, Target};
use clif_cont::runner::{Jit, Options};
use wasmtime::{Instance, Linker, Module, Store};

use crate::engine::{compile, engine};

/// An operation, and what it takes: nanoseconds each, medians.
#[derive(Clone, PartialEq, Debug)]
pub struct Time {
    /// What.
    pub operation: &'static str,
    /// Here.
    pub ours: f64,
    /// On Wasmtime.
    pub theirs: f64,
}

/// Why nothing was timed.
#[derive(Debug)]
pub struct BenchError(String);

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BenchError {}

fn failed(error: impl fmt::Display) -> BenchError {
    BenchError(error.to_string())
}

const TEXT: &str = include_str!("bench.wat");

/// What, the export that does it, and how often in a round.
const OPERATIONS: [(&str, &str, i64); 5] = [
    ("suspend and resume, 1 handler, one i64", "round", 1_000_000),
    ("switch", "switch", 1_000_000),
    ("suspend and resume, handler at depth 16", "deep", 100_000),
    ("cont.new and run to its end", "new_run", 8_192),
    ("suspend and resume, 4096 in turn", "robin", 64 * 4096),
];

/// Times everything `rounds` times, at Cranelift's level `speed`.
///
/// # Errors
///
/// [`BenchError`] when the module does not compile, traps, or gives the wrong value.
pub fn bench(rounds: usize) -> Result<Vec<Time>, BenchError> {
    let program = load("bench.wat", TEXT.as_bytes(), Some(Target::new(Isa::X86_64))).map_err(failed)?;
    let program = finish(&program, OptLevel::Speed).map_err(failed)?;
    let mut ours = Jit::new(&program, Box::new(NoHost), Options::default()).map_err(failed)?;
    let engine = engine().map_err(failed)?;
    let binary = wat::parse_str(TEXT).map_err(failed)?;
    let module = compile(&engine, &binary).map_err(BenchError)?;
    ours.call::<(i64,), i64>("robin_fill", (0,)).map_err(failed)?;

    let mut times = vec![(vec![], vec![]); OPERATIONS.len()];
    // the first round touches stacks and code, and is not counted
    for round in 0..=rounds {
        for ((_, export, n), (here, there)) in OPERATIONS.into_iter().zip(&mut times) {
            let mut theirs = Theirs::new(&module).map_err(failed)?;
            if export == "robin" {
                theirs.call("robin_fill", 0).map_err(failed)?;
            }
            // stacks are touched once before the clock runs
            if export != "new_run" {
                theirs.call(export, 4096).map_err(failed)?;
            }
            let one = timed(n, || ours.call::<(i64,), i64>(export, (n,)).map_err(failed))?;
            let other = timed(n, || theirs.call(export, n).map_err(failed))?;
            if round > 0 {
                here.push(one);
                there.push(other);
            }
        }
    }
    let times = OPERATIONS.into_iter().zip(times).map(|((operation, ..), (here, there))| {
        Time { operation, ours: median(here), theirs: median(there) }
    });
    Ok(times.collect())
}

/// Nanoseconds for one of `n`.
fn timed(n: i64, run: impl FnOnce() -> Result<i64, BenchError>) -> Result<f64, BenchError> {
    let start = Instant::now();
    let value = run()?;
    let elapsed = start.elapsed();
    if value != n {
        return Err(BenchError(format!("got {value}, expected {n}")));
    }
    Ok(elapsed.as_nanos() as f64 / n as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

struct Theirs {
    store: Store<()>,
    instance: Instance,
}

impl Theirs {
    fn new(module: &Module) -> wasmtime::Result<Self> {
        let mut store = Store::new(module.engine(), ());
        let instance = Linker::new(module.engine()).instantiate(&mut store, module)?;
        Ok(Self { store, instance })
    }

    fn call(&mut self, export: &str, n: i64) -> wasmtime::Result<i64> {
        let function = self.instance.get_typed_func::<i64, i64>(&mut self.store, export)?;
        function.call(&mut self.store, n)
    }
}
