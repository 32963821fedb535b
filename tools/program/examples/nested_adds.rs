//! How long Cranelift takes to compile a sum of N constants that are all made before the first
//! addition, as WebAssembly's `(i32.add (i32.const 1) (i32.add (i32.const 2) ...))` is: for
//! growing N, at level none, with each of its register allocators. Nothing but Cranelift is used.
//!
//! `cargo run --release -p clif-cont-program --example nested_adds`

#![allow(clippy::print_stdout, reason = "an example")]

use std::time::Instant;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::cursor::{Cursor as _, FuncCursor};
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder as _, Signature, UserFuncName, types::I32};
use cranelift_codegen::isa::{CallConv, lookup_by_name};
use cranelift_codegen::settings::{self, Configurable as _};

fn sum_of_constants(n: i64) -> Function {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.returns.push(AbiParam::new(I32));
    let mut func = Function::with_name_signature(UserFuncName::testcase("sum"), signature);
    let block = func.dfg.make_block();
    func.layout.append_block(block);
    let mut at = FuncCursor::new(&mut func).at_bottom(block);
    let constants: Vec<_> = (1..=n).map(|i| at.ins().iconst(I32, i)).collect();
    let sum = constants.into_iter().rev().reduce(|sum, constant| at.ins().iadd(constant, sum));
    at.ins().return_(&sum.into_iter().collect::<Vec<_>>());
    func
}

fn main() {
    for algorithm in ["backtracking", "single_pass"] {
        let mut flags = settings::builder();
        flags.set("opt_level", "none").expect("a setting");
        flags.set("regalloc_algorithm", algorithm).expect("a setting");
        let isa = lookup_by_name("x86_64").expect("compiled in").finish(settings::Flags::new(flags)).expect("valid");
        for n in [2_500, 5_000, 10_000, 20_000] {
            let mut context = Context::for_function(sum_of_constants(n));
            let start = Instant::now();
            let code = context.compile(&*isa, &mut ControlPlane::default()).expect("valid");
            let bytes = code.code_buffer().len();
            println!("{algorithm}, {n} constants: {:.2?}, {bytes} bytes of code", start.elapsed());
        }
    }
}
