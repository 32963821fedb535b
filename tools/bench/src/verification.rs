//! What verifying a function takes, of what Cranelift takes to compile it.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use clif_cont_abi::Isa;
use clif_cont_program::Target;
use clif_cont_program::compile::{Disassembly, compile};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_verifier::{Profile, verify_in};

use crate::programs;

/// Over all functions that contain an operation, on all 64-bit targets.
pub(crate) struct Verification {
    /// Cranelift's optimisation level.
    pub(crate) opt: &'static str,
    pub(crate) functions: usize,
    /// Sums of the functions' medians.
    pub(crate) verify_nanoseconds: f64,
    pub(crate) compile_nanoseconds: f64,
}

impl Verification {
    /// Of compiling, verifying takes so much.
    pub(crate) fn ratio(&self) -> f64 {
        self.verify_nanoseconds / self.compile_nanoseconds
    }
}

pub(crate) fn table(rounds: usize) -> Result<Vec<Verification>, Box<dyn Error>> {
    OptLevel::ALL.into_iter().map(|opt| measure(opt, rounds)).collect()
}

fn measure(opt: OptLevel, rounds: usize) -> Result<Verification, Box<dyn Error>> {
    let mut sum = Verification { opt: opt.name(), functions: 0, verify_nanoseconds: 0.0, compile_nanoseconds: 0.0 };
    let models = |isa: Isa| isa.switch_models().iter().filter_map(move |m| Target::with_switch(isa, *m));
    // the programs carry i64 values beside words
    for target in Isa::ALL.into_iter().flat_map(models).filter(|t| t.abi.width.bytes() == 8) {
        let program = programs::build(target)?;
        let (profile, module) = (Profile::clif_cont(&program.target.abi), program.module());
        let isa = target_isa(target, opt)?;
        for f in &program.functions {
            if verify_in(&f.func, &profile, &module).operations.is_empty() {
                continue;
            }
            let (mut verified, mut compiled) = (vec![], vec![]);
            for _ in 0..rounds {
                let start = Instant::now();
                black_box(verify_in(&f.func, &profile, &module));
                verified.push(start.elapsed().as_nanos() as f64);
                let start = Instant::now();
                black_box(compile(&f.func, &*isa, Disassembly::Drop)?);
                compiled.push(start.elapsed().as_nanos() as f64);
            }
            sum.functions += 1;
            sum.verify_nanoseconds += median(verified);
            sum.compile_nanoseconds += median(compiled);
        }
    }
    Ok(sum)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
