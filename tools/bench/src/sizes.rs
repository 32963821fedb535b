//! Sizes: what one more operation in a function costs, on every ISA.

use std::error::Error;

use clif_cont_abi::Isa;
use clif_cont_program::compile::{Disassembly, compile, counts, optimize};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Program, Target};

use crate::programs;

/// The difference between a function with two and one with one.
pub(crate) struct Size {
    pub(crate) operation: &'static str,
    pub(crate) isa: &'static str,
    pub(crate) switch: &'static str,
    /// Of machine code.
    pub(crate) bytes: i64,
    /// Of optimised CLIF.
    pub(crate) insts: i64,
    pub(crate) loads: i64,
    pub(crate) stores: i64,
}

const OPERATIONS: [(&str, &str); 5] = [
    ("resume", "size_resume"),
    ("suspend", "size_suspend"),
    ("switch", "size_switch"),
    ("cont.bind", "size_cont_bind"),
    ("cont.new", "size_cont_new"),
];

pub(crate) fn table() -> Result<Vec<Size>, Box<dyn Error>> {
    let mut sizes = vec![];
    let targets: Vec<Target> = Isa::ALL
        .into_iter()
        .flat_map(|isa| isa.switch_models().iter().filter_map(move |m| Target::with_switch(isa, *m)))
        // the programs carry i64 values beside words, 32-bit words are another measure
        .filter(|t| t.abi.width.bytes() == 8)
        .collect();
    for (operation, function) in OPERATIONS {
        for target in &targets {
            let program = programs::build(*target)?;
            let one = measure(&program, *target, &format!("{function}_1"))?;
            let two = measure(&program, *target, &format!("{function}_2"))?;
            let [bytes, insts, loads, stores] = std::array::from_fn(|i| two[i] - one[i]);
            let (isa, switch) = (target.isa.name(), target.abi.switch.name());
            sizes.push(Size { operation, isa, switch, bytes, insts, loads, stores });
        }
    }
    Ok(sizes)
}

/// Bytes, instructions, loads, stores.
fn measure(program: &Program, target: Target, function: &str) -> Result<[i64; 4], Box<dyn Error>> {
    let func = &program.function(function).ok_or_else(|| format!("no function {function}"))?.func;
    let isa = target_isa(target, OptLevel::Speed)?;
    let func = optimize(func, &*isa)?;
    let counts = counts(&func);
    let bytes = compile(&func, &*isa, Disassembly::Drop)?.code.len();
    Ok([bytes as i64, counts.insts.into(), counts.loads.into(), counts.stores.into()])
}
