//! What the tests share: the targets, and running programs.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unsafe_code)]

use clif_cont_abi::{Isa, Trap};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, Host, Instance, NoHost, Outcome, Program, Target, Trapped, Val};
use clif_cont_pulley::{Options, Pulley};

/// Both byte orders, each optimised and not.
pub(crate) fn lanes() -> Vec<(Target, OptLevel)> {
    [Isa::Pulley64, Isa::Pulley64be]
        .into_iter()
        .flat_map(|isa| OptLevel::ALL.map(|opt| (Target::new(isa), opt)))
        .collect()
}

pub(crate) fn wat(source: &str, target: Target) -> Program {
    match clif_cont_wasm::compile(source.as_bytes(), "test.wat", target, &clif_cont_wasm::Options::default()) {
        Ok(program) => program,
        Err(e) => panic!("{e}"),
    }
}

/// What the tests run was made by the front end or the builders, or written for them.
pub(crate) fn finished(program: &Program, opt: OptLevel) -> Finished {
    // SAFETY: see above.
    unsafe { Finished::unverified(program.clone(), opt) }.unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn start_with(program: &Program, host: Box<dyn Host>, opt: OptLevel) -> Pulley {
    match Pulley::new(&finished(program, opt), host, Options::default()) {
        Ok(pulley) => pulley,
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn start(program: &Program, opt: OptLevel) -> Pulley {
    start_with(program, Box::new(NoHost), opt)
}

pub(crate) fn invoke(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Outcome {
    match instance.invoke(export, args) {
        Ok(outcome) => outcome,
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn returns(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Vec<Val> {
    match invoke(instance, export, args) {
        Outcome::Returned(values) => values,
        other => panic!("`{export}`: {other:?}"),
    }
}

pub(crate) fn traps(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Trapped {
    match invoke(instance, export, args) {
        Outcome::Trapped(trapped) => trapped,
        other => panic!("`{export}`: {other:?}"),
    }
}

pub(crate) fn trap(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Trap {
    traps(instance, export, args).trap
}

pub(crate) fn names(trapped: &Trapped) -> Vec<Vec<&str>> {
    trapped.backtrace.iter().map(|s| s.frames.iter().map(String::as_str).collect()).collect()
}

/// `trap_at(n)`: a continuation in a continuation .. n times, and the innermost
/// is told what to do: 0 unreachable, 1 unhandled, 2 null, 3 consumed, 4
/// division, 5 recursion.
pub(crate) const TRAPS: &str = r#"(module
  (type $f (func (param i32 i32) (result i32)))
  (type $k (cont $f))
  (type $v (func))
  (type $kv (cont $v))
  (tag $other)
  (tag $yield (result i32))
  (func $nothing)
  (func $leaf (param $what i32) (result i32)
    (local $k (ref null $kv))
    (if (i32.eq (local.get $what) (i32.const 0)) (then (unreachable)))
    (if (i32.eq (local.get $what) (i32.const 1)) (then (suspend $other)))
    (if (i32.eq (local.get $what) (i32.const 2)) (then (resume $kv (ref.null $kv))))
    (if (i32.eq (local.get $what) (i32.const 3))
      (then
        (local.set $k (cont.new $kv (ref.func $nothing)))
        (resume $kv (local.get $k))
        (resume $kv (local.get $k))))
    (if (i32.eq (local.get $what) (i32.const 4))
      (then (drop (i32.div_u (i32.const 1) (i32.sub (local.get $what) (i32.const 4))))))
    (if (i32.eq (local.get $what) (i32.const 5)) (then (drop (call $forever (i32.const 0)))))
    (suspend $yield))
  (func $forever (param i32) (result i32)
    (i32.add (i32.const 1) (call $forever (local.get 0))))
  (func $nest (type $f) (param $depth i32) (param $what i32) (result i32)
    (if (result i32) (local.get $depth)
      (then
        (resume $k
          (i32.sub (local.get $depth) (i32.const 1)) (local.get $what) (cont.new $k (ref.func $nest))))
      (else (call $leaf (local.get $what)))))
  (elem declare func $nest $nothing)
  ;; Answers the suspension of the innermost with 42.
  (func (export "trap_at") (param $depth i32) (param $what i32) (result i32)
    (local $k (ref null $ki))
    (block $h (result (ref $ki))
      (return
        (resume $k (on $yield $h)
          (local.get $depth) (local.get $what) (cont.new $k (ref.func $nest)))))
    (local.set $k)
    (resume $ki (i32.const 42) (local.get $k)))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi)))
"#;

/// What `trap_at` traps with, by its second argument.
pub(crate) const REASONS: [Trap; 6] = [
    Trap::Unreachable,
    Trap::UnhandledTag,
    Trap::NullContinuation,
    Trap::Consumed,
    Trap::DivisionByZero,
    Trap::StackExhausted,
];
