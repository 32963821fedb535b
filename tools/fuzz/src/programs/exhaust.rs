//! All small programs, verified and interpreted like the random ones.

use clif_cont_generate::{enumerate, programs_of};

use super::{Fault, FaultKind, ProgramsPlan, Ran, checked, script};
use crate::parallel::parallel;

/// Programs in one module: the runtime is lowered once for all of them.
const BATCH: u64 = 128;

/// Every program of at most so many operations. Faults have the number of the
/// program among those of its length; `progress` is called for each module.
pub fn exhaust(operations: u32, threads: usize, progress: &(dyn Fn(usize) + Sync)) -> Ran {
    let plan = ProgramsPlan { seed: 0, cases: 0..0, edits: vec![], attempts: 0, threads, native: None };
    let mut sum = Ran::default();
    for length in 0..=operations {
        let all = programs_of(length);
        let batches = 0..modules(length);
        for ran in parallel(batches, threads, |n| {
            let first = n as u64 * BATCH;
            let numbers = first..(first + BATCH).min(all);
            let mut ran = Ran { programs: (numbers.end - numbers.start) as usize, ..Ran::default() };
            if checked(&plan, 0, &[], &enumerate(length, numbers.clone()), &mut ran).is_err() {
                // which of them
                for number in numbers {
                    let one = enumerate(length, number..number + 1);
                    if let Err((kind, what)) = checked(&plan, 0, &[], &one, &mut Ran::default()) {
                        let what = format!("of {length} operations: {what}");
                        let program = script(&one);
                        ran.faults.push(Fault { kind, case: number as usize, bytes: String::new(), what, program });
                    }
                }
                if ran.faults.is_empty() {
                    let what = "wrong only together with others".to_owned();
                    let program = script(&enumerate(length, first..(first + BATCH).min(all)));
                    let (kind, case) = (FaultKind::Difference, first as usize);
                    ran.faults.push(Fault { kind, case, bytes: String::new(), what, program });
                }
            }
            progress(n);
            ran
        }) {
            sum.add(ran);
        }
    }
    sum
}

/// Modules of the programs of exactly so many operations.
fn modules(operations: u32) -> usize {
    programs_of(operations).div_ceil(BATCH) as usize
}

/// Modules of the programs of at most so many operations.
pub fn exhaust_modules(operations: u32) -> usize {
    (0..=operations).map(modules).sum()
}
