//! A stack that is used up is a trap, at every depth and for functions of every
//! frame, on every backend: never a fault.

#![allow(clippy::print_stdout, reason = "a test")]

mod reach;

use std::fmt::Write as _;
use std::time::Duration;

use clif_cont::abi::{Abi, Isa, Trap};
use clif_cont::finish::finish;
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Instance, NoHost, Outcome, Program, Target, Val};
use clif_cont::{Availability, Engine, backend};
use cranelift_codegen::ir::{StackSlotData, StackSlotKind};

/// What runs a program, and how.
#[derive(Clone, Copy, Debug)]
enum How {
    Interpreted,
    Compiled(Engine),
}

/// All targets with all that runs them.
fn lanes() -> Vec<(Target, How)> {
    let mut lanes = vec![];
    for isa in Isa::ALL {
        for switch in isa.switch_models() {
            let target = Target::with_switch(isa, *switch).expect("a model of the ISA");
            lanes.push((target, How::Interpreted));
            lanes.extend(Engine::of(isa).iter().map(|e| (target, How::Compiled(*e))));
        }
    }
    lanes
}

/// Calls `body` with an instance of the program for each lane; prints how many there were.
fn on_every_lane(make: impl Fn(Target) -> Program, body: impl Fn(&str, How, &mut dyn Instance)) {
    let (mut ran, mut missing) = (0, vec![]);
    for (target, how) in lanes() {
        let lane = format!("{}, {}, {how:?}", target.isa.name(), target.abi.switch.name());
        let program = finish(&make(target), OptLevel::None).unwrap_or_else(|e| panic!("{lane}: {e}"));
        match how {
            How::Interpreted => {
                let run = |i: &mut clif_cont::interp::Interp| body(&lane, how, i);
                backend::interpret(&program, None, Box::new(NoHost), run).expect("interprets");
            }
            How::Compiled(engine) => {
                if let Availability::No(reason) = engine.available(target.isa) {
                    missing.push(format!("{lane}: {reason}"));
                    continue;
                }
                let limit = Some(Duration::from_secs(120));
                let instance = backend::compiled(&program, engine, Box::new(NoHost), limit);
                body(&lane, how, &mut *instance.unwrap_or_else(|e| panic!("{lane}: {e}")));
            }
        }
        ran += 1;
    }
    println!("{ran} lanes; {} not available here: {missing:#?}", missing.len());
    assert!(ran >= Isa::ALL.len(), "too few lanes: {missing:#?}");
}

fn wasm(source: &str, target: Target) -> Program {
    clif_cont::wasm::compile(source.as_bytes(), "stack.wat", target, &Default::default()).expect("it compiles")
}

fn invoke(lane: &str, instance: &mut dyn Instance, export: &str, args: &[Val]) -> Option<Vec<Val>> {
    match instance.invoke(export, args).expect("an export of these types") {
        Outcome::Returned(values) => Some(values),
        Outcome::Trapped(t) if t.trap == Trap::StackExhausted => None,
        other => panic!("{lane}, {export}{args:?}: {other:?}"),
    }
}

fn repeat(n: usize, f: impl Fn(usize) -> String) -> String {
    (0..n).map(f).collect()
}

/// Deep stacks, then a tail call that leaves 16,000 bytes of arguments on the stack:
/// `down(n)` goes to depth n in small frames, and on from there in frames of which
/// each is almost as large as a caller leaves.
fn growth() -> String {
    const LOCALS: usize = 1990;
    let refs = " (ref null $k)".repeat(1000);
    let mut text = format!(
        "(module (type $f (func (param i32) (result i64))) (type $k (cont $f)) (memory 1)
         (type $g (func (param{refs}) (result i64)))
         (func $f (type $f) (local{})",
        " i64".repeat(LOCALS)
    );
    text += &repeat(LOCALS, |i| format!("(local.set {} (i64.load offset={} (local.get 0)))", i + 1, 8 * i));
    text += "(local.set 0 (i32.wrap_i64 (call $f2 (local.get 0))))";
    text += &repeat(LOCALS, |i| format!("(i64.store (i32.const 0) (local.get {}))", i + 1));
    text += &"(ref.null $k)".repeat(1000);
    text += "(return_call $g))
         (func $f2 (type $f) (i64.add (i64.const 1) (call $f (local.get 0))))
         (func $g (type $g) (i64.const 1))
         (func $leaf (type $f) (if (result i64) (i32.eqz (local.get 0)) (then (i64.const 1)) (else ";
    // no call, but a tail call of more arguments
    text += &"(ref.null $k)".repeat(1000);
    text += "(return_call $g))))
         (func $to_leaf (type $f) (i64.add (i64.const 1)
           (if (result i64) (i32.eqz (local.get 0)) (then (call $leaf (i32.const 1)))
             (else (call $to_leaf (i32.sub (local.get 0) (i32.const 1)))))))
         (func $p (type $f) (if (result i64) (i32.eqz (local.get 0)) (then (call $f (i32.const 0)))
           (else (i64.add (i64.const 1) (call $p (i32.sub (local.get 0) (i32.const 1)))))))
         (elem declare func $p $to_leaf)
         (func (export \"down\") (param i32) (result i64) (resume $k (local.get 0) (cont.new $k (ref.func $p))))
         (func (export \"leaf\") (param i32) (result i64) (resume $k (local.get 0) (cont.new $k (ref.func $to_leaf)))))";
    text
}

#[test]
fn tail_calls_that_take_more_stack_trap_at_every_depth() {
    on_every_lane(
        |target| wasm(&growth(), target),
        |lane, how, instance| {
            // the frames repeat after 20 KiB at most; the small ones are of 32 to 200 bytes
            let step = match how {
                How::Compiled(Engine::InProcess) => 1,
                How::Compiled(_) => 7,
                How::Interpreted => 211,
            };
            for n in (0..640).step_by(step) {
                let ended = invoke(lane, instance, "down", &[Val::I32(n)]);
                assert_eq!(ended, None, "{lane}: {n} frames, and then no end of them");
            }
            // to the last frames that fit, one by one, and beyond
            let fits = |instance: &mut dyn Instance, n| invoke(lane, instance, "leaf", &[Val::I32(n)]).is_some();
            let (mut low, mut high) = (0, 1 << 20);
            if fits(instance, high) {
                assert!(matches!(how, How::Interpreted), "{lane}: a stack without end");
                return;
            }
            while high - low > 1 {
                let middle = (low + high) / 2;
                if fits(instance, middle) { low = middle } else { high = middle }
            }
            for n in low.saturating_sub(20)..high + 700 / step as i32 {
                assert_eq!(fits(instance, n), n <= low, "{lane}: depth {n}");
            }
        },
    );
}

/// Functions that take a lot of stack: 1,000 parameters, passed on by a tail call; a
/// sum of 2,000 operands; a recursion whose every frame holds 4,400 values.
fn large() -> String {
    let mut text = String::from("(module (memory 2)\n");
    let params = " i64".repeat(1000);
    write!(text, "(type $t (func (param{params}) (result i64)))\n(func $sum (type $t) (local.get 0)").unwrap();
    text += &repeat(999, |i| format!("(i64.add (local.get {}))", i + 1));
    text += ")\n(func $turn (type $t) ";
    text += &repeat(1000, |i| format!("(local.get {})", 999 - i));
    text += "(return_call $sum))\n(func (export \"parameters\") (result i64) ";
    text += &repeat(1000, |i| format!("(i64.const {i})"));
    text += "(call $turn))\n(func (export \"operands\") (param i64) (result i64) ";
    text += &repeat(2000, |_| "(local.get 0)".into());
    text += &repeat(1999, |_| "(i64.add)".into());
    text += ")\n(func $deep (export \"deep\") (param i32) (result i64) ";
    text += &repeat(4400, |i| format!("(i64.load offset={} (local.get 0))", 8 * i));
    text += "(if (result i64) (i32.eqz (local.get 0)) (then (i64.const 1))
        (else (call $deep (i32.sub (local.get 0) (i32.const 1)))))";
    text += &repeat(4400, |_| "(i64.add)".into());
    text += ")\n(func (export \"huge\") (param i32) (result i64) (i64.const 7)))";
    text
}

#[test]
fn functions_with_large_frames_run_as_long_as_the_stack_holds_them() {
    on_every_lane(
        |target| {
            let mut program = wasm(&large(), target);
            // more than any stack has
            let export = program.export("huge").expect("exported").function.clone();
            let huge = program.functions.iter_mut().find(|f| f.name() == export).expect("defined");
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 2 << 20, 3);
            huge.func.create_sized_stack_slot(slot);
            program
        },
        |lane, how, instance| {
            let mut call = |export: &str, args: &[Val]| invoke(lane, instance, export, args);
            assert_eq!(call("parameters", &[]), Some(vec![Val::I64(499_500)]), "{lane}");
            assert_eq!(call("operands", &[Val::I64(5)]), Some(vec![Val::I64(10_000)]), "{lane}");
            assert_eq!(call("deep", &[Val::I32(3)]), Some(vec![Val::I64(1)]), "{lane}");
            let interpreted = matches!(how, How::Interpreted);
            // 100 frames of 35,000 bytes
            assert_eq!(call("deep", &[Val::I32(100)]).is_none(), !interpreted, "{lane}");
            assert_eq!(call("huge", &[Val::I32(0)]), None, "{lane}");
            // and the store is in order
            assert_eq!(call("deep", &[Val::I32(5)]), Some(vec![Val::I64(1)]), "{lane}");
        },
    );
}

/// Nothing between two checks takes more of the stack than there is: see [`reach`].
#[test]
fn no_call_reaches_the_end_of_a_stack_unchecked() {
    let mut most = 0;
    let mut functions = 0;
    for isa in [Isa::X86_64, Isa::Aarch64, Isa::Riscv64, Isa::S390x] {
        for switch in isa.switch_models() {
            let target = Target::with_switch(isa, *switch).expect("a model of the ISA");
            for (name, program) in reach::programs(target) {
                let reach = reach::unchecked(&program, &name);
                functions += program.functions.len();
                most = most.max(reach);
            }
        }
    }
    println!("{functions} functions; at most {most} bytes below an unchecked frame");
    assert!(functions > 5000);
    // what foreign code has in the worst case, which docs/contracts.md states
    let left = Abi::HEADROOM - most;
    assert!(left >= reach::FOREIGN, "{left} bytes are left for foreign code");
}
