//! What verifying a function takes, of what Cranelift takes to compile it.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use clif_cont_abi::Isa;
use clif_cont_program::Program;
use clif_cont_program::Target;
use clif_cont_program::compile::{CompileError, Compiled, Disassembly, compile, optimize};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_verifier::{Module, Profile, Report, verify_in};
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::OwnedTargetIsa;

use crate::programs;

/// So many times a function is verified, and compiled, where it is timed alone.
const AGAIN: u32 = 4;

/// Over all functions that contain an operation, on all 64-bit targets.
///
/// A round verifies each of them some times, and compiles it some times, so that both know
/// the function. Then it verifies all of them, and compiles all of them, so that both find
/// the processor's caches and predictions as they left them with other functions. At last
/// it verifies and compiles them one by one: a compilation leaves nothing of what a
/// verification was used to, while a verification is too short to do the same to a
/// compilation.
pub(crate) struct Verification {
    /// Cranelift's optimisation level.
    pub(crate) opt: &'static str,
    pub(crate) functions: usize,
    /// The same function again and again.
    pub(crate) alone: Sums,
    /// One kind of work after the other.
    pub(crate) apart: Sums,
    /// One function after the other.
    pub(crate) in_turn: Sums,
}

/// Sums of the functions' medians.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) verify_nanoseconds: f64,
    pub(crate) compile_nanoseconds: f64,
}

impl Sums {
    /// Of compiling, verifying takes so much.
    pub(crate) fn ratio(&self) -> f64 {
        self.verify_nanoseconds / self.compile_nanoseconds
    }

    fn add(&mut self, times: Times) {
        self.verify_nanoseconds += median(times.verified);
        self.compile_nanoseconds += median(times.compiled);
    }
}

/// What one function took in each round, in nanoseconds.
#[derive(Default)]
struct Times {
    verified: Vec<f64>,
    compiled: Vec<f64>,
}

/// The functions of one target.
struct Subject {
    program: Program,
    profile: Profile,
    module: Module,
    isa: OwnedTargetIsa,
}

impl Subject {
    fn verify(&self, func: &Function) -> Report {
        verify_in(func, &self.profile, &self.module)
    }

    fn time_verify(&self, func: &Function, count: u32, times: &mut Times) {
        let start = Instant::now();
        for _ in 0..count {
            black_box(self.verify(func));
        }
        times.verified.push(start.elapsed().as_nanos() as f64 / f64::from(count));
    }

    /// All of it, the mid-end included.
    fn compile(&self, func: &Function) -> Result<Compiled, CompileError> {
        compile(&optimize(func, &*self.isa)?, &*self.isa, Disassembly::Drop)
    }

    fn time_compile(&self, func: &Function, count: u32, times: &mut Times) -> Result<(), CompileError> {
        let start = Instant::now();
        for _ in 0..count {
            black_box(self.compile(func)?);
        }
        times.compiled.push(start.elapsed().as_nanos() as f64 / f64::from(count));
        Ok(())
    }
}

pub(crate) fn table(rounds: usize) -> Result<Vec<Verification>, Box<dyn Error>> {
    OptLevel::ALL.into_iter().map(|opt| measure(opt, rounds)).collect()
}

fn measure(opt: OptLevel, rounds: usize) -> Result<Verification, Box<dyn Error>> {
    let models = |isa: Isa| isa.switch_models().iter().filter_map(move |m| Target::with_switch(isa, *m));
    let mut subjects = vec![];
    // the programs carry i64 values beside words
    for target in Isa::ALL.into_iter().flat_map(models).filter(|t| t.abi.width.bytes() == 8) {
        let program = programs::build(target)?;
        let (profile, module) = (Profile::clif_cont(&program.target.abi), clif_cont::protocol::module(&program));
        subjects.push(Subject { program, profile, module, isa: target_isa(target, opt)? });
    }
    let mut cases = vec![];
    for subject in &subjects {
        let functions = subject.program.functions.iter().map(|f| &f.func);
        for func in functions {
            let report = subject.verify(func);
            if report.operations.is_empty() {
                continue;
            }
            // one with a fault takes longer
            if let Some(finding) = report.findings.first() {
                return Err(format!("{}: {}: {}", func.name, finding.rule, finding.message).into());
            }
            cases.push((subject, func, [(); 3].map(|()| Times::default())));
        }
    }
    for _ in 0..rounds {
        for (s, func, [alone, ..]) in &mut cases {
            black_box(s.verify(func));
            s.time_verify(func, AGAIN, alone);
            black_box(s.compile(func)?);
            s.time_compile(func, AGAIN, alone)?;
        }
        for (s, func, [_, apart, _]) in &mut cases {
            s.time_verify(func, 1, apart);
        }
        for (s, func, [_, apart, _]) in &mut cases {
            s.time_compile(func, 1, apart)?;
        }
        for (s, func, [.., in_turn]) in &mut cases {
            s.time_verify(func, 1, in_turn);
            s.time_compile(func, 1, in_turn)?;
        }
    }
    let (opt, functions) = (opt.name(), cases.len());
    let [mut alone, mut apart, mut in_turn] = [(); 3].map(|()| Sums::default());
    for (_, _, times) in cases {
        for (sums, times) in [&mut alone, &mut apart, &mut in_turn].into_iter().zip(times) {
            sums.add(times);
        }
    }
    Ok(Verification { opt, functions, alone, apart, in_turn })
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
