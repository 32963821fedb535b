//! What was verified is what is compiled: instruction selection gets the functions of a
//! `Finished` program as they are, and Cranelift has nothing left to do to them.

mod common;

use clif_cont::abi::Isa;
use clif_cont::finish::finish;
use clif_cont::load::load;
use clif_cont::program::compile::{Disassembly, compile, optimize};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::{Finished, NoHost, Program, Target};
use clif_cont::protocol::{profile, verify_program};
use clif_cont::wast::Backend as _;
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;

/// With unreachable code, constant block parameters and aliases.
const SOURCE: &str = r#"(module
  (type $f (func (result i32))) (type $k (cont $f))
  (type $g (func (param i32) (result i32))) (type $more (cont $g))
  (tag $t (param i32) (result i32))
  (func $body (type $f)
    (i32.add (suspend $t (i32.const 1)) (suspend $t (i32.const 2))))
  (elem declare func $body)
  (func (export "run") (param i32) (result i32)
    (local $k (ref null $more)) (local $sum i32)
    (block $on (result i32 (ref $more))
      (return (resume $k (on $t $on) (cont.new $k (ref.func $body)))))
    (local.set $k) (local.set $sum)
    (br_if 0 (local.get $sum) (local.get 0)) (drop)
    (return (local.get $sum))
    (unreachable)))"#;

fn targets() -> impl Iterator<Item = Target> {
    let models = |isa: Isa| isa.switch_models().iter().filter_map(move |m| Target::with_switch(isa, *m));
    Isa::ALL.into_iter().flat_map(models)
}

fn program(target: Target) -> Program {
    load("x.wat", SOURCE.as_bytes(), Some(target)).expect("it compiles")
}

fn text(func: &cranelift_codegen::ir::Function) -> String {
    func.display().to_string()
}

#[test]
fn nothing_happens_to_a_function_between_verification_and_instruction_selection() {
    let mut changed = 0;
    for target in targets() {
        for opt in OptLevel::ALL {
            let raw = program(target);
            let finished = finish(&raw, opt).expect("it keeps the protocol");
            // what is handed to the backends is what the verifier accepts
            let verified = verify_program(&finished, &profile(clif_cont::abi::PROFILE, &target).expect("ours"));
            assert!(verified.is_clean());
            let isa = target_isa(target, opt).expect("built in");
            let plain = target_isa(target, OptLevel::None).expect("built in");
            for (before, after) in raw.functions.iter().zip(&finished.functions) {
                // Cranelift's own way from the same function gives the same code
                let mut context = Context::for_function(before.func.clone());
                context.optimize(&*isa, &mut ControlPlane::default()).expect("it optimises");
                assert_eq!(text(&context.func), text(&after.func), "{} {}", target.isa.name(), opt.name());
                let mut context = Context::for_function(before.func.clone());
                let whole = context.compile(&*isa, &mut ControlPlane::default()).expect("it compiles");
                let ours = compile(&after.func, &*isa, Disassembly::Keep).expect("it compiles");
                assert_eq!(whole.code_buffer(), ours.code, "{} {}", target.isa.name(), after.name());
                // and without the mid-end nothing is left to be done
                let again = optimize(&after.func, &*plain).expect("it optimises");
                assert_eq!(text(&again), text(&after.func), "{}", after.name());
                changed += usize::from(text(&before.func) != text(&after.func));
            }
        }
    }
    assert!(changed > 50, "only {changed} functions had anything to be done to them");
}

#[test]
fn the_code_of_an_object_is_that_of_the_finished_functions() {
    for target in targets().filter(|t| !t.isa.is_pulley()) {
        for opt in OptLevel::ALL {
            let finished: Finished = finish(&program(target), opt).expect("it keeps the protocol");
            let object = clif_cont::object::object(&finished).expect("an object");
            let isa = target_isa(target, opt).expect("built in");
            for f in &finished.functions {
                let code = compile(&f.func, &*isa, Disassembly::Drop).expect("it compiles").code;
                let there = object.windows(code.len()).any(|w| w == code);
                assert!(there, "{} for {}", f.name(), target.isa.name());
            }
        }
    }
}

/// The program without the first store of a function: one that consumes an object.
fn damaged(target: Target) -> Program {
    let mut program = program(target);
    let run = program.functions.iter_mut().find(|f| f.name() == "run").expect("it is exported");
    let layout = &run.func.layout;
    let mut insts = layout.blocks().flat_map(|b| layout.block_insts(b));
    let store = insts.find(|inst| run.func.dfg.insts[*inst].opcode().can_store()).expect("it stores");
    run.func.layout.remove_inst(store);
    program
}

#[test]
fn what_is_not_verified_is_run_by_nobody_without_unsafe() {
    let mut count = 0;
    for mut backend in common::everywhere() {
        let damaged = damaged(backend.target());
        let error = backend.instantiate(&damaged, Box::new(NoHost)).map(drop).expect_err("it is damaged");
        assert!(error.to_string().contains("does not keep the protocol of continuations"), "{error}");
        let silent = Program { profile: None, ..program(backend.target()) };
        let error = backend.instantiate(&silent, Box::new(NoHost)).map(drop).expect_err("it is not verified");
        assert!(error.to_string().contains("states no profile"), "{error}");
        count += 1;
    }
    common::ran("programs that are not verified", count);
}
