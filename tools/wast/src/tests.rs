//! What counts as passed, failed and skipped.

use std::cell::RefCell;
use std::rc::Rc;

use clif_cont_abi::Isa;
use clif_cont_interp::Interp;
use clif_cont_program::{Host, HostError, Instance, Program, Target};

use crate::{Backend, Options, Refusal, Report, run, silent};

struct Interpreter;

impl Backend for Interpreter {
    fn target(&self) -> Target {
        Target::new(Isa::X86_64)
    }

    fn instantiate(&mut self, program: &Program, host: Box<dyn Host>) -> Result<Box<dyn Instance>, Refusal> {
        let made = Interp::unverified(program.clone(), host, Default::default())
            .map_err(|e| Refusal::Program(e.to_string()))?;
        Ok(Box::new(made))
    }
}

fn report(script: &str) -> Report {
    run(script, &mut Interpreter, &Options::default(), silent()).expect("it can be read")
}

/// Passed, failed, skipped.
fn counts(script: &str) -> [usize; 3] {
    let report = report(script);
    [report.passed, report.failures.len(), report.skips.len()]
}

const MODULE: &str = r#"(module $m
  (func (export "id") (param i32) (result i32) (local.get 0))
  (func (export "nan") (result f32) (f32.const nan:0x600000))
  (func (export "ext") (param externref) (result externref) (local.get 0))
  (func (export "trap") (unreachable)))
"#;

#[test]
fn returns_are_compared() {
    let one = |assertion: &str| counts(&format!("{MODULE}{assertion}"));
    let good = [
        r#"(assert_return (invoke "id" (i32.const -1)) (i32.const 0xffffffff))"#,
        r#"(assert_return (invoke $m "id" (i32.const 7)) (either (i32.const 6) (i32.const 7)))"#,
        r#"(assert_return (invoke "nan") (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "nan") (f32.const nan:0x600000))"#,
        r#"(assert_return (invoke "ext" (ref.extern 0)) (ref.extern 0))"#,
        r#"(assert_return (invoke "ext" (ref.null extern)) (ref.null extern))"#,
        r#"(assert_trap (invoke "trap") "unreachable executed")"#,
        r#"(assert_invalid (module (func (result i32))) "type mismatch")"#,
        r#"(assert_malformed (module quote "(func") "unexpected end")"#,
        r#"(assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")"#,
    ];
    for assertion in good {
        assert_eq!(one(assertion), [1, 0, 0], "{assertion}");
    }
    let bad = [
        r#"(assert_return (invoke "id" (i32.const 1)) (i32.const 2))"#,
        r#"(assert_return (invoke "id" (i32.const 1)))"#,
        r#"(assert_return (invoke "id" (i32.const 1)) (i64.const 1))"#,
        r#"(assert_return (invoke "none"))"#,
        r#"(assert_return (invoke "nan") (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "ext" (ref.extern 0)) (ref.extern 1))"#,
        r#"(assert_return (invoke "ext" (ref.extern 0)) (ref.null extern))"#,
        r#"(assert_return (invoke "trap"))"#,
        r#"(assert_trap (invoke "trap") "integer overflow")"#,
        r#"(assert_trap (invoke "nan") "unreachable")"#,
        r#"(assert_exhaustion (invoke "trap") "call stack exhausted")"#,
        r#"(assert_exception (invoke "trap"))"#,
        r#"(assert_suspension (invoke "trap") "unhandled")"#,
        r#"(assert_invalid (module) "type mismatch")"#,
        r#"(assert_malformed (module quote "(func)") "unexpected end")"#,
        r#"(assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")"#,
        r#"(invoke "trap")"#,
    ];
    for assertion in bad {
        assert_eq!(one(assertion), [0, 1, 0], "{assertion}");
    }
}

#[test]
fn one_cause_is_one_failure() {
    let script = r#"(module (func $s (unreachable)) (start $s) (func (export "f")))
(assert_return (invoke "f"))"#;
    let report = report(script);
    assert_eq!((report.passed, report.failures.len(), report.skips.len()), (0, 1, 1));
    assert_eq!(report.failures[0].line, 1);
    assert_eq!(report.failures[0].actual, "trap: unreachable");
    assert_eq!(report.skips[0].line, 2);
}

#[test]
fn instances_share_what_they_import() {
    let script = r#"(module $a
  (memory (export "m") 1 3) (table (export "t") 2 funcref) (tag (export "e") (param i32))
  (global $g (export "g") (mut i32) (i32.const 5)) (global (export "c") i64 (i64.const -7))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
  (func (export "throw") (param i32) (throw 0 (local.get 0))))
(register "a" $a)
(module $b
  (import "a" "m" (memory 1)) (import "a" "t" (table 1 funcref)) (import "a" "e" (tag $e (param i32)))
  (import "a" "g" (global $g (mut i32))) (import "a" "c" (global $c i64)) (import "a" "throw" (func $throw (param i32)))
  (data (i32.const 9) "\2a") (elem (i32.const 1) $f)
  (global $d (export "d") i64 (i64.add (global.get $c) (i64.const 1)))
  (func $f (result i32) (global.get $g))
  (func (export "set") (param i32) (global.set $g (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "catch") (param i32) (result i32)
    (block $h (result i32) (try_table (result i32) (catch $e $h) (call $throw (local.get 0)) (i32.const 0)))))
(assert_return (invoke $a "peek" (i32.const 9)) (i32.const 42))
(assert_return (invoke $a "call" (i32.const 1)) (i32.const 5))
(invoke $b "set" (i32.const 6))
(assert_return (get $a "g") (i32.const 6))
(assert_return (invoke $a "call" (i32.const 1)) (i32.const 6))
(assert_return (get "d") (i64.const -6))
(assert_return (invoke "catch" (i32.const 3)) (i32.const 3))
(assert_unlinkable (module (import "a" "m" (memory 2))) "incompatible import type")
(invoke "grow")
(module (import "a" "m" (memory 2)))
(assert_unlinkable (module (import "a" "m" (memory 3))) "incompatible import type")
(assert_unlinkable (module (import "a" "m" (memory 1 2))) "incompatible import type")
(assert_unlinkable (module (import "a" "m" (memory 4))) "incompatible import type")
(assert_unlinkable (module (import "a" "n" (memory 1))) "unknown import")
(assert_unlinkable (module (import "b" "m" (memory 1))) "unknown import")
(assert_unlinkable (module (import "a" "g" (global i32))) "incompatible import type")
(assert_unlinkable (module (import "a" "throw" (func))) "incompatible import type")
(assert_unlinkable (module (import "a" "throw" (tag (param i32)))) "incompatible import type")
(assert_unlinkable (module (import "a" "t" (table 1 externref))) "incompatible import type")"#;
    assert_eq!(report(script).failures, []);
    assert_eq!(counts(script), [16, 0, 0]);
    for wrong in [
        r#"(assert_unlinkable (module (import "a" "n" (memory 1))) "incompatible import type")"#,
        r#"(assert_unlinkable (module (import "a" "m" (memory 4))) "unknown import")"#,
        r#"(assert_unlinkable (module (import "a" "m" (memory 1))) "incompatible import type")"#,
    ] {
        assert_eq!(counts(&format!("{script}\n{wrong}")), [16, 1, 0], "{wrong}");
    }
}

#[test]
fn an_instantiation_that_traps_leaves_its_traces() {
    let script = r#"(module $a (table (export "t") 2 funcref) (memory (export "m") 1)
  (func (export "call") (result i32) (call_indirect (result i32) (i32.const 0)))
  (func (export "peek") (result i32) (i32.load8_u (i32.const 0))))
(register "a" $a)
(assert_trap (module (import "a" "t" (table 2 funcref)) (import "a" "m" (memory 1))
  (func $f (result i32) (i32.const 9))
  (elem (i32.const 0) $f) (elem (i32.const 2) $f) (data (i32.const 0) "x")) "out of bounds table access")
(assert_return (invoke $a "call") (i32.const 9))
(assert_return (invoke $a "peek") (i32.const 0))
(assert_trap (module (import "a" "m" (memory 1)) (data (i32.const 0) "x") (data (i32.const 65536) "y"))
  "out of bounds memory access")
(assert_return (invoke $a "peek") (i32.const 120))
(assert_trap (module (import "a" "m" (memory 1)) (data (i32.const 0) "z") (func $s (unreachable)) (start $s))
  "unreachable")
(assert_return (invoke $a "peek") (i32.const 122))"#;
    assert_eq!(report(script).failures, []);
    assert_eq!(counts(script), [7, 0, 0]);
}

#[test]
fn what_is_not_supported_costs_its_dependents_alone() {
    let script = r#"(module $a (func (export "f")))
(register "a" $a)
(module $s (func (export "g") (drop (v128.const i32x4 0 0 0 0))))
(register "s" $s)
(module $d (import "s" "g" (func)) (export "h" (func 0)))
(assert_return (invoke $d "h"))
(assert_return (invoke $a "f"))
(module $o (import "a" "f" (func)) (export "i" (func 0)))
(assert_return (invoke $o "i"))"#;
    let report = report(script);
    assert_eq!((report.passed, report.failures), (2, vec![]));
    let skipped: Vec<usize> = report.skips.iter().map(|s| s.line).collect();
    assert_eq!(skipped, [3, 4, 5, 6]);
    let stale = r#"(module $a (memory (export "m") 1) (func (export "f")))
(register "a" $a)
(module (import "a" "m" (memory 1)) (func (drop (v128.const i32x4 0 0 0 0))) (data (i32.const 0) "a"))
(assert_return (invoke $a "f"))"#;
    assert_eq!(counts(stale), [0, 0, 2], "what $a holds is not known any more");
}

#[test]
fn an_unhandled_tag_may_be_written_as_a_trap() {
    let module = r#"(module (tag $t) (func (export "f") (suspend $t)))"#;
    let script = format!("{module}(assert_trap (invoke \"f\") \"unhandled tag\")");
    assert_eq!(counts(&script), [1, 0, 0]);
    assert_eq!(report(&script).remarks.len(), 1);
    assert_eq!(counts(&format!("{module}(assert_trap (invoke \"f\") \"unreachable\")")), [0, 1, 0]);
    assert!(report(&format!("{module}(assert_suspension (invoke \"f\") \"unhandled\")")).remarks.is_empty());
}

#[test]
fn versions_differ_in_what_is_valid() {
    let script = r#"(assert_invalid (module (memory 1) (memory 1)) "multiple memories")"#;
    assert_eq!(counts(script), [0, 1, 0]);
    let features = clif_cont_wasm::Features::parse("wasm2").expect("a version");
    let report = run(script, &mut Interpreter, &Options { features }, silent()).expect("it can be read");
    assert_eq!((report.passed, report.failures.len(), report.skips.len()), (1, 0, 0));
    assert_eq!(clif_cont_wasm::Features::parse("wasm2+nothing"), None);
}

#[test]
fn definitions_have_instances_of_their_own() {
    let script = r#"(module definition $d
  (global $g (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))
(module instance $a $d)
(module instance $b $d)
(assert_return (invoke $a "next") (i32.const 1))
(assert_return (invoke $a "next") (i32.const 2))
(assert_return (invoke $b "next") (i32.const 1))"#;
    assert_eq!(counts(script), [3, 0, 0]);
}

#[test]
fn actions_pass_when_they_return() {
    let script = r#"(module (import "spectest" "print_i32" (func $p (param i32)))
  (func (export "twice") (call $p (i32.const 1)) (call $p (i32.const 1000)))
  (func (export "trap") (call $p (i32.const 2)) (unreachable)))
(invoke "twice")
(invoke "trap")
(invoke "twice")"#;
    let lines: Rc<RefCell<Vec<String>>> = Rc::default();
    let keep = |limit: usize| {
        let lines = Rc::clone(&lines);
        Box::new(move |line: &str| {
            lines.borrow_mut().push(line.to_owned());
            if lines.borrow().len() < limit { Ok(()) } else { Err(HostError("nobody reads".to_owned())) }
        })
    };
    let report = run(script, &mut Interpreter, &Options::default(), keep(100)).expect("it can be read");
    assert_eq!((report.assertions, report.actions, report.returned, report.failures.len()), (0, 3, 2, 1));
    assert_eq!((report.failures[0].line, report.failures[0].actual.as_str()), (5, "trap: unreachable"));
    assert_eq!(lines.take(), ["1 : i32", "1_000 : i32", "2 : i32", "1 : i32", "1_000 : i32"]);
    let report = run(script, &mut Interpreter, &Options::default(), keep(1)).expect("it can be read");
    assert_eq!(report.failures.len(), 3, "what cannot be printed ends the invocation");
}

#[test]
fn errors_of_the_script_have_a_place() {
    let error = run("(module)\n(assert_nothing)", &mut Interpreter, &Options::default(), silent())
        .expect_err("no such directive");
    assert_eq!(error.place, Some((2, 2)));
}
