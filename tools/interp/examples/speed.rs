//! Measures how many CLIF instructions a second the machine executes: a loop
//! of arithmetic, one with memory accesses, one of calls, and one of switches.
//!
//! `cargo run --release -p clif-cont-interp --example speed`

#![allow(clippy::print_stdout, reason = "an example")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

use clif_cont_abi::Isa;
use clif_cont_interp::{Interp, Options};
use clif_cont_program::{Data, Instance, NoHost, Origin, ProgFunction, Program, Target, Val};

const TEXT: &str = "
function %arithmetic(i64) -> i64 {
block0(v0: i64):
    v1 = iconst.i64 1
    v2 = iconst.i64 0x9e3779b97f4a7c15
    jump block1(v0, v1)
block1(v3: i64, v4: i64):
    v5 = imul v4, v2
    v6 = ushr v5, v1
    v7 = bxor v6, v3
    v8 = iadd v7, v1
    v9 = isub v3, v1
    v10 = icmp eq v8, v1
    v11 = select v10, v1, v8
    brif v9, block1(v9, v11), block2
block2:
    return v11
}
function %memory(i64) -> i64 {
    ss0 = explicit_slot 1024
block0(v0: i64):
    v1 = iconst.i64 1
    v2 = stack_addr.i64 ss0
    v3 = iconst.i64 0x3f8
    jump block1(v0)
block1(v4: i64):
    v5 = band v4, v3
    v6 = iadd v2, v5
    v7 = load.i64 notrap aligned v6
    v8 = iadd v7, v4
    store notrap aligned v8, v6
    v9 = isub v4, v1
    brif v9, block1(v9), block2
block2:
    return v8
}
function %calls(i64) -> i64 {
    fn0 = %leaf(i64, i64) -> i64 tail
block0(v0: i64):
    v1 = iconst.i64 1
    jump block1(v0, v1)
block1(v2: i64, v3: i64):
    v4 = call fn0(v2, v3)
    v5 = isub v2, v1
    brif v5, block1(v5, v4), block2
block2:
    return v4
}
function %leaf(i64, i64) -> i64 tail {
block0(v0: i64, v1: i64):
    v2 = iadd v0, v1
    v3 = bxor v2, v0
    return v3
}
function %switches(i64) -> i64 tail {
    gv0 = symbol colocated %a
    gv1 = symbol colocated %b
    gv2 = symbol colocated %stack
    fn0 = %other(i64) tail
block0(v0: i64):
    v1 = symbol_value.i64 gv0
    v2 = symbol_value.i64 gv1
    v3 = symbol_value.i64 gv2
    v4 = iconst.i64 16376
    v5 = iadd v3, v4
    store v5, v2
    v6 = func_addr.i64 fn0
    store v6, v2+16
    v7 = iconst.i64 1
    jump block1(v0)
block1(v8: i64):
    v9 = stack_switch v1, v2, v8
    v10 = isub v8, v7
    brif v10, block1(v10), block2
block2:
    return v9
}
function %other(i64) tail {
    gv0 = symbol colocated %a
    gv1 = symbol colocated %b
block0(v0: i64):
    v1 = symbol_value.i64 gv0
    v2 = symbol_value.i64 gv1
    jump block1(v0)
block1(v3: i64):
    v4 = iadd v3, v3
    v5 = stack_switch v2, v1, v4
    jump block1(v5)
}";

fn main() -> Result<(), Box<dyn Error>> {
    let mut program = Program::new(Target::new(Isa::X86_64));
    for func in cranelift_reader::parse_functions(TEXT)? {
        program.functions.push(ProgFunction::new(func, Origin::Program));
    }
    for (name, size) in [("a", 24), ("b", 24), ("stack", 16384)] {
        let items = BTreeMap::new();
        program.data.push(Data { name: name.into(), writable: true, align: 16, size, items, comment: None });
    }
    let mut interp = Interp::unverified(program, Box::new(NoHost), Options::default())?;
    for (name, rounds) in
        [("arithmetic", 5_000_000), ("memory", 5_000_000), ("calls", 5_000_000), ("switches", 1_000_000)]
    {
        let before = interp.steps();
        let start = Instant::now();
        let outcome = interp.invoke(name, &[Val::I64(rounds)])?;
        let (steps, time) = (interp.steps() - before, start.elapsed().as_secs_f64());
        let (rate, each) = (steps as f64 / time / 1e6, time / rounds as f64 * 1e9);
        println!("{name:12} {rate:7.1} million a second, {each:6.1} ns a round; {outcome:?}");
    }
    Ok(())
}
