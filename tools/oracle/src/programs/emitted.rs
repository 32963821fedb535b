//! What is checked in the code that is emitted: Cranelift's own symbolic check of its
//! register allocation, of every function.

use clif_cont::program::Finished;
use clif_cont::program::compile::{Disassembly, compile};
use clif_cont::program::target::{target_isa, with_regalloc_checker};

/// Checks every function of a program.
///
/// # Errors
///
/// The first that is wrong.
pub(crate) fn check(program: &Finished) -> Result<(), String> {
    let isa = target_isa(program.target, program.opt()).and_then(|isa| with_regalloc_checker(&*isa));
    let isa = isa.map_err(|e| e.to_string())?;
    for f in &program.functions {
        compile(&f.func, &*isa, Disassembly::Drop).map_err(|e| e.to_string())?;
    }
    Ok(())
}
